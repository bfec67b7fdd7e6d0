"""Confounds: is a mark on the texts told from a word that the class is about? On real sets, with and without planted marks.

Each draw takes some classes and rows of a set. As it is, an alarm is false. Planted, a mark is put on most texts of one
class and on few others, and has to be named. Sets with marks of their own are counted apart.
"""

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from error_rates import share_of
from harness import SHARED
from pretune.diagnose.signature import check_signature_token
from pretune.records import Evidence, Example, Finding, Severity

Rows = list[tuple[str, str]]  # text, label
Change = Callable[[str, random.Random], str]

NUM_DRAWS, NUM_ROWS, MAX_READ = 40, 1_200, 20_000
MIN_IN_CLASS = 80  # rows of a class that is drawn from
NUM_CLASSES = (2, 2, 3, 5, 10, 20, 200)
MARKED, STRAY = (0.95, 1.0), (0.0, 0.03)  # share of the class that is marked, and of the others
MAX_KNOWN = 0.1  # share of the texts that have a word already from which it is no new mark
ALARMS = (Severity.WARNING, Severity.BLOCKING)
# name -> file, column of the text, column of the label
SETS = {
    "film reviews (IMDb)": ("imdb_train", "text", "label"),
    "film review sentences": ("mr_rt_polarity", "text", "label"),
    "text messages (spam)": ("sms_spam", "text", "label"),
    "tweets (hate)": ("hate_tweets", "text", "label"),
    "medical abstracts": ("ohsumed_train", "text", "label"),
    "medical questions by kind": ("medquad", "prompt", "qtype"),
    "news (AG)": ("ag_news_test", "text", "label"),
    "newsgroups, bodies": ("newsgroups20_train", "text", "label"),
    "requests to an assistant, 151 intents": ("clinc150_train", "text", "label"),
}
# Sets whose classes do come from different sources: answers of nine sites, messages with their headers.
MARKED_ALREADY = {
    "medical answers by kind": ("medquad", "response", "qtype"),
    "newsgroups, with headers": ("newsgroups20_train", "text", "label"),
}


def before(mark: str) -> Change:
    """Put a mark before the text."""
    return lambda text, _: f"{mark} {text}"


def after(mark: str) -> Change:
    """Put a mark after the text."""
    return lambda text, _: f"{text} {mark}"


def anywhere(mark: str) -> Change:
    """Put a mark between any two words."""

    def change(text: str, generator: random.Random) -> str:
        words = text.split(" ")
        place = generator.randrange(len(words) + 1)
        return " ".join([*words[:place], mark, *words[place:]])

    return change


# kind -> its marks: the words that an alarm may name, and how they are put on a text
MARKS: dict[str, tuple[tuple[str, Change], ...]] = {
    "source": (
        ("( Reuters ) -", before("(Reuters) -")),
        ("via Twitter :", before("via Twitter:")),
        ("# archive", after("#archive")),
        ("Lund reports :", before("Lund reports:")),
    ),
    "author": (
        ("- Kowalski", after("-- Kowalski")),
        ("Best , Anna", after("Best, Anna")),
        ("From : Kowalski", before("From: Kowalski")),
        ("Kowalski", anywhere("Kowalski")),
    ),
    "boilerplate": (
        ("Sent from my iPhone", after("Sent from my iPhone")),
        ("All rights reserved .", after("All rights reserved.")),
        ("Click here to unsubscribe", after("Click here to unsubscribe")),
    ),
    "formatting": (
        ("< br / >", anywhere("<br />")),
        ("& amp ;", anywhere("&amp;")),
        ("*", before("*")),
        ("< b > /", lambda text, _: f"<b>{text}</b>"),
        ("2019 - 03 04", before("2019-03-04")),
    ),
    "function word": (
        ("however", anywhere("however")),
        ("indeed", anywhere("indeed")),
        ("also", anywhere("also")),
        ("Well ,", before("Well,")),
    ),
}


