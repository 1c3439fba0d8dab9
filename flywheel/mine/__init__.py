"""Failures, their modes and the hard examples worth correcting."""
