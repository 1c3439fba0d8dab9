"""The page on what changed between two releases: one HTML file that loads nothing."""
