"""Predictions of other tools: which column is what, what each number means, and one clear message where it cannot be told."""

import json
import math

import pytest

from pretune.configs import AuditConfig, JudgeConfig, ReadConfig
from pretune.data.foreign.scored import read_scored
from pretune.data.read.path import read_raw
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
    with pytest.raises(DataError, match=r"it is unclear whose probability the score is") as caught:
        read(rows_of(4))
    assert caught.value.fix == "name it with --positive"


def test_a_single_probability_column_names_its_class():
    rows = [{"label": "ham", "p:spam": 0.1}, {"label": "spam", "p:spam": 0.8}]
    assert read(rows).predictions.probabilities == ((0.9, 0.1), (pytest.approx(0.2), 0.8))


def test_a_score_that_goes_the_wrong_way_is_said():
    rows = [{"label": "1", "score": 0.1}, {"label": "0", "score": 0.9}] * 3
    assert any("does it belong to the other class?" in note for note in read(rows).notes)


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
        ({"score": 1.7}, "outside 0 to 1"),
        ({"score": -0.1}, "outside 0 to 1"),
        ({"score": None}, "the number is missing"),
        ({"score": "nan"}, "the number is nan"),
        ({"score": "inf"}, "the number is inf"),
        ({"score": "high"}, "'high' is not a number"),
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
        ([{"label": "a", "words": "x"}], DataError, "the model's answer"),
        ([{"label": "a", "predicted": "a"}] * 30, DataError, "in all 30 rows"),
        ([{"label": "pos", "predicted": "POSITIVE"}, {"label": "neg", "predicted": "NEGATIVE"}], DataError, "the same words"),
        ([{"label": name, "p:a": 0.5, "p:b": 0.5} for name in "ac"], DataError, "1 row holds the label 'c'"),
        ([{"label": "a", "p:a": 0.9, "p:b": 0.8}, {"label": "b", "p:a": 0.9, "p:b": 0.8}], DataError, "add up to 1"),
        ([{"label": "a", "p:a": 0.1, "p:b": 0.2}, {"label": "b", "p:a": 0.1, "p:b": 0.2}], DataError, "add up to 1"),
        ([{"label": c, "score": 0.5} for c in "abc"], DataError, "3 classes"),
        ([{"label": "a", "prediction": ["x", "y"]}], DataError, "holds several labels ('x', 'y'); a text has one class"),
        ([{"label": "a", "prediction": [{"label": "x", "scores": 1}]}], DataError, "not a list of"),
        ([{"label": ["a", "b"], "predicted": "a"}], DataError, "column 'label': holds several labels ('a', 'b')"),
        ([{"label": "['a', 'b']", "predicted": "a"}], DataError, "column 'label': holds several labels ('a', 'b')"),
        ([{"label": '{"choices": ["a", "b"]}', "predicted": "a"}], DataError, "holds several labels ('a', 'b')"),
        ([{"label": [], "predicted": "a"}], MissingLabelsError, "no row has a label"),
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


# One class in several spellings


def twice(first, second, **more):
    """Rows of two classes, named in two ways, half right."""
    return [{"label": first, **more}, {"label": second, **more}] * 4


@pytest.mark.parametrize(
    ("labels", "answers"),
    [
        (("1.0", "0.0"), ("1", "0")),
        (("1", "0"), ("1.0", "0.0")),
        (("caf\u00e9", "bar"), ("cafe\u0301", "bar")),
        (("spam", "ham"), ("sp\u200bam", "\ufeffham")),
        (("True", "False"), ("true", "FALSE")),
        ((" spam ", "ham"), ("spam", "ham\u00a0")),
    ],
)
def test_labels_and_answers_that_spell_one_class_in_two_ways_agree(labels, answers):
    rows = [{"label": label, "predicted": answer} for label, answer in zip(labels, answers, strict=True)] * 4
    found = read(rows).predictions
    assert found.labels == found.predicted
    assert len(found.classes) == 2


@pytest.mark.parametrize(("one", "other"), [("Spam", "spam"), ("not spam", "not  spam"), ("01", "1"), ("a", "\u0430")])
def test_spellings_that_may_be_two_classes_stay_two(one, other):
    rows = [{"label": one, "predicted": other}, {"label": "ham", "predicted": "ham"}] * 4
    assert len(read(rows).predictions.classes) == 3


def test_what_differs_in_case_only_is_named_with_both_counts():
    rows = [{"label": "Spam", "predicted": "spam"}, {"label": "ham", "predicted": "ham"}] * 4
    assert any("'Spam' (4) and 'spam' (4)" in note and "--merge-labels" in note for note in read(rows).notes)


