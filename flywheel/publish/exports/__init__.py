"""A release as files that trainers load: some are stored with it, all others are written when they are asked for."""
