"""A simulated product with planted truth, and the public data sets demos run on."""