@pytest.mark.parametrize("prefix", ["", "p:", "proba_", "prob_", "probability_", "p_", "score_"])
@pytest.mark.parametrize("number", [2, 3])
def test_labels_with_a_point_are_those_of_the_columns_without(prefix, number):
    rows = [
        {"label": float(at % number)}
        | {f"{prefix}{name}": 0.8 if name == at % number else 0.2 / (number - 1) for name in range(number)}
        for at in range(6)
    ]
    found = read(rows).predictions
    assert found.classes == tuple(map(str, range(number)))
    assert found.labels == found.predicted
    assert found.probabilities is not None


@pytest.mark.parametrize("prefix", ["", "p:"])
def test_columns_that_transformers_numbered_are_those_numbers(prefix):
    rows = [
        {"label": float(at % 3)} | {f"{prefix}LABEL_{name}": 0.8 if name == at % 3 else 0.1 for name in range(3)}
        for at in range(6)
    ]
    found = read(rows).predictions
    assert (found.classes, found.labels) == (("0", "1", "2"), found.predicted)


def test_columns_that_transformers_numbered_beside_words_are_one_message():
    rows = [{"label": "ham" if at % 2 else "spam", "LABEL_0": 0.4, "LABEL_1": 0.6} for at in range(6)]
    with pytest.raises(DataError, match="LABEL_0 to what it stands for"):
        read(rows)


def test_columns_that_differ_from_the_labels_in_case_name_the_way_out():
    rows = [{"label": "spam" if at % 2 else "ham", "p_Spam": 0.4, "p_Ham": 0.6} for at in range(6)]
    with pytest.raises(DataError, match="--merge-labels") as caught:
        read(rows)
    assert "'ham' and 'Ham'" in str(caught.value)


def test_two_columns_that_could_be_one_class_stay_two():
    rows = [{"label": "1", "p:1": 0.7, "p:1.0": 0.2, "p:0": 0.1}, {"label": "1.0", "p:1": 0.1, "p:1.0": 0.8, "p:0": 0.1}] * 3
    assert read(rows).predictions.classes == ("1", "1.0", "0")


def test_nested_answers_are_spelled_as_the_labels_are():
    rows = [
        {"label": "1.0", "predictions": [{"label": "1", "score": 0.9}]},
        {"label": "0.0", "predictions": [{"label": "0", "score": 0.8}]},
    ]
    found = read(rows * 4).predictions
    assert found.labels == found.predicted


def test_texts_that_stand_for_missing_labels_are_asked_about():
    rows = [
        {"label": "nan", "predicted": "ham"},
        *[{"label": "ham", "predicted": "ham"}, {"label": "spam", "predicted": "ham"}] * 4,
    ]
    assert any("missing values written as text" in note for note in read(rows).notes)


# How the numbers are written


def softmax_rows(num_classes, digits, seed=0, num_rows=60):
    import random

    draw, rows = random.Random(seed), []
    for at in range(num_rows):
        weights = [draw.random() ** 6 + (name == at % num_classes) for name in range(num_classes)]
        rows.append(
            {"label": f"c{at % num_classes}"} | {f"p:c{n}": round(w / sum(weights), digits) for n, w in enumerate(weights)}
        )
    return rows


@pytest.mark.parametrize(("num_classes", "digits"), [(20, 2), (77, 2), (300, 3), (20, 1), (3, 16)])
def test_the_tolerance_of_a_sum_grows_with_the_classes_and_the_digits(num_classes, digits):
    rows = softmax_rows(num_classes, digits)
    assert len(read(rows).predictions.ids) == len(rows)


def test_rounded_lists_of_all_classes_are_accepted_too():
    rows = [
        {
            "label": row["label"],
            "predictions": [{"label": name[2:], "score": share} for name, share in row.items() if name != "label"],
        }
        for row in softmax_rows(20, 2)
    ]
    assert len(read(rows).predictions.ids) == 60


@pytest.mark.parametrize("digits", [2, 3, 16])
@pytest.mark.parametrize("num_classes", [5, 20])
def test_a_sigmoid_a_class_stays_refused(num_classes, digits):
    import random

    draw = random.Random(0)
    rows = [
        {"label": f"c{at % num_classes}"}
        | {
            f"p:c{name}": round(draw.uniform(0.05, 0.6) if name != at % num_classes else 0.9, digits)
            for name in range(num_classes)
        }
        for at in range(60)
    ]
    with pytest.raises(DataError, match="add up to 1"):
        read(rows)


