"""Test rows that cannot be read uncounted: the seal, the ledger of looks, and what a model has learned from."""
