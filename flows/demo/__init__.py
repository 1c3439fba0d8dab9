"""`flywheel demo`: the whole wheel, turned on real or simulated traffic, with a report at the end."""