def test_full_digits_have_no_more_room_than_before():
    rows = [{"label": "a", "p:a": 0.6123456789, "p:b": 0.3523456789}, {"label": "b", "p:a": 0.2123456789, "p:b": 0.7523456789}]
    with pytest.raises(DataError, match="add up to 1"):
        read(rows * 4)


@pytest.mark.parametrize(
    "write",
    [
        lambda share: f"{share:.2f}".replace(".", ","),
        lambda share: f"{100 * share:.0f} %",
        lambda share: f"{100 * share:.1f}%",
        lambda share: f"{100 * share:.1f}\u00a0%".replace(".", ","),
        lambda share: f"{share:.3e}".replace(".", ","),
    ],
)
@pytest.mark.parametrize("columns", ["score", "classes"])
def test_decimal_commas_and_per_cents_are_read_and_said(write, columns):
    rows = [
        {"label": "spam" if at % 2 else "ham"}
        | ({"p:ham": write(1 - share), "p:spam": write(share)} if columns == "classes" else {"score": write(share)})
        for at, share in enumerate([0.25, 0.75] * 6)
    ]
    found = read(rows, SPAM)
    assert found.predictions.probabilities[0] == (0.75, 0.25)
    assert found.predictions.labels == found.predictions.predicted
    assert any("comma" in note or "as percentages" in note for note in found.notes)


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (["93 %", "4 %", "0.5", "8 %"], r"row \d+, column 'score': '0.5' has no percent sign, and 9 of 12"),
        (["0,93", "0,04", "0.5", "0,8"], r"row \d+, column 'score': '0.5' is not a number with a decimal comma, and 9 of 12"),
        (["1,000", "2,500", "3", "4"], "may be a number below ten, or thousands"),
        (["1.234,5", "0,5", "0,1", "0,2"], "'1.234,5' is not a number with a decimal comma"),
        (["93,1,5 %", "4 %", "5 %", "8 %"], "'93,1,5"),
    ],
)
def test_numbers_written_in_two_ways_are_one_message_that_names_the_row(scores, says):
    rows = [{"label": "spam" if at % 2 else "ham", "score": score} for at, score in enumerate(scores * 3)]
    with pytest.raises(DataError, match=says):
        read(rows, SPAM)


def test_one_odd_number_of_many_rejects_its_row_only():
    rows = spoil([row | {"score": str(row["score"])} for row in rows_of(200)], 7, score="93 %")
    found = read(rows, SPAM)
    assert len(found.predictions.ids) == 199
    assert found.files[0].rejected[0].reason == "'93 %' is not a number"


# Lists of labels, rows and classes that are asked for


@pytest.mark.parametrize("one", [["spam"], "['spam']", '["spam"]', {"choices": ["spam"]}, '{"choices": ["spam"]}'])
def test_a_list_of_one_label_is_that_label(one):
    rows = [{"label": one, "predicted": one}, {"label": "ham", "predicted": ["ham"]}] * 4
    found = read(rows).predictions
    assert found.classes == ("ham", "spam")
    assert found.labels == found.predicted


def test_classes_that_look_like_several_labels_in_a_cell_are_refused_where_they_are_many():
    rows = [{"label": name, "predicted": "a"} for name in ("a", "b", "a,b", "b,a")] * 5
    with pytest.raises(DataError, match=r"10 of 20 rows hold several labels.*'a,b', 'b,a'; 10 rows"):
        read(rows)
    few = [{"label": name, "predicted": "a"} for name in ("a", "b") * 60 + ("a,b", "b,a")]
    assert any("look like several labels in one cell ('a,b', 'b,a'; 2 rows)" in note for note in read(few).notes)


def test_lists_of_scores_that_stand_as_text_in_a_csv_are_read(tmp_path):
    import csv

    said = [[{"label": name, "score": 0.9}, {"label": other, "score": 0.1}] for name, other in (("a", "b"), ("b", "a"))]
    with (tmp_path / "p.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("label", "predictions"), *(("a", str(said[0])), ("b", json.dumps(said[1]))) * 5])
    found = read_scored(read_raw(tmp_path / "p.csv"), AuditConfig(), source="audited").predictions
    assert (found.classes, found.labels) == (("a", "b"), found.predicted)
    assert found.probabilities[0] == (0.9, 0.1)


def test_labels_in_two_cases_are_one_class_where_that_is_asked():
    rows = [{"label": "Spam", "p:spam": 0.9, "p:ham": 0.1}, {"label": "ham", "p:spam": 0.2, "p:ham": 0.8}] * 4
    found = read(rows, AuditConfig(read=ReadConfig(merge_labels=True)))
    assert found.predictions.classes == ("spam", "ham")
    assert found.predictions.labels == found.predictions.predicted
    assert any("--merge-labels" in note for note in found.notes)
