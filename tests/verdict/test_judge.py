"""The three outcomes, each with the reasons that make it."""

from dataclasses import replace

import pytest
from judging import clean_findings, constant, evaluation_of, from_counts, from_pairs, noisy
from traced import figure_of

from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources
from pretune.records import Finding, Outcome, Severity, Terms, Verdict
from pretune.verdict import decide, load_policy


def judge(predictions, *, positive="pos", linear=0.70, look=1, findings=None, policy=None):
    policy = policy or load_policy()
    evaluation = evaluation_of(predictions, positive=positive, linear=linear, look=look)
    return decide(evaluation, clean_findings() if findings is None else findings, policy, Terms(positive=positive, look=look))


def reason(verdict, name):
    return next(item for item in verdict.reasons if item.name == name)


GOOD = from_counts(930, 70, 70, 930)


def test_a_model_clear_of_every_gate_ships():
    verdict = judge(GOOD)
    assert verdict.outcome is Outcome.SHIP
    assert all(item.holds for item in verdict.reasons)
    assert {item.kind for item in verdict.reasons} == {"score", "comparison", "finding"}
    assert (verdict.rows_needed, verdict.rows_needed_note) == (None, "")
    assert verdict.summary.startswith("Ship: on 2,000 test rows, with 95 % confidence, precision of pos at least 0.91")
    assert "better than the majority class and the linear model" in verdict.summary


@pytest.mark.parametrize("counts", [(90, 15, 10, 85), (85, 10, 15, 90)])
@pytest.mark.parametrize("positive", ["pos", None])
def test_good_point_values_on_two_hundred_rows_are_not_enough_evidence(counts, positive):
    verdict = judge(from_counts(*counts), positive=positive)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert verdict.plain_reading.startswith("good")
    accuracy = reason(verdict, "accuracy")
    assert accuracy.holds is None
    assert "0.875 (95 % interval 0.822 to 0.914, 175 of 200 rows): the gate of 0.85 lies inside" in accuracy.text


