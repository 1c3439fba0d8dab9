"""The card of a release as a page: one HTML file with its plots inside that loads nothing."""
