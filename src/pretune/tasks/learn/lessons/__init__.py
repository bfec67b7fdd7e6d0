"""The lessons: a text each, in TOML, and its functions."""
