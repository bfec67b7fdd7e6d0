"""The command that writes a model for other tools. Heavy imports wait until it runs."""

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError


@takes_flags
def export(run: a.Run, flags: Flags) -> int:
    """Write a model in a form for other tools, and judge it again in that form.

    Of a classifier: ONNX, OpenVINO or a torch program, fp32 or 8 bits, which answers the validation and test rows beside the
    model and has its own figures and verdict. Of a chat model: GGUF, for llama.cpp and what is built on it, or its LoRA
    adapters, for peft; both are asked the same validation questions. `RUN/model` loads in plain transformers as it is.
    """
    from pretune.cli import exporting
    from pretune.models.formats.forms import CLASS_KINDS, KINDS
    from pretune.tasks.places import require_run

    form = flags["to"]
    if form is not None and form not in (*CLASS_KINDS, *KINDS):
        raise UsageError(
            f"--to {form}",
            expected=f"{', '.join(CLASS_KINDS)} for a classifier, {' or '.join(KINDS)} for a chat model",
            fix="use RUN/model for transformers: it is a folder that loads there",
        )
    folder, record = require_run(run, chats=True)
    is_chat = record.task == "converse"
    known, other = (KINDS, "a run on conversations") if is_chat else (CLASS_KINDS, "a classifier")
    if form is not None and form not in known:
        raise UsageError(f"--to {form}, and {run} is {other}", expected=" or ".join(known))
    for_other = flags["accept_loss"] if is_chat else flags["form"]
    if for_other:
        raise UsageError(
            f"{'--accept-loss' if is_chat else '--precision'} for {other}",
            expected="neither" if is_chat else "--to onnx-int8 or --to openvino-int8 for 8 bits",
        )
    return (exporting.export_chat if is_chat else exporting.export_classes)(folder, form or known[0], flags)
