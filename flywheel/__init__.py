"""Turn an LLM application's production failures into its next model."""

__version__ = "0.1.0"
