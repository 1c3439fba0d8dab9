"""Correctors: people and models in one shape."""
