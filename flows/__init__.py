"""When things run: one file per deployment."""
