"""The report in a real browser: what everybody must be able to see, read, print and use."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from wide_record import record_of

from pretune.records import ProbabilityView, ReliabilityBin
from pretune.report.page import html as module
from pretune.report.page.html import render_chat, render_html
from pretune.report.pretraining import render_pretraining

SCRIPT = Path(__file__).parents[3] / "tools" / "report_pages.mjs"
PICTURES = Path(__file__).parent / "pictures"  # written anew with PRETUNE_RENEW_PICTURES=1; look at them before you keep them
RENEWS = os.environ.get("PRETUNE_RENEW_PICTURES") == "1"
# A dot of a picture is the mean brightness of 40 × 40 pixels and may differ by 6 of 255; so many may differ by more. That lets
# another drawing of letters pass, and finds a line that moved, a column that is gone, an empty chart, a lost colour.
MAX_DIFFERENT = 0.005
MAX_BYTES, MAX_PRINTED = 300_000, 6
NOT_THERE = "npm install --prefix FOLDER playwright-core axe-core, and PRETUNE_NODE_MODULES=FOLDER/node_modules"

pytestmark = pytest.mark.slow


def look_at(folder: Path, *more: str) -> dict[str, dict]:
    """Open every page in a folder in Chromium, and return what the script found, by name; ``more`` is said to the script."""
    found = look(*more, *map(str, sorted(folder.rglob("*.html"))))
    return {page["page"].removeprefix(f"{folder}/").removesuffix(".html"): page for page in found}


def look(*arguments: str) -> list[dict]:
    """Run the script, and return what it found of each page; skip where there is no browser."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    modules = Path(os.environ.get("PRETUNE_NODE_MODULES", "node_modules"))
    if browser is None or shutil.which("node") is None:
        pytest.skip("there is no Chromium or no Node.js")
    if not (modules / "playwright-core").is_dir() or not (modules / "axe-core").is_dir():
        pytest.skip(f"playwright-core and axe-core are not installed: {NOT_THERE}")
    command = ["node", str(SCRIPT), "--modules", str(modules.resolve()), "--browser", browser, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=570, check=True)
    return json.loads(done.stdout)


def pictures_of(found):
    """Return what the stored pictures of a page say, by view; skip where letters are drawn otherwise than in them."""
    stored = json.loads((PICTURES / "letters.json").read_text())
    if found["letters"] != stored["letters"]:
        pytest.skip(f"other fonts than those of the stored pictures, which were made with Chromium {stored['browser']}")
    views = {view: seen["picture"] for view, seen in found["views"].items()} | {"printed": found["printed"]["picture"]}
    return {view: picture["differ"] / picture["of"] for view, picture in views.items()}


@pytest.fixture
def looked(
    record,
    events,
    pretraining,
    pretrained,
    talked,
    hostile_record,
    hostile_events,
    hostile_pretrained,
    hostile_talked,
    tmp_path,
):
    """What is found on pages of every kind."""
    view = ProbabilityView(
        source="finetuned", split="validation", label="pos", claimed="pos", num_examples=100, num_positives=50,
        bins=tuple(ReliabilityBin(claimed=p, came_true=p, low=p - 0.1, high=p + 0.1, num_examples=25) for p in (0.2, 0.8)),
    )  # fmt: skip
    pages = {
        "whole": render_html(replace(record, pretraining=pretraining), events, view=view),
        "unjudged": render_html(replace(record, verdict=None, scores=(), confusions=(), comparisons=()), events),
        "many": render_html(record_of(77)),
        "hostile": render_html(hostile_record, hostile_events),
        "talked": render_chat(talked, events),
        "hostile-talked": render_chat(hostile_talked, hostile_events),
        "pretrained": render_pretraining(pretrained, events),
        "hostile-pretrained": render_pretraining(hostile_pretrained, hostile_events),
    }
    for name, page in pages.items():
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    return look_at(tmp_path)


def test_everybody_can_read_print_and_use_every_page(looked):
    for name, found in looked.items():
        for view, seen in found["views"].items():
            where = f"{name}, {view}"
            assert seen["told"] == [], where  # no error, dialog or request
            assert seen["violations"] == [], where
            for state in ("folded", "unfolded"):
                assert not seen[state]["scrolls_sideways"], where
                assert seen[state]["outside"] == [], where
                assert seen[state]["unordered_headings"] == seen[state]["broken_links"] == [], where
                assert seen[state]["charts_without_text"] == 0, where
            if seen.get("keyboard"):
                assert seen["keyboard"]["reached"] == seen["keyboard"]["must"], where
        assert not found["printed"]["scrolls_sideways"], name
        assert found["printed"]["outside"] == found["printed"]["hidden_terms"] == [], name
        assert found["printed"]["pages"] <= MAX_PRINTED or name.startswith("hostile"), name
        assert found["bytes"] <= MAX_BYTES, name
        assert found["used"]["dead_controls"] == 0, name
        assert found["used"]["unfolds_without_script"], name
        assert (found["used"].get("quiz") is not None) == ("Practice" in found["used"]["titles"]), name
    quiz = looked["whole"]["used"]["quiz"]
    assert quiz["right"] == quiz["percent"] == "✓ Right."
    assert quiz["solution"]
    assert quiz["focused"]
    assert quiz["counted"].endswith("; 1 of 1 right")
    assert quiz["unread"].startswith("Type a number")
    assert quiz["wrong"] == f"✗ Not right. {quiz['why']}"

    whole = looked["whole"]
    for seen in whole["views"].values():
        assert seen["first"]["next_ends_at"] < seen["first"]["height"], "the first screen decides"

    used = whole["used"]
    assert used["link_unfolds"]
    assert " at " in used["hovered"]
    assert " at " in used["by_key"]
    assert used["before"] == used["back"] != used["highest"]
    assert "Threshold0.62" in used["before"]

    falling, rising = ([float(text.split()[0]) for text in looked["many"]["used"][key]] for key in ("sorted", "sorted_again"))
    assert falling == sorted(falling, reverse=True)
    assert rising == falling[::-1]
    assert looked["many"]["used"]["filtered"] == "0 of 77"


