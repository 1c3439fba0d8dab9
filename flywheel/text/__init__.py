"""Pure text functions several stages share."""
