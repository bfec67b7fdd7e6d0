"""Serving: a judged classifier behind HTTP, answering as ``pretune predict`` does."""
