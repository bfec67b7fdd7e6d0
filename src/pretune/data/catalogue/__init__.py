"""Data and models that can be had by name: what there is, and how it is fetched."""
