"""A program of torch.export: torch alone runs it, without transformers."""

from pathlib import Path
from typing import Any

import torch

from pretune.intervals import Floats
from pretune.models.formats import torch_program
from pretune.predict.exported import Ids, Runtime


def open_runtime(folder: Path, threads: int | None) -> Runtime:
    """Return what runs ``model.pt2``.

    Raises:
        ModelLoadError: torch cannot load it.
    """
    program: Any = torch_program.read(folder)
    if threads is not None:
        torch.set_num_threads(threads)

    @torch.inference_mode()
    def run(ids: Ids, mask: Ids) -> Floats:
        found: Floats = program(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        return found

    return run
