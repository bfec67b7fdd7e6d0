"""`pretune watch` from start to end: shifts are found and named, nothing counts twice, and bad input has one clear message."""

import json
from pathlib import Path

import pytest
from running import call, read_strictly
from watch_files import shifted, write_rows

from pretune import storage
from pretune.production.watch.kept import read_kept


def watch(capsys, *arguments):
    """Return the exit code and what ``--json`` printed."""
    capsys.readouterr()
    code = call("watch", *arguments, "--json")
    return code, read_strictly(capsys.readouterr().out)


def test_the_clean_twin_raises_no_alarm_and_leaves_a_page(watched, new_rows, capsys):
    code, found = watch(capsys, watched, write_rows(Path("new.csv"), new_rows))
    assert (code, found["alarm"], found["num_new"], found["num_reference"]) == (0, False, 1, 120)
    assert {signal["name"] for signal in found["windows"][0]["signals"]} == {
        "length", "vocabulary", "tokens", "classes", "confidence", "columns", "told_apart",
    }  # fmt: skip
    page = Path(found["page"]).read_text(encoding="utf-8")
    assert "NO ALARM" in page
    assert "<script" not in page
    assert page.count("<html") == 1


def test_planted_words_raise_an_alarm_that_names_them(watched, new_rows, capsys):
    code, found = watch(capsys, watched, write_rows(Path("new.csv"), shifted(new_rows)))
    assert (code, found["alarm"]) == (1, True)
    window = found["windows"][0]
    assert {"vocabulary", "told_apart"} <= {s["name"] for s in window["signals"] if s["p_value"] <= s["level"]}
    assert any(word["word"].startswith("qux") and not word["is_known"] for word in window["words"])
    assert "qux" in Path(found["page"]).read_text(encoding="utf-8")


def test_a_column_that_moved_is_named(watched, new_rows, capsys):
    path = write_rows(Path("new.csv"), new_rows)
    path.write_text(path.read_text().replace(",en,", ",nl,", 200))
    code = call("watch", watched, path)
    assert code == 1
    assert "column lang = nl" in capsys.readouterr().out


def test_a_column_of_dates_is_not_held_against_the_tests(watched, new_rows, capsys):
    code, found = watch(capsys, watched, write_rows(Path("new.csv"), new_rows, days=3, start=20))
    assert code == 0
    assert {signal["column"] for signal in found["windows"][0]["signals"]} == {"", "lang"}


def test_the_same_file_twice_is_counted_once_and_ends_the_same(watched, new_rows, capsys):
    path = write_rows(Path("new.csv"), shifted(new_rows))
    first = watch(capsys, watched, path)
    code, again = watch(capsys, watched, path)
    assert (code, again["num_new"], again["num_looks"]) == (1, 0, 1)
    assert again["windows"] == first[1]["windows"]


def test_days_are_looked_at_once_each_whatever_file_brings_them(watched, new_rows, capsys):
    by_day = ["--time", "day", "--window", "day"]
    _, first = watch(capsys, watched, write_rows(Path("a.csv"), new_rows, days=3), *by_day)
    assert [window["window"] for window in first["windows"]] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    lines = Path("a.csv").read_text().splitlines(keepends=True)
    further = write_rows(Path("c.csv"), new_rows[:60], start=4).read_text().splitlines(keepends=True)[1:]
    Path("b.csv").write_text("".join([lines[0], *[line for line in lines if "11-03" in line], *further]))
    _, second = watch(capsys, watched, "b.csv", *by_day)
    assert [(window["window"], window["num_rows"]) for window in second["windows"]] == [("2026-11-03", 133), ("2026-11-04", 60)]
    assert (second["num_new"], second["num_looks"]) == (1, 4)


