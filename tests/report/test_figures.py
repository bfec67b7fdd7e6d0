"""Which figures stand where."""

from dataclasses import replace

from pretune.report.figures import arrange_scores, list_mistakes, read_gates


def test_the_test_comes_before_validation_and_the_judged_model_before_baselines(record):
    validation = tuple(replace(score, split="validation") for score in record.scores)
    first, second = arrange_scores([*validation, *record.scores])
    assert (first.split, second.split) == ("test", "validation")
    assert first.sources == ("finetuned", "linear", "majority")


def test_the_positive_class_comes_before_the_others(record):
    [figures] = arrange_scores(record.scores, positive="neg")
    names = [row.name for row in figures.rows]
    assert names[:3] == ["loss (nats)", "accuracy", "precision · neg"]


def test_a_score_that_a_source_lacks_leaves_its_cell_empty(record):
    [figures] = arrange_scores([s for s in record.scores if not (s.source == "linear" and s.metric == "loss")])
    assert figures.rows[0].cells[1] is None


def test_the_number_of_rows_is_that_of_the_split_and_not_of_one_class(record):
    assert arrange_scores(record.scores)[0].num_examples == 1591


def test_gates_are_those_that_the_reasons_name(verdict):
    assert read_gates(verdict) == {"precision[pos]": 0.8, "recall[pos]": 0.8, "accuracy": 0.85}


def test_a_gate_that_fell_away_is_not_a_gate(verdict):
    kept = tuple(reason for reason in verdict.reasons if reason.name != "accuracy")
    assert "accuracy" not in read_gates(replace(verdict, reasons=kept))


def test_no_verdict_and_no_policy_have_no_gates(verdict):
    assert read_gates(None) == {}
    assert read_gates(replace(verdict, policy={})) == {}


def test_mistakes_are_commonest_first(record):
    assert list_mistakes(record.confusions[0]) == [(125, "pos", "neg"), (109, "neg", "pos")]