@pytest.fixture
def addresses(judged):
    """Serve a run of the current folder as `pretune view` and `pretune serve` do; give the addresses of their pages."""
    with ExitStack() as stack:
        yield [stack.enter_context(_serving(command, str(judged))) for command in ("view", "serve")]


@contextmanager
def _serving(command, run):
    words = [sys.executable, "-m", "pretune", command, run, "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://[0-9.:]+/", line)))
        finally:
            process.terminate()


def test_everybody_can_read_and_use_the_pages_that_are_served(addresses):
    for found in look(*addresses):
        for view, seen in found["views"].items():
            where = f"{found['page']}, {view}"
            assert seen["told"] == seen["violations"] == [], where
            for state in ("folded", "unfolded"):
                assert not seen[state]["scrolls_sideways"], where
                assert seen[state]["outside"] == seen[state]["unordered_headings"] == seen[state]["broken_links"] == [], where
            if seen.get("keyboard"):
                assert seen["keyboard"]["reached"] == seen["keyboard"]["must"], where


FAULTS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title></head><body><main><h1>a</h1><h3>b</h3>
<details class="part"><summary>c</summary><div class="body">d</div></details>
<p style="color: #aaa; background: #fff">pale</p><svg width="9" height="9"></svg><a href="#nowhere">gone</a><img src="data:,">
<table><tr><td style="position: relative; left: -50px">out</td></tr></table><p style="width: 3000px">wide</p>
<script>console.error("wrong"); alert(1);</script></main></body></html>"""


def test_a_page_with_faults_is_found_out(tmp_path):
    (tmp_path / "faults.html").write_text(FAULTS, encoding="utf-8")
    seen = look_at(tmp_path)["faults"]["views"]["wide light"]
    assert seen["told"] == ["wrong", "dialog 1"]
    assert {"color-contrast", "image-alt"} <= {item["id"] for item in seen["violations"]}
    assert seen["folded"]["scrolls_sideways"]
    assert any("out" in item for item in seen["folded"]["outside"])
    assert seen["folded"]["unordered_headings"] == [3]
    assert seen["folded"]["broken_links"] == ["nowhere"]
    assert seen["folded"]["charts_without_text"] == 1


KEPT = {"usual": render_html, "talked": render_chat, "pretrained": render_pretraining}  # pages of which pictures are kept


@pytest.fixture
def compared(record, events, talked, pretrained, tmp_path, monkeypatch):
    """Return a function that writes pages of which pictures are kept, each with a style added, and compares them."""
    records, read = {"usual": record, "talked": talked, "pretrained": pretrained}, module.read_part

    def write(name, style="", folder=""):
        with monkeypatch.context() as patched:
            patched.setattr(module, "read_part", lambda part: read(part) + (f"\n{style}" if part == "report.css" else ""))
            place = tmp_path / folder / f"{name}.html"
            place.parent.mkdir(exist_ok=True)
            place.write_text(KEPT[name](records[name], events), encoding="utf-8")

    def compare(*asked):
        for page in asked:
            write(*page)
        flags = ["--only-pictures", "--pictures", str(PICTURES), *(["--renew"] if RENEWS else [])]
        return look_at(tmp_path, *flags)

    return compare


def test_pages_look_as_their_stored_pictures(compared):
    for name, found in compared(*((name,) for name in KEPT)).items():
        for view, share in pictures_of(found).items():
            assert share <= MAX_DIFFERENT, f"{name}, {view}: look at it; PRETUNE_RENEW_PICTURES=1 keeps what it is now"


FAULTY = {
    "a column is gone": ("table.figures td:nth-child(4), table.figures th:nth-child(4) { display: none; }", "wide light"),
    "one word a line": (".cards td.text { width: 3rem; flex: none; }", "phone light"),
    "dark is light": (
        "@media (prefers-color-scheme: dark) { :root { --paper: #fff; --card: #fff; --ink: #000; } }",
        "wide dark",
    ),
    "a chart is empty": (".series { visibility: hidden; }", "wide light"),
    "cut when printed": ("@media print { .deciders { display: none; } }", "printed"),
}


@pytest.mark.skipif(RENEWS, reason="pictures are written, not compared")
def test_planted_faults_are_seen_in_the_pictures(compared):
    found = compared(*(("usual", style, fault) for fault, (style, _) in FAULTY.items()))
    shares = {fault: pictures_of(found[f"{fault}/usual"])[view] for fault, (_, view) in FAULTY.items()}
    assert min(shares.values()) > MAX_DIFFERENT, shares
