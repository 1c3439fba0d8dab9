"""Current traffic against its reference."""
