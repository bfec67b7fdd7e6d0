"""Growth: input made to take a time that grows with the square of its size is read in seconds; each took minutes or hours."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pretune.configs import AuditConfig, ReadConfig
from pretune.data.clean import MAX_MARKS, clean_text
from pretune.data.corpus.cleaning import clean_document
from pretune.data.foreign.scored import read_scored
from pretune.data.labels.classes import check_known
from pretune.data.labels.labels import check_labels
from pretune.data.read.objects import SparseCells
from pretune.data.read.path import read_raw, read_table
from pretune.errors import DataError
from pretune.records import Example

SIZE = 300_000  # characters
# Of processor time; a tenth of it is what each takes on one core. What grew with the square took from 40 to 10,000 seconds.
MAX_SECONDS = 12

NESTS: dict[str, str] = {
    "escaped ampersands": "&" + "amp;" * (SIZE // 4),
    "ampersands escaped in many ways": "&" + "#38;amp;#x26;" * (SIZE // 13) + "lt;b",
    "tags in tags": "<b" * (SIZE // 3) + ">" * (SIZE // 3),
    "escaped tags in tags": "&lt;b" * (SIZE // 9) + "&gt;" * (SIZE // 9),
    "comments that never end": "<!--" * (SIZE // 4),
    "combining marks": "a" + "\u0301\u0327" * (SIZE // 2),
    "combining marks in the wrong order": "a" + "\u0301" * (SIZE // 2) + "\u0327" * (SIZE // 2),
    "spaces": "a" + " " * SIZE + "b",
    "line ends and spaces": "a" + "\n " * (SIZE // 2) + "b",
}
WIKI_NESTS: dict[str, str] = {
    "scripts that never end": "<script>" * (SIZE // 8),
    "tables that never end": "{|" * (SIZE // 2),
    "templates in templates": "{{" * (SIZE // 4) + "}}" * (SIZE // 4),
    "links in links": "[[" * (SIZE // 4) + "]]" * (SIZE // 4),
    "files that never end": "[[File:" * (SIZE // 7),
    "brackets in brackets": "(" * (SIZE // 2) + ")" * (SIZE // 2),
    "a bracket and spaces": "(" + " " * SIZE,
    "headings in headings": "== " * (SIZE // 6) + "a" + " ==" * (SIZE // 6),
    "quotes": "''a'" * (SIZE // 4),
}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < seconds


@pytest.mark.parametrize("name", NESTS)
def test_a_nest_of_markup_is_cleaned_in_seconds_and_to_the_end(name: str):
    with within(MAX_SECONDS):
        cleaned = clean_text(NESTS[name])
        assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize("name", {**NESTS, **WIKI_NESTS})
def test_a_document_that_is_a_nest_of_markup_is_cleaned_in_seconds(name: str):
    done: set[str] = set()
    with within(MAX_SECONDS):
        cleaned = clean_document({**NESTS, **WIKI_NESTS}[name], done)
        assert clean_document(cleaned, set()) == cleaned


def test_markup_in_a_few_levels_is_cleaned_as_before():
    assert clean_text("a &amp;amp;lt;b&amp;amp;gt; c") == "a c"
    assert clean_text("a <!-- b <i> --> c <!-- d") == "a c <!-- d"
    assert clean_document("x {{a {{b {{c}}}}}} y [[d|[[e]]]] <ref>z</ref><ref name='q'/>", set()) == "x y e"
    assert clean_document("a <script>x</script > b <style>c <script>d</script> e", set()) == "a b c e"


def test_marks_that_a_language_may_have_stay_as_they_are():
    text = "z" + "\u0327\u0301" * (MAX_MARKS // 2)
    assert "\u034f" not in clean_text(text)
    assert "\u034f" in clean_text(text + "\u0301")


def test_keys_that_differ_from_row_to_row_take_the_memory_of_what_is_there(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"text": "film {n} is fine", "label": "{n % 2}", "key{n}": {n}}}\n' for n in range(9_000)))
    with within(MAX_SECONDS):
        rows = read_raw(path).rows
        assert len(read_table(path).examples) == 9_000
    assert sum(len(row.cells.values) for row in rows if isinstance(row.cells, SparseCells)) == 27_000


@pytest.mark.parametrize("end", ["", "x", ",5", "%", "e", "."])
def test_a_long_run_of_digits_in_an_audited_cell_is_looked_at_once(tmp_path: Path, end: str):
    path = tmp_path / "scores.csv"
    rows = [f"{number},{'pos' if number % 2 else 'neg'},0.{number:03}\n" for number in range(200)]
    path.write_text("id,label,score\n" + f'1000,pos,"0.{"9" * 1_000_000}{end}"\n' + "".join(rows))
    with within(MAX_SECONDS):
        try:
            read_scored(read_raw(path), AuditConfig(read=ReadConfig(allow_rejects=True)), source="model")
        except DataError as error:
            assert len(str(error)) < 2_000  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    "write", [lambda name: f'{{"{name}": 1, "{name}": 2}}', lambda name: "[" * 2 * len(name)], ids=["key", "deep"]
)
def test_a_line_of_a_megabyte_is_one_short_reason(tmp_path: Path, write: Callable[[str], str]):
    path = tmp_path / "rows.jsonl"
    good = "".join(f'{{"text": "film {n} is fine", "label": "{n % 2}"}}\n' for n in range(200))
    path.write_text(good + write("k" * 500_000) + "\n")
    with within(MAX_SECONDS):
        (rejected,) = read_table(path).files[0].rejected
    assert len(rejected.reason) < 200


CLASSES = [f"class {number}" for number in range(2_000)]
MANY = CLASSES * 25  # 50,000 rows


def test_many_classes_in_many_rows_are_compared_once_each():
    raw = read_raw({"label": MANY, "predicted": MANY[::-1]})
    with within(MAX_SECONDS):
        assert read_scored(raw, AuditConfig(), source="a").predictions.labels == tuple(MANY)


def test_many_labels_that_a_model_does_not_know_are_compared_once_each():
    rows = [Example(id=str(number), text="a", label=label.title()) for number, label in enumerate(MANY)]
    with within(MAX_SECONDS), pytest.raises(DataError, match="the model has 'class 0'"):
        check_known(rows, CLASSES, "a.csv")


def test_many_classes_of_one_example_are_compared_once_each():
    labels = [*(f"single {number}" for number in range(4_000)), "Single 7", *["many"] * 6_000]
    rows = [Example(id=str(number), text="a", label=label) for number, label in enumerate(labels)]
    with within(MAX_SECONDS), pytest.raises(DataError, match="'single 7'") as caught:
        check_labels(rows)
    assert "--merge-labels" in caught.value.fix
