"""A real OpenAI-compatible provider on loopback that trains and serves small text models."""
