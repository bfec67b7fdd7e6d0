"""Wording: settings as flags and as arguments of Python, messages that name either, counts with their nouns."""
