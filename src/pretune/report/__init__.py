"""Drawing what is known of a run: for the terminal, as ``report.html`` and as the model card.

Import from the modules. Nothing is re-exported, because ``words`` is wanted by programs that need neither rich nor jinja2.
"""
