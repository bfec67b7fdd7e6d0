"""Saved forms of models, one file each: how a form is written, where pretune writes it, and how it is read back."""
