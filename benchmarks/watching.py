"""Watching: how often it cries wolf where nothing changed, and how often it finds a change; drawn worlds, and real news.

``python benchmarks/watching.py [--quick]`` writes ``results/production-watching.json``, part by part.
"""

import argparse
import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import production_page
from harness import RESULTS, SHARED, describe_machine
from pretune.intervals import find_fall, proportion_interval
from pretune.production.watch.budget import ERROR, PER_WINDOWS, SHARES
from pretune.production.watch.joining import joinable, keep
from pretune.production.watch.looking import find_all_signals
from pretune.production.watch.measured import Measure, Measured
from pretune.production.watch.reference import Reference
from pretune.production.watch.signals import find_signals
from pretune.records import Example, Signal
from watching_page import told
from watching_worlds import NUM_KNOWN, NUM_WORDS, measure_texts, measured, of_texts, reference, text_reference

PATH = RESULTS / "production-watching.json"
MAX_LOOKS = 300
FACTORS = (1, 10, 100, 1_000)  # of the level, at which p values are counted


def false_alarms(
    name: str, series: int, num_test: int, num_texts: int, shares: Sequence[float], **about: Any
) -> dict[str, Any]:
    """Count series of 100 looks with an alarm, and p values up to multiples of their levels."""
    generator, alarms, small, tests = np.random.default_rng(0), 0, Counter[int](), 0
    for _ in range(series):
        test, before, has_alarm = reference(num_test, generator, shares, **about), (), False
        for _ in range(PER_WINDOWS):
            window = measured(num_texts, generator, shares, copies=about.get("copies", 0.0))
            found = find_all_signals(test, window, (), joinable(before, num_texts))
            before = keep(before, window)
            has_alarm |= any(signal.is_alarm for signal in found)
            tests += len(found)
            for factor in FACTORS:
                small[factor] += sum(signal.p_value <= factor * signal.level for signal in found if signal.p_value is not None)
        alarms += has_alarm
    looks = series * PER_WINDOWS
    spent = ERROR / PER_WINDOWS * (1 - SHARES["figures"] - SHARES["told_apart"])
    return {
        "name": name, "series": series, "looks": looks, "tests": tests, "test_rows": num_test, "texts": num_texts,
        "classes": len(shares), **about, "series_with_alarm": alarms,
        "share_of_series": [alarms / series, *proportion_interval(alarms, series)],
        "p_values_up_to": {str(factor): [small[factor], round(factor * spent * looks, 2)] for factor in FACTORS},
    }  # fmt: skip


def false_alarms_of_texts(series: int, num_test: int, num_texts: int) -> dict[str, Any]:
    """Count as above, of texts: the classifier that tells them apart is trained at every look."""
    generator, alarms, small = np.random.default_rng(1), 0, Counter[int]()
    for _ in range(series):
        test, has_alarm = text_reference(num_test, generator), False
        for _ in range(PER_WINDOWS):
            texts = of_texts(num_texts, generator)
            found = find_all_signals(test, measure_texts(test.measure, texts, generator), texts)
            has_alarm |= any(signal.is_alarm for signal in found)
            told = next(signal for signal in found if signal.name == "told_apart")
            for factor in FACTORS:
                small[factor] += (told.p_value or 1.0) <= factor * told.level
        alarms += has_alarm
    looks, spent = series * PER_WINDOWS, ERROR / PER_WINDOWS * SHARES["told_apart"]
    return {
        "name": "texts", "series": series, "looks": looks, "test_rows": num_test, "texts": num_texts,
        "series_with_alarm": alarms, "share_of_series": [alarms / series, *proportion_interval(alarms, series)],
        "told_apart_p_values_up_to": {str(factor): [small[factor], round(factor * spent * looks, 2)] for factor in FACTORS},
    }  # fmt: skip


