"""Evidence without a fault, over real texts: what detectors must not be alarmed by, and what faults are planted into.

Texts and labels are real film-review sentences, other ones in each split. Predictions and histories are simulated, so that
their truth is known: answers come right with the probability that they state, whatever the split.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from pretune.data.corpus.sketch import sketch_corpus
from pretune.records import (
    Columns,
    CorpusSketch,
    Evidence,
    Example,
    History,
    Past,
    Predictions,
    Receipt,
    Score,
    SplitReceipt,
    Step,
    TokenCounts,
    Validation,
)

CLASSES = ("neg", "pos")
SIZES = {"train": 700, "validation": 300, "test": 1_000}  # so many that results.size has nothing to say
POSITIVE_SHARE = 0.3
NUM_MAKERS, ROWS_A_FILM, NUM_STEPS = 20, 3, 60
# Share of right answers by source and split; of the training rows a fitted model knows a little more.
SKILLS = {
    ("finetuned", "train"): 0.92,
    ("finetuned", "validation"): 0.90,
    ("finetuned", "test"): 0.90,
    ("linear", "validation"): 0.82,
    ("linear", "test"): 0.82,
    ("before", "test"): 0.80,
    ("seed-1", "validation"): 0.90,
    ("seed-2", "validation"): 0.90,
    ("seed-3", "validation"): 0.90,
    ("out_of_fold", "train"): 0.84,
    ("pretrained", "general"): 0.80,
    ("before", "general"): 0.80,
}
LOSSES = {
    ("domain", "before"): 1.20,
    ("domain", "pretrained"): 1.00,
    ("general", "before"): 1.00,
    ("general", "pretrained"): 1.01,
}

Rows = Sequence[tuple[str, str]]


def make_twin(rows: Rows, generator: random.Random, corpus: CorpusSketch | None = None) -> Evidence:
    """Draw splits from real rows (text, label) and simulate the rest.

    Args:
        rows: Texts, each once, with the labels ``neg`` and ``pos``.
        generator: Of every draw.
        corpus: What a model was pre-trained on; none of ``rows``.
    """
    splits = _draw_splits(rows, generator)
    numbers = np.random.default_rng(generator.randrange(2**32))
    predictions = [simulate(splits[split], skill, source, split, numbers)
                   for (source, split), skill in SKILLS.items() if split in splits]  # fmt: skip
    general = [replace(row, id=f"general {row.id}") for row in splits["test"][:400]]
    predictions += [simulate(general, skill, source, split, numbers)
                    for (source, split), skill in SKILLS.items() if split == "general"]  # fmt: skip
    majority = replace(predictions[2], source="majority", predicted=("neg",) * len(splits["test"]), probabilities=None)
    return Evidence(
        past=Past(num_texts=len(splits["train"])),  # an earlier training, on other texts
        classes=CLASSES, positive="pos", train=splits["train"], validation=splits["validation"], test=splits["test"],
        predictions=(*predictions, majority), receipt=receipt_of(splits), corpus=corpus, token_counts=_token_counts(splits),
        history=make_history(generator, len(splits["validation"])),
        language=tuple(loss_score(*place, value) for place, value in LOSSES.items()),
    )  # fmt: skip


def simulate(
    rows: Sequence[Example], skill: float, source: str, split: str, numbers: np.random.Generator, *, sharpness: float = 1.0
) -> Predictions:
    """Return predictions that are right with the probability they state, which varies around ``skill``.

    ``sharpness`` other than 1 multiplies the stated log odds afterwards, so that they state something else.
    """
    stated = numbers.beta(8 * skill, 8 * (1 - skill), len(rows)).clip(0.02, 0.98)
    right = numbers.random(len(rows)) < stated
    odds = sharpness * np.log(stated / (1 - stated))
    truly = np.where(right, 1.0, -1.0) * odds  # log odds of the row's own label
    shares = 1 / (1 + np.exp(-np.where([row.label == "pos" for row in rows], truly, -truly)))
    said = np.where(shares >= 0.5, "pos", "neg")
    return Predictions(
        source=source, split=split, classes=CLASSES, ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows), predicted=tuple(said.tolist()),
        probabilities=tuple((1 - share, share) for share in shares.tolist()),
    )  # fmt: skip


def receipt_of(splits: dict[str, Sequence[Example]]) -> Receipt:
    """Account for the rows of splits."""
    counted = tuple(
        SplitReceipt(name=name, num_rows=len(rows), labels=dict(Counter(str(row.label) for row in rows)), digest=name)
        for name, rows in splits.items()
    )
    total = sum(map(len, splits.values()))
    return Receipt(
        source="planted", files=(), columns=Columns(text=("text",), label="label", group="film"), num_rows=total,
        num_used=total, num_rejected=0, near_duplicate_threshold=0.8, splits=counted,
    )  # fmt: skip


def make_history(generator: random.Random, num_rows: int) -> History:
    """Return three epochs that fall and flatten, each with the noise of so many validation rows, and the steps' losses."""
    noise, before = 0.3 / num_rows**0.5, 0.36 + generator.uniform(-0.05, 0.05)
    losses = [before * factor + generator.gauss(0, noise / 4) for factor in (1.35, 1.04, 1.02)]
    trained = [0.55, 0.36, 0.27]
    epochs = tuple(
        Validation(
            epoch=number,
            step=20 * number,
            training_loss=known,
            training_accuracy=0.85 + 0.02 * number,
            loss=loss,
            accuracy=0.90,
            metric="accuracy",
            metric_value=0.90,
            learning_rate=5e-5,
            seconds=1.0,
        )
        for number, (known, loss) in enumerate(zip(trained, losses, strict=True), start=1)
    )
    return History(
        validations=epochs, steps=make_steps(generator, 0.35), best_epoch=min(epochs, key=lambda one: one.loss).epoch
    )


