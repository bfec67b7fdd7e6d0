"""The card of an exported form: what it is, how it answers beside its model, and code that runs it without pretune."""

from collections.abc import Iterator
from dataclasses import replace

from pretune.records import JudgedExport, RunRecord
from pretune.report.card.card import escape, joined, tell_data, tell_figures, tell_licences, tell_verdict
from pretune.report.exports import ExportRow, export_rows, tell_verdict_of
from pretune.report.words import percent

OPENING = """\
import json
{imports}

about = json.load(open("export.json", encoding="utf-8"))
tokenizer = Tokenizer.from_file("tokenizer.json")  # truncates and pads as the model was judged{reading}
{load}


def classify(texts):
    encoded = tokenizer.encode_batch(texts)
    ids, mask = (np.array([getattr(text, name) for text in encoded], np.int64) for name in ("ids", "attention_mask"))
    logits = {run}
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return [dict(zip(about["card"]["classes"], row)) for row in (powers / powers.sum(axis=1, keepdims=True)).tolist()]


print(classify(["a text"]))
"""
ONNX = {
    "imports": 'import os\n\nos.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before its import: it reports its use otherwise\n'
    "import numpy as np\nimport onnxruntime\nfrom tokenizers import Tokenizer",
    "load": 'session = onnxruntime.InferenceSession("model.onnx")',
    "run": 'session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0].astype(float)',
}
OPENVINO = {
    "imports": "import sys\n\nsys.modules['openvino_telemetry'] = None  # it reports its use otherwise\n"
    "import numpy as np\nimport openvino\nfrom tokenizers import Tokenizer",
    "load": 'model = openvino.Core().compile_model("model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})',
    "run": "model([ids, mask])[0].astype(float)",
}
TORCH = {
    "imports": "import numpy as np\nimport torch\nfrom tokenizers import Tokenizer",
    "load": 'model = torch.export.load("model.pt2").module()',
    "run": "model(torch.from_numpy(ids), torch.from_numpy(mask)).detach().double().numpy()",
}
CODES = {"onnx": ONNX, "openvino": OPENVINO, "torch": TORCH}


def render_export_card(record: RunRecord, judged: JudgedExport) -> str:
    """Return the card of an exported form as Markdown."""
    own = replace(record, scores=judged.scores, verdict=judged.verdict)
    sections = (
        ("", _introduce(record, judged)),
        ("Verdict of this form", tell_verdict(own)),
        ("Beside the model", _tell_beside(judged)),
        ("Figures of this form", tell_figures(own)),
        ("How to use it", _tell_use(record, judged)),
        ("Data", tell_data(record)),
        ("Licence and source", tell_licences(record)),
    )
    return joined(record, sections)


def _introduce(record: RunRecord, judged: JudgedExport) -> Iterator[str]:
    yield f"The model of the run {escape(record.run)} as `{judged.form}`: {escape(_tell_how(judged))}."
    yield ""
    yield f"Verdict: **{tell_verdict_of(judged)}**."
    for line in judged.lost:
        yield f"- lost: {escape(line)}"


def _tell_how(judged: JudgedExport) -> str:
    return ", ".join(f"{name} {value}" for name, value in judged.how.items())


def _tell_beside(judged: JudgedExport) -> Iterator[str]:
    yield "| texts | asked | same answers | largest difference of probabilities |"
    yield "|---|---|---|---|"
    for item in judged.beside:
        same = f"{item.num_same:,} of {item.num_rows:,} ({percent(item.num_same, item.num_rows)})"
        yield f"| {escape(item.split)} | {escape(item.how)} | {same} | {item.largest:.2g} |"
    yield ""
    row: ExportRow = export_rows([judged])[0]
    yield f"- size: {row.size}"
    yield f"- texts per second, all texts at once: {row.pace}; one by one: {row.alone}"
    yield f"- most memory of a process: {row.peak}"
    yield f"- measured on: {escape(', '.join(filter(None, judged.machine.values())))}"
    for tried in judged.candidates:
        others = ", ".join(f"{part.num_others:,} of {part.num_rows:,} {part.how}" for part in tried.beside)
        taken = "taken" if tried.is_taken else "not taken"
        yield f"- {escape(tried.name)}, {taken}: other answers {escape(others)}; {tried.texts_per_second:,.0f} texts/s"


def _tell_use(record: RunRecord, judged: JudgedExport) -> Iterator[str]:
    code = CODES[judged.form.partition("-")[0]]
    yield "From this folder, with pretune:"
    yield from ("", "```sh", 'pretune predict . "a text"', "```", "")
    yield "Without pretune:"
    reading = "\ntokenizer.encode_special_tokens = True  # a control token in a text is text" if judged.control_as_text else ""
    yield from ("", "```python", *OPENING.format(**code, reading=reading).rstrip("\n").split("\n"), "```", "")
    yield "First clean the texts as pretune does: no invisible characters, Unicode form NFC."
    choice = record.threshold
    if choice is None or choice.threshold is None:
        return
    if record.has_folded_threshold:
        yield f"The threshold of {choice.threshold:g} is in the graph: the larger probability is the answer."
    else:
        yield f"The answer is {escape(str(choice.positive))} from a probability of {choice.threshold:g} on, else the largest."
