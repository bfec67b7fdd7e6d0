"""Systems that answer about the wrong subject, or know nothing: does the verdict on replies ever ship one?

Each draw divides medquad by subject, makes the rivals that need no model from its training rows, and judges systems that are
known to be worthless beside them. Everything that could refuse them for another reason is taken away: the model as it came and
its few-shot form are stood in for by weak replies without a loss, training is without a fault, and the review is switched off.
A system that does know the answers is judged beside them, so that refusing all would show.

``python benchmarks/converse_systems.py [--draws 200] [--test 80]`` writes ``results/honesty/converse-systems.json``; skipped
without ../shared/data.
"""

import argparse
import gzip
import json
import random
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from error_rates import share_of
from harness import SHARED, row
from pretune.configs.data import NEAR_THRESHOLD
from pretune.data.alike.duplicates import find_duplicates, join_components
from pretune.data.alike.units import find_copies, with_units
from pretune.diagnose.conversation import diagnose_conversation
from pretune.evaluate.replies.assess import assess_counted
from pretune.evaluate.replies.nearest import nearest_questions
from pretune.evaluate.replies.rows import ask, count
from pretune.evaluate.replies.sources import always, replies_of, retrieve
from pretune.records import ChatEvidence, Conversation, Decoding, Domain, Replies, ReplyCounts, TemplateProof, Terms, Turn
from pretune.records.conversation import ASSISTANT, USER
from pretune.verdict.converse import decide_conversation
from pretune.verdict.reply_policy import load_reply_policy

NUM_TRAIN, NUM_VALIDATION, MAX_LETTERS = 2_000, 60, 300
MAX_SET = 20  # conversations about one subject or nearly the same; larger sets are for training
KNOWN_SHARE = 0.6  # words of the reference that the knowing system has
WRONG = ("retrieval", "constant", "shuffled", "templates", "renamed retrieval")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


def read_rows() -> list[Conversation]:
    """Return medquad's questions and answers, each answer cut at a sentence's end near 300 characters."""
    with gzip.open(SHARED / "medquad.jsonl.gz", "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    talks = [
        Conversation(
            id=f"row-{number}",
            turns=(Turn(role=USER, text=item["prompt"]), Turn(role=ASSISTANT, text=_cut(" ".join(item["response"].split())))),
            group=item["focus"],
            extra={"qtype": item["qtype"], "focus": item["focus"]},
        )
        for number, item in enumerate(found)
        if item["prompt"].strip() and item["response"].strip() and item["focus"]
    ]
    alike = find_duplicates([item.text for item in talks], threshold=NEAR_THRESHOLD).component
    sets = join_components(alike, [item.group for item in talks]).tolist()
    return [replace(item, extra={**item.extra, "set": str(number)}) for item, number in zip(talks, sets, strict=True)]


def _cut(text: str) -> str:
    kept = ""
    for sentence in _SENTENCE_END.split(text):
        if kept and len(kept) + len(sentence) > MAX_LETTERS:
            break
        kept = f"{kept} {sentence}".strip()
    return kept[: 2 * MAX_LETTERS]


def divide(rows: Sequence[Conversation], num_test: int, draw: random.Random) -> dict[str, list[Conversation]]:
    """Return rows by split; a subject, and what is nearly the same question, is in one of them."""
    by_group = defaultdict(list)
    for item in rows:
        by_group[item.extra["set"]].append(item)
    names, parts = sorted(by_group), {"test": num_test, "validation": NUM_VALIDATION, "train": NUM_TRAIN}
    draw.shuffle(names)
    names.sort(key=lambda name: len(by_group[name]) > MAX_SET, reverse=True)  # taken from the end: large sets come last
    found: dict[str, list[Conversation]] = {}
    for name, size in parts.items():
        found[name] = []
        while len(found[name]) < size:
            found[name] += by_group[names.pop()]
    return found


