"""Reviewing: a person compares the model's replies with those of its best rival, not knowing which is whose.

Each person has a file of chained lines in the run, ``reviews/NAME.jsonl``: first what is compared and in which order, then one
line for each answer. What is written stays, so a review that is cut off goes on where it was.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pretune import storage
from pretune.data.alike.units import with_units
from pretune.data.seal.seal import recall_opening
from pretune.errors import PretuneError, StorageError, UsageError
from pretune.evaluate.replies import MAIN, NOT_COMPARED
from pretune.evaluate.replies.preferences import best_rival, draw_pairs, is_model_first, review_of
from pretune.hashing import digest_of_lines
from pretune.records import Copies, Pick, Record, Replies, Review, Terms
from pretune.records.review import MODEL, RIVAL, SKIP, TIE
from pretune.run import RunFolder
from pretune.run.reply_files import read_all_replies

KEYS = {"1": "reply 1 is better", "2": "reply 2 is better", "t": "a tie", "s": "skip", "h": "harmful", "q": "stop here"}
SIDES = {"1": ("1",), "2": ("2",), "b": ("1", "2"), "n": ()}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPlan(Record):
    """What one person compares, and in which order."""

    source: str
    rival: str
    seed: int
    ids: tuple[str, ...]
    digests: tuple[str, ...]  # of the replies of the model and of the rival: others would be another comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One pair as a person sees it.

    Args:
        number: From 1.
        total: Pairs in all.
        question: What was asked.
        replies: The two, in the order shown.
        reference: What the data has, which is shown only after the answer.
    """

    number: int
    total: int
    question: str
    replies: tuple[str, str]
    reference: str


Show = Callable[[Shown], None]
Answer = Callable[[str, Sequence[str]], str | None]  # question, keys → the key; None where nobody answers any more


@dataclass(frozen=True, slots=True)
class Reviewing:
    """A review that one person has begun.

    Args:
        path: Its file.
        plan: What is compared.
        model: Replies of the model.
        rival: Those of its rival.
        picks: What was answered so far.
    """

    path: Path
    plan: ReviewPlan
    model: Replies
    rival: Replies
    picks: tuple[Pick, ...]

    @property
    def left(self) -> tuple[str, ...]:
        """Ids of the conversations that were not answered."""
        done = {pick.id for pick in self.picks}
        return tuple(id for id in self.plan.ids if id not in done)

    def go_on(self, show: Show, answer: Answer) -> int:
        """Show what is left, one pair after the other, and keep every answer; return how many were answered."""
        count, total = 0, len(self.plan.ids)
        for id in self.left:
            first = MODEL if is_model_first(id, seed=self.plan.seed) else RIVAL
            show(self._shown(id, total - len(self.left) + count + 1, total, is_turned=first == RIVAL))
            start = time.monotonic()
            pick = ask(id, first, answer)
            if pick is None:
                break
            seconds = round(time.monotonic() - start, 1)
            storage.append_chained(self.path, [json.dumps({**pick.to_json(), "seconds": seconds})])
            count += 1
        return count

    def _shown(self, id: str, number: int, total: int, *, is_turned: bool) -> Shown:
        row, other = self.model.ids.index(id), self.rival.ids.index(id)
        replies = (self.model.texts[row], self.rival.texts[other])
        return Shown(
            number=number,
            total=total,
            question=self.model.questions[row],
            replies=(replies[1], replies[0]) if is_turned else replies,
            reference=self.model.references[row],
        )


def ask(id: str, first: str, answer: Answer) -> Pick | None:
    """Ask which reply is better, and whether one is harmful; ``None`` where the person stops."""
    sides = {"1": first, "2": RIVAL if first == MODEL else MODEL}
    harmful: tuple[str, ...] = ()
    while True:
        key = answer("Which reply is better?", tuple(KEYS))
        if key in (None, "q"):
            return None
        if key == "h":
            which = answer("Which could do harm? 1, 2, both or none", tuple(SIDES))
            if which is None:
                return None
            harmful = tuple(sorted(sides[number] for number in SIDES[which]))
        else:
            picked = {"t": TIE, "s": SKIP, **sides}[str(key)]
            return Pick(id=id, picked=picked, first=first, harmful=harmful)


