"""Predictions of other tools: which column is what, what each number means, and one clear message where it cannot be told."""

import json
import math

import pytest

from pretune.configs import AuditConfig, JudgeConfig, ReadConfig
from pretune.data.read import read_raw
from pretune.data.scored import read_scored
from pretune.errors import DataError, MissingLabelsError, UsageError


def read(rows, config=None):
    return read_scored(read_raw(rows), config or AuditConfig(), source="audited")


def rows_of(num_rows, **changed):
    """Rows of id, label and score; half are ``spam``, most of them right."""
    rows = []
    for number in range(num_rows):
        spam = number % 2 == 1
        rows.append({"id": f"r{number}", "label": "spam" if spam else "ham", "score": 0.9 if spam else 0.2} | changed)
    return rows


def spoil(rows, number, **changed):
    return [row | changed if at == number else row for at, row in enumerate(rows)]


SPAM = AuditConfig(judge=JudgeConfig(positive="spam"))


# What the columns mean


def test_one_column_a_class_as_a_run_writes_it():
    rows = [
        {"id": 1, "label": "b", "predicted": "a", "p:a": 0.4, "p:b": 0.6},
        {"id": 2, "label": "a", "predicted": "a", "p:a": 1, "p:b": 0},
    ]
    found = read(rows).predictions
    assert (found.classes, found.ids, found.labels) == (("a", "b"), ("1", "2"), ("b", "a"))
    assert found.predicted == ("a", "a")  # as it stands, though 0.4 is the smaller: a threshold may have decided
    assert found.probabilities == ((0.4, 0.6), (1.0, 0.0))


@pytest.mark.parametrize(
    "names", [("ham", "spam"), ("proba_ham", "proba_spam"), ("p_ham", "p_spam"), ("prob_ham", "prob_spam")]
)
def test_one_column_a_class_under_the_names_that_people_give(names):
    rows = [{"label": "ham", names[0]: 0.7, names[1]: 0.3}, {"label": "spam", names[0]: 0.6, names[1]: 0.4}]
    found = read(rows)
    assert found.predictions.classes == ("ham", "spam")
    assert found.predictions.predicted == ("ham", "ham")
    assert any("guessed" in note for note in found.notes)


def test_a_number_column_that_is_no_class_is_a_further_column():
    rows = [row | {"p_value": 0.3, "age": 40} for row in rows_of(4)]
    assert set(read(rows, SPAM).examples[0].extra) == {"p_value", "age"}


def test_a_score_alone_is_cut_at_one_half_or_at_the_threshold_given():
    assert read(rows_of(4), SPAM).predictions.predicted == ("ham", "spam", "ham", "spam")
    strict = AuditConfig(threshold=0.95, judge=JudgeConfig(positive="spam"))
    assert set(read(rows_of(4), strict).predictions.predicted) == {"ham"}


def test_a_score_of_just_the_threshold_is_positive():
    assert set(read(rows_of(4, score=0.5), SPAM).predictions.predicted) == {"spam"}


@pytest.mark.parametrize(("labels", "positive"), [(("0", "1"), "1"), (("neg", "pos"), "pos"), (("False", "True"), "True")])
def test_the_class_of_a_score_follows_convention(labels, positive):
    rows = [{"id": n, "label": labels[n % 2], "score": n % 2} for n in range(6)]
    found = read(rows)
    assert found.positive == positive
    assert found.predictions.predicted == found.predictions.labels


def test_the_class_of_a_score_is_else_the_rarer_one():
    rows = rows_of(4) + [{"id": f"h{n}", "label": "ham", "score": 0.1} for n in range(6)]
    assert read(rows).positive == "spam"


def test_a_score_whose_class_cannot_be_told_is_one_message():
    with pytest.raises(DataError, match=r"which class the score is of cannot be told") as caught:
        read(rows_of(4))
    assert caught.value.fix == "name it with --positive"


def test_a_single_probability_column_names_its_class():
    rows = [{"label": "ham", "p:spam": 0.1}, {"label": "spam", "p:spam": 0.8}]
    assert read(rows).predictions.probabilities == ((0.9, 0.1), (pytest.approx(0.2), 0.8))


def test_a_score_that_goes_the_wrong_way_is_said():
    rows = [{"label": "1", "score": 0.1}, {"label": "0", "score": 0.9}] * 3
    assert any("is it of the other class?" in note for note in read(rows).notes)


def test_predicted_classes_alone_have_no_probabilities():
    rows = [{"label": "a", "pred": "b"}, {"label": "b", "pred": "b"}]
    assert read(rows).predictions.probabilities is None


