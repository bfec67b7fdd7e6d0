"""Predicting on files: the run's columns, one answer a row, and a file that is whole or can be resumed."""

import csv
import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from running import COLUMNS, call, python, read_strictly, reseal, write_reviews

from pretune.errors import ModelLoadError
from pretune.evaluate.baselines import fit_linear
from pretune.records import Example
from pretune.run import RunFolder
from pretune.storage.cells import restored
from pretune.tasks.classify.predict import predict_texts
from tiny import make_rows

TEXT = COLUMNS[1]


@pytest.fixture
def linear(tmp_path, monkeypatch):
    """A linear model that knows no columns, in the current folder."""
    monkeypatch.chdir(tmp_path)
    rows = [Example(id=str(number), text=text, label=label) for number, (text, label) in enumerate(make_rows(80))]
    fit_linear(rows).save(tmp_path / "linear")
    return Path("linear")


def predicted(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def rows_of(path: str) -> list[dict[str, str]]:
    """The rows of a CSV that was written, as they were before they were made neutral."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [{name: restored(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


# columns


@pytest.mark.parametrize("place", ["", "model", "linear"])
def test_the_columns_of_the_run_are_read_though_another_is_called_text(place, judged, write_csv, capsys):
    rows = make_rows(6, seed=4)
    path = write_csv([(1, "not this one", text, "x") for text, _ in rows], columns=("n", "text", TEXT, "comment"))
    assert call("predict", judged / place, "--file", path, "--json", "--quiet") == 0
    answers = predicted(capsys)
    assert [row["text"] for row in answers] == [text for text, _ in rows]
    assert [row["predicted"] for row in answers] == [label for _, label in rows]


def test_a_model_folder_alone_knows_its_columns(judged, write_csv, capsys, tmp_path):
    (judged / "model").rename(tmp_path / "alone")
    path = write_csv([("not this one", "a great film")], columns=("text", TEXT))
    assert call("predict", tmp_path / "alone", "--file", path, "--json", "--quiet") == 0
    assert [row["text"] for row in predicted(capsys)] == ["a great film"]


@pytest.mark.parametrize("place", ["", "model", "linear"])
def test_a_table_without_the_columns_is_refused_with_the_way_out(place, judged, write_csv, capsys):
    path = write_csv([("a great film", "good")])
    assert call("predict", judged / place, "--file", path, "--json") == 2
    error = read_strictly(capsys.readouterr().out)["error"]
    assert repr(TEXT) in error["got"]
    assert "'text', 'label'" in error["expected"]
    assert "--text" in error["fix"]
    assert call("predict", judged / place, "--file", path, "--text", "text", "--json", "--quiet") == 0
    assert [row["text"] for row in predicted(capsys)] == ["a great film"]


def test_several_columns_are_joined_as_the_run_joined_them(judged, write_csv, capsys):
    record = json.loads((judged / "run.json").read_text())
    record["receipt"]["columns"]["text"] = ["title", "body"]
    (judged / "run.json").write_text(json.dumps(record))
    reseal(judged)
    path = write_csv([("one", "a text", "two"), ("three", "a text", "")], columns=("title", "text", "body"))
    assert call("predict", judged / "linear", "--file", path, "--json", "--quiet") == 0
    assert [row["text"] for row in predicted(capsys)] == ["one\ntwo", "three"]
    path = write_csv([("one", "a text")], columns=("title", "text"))
    assert call("predict", judged / "linear", "--file", path) == 2
    assert "'body': runs/first/linear learned from the text in 'title' and 'body'" in capsys.readouterr().err


def test_where_no_columns_are_known_the_guess_is_told(linear, write_csv, capsys):
    path = write_csv([("a great film", "good")])
    assert call("predict", linear, "--file", path, "--json") == 0
    told = capsys.readouterr().err
    assert "linear does not say which columns it learned from; text column guessed: 'text'" in told
    assert "label column" not in told


def test_a_file_of_lines_is_read_by_every_model(judged, capsys):
    Path("lines.txt").write_text("a great film\n\nan awful film\n")
    assert call("predict", judged, "--file", "lines.txt", "--json", "--quiet") == 0
    assert [row["id"] for row in predicted(capsys)] == ["lines.txt:1", "lines.txt:3"]


def test_a_file_that_is_not_utf_8_is_read_in_the_encoding_of_the_run_and_that_is_told(judged, capsys):
    record = json.loads((judged / "run.json").read_text())
    record["configs"]["read"]["encoding"] = "windows-1252"
    (judged / "run.json").write_text(json.dumps(record))
    reseal(judged)
    Path("new.csv").write_bytes(f"{TEXT}\na gréat film\n".encode("windows-1252"))
    assert call("predict", judged / "linear", "--file", "new.csv", "--json") == 0
    out, told = capsys.readouterr()
    assert json.loads(out)["text"] == "a gréat film"
    assert "it is read as windows-1252, like the data of the run" in told
    Path("new.csv").write_text(f"{TEXT}\na gréat film\n", encoding="utf-8")  # what UTF-8 reads is UTF-8
    assert call("predict", judged / "linear", "--file", "new.csv", "--json", "--quiet") == 0
    assert json.loads(capsys.readouterr().out)["text"] == "a gréat film"


# rows


def test_every_row_has_an_answer_in_order_and_an_empty_one_its_reason(linear, capsys):
    lines = ["text,label", "a great film,x", " ,x", "an awful film,x", "too,many,cells", "​,x", *["fine film,x"] * 200]
    Path("gaps.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert call("predict", linear, "--file", "gaps.csv", "--json") == 0
    out, told = capsys.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in answers] == [f"gaps.csv:{number}" for number in range(2, 207)]
    assert [row["predicted"] is None for row in answers[:6]] == [False, True, False, True, True, False]
    assert answers[1]["error"] == "the text is empty"
    assert answers[3]["error"] == "has 3 cells, the header has 2"
    assert answers[0]["error"] is None
    assert answers[1]["probabilities"] is None
    (line,) = [line for line in told.splitlines() if "without an answer" in line]
    assert "3 without an answer (the text is empty: 1, has 3 cells, the header has 2: 1, " in line


def test_a_table_most_of_which_is_blank_is_answered_and_one_without_a_text_refused(linear, write_csv, capsys):
    assert call("predict", linear, "--file", write_csv([("fine", "x"), *[(" ", "x")] * 30]), "--text", "text") == 0
    assert capsys.readouterr().out.count("(the text is empty)") == 30
    assert call("predict", linear, "--file", write_csv([(" ", "x")] * 30), "--text", "text") == 2
    assert "none of its 30 rows has a text" in capsys.readouterr().err


def test_rows_that_cannot_be_read_stop_it_unless_they_are_allowed(linear, capsys):
    Path("broken.csv").write_text("text,label\n" + "a great film,x\n" * 20 + "a,b,c\n" * 2)
    assert call("predict", linear, "--file", "broken.csv", "--json") == 2
    error = read_strictly(capsys.readouterr().out)["error"]
    assert "2 of 22 rows cannot be read (9.1 %)" in error["got"]
    assert "--allow-rejects" in error["fix"]
    assert call("predict", linear, "--file", "broken.csv", "--json", "--quiet", "--allow-rejects") == 0
    assert [row["predicted"] is None for row in predicted(capsys)] == [False] * 20 + [True] * 2


def test_lines_of_standard_input_have_an_answer_each(linear, monkeypatch, capsys, tmp_path):
    (tmp_path / "in").write_text("\na great film\n\nan awful film\n")
    with (tmp_path / "in").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert call("predict", linear, "--json") == 0
    assert [(row["id"], row["predicted"], row["error"]) for row in predicted(capsys)] == [
        ("text 1", None, "the text is empty"), ("text 2", "good", None), ("text 3", None, "the text is empty"),
        ("text 4", "bad", None),
    ]  # fmt: skip


def test_a_text_cannot_draw_on_the_terminal(linear, capsys):
    assert call("predict", linear, "a great film\x1b[2J\x1b[31m") == 0
    assert "\x1b" not in capsys.readouterr().out


# output


ENDINGS = ["csv", "csv.gz", "tsv", "tsv.gz", "jsonl", "jsonl.gz", "parquet"]


def read_output(path: Path) -> list[dict]:
    """Rows of any format, empty cells as ``None``."""
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        return parquet.read_table(path).to_pylist()
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.splitlines()]
    rows = csv.DictReader(text.splitlines(keepends=True), delimiter="\t" if ".tsv" in path.name else ",")
    found = [{name: restored(cell) or None for name, cell in row.items()} for row in rows]
    return [{name: float(cell) if name[:2] == "p:" and cell else cell for name, cell in row.items()} for row in found]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_holds_the_same_rows(ending, linear, capsys):
    texts = ["a great film", " ", "=1+1 awful", 'two\nlines, "quoted"\t!', "ça va"]
    Path("in.jsonl").write_text("".join(json.dumps({"n": 7, "text": text, "at": None}) + "\n" for text in texts))
    assert call("predict", linear, "--file", "in.jsonl", "--keep", "all", "--output", f"out.{ending}", "--quiet") == 0
    assert "5 rows" in capsys.readouterr().out
    rows = read_output(Path(f"out.{ending}"))
    assert list(rows[0]) == ["id", "n", "text", "at", "predicted", "p:bad", "p:good", "error"]
    assert [row["text"] if row["text"] else " " for row in rows] == texts
    assert [row["n"] for row in rows] == ["7"] * 5
    assert [row["at"] for row in rows] == [None] * 5
    assert [row["predicted"] is None for row in rows] == [False, True, False, False, False]
    assert [row["error"] for row in rows] == [None, "the text is empty", None, None, None]
    assert rows[0]["p:bad"] + rows[0]["p:good"] == pytest.approx(1)
    assert sorted(item.name for item in Path().iterdir() if "out." in item.name) == [f"out.{ending}"]


def test_without_keep_a_row_is_its_id_and_its_answer(linear, write_csv):
    path = write_csv([("a great film", "good"), ("an awful film", "bad")])
    assert call("predict", linear, "--file", path, "--output", "out.csv", "--quiet") == 0
    assert [list(row)[:2] for row in rows_of("out.csv")] == [["id", "predicted"]] * 2
    assert [row["id"] for row in rows_of("out.csv")] == ["rows.csv:2", "rows.csv:3"]


def test_audit_reads_answers_with_the_labels_that_were_kept(linear, write_csv, capsys):
    rows = make_rows(120, seed=3)
    path = write_csv([(index, text, label) for index, (text, label) in enumerate(rows)], columns=("id", "text", "label"))
    assert call("predict", linear, "--file", path, "--keep", "id,label", "--output", "out.csv", "--quiet") == 0
    capsys.readouterr()
    assert call("audit", "out.csv", "--json") in (0, 1, 3)
    audited = read_strictly(capsys.readouterr().out)
    (accuracy,) = [score for score in audited["scores"] if score["metric"] == "accuracy"]
    answers = rows_of("out.csv")
    assert [row["id"] for row in answers] == [str(number) for number in range(120)]
    assert accuracy["value"] == pytest.approx(sum(row["label"] == row["predicted"] for row in answers) / 120)


def test_json_says_what_became_of_the_rows(linear, write_csv, capsys):
    path = write_csv([("a great film", "good"), (" ", "bad"), ("an awful film", "bad")])
    assert call("predict", linear, "--file", path, "--output", "out.csv", "--json", "--quiet") == 0
    told = read_strictly(capsys.readouterr().out)
    assert (told["schema"], told["output"]) == (1, "out.csv")
    assert (told["num_rows"], told["num_answered"], told["num_empty"]) == (3, 2, 1)
    assert told["reasons"] == {"the text is empty": 1}
    assert sum(told["predicted"].values()) == 2


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--output", "out.xlsx"], "does not tell the format"),
        (["--output", "out.parquet.gz"], "does not tell the format"),
        (["--output", "nowhere/out.csv"], "there is no folder nowhere"),
        (["--output", "out.csv", "--keep", "labels"], "'labels'"),
        (["--output", "out.csv", "--keep", "predicted"], "'predicted'"),
        (["--overwrite"], "--overwrite without --output"),
        (["--keep", "label"], "--keep without --output or --json"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_answered(flags, words, linear, write_csv, capsys):
    path = write_csv([("a great film", "good", "x")], columns=("text", "label", "predicted"))
    before = sorted(Path().iterdir())
    assert call("predict", linear, "--file", path, *flags) == 2
    assert words in capsys.readouterr().err
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("flag", ["--output", "--keep", "--encoding"])
def test_flags_of_a_file_need_one(flag, linear, capsys):
    assert call("predict", linear, "a text", flag, "x.csv") == 2
    assert f"{flag} without --file" in capsys.readouterr().err


def test_a_file_that_is_there_is_replaced_only_when_asked(linear, write_csv, capsys):
    path = write_csv([("a great film", "good")])
    Path("out.csv").write_text("mine")
    assert call("predict", linear, "--file", path, "--output", "out.csv") == 2
    assert "out.csv exists" in capsys.readouterr().err
    assert Path("out.csv").read_text() == "mine"
    assert call("predict", linear, "--file", path, "--output", "out.csv", "--overwrite", "--quiet") == 0
    assert rows_of("out.csv")[0]["predicted"] == "good"


# resuming


def write_many(path: Path, number: int) -> Path:
    rows = make_rows(400, seed=8)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "n"])
        writer.writerows([(f"{rows[index % 400][0]} {index}", index) for index in range(number)])
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_resumed_file_is_the_same_to_the_byte(ending, linear, monkeypatch, capsys):
    write_many(Path("many.csv"), 4000)
    monkeypatch.setattr("pretune.tasks.classify.predict.path.CHUNK", 1024)
    command = ["predict", linear, "--file", "many.csv", "--text", "text", "--keep", "n", "--json"]
    assert call(*command, "--output", f"whole.{ending}", "--quiet") == 0
    monkeypatch.setattr("pretune.tasks.classify.predict.path.SECONDS_BETWEEN_MARKS", 0.0)
    asked = []

    def interrupted(answering, questions, items):
        asked.append(len(items))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return answer_items(answering, questions, items)

    from pretune.tasks.classify.predict.path import answer_items

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("pretune.tasks.classify.predict.path.answer_items", interrupted)
        os.link(f"whole.{ending}", f"kept.{ending}")
        Path(f"whole.{ending}").unlink()
        assert call(*command, "--output", f"whole.{ending}") == 130
    error = read_strictly(capsys.readouterr().out)["error"]
    assert f"2,048 of 4,000 rows are answered, in whole.{ending}.part" in error["got"]
    assert not Path(f"whole.{ending}").exists()
    with Path(f"whole.{ending}.part").open("ab") as file:
        file.write(b"torn")
    assert call(*command, "--output", f"whole.{ending}", "--quiet") == 0
    assert read_strictly(capsys.readouterr().out)["resumed_at"] == 2048
    assert Path(f"whole.{ending}").read_bytes() == Path(f"kept.{ending}").read_bytes()
    assert not list(Path().glob("*.part*"))


@pytest.mark.parametrize("change", ["data", "model", "keep"])
def test_another_command_does_not_go_on_with_what_was_begun(change, linear, monkeypatch, capsys):
    write_many(Path("many.csv"), 50)
    command = ["predict", linear, "--file", "many.csv", "--text", "text", "--output", "out.csv", "--quiet"]

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pretune.tasks.classify.predict.path.answer_items", interrupted)
        assert call(*command) == 130
    if change == "data":
        write_many(Path("many.csv"), 49)
    elif change == "model":
        rows = [Example(id=str(number), text=text, label=label) for number, (text, label) in enumerate(make_rows(60))]
        fit_linear(rows).save(Path("linear"))
    else:
        command += ["--keep", "n"]
    before = Path("out.csv.part").read_bytes()
    capsys.readouterr()
    assert call(*command) == 2
    assert "was started by another command or from other data" in capsys.readouterr().err
    assert Path("out.csv.part").read_bytes() == before
    assert call(*command, "--overwrite") == 0


@pytest.mark.usefixtures("linear")
def test_a_killed_command_leaves_whole_rows_and_goes_on(tmp_path):
    write_many(Path("many.csv"), 20_000)
    command = python(
        "-m", "pretune", "predict", "linear", "--file", "many.csv", "--text", "text", "--output", "out.csv", "--quiet"
    )
    assert subprocess.run([*command[:-2], "whole.csv", "--quiet"], check=True, capture_output=True).returncode == 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part, deadline = tmp_path / "out.csv.part", time.monotonic() + 60
    while time.monotonic() < deadline and not (part.exists() and part.stat().st_size > 100_000):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out.csv").exists()
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len(rows_of("out.csv")) == 20_000


def test_a_part_of_unknown_origin_is_left_alone(linear, write_csv, capsys):
    path = write_csv([("a great film", "good")])
    Path("out.csv.part").write_text("somebody's")
    assert call("predict", linear, "--file", path, "--output", "out.csv") == 2
    assert "out.csv.part exists" in capsys.readouterr().err
    assert Path("out.csv.part").read_text() == "somebody's"


def test_the_network_and_its_files_give_the_answers_of_single_texts(judged, capsys):
    rows = make_rows(50, seed=6)
    write_reviews(Path("new.csv"), rows)
    assert call("predict", judged, "--file", "new.csv", "--output", "out.jsonl", "--keep", "all", "--quiet") == 0
    capsys.readouterr()
    answers = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row[TEXT] for row in answers] == [text for text, _ in rows]
    assert call("predict", judged, *[text for text, _ in rows], "--json") == 0
    single = predicted(capsys)
    assert [row["predicted"] for row in answers] == [row["predicted"] for row in single]
    assert [row["p:good"] for row in answers] == pytest.approx([row["probabilities"]["good"] for row in single], abs=1e-5)


def test_a_large_file_is_gone_through_and_answered_as_a_small_one_is(linear, monkeypatch):
    write_many(Path("many.csv"), 3000)
    command = ["predict", linear, "--file", "many.csv", "--text", "text", "--keep", "all", "--quiet", "--output"]
    assert call(*command, "held.csv") == 0
    monkeypatch.setattr("pretune.data.read.stream.MAX_HELD", 0)
    assert call(*command, "streamed.csv") == 0
    assert Path("streamed.csv").read_bytes() == Path("held.csv").read_bytes()


def test_the_linear_model_answers_without_torch(linear):
    code = "import sys; from pretune.cli.app import _run; _run(['predict', 'linear', 'a great film']); print(*sys.modules)"
    said = subprocess.run(python("-c", code), check=True, capture_output=True, text=True).stdout
    assert linear.is_dir()
    assert {"torch", "transformers"} & set(said.split()) == set()


def test_a_network_answers_without_scikit_learn(finetuned):
    code = f"import sys; from pretune.cli.app import _run; _run(['predict', {str(finetuned)!r}, 'a film']); print(*sys.modules)"
    said = subprocess.run(python("-c", code), check=True, capture_output=True, text=True).stdout
    assert "torch" in said.split()
    assert {"sklearn", "pandas", "scipy.stats"} & set(said.split()) == set()


def test_the_bound_on_the_size_of_a_file_holds(linear, write_csv, capsys):
    path = write_csv([("a great film", "good")] * 20)
    assert call("predict", linear, "--file", path, "--max-size", "100", "--json") == 2
    assert "--max-size" in read_strictly(capsys.readouterr().out)["error"]["fix"]


def test_the_encoder_linear_baseline_of_a_run_answers_as_it_was_scored(judged, tmp_path):
    folder = RunFolder(judged)
    known = folder.read_predictions("validation", "encoder_linear")
    rows = [(row.id, row.text) for row in folder.read_examples("validation")]
    found = predict_texts(str(judged / "encoder_linear"), rows)
    assert [item["predicted"] for item in found] == list(known.predicted)
    (judged / "encoder_linear").rename(tmp_path / "alone")
    with pytest.raises(ModelLoadError, match="is not in its run"):
        predict_texts(str(tmp_path / "alone"), rows)
