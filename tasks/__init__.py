"""How often: retries, timeouts, caching and progress around the stages; no decisions."""