def test_a_score_beside_a_prediction_is_of_the_prediction_where_it_never_contradicts_it():
    rows = [{"gold": "pos", "label": "pos", "score": 0.8}, {"gold": "pos", "label": "neg", "score": 0.9}]
    found = read(rows).predictions  # "label" is what a pipeline of transformers calls its answer
    assert (found.labels, found.predicted) == (("pos", "pos"), ("pos", "neg"))
    assert found.probabilities == ((pytest.approx(0.2), 0.8), (0.9, pytest.approx(0.1)))


def test_a_score_beside_a_prediction_is_of_the_positive_class_where_it_divides_the_predictions():
    rows = [{"label": "1", "predicted": "1", "score": 0.7}, {"label": "0", "predicted": "0", "score": 0.1}]
    assert read(rows).predictions.probabilities == ((pytest.approx(0.3), 0.7), (0.9, 0.1))


def test_a_score_that_could_be_either_is_asked_for():
    rows = [{"label": "1", "predicted": answer, "score": score} for answer, score in (("1", 0.3), ("0", 0.2), ("1", 0.1))]
    with pytest.raises(DataError, match="whose probability"):
        read(rows)
    assert read(rows, AuditConfig(score_of="positive")).predictions.probabilities[0] == (pytest.approx(0.7), 0.3)


def test_of_more_than_two_classes_the_probability_of_the_answer_is_kept_and_none_is_made_up():
    rows = [{"label": name, "predicted": "a", "score": 0.8} for name in "abc"]
    found = read(rows)
    assert found.predictions.probabilities is None
    assert found.certainty == (0.8, 0.8, 0.8)


# Pipelines of transformers


def pipeline_rows(labels=("NEG", "POS")):
    scores = [(0.9, 0.1), (0.3, 0.7)]
    return [
        {"id": n, "label": labels[n], "prediction": [{"label": a, "score": s} for a, s in zip(labels, row, strict=True)]}
        for n, row in enumerate(scores)
    ]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_lists_of_labels_and_scores_in_json_lines(tmp_path):
    found = read(write_lines(tmp_path / "out.jsonl", pipeline_rows())).predictions
    assert found.predicted == found.labels == ("NEG", "POS")
    assert found.probabilities == ((0.9, 0.1), (0.3, 0.7))


def test_the_best_answer_alone_in_json_lines(tmp_path):
    rows = [row | {"prediction": max(row["prediction"], key=lambda item: item["score"])} for row in pipeline_rows()]
    found = read(write_lines(tmp_path / "out.jsonl", rows)).predictions
    assert found.probabilities == ((0.9, pytest.approx(0.1)), (pytest.approx(0.3), 0.7))


def test_lists_in_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame(pipeline_rows()).to_parquet(tmp_path / "out.parquet")
    assert read(tmp_path / "out.parquet").predictions.probabilities == ((0.9, 0.1), (0.3, 0.7))


def test_numbered_classes_are_read_as_numbers_where_labels_are_numbers(tmp_path):
    rows = [row | {"label": str(row["id"])} for row in pipeline_rows(("LABEL_0", "LABEL_1"))]
    found = read(write_lines(tmp_path / "out.jsonl", rows))
    assert found.predictions.classes == ("0", "1")
    assert any("LABEL_0" in note for note in found.notes)


def test_numbered_classes_beside_words_are_one_message(tmp_path):
    rows = [row | {"label": ("ham", "spam")[row["id"]]} for row in pipeline_rows(("LABEL_0", "LABEL_1"))]
    with pytest.raises(DataError, match=r"'ham', and the model knows 'LABEL_0', 'LABEL_1'"):
        read(write_lines(tmp_path / "out.jsonl", rows))


def test_logits_become_probabilities_by_their_softmax():
    rows = [{"label": "a", "logit_a": 2.0, "logit_b": -1.0}, {"label": "b", "logit_a": 800.0, "logit_b": -800.0}]
    found = read(rows, AuditConfig(logits=True)).predictions
    assert found.probabilities[0] == pytest.approx((1 / (1 + math.exp(-3)), 1 / (1 + math.exp(3))))
    assert found.probabilities[1] == (1.0, 0.0)


# Hostile tables: one message, or a counted rejection


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"score": 1.7}, "outside of 0 to 1"),
        ({"score": -0.1}, "outside of 0 to 1"),
        ({"score": None}, "the number is missing"),
        ({"score": "nan"}, "the number is nan"),
        ({"score": "inf"}, "the number is inf"),
        ({"score": "high"}, "'high' is no number"),
        ({"label": None}, "the label is missing"),
        ({"label": "  "}, "the label is missing"),
        ({"id": None}, "the id is missing"),
        ({"id": "r1"}, "the id 'r1' was already in row 2"),
    ],
)
def test_one_bad_row_of_many_is_rejected_and_counted(changed, reason):
    found = read(spoil(rows_of(200), 7, **changed), SPAM)
    (receipt,) = found.files
    assert (receipt.num_rows, receipt.num_used) == (200, 199)
    assert reason in receipt.rejected[0].reason
    assert receipt.rejected[0].row == 8
    assert len(found.predictions.ids) == len(found.examples) == 199


