"""Saved forms of models, one file each with ``write`` (where pretune writes the form) and ``read``.

``plain`` is a folder of transformers, which ``classifier`` and ``language_model`` contain; ``gguf`` is llama.cpp's file.
"""
