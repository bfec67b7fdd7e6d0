"""OpenVINO, on the processor, in the precision that was judged."""

from pathlib import Path

from pretune.errors import ModelLoadError
from pretune.intervals import Floats
from pretune.models.formats.forms import OPENVINO_FILE
from pretune.models.formats.libraries import load_openvino
from pretune.predict.exported import Ids, Runtime
from pretune.predict.runtimes.threads import choose_threads


def open_runtime(folder: Path, threads: int | None) -> Runtime:
    """Return what runs ``model.xml``; one thread asks it at a time.

    Raises:
        ModelLoadError: OpenVINO cannot load it.
        MissingPackageError: openvino is not installed.
    """
    library = load_openvino()
    # Unasked it computes files of fp32 in bf16 where the processor can, and then its answers are others.
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": choose_threads(threads),
    }
    try:
        compiled = library.Core().compile_model(str(folder / OPENVINO_FILE), "CPU", settings)
    except RuntimeError as error:
        raise ModelLoadError(
            f"{folder / OPENVINO_FILE} cannot be loaded ({' '.join(str(error).split())[:200]})",
            expected=f"a graph that openvino {library.__version__} can run",
            fix="export again, or install the version of openvino that export.json names",
        ) from error
    request = compiled.create_infer_request()

    def run(ids: Ids, mask: Ids) -> Floats:
        found: Floats = request.infer([ids, mask])[0].copy()
        return found

    return run
