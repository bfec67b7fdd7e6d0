"""Text classification: from rows to a verdict. Read ``path`` first."""
