"""Libraries of exported forms, imported so that nothing leaves the machine.

onnxruntime (from 1.29 on, on Linux and macOS), OpenVINO and NNCF report their use to their makers unless told not to, the first
from the moment that it is imported, and keep a number for the machine in the user's home.
"""

import os
import sys
from types import ModuleType

from pretune.errors import require

# A full opt-out of onnxruntime where it is set before the first import.
OPT_OUT = "ORT_DISABLE_TELEMETRY"
# What sends for the others: with it out of reach, they take the stub that they have for where it is not installed.
SENDER = "openvino_telemetry"


def load_onnxruntime(part: str = "") -> ModuleType:
    """Return onnxruntime, or a part of it such as ``quantization``.

    Raises:
        MissingPackageError: It is not installed.
    """
    os.environ[OPT_OUT] = "1"
    return require(f"onnxruntime.{part}" if part else "onnxruntime", extra="onnx")


def load_openvino(part: str = "") -> ModuleType:
    """Return openvino.

    Raises:
        MissingPackageError: It is not installed.
    """
    return _load(f"openvino.{part}" if part else "openvino")


def load_nncf() -> ModuleType:
    """Return nncf, which calibrates graphs of OpenVINO.

    Raises:
        MissingPackageError: It is not installed.
    """
    return _load("nncf")


def _load(package: str) -> ModuleType:
    sys.modules.setdefault(SENDER, None)  # type: ignore[arg-type] # what makes its import an ImportError
    return require(package, extra="openvino")
