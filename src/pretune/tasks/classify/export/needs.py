"""What an export needs, told before torch is loaded."""

from pretune.errors import UsageError, require
from pretune.models.formats.libraries import load_nncf, load_onnxruntime, load_openvino
from pretune.records import RunRecord
from pretune.run import RunFolder


def require_exportable(folder: RunFolder) -> RunRecord:
    """Return the record of a run whose fine-tuned model answers for it.

    Raises:
        UsageError: It has none, or another one was judged.
    """
    record = folder.read_record()
    if record.status not in ("trained", "judged"):
        raise UsageError(f"{folder.path} has no model yet", expected="a run that is trained", fix="run its command again")
    if record.judged_source != "finetuned":
        raise UsageError(
            f"{folder.path} was judged by {record.judged_source}, which validation chose",
            expected="a run whose fine-tuned model was judged",
            fix=f"use {folder.path}/{record.judged_source} as it is: it is small and needs no torch",
        )
    return record


def require_libraries(form: str) -> None:
    """Refuse a form whose packages are not installed, before anything heavy is loaded.

    Raises:
        MissingPackageError: One is not.
    """
    if form == "torch":
        return
    if form.startswith("openvino"):
        load_openvino()
    if form == "openvino-int8":
        load_nncf()
    for package in ("onnx", "onnxscript"):
        require(package, extra="onnx")
    if form.startswith("onnx"):
        load_onnxruntime()
