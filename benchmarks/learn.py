"""The overfitting lesson: is its answer reached, for three seeds, in time, and what do the last layers at 1e-6 bring?

``python benchmarks/learn.py`` makes the two runs of the lesson and the further epochs per seed, as the lesson does,
keeps each in ``benchmarks/results/learn/``, and writes the table of docs/learn.md.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import RESULTS, row
from pretune.learn.lesson import Lab
from pretune.learn.lessons import overfitting
from pretune.learn.lessons.overfitting import ANSWER, LAYERS, OVERFITS, go_on, is_cured
from pretune.learn.reviews import clear_reviews
from pretune.learn.tries import Try, make_try
from pretune.run.trace import Trace

SEEDS = (0, 1, 2)
PAGE = Path(__file__).parents[1] / "docs" / "learn.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def main() -> None:
    """Measure what is not kept yet, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true", help="only write the table")
    chosen = parser.parse_args()
    for seed in () if chosen.write else chosen.seeds:
        row(f"learn/seed-{seed}", lambda seed=seed: measure(seed), again=chosen.again)
    kept = [json.loads(path.read_text()) for path in sorted((RESULTS / "learn").glob("seed-*.json"))]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{draw(kept)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def measure(seed: int) -> dict[str, Any]:
    """Make the runs of the lesson with one seed."""
    data, trace = clear_reviews(), Trace()
    found: dict[str, Any] = {"num_train": len(data.train), "num_validation": len(data.validation)}
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in (("overfits", OVERFITS), ("answer", ANSWER)):
            used = time.process_time()
            made, classifier = make_try(name, settings, data, trace, seed=seed)
            found[name] = {**made.to_json(), "processor_seconds": round(time.process_time() - used, 1)}
            print(f"  seed {seed}, {name}: training {made.training:.3f}, validation {made.validation:.3f}", flush=True)
        found["is_cured"] = is_cured(Try.from_json(found["answer"]))
        classifier.save(Path(folder) / "cured")
        lab = Lab(folder=Path(folder), trace=trace, facts={}, teacher=None)  # type: ignore[arg-type] # nobody is asked
        for count in LAYERS:
            compared, made = go_on(Path(folder) / "cured", count, lab)
            found[f"last_{count}"] = {
                "comparison": compared.to_json(),
                "validation": made.validation,
                "training": made.training,
            }
            print(f"  seed {seed}, last {count}: {overfitting.say_verdict(count, compared)}", flush=True)
    return found


def draw(kept: list[dict[str, Any]]) -> str:
    """Return the table of the page."""
    lines = [
        "| seed | run | training | validation (95 %) | gap | loss | processor seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for item in kept:
        seed = item["row"].rpartition("-")[2]
        for name in ("overfits", "answer"):
            made = item[name]
            span = f"{made['validation']:.3f} ({made['low']:.3f}–{made['high']:.3f})"
            shares = f"{made['training']:.3f} | {span} | {made['training'] - made['validation']:.3f} | {made['loss']:.3f}"
            lines.append(f"| {seed} | {name} | {shares} | {made['processor_seconds']:.0f} |")
    lines += [
        "",
        "| seed | one epoch further at 1e-6 | change of validation accuracy (95 %) | p, McNemar |",
        "|---|---|---|---|",
    ]
    for item in kept:
        for count in LAYERS:
            told = item[f"last_{count}"]["comparison"]
            span = f"{told['difference']:+.4f} ({told['low']:+.4f} to {told['high']:+.4f})"
            lines.append(f"| {item['row'].rpartition('-')[2]} | last {count} layers | {span} | {told['p_value']:.2g} |")
    first = kept[0] if kept else {}
    about = f"{first.get('num_train', 0):,} training and {first.get('num_validation', 0):,} validation sentences"
    lines += ["", f"{about}; measured {first.get('measured', '')} on {first.get('machine', {})}."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
