"""Families of architectures, one file each. A new family is a new file here; its ``FAMILY`` is found automatically."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pretune.errors import UsageError
from pretune.models.families.family import Family as Family, mean_pool as mean_pool

_FILES = sorted(item.name for item in iter_modules(__path__) if item.name != "family")
FAMILIES: tuple[Family, ...] = tuple(import_module(f"{__name__}.{name}").FAMILY for name in _FILES)


def find_family(config: Any, head: str = "classes") -> Family | None:
    """Return how to walk what a configuration describes, or ``None`` where pretune can only run the model whole.

    A DeBERTa with a convolution beside its first layer is not walked layer by layer either.

    Args:
        config: Of transformers.
        head: The head that has to be read: ``classes`` or ``words``.
    """
    if getattr(config, "conv_kernel_size", 0):
        return None
    known = (family for family in FAMILIES if getattr(family, head) is not None)
    return next((family for family in known if family.name == config.model_type), None)


def find_language_family(config: Any) -> Family:
    """Return how to walk this configuration's language model.

    Raises:
        UsageError: pretune does not know how.
    """
    family = find_family(config, "words")
    if family is None:
        raise UsageError(
            f"pretune cannot pre-train {config.model_type!r} models",
            expected=f"one of {known_families('words')}",
            fix="continue another model",
        )
    return family


def known_families(head: str) -> str:
    """Return the names of the families that have this head, ``classes`` or ``words``."""
    return ", ".join(family.name for family in FAMILIES if getattr(family, head) is not None)
