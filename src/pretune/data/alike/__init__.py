"""Equal and nearly equal texts, and rows that belong together."""