@pytest.mark.parametrize("positive", ["pos", None])
def test_180_of_200_right_reads_well_and_is_not_enough_evidence(positive):
    """The interval of accuracy starts at 0.8498: with an accuracy of 0.85, 180 or more come in over 2.5 % of samples."""
    verdict = judge(from_counts(90, 10, 10, 90), positive=positive)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert verdict.plain_reading.startswith("good")
    assert reason(verdict, "accuracy").holds is None
    assert verdict.rows_needed is not None
    assert verdict.positives_needed == (verdict.rows_needed // 2 if positive else None)


@pytest.mark.parametrize("policy", ["classification", "domain"])
@pytest.mark.parametrize("counts", [(90, 15, 10, 85), (1, 1, 4, 194), (930, 70, 70, 930), (3, 2, 22, 973)])
def test_every_reason_leads_to_the_figure_it_rests_on(counts, policy):
    found, evaluation = clean_findings(load_policy(policy)), evaluation_of(from_counts(*counts))
    verdict = decide(evaluation, found, load_policy(policy), Terms(positive="pos"))
    rest = [item for item in verdict.reasons if figure_of(item, evaluation, found) is None]
    assert all(item.holds is None and "there is no comparison" in item.text for item in rest)
    assert len(rest) == (2 if policy == "domain" else 0)  # there is no model before


def test_high_accuracy_that_misses_the_positives_does_not_ship_in_a_managers_words():
    """98 % accuracy, 12 % recall."""
    verdict = judge(from_counts(3, 2, 22, 973), linear=0.70)
    assert verdict.outcome is Outcome.DO_NOT_SHIP
    assert reason(verdict, "recall[pos]").holds is False
    assert verdict.summary == (
        "Do not ship: 97.6 % of its answers are right (saying neg every time would be right in 97.5 %), "
        "but it finds only 3 of the 25 pos rows (12 %, where 80 % are asked)."
    )
    assert "accuracy" not in {item.name for item in verdict.reasons}  # its gate falls away where one class holds most rows


def test_fewer_than_five_positives_are_not_enough_evidence_and_the_reason_is_told():
    verdict = judge(from_counts(0, 0, 4, 196), linear=0.97)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "only 4 test rows are pos" in verdict.summary
    assert verdict.rows_needed is not None
    assert "pos" in verdict.rows_needed_note


def test_without_a_single_positive_no_number_of_rows_can_be_told():
    verdict = judge(from_counts(0, 1, 0, 199), linear=0.97)
    assert (verdict.outcome, verdict.rows_needed) == (Outcome.NOT_ENOUGH_EVIDENCE, None)
    assert "no test row is pos" in verdict.rows_needed_note


def test_a_gate_fails_only_with_its_whole_interval():
    low = judge(from_counts(700, 70, 300, 930))
    assert (low.outcome, reason(low, "recall[pos]").holds) == (Outcome.DO_NOT_SHIP, False)
    assert "the whole interval lies below the gate of 0.80" in low.summary
    near = judge(from_counts(790, 70, 210, 1000))
    assert reason(near, "recall[pos]").holds is None


def test_a_blocking_finding_stops_any_model():
    leak = Finding(
        check="leakage.seen_texts", severity=Severity.BLOCKING, summary="120 of 2,000 test texts were seen in training"
    )
    verdict = judge(GOOD, findings=(leak, *clean_findings()[1:]))
    assert verdict.outcome is Outcome.DO_NOT_SHIP
    assert verdict.summary == "Do not ship: 120 of 2,000 test texts were seen in training."
    assert verdict.reasons[0].name == "leakage.seen_texts"


@pytest.mark.parametrize(
    "findings", [(Finding.unknown("leakage.seen_texts", "needs texts"), *clean_findings()[1:]), clean_findings()[1:]]
)
def test_a_required_check_that_could_not_run_is_no_pass_and_more_rows_do_not_help(findings):
    verdict = judge(GOOD, findings=findings)
    assert (verdict.outcome, verdict.rows_needed) == (Outcome.NOT_ENOUGH_EVIDENCE, None)
    assert reason(verdict, "leakage.seen_texts").holds is None
    assert "more test rows alone do not help" in verdict.rows_needed_note


@pytest.mark.parametrize("severity", [Severity.UNKNOWN, Severity.WARNING, Severity.NOT_APPLICABLE])
def test_other_findings_do_not_decide(severity):
    other = Finding(check="texts.truncation", severity=severity, summary="half of the texts are cut")
    assert judge(GOOD, findings=(*clean_findings(), other)).outcome is Outcome.SHIP


def test_a_linear_model_as_good_ships_instead():
    """The gain is zero and known to a fraction of a point."""
    model = from_counts(9300, 700, 700, 9300)
    twin = replace(model, source="linear")
    evaluation = evaluate_sources([model, constant(model), twin], Terms(positive="pos"), main="finetuned")
    verdict = decide(evaluation, clean_findings(), load_policy(), Terms(positive="pos"))
    assert verdict.outcome is Outcome.DO_NOT_SHIP
    assert "ship the linear model, which is in the run" in verdict.summary


def test_a_gain_that_chance_may_explain_is_open():
    verdict = judge(GOOD, linear=0.925)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert reason(verdict, "finetuned-linear").holds is None


def test_a_missing_baseline_is_open():
    evaluation = evaluate_sources([GOOD, constant(GOOD)], Terms(positive="pos"), main="finetuned")
    verdict = decide(evaluation, clean_findings(), load_policy(), Terms(positive="pos"))
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "no comparison with the linear model" in reason(verdict, "finetuned-linear").text


def test_on_unbalanced_rows_the_baselines_are_beaten_on_f1():
    """95 % of the positives found: six points of accuracy over the constant answer, all of F1."""
    verdict = judge(from_counts(114, 6, 6, 1874), linear=0.93)
    assert verdict.outcome is Outcome.SHIP
    assert "f1[pos]" in reason(verdict, "finetuned-majority").text


def test_a_missing_interval_leaves_the_gate_open_with_its_reason():
    pairs = [("a", "a")] * 200 + [("b", "b")] * 200 + [("c", "c")] * 15
    model, terms = from_pairs(pairs, ("a", "b", "c")), Terms(rules=1)
    evaluation = evaluate_sources([model, constant(model, "a"), noisy(model, 0.6)], terms, main="finetuned")
    verdict = decide(evaluation, clean_findings(), load_policy(), terms)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "c has 15 rows, 20 are needed" in reason(verdict, "recall[macro]").text


def test_a_small_class_among_many_does_not_keep_a_good_model_from_shipping():
    """77 classes, one with 12 rows: by the first rules it asked for 4,100 more rows."""
    labels = tuple(f"intent {number}" for number in range(77))
    sizes = {label: 12 if label == labels[0] else 40 for label in labels}
    pairs = [(label, labels[(number + 1) % 77] if row % 20 == 1 else label)
             for number, label in enumerate(labels) for row in range(sizes[label])]  # fmt: skip
    model = from_pairs(pairs, labels)
    evaluation = evaluate_sources([model, constant(model, labels[1]), noisy(model, 0.8)], main="finetuned")
    assert decide(evaluation, clean_findings(), load_policy()).outcome is Outcome.SHIP


def test_many_classes_are_judged_by_their_averages():
    pairs = [(label, label if n % 20 else "abcd"[n % 4]) for label in "abcd" for n in range(400)]
    model = from_pairs(pairs, tuple("abcd"))
    evaluation = evaluate_sources([model, constant(model, "a"), noisy(model, 0.7)], main="finetuned")
    verdict = decide(evaluation, clean_findings(), load_policy())
    assert verdict.outcome is Outcome.SHIP
    assert "mean precision over the classes" in verdict.summary


def test_a_later_look_asks_for_more():
    """Accuracy 0.8825 of 800: its lower end is 0.858 at the first look and 0.848 at the third."""
    model = from_counts(353, 47, 47, 353)
    assert judge(model, look=1).outcome is Outcome.SHIP
    third = judge(model, look=3)
    assert (third.outcome, third.look) == (Outcome.NOT_ENOUGH_EVIDENCE, 3)
    assert "99.44 % interval" in reason(third, "accuracy").text


def test_the_users_gate_decides():
    assert judge(GOOD, policy=load_policy(min_recall=0.97)).outcome is Outcome.DO_NOT_SHIP
    assert judge(from_counts(300, 10, 280, 900), policy=load_policy(goal="precision")).outcome is not Outcome.DO_NOT_SHIP


def test_the_verdict_carries_its_policy_and_survives_a_trip_through_json():
    verdict = judge(from_counts(90, 15, 10, 85))
    first = verdict.policy["goals"]["balanced"][0]
    assert {name: first[name] for name in ("metric", "minimum", "only_balanced")} == {
        "metric": "precision", "minimum": 0.8, "only_balanced": False
    }  # fmt: skip
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_the_same_figures_give_the_same_verdict():
    assert judge(from_counts(150, 20, 20, 150)) == judge(from_counts(150, 20, 20, 150))


def test_an_unknown_positive_class_or_no_confusion_matrix_is_an_error():
    evaluation = evaluation_of(GOOD)
    with pytest.raises(UsageError, match="no class 'spam'"):
        decide(evaluation, (), load_policy(), Terms(positive="spam"))
    with pytest.raises(UsageError, match="confusion matrix"):
        decide(replace(evaluation, confusions=()), (), load_policy())
