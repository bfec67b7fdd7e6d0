"""Saved forms of models, one file each with ``write`` (where pretune writes the form) and ``read``.

``plain`` is a transformers folder, which ``classifier``, ``language_model`` and ``chat`` build on; ``gguf`` is llama.cpp's
file; ``adapter`` is peft's folder.
"""