def wrong_systems(splits: dict[str, list[Conversation]], rival_way: str, draw: random.Random) -> dict[str, list[str]]:
    """Return what each worthless system replies to the test."""
    train, test = splits["train"], splits["test"]
    way = "characters" if rival_way == "words" else "words"
    places = nearest_questions(way, [item.text for item in train], [item.text for item in test])
    nearest = [train[place] for place in places[:, 0].tolist()]
    turned = list(range(len(test)))
    while any(test[place].group == item.group for place, item in zip(turned, test, strict=True)):
        draw.shuffle(turned)
        turned = _moved_apart(turned, test, draw)
    forms = _forms(train)
    return {
        "retrieval": [item.reference for item in nearest],
        "constant": [draw.choice(sorted({item.reference for item in train}, key=len)[-len(train) // 2 :])] * len(test),
        "shuffled": [test[place].reference for place in turned],
        "templates": [forms.get(item.extra["qtype"], forms[""]).replace("\0", item.extra["focus"]) for item in test],
        "renamed retrieval": [_renamed(found, item) for found, item in zip(nearest, test, strict=True)],
    }


def _moved_apart(turned: list[int], test: Sequence[Conversation], draw: random.Random) -> list[int]:
    """Exchange replies that still belong to the question's own subject with others."""
    for place, item in enumerate(test):
        if test[turned[place]].group == item.group:
            other = draw.randrange(len(turned))
            turned[place], turned[other] = turned[other], turned[place]
    return turned


def _forms(train: Sequence[Conversation]) -> dict[str, str]:
    """Return the commonest reply of each kind of question once its subject is taken out, a form letter."""
    found = defaultdict(Counter)
    for item in train:
        bare = re.sub(re.escape(item.extra["focus"]), "\0", item.reference, flags=re.IGNORECASE)
        if "\0" in bare:
            found[item.extra["qtype"]][bare] += 1
            found[""][bare] += 1
    return {kind: replies.most_common(1)[0][0] for kind, replies in found.items()}


def _renamed(found: Conversation, asked: Conversation) -> str:
    """Return another subject's reply with the asked one's name in it: right in name, wrong in fact."""
    said = re.sub(re.escape(found.extra["focus"]), lambda _: asked.extra["focus"], found.reference, flags=re.IGNORECASE)
    return said if asked.extra["focus"].lower() in said.lower() else f"{asked.extra['focus']}: {said}"


def knowing(test: Sequence[Conversation], share: float, draw: random.Random, words: Sequence[str]) -> list[str]:
    """Return replies that have this share of the reference's words in their places."""
    return [" ".join(word if draw.random() < share else draw.choice(words) for word in item.reference.split()) for item in test]


def weak(test: Sequence[Conversation], draw: random.Random, words: Sequence[str]) -> list[str]:
    """Return words at random: what stands in for a model that knows nothing, and names nothing."""
    return [" ".join(draw.choices(words, k=80)) for _ in test]


def judge(systems: dict[str, list[str]], splits: dict[str, list[Conversation]], rivals: Sequence[Replies]) -> dict[str, Any]:
    """Return the verdict on each system."""
    test, policy = splits["test"], load_reply_policy()
    rows = [item.as_example() for item in test]
    terms = with_units(Terms(confidence=policy.confidence_at(1)), rows, find_copies(rows))
    judged = [replies_of(test, "test", name, texts) for name, texts in systems.items()]
    plain = Domain(shares={}, limit=0.15, area=None, num_questions=len(test), asked="plain")
    asked, found = ask(judged[0], splits["train"], terms), {}
    known = [count(item, asked) for item in rivals]
    for item in judged:
        evaluation = assess_counted(count(item, asked), known, asked)
        evidence = faultless(splits, [replace(item, decoding=Decoding()), *rivals], item.source)
        findings = diagnose_conversation(evidence, evaluation)
        verdict = decide_conversation(evaluation, findings, policy, terms, domain=plain)
        found[item.source] = (str(verdict.outcome), verdict.reasons[0].name if verdict.reasons else "")
    return found


def faultless(splits: dict[str, list[Conversation]], replies: Sequence[Replies], main: str) -> ChatEvidence:
    """Return evidence of a training without a fault."""
    train = splits["train"]
    digests = {item.id: "same" for item in train[:200]}
    counts = ReplyCounts(
        split="train", num_conversations=len(train), num_used=len(train), num_replies=len(train), num_tokens=10**6,
        num_targets=8 * 10**5, num_cut=0, num_beyond=0, num_refused=0, max_length=1_024,
    )  # fmt: skip
    proof = TemplateProof(
        trained=digests, saved=digests, num_targets=10**5, num_prompt_targets=0, num_replies=200, num_stops=200
    )
    return ChatEvidence(
        train=tuple(train), test=tuple(splits["test"]), replies=tuple(replies), counts=(counts,), proof=proof, main=main
    )  # fmt: skip


def measure(num_draws: int, num_test: int, kept: Path, minutes: float = 1_000, first: int = 0) -> dict[str, Any]:
    """Judge every system in every draw; draws are kept one by one, and those of earlier calls count."""
    start, outcomes, reasons = time.monotonic(), defaultdict(Counter), defaultdict(Counter)
    lines = kept.read_text().splitlines() if kept.exists() else []
    rows = read_rows() if len(lines) < num_draws else []
    words = [word for item in rows[:3_000] for word in item.reference.split()]
    with kept.open("a") as file:
        for seed in range(first + len(lines), first + num_draws):
            if time.monotonic() - start > 60 * minutes:
                raise SystemExit(f"{seed} of {num_draws} draws are kept in {kept}: the same command goes on")
            lines.append(json.dumps(judge_draw(rows, words, num_test, seed)))
            print(lines[-1], file=file, flush=True)
    for line in lines[:num_draws]:
        for name, (outcome, reason) in json.loads(line).items():
            outcomes[name.removeprefix("system: ")][outcome] += 1
            reasons[name.removeprefix("system: ")][reason] += 1
    return {
        "draws": num_draws,
        "test_questions": num_test,
        "outcomes": {name: dict(found) for name, found in outcomes.items()},
        "first_reasons": {name: dict(found.most_common(4)) for name, found in reasons.items()},
        "shipped": {name: share_of(found["ship"], num_draws) for name, found in outcomes.items()},
    }


def judge_draw(rows: Sequence[Conversation], words: Sequence[str], num_test: int, seed: int) -> dict[str, Any]:
    """Return outcome and first reason of every system in one draw."""
    draw = random.Random(f"systems {seed}")
    splits = divide(rows, num_test, draw)
    test, retrieval = splits["test"], retrieve(splits["train"], splits["validation"], splits["test"])
    rivals = [
        retrieval.test,
        always(splits["train"], test, seed=seed),
        replies_of(test, "test", "before", weak(test, draw, words)),
        replies_of(test, "test", "few-shot", weak(test, draw, words)),
    ]
    systems = {f"system: {name}": texts for name, texts in wrong_systems(splits, retrieval.way, draw).items()}
    systems["system: knowing"] = knowing(test, KNOWN_SHARE, draw, words)
    return judge(systems, splits, rivals)


def main() -> None:
    """Measure, and keep the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--test", type=int, default=80)
    parser.add_argument("--minutes", type=float, default=1_000, help="stop after so many; the same command goes on")
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "converse-systems.jsonl", help="of draws")
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--again", action="store_true", help="measure anew what is kept")
    given = parser.parse_args()
    if not SHARED.exists():
        print("skipped: there is no ../shared/data")
        return
    row(
        "honesty/converse-systems",
        lambda: measure(given.draws, given.test, given.kept, given.minutes, given.first),
        again=given.again,
    )


if __name__ == "__main__":
    main()
