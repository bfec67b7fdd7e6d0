"""The dossier: the facts of a run under their headings, the questions that are left, and answers that are kept."""

import html
import json
import re
import shutil
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from running import call

from pretune.production.dossier import make
from pretune.production.dossier.contents import FIELDS, OUTLINE
from pretune.production.dossier.questions import QUESTIONS
from pretune.run import RunFolder


def say(capsys):
    return json.loads(capsys.readouterr().out)


def write(run, capsys, *more):
    assert call("dossier", str(run), "--json", *more) == 0
    told = say(capsys)
    return told, Path(told["dossier"]).read_text()


class Tags(HTMLParser):
    """Checks that tags are closed in the order in which they were opened."""

    VOID = ("meta", "input", "br", "line", "rect", "circle", "polyline", "path")

    def __init__(self):
        super().__init__()
        self.open, self.ids = [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_every_point_of_the_annex_and_every_field_of_a_card_has_its_place():
    points = [point for _, _, point, _, _ in OUTLINE]
    letters = [f"2 ({letter})" for letter in "abcdefgh"]
    assert points == ["1", "2", *letters, *(str(number) for number in range(3, 10))]
    numbers = {number for number, *_ in OUTLINE}
    assert {question.section for question in QUESTIONS} <= numbers
    assert {place for _, places in FIELDS for place in places.split(", ")} <= numbers
    assert len({question.key for question in QUESTIONS}) == len(QUESTIONS)


def test_the_dossier_of_a_judged_run_has_its_facts(judged, capsys):
    told, page = write(judged, capsys)
    record = RunFolder(judged).read_record()
    assert told["open"] == len(QUESTIONS)
    assert told["answered"] == 0
    for question in QUESTIONS:
        assert f"<code>{question.key}</code>" in page
    for name, digest in record.digests.items():
        assert name in page
        assert digest in page
    accuracy = next(score for score in record.scores if score.name == "accuracy" and score.split == "test")
    assert f"{accuracy.value:.3f}" in page
    assert record.receipt is not None
    assert all(split.digest in page for split in record.receipt.splits)
    assert "Openings of the sealed test" in page
    assert "pretune judge first --recompute" in page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))


def test_the_page_asks_no_network_and_runs_no_script(judged, capsys):
    _, page = write(judged, capsys)
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", page) == []
    assert "default-src 'none'" in html.unescape(page)


def test_the_run_is_left_as_it_was(judged, capsys):
    before = {file: file.read_bytes() for file in judged.rglob("*") if file.is_file()}
    write(judged, capsys)
    assert {file: file.read_bytes() for file in judged.rglob("*") if file.is_file()} == before
    assert call("verify", str(judged), "--json") == 0


def test_answers_are_shown_and_kept(judged, capsys):
    told, _ = write(judged, capsys)
    answers = Path(told["answers"])
    own = answers.read_text().replace(
        'purpose = """\n"""', 'purpose = """\nSorts <b>reviews</b>.\n\nDecides about nobody.\n"""'
    )
    answers.write_text(own + "# my own note\n")
    told, page = write(judged, capsys)
    assert (told["answered"], told["open"]) == (1, len(QUESTIONS) - 1)
    assert "<p>Sorts &lt;b&gt;reviews&lt;/b&gt;.</p><p>Decides about nobody.</p>" in page.replace("\n", "")
    assert answers.read_text() == own + "# my own note\n"


def test_a_long_answer_is_not_cut(judged, capsys):
    told, _ = write(judged, capsys)
    text = "word " * 2_000 + "end"
    Path(told["answers"]).write_text(f'purpose = "{text}"\n')
    assert text in write(judged, capsys)[1]


def test_questions_that_a_file_lacks_are_added_and_nothing_else(judged, capsys):
    told, _ = write(judged, capsys)
    answers = Path(told["answers"])
    answers.write_text('# mine\npurpose = "x"\n')
    write(judged, capsys)
    assert answers.read_text().startswith('# mine\npurpose = "x"\n')
    assert tomllib.loads(answers.read_text()).keys() == {question.key for question in QUESTIONS}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("purpose = ", "cannot read"),
        ('purpse = "x"', "answers 'purpse'"),
        ("purpose = 3", "purpose is 3"),
        ('purpose = """x', "cannot read"),
    ],
)
def test_answers_that_cannot_be_read_are_named_and_kept(judged, capsys, text, said):
    told, _ = write(judged, capsys)
    Path(told["answers"]).write_text(text)
    assert call("dossier", str(judged), "--json") == 2
    assert said in say(capsys)["error"]["got"]
    assert Path(told["answers"]).read_text() == text


def test_answers_that_are_older_than_the_run_are_told(judged, capsys):
    import os

    told, _ = write(judged, capsys)
    Path(told["answers"]).write_text('purpose = "x"\n')
    os.utime(told["answers"], (0, 0))
    make.read_answers(Path(told["answers"]))
    assert "check that they still hold" in make.render_dossier(_dossier(judged, Path(told["answers"])))


def _dossier(run, answers):
    from pretune.production.dossier.contents import build_dossier

    folder = RunFolder(run)
    record = folder.read_record()
    return build_dossier(folder, record, {"purpose": "x"}, folder.read_events(), note=make._note_on(answers, record))


def test_a_run_that_is_not_judged_says_so(finetuned, capsys):
    _, page = write(finetuned, capsys)
    assert "Not judged" in page
    assert "The test is still sealed" in page


def test_a_file_of_another_kind_is_refused(judged, capsys):
    assert call("dossier", str(judged), "--output", "x.docx", "--json") == 2
    assert ".html or .pdf" in say(capsys)["error"]["expected"]


def test_without_a_browser_a_pdf_is_refused_before_anything_is_written(judged, capsys, monkeypatch):
    monkeypatch.setattr(make.shutil, "which", lambda _: None)
    assert call("dossier", str(judged), "--output", "x.pdf", "--json") == 2
    assert "print it from your browser" in say(capsys)["error"]["fix"]
    assert not Path("x.toml").exists()


@pytest.mark.skipif(not any(map(shutil.which, make.BROWSERS)), reason="needs a browser that prints")
def test_a_browser_prints_it(judged, capsys):
    assert call("dossier", str(judged), "--output", "x.pdf", "--json") == 0
    assert Path(say(capsys)["dossier"]).read_bytes().startswith(b"%PDF-")


def test_what_is_no_run_is_named(tmp_path, capsys):
    assert call("dossier", str(tmp_path / "nothing"), "--json") == 2
    assert "run" in say(capsys)["error"]["expected"]
