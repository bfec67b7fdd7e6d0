"""Texts that are the same or nearly so, and rows that belong together."""