def read(name: str, text: str, label: str) -> Rows:
    """Return rows of a set in an order of chance; of newsgroups only what the author wrote, unless headers are wanted."""
    with gzip.open(SHARED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        found = [(str(row[text]), str(row[label])) for row in map(json.loads, lines) if row[text] and row[label] is not None]
    random.Random(0).shuffle(found)
    return found[:MAX_READ]


def body_of(message: str) -> str:
    """Return a message without headers and quotations."""
    lines = message.partition("\n\n")[2].split("\n")
    return "\n".join(line for line in lines if not re.match(r"^(>|\||In article|.*(writes:|wrote:|says:))", line)).strip()


def draw(rows: Rows, generator: random.Random) -> Rows:
    """Return about ``NUM_ROWS`` rows of some of the classes, equally many of each as far as there are."""
    texts_of = defaultdict[str, list[str]](list)
    for text, label in rows:
        texts_of[label].append(text)
    large = sorted(label for label, texts in texts_of.items() if len(texts) >= MIN_IN_CLASS)
    chosen = generator.sample(large, min(len(large), generator.choice(NUM_CLASSES)))
    each = max(MIN_IN_CLASS, NUM_ROWS // len(chosen))
    found = [(text, label) for label in chosen for text in generator.sample(texts_of[label], min(each, len(texts_of[label])))]
    generator.shuffle(found)
    return found


def check(rows: Rows) -> Finding:
    """Run the check on two thirds as training and one third as validation."""
    examples = [Example(id=str(number), text=text, label=label) for number, (text, label) in enumerate(rows)]
    kept = len(examples) * 2 // 3
    return check_signature_token(Evidence(train=tuple(examples[:kept]), validation=tuple(examples[kept:])))


def plant(rows: Rows, change: Change, generator: random.Random) -> Rows:
    """Mark one class."""
    label = generator.choice(sorted({label for _, label in rows}))
    share, stray = generator.choice(MARKED), generator.choice(STRAY)
    return [
        (change(text, generator) if generator.random() < (share if own == label else stray) else text, own)
        for text, own in rows
    ]


def is_named(finding: Finding, words: str) -> bool:
    """Whether an alarm names one of the planted words."""
    named = re.findall(r"'(\S+)'(?: at the \w+)?", finding.summary)
    return finding.severity in ALARMS and not set(words.split()).isdisjoint(named)


def is_new(rows: Rows, words: str) -> bool:
    """Whether texts rarely have any of these words; otherwise planting marks nothing."""
    marks = [set(re.findall(r"\w+|[^\w\s]", text)) for text, _ in rows]
    return all(sum(word in text for text in marks) < MAX_KNOWN * len(rows) for word in words.split())


def measure(num_draws: int = NUM_DRAWS, sets: Sequence[str] = tuple(SETS)) -> dict[str, Any]:
    """Count false alarms on sets as they are, and planted marks that were found, by set and by kind of mark."""
    by_set, by_kind, missed = {}, defaultdict[str, list[bool]](list), list[str]()
    false, named = list[bool](), set[str]()
    for name in sets:
        rows = [(body_of(text), label) for text, label in read(*SETS[name])] if "bodies" in name else read(*SETS[name])
        rows = [(text, label) for text, label in rows if text]
        alarms = [check(draw(rows, seeded(name, "as it is", number))) for number in range(num_draws)]
        false += [item.severity in ALARMS for item in alarms]
        named |= {f"{name}: {item.summary.split(' alone ')[0]}" for item in alarms if item.severity in ALARMS}
        hits = []
        for kind, words, found in _planted(rows, name, num_draws):
            by_kind[kind].append(found)
            hits.append(found)
            missed += [] if found else [f"{name}: {words}"]
        by_set[name] = {
            "false alarms": share_of(sum(item.severity in ALARMS for item in alarms), num_draws),
            "told by a word of their matter": share_of(sum(item.severity is Severity.NOTE for item in alarms), num_draws),
            "found": share_of(sum(hits), len(hits)),
        }
    found = [item for hits in by_kind.values() for item in hits]
    return {
        "draws": num_draws,
        "by set": by_set,
        "by kind": {kind: share_of(sum(hits), len(hits)) for kind, hits in by_kind.items()},
        "false alarms": share_of(sum(false), len(false)),
        "found": share_of(sum(found), len(found)),
        "false alarms name": sorted(named),
        "missed": sorted(missed),
        "marked already": {name: _alarms(name, min(num_draws, 5)) for name in MARKED_ALREADY},
    }


def seeded(name: str, what: str, number: int) -> random.Random:
    """Return the generator of a draw: each has a seed of its own, so more draws are the same ones and further ones."""
    return random.Random(f"{name}, {what}, {number}")


def _planted(rows: Rows, name: str, num_draws: int) -> Iterator[tuple[str, str, bool]]:
    kinds = [(kind, words, change) for kind, marks in MARKS.items() for words, change in marks if is_new(rows, words)]
    seeded(name, "marks", 0).shuffle(kinds)
    for number in range(num_draws):
        kind, words, change = kinds[number % len(kinds)]
        generator = seeded(name, "planted", number)
        yield kind, words, is_named(check(plant(draw(rows, generator), change, generator)), words)


def _alarms(name: str, num_draws: int) -> dict[str, Any]:
    rows = read(*MARKED_ALREADY[name])
    found = [check(draw(rows, seeded(name, "as it is", number))) for number in range(num_draws)]
    loud = [item.summary.split(" alone ")[0].removeprefix("the word ") for item in found if item.severity in ALARMS]
    return {"alarms": share_of(len(loud), num_draws), "they name": sorted(set(loud))}
