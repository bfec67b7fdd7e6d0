"""What `benchmarks/exports.py` adds to docs/production.md."""

import json
from pathlib import Path
from typing import Any

HEAD = [
    "form", "same answers", "largest difference", "same on the test", "accuracy", "verdict", "MB", "texts/s", "of the rival",
    "by processor seconds", "peak MB",
]  # fmt: skip


def describe(run: Path, forms: list[str], found: dict[str, Any]) -> dict[str, Any]:
    """Return a result with its part of the page.

    Args:
        run: The run that was exported.
        forms: Its forms.
        found: ``same``, ``paces`` and ``cold`` by form, and the names of the ``rival`` and of ``torch``.
    """
    judged = {form: json.loads((run / "export" / form / "judged.json").read_text()) for form in forms}
    record = json.loads((run / "run.json").read_text())
    rival, accuracy = found["paces"][found["rival"]], value_of(record["scores"], "accuracy")
    num_fast, num_same = rival["texts"], found["same"]["onnx"]["texts"]
    rows = [[*_alike(form, found["same"].get(form), judged[form]), *_fast(found["paces"][form], rival)] for form in forms]
    rows += [[name, *[""] * 6, *_fast(found["paces"][name], rival)] for name in (found["rival"], found["torch"])]
    outcome = record["verdict"]["outcome"].replace("_", " ")
    threads = f"{found['threads']} thread" if found["threads"] else "all threads"
    return {
        **found,
        "run": record["run"],
        "judged": judged,
        "order": 1,
        "title": "Exported forms",
        "script": "benchmarks/exports.py",
        "targets": targets(found, judged, forms, accuracy),
        "text": [
            f"The model: minilm on movie-reviews, verdict *{outcome}*, accuracy {accuracy:.4f}. The rival is the `pipeline` of "
            f"transformers in bf16, batches of 32, sorted by length. Every side runs in a process of its own, {threads} each, and answers "
            f"the same {num_fast:,} texts {found['rounds']} times in turn (medians). Same answers and differences of `onnx` "
            f"compare with torch in fp32 on {num_same:,} texts, those of other forms on the rows of validation and test.",
        ],
        "tables": [
            {"caption": "Forms, as served", "head": HEAD, "rows": rows},
            {
                "caption": "`pretune predict EXPORT TEXT`: the whole command, files in the cache of the disk",
                "head": ["form", "seconds (median)", "best", "processor seconds", "peak MB"],
                "rows": [
                    [f"`{form}`", *(item[key] for key in ("wall", "best", "processor", "peak_mb"))]
                    for form, item in found["cold"].items()
                ],
            },
        ],
        "notes": [f"`{form}`: {', '.join(f'{key} {value}' for key, value in judged[form]['how'].items())}." for form in forms],
    }


def targets(found: dict[str, Any], judged: dict[str, Any], forms: list[str], accuracy: float) -> list[dict[str, Any]]:
    """Return what was asked for, and what was reached."""
    rival, same, cold = found["paces"][found["rival"]], found["same"]["onnx"], found["cold"]["onnx"]
    off = {form: value_of(judged[form]["scores"], "accuracy") - accuracy for form in forms}
    allowed = [form for form in forms if is_kept(judged[form]) and abs(off[form]) <= 0.003]
    best = min(allowed, key=lambda form: found["paces"][form]["processor"])
    gain, on_wall = (rival[unit] / found["paces"][best][unit] for unit in ("processor", "wall"))
    return [
        {
            "what": "ONNX fp32 against torch fp32, 10,000 texts: largest difference of probabilities; same answers",
            "must": "≤ 1e-4; 100 %",
            "reached": f"{same['largest']:.1g}; {100 * same['same'] / same['texts']:.2f} %",
            "holds": same["largest"] <= 1e-4 and same["same"] == same["texts"],
        },
        {
            "what": f"best exported form (`{best}`), texts/s, against the pipeline of transformers in bf16; accuracy",
            "must": "≥ 2.5 ×, verdict unchanged; within 0.3 points",
            "reached": f"{gain:.2f} × by processor seconds ({on_wall:.2f} × on the wall), verdict unchanged; {100 * off[best]:+.2f} points",
            "holds": gain >= 2.5,
        },
        {
            "what": "cold start of the onnxruntime form, one answer",
            "must": "≤ 1 s, ≤ 300 MB",
            "reached": f"{cold['wall']:.2f} s, {cold['peak_mb']} MB",
            "holds": cold["wall"] <= 1 and cold["peak_mb"] <= 300,
        },
    ]


def is_kept(judged: dict[str, Any]) -> bool:
    """Whether a form has the model's verdict."""
    return bool(judged["verdict"]["outcome"] == judged["beside_verdict"])


def value_of(scores: list[dict[str, Any]], metric: str) -> float:
    """Return a figure of the model on the test."""
    wanted = ("test", "finetuned", metric)
    return float(next(item["value"] for item in scores if (item["split"], item["source"], item["metric"]) == wanted))


def _alike(form: str, same: dict[str, Any] | None, judged: dict[str, Any]) -> list[str]:
    test = next(part for part in judged["beside"] if (part["split"], part["how"]) == ("test", "as served"))
    served = [part for part in judged["beside"] if part["how"] == "as served"]
    shown = same or {
        "same": sum(part["num_same"] for part in served),
        "texts": sum(part["num_rows"] for part in served),
        "largest": max(part["largest"] for part in served),
    }
    return [
        f"`{form}`",
        f"{shown['same']:,} of {shown['texts']:,}",
        f"{shown['largest']:.1g}",
        f"{test['num_same']:,} of {test['num_rows']:,}",
        f"{value_of(judged['scores'], 'accuracy'):.4f}",
        "the model’s" if is_kept(judged) else "**another**",
        f"{judged['num_bytes'] / 1e6:,.0f}",
    ]


def _fast(pace: dict[str, Any], rival: dict[str, Any]) -> list[str]:
    gains = (f"{rival[unit] / pace[unit]:.2f} ×" for unit in ("wall", "processor"))
    return [f"{pace['texts'] / pace['wall']:,.0f}", *gains, f"{pace['peak_mb']:,}"]