def make_steps(generator: random.Random, learned: float) -> tuple[Step, ...]:
    """Return steps whose loss falls by so much from 0.7, with the noise of a batch of 32."""
    return tuple(
        Step(index=index, loss=0.7 - learned * (1 - 0.94**index) + generator.gauss(0, 0.05), num_targets=32, gradient_norm=1.0,
             learning_rate=5e-5)
        for index in range(NUM_STEPS)
    )  # fmt: skip


def loss_score(split: str, source: str, value: float) -> Score:
    """Return a loss of language modelling as a score."""
    return Score(
        metric="bits_per_byte", label=None, split=split, source=source, value=value, low=None, high=None, confidence=0.95,
        method="mean", num_examples=500,
    )  # fmt: skip


def make_corpus(texts: Sequence[str]) -> CorpusSketch:
    """Return the sketch of a pre-training corpus."""
    return sketch_corpus("planted corpus", texts)


def _draw_splits(rows: Rows, generator: random.Random) -> dict[str, tuple[Example, ...]]:
    by_label = {name: [text for text, label in rows if label == name] for name in CLASSES}
    for texts in by_label.values():
        generator.shuffle(texts)
    splits, number = {}, 0
    for name, size in SIZES.items():
        wanted = ["pos"] * round(POSITIVE_SHARE * size) + ["neg"] * (size - round(POSITIVE_SHARE * size))
        generator.shuffle(wanted)
        part = []
        for label in wanted:
            extra = {
                "maker": f"maker {generator.randrange(NUM_MAKERS)}", "rank": str(generator.random()),
                "day": (date(2020, 1, 1) + timedelta(days=number)).isoformat(),
            }  # fmt: skip
            part.append(
                Example(id=f"{name} {number}", text=by_label[label].pop(), label=label, extra=extra,
                        group=f"{name} film {number // ROWS_A_FILM}")
            )  # fmt: skip
            number += 1
        splits[name] = tuple(part)
    return splits


def _token_counts(splits: dict[str, Sequence[Example]]) -> tuple[TokenCounts, ...]:
    return tuple(
        TokenCounts(split=name, num_texts=len(rows), num_tokens=25 * len(rows), num_cut_texts=0, num_cut_tokens=0,
                    num_unknown=0, max_length=128)
        for name, rows in splits.items()
    )  # fmt: skip
