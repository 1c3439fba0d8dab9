"""What the README's performance table was measured with."""
