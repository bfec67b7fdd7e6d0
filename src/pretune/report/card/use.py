"""How to use a model, for the card: with pretune, and in plain transformers with Python code that a test runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

from pretune.records import RunRecord

MODEL = "model/"  # where a run keeps its model; the examples below are written for it


@dataclass(frozen=True, slots=True)
class Place:
    """Where the model is for who reads a card: in the folder of the run, in this folder, or on the hub.

    Args:
        name: ``model/``, ``.``, or an id on the hub.
    """

    name: str = MODEL

    @property
    def is_on_hub(self) -> bool:
        """Whether it has to be downloaded first."""
        return self.name not in (MODEL, ".")

    @property
    def folder(self) -> str:
        """The folder that pretune reads: of the run, of the model, or the one that it is downloaded to."""
        return self.name.rpartition("/")[2] if self.is_on_hub else "."

    def fit(self, code: str) -> str:
        """Return an example for this place."""
        if self.is_on_hub and "folder = Path(" in code:
            code = code.replace(f'Path("{MODEL}")', f'Path(snapshot_download("{self.name}"))')
            return code.replace("import torch\n", "import torch\nfrom huggingface_hub import snapshot_download\n")
        return code.replace(f'"{MODEL}"', f'"{self.name}"')

    def tell_download(self) -> Iterator[str]:
        """Yield how to get it from the hub, where it is there."""
        if self.is_on_hub:
            yield from _code("sh", f"hf download {self.name} --local-dir {self.folder}\n")


PIPELINE = """\
from transformers import pipeline

classify = pipeline("text-classification", model="model/", truncation=True)
"""
BY_RULE = """
def decide(text):
    shares = {item["label"]: item["score"] for item in classify(text, top_k=None)}
    if shares[POSITIVE] >= THRESHOLD:
        return POSITIVE
    return max(shares.keys() - {POSITIVE}, key=shares.get)

print(decide("a text"))
"""
POOLED = """\
import json
from pathlib import Path
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

folder = Path("model/")
about = json.loads((folder / "pretune.json").read_text(encoding="utf-8"))
tokenizer, trunk = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
head = load_file(folder / "head.safetensors")

@torch.inference_mode()
def classify(text, top_k=None):
    inputs = tokenizer(text, truncation=True, return_tensors="pt")
    inner = trunk(**inputs).last_hidden_state.mean(dim=1) @ head["dense.weight"].T + head["dense.bias"]
    shares = (inner.relu() @ head["output.weight"].T + head["output.bias"]).softmax(dim=1)[0]
    return [{"label": name, "score": share} for name, share in zip(about["classes"], shares.tolist())]
"""


def tell_use(record: RunRecord, place: Place) -> Iterator[str]:
    """Yield the lines of the section."""
    if record.judged_source != "finetuned" and place.name != MODEL:
        yield f"Validation chose `{record.judged_source}` of the run, and the verdict is about that: not about this model."
        yield ""
    elif record.judged_source != "finetuned":
        yield f"Validation chose `{record.judged_source}/`, which was judged and answers for this folder:"
        yield from _code("sh", 'pretune predict . "a text"\n')
        yield ""
        yield "The fine-tuned model in `model/` was not chosen: the verdict is not about it."
        return
    yield "From the hub:" if place.is_on_hub else "From this folder:"
    yield from place.tell_download()
    where = place.folder if place.is_on_hub else place.name
    yield from _code("python", f'import pretune\n\nmodel = pretune.load_model("{where}")\nmodel.predict(["a text"])\n')
    yield from _code("sh", f'pretune predict {place.folder} "a text"\n')
    yield ""
    is_native, choice = _head_of(record) == "native", record.threshold
    threshold = choice.threshold if choice is not None else None
    by_rule = threshold is not None and not record.has_folded_threshold
    if is_native:
        yield "It also loads in plain transformers, with the same answers and probabilities:"
        code = PIPELINE
    else:
        yield "Its head is pretune’s own, and no transformers pipeline knows it. Without pretune, use it like this:"
        code = POOLED
    if by_rule and choice is not None:
        code += f"POSITIVE, THRESHOLD = {_quoted(str(choice.positive))}, {threshold!r}\n{BY_RULE}"
    else:
        code += (
            'print(classify("a text"))\n' if is_native else 'print(max(classify("a text"), key=lambda item: item["score"]))\n'
        )
    yield from _code("python", place.fit(code))
    yield ""
    yield "Truncate long texts as in the evaluation, with `truncation=True`; without it they raise an error." + (
        " First clean the texts as pretune does: no invisible characters, Unicode form NFC."
    )
    if record.has_folded_threshold and threshold is not None:
        yield (
            f"The threshold of {threshold:g} is in the output layer: the larger probability is the answer, and 0.5 "
            "stands for the threshold. The figures above are about the probabilities before that; their log odds are "
            f"{_log_odds(threshold)} those of the ones given here."
        )
    elif by_rule:
        yield "The largest class is not always the answer: the threshold, also in `pretune.json` of the model, decides."


def _log_odds(threshold: float) -> str:
    bounded = min(max(threshold, 1e-12), 1 - 1e-12)
    value = log(bounded / (1 - bounded))
    return f"{abs(value):.3f} {'below' if value < 0 else 'above'}"


def _quoted(name: str) -> str:
    """Return a name as a string of Python in which only letters, digits and blanks stand as they are."""
    signs = (sign if sign.isalnum() or sign in " _-" else f"\\U{ord(sign):08x}" for sign in name)
    return '"' + "".join(signs) + '"'


def _code(kind: str, text: str) -> Iterator[str]:
    yield from ("", f"```{kind}", *text.rstrip("\n").split("\n"), "```")


def _head_of(record: RunRecord) -> str:
    return str(record.setting("finetune", "head") or "native")
