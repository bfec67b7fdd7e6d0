"""A digest of the source files that a training runs through: a version number does not show that a file was edited."""

from functools import cache
from hashlib import sha256
from pathlib import Path

# Packages whose sources decide the bits of a training.
PACKAGES = ("tokens", "models", "train")


@cache
def digest_of_code(*others: str) -> str:
    """Return a digest of the packages' sources, and of other files by their path in the package."""
    root, found = Path(__file__).parents[1], sha256()
    shared = (path for name in PACKAGES for path in (root / name).rglob("*.py"))
    for path in sorted([*shared, *(root / name for name in others)]):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
