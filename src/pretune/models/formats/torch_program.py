"""A program of torch.export, ``model.pt2``: a graph with its weights that torch runs without the code it was made from.

Such an archive may hold pickles, which torch would follow. pretune writes none, and loads none.
"""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from pretune.errors import ModelLoadError
from pretune.models.checkpoint import load_errors
from pretune.models.formats.forms import TORCH_FILE
from pretune.models.formats.graph import Whole, dynamic_shapes, example_inputs
from pretune.models.formats.onnx_graph import quiet

# What the archive that is written here consists of, below its own folder; anything else is refused.
PARTS = re.compile(
    r"archive_format|archive_version|byteorder|version|\.data/(version|serialization_id)|\.format_version|\.storage_alignment"
    r"|models/model\.json|data/weights/(weight_\d+|model_weights_config\.json)"
    r"|data/constants/(tensor_\d+|model_constants_config\.json)|data/sample_inputs/model\.pt"
)
MAX_CONFIG_BYTES = 16 << 20


@torch.no_grad()
def write(folder: Path, module: Whole, *, max_length: int) -> None:
    """Write the program into a folder."""
    with quiet():
        program = torch.export.export(module, example_inputs(), dynamic_shapes=dynamic_shapes(max_length))
        program._example_inputs = None  # which would be written as a pickle
        torch.export.save(program, folder / TORCH_FILE)


def read(folder: Path) -> Any:
    """Return what is called with ids and mask, each (batch, time), and gives logits (batch, classes).

    Raises:
        ModelLoadError: torch cannot load it, or it has parts that pretune does not write.
    """
    file = folder / TORCH_FILE
    fix = "export again with this version of torch"
    with load_errors(f"{file} cannot be loaded", f"a program that torch {torch.__version__} can run", fix=fix):
        wrong = _foreign_part(file)
    if wrong:
        raise ModelLoadError(f"{file} has {wrong}", expected="a program as pretune writes it: no pickles", fix="export again")
    with load_errors(f"{file} cannot be loaded", f"a program that torch {torch.__version__} can run", fix=fix):
        return torch.export.load(file).module()


def _foreign_part(file: Path) -> str:
    """Return what of an archive may be a pickle, in words; ``""`` where nothing may."""
    with zipfile.ZipFile(file) as archive:
        for item in archive.infolist():
            name = item.filename.partition("/")[2]
            if not PARTS.fullmatch(name):
                return f"a part {name[:100]!r}"
            if name.startswith("data/sample_inputs/") and item.file_size:
                return "example inputs, which are a pickle"
            if name.endswith("_config.json"):
                if item.file_size > MAX_CONFIG_BYTES:
                    return f"{item.file_size:,} bytes as {name}"
                config = json.loads(archive.read(item))["config"]
                if any(entry.get("use_pickle") is not False for entry in config.values()):
                    return f"pickles, which {name} names"
    return ""
