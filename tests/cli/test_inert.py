"""Nothing that stands in data, in the name of a file or in a folder is obeyed: by a terminal, a browser or a spreadsheet."""

import csv
import json
import re
from pathlib import Path

import pytest
from running import call, learning_flags

from pretune.storage.cells import neutral, restored
from tiny import make_rows

ESCAPE = "\x1b[31m\x1b]0;owned\x07\u202e"
LABELS = {
    "positive": f"=cmd|'/C x'!A0 [bold]<script>alert(1)</script>`{ESCAPE}",
    "negative": f"@x|y\n# *z* [a](http://e.vil){ESCAPE}",
}
NAME = f"re[red]views{ESCAPE}<img src=x>.csv"
pytestmark = pytest.mark.usefixtures("there")
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture(scope="module")
def hostile(tiny_checkpoint, tmp_path_factory):
    """A judged run of a table whose name, columns, labels and texts are hostile; the folder in which it lies."""
    place = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("PRETUNE_HOME", str(place / "home"))
        kinds = sorted({label for _, label in make_rows(240)})
        names = dict(zip(kinds, LABELS.values(), strict=True))
        rows = [
            (f"=1+{index}", f"{text} {ESCAPE}", names[label], f"[/red]{ESCAPE}")
            for index, (text, label) in enumerate(make_rows(240))
        ]
        with Path(NAME).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("id", f"te[i]xt{ESCAPE}", f"la|bel{ESCAPE}", f"=fur[b]ther{ESCAPE}"), *rows])
        flags = [*learning_flags(tiny_checkpoint("bert"), epochs=1), "--text", f"te[i]xt{ESCAPE}", "--label", f"la|bel{ESCAPE}"]
        assert call("run", NAME, *flags, "--run", "judged") in (0, 1, 3)
    return place


@pytest.fixture
def there(hostile, monkeypatch):
    """Stand in that folder."""
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("PRETUNE_HOME", str(hostile / "home"))


COMMANDS = {
    "check": ["check", NAME, "--text", f"te[i]xt{ESCAPE}", "--label", f"la|bel{ESCAPE}"],
    "predict": ["predict", "judged", f"a text {ESCAPE}"],
    "predict a file": ["predict", "judged", "--file", NAME, "--text", f"te[i]xt{ESCAPE}"],
    "trace": ["trace", "judged", f"a text {ESCAPE}"],
    "judge": ["judge", "judged"],
    "recompute": ["judge", "judged", "--recompute"],
    "evaluate": ["evaluate", "judged", NAME],
    "compare": ["compare", "judged", "judged"],
    "audit": ["audit", "judged/predictions/test.finetuned.csv", "--against", "judged/predictions/test.linear.csv"],
    "report": ["report", "judged"],
    "no such file": ["check", f"no{ESCAPE}\udcff.csv"],
    "no such column": ["check", NAME, "--label", f"no{ESCAPE}"],
    "no such option": ["check", NAME, f"--no{ESCAPE}"],
    "no such run": ["judge", f"no{ESCAPE}"],
    "no such command": [f"no{ESCAPE}"],
    "with the traceback": ["check", f"no{ESCAPE}", "--debug"],
}  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("more", [(), ("--quiet",), ("--json",)], ids=["", "quiet", "json"])
def test_no_command_prints_what_a_terminal_would_obey(arguments, more, capsys):
    call(*arguments, *more)
    out, err = capsys.readouterr()
    assert out + err
    assert not UNSAFE.search(out + err)


def test_markup_of_the_terminal_is_shown_and_not_interpreted(capsys):
    call("audit", "judged/predictions/test.finetuned.csv")
    assert "[bold]<script>" in "".join(capsys.readouterr().out.split("\n"))


def test_the_page_and_the_card_hold_no_markup_of_the_data():
    page, card = (Path("judged", name).read_text(encoding="utf-8") for name in ("report.html", "README.md"))
    assert page.count("<script") == 1  # ours; the data has one of its own
    assert "<img" not in page
    assert "<script" not in card.replace("\\<", "")
    assert "](http" not in card.replace("\\]", "")
    assert not UNSAFE.search(page + card)


def test_no_cell_of_the_tables_of_predictions_begins_a_formula():
    for path in Path("judged/predictions").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            assert all(neutral(restored(cell)) == cell for row in csv.reader(file) for cell in row), path


def test_an_audit_of_such_a_table_has_the_figures_of_the_run(capsys):
    record = json.loads(Path("judged/run.json").read_text(encoding="utf-8"))
    call("audit", "judged/predictions/test.finetuned.csv", "--json")
    audited = json.loads(capsys.readouterr().out)
    wanted = {
        (s["metric"], s["label"]): s["value"] for s in record["scores"] if (s["split"], s["source"]) == ("test", "finetuned")
    }
    found = {(s["metric"], s["label"]): s["value"] for s in audited["scores"]}
    assert found.keys() & wanted.keys() == wanted.keys()
    assert all(found[key] == value for key, value in wanted.items())
