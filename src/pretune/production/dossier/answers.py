"""Answers to the questions of a dossier: a TOML file that people fill in, and that no later dossier overwrites."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from pretune import storage
from pretune.errors import UsageError
from pretune.production.dossier.questions import QUESTIONS, Question

HEAD = """\
# Answers for the dossier of {run}. Write between the quotes; empty lines part paragraphs.
# `{command}` puts them into the dossier and leaves this file as it is.
"""


def read_answers(path: Path) -> dict[str, str]:
    """Return the answers that a file has, by the key of their question; empty ones are left out.

    Raises:
        UsageError: It cannot be read, has a name that is no question, or an answer that is no text.
    """
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"cannot read {path}: {error}", expected='a TOML file of answers, KEY = """text"""', fix="correct the line"
        ) from error
    known = [question.key for question in QUESTIONS]
    for key, value in found.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            fix = f"did you mean {near[0]}?" if near else "remove it"
            raise UsageError(f"{path} answers {key!r:.80}", expected=f"one of {', '.join(known)}", fix=fix)
        if not isinstance(value, str):
            raise UsageError(f"{path}: {key} is {value!r:.80}", expected="text in quotes")
    return {key: value.strip() for key, value in found.items() if value.strip()}


def keep_questions(path: Path, run: str, command: str) -> None:
    """Write the file of answers where there is none, and add the questions that it lacks; what people wrote stays.

    Raises:
        StorageError: It cannot be written.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD.format(run=_plain(run), command=_plain(command))
    known = tomllib.loads(text)
    missing = [question for question in QUESTIONS if question.key not in known]
    if missing:
        storage.replace(path, text + "".join(map(_blank, missing)))


def answered(answers: Mapping[str, str], section: str) -> list[tuple[Question, list[str]]]:
    """Return the questions of a section, each with the paragraphs of its answer."""
    own = [question for question in QUESTIONS if question.section == section]
    return [(question, _paragraphs(answers.get(question.key, ""))) for question in own]


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _blank(question: Question) -> str:
    return f'\n# {question.section}: {question.text}\n{question.key} = """\n"""\n'


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
