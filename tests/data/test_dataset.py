"""``load_data``: is every row accounted for, and is the test out of reach?"""

import inspect

import pytest
from running import COLUMNS, write_reviews

import pretune
from pretune.configs import ReadConfig, SplitConfig
from pretune.data.dataset import prepare
from pretune.errors import DataError, SealedError
from pretune.run.trace import Trace
from tiny import make_rows

ROWS = make_rows(240)


@pytest.fixture
def reviews(tmp_path):
    return write_reviews(tmp_path / "reviews.csv", ROWS)


def test_every_row_of_the_file_is_in_one_split(reviews):
    data = pretune.load_data(reviews, text="Critique (text)", label="Mood?")
    receipt = data.receipt
    assert receipt.num_rows == receipt.num_used + receipt.num_rejected == 240
    assert [(split.name, split.num_rows) for split in receipt.splits] == [("train", 168), ("validation", 36), ("test", 36)]
    assert len(data.train) + len(data.validation) + data.seal.num_rows == 240
    assert {*(row.text for row in (*data.train, *data.validation)), *data.seal.texts()} == {text for text, _ in ROWS}


def test_columns_of_odd_names_are_found_and_the_guess_is_in_the_receipt(reviews):
    columns = pretune.load_data(reviews).receipt.columns
    assert (columns.text, columns.label, set(columns.guessed)) == (COLUMNS[1:2], COLUMNS[2], {"text", "label"})


def test_the_test_rows_are_sealed(reviews):
    data = pretune.load_data(reviews)
    with pytest.raises(SealedError, match="36 test rows are sealed"):
        _ = data.test


def test_what_it_is_can_be_read_off(reviews):
    shown = repr(pretune.load_data(reviews))
    assert "168 train, 36 validation, 36 sealed test rows" in shown
    assert "classes bad, good" in shown


def test_what_it_shows_counts_classes_and_no_test_text(reviews):
    data = pretune.load_data(reviews)
    assert str(data).splitlines()[-1].split() == ["test", "36", "18", "18"]
    assert "<table>" in data._repr_html_()
    assert len(data.grid().rows) == 168 + 36
    assert {row[0] for row in data.grid().rows} == {"train", "validation"}


def test_its_options_stand_in_the_signature():
    names = inspect.signature(pretune.load_data).parameters
    assert {"split_seed", "time", "encoding", "where", "repair", "max_size"} <= set(names)
    assert all(f"{name}:" in pretune.load_data.__doc__ for name in names)


def test_the_split_depends_on_data_and_split_seed(reviews):
    first, same, other = (pretune.load_data(reviews, split_seed=seed) for seed in (0, 0, 1))
    assert first.seal.digest == same.seal.digest != other.seal.digest


def test_rows_in_memory_are_split_as_those_in_a_file(reviews):
    lists = ([text for text, _ in ROWS], [label for _, label in ROWS])
    dicts = [{"text": text, "label": label} for text, label in ROWS]
    sealed = [set(pretune.load_data(source).seal.texts()) for source in (reviews, lists, dicts)]
    assert sealed[0] == sealed[1] == sealed[2]


def test_rows_of_a_group_stay_on_one_side(write_csv):
    path = write_csv([(*row, f"author {index % 40}") for index, row in enumerate(ROWS)], columns=("text", "label", "author"))
    data = pretune.load_data(path, group="author")
    sides = [{row.group for row in rows} for rows in (data.train, data.validation)]
    assert sides[0] & sides[1] == set()
    assert len(sides[0] | sides[1]) < 40, "the rest is sealed"


@pytest.fixture
def given(tmp_path):
    """Write three files; the test repeats two training texts (one in capitals), validation repeats one."""
    test = [*ROWS[200:], (ROWS[0][0], ROWS[0][1]), (ROWS[1][0].upper(), ROWS[1][1])]
    validation = [*ROWS[160:200], ROWS[2]]
    parts = {"train": ROWS[:160], "validation": validation, "test": test}
    return {name: write_reviews(tmp_path / f"{name}.csv", rows) for name, rows in parts.items()}