def open_review(folder: RunFolder, *, name: str = "reviewer", pairs: int = 50, seed: int = 0) -> Reviewing:
    """Begin a review of a judged run on conversations, or go on with the one of that name.

    Args:
        folder: Of the run.
        name: Of the person: letters, digits, ``.``, ``_`` and ``-``.
        pairs: Conversations to compare; a review that goes on keeps its own.
        seed: Of the draw of conversations and of the order of each pair.

    Raises:
        UsageError: There is nothing to compare, the name is none, or the review of that name compares other replies.
        StorageError: A file is damaged.
    """
    if not _NAME.fullmatch(name):
        expected = "a name of letters, digits, '.', '_' and '-' that begins with one of the first two"
        raise UsageError(f"the reviewer {name!r}", expected=expected, fix="pass another --name")
    model, rival, units = _compared(folder)
    path = _folder(folder) / f"{name}.jsonl"
    plan, picks = _read(path) if path.exists() else (None, ())
    digests = (_digest(model), _digest(rival))
    if plan is None:
        plan = ReviewPlan(
            source=model.source,
            rival=rival.source,
            seed=seed,
            ids=draw_pairs(model, rival, units, pairs, seed=seed),
            digests=digests,
        )
        if not plan.ids:
            got = f"{model.source} and {rival.source} reply the same to every question"
            raise UsageError(got, expected="a pair that differs", fix="there is nothing to review")
        storage.make_folder(path.parent)
        storage.append_chained(path, [json.dumps(plan.to_json())])
    if plan.digests != digests:
        got = f"{path} compares {plan.source} with {plan.rival} as they replied in an earlier judging"
        raise UsageError(got, expected="the replies that the run has now", fix="begin another review with --name")
    return Reviewing(path, plan, model, rival, picks)


def read_review(folder: RunFolder, *, confidence: float = 0.95) -> Review | None:
    """Return what people said of the replies that the run has now; ``None`` where nobody compared them.

    Reviews of replies that an earlier judging had do not count.

    Raises:
        StorageError: A file is damaged.
    """
    files = sorted(_folder(folder).glob("*.jsonl"))
    if not files:
        return None
    known = {item.source: _digest(item) for item in read_all_replies(folder.path) if item.split == "test"}
    found = {file.stem: _read(file) for file in files}
    valid = {
        name: (plan, picks)
        for name, (plan, picks) in found.items()
        if plan.digests == (known.get(plan.source), known.get(plan.rival))
    }
    rivals = [plan.rival for plan, _ in valid.values()]
    if not rivals:
        return None
    chosen = max(sorted(set(rivals)), key=rivals.count)  # a run has one best rival, unless another was added
    picks = {name: picks for name, (plan, picks) in valid.items() if plan.rival == chosen}
    return review_of(picks, next(iter(valid.values()))[0].source, chosen, confidence=confidence)


def _compared(folder: RunFolder) -> tuple[Replies, Replies, dict[str, str]]:
    """Return the model's replies, those of its best rival, and which rows belong together."""
    record = folder.read_record()
    if record.verdict is None:
        got = f"{folder.path} has no verdict: it is {record.status}"
        raise UsageError(got, expected="a judged run", fix=f"`pretune judge {folder.path}`")
    replies = {item.source: item for item in read_all_replies(folder.path) if item.split == "test"}
    held = [source for source in replies if not source.startswith(NOT_COMPARED)]
    rival = best_rival(record.scores, MAIN, held)
    if MAIN not in replies or rival is None:
        got = f"{folder.path} has replies of {', '.join(replies) or 'nobody'}"
        raise UsageError(got, expected="a run on conversations, with the replies of a rival", fix="review a run of chat models")
    rows, _ = recall_opening(folder.sealed_files(record), folder.openings, record.ledger_head)
    units = with_units(Terms(), rows, folder.read_kept(Copies)).groups
    return replies[MAIN], replies[rival], units


def _folder(folder: RunFolder) -> Path:
    return folder.path / "reviews"


def _digest(replies: Replies) -> str:
    return digest_of_lines(part for pair in zip(replies.ids, replies.texts, strict=True) for part in pair)[:32]


def _read(path: Path) -> tuple[ReviewPlan, tuple[Pick, ...]]:
    try:
        first, *rest = map(json.loads, storage.read_chained(path))
        plan, picks = ReviewPlan.from_json(first), {pick.id: pick for pick in map(Pick.from_json, rest)}
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        if isinstance(error, PretuneError):
            raise
        raise StorageError(f"{path} is damaged: {error}", expected="a review as pretune wrote it", fix="restore it") from error
    return plan, tuple(picks.values())


def tell(review: Review) -> Iterator[str]:
    """Yield what a review found, in sentences."""
    yield (
        f"of {review.num_pairs} pairs the model was preferred in {review.num_model}, {review.rival} in {review.num_rival}, "
        f"neither in {review.num_ties}"
    )
    if review.share is not None and review.low is not None and review.high is not None:
        ends = f"{100 * review.confidence:.4g} % interval {100 * review.low:.0f} to {100 * review.high:.0f} %"
        yield f"{100 * review.share:.0f} % of the preferences are for the model ({ends}, sign test p = {review.p_value:.2g})"
    if review.num_harmful or review.num_rival_harmful:
        yield f"called harmful: {review.num_harmful} of the model's replies, {review.num_rival_harmful} of {review.rival}'s"
