"""People's side of correction."""
