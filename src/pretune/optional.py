"""Packages that only some users need: imported on use; if one is missing, the error is the line that installs it."""

import importlib
from types import ModuleType

from pretune.errors import MissingPackageError


def require(package: str, *, extra: str) -> ModuleType:
    """Import ``package`` or raise an error that is the install line.

    Raises:
        MissingPackageError: The package is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs the package {package!r}, which is not installed ({error})",
            fix=f'`pip install "pretune[{extra}]"`',
        ) from error
