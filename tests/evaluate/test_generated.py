"""Generated text: our formulas against hand counts and sacrebleu, intervals that cover, and a paired test that is fair."""

import importlib.util
import math
import random
import sys
from dataclasses import replace

import numpy as np
import pytest

from pretune.errors import DataError, MissingPackageError, UsageError
from pretune.evaluate import generated
from pretune.evaluate.generated import compare_generated, score_generated
from pretune.evaluate.matches import bleu_of, chrf_of, count_matches
from pretune.records import Predictions
from tiny import make_rows

needs_sacrebleu = pytest.mark.skipif(
    importlib.util.find_spec("sacrebleu") is None, reason='sacrebleu is not installed: pip install "pretune[text-metrics]"'
)
TEXTS = [text for text, _ in make_rows(150)]
TEXTS3 = [f"it is {number}" for number in range(30)]


def noisy(texts, share, seed=0):
    draw = random.Random(seed)
    return [" ".join(word for word in text.split() if draw.random() > share) for text in texts]


def system(hypotheses, references=TEXTS, source="audited"):
    ids = tuple(f"r{number}" for number in range(len(hypotheses)))
    return Predictions(
        task="generate", source=source, split="test", classes=(), ids=ids,
        labels=tuple(references[: len(hypotheses)]), predicted=tuple(hypotheses),
    )  # fmt: skip


# The formulas, by hand


def test_bleu_by_hand():
    # "a b c d e" against "a b c d f": matches 4, 3, 2, 1 of 5, 4, 3, 2; lengths are equal, so no penalty
    counts = np.array([[5, 5, 4, 3, 2, 1, 5, 4, 3, 2]], float)
    assert bleu_of(counts)[0] == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_bleu_punishes_a_short_answer():
    # "a b c d" against "a b c d e f g h": all matches, half the length: exp(1 - 8/4)
    assert bleu_of(np.array([[4, 8, 4, 3, 2, 1, 4, 3, 2, 1]], float))[0] == pytest.approx(100 * math.exp(-1))


def test_bleu_smooths_an_order_without_matches():
    # no match of order 3 and 4: they count as 1/2 and 1/4 of a match
    counts = np.array([[6, 6, 4, 1, 0, 0, 6, 5, 4, 3]], float)
    assert bleu_of(counts)[0] == pytest.approx(100 * (4 / 6 * 1 / 5 * 0.5 / 4 * 0.25 / 3) ** 0.25)


def test_bleu_of_nothing_alike_or_of_too_short_texts_is_0():
    assert bleu_of(np.array([[4, 4, 0, 0, 0, 0, 4, 3, 2, 1], [3, 3, 3, 2, 1, 0, 3, 2, 1, 0]], float)).tolist() == [0.0, 0.0]


def test_chrf_by_hand():
    # one order: 8 written, 10 wanted, 6 alike: precision 0.75, recall 0.6; F2 = 5 · 0.45 / (4 · 0.75 + 0.6)
    assert chrf_of(np.array([[8, 10, 6]], float))[0] == pytest.approx(100 * 5 * 0.45 / 3.6)


def test_chrf_leaves_out_an_order_that_one_side_lacks():
    assert chrf_of(np.array([[8, 10, 6, 0, 3, 0]], float))[0] == pytest.approx(100 * 5 * 0.45 / 3.6)
    assert chrf_of(np.array([[0, 10, 0]], float)).tolist() == [0.0]


def test_without_the_package_the_error_is_the_install_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(MissingPackageError) as caught:
        score_generated(system(TEXTS))
    assert caught.value.fix == '`pip install "pretune[text-metrics]"`'


@pytest.mark.parametrize(
    ("predictions", "error"),
    [
        (replace(system(TEXTS), task="classify"), UsageError),
        (system([]), DataError),
        (replace(system(TEXTS), labels=(None,) * 150), DataError),
    ],
)
def test_what_is_no_generated_text_is_an_error(predictions, error):
    with pytest.raises(error):
        score_generated(predictions)


def test_systems_on_other_rows_or_references_are_not_compared():
    a = system(TEXTS)
    with pytest.raises(DataError, match="has 100, 100 in common"):
        compare_generated(a, system(TEXTS[:100], source="b"))
    with pytest.raises(DataError, match="different references"):
        compare_generated(a, replace(a, source="b", labels=("other", *a.labels[1:])))


# Against sacrebleu itself


