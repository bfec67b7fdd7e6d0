"""ONNX: written by torch.onnx, fused and quantized by the tools of ONNX Runtime."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from pretune.errors import require
from pretune.models.formats.forms import ONNX_FILE
from pretune.models.formats.graph import INPUTS, OUTPUT, Whole, dynamic_shapes, example_inputs

OPSET = 20


def write(folder: Path, module: Whole, *, max_length: int) -> None:
    """Write ``model.onnx`` into a folder.

    Raises:
        MissingPackageError: The ``onnx`` extra is not installed.
    """
    require("onnxscript", extra="onnx")
    with quiet(), torch.no_grad():
        torch.onnx.export(
            module,
            example_inputs(),
            folder / ONNX_FILE,
            input_names=INPUTS,
            output_names=(OUTPUT,),
            dynamic_shapes=dynamic_shapes(max_length),
            opset_version=OPSET,
            external_data=True,  # read where it lies, so that loading takes the memory of one copy and not of three
            dynamo=True,
            verbose=False,
        )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what exporters print and warn about their own parts off the terminal."""
    levels = {name: logging.getLogger(name).level for name in ("torch.onnx", "onnxscript", "root")}
    try:
        for name in levels:
            logging.getLogger(name).setLevel(logging.ERROR)
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
