"""ONNX Runtime, on the processor."""

from pathlib import Path

from pretune.errors import ModelLoadError
from pretune.intervals import Floats
from pretune.models.formats.forms import ONNX_FILE
from pretune.models.formats.libraries import load_onnxruntime
from pretune.predict.exported import Ids, Runtime
from pretune.predict.runtimes.threads import choose_threads

ERRORS_ONLY = 3  # of its levels of logging: warnings speak of optimizations
# Threads that wait awake take the processor from whatever else is on the machine, and so from the batch (docs/log.md).
ASLEEP = ("session.intra_op.allow_spinning", "0")


def open_runtime(folder: Path, threads: int | None) -> Runtime:
    """Return what runs ``model.onnx``; several threads may ask it at the same time.

    Raises:
        ModelLoadError: ONNX Runtime cannot load it.
        MissingPackageError: onnxruntime is not installed.
    """
    library = load_onnxruntime()
    options = library.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = choose_threads(threads), 1
    options.log_severity_level = ERRORS_ONLY
    options.add_session_config_entry(*ASLEEP)
    try:
        session = library.InferenceSession(str(folder / ONNX_FILE), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise ModelLoadError(
            f"{folder / ONNX_FILE} cannot be loaded ({' '.join(str(error).split())[:200]})",
            expected=f"a graph that onnxruntime {library.__version__} can run",
            fix="export again, or install the version of onnxruntime that export.json names",
        ) from error
    names = [item.name for item in session.get_inputs()]

    def run(ids: Ids, mask: Ids) -> Floats:
        given = {"input_ids": ids, "attention_mask": mask}
        found: Floats = session.run(["logits"], {name: given[name] for name in names})[0]
        return found

    return run
