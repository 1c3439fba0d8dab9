"""The report page on failure modes: one HTML file that loads nothing."""
