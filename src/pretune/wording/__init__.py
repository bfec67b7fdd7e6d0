"""Wording: settings as flags and as Python arguments, messages that name either, counts with their nouns."""
