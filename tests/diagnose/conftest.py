"""Evidence in which nothing is wrong; each test plants one fault in it."""

import random

import pytest

from judging import evaluation_of, from_counts, history_of, validation
from pretune.records import Columns, Evaluation, Evidence, Example, Receipt, TokenCounts

SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "ta", "vo", "si", "pe", "du")


def make_examples(split: str, count: int, seed: int) -> tuple[Example, ...]:
    """Return rows of twelve made-up words, so that no two are alike by chance."""
    generator = random.Random(seed)

    def text() -> str:
        return " ".join("".join(generator.choices(SYLLABLES, k=4)) for _ in range(12))

    return tuple(Example(id=f"{split}-{n}", text=text(), label=("neg", "pos")[n % 2]) for n in range(count))


@pytest.fixture
def clean_evidence() -> Evidence:
    """Three splits without a text in common, a history that converges, and texts that fit."""
    receipt = Receipt(
        source="made up",
        files=(),
        columns=Columns(text=("text",), label="label"),
        num_rows=300,
        num_used=300,
        num_rejected=0,
        near_duplicate_threshold=0.8,
    )
    count = TokenCounts(
        split="train", num_texts=200, num_tokens=5000, num_cut_texts=0, num_cut_tokens=0, num_unknown=0, max_length=128
    )
    return Evidence(
        classes=("neg", "pos"),
        positive="pos",
        train=make_examples("train", 200, 0),
        validation=make_examples("validation", 50, 1),
        test=make_examples("test", 50, 2),
        history=history_of(validation(1, 0.60, 0.50), validation(2, 0.45, 0.40), validation(3, 0.40, 0.39)),
        receipt=receipt,
        token_counts=(count,),
    )


@pytest.fixture
def clean_evaluation() -> Evaluation:
    """2,000 balanced rows, nine in ten right."""
    return evaluation_of(from_counts(900, 100, 100, 900))
