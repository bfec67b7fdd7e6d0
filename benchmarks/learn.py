"""The overfitting lesson: is its answer reached, for three seeds, in time, and what do the last layers at 1e-6 bring?

``python benchmarks/learn.py`` makes the two runs of the lesson and the further epochs per seed, as the lesson does, keeps each
in ``benchmarks/results/learn/``, and writes the table of docs/learn.md (``--write`` does that alone).
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import RESULTS, row
from pretune.run.trace import Trace
from pretune.tasks.learn.lesson import Lab
from pretune.tasks.learn.lessons.overfitting import ANSWER, LAYERS, OVERFITS, go_on, is_cured
from pretune.tasks.learn.reviews import clear_reviews
from pretune.tasks.learn.tries import make_try

SEEDS = (0, 1, 2)
KINDS = ("overfits", "answer")
PAGE = Path(__file__).parents[1] / "docs" / "learn.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def main() -> None:
    """Measure what is not kept yet, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true", help="only write the table")
    chosen = parser.parse_args()
    for seed in () if chosen.write else chosen.seeds:
        for kind in chosen.kinds:
            row(f"learn/{kind}-{seed}", lambda kind=kind, seed=seed: measure(kind, seed), again=chosen.again)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{draw()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def measure(kind: str, seed: int) -> dict[str, Any]:
    """Make one run of the lesson; after the answer, also the further epochs of the lesson."""
    data, trace, used = clear_reviews(), Trace(), time.process_time()
    made, classifier = make_try(kind, OVERFITS if kind == "overfits" else ANSWER, data, trace, seed=seed)
    found = {"num_train": len(data.train), "num_validation": len(data.validation), "try": made.to_json()}
    found |= {"try_processor_seconds": round(time.process_time() - used, 1), "is_cured": is_cured(made), "gap": made.gap}
    print(f"  seed {seed}, {kind}: training {made.training:.3f}, validation {made.validation:.3f}", flush=True)
    if kind == "overfits":
        return found
    with tempfile.TemporaryDirectory() as folder:
        classifier.save(Path(folder) / "cured")
        lab = Lab(folder=Path(folder), trace=trace, facts={}, teacher=None)  # type: ignore[arg-type] # nobody is asked
        for count in LAYERS:
            compared, further = go_on(Path(folder) / "cured", count, lab)
            found[f"last_{count}"] = {"comparison": compared.to_json(), "validation": further.validation}
            print(f"  seed {seed}, last {count}: {compared.difference:+.4f}, p = {compared.p_value:.2g}", flush=True)
    return found


def draw() -> str:
    """Return the tables of the page."""
    kept = [json.loads(path.read_text()) for path in sorted((RESULTS / "learn").glob("*.json"))]
    kept.sort(key=lambda item: (item["row"][-1], item["row"] < "learn/b"))  # by seed, the run that overfits first
    lines = ["| seed | run | training | validation (95 %) | gap | loss | processor seconds |", "|---|---|---|---|---|---|---|"]
    further = ["| seed | one epoch more at 1e-6 | change of validation accuracy (95 %) | p, McNemar |", "|---|---|---|---|"]
    for item in kept:
        made, seed = item["try"], item["row"][-1]
        span = f"{made['validation']:.3f} ({made['low']:.3f}–{made['high']:.3f})"
        shares = f"{made['training']:.3f} | {span} | {item['gap']:.3f} | {made['loss']:.3f}"
        lines.append(f"| {seed} | {made['name']} | {shares} | {item['try_processor_seconds']:.0f} |")
        for count in LAYERS:
            if f"last_{count}" in item:
                told = item[f"last_{count}"]["comparison"]
                span = f"{told['difference']:+.4f} ({told['low']:+.4f} to {told['high']:+.4f})"
                further.append(f"| {seed} | last {count} layers | {span} | {told['p_value']:.2g} |")
    if not kept:
        return "Not measured yet."
    about = f"{kept[0]['num_train']:,} training and {kept[0]['num_validation']:,} validation sentences"
    bf16 = "with" if kept[0]["machine"]["bf16"] else "without"
    return "\n".join(
        [*lines, "", *further, "", f"{about}; measured {kept[0]['measured']}, one thread, {bf16} fast bf16 products."]
    )


if __name__ == "__main__":
    main()
