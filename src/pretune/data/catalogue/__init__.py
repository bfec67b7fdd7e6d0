"""Data and models that can be fetched by name."""