@needs_sacrebleu
@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 0.95])
def test_the_figures_are_those_of_sacrebleu(share):
    from sacrebleu.metrics import BLEU, CHRF

    hypotheses = noisy(TEXTS, share)
    scores = score_generated(system(hypotheses))
    for score, metric in zip(scores, (BLEU(), CHRF()), strict=True):
        assert score.value == metric.corpus_score(hypotheses, [TEXTS]).score
        assert str(metric.get_signature()) in score.method
        assert score.low is None or score.low <= score.value <= score.high


@needs_sacrebleu
@pytest.mark.parametrize("text", ["", " ", "日本語のテキスト", "a", "🙂 ok", "x\ny"])
def test_odd_texts_are_counted(text):
    assert [score.metric for score in score_generated(system([text] * 30))] == ["bleu", "chrf"]


@needs_sacrebleu
def test_a_version_that_counts_otherwise_is_refused(monkeypatch):
    monkeypatch.setitem(generated.FORMULAS, "bleu", lambda sums: bleu_of(sums) + 0.1)
    with pytest.raises(MissingPackageError, match="counts differently"):
        count_matches(system(noisy(TEXTS, 0.2)))


@needs_sacrebleu
def test_few_rows_have_a_figure_and_no_interval():
    for score in score_generated(system(TEXTS[:19])):
        assert score.value == pytest.approx(100)
        assert (score.low, score.high) == (None, None)
        assert "19 rows, 20 are needed" in score.method


@needs_sacrebleu
def test_rows_in_blocks_have_the_interval_of_the_rows(monkeypatch):
    """Summed in blocks of 3 rows the interval is about as wide; it is what keeps 100,000 rows fast."""
    predictions = system(noisy(TEXTS, 0.3))
    whole = score_generated(predictions)[1]
    monkeypatch.setattr(generated, "MAX_BLOCKS", 50)
    blocked = score_generated(predictions)[1]
    assert blocked.value == whole.value
    assert (blocked.high - blocked.low) == pytest.approx(whole.high - whole.low, rel=0.35)


@needs_sacrebleu
def test_a_clearly_better_system_is_found_in_any_order_of_rows():
    a, b = system(noisy(TEXTS, 0.1)), system(noisy(TEXTS, 0.3), source="b")
    turned = replace(b, ids=b.ids[::-1], labels=b.labels[::-1], predicted=b.predicted[::-1])
    for found in (compare_generated(a, b), compare_generated(a, turned)):
        assert all(item.p_value < 0.001 and item.low > 0 for item in found)
    backwards = compare_generated(b, a)
    assert [item.difference for item in backwards] == [pytest.approx(-item.difference) for item in found]


@needs_sacrebleu
def test_two_equally_noisy_systems_are_mostly_not_told_apart(monkeypatch):
    """30 pairs without a difference: at 5 % more than 6 alarms come once in 100 times."""
    monkeypatch.setattr(generated, "num_resamples", lambda _: 300)
    monkeypatch.setattr(generated, "_interval", lambda *_: None)
    pairs = [
        (system(noisy(TEXTS[:60], 0.3, seed)), system(noisy(TEXTS[:60], 0.3, seed + 99), source="b")) for seed in range(30)
    ]
    assert sum(compare_generated(a, b)[1].p_value <= 0.05 for a, b in pairs) <= 6


@needs_sacrebleu
def test_a_system_is_not_better_than_itself():
    a = system(noisy(TEXTS, 0.2))
    for item in compare_generated(a, replace(a, source="b")):
        assert (item.difference, item.p_value) == (0.0, 1.0)


@needs_sacrebleu
def test_bleu_of_texts_under_four_tokens_is_undefined_and_says_why():
    bleu, chrf = score_generated(system(TEXTS3, references=TEXTS3))
    assert bleu.value is None
    assert (bleu.low, bleu.high) == (None, None)
    assert "undefined: no text has the 4 tokens" in bleu.method
    assert chrf.value == pytest.approx(100)


@needs_sacrebleu
def test_bleu_of_short_answers_to_longer_references_is_0_and_says_why():
    bleu = score_generated(system(TEXTS3, references=[f"{text} and more" for text in TEXTS3]))[0]
    assert bleu.value == 0.0
    assert "no hypothesis has 4 tokens in a row" in bleu.method


@needs_sacrebleu
def test_systems_of_short_answers_are_compared_on_chrf_alone():
    a, b = system(TEXTS3, references=TEXTS3), system(["no"] * 30, references=TEXTS3, source="b")
    assert [item.metric for item in compare_generated(a, b)] == ["chrf"]
