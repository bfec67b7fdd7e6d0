"""The page about pre-training: it says what the kept rows say."""

import json
from pathlib import Path

import pretraining
from pretraining_page import write_page

RESULTS = Path(pretraining.__file__).parent / "results"


def read(name):
    return {path.stem: json.loads(path.read_text()) for path in sorted((RESULTS / name).glob("*.json"))}


def test_the_page_is_written_from_the_kept_rows_and_is_the_one_in_docs():
    classic = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("classic*.json"))]
    page = write_page(read("pretraining"), read("pretrain-speed"), classic)
    assert page == (Path(pretraining.__file__).parents[1] / "docs" / "pretraining.md").read_text()
    assert page.count("## ") == 2 + len(pretraining.ROWS)


def test_what_was_not_measured_is_said():
    page = write_page({}, {}, [])
    assert page.count("Not measured yet") == 2 + len(pretraining.ROWS)