def power_of_shares(trials: int, num_test: int, share: float, *, num_texts: int = 2_000, rise: float = 0.05) -> dict[str, Any]:
    """Count trials in which a class that rose by five points raises its alarm, in one window or in one of three."""
    generator, found = np.random.default_rng(2), np.zeros(3, dtype=int)
    now = share + rise
    for _ in range(trials):
        test = reference(num_test, generator, [1 - share, share], num_drawn=int(num_test / 0.15))
        windows = (measured(num_texts, generator, [1 - now, now]) for _ in found)
        found += np.maximum.accumulate([has_alarm(find_signals(test, window), "classes") for window in windows])
    spans = [[number / trials, *proportion_interval(number, trials)] for number in found.tolist()]
    about = {"test_rows": num_test, "texts": num_texts, "share": share, "rise": rise, "trials": trials}
    return {**about, "found": spans[0], "found_within_three_windows": spans[2]}


def power_of_words(trials: int, num_test: int, to: range, name: str, *, num_texts: int = 2_000) -> dict[str, Any]:
    """Count windows in which five percent of the words moved, and which signals say so."""
    generator, said = np.random.default_rng(3), Counter[str]()
    for _ in range(trials):
        test = text_reference(num_test, generator)
        texts = of_texts(num_texts, generator, moved=0.05, to=to)
        found = find_all_signals(test, measure_texts(test.measure, texts, generator), texts)
        names = {signal.name for signal in found if signal.is_alarm}
        said.update({*names, *(["any"] if names else [])})
    about = {"name": name, "test_rows": num_test, "texts": num_texts, "moved": 0.05, "trials": trials}
    return {**about, "found": [said["any"] / trials, *proportion_interval(said["any"], trials)], "signals": dict(said)}


def has_alarm(signals: Sequence[Signal], *names: str) -> bool:
    """Whether one of these signals has an alarm."""
    return any(signal.is_alarm for signal in signals if signal.name in names)


def figures_at_the_gate(series: int, per_look: int) -> dict[str, Any]:
    """Count series of 100 looks in which a figure exactly at its gate raises an alarm: the worst case."""
    generator, error, alarms = np.random.default_rng(4), ERROR * SHARES["figures"] / 4, Counter[str]()
    for hits in generator.binomial(per_look, 0.85, (series, PER_WINDOWS)):
        looks = [(int(number), per_look) for number in hits]
        alarms["as watched"] += find_fall(looks, 0.85, error=error).is_alarm
        alarms["at an error of 10 %"] += find_fall(looks, 0.85, error=0.1).is_alarm
    return {"series": series, "labels_per_look": per_look, "error": error, "series_with_alarm": dict(alarms)}


def labels_until_alarm(trials: int, before: float, after: float, *, gate: float = 0.85, per_look: int = 20) -> dict[str, Any]:
    """Return how many labels it takes after a fall that comes after 50 good looks."""
    generator, error, needed = np.random.default_rng(5), ERROR * SHARES["figures"] / 4, list[int]()
    for _ in range(trials):
        looks = [(int(hits), per_look) for hits in generator.binomial(per_look, before, 50)]
        while not find_fall(looks, gate, error=error).is_alarm and len(looks) < MAX_LOOKS:
            looks.append((int(generator.binomial(per_look, after)), per_look))
        needed.append((len(looks) - 50) * per_look)
    middle, most = (int(np.quantile(needed, part)) for part in (0.5, 0.9))
    return {"before": before, "after": after, "gate": gate, "trials": trials, "labels": {"median": middle, "90 %": most}}


