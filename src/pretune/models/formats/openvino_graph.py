"""OpenVINO's graph, ``model.xml`` and ``model.bin``: made from ONNX, calibrated to 8 bits by NNCF."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.models.formats.forms import OPENVINO_FILE
from pretune.models.formats.libraries import load_nncf, load_openvino
from pretune.models.formats.onnx_graph import quiet

Ids = npt.NDArray[np.int64]
Batch = tuple[Ids, Ids]  # ids and mask, each (batch, time)


def write(folder: Path, plain: Path) -> dict[str, str]:
    """Write the graph in fp32, and return how it was made.

    Args:
        folder: Where.
        plain: The graph as ONNX.

    Raises:
        MissingPackageError: The ``openvino`` extra is not installed.
    """
    library = load_openvino()
    with quiet():
        library.save_model(library.convert_model(plain), folder / OPENVINO_FILE, compress_to_fp16=False)
    return {"precision": "fp32"}


def write_int8(folder: Path, plain: Path, batches: Sequence[Batch]) -> dict[str, str]:
    """Write the graph calibrated to 8 bits, and return how it was made.

    Args:
        folder: Where.
        plain: The graph as ONNX.
        batches: What it is calibrated on.

    Raises:
        MissingPackageError: The ``openvino`` extra is not installed.
    """
    library, nncf = load_openvino(), load_nncf()
    with quiet():
        model: Any = nncf.quantize(
            library.convert_model(plain),
            nncf.Dataset(list(batches)),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(batches),
        )
        library.save_model(model, folder / OPENVINO_FILE, compress_to_fp16=False)
    texts = sum(len(ids) for ids, _ in batches)
    return {"quantization": "static, by NNCF", "calibrated on": f"{texts:,} texts of training"}