def test_what_a_server_logged_is_cut_by_its_seconds(watched, new_rows, capsys):
    lines = [
        json.dumps({"time": 1_796_000_000 + 86_400 * (number // 200), "text": text})
        for number, (text, _) in enumerate(new_rows)
    ]
    Path("log.jsonl").write_text("\n".join(lines) + "\n")
    code, found = watch(capsys, watched, "log.jsonl", "--time", "time", "--window", "day")
    assert (code, [window["num_rows"] for window in found["windows"]]) == (0, [200, 200])
    assert [window["window"] for window in found["windows"]] == ["2026-11-30", "2026-12-01"]


def test_of_a_day_that_grew_only_what_is_new_is_counted(watched, new_rows, capsys):
    by_day = ["--time", "day", "--window", "day"]
    lines = write_rows(Path("a.csv"), new_rows).read_text().splitlines(keepends=True)
    Path("early.csv").write_text("".join(lines[:151]))
    watch(capsys, watched, "early.csv", *by_day)
    _, found = watch(capsys, watched, "a.csv", *by_day)
    assert [(window["num_rows"], window["num_repeated"]) for window in found["windows"]] == [(150, 0), (250, 150)]
    assert {window["key"] for window in found["windows"]} == {"2026-11-01"}


def test_rows_counted_off_go_on_where_a_file_has_grown(watched, new_rows, capsys):
    lines = write_rows(Path("a.csv"), new_rows).read_text().splitlines(keepends=True)
    Path("early.csv").write_text("".join(lines[:251]))
    _, first = watch(capsys, watched, "early.csv", "--window", "100")
    assert [window["num_rows"] for window in first["windows"]] == [100, 100, 50]
    _, found = watch(capsys, watched, "a.csv", "--window", "100")
    assert [window["num_rows"] for window in found["windows"]] == [100, 100, 50, 50, 100]
    assert found["num_new"] == 2


def test_the_same_texts_in_another_file_are_other_rows(watched, new_rows, capsys):
    """Two days may bring the same texts; only what is the same from the first row on is the same file."""
    watch(capsys, watched, write_rows(Path("a.csv"), new_rows))
    _, found = watch(capsys, watched, write_rows(Path("b.csv"), new_rows[1:], seed=3))
    assert (found["num_new"], found["windows"][0]["num_rows"]) == (1, 399)


def test_wrong_answers_raise_an_alarm_once_labels_show_it(watched, new_rows, capsys):
    path = write_rows(Path("new.csv"), new_rows)
    _, right = watch(capsys, watched, path, "--label", "mood")
    figures = {figure["metric"]: figure for figure in right["windows"][0]["figures"]}
    assert figures["accuracy"]["num_rows"] == 400
    flipped = [(text, {"good": "bad", "bad": "good"}[label]) for text, label in make_more(400)]
    code, found = watch(capsys, watched, write_rows(Path("more.csv"), flipped, seed=5), "--label", "mood")
    last = found["windows"][0]
    assert code == 1
    assert any(figure["is_alarm"] and figure["metric"] == "accuracy" for figure in last["figures"])
    assert {figure["since"] for figure in last["figures"] if figure["metric"] == "accuracy"} == {last["window"]}


def make_more(number):
    from tiny import make_rows

    return make_rows(number, seed=99)


def test_labels_that_come_later_count_and_their_rows_do_not_count_again(watched, new_rows, capsys):
    path = write_rows(Path("new.csv"), new_rows)
    watch(capsys, watched, path)
    _, found = watch(capsys, watched, path, "--label", "mood")
    assert [(window["num_rows"], len(window["figures"]) > 0) for window in found["windows"]] == [(400, False), (0, True)]
    assert sum(item["num_rows"] for item in found["windows"][1]["labelled"]) == 400
    _, again = watch(capsys, watched, path, "--label", "mood")
    assert again["num_new"] == 0


def test_few_labels_among_many_rows_are_taken(watched, new_rows, capsys):
    rows = [(text, label if number < 30 else "") for number, (text, label) in enumerate(new_rows)]
    _, found = watch(capsys, watched, write_rows(Path("new.csv"), rows), "--label", "mood")
    assert sum(item["num_rows"] for item in found["windows"][0]["labelled"]) == 30


def test_a_label_that_the_model_does_not_know_is_told_and_wrong(watched, new_rows, capsys):
    rows = [(text, "odd" if number == 0 else label) for number, (text, label) in enumerate(new_rows)]
    _, found = watch(capsys, watched, write_rows(Path("new.csv"), rows), "--label", "mood")
    assert found["windows"][0]["notes"] == ["labels that the model does not know count as wrong: odd"]


def test_what_is_kept_has_no_text(watched, new_rows, capsys):
    watch(capsys, watched, write_rows(Path("new.csv"), new_rows))
    kept = "".join((watched / "watch" / name).read_text() for name in ("looks.jsonl", "recent.json"))
    assert not [text for text, _ in new_rows if text in kept]


def test_classes_are_those_of_predict(watched, new_rows, capsys):
    path = write_rows(Path("new.csv"), new_rows)
    call("predict", watched, "--file", path, "--output", "answers.jsonl", "--quiet")
    said = [json.loads(line)["predicted"] for line in Path("answers.jsonl").read_text().splitlines()]
    _, found = watch(capsys, watched, path)
    signal = next(item for item in found["windows"][0]["signals"] if item["name"] == "classes")
    assert signal["now"] == pytest.approx(sum(item == signal["item"] for item in said) / 400)


def test_a_kill_between_the_two_files_counts_nothing_twice_and_loses_nothing(watched, new_rows, capsys):
    path = write_rows(Path("new.csv"), new_rows)
    watch(capsys, watched, path, "--window", "200")
    looks = watched / "watch" / "looks.jsonl"
    lines = looks.read_bytes().splitlines(keepends=True)
    storage.replace(looks, b"".join(lines[:-1]))  # killed before the second look was told
    _, found = watch(capsys, watched, path, "--window", "200")
    assert [window["num_rows"] for window in found["windows"]] == [200, 200]
    assert len(read_kept(watched / "watch").looks) == 2


def test_a_changed_look_is_told(watched, new_rows, capsys):
    watch(capsys, watched, write_rows(Path("new.csv"), new_rows))
    looks = watched / "watch" / "looks.jsonl"
    looks.write_bytes(looks.read_bytes().replace(b'"num_rows": 400', b'"num_rows": 300', 1))
    code, found = watch(capsys, watched, "new.csv")
    assert code == 4
    assert "looks.jsonl" in found["error"]["got"]


def test_verify_knows_the_looks_of_a_run(watched, new_rows, capsys):
    watch(capsys, watched, write_rows(Path("new.csv"), new_rows))
    assert call("verify", watched) == 0
    assert "no digest" not in capsys.readouterr().out
    looks = watched / "watch" / "looks.jsonl"
    looks.write_bytes(looks.read_bytes().replace(b'"num_rows": 400', b'"num_rows": 300', 1))
    assert call("verify", watched) == 4
    assert "watch" in capsys.readouterr().out


BAD = {
    "no such file": (["nosuch.csv"], "nosuch.csv"),
    "no such column of labels": (["new.csv", "--label", "nosuch"], "'nosuch'"),
    "no such column of time": (["new.csv", "--time", "nosuch", "--window", "day"], "'nosuch'"),
    "no such column of text": (["new.csv", "--text", "nosuch"], "nosuch"),
    "time without a window": (["new.csv", "--time", "day"], "--time without --window"),
    "a window that is none": (["new.csv", "--window", "month"], "--window month"),
    "a window of no rows": (["new.csv", "--window", "0"], "--window 0"),
    "a column without dates": (["new.csv", "--time", "lang", "--window", "day"], "has no dates"),
    "no column with dates": (["undated.csv", "--window", "week"], "no column has dates"),
    "no rows": (["empty.csv"], "no rows"),
    "another table": (["other.csv"], "'text'"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_has_one_clear_message(bad, watched, new_rows, capsys):
    write_rows(Path("new.csv"), new_rows[:20])
    Path("undated.csv").write_text("text,mood\na b c,good\nd e f,bad\n")
    Path("empty.csv").write_text("text,mood\n")
    Path("other.csv").write_text("body,stars\na b c,1\nd e f,2\n")
    arguments, named = BAD[bad]
    code, found = watch(capsys, watched, *arguments)
    assert code == 2
    assert named in found["error"]["got"] + found["error"]["expected"]
    assert found["error"]["fix"] or found["error"]["expected"]
    assert not (watched / "watch" / "looks.jsonl").exists()


def test_a_run_that_was_not_judged_cannot_be_watched(finetuned, capsys):
    code, found = watch(capsys, finetuned, "reviews.csv")
    assert code == 2
    assert "no verdict" in found["error"]["got"]
    assert "pretune judge" in found["error"]["fix"]
