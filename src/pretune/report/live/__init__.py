"""The live page: a run watched in the browser while it happens, or again afterwards."""
