"""Exporting a classifier: written in another form, asked beside the model, judged again."""
