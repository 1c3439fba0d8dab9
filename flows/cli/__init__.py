"""The flywheel command: one file per group of commands."""
