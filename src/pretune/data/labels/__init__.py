"""How a label is read, which spellings are one class, and whether each class has enough rows."""
