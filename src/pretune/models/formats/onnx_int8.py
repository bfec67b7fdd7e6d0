"""ONNX with products of 8-bit integers, by the quantizer of ONNX Runtime: calibrated (static), or by each batch (dynamic).

Only products with weights are quantized: attention scores are products of two activations, whose rounding costs answers and
saves little. Static scales come from texts of training, so an answer does not depend on the texts that share its batch. They
leave out products that read what an activation function gives: its few large values take the whole range, and of minilm's
300 answers 36 changed with them, 6 without (docs/log.md).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.errors import require
from pretune.models.formats.graph import INPUTS
from pretune.models.formats.libraries import load_onnxruntime
from pretune.models.formats.onnx_graph import quiet

Ids = npt.NDArray[np.int64]
Batch = tuple[Ids, Ids]  # ids and mask, each (batch, time)

STATIC, DYNAMIC = "static", "dynamic"
PRODUCTS = ["MatMul", "Gemm"]
ACTIVATIONS = ("Gelu", "Relu")


def write(file: Path, plain: Path, kind: str, batches: Sequence[Batch]) -> dict[str, str]:
    """Write a quantized graph, and return how it was made.

    Args:
        file: Where.
        plain: The graph in fp32.
        kind: ``static`` or ``dynamic``.
        batches: What a static one is calibrated on.

    Raises:
        MissingPackageError: The ``onnx`` extra is not installed.
    """
    library = load_onnxruntime("quantization")
    common = {
        "op_types_to_quantize": PRODUCTS,
        "per_channel": True,
        "weight_type": library.QuantType.QInt8,
        "use_external_data_format": True,
        "extra_options": {"MatMulConstBOnly": True},
    }
    with quiet():
        if kind == DYNAMIC:
            library.quantize_dynamic(plain, file, **common)
            return {
                "quantization": "dynamic",
                "weights": "int8, a scale per channel",
                "activations": "uint8, a scale per batch",
            }
        library.quantize_static(
            plain,
            file,
            _Reader(library.CalibrationDataReader, batches),
            quant_format=library.QuantFormat.QDQ,
            activation_type=library.QuantType.QUInt8,
            calibrate_method=library.CalibrationMethod.MinMax,
            nodes_to_exclude=_behind_activations(plain),
            **common,
        )
    texts = sum(len(ids) for ids, _ in batches)
    return {
        "quantization": "static",
        "weights": "int8, a scale per channel",
        "activations": "uint8, a scale per tensor; fp32 behind activation functions",
        "calibrated on": f"{texts:,} texts of training, smallest and largest values",
    }


def _behind_activations(plain: Path) -> list[str]:
    """Return the names of the products that read what an activation function gives."""
    graph = require("onnx", extra="onnx").load(plain, load_external_data=False).graph
    outputs = {name for node in graph.node if node.op_type in ACTIVATIONS for name in node.output}
    return [node.name for node in graph.node if node.op_type in PRODUCTS and node.input[0] in outputs]


def _Reader(base: type, batches: Sequence[Batch]) -> Any:  # noqa: N802 - a class whose base is in an optional package
    rest: Iterator[Batch] = iter(batches)

    def get_next(_: Any) -> dict[str, Ids] | None:
        batch = next(rest, None)
        return None if batch is None else dict(zip(INPUTS, batch, strict=True))

    return type("Reader", (base,), {"get_next": get_next})()
