"""Test rows that nobody reads uncounted: the seal, the ledger of looks, and what a model has learned from."""
