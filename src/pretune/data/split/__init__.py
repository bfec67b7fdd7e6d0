"""Which rows are trained on, which choose, which are kept for the verdict."""