def test_given_splits_are_kept_and_what_leaks_is_taken_out_of_training_and_counted(given):
    data = pretune.load_data(given["train"], validation=given["validation"], test=given["test"])
    assert (len(data.train), len(data.validation), data.seal.num_rows) == (157, 41, 42)
    assert data.receipt.num_removed == 3
    assert {pair.second: pair.num_exact_rows for pair in data.receipt.shared if pair.first == "train"} == {
        "validation": 1,
        "test": 2,
    }
    assert data.receipt.split_seed is None


def test_leaks_are_kept_and_counted_when_asked_for(given):
    others = {name: given[name] for name in ("validation", "test")}
    data = prepare(given["train"], ReadConfig(), SplitConfig(keep_leaks=True), given=others)
    assert (len(data.train), data.receipt.num_removed) == (160, 0)
    assert sum(pair.num_exact_rows for pair in data.receipt.shared) == 3


def test_a_test_file_alone_leaves_validation_to_be_carved_out(given):
    data = pretune.load_data(given["train"], test=given["test"])
    assert (len(data.train) + len(data.validation), data.seal.num_rows) == (158, 42)


def test_files_of_the_same_name_have_ids_apart(tmp_path):
    for name, rows in (("train", ROWS[:160]), ("test", ROWS[160:])):
        (tmp_path / name).mkdir()
        write_reviews(tmp_path / name / "rows.csv", rows)
    data = pretune.load_data(tmp_path / "train" / "rows.csv", test=tmp_path / "test" / "rows.csv")
    assert {row.id.rpartition(":")[0] for row in data.train} == {"train/rows.csv"}


def test_files_that_name_the_label_differently_are_an_error(given, write_csv):
    other = write_csv(ROWS[200:], name="other.csv", columns=("text", "kind"))
    with pytest.raises(DataError, match="name the label differently: 'Mood\\?', 'kind'"):
        pretune.load_data(given["train"], test=other)


def test_labels_that_look_like_numbers_or_nothing_stay_text(write_csv):
    names = {"good": "NA", "bad": "01"}
    data = pretune.load_data(write_csv([(text, names[label]) for text, label in ROWS]))
    assert data.classes == ("01", "NA")


def test_an_error_in_the_labels_carries_the_receipts_of_the_files(write_csv):
    with pytest.raises(DataError, match="one class only") as caught:
        pretune.load_data(write_csv([(text, "same") for text, _ in ROWS]), text="text", label="label")
    assert [file.num_rows for file in caught.value.files] == [240]


def test_the_stages_are_told_with_their_counts(reviews):
    told: list[dict] = []
    prepare(reviews, ReadConfig(), SplitConfig(), trace=Trace(listeners=(told.append,)))
    stages = {event["stage"]: event for event in told if event["event"] == "stage"}
    assert list(stages) == ["read", "clean", "split", "seal"]
    assert stages["split"]["shape_out"] == "168 train + 36 validation + 36 test"
    assert stages["seal"]["shape_out"] == "0 rows in reach of training"


def test_options_are_those_of_the_flags_and_others_are_refused(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(b"text,label\n" + "".join(f"{text} é,{label}\n" for text, label in ROWS).encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        pretune.load_data(path)
    assert pretune.load_data(path, encoding="latin-1").receipt.num_used == 240
    with pytest.raises(TypeError, match="encodign"):
        pretune.load_data(path, encodign="latin-1")


def test_training_knows_the_columns_of_the_texts_where_the_table_names_them(reviews):
    rows = make_rows(80)
    assert pretune.load_data(reviews).training.text_columns == (COLUMNS[1],)
    assert pretune.load_data(([text for text, _ in rows], [label for _, label in rows])).training.text_columns == ()
