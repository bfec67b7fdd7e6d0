"""Draws what is known about a run: for the terminal, as ``report.html`` and as the model card.

Import from the modules. Nothing is re-exported, because programs that need neither rich nor jinja2 use ``words``.
"""
