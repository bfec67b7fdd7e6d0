"""How a label is read, which spellings are one class, and whether there is enough of each."""
