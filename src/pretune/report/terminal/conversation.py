"""What a run on conversations shows in the terminal: figures by source, gains over rivals, findings, and the verdict last."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from pretune.records import ReplyTrace, RunRecord, Score
from pretune.report.conversation import ASIDE, describe_chat, describe_scores
from pretune.report.terminal.drawing import columns, heading, plain, stack
from pretune.report.terminal.text import draw_findings, draw_verdict

# Probabilities of a token from which the model is sure of it, and below which it is not.
SURE, UNSURE = 0.5, 0.1
NUM_UNSURE = 5


def draw_chat(record: RunRecord) -> list[Group]:
    """Draw the result of a run on conversations, as far as it is judged."""
    page = describe_chat(record)
    gains = None
    if page.gains:
        gains = columns("Fine-tuned against", "figure", "difference", "interval", right=("difference", "interval"))
        for rival, name, difference, reach, _ in page.gains:
            gains.add_row(plain(rival), name, difference, reach)
    verdict = None
    if record.verdict is not None:
        verdict = draw_verdict(record.verdict, record.sample, first_known_look=bool(record.first_known_look))
    tested = [score for score in record.scores if score.split != ASIDE]
    figures = draw_figures(tested, title="Test") if page.figures else None
    forms = Group(*map(plain, page.forms)) if page.forms else None
    return [stack(figures, forms, gains, draw_findings(record.findings) if record.findings else None, verdict)]


def draw_figures(scores: Sequence[Score], *, title: str) -> Group:
    """Draw figures as rows and sources as columns, each value above its interval."""
    page = describe_scores(scores)
    table = columns("", *page.sources, right=page.sources)
    for name, cells in page.figures:
        table.add_row(name, *(Text(f"{value}\n{reach}" if reach else value) for value, reach in cells))
    return Group(heading(title, f"{page.num_questions:,} questions"), table, *map(plain, page.forgetting))


def draw_reply(trace: ReplyTrace) -> Group:
    """Draw a reply token by token, each with the probability that the model gave it."""
    line = Text()
    for item in trace.tokens:
        line.append_text(_token(item.token, _shade(item.probability)))
    least = sorted(trace.tokens, key=lambda item: item.probability)[:NUM_UNSURE]
    unsure = ", ".join(f"{item.token.strip()!r} {item.probability:.2f}" for item in least)
    ended = "the model ended it itself" if trace.ended else "cut off at the most tokens"
    return Group(
        heading("Reply", f"{len(trace.tokens)} tokens, {ended}"), line, Text(), plain(f"Least sure of: {unsure}", "dim")
    )


def _token(token: str, style: str) -> Text:
    """Return a token as it stands in the reply: the space before it, and an arrow for the end of a line."""
    blank = " " if token[:1] == " " else ""
    return Text(blank).append_text(plain(token.replace("\n", "↵"), style))


def _shade(probability: float) -> str:
    return "" if probability >= SURE else "yellow" if probability >= UNSURE else "red"
