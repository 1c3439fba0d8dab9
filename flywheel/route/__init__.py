"""Who corrects a hard example: a person, a model or nobody, and why."""