def news() -> tuple[list[str], list[str]]:
    """Return texts and labels of news."""
    with gzip.open(SHARED / "ag_news_test.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    random.Random(0).shuffle(rows)
    return [str(row["text"]) for row in rows], [str(row["label"]) for row in rows]


def real(series: int, num_looks: int, trials: int) -> dict[str, Any]:
    """Watch news by a linear classifier: windows drawn from the rows that were held out, then with one topic five points up."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from pretune.data.alike.duplicates import words_in
    from pretune.hashing import fold

    texts, labels = news()
    train, validation, test, pool = slice(0, 2_000), slice(2_000, 3_000), slice(3_000, 4_500), slice(4_500, None)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=500)).fit(texts[train], labels[train])
    classes = tuple(map(str, model.classes_))
    measure = Measure(
        counts=Counter(word for text in texts[train] for word in words_in(fold(text))), classes=classes, tokenizer=None
    )

    def numbers(part: Sequence[str]) -> Measured:
        shares = model.predict_proba(part)
        rows = [Example(id=str(number), text=text) for number, text in enumerate(part)]
        return measure(rows, [classes[number] for number in shares.argmax(axis=1)], shares.max(axis=1))

    held = Reference(
        measured=numbers(texts[test]), labels=tuple(labels[test]), texts=tuple(texts[test]), others=tuple(texts[validation]),
        classes=classes, positive=None, num_drawn=None, measure=measure,
    )  # fmt: skip
    rest, given, generator = texts[pool], np.array(labels[pool]), np.random.default_rng(6)
    alarms = looks = 0
    for _ in range(series):
        has = False
        for _ in range(num_looks):
            part = [rest[row] for row in generator.permutation(len(rest))[:500]]
            has |= any(signal.is_alarm for signal in find_all_signals(held, numbers(part), part))
            looks += 1
        alarms += has
    topic, found = str(labels[0]), Counter[str]()
    for _ in range(trials):
        rows = np.concatenate([generator.choice(np.flatnonzero(given == topic), 600, replace=False),
                               generator.choice(np.flatnonzero(given != topic), 1_400, replace=False)])  # fmt: skip
        part = [rest[row] for row in rows]
        signals = find_all_signals(held, numbers(part), part)
        found.update({signal.item or signal.name for signal in signals if signal.is_alarm})
        found["any"] += any(signal.is_alarm for signal in signals)
    return {
        "series": series,
        "looks": looks,
        "series_with_alarm": alarms,
        "topic": topic,
        "trials": trials,
        "found": dict(found),
    }


def parts(quick: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what is measured."""
    few = 10 if quick else 1
    many = [1 / 20] * 20
    yield (
        "power of shares",
        lambda: [
            power_of_shares(300 // few, num_test, share)
            for num_test in (1_500, 5_000)
            for share in (0.02, 0.05, 0.10, 0.15, 0.20, 0.50)
        ],
    )
    yield "power of words", lambda: [
        power_of_words(30 // few, num_test, to, name)
        for num_test in (500, 1_500)
        for name, to in (("unknown words", range(NUM_KNOWN, NUM_WORDS)), ("200 known words", range(2_000, 2_200)),
                         ("all known words", range(NUM_KNOWN)))
    ]  # fmt: skip
    yield (
        "false alarms",
        lambda: [
            false_alarms("two classes", 60 // few, 1_500, 2_000, [0.85, 0.15], num_drawn=10_000),
            false_alarms("small windows, joined", 60 // few, 500, 100, [0.9, 0.1]),
            false_alarms("twenty classes, copies", 60 // few, 1_500, 500, many, copies=0.2),
        ],
    )
    yield (
        "figures",
        lambda: {
            "at the gate": [figures_at_the_gate(1_000 // few, per_look) for per_look in (5, 20, 100)],
            "after a fall": [labels_until_alarm(40 // few, 0.92, after) for after in (0.80, 0.75, 0.65)],
        },
    )
    yield "false alarms of texts", lambda: [false_alarms_of_texts(5 if not quick else 1, 1_500, 500)]
    yield (
        "power of larger windows",
        lambda: [
            power_of_shares(100 // few, 5_000, share, num_texts=num_texts)
            for share in (0.20, 0.50)
            for num_texts in (4_000, 8_000)
        ],
    )
    yield "news", lambda: real(2 if not quick else 1, 100, 20 // few)


def main() -> None:
    """Measure what is not measured yet, and keep each part when it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the trials, kept nowhere")
    quick = parser.parse_args().quick
    kept: dict[str, Any] = json.loads(PATH.read_text()) if PATH.exists() and not quick else {"row": "production-watching"}
    for name, measure in parts(quick):
        if name not in kept:
            kept |= {name: measure(), **describe_machine(), "measured": time.strftime("%Y-%m-%d")}
            print(name, json.dumps(kept[name]), flush=True)
            if not quick:
                PATH.write_text(json.dumps(kept | told(kept), indent=1) + "\n")
    if not quick:
        production_page.write()


if __name__ == "__main__":
    main()
