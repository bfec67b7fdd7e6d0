"""Sources without a model of their own: replies of training to the nearest question, one reply to everything, and examples."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pretune.errors import UsageError
from pretune.evaluate.matches import count_matches
from pretune.evaluate.replies.nearest import CHARACTERS, VECTORS, WORDS, Places, Vectors, nearest_questions
from pretune.evaluate.replies.rows import as_predictions, chrf_by_question
from pretune.evaluate.rivals import CONSTANT, RETRIEVAL, reply_always
from pretune.records import Conversation, Replies

# Validation questions on which the way of retrieval is chosen.
MAX_TRIED = 500
# Examples of few-shot prompts are of middling length: whole, and the prompt stays short.
MAX_EXAMPLE_LETTERS, LEAST_EXAMPLES = 600, 20
FEW_SHOT_WAYS = ("0", "1", "3", "nearest 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Replies of training to the most similar question.

    Args:
        test: What is replied to the test.
        validation: What the chosen way replies to validation.
        way: ``words``, ``characters`` or ``vectors``.
        chrf: Of each way on validation.
        nearest: Places in training of the three nearest questions of each test question, by the chosen way.
    """

    test: Replies
    validation: Replies
    way: str
    chrf: Mapping[str, float]
    nearest: Places


def replies_of(rows: Sequence[Conversation], split: str, source: str, texts: Sequence[str], note: str = "") -> Replies:
    """Return texts as the replies of a source that always ends."""
    return Replies(
        source=source,
        split=split,
        ids=tuple(row.id for row in rows),
        questions=tuple(row.text for row in rows),
        references=tuple(row.reference for row in rows),
        texts=tuple(texts),
        ended=(True,) * len(rows),
        note=note,
    )


def retrieve(
    train: Sequence[Conversation],
    validation: Sequence[Conversation],
    test: Sequence[Conversation],
    *,
    vectors: Vectors | None = None,
) -> Retrieval | None:
    """Return what the nearest questions of training were answered, by the way that does best on validation (chrF).

    Args:
        train: What is known.
        validation: Chooses the way; of many questions the first 500.
        test: What is asked.
        vectors: Texts → one vector each (``minilm``, say); without it, words and characters are tried.

    Returns:
        ``None`` where no question of training has a word.
    """
    if not train or not test:
        return None
    known, tried = [row.text for row in train], validation[:MAX_TRIED]
    asked = [row.text for row in (*tried, *test)]
    found = {way: nearest_questions(way, known, asked, count=3, vectors=vectors) for way in (WORDS, CHARACTERS, VECTORS)}
    places = {way: item for way, item in found.items() if item is not None}
    if not places:
        return None
    texts = {way: [train[place].reference for place in item[:, 0].tolist()] for way, item in places.items()}
    chrf = {way: _chrf(tried, replies[: len(tried)]) for way, replies in texts.items()} if tried else {}
    way = max(chrf, key=lambda name: chrf[name], default=next(iter(places)))  # of equals the simplest
    shown = ", ".join(f"{name} {value:.1f}" for name, value in chrf.items())
    note = f"the reply to the nearest question of training by {way}" + (f" (chrF on validation: {shown})" if shown else "")
    return Retrieval(
        test=replies_of(test, "test", RETRIEVAL, texts[way][len(tried) :], note),
        validation=replies_of(tried, "validation", RETRIEVAL, texts[way][: len(tried)], note),
        way=way,
        chrf=chrf,
        nearest=places[way][len(tried) :],
    )


def always(train: Sequence[Conversation], asked: Sequence[Conversation], *, split: str = "test", seed: int = 0) -> Replies:
    """Return one reply of training to every question: the most like the others. Raises what ``reply_always`` does."""
    blank = replies_of(asked, split, CONSTANT, [""] * len(asked))
    chosen = reply_always(as_predictions(blank), [row.reference for row in train], seed=seed).predicted
    return replace(blank, texts=tuple(chosen), note="one reply of training, the most like the others, to every question")


def choose_examples(
    way: str, train: Sequence[Conversation], asked: Sequence[Conversation], *, seed: int = 0
) -> list[tuple[int, ...]]:
    """Return, for each question, the places in training of the examples that go into its prompt, the nearest last.

    Args:
        way: One of ``FEW_SHOT_WAYS``: how many fixed examples, or those of the two nearest questions by words.
        train: Where examples come from.
        asked: The questions.
        seed: Of the draw of fixed examples; those for ``1`` are the first of those for ``3``.

    Raises:
        UsageError: There is no such way.
    """
    if way not in FEW_SHOT_WAYS:
        raise UsageError(f"examples chosen by {way!r}", expected="one of " + ", ".join(FEW_SHOT_WAYS), fix="name another way")
    if not way.startswith("nearest"):
        fixed = _typical(train, seed)[: int(way)]
        return [fixed] * len(asked)
    places = nearest_questions(WORDS, [row.text for row in train], [row.text for row in asked], count=2)
    return [()] * len(asked) if places is None else [tuple(row[::-1]) for row in places.tolist()]


def _typical(train: Sequence[Conversation], seed: int) -> tuple[int, ...]:
    """Draw three examples of different groups, of middling length."""
    lengths = sorted(len(row.reference) for row in train)
    least, most = lengths[len(lengths) // 4], min(lengths[3 * len(lengths) // 4], MAX_EXAMPLE_LETTERS)
    fitting = [place for place, row in enumerate(train) if least <= len(row.reference) <= most]
    if len(fitting) < LEAST_EXAMPLES:  # all are long: the shortest, whole
        fitting = sorted(range(len(train)), key=lambda place: (len(train[place].reference), place))[:LEAST_EXAMPLES]
    chosen, seen = list[int](), set[str]()
    for place in random.Random(seed).sample(fitting, len(fitting)):
        name = train[place].group if train[place].group is not None else train[place].text
        if name not in seen and len(chosen) < 3:
            chosen.append(place)
            seen.add(str(name))
    return tuple(chosen)


def _chrf(rows: Sequence[Conversation], texts: Sequence[str]) -> float:
    counted = count_matches(as_predictions(replies_of(rows, "validation", RETRIEVAL, texts)))
    return chrf_by_question(next(item.rows for item in counted if item.metric == "chrf")).value