@pytest.mark.parametrize(
    ("rows", "error", "says"),
    [
        ([], DataError, "has no rows"),
        (rows_of(10, score=3.2), DataError, "--logits"),
        (rows_of(10, score=55), DataError, "divide by 100"),
        (rows_of(10, score=float("nan")), DataError, "the number is missing"),
        (rows_of(10, label=None), MissingLabelsError, "no row has a label"),
        (rows_of(10, id="same"), DataError, "was already in row 1"),
        ([{"text": "a b c", "score": 0.3}], MissingLabelsError, "the true label"),
        ([{"label": "a", "words": "x"}], DataError, "what the model said"),
        ([{"label": "a", "predicted": "a"}] * 30, DataError, "in all 30 rows"),
        ([{"label": "pos", "predicted": "POSITIVE"}, {"label": "neg", "predicted": "NEGATIVE"}], DataError, "the same words"),
        ([{"label": name, "p:a": 0.5, "p:b": 0.5} for name in "ac"], DataError, "1 rows hold the label 'c'"),
        ([{"label": "a", "p:a": 0.9, "p:b": 0.8}, {"label": "b", "p:a": 0.9, "p:b": 0.8}], DataError, "add up to 1"),
        ([{"label": "a", "p:a": 0.1, "p:b": 0.2}, {"label": "b", "p:a": 0.1, "p:b": 0.2}], DataError, "add up to 1"),
        ([{"label": c, "score": 0.5} for c in "abc"], DataError, "3 classes"),
        ([{"label": "a", "prediction": ["x"]}], DataError, "no list of"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_judged_is_one_message(rows, error, says):
    with pytest.raises(error) as caught:
        read(rows, AuditConfig())
    assert says in str(caught.value)
    assert caught.value.expected
    assert caught.value.fix


def test_rounded_probabilities_are_accepted():
    rows = [{"label": name, "p:a": 0.33, "p:b": 0.33, "p:c": 0.33} for name in "abc"]
    assert len(read(rows).predictions.ids) == 3


def test_a_constant_score_is_read_and_said():
    notes = read(rows_of(10, score=0.5), SPAM).notes
    assert any("it ranks nothing" in note for note in notes)


def test_rejects_can_be_allowed():
    rows = spoil(rows_of(20), 3, score=None)
    with pytest.raises(DataError, match="cannot be used"):
        read(rows, SPAM)
    allowed = AuditConfig(read=ReadConfig(allow_rejects=True), judge=JudgeConfig(positive="spam"))
    assert len(read(rows, allowed).predictions.ids) == 19


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (AuditConfig(score="scoer"), "did you mean --score 'score'?"),
        (AuditConfig(id="label"), ""),
        (AuditConfig(id="score", score="score"), "asked for as --id and --score"),
    ],
)
def test_a_column_that_is_named_wrongly_is_one_message(config, says):
    with pytest.raises(DataError) as caught:
        read(rows_of(4), config)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "changed", [{"task": "translate"}, {"threshold": 1.0}, {"threshold": 0.0}, {"score_of": "label"}, {"min_bleu": 101.0}]
)
def test_a_setting_out_of_range_is_a_usage_error(changed):
    with pytest.raises(UsageError):
        AuditConfig(**changed)


def test_a_threshold_beside_predictions_is_an_error():
    rows = [{"label": "a", "predicted": "a", "score": 0.6}, {"label": "b", "predicted": "b", "score": 0.7}]
    with pytest.raises(DataError, match="--threshold with a column of predictions"):
        read(rows, AuditConfig(threshold=0.3))


def test_texts_are_cleaned_and_further_columns_kept():
    rows = [row | {"text": "A <b>film</b>  ", "source": "web"} for row in rows_of(4)]
    found = read(rows, SPAM)
    assert found.has_texts
    assert found.examples[0].text == "A film"
    assert found.examples[0].extra == {"source": "web"}
    assert not read(rows_of(4), SPAM).has_texts


def test_the_nameless_index_of_a_data_frame_is_the_id(tmp_path):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame(rows_of(4)).drop(columns="id").to_csv(tmp_path / "p.csv")
    assert read(tmp_path / "p.csv", SPAM).predictions.ids == ("0", "1", "2", "3")


def test_without_an_id_rows_have_the_number_that_a_spreadsheet_shows(tmp_path):
    (tmp_path / "p.csv").write_text("label,predicted\na,b\nb,b\n")
    assert read(tmp_path / "p.csv").predictions.ids == ("p.csv:2", "p.csv:3")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        read_raw(tmp_path)
