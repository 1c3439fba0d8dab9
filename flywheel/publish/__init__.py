"""The gate, and immutable releases."""
