"""Production logs into the lake: every line lands or is quarantined."""
