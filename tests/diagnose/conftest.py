"""Evidence in which nothing is wrong; each test plants one fault in it."""

import random
from dataclasses import replace

import pytest
from generated import make_examples, make_predictions
from judging import evaluation_of, from_counts, history_of, validation

from pretune.data.corpus.sketch import sketch_corpus
from pretune.records import Columns, Evaluation, Evidence, Past, Receipt, Score, SplitReceipt, Step, TokenCounts


@pytest.fixture
def clean_evidence() -> Evidence:
    """Three splits without a text in common, a history that converges, texts that fit, and every source of predictions."""
    splits = {
        "train": make_examples("train", 600, 0, start=0),
        "validation": make_examples("validation", 300, 1, start=600),
        "test": make_examples("test", 300, 2, start=900),
    }
    receipts = tuple(
        SplitReceipt(name=name, num_rows=len(rows), labels={"neg": len(rows) // 2, "pos": len(rows) // 2}, digest=name)
        for name, rows in splits.items()
    )
    receipt = Receipt(
        source="made up",
        files=(),
        columns=Columns(text=("text",), label="label", group="film"),
        num_rows=1200,
        num_used=1200,
        num_rejected=0,
        near_duplicate_threshold=0.8,
        splits=receipts,
    )
    count = TokenCounts(
        split="train", num_texts=600, num_tokens=15000, num_cut_texts=0, num_cut_tokens=0, num_unknown=0, max_length=128
    )
    generator = random.Random(3)
    steps = tuple(
        Step(
            index=n,
            loss=0.35 + 0.35 * 0.96**n + generator.gauss(0, 0.03),
            num_targets=32,
            gradient_norm=1.0,
            learning_rate=1e-5,
        )
        for n in range(100)
    )
    history = history_of(validation(1, 0.60, 0.50), validation(2, 0.45, 0.40), validation(3, 0.40, 0.39))
    finetuned = make_predictions(splits["test"], 0.90, seed=4)
    predictions = (
        finetuned,
        make_predictions(splits["test"], 0.70, source="before", seed=5),
        make_predictions(splits["test"], 0.90, source="seed-1", seed=6),
        make_predictions(splits["test"], 0.90, source="seed-2", seed=7),
        make_predictions(splits["validation"], 0.90, seed=8),
        make_predictions(splits["validation"], 0.80, source="linear", seed=9),
        make_predictions(splits["train"], 0.92, seed=10),
        make_predictions(splits["train"], 0.80, source="out_of_fold", seed=11),
    )
    return Evidence(
        classes=("neg", "pos"),
        positive="pos",
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        predictions=predictions,
        history=replace(history, steps=steps),
        receipt=receipt,
        token_counts=(count,),
        past=Past(num_texts=500),
        corpus=sketch_corpus("other texts", [row.text for row in make_examples("corpus", 300, 12)]),
        language=language_scores(),
    )


@pytest.fixture
def clean_evaluation() -> Evaluation:
    """2,000 balanced rows, nine in ten right."""
    return evaluation_of(from_counts(900, 100, 100, 900))


def language_scores() -> tuple[Score, ...]:
    """Pre-training helped on its domain and forgot nothing."""
    return tuple(
        Score(
            metric="bits_per_byte", label=None, split=split, source=source, value=value, low=None, high=None,
            confidence=0.95, method="mean", num_examples=100,
        )
        for split, source, value in (
            ("domain", "before", 1.20), ("domain", "pretrained", 1.00),
            ("general", "before", 1.00), ("general", "pretrained", 1.01),
        )
    )  # fmt: skip
