"""The block of metadata at the head of a model card, as the hub reads it: what it is, from what, and its sealed figures.

Nothing is invented: what neither the record nor the user says is left out, and a licence that nobody states is ``unknown``.

Source:
    The hub's documentation of model cards, for the names of the fields and what they hold.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pretune.records import LOWER_IS_BETTER, RunRecord, Score
from pretune.report.figures import METRIC_NAMES
from pretune.report.words import one_line, percent, span

UNKNOWN, OTHER = "unknown", "other"  # licences of the hub
LICENCES = (
    "apache-2.0 mit openrail bigscience-openrail-m bigcode-openrail-m openrail++ afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause "
    "bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 "
    "cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 "
    "cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 "
    "eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl "
    "apple-ascl mpl-2.0 odc-by odbl openmdw-1.0 osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr "
    "deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 "
    "llama3.3 llama4 gemma unknown other"
).split()
PIPELINES = {"classify": "text-classification", "converse": "text-generation"}
# What the hub calls some figures.
METRICS = {"mcc": "matthews_correlation", "roc_area": "roc_auc", "brier": "brier_score"}
MAX_FIGURES = 40
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}|code|multilingual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is known of a model besides its record.

    Args:
        base_model: Id on the hub of the model that it was made from.
        dataset: Id on the hub of the data.
        languages: Codes of ISO 639.
        licence: That the user gives the model; otherwise that of the weights that it was made from, as their source states it.
        name: What the model is called.
    """

    base_model: str | None = None
    dataset: str | None = None
    languages: tuple[str, ...] = ()
    licence: str | None = None
    name: str = ""


def is_hub_name(text: str) -> bool:
    """Whether a text could be the id of a model or data set on the hub."""
    return _HUB_NAME.fullmatch(text) is not None and ".." not in text and "--" not in text


def is_language(text: str) -> bool:
    """Whether a text could be the code of a language."""
    return _LANGUAGE.fullmatch(text) is not None


def licence_of(stated: str | None) -> dict[str, str]:
    """Return what the hub is told of a licence that is stated in words.

    Example:
        >>> licence_of("Apache-2.0 (the weights); the package is MIT"), licence_of("My own, ask me"), licence_of(None)
        ({'license': 'apache-2.0'}, {'license': 'other', 'license_name': 'my-own-ask-me'}, {'license': 'unknown'})
    """
    if not stated:
        return {"license": UNKNOWN}
    first = re.split(r"[\s(;,]+", stated.strip().casefold().replace("cc by", "cc-by"))[0]
    if first in LICENCES:
        return {"license": first}
    return {"license": OTHER, "license_name": re.sub(r"[^a-z0-9.]+", "-", stated.casefold()).strip("-")[:60] or OTHER}


def metadata_of(record: RunRecord, origin: Origin) -> dict[str, Any]:
    """Return the metadata of a model card.

    Args:
        record: The run.
        origin: What else is known.
    """
    found: dict[str, Any] = {
        **licence_of(origin.licence or (record.model_licence if record.model_source != "scratch" else None)),
        "library_name": "transformers" if _is_plain(record) else "pretune",
        "pipeline_tag": _pipeline_of(record),
        "language": list(origin.languages),
        "base_model": origin.base_model,
        "base_model_relation": "finetune" if origin.base_model else None,
        "datasets": [origin.dataset] if origin.dataset else [],
        "tags": ["pretune", *([str(record.verdict.outcome).replace("_", "-")] if record.verdict else [])],
    }
    figures = _figures(record)
    if figures:
        found["metrics"] = list(dict.fromkeys(METRICS.get(score.metric, score.metric) for score in figures))
        found["model-index"] = [{"name": origin.name or record.run, "results": list(_results(figures, record, origin))}]
    return {name: value for name, value in found.items() if value not in (None, [])}


def front_matter(metadata: dict[str, Any]) -> str:
    """Return metadata as the block of YAML with which a card begins."""
    return "\n".join(["---", *_lines(metadata, ""), "---"]) + "\n"


def _pipeline_of(record: RunRecord) -> str:
    is_masked = record.task == "pretrain" and record.pretraining is not None and record.pretraining.objective == "masked"
    return "fill-mask" if is_masked else PIPELINES.get(record.task, "text-generation")


def _is_plain(record: RunRecord) -> bool:
    return record.task != "classify" or (record.setting("finetune", "head") or "native") == "native"


def _figures(record: RunRecord) -> list[Score]:
    """Return the figures of the model itself: of the sealed test, or of held-out text after a pre-training."""
    if record.task == "pretrain":
        chosen = [score for score in record.scores if score.source == "pretrained"]
    elif record.verdict is None:
        return []
    else:
        labels = (None, "macro", record.positive)
        own = [score for score in record.scores if score.split == "test" and score.source == "finetuned"]
        chosen = [score for score in own if score.label in labels]
    return [score for score in chosen if score.value is not None][:MAX_FIGURES]


def _results(figures: list[Score], record: RunRecord, origin: Origin) -> Iterator[dict[str, Any]]:
    """Yield one result for each split of figures."""
    source = one_line(record.data_source or "data", 100)
    for split in dict.fromkeys(score.split for score in figures):
        dataset = {"name": source, "type": origin.dataset or "private", "split": split}
        metrics = [_metric(score) for score in figures if score.split == split]
        yield {"task": {"type": _pipeline_of(record)}, "dataset": dataset, "metrics": metrics}


def _metric(score: Score) -> dict[str, Any]:
    """Return one figure, with its interval in its name, where people see it, and in its arguments."""
    name = METRIC_NAMES.get(score.metric, score.metric.replace("_", " "))
    of = f" of {score.label}" if score.label is not None else ""
    reach = span(score.low, score.high)
    said = f", {percent(score.confidence)} interval {reach}" if reach else ", no interval"
    arguments = {
        "label": score.label,
        "low": score.low,
        "high": score.high,
        "confidence": score.confidence,
        "method": score.method,
        "num_examples": score.num_examples,
        "look": score.look,
        "lower_is_better": score.metric in LOWER_IS_BETTER,
    }
    return {
        "type": METRICS.get(score.metric, score.metric),
        "name": one_line(f"{name}{of}{said}", 200),
        "value": score.value,
        "args": {key: value for key, value in arguments.items() if value is not None},
    }


def _lines(value: dict[str, Any], indent: str) -> Iterator[str]:
    """Yield a table as lines of YAML, whose scalars are those of JSON."""
    for name, item in value.items():
        if isinstance(item, dict):
            yield f"{indent}{name}:"
            yield from _lines(item, indent + "  ")
        elif isinstance(item, list):
            yield f"{indent}{name}:"
            for part in item:
                inner = list(_lines(part, indent + "  ")) if isinstance(part, dict) else [f"{indent}  {_scalar(part)}"]
                yield f"{indent}- {inner[0].lstrip()}"
                yield from inner[1:]
        else:
            yield f"{indent}{name}: {_scalar(item)}"


def _scalar(value: Any) -> str:
    """Return a value as JSON, in characters that YAML takes."""
    if isinstance(value, str):
        value = "".join(sign if sign.isprintable() else " " for sign in one_line(value))
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
