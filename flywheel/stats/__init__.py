"""Pure statistics several stages share."""
