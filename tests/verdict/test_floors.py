"""Floors of every class and of every slice, with their number allowed for."""

from dataclasses import replace

import numpy as np
import pytest
from judging import clean_findings, constant, from_pairs, noisy

from pretune.configs import JudgeConfig
from pretune.evaluate import evaluate_sources
from pretune.evaluate.slices import find_slices
from pretune.intervals import proportion_interval
from pretune.records import Example, Outcome, Terms
from pretune.verdict import Limit, decide, load_policy
from pretune.verdict.floors import Part, holds
from pretune.verdict.policy import policy_of
from pretune.verdict.rows_by_class import rows_by_class


def part(hits: int, total: int, low: float, high: float) -> Part:
    return Part(name="", shown="", value=hits / total, low=low, high=high, hits=hits, total=total, units=None, confidence=0.95)


def many(num_classes: int, rows: int, recall: float, seed: int):
    generator = np.random.default_rng(seed)
    names = [f"c{number:03}" for number in range(num_classes)]
    pairs = [
        (name, name if generator.random() < recall else names[(number + 1) % num_classes])
        for number, name in enumerate(names)
        for _ in range(rows)
    ]
    return from_pairs(pairs, tuple(names))


def sliced(accuracies: dict[str, float], rows: int):
    pairs, examples = [], []
    for source, accuracy in accuracies.items():
        for number in range(rows):
            label = "pos" if number % 2 else "neg"
            wrong = "neg" if label == "pos" else "pos"
            pairs.append((label, label if number < accuracy * rows else wrong))
            examples.append(Example(id=f"row-{len(examples)}", text="", label=label, extra={"source": source}))
    return from_pairs(pairs), examples


def test_a_part_fails_only_by_an_interval_that_allows_for_all_of_them():
    low = part(20, 60, 0.227, 0.459)
    assert holds(low, 0.47, 1) is False
    assert holds(low, 0.47, 77) is None
    assert holds(low, 0.70, 77) is False
    assert holds(low, 0.20, 77) is True


@pytest.mark.slow
def test_of_many_classes_at_the_floor_hardly_any_set_is_refused_by_luck():
    policy = replace(load_policy(), limits=(Limit(metric="recall", minimum=0.7, label="every"),), better_than=())
    refused = {2: 0, 3: 0}
    for seed in range(20):
        model = many(77, 40, 0.72, seed)
        evaluation = evaluate_sources([model, constant(model, "c000")], main="finetuned")
        for rules in refused:
            reasons = decide(evaluation, clean_findings(), replace(policy, rules=rules), Terms(rules=rules)).reasons
            refused[rules] += any(item.holds is False for item in reasons if item.name.startswith("recall[c"))
    assert refused[2] >= 5  # every class by its own interval
    assert refused[3] <= 1


def test_the_floor_of_many_classes_is_at_most_one_reason_for_each_outcome():
    model = many(77, 40, 0.98, 0)
    evaluation = evaluate_sources([model, constant(model, "c000")], main="finetuned")
    policy = replace(load_policy(), limits=(Limit(metric="recall", minimum=0.4, label="every"),))
    reasons = [item for item in decide(evaluation, clean_findings(), policy).reasons if item.name.startswith("recall[c")]
    assert [item.holds for item in reasons] == [True]
    assert "recall of 77 of the 77 classes reaches the floor of 0.4 with the whole interval; the lowest is" in reasons[0].text


@pytest.mark.parametrize(
    ("weak", "holds", "outcome"),
    [(0.95, True, Outcome.SHIP), (0.74, None, Outcome.NOT_ENOUGH_EVIDENCE), (0.40, False, Outcome.DO_NOT_SHIP)],
)
def test_a_slice_below_its_floor_stops_a_model_that_is_good_on_the_whole(weak, holds, outcome):
    model, examples = sliced({"mail": 0.97, "web": 0.97, "phone": 0.97, "fax": weak}, 200)
    sources = [model, constant(model), noisy(model, 0.6)]
    policy = policy_of(JudgeConfig(min_slice_accuracy=0.70))
    slices = find_slices(model, examples, Terms(), limit=None)
    verdict = decide(evaluate_sources(sources, main="finetuned"), clean_findings(), policy, slices=slices)
    worst = next(item for item in verdict.reasons if item.name == "source=fax" or item.holds)
    found = [item.holds for item in verdict.reasons if item.kind == "slice"]
    assert (holds in found, verdict.outcome) == (True, outcome)
    if holds is False:
        assert worst.kind == "slice"
        assert "source = fax 0.400" in worst.text


def test_a_floor_of_slices_where_there_are_none_stays_open():
    model, _ = sliced({"mail": 0.97}, 400)
    policy = policy_of(JudgeConfig(min_slice_accuracy=0.70))
    verdict = decide(evaluate_sources([model, constant(model), noisy(model, 0.6)], main="finetuned"), clean_findings(), policy)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "no slice of any column has enough rows" in verdict.summary


def test_a_policy_may_name_the_column_of_its_slices():
    model, examples = sliced({"mail": 0.97, "fax": 0.40}, 200)
    slices = find_slices(model, examples, Terms(), limit=None)
    limit = Limit(metric="slice_accuracy", minimum=0.7, label="region")
    policy = replace(load_policy(), limits=(limit,))
    evaluation = evaluate_sources([model, constant(model), noisy(model, 0.6)], main="finetuned")
    verdict = decide(evaluation, clean_findings(), policy, slices=slices)
    assert next(item.text for item in verdict.reasons if item.kind == "slice").startswith("no slice of the column region")


def test_one_small_class_of_77_asks_for_a_few_rows_of_that_class():
    names = [f"c{number:02}" for number in range(77)]
    pairs = [(name, name) for name in names[1:] for _ in range(40)] + [("c00", "c00")] * 12
    model = from_pairs(pairs, tuple(names))
    policy = replace(load_policy(), limits=(Limit(metric="recall", minimum=0.75, label="every"),))
    evaluation = evaluate_sources([model, constant(model, "c01"), noisy(model, 0.5)], main="finetuned")
    verdict = decide(evaluation, clean_findings(), policy)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert list(verdict.class_rows_needed) == ["c00"]
    assert 5 <= verdict.class_rows_needed["c00"] <= 60
    assert verdict.rows_needed is None
    assert f"about {verdict.class_rows_needed['c00']} more test rows of c00 would decide its floor" in verdict.summary


def test_so_many_rows_of_a_class_decide_as_often_as_promised():
    policy, generator = load_policy(), np.random.default_rng(0)
    start = part(10, 12, *proportion_interval(10, 12))
    rows = rows_by_class([replace(start, shown="a")], 0.6, policy, 0.95)["a"]
    decided = 0
    for _ in range(500):
        hits = 10 + generator.binomial(rows, generator.beta(10.5, 2.5))
        low, high = proportion_interval(hits, 12 + rows)
        decided += low >= 0.6 or high < 0.6
    assert decided >= 0.87 * 500  # 0.9, and what 500 draws leave to chance


def test_a_floor_of_slices_that_holds_does_not_hide_how_many_rows_the_gates_need():
    model, examples = sliced({"mail": 0.87, "web": 0.86}, 150)
    policy = policy_of(JudgeConfig(min_slice_accuracy=0.5))
    evaluation = evaluate_sources([model, constant(model), noisy(model, 0.5)], main="finetuned")
    verdict = decide(evaluation, clean_findings(), policy, slices=find_slices(model, examples, Terms(), limit=None))
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert verdict.rows_needed_note
    assert "not computed" not in verdict.rows_needed_note
