"""What the golden run of ``same_numbers.py`` learns from: tables, a corpus, conversations, and tiny models; all generated."""

import csv
import random
from pathlib import Path
from typing import Any


def write_material(folder: Path) -> None:
    """Write tables, a corpus, conversations, predictions of another tool, and tiny models that nothing has trained."""
    from pretune.selftest.material import FILLERS, WORDS, make_rows, write_model
    from pretune.selftest.talks import write_talks

    write_model(folder / "tiny")
    write_talks(folder, num_talks=300)
    rows = make_rows(240, seed=3)
    write_table(folder / "two.csv", ("text", "label"), rows)
    third = [(f"{text} city {index}", "neither") for index, (text, _) in enumerate(make_rows(110, seed=4))]
    write_table(folder / "three.csv", ("text", "label"), [*rows[:220], *third])
    write_table(folder / "new.csv", ("text", "label"), [*make_rows(40, seed=5), *third[:20]])
    good, bad = ([row for row in make_rows(500, seed=6) if row[1] == name] for name in ("good", "bad"))
    write_table(
        folder / "rare.csv",
        ("text", "label"),
        [*((text, "common") for text, _ in good), *((text, "rare") for text, _ in bad[:80])],
    )
    draw = random.Random(7)
    words = [*FILLERS, *WORDS["good"], *WORDS["bad"]]
    lines = (" ".join(draw.choices(words, k=draw.randint(8, 30))) for _ in range(600))
    (folder / "corpus.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    scored = [
        (index, label, draw.random() * 0.6 + 0.4 * (label == "1")) for index, label in enumerate(draw.choices("01", k=300))
    ]
    write_table(
        folder / "audit.csv", ("id", "label", "score"), [(index, label, f"{share:.4f}") for index, label, share in scored]
    )
    truth = draw.choices("abc", weights=(6, 3, 1), k=300)
    answers = [label if draw.random() < 0.85 else draw.choice("abc") for label in truth]
    write_table(folder / "audit-three.csv", ("id", "label", "predicted"), list(zip(range(300), truth, answers, strict=True)))


def write_table(path: Path, header: tuple[str, ...], rows: list[Any]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
