"""Classes: one reading of labels for tables, frames and lists; clean ones are left as they are."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

import pretune
from pretune.data.labels.classes import align_labels, check_known
from pretune.data.read.path import read_table
from pretune.errors import DataError, UsageError
from tiny import make_rows

ROWS = make_rows(240, seed=7)
# First 16 characters of the digests of train, validation and test, taken before labels were read as they are now.
DIGESTS = {
    ("good", "bad"): ("490b9a4b92e39238", "0a31508812152f65", "eb7d6171b41bb195"),
    ("1", "0"): ("fb85900e582ee67b", "0b9b506daae6cffa", "bc946917f99686be"),
    ("01", "1"): ("f25f343dba7a6a25", "d74180624388b8e6", "53e9473c5f56fd0a"),
    ("true", "false"): ("3941a2666b5b6dc1", "32bba127c8043b14", "34ee4bbdbd50039b"),
    ("Spam", "spam"): ("50513bccedf8140f", "b5c9f84a1ddaa89f", "e1442134f9e19a75"),
    ("café", "thé"): ("199cd20349276758", "cd6764f5814d8372", "847ae8e702bccbcb"),
}
NAMES = {
    ("good", "bad"): "words",
    ("1", "0"): "numbers",
    ("01", "1"): "codes",
    ("true", "false"): "truth",
    ("Spam", "spam"): "near",
    ("café", "thé"): "accents",
}


def labels(good, bad):
    return [good if label == "good" else bad for _, label in ROWS]


def texts():
    return [text for text, _ in ROWS]


@pytest.mark.parametrize("names", DIGESTS, ids=NAMES.get)
def test_tables_whose_labels_are_clean_are_divided_as_ever(names, tmp_path):
    path = tmp_path / f"{NAMES[names]}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(texts(), labels(*names), strict=True)])
    data = pretune.load_data(path)
    assert tuple(split.digest[:16] for split in data.receipt.splits) == DIGESTS[names]
    assert data.classes == tuple(sorted(names))


def test_frames_whose_labels_are_truth_values_are_divided_as_ever():
    frame = pd.DataFrame({"text": texts(), "label": labels(True, False)})
    digests = tuple(split.digest[:16] for split in pretune.load_data(frame, split_seed=3).receipt.splits)
    assert digests == ("63b83232472dfa45", "254acdbbc86140c3", "a1c2a15a550dd9b0")


def spread(*spellings):
    """Labels of two classes, the first of which is spelled in several ways."""
    count = iter(range(len(ROWS)))
    return ["other" if label == "bad" else spellings[next(count) % len(spellings)] for _, label in ROWS]


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (("1", "1", "1.0"), "1"),
        (("1.0", "1.0", "1"), "1.0"),
        (("café", "cafe\u0301"), "café"),
        (("spam", "sp\u00adam", "\ufeffspam"), "spam"),
        (("not spam", "not\u00a0spam"), "not spam"),
        (("True", "True", "true"), "True"),
        (("spam", " spam "), "spam"),
        (("spam", "['spam']", "spam"), "spam"),
        (("spam", "spam\u200d", "spam"), "spam"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "frame", "lists", "dicts", "jsonl", "parquet"])
def test_one_class_in_several_spellings_is_one_class_and_said(spellings, name, form, tmp_path):
    frame = pd.DataFrame({"text": texts(), "label": spread(*spellings)})
    source = {
        "csv": lambda: frame.to_csv(tmp_path / "a.csv", index=False) or tmp_path / "a.csv",
        "jsonl": lambda: frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True) or tmp_path / "a.jsonl",
        "parquet": lambda: frame.to_parquet(tmp_path / "a.parquet") or tmp_path / "a.parquet",
        "frame": lambda: frame,
        "lists": lambda: (frame["text"].tolist(), frame["label"].tolist()),
        "dicts": lambda: frame.to_dict("records"),
    }[form]()
    data = pretune.load_data(source)
    assert data.classes == tuple(sorted((name, "other")))
    assert [note for note in data.receipt.notes if "label" in note and "guessed" not in note]


def test_codes_are_no_numbers():
    data = pretune.load_data((texts(), spread("01", "1")))
    assert data.classes == ("01", "1", "other")


@pytest.mark.parametrize("merge", [False, True])
def test_what_differs_in_case_or_spacing_only_is_named_and_merged_on_request(merge):
    data = pretune.load_data((texts(), spread("Spam", "spam", "spam")), merge_labels=merge)
    assert data.classes == (("other", "spam") if merge else ("Spam", "other", "spam"))
    (note,) = [note for note in data.receipt.notes if "'Spam' (40)" in note]
    assert "'spam' (80)" in note
    assert ("merged" if merge else "--merge-labels makes them one") in note


def test_truth_values_are_one_spelling_whichever_format_they_came_in(tmp_path):
    frame = pd.DataFrame({"text": texts(), "label": labels(True, False)})
    frame[:160].to_parquet(tmp_path / "train.parquet")
    frame[160:].to_json(tmp_path / "test.jsonl", orient="records", lines=True)
    assert pretune.load_data(tmp_path / "train.parquet", test=tmp_path / "test.jsonl").classes == ("False", "True")
    assert pretune.load_data(tmp_path / "test.jsonl", test=tmp_path / "train.parquet").classes == ("false", "true")


def test_a_column_with_gaps_has_the_classes_of_one_without():
    whole = pd.DataFrame({"text": texts(), "label": labels(1, 0)})
    gaps = whole.astype({"label": float}).assign(label=lambda frame: frame["label"].mask(frame.index == 239))
    data = pretune.load_data(whole[:160], test=gaps[160:], allow_rejects=True)
    assert data.classes == ("0", "1")
    assert data.receipt.num_rejected == 1


def test_a_class_that_the_test_spells_otherwise_is_named_and_merged_on_request():
    frame = pd.DataFrame({"text": texts(), "label": labels("Spam", "ham")})
    other = frame[160:].replace("Spam", "spam")
    with pytest.raises(DataError, match=r"'spam' is spelled 'Spam' there"):
        pretune.load_data(frame[:160], test=other)
    assert pretune.load_data(frame[:160], test=other, merge_labels=True).classes == ("Spam", "ham")


def test_missing_values_written_as_text_are_noticed_and_keep_their_spelling():
    frame = pd.DataFrame(
        {"text": texts(), "mood": [None if index % 3 == 0 else label for index, (_, label) in enumerate(ROWS)]}
    )
    data = pretune.load_data(frame.assign(mood=frame["mood"].astype(object).fillna("nan")), label="mood")
    assert data.classes == ("bad", "good", "nan")
    assert (
        "80 labels read 'nan': were missing values written as text? --where 'mood!=nan' leaves them out" in data.receipt.notes
    )


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, pd.NaT, "", " ", "\u200b"], ids=repr)
@pytest.mark.parametrize("make", [lambda x, y: (x, y), lambda x, y: pd.DataFrame({"text": x, "label": y}, dtype=object)])
def test_missing_labels_are_rejected_rows(value, make):
    found = [value if index in (3, 5) else label for index, (_, label) in enumerate(ROWS)]
    receipt = pretune.load_data(make(texts(), found), allow_rejects=True).receipt
    assert [(item.row, item.reason) for item in receipt.files[0].rejected] == [
        (4, "the label is missing"),
        (6, "the label is missing"),
    ]


def test_joined_labels_are_noticed():
    found = ["app" if index % 4 == 0 else "billing" if index % 4 == 1 else "app,billing" for index in range(240)]
    data = pretune.load_data((texts(), found))
    assert any("'app,billing'; 120 rows" in note for note in data.receipt.notes)


def test_classes_of_one_row_are_explained_by_their_spelling():
    found = ["Happy", "HAPPY", "n/a"] + ["happy" if label == "good" else "sad" for _, label in ROWS[3:]]
    with pytest.raises(DataError) as caught:
        pretune.load_data((texts(), found))
    assert "'Happy' (data:1, 118 of 'happy')" in caught.value.got
    assert "--merge-labels" in caught.value.fix
    assert "--where 'label!=n/a'" in caught.value.fix
    data = pretune.load_data((texts(), found), merge_labels=True, where="label!=n/a")
    assert data.classes == ("happy", "sad")


def test_labels_are_named_as_a_model_names_them_and_others_refused():
    table = read_table((texts(), labels(1.0, 0.0)))
    assert {row.label for row in align_labels(table, ("0", "1"), merge=False).examples} == {"0", "1"}
    near = align_labels(read_table((texts(), labels("Spam", "ham"))), ("ham", "spam"), merge=False)
    with pytest.raises(DataError, match=r"'Spam' \(120 rows; the model has 'spam'\)"):
        check_known(near.examples, ("ham", "spam"), "the list")
    merged = align_labels(read_table((texts(), labels("Spam", "ham"))), ("ham", "spam"), merge=True)
    check_known(merged.examples, ("ham", "spam"), "the list")


def test_a_model_that_was_saved_with_unclean_classes_still_knows_them():
    classes = ("cafe\u0301", "1", "1.0")
    table = read_table((["a", "b", "c"], ["caf\u00e9", "1", "1.0"]))
    found = align_labels(table, classes, merge=False).examples
    check_known(found, classes, "the list")
    assert [row.label for row in found] == list(classes)


@pytest.mark.parametrize(
    ("columns", "asked"),
    [((0, 1), (0, 1)), (("text", "label"), (0, 1)), (("text", "label"), (0, -1)), ((5, 7), (5, 7)), ((1, 0), (1, 0))],
)
def test_columns_of_a_frame_can_be_asked_for_by_number(columns, asked):
    frame = pd.DataFrame(dict(zip(columns, (texts(), labels("good", "bad")), strict=True)))
    data = pretune.load_data(frame, text=asked[0], label=asked[1])
    assert data.classes == ("bad", "good")
    assert data.receipt.columns.text == (str(columns[0]),)


@pytest.mark.parametrize("asked", [7, True, 1.5, b"text"])
def test_a_column_that_is_no_name_is_one_message(asked):
    with pytest.raises(UsageError, match="text is "):
        pretune.load_data(pd.DataFrame({"text": texts(), "label": labels("good", "bad")}), text=asked)


def test_a_number_for_a_column_of_a_file_is_one_message(tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS))
    with pytest.raises(UsageError, match="a number names a column of a data frame only"):
        pretune.load_data(Path(tmp_path / "a.jsonl"), text=0)
