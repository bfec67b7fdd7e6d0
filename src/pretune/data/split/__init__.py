"""Which rows train the model, which choose the epoch, and which are kept for the verdict."""
