"""Saved forms of models, one file each with ``write`` (where pretune writes the form) and ``read``.

``plain`` is a transformers folder, which ``classifier`` and ``language_model`` build on; ``gguf`` is llama.cpp's file.
"""
