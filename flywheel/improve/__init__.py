"""Fine-tune, compare with production, promote or refuse."""
