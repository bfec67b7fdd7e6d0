"""Data: read, clean, find duplicates, split, seal. Import from the modules: a name here would load them all."""
