"""Making a dossier: one HTML file, or a PDF of it by a browser that is installed; the answers are kept beside it."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup, escape

from pretune import storage
from pretune.errors import StorageError, UsageError
from pretune.production.dossier.answers import keep_questions, read_answers
from pretune.production.dossier.contents import Dossier, build_dossier
from pretune.production.dossier.questions import QUESTIONS
from pretune.records import RunRecord
from pretune.report.page.html import make_environment, policy_of, read_part
from pretune.report.words import one_line
from pretune.run import RunFolder

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser")
SECONDS_TO_PRINT = 120
FORMS = (".html", ".pdf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A dossier that was written.

    Args:
        file: Where it is.
        answers: The file that people fill in.
        num_answered: Questions that have an answer.
        num_open: Questions that have none.
    """

    file: Path
    answers: Path
    num_answered: int
    num_open: int


def make_dossier(folder: RunFolder, record: RunRecord, *, output: Path | None = None) -> Made:
    """Write the dossier of a run, with the answers that lie beside it.

    Args:
        folder: The run's.
        record: The run's.
        output: A file that ends in ``.html`` or ``.pdf``; by default ``RUN-dossier.html`` beside the run.

    Raises:
        UsageError: The name has another ending, the answers cannot be read, or no browser is there to print.
        StorageError: It cannot be written.
    """
    place = output or folder.path.resolve().with_name(f"{folder.name}-dossier.html")
    if place.suffix.lower() not in FORMS:
        raise UsageError(f"--output {place}", expected="a name that ends in .html or .pdf")
    browser = _find_browser() if place.suffix.lower() == ".pdf" else None
    beside = place.with_suffix(".toml")
    answers = read_answers(beside)
    keep_questions(beside, record.run, f"pretune dossier {folder.path}")
    events = folder.read_events(head=record.heads.get("trace.jsonl", ""))
    note = _note_on(beside, record) if answers else ""
    page = render_dossier(build_dossier(folder, record, answers, events, note=note))
    storage.replace(place, _printed(page, browser) if browser else page)
    return Made(file=place, answers=beside, num_answered=len(answers), num_open=len(QUESTIONS) - len(answers))


def render_dossier(dossier: Dossier) -> str:
    """Return a dossier as one HTML document."""
    environment = make_environment()
    own = FileSystemLoader(Path(__file__).parent)
    style = read_part("report.css") + (Path(__file__).parent / "dossier.css").read_text(encoding="utf-8")
    environment.loader = ChoiceLoader([own, environment.loader]) if environment.loader is not None else own
    environment.filters["paragraph"] = lambda text: Markup(escape(one_line(text)))  # answers are not cut
    return environment.get_template("dossier.html.jinja").render(
        dossier=dossier, record=dossier.record, style=Markup(style), policy=policy_of(style)
    )


def _note_on(answers: Path, record: RunRecord) -> str:
    """Say that answers are older than the run, where they are."""
    written = datetime.fromtimestamp(answers.stat().st_mtime).astimezone()
    try:
        is_older = written < datetime.fromisoformat(record.created)
    except (ValueError, TypeError):
        return ""
    return "The answers were written before this run was made: check that they still hold." if is_older else ""


def _find_browser() -> str:
    """Return the browser that prints.

    Raises:
        UsageError: None is installed.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise UsageError(
            "--output .pdf needs a browser that prints, and none was found",
            expected=f"one of {', '.join(BROWSERS[:3])}",
            fix="write .html and print it from your browser: it is laid out for A4",
        )
    return found


def _printed(page: str, browser: str) -> bytes:
    """Return a page as PDF.

    Raises:
        StorageError: The browser wrote none.
    """
    with tempfile.TemporaryDirectory(prefix="pretune-dossier-") as name:
        source, target = Path(name) / "dossier.html", Path(name) / "dossier.pdf"
        source.write_text(page, encoding="utf-8")
        command = [browser, "--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"]
        command += [f"--user-data-dir={name}/profile", f"--print-to-pdf={target}"]
        command += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # it refuses to start as root
        try:
            ended = subprocess.run([*command, source.as_uri()], capture_output=True, timeout=SECONDS_TO_PRINT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StorageError(f"{browser} did not print: {error}", fix="write .html and print it from your browser") from error
        if not target.is_file():
            said = " ".join(ended.stderr.decode("utf-8", "replace").split())[-200:]
            raise StorageError(f"{browser} did not print: {said}", fix="write .html and print it from your browser")
        return target.read_bytes()
