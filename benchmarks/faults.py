"""Faults in the data, planted into clean twins, from faint to plain; ``faulty_training`` has those of answers and training."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from clean_twins import make_corpus, receipt_of, simulate
from pretune.data.alike.duplicates import find_duplicates
from pretune.data.alike.shared import find_conflicts
from pretune.hashing import fingerprint
from pretune.records import Evidence, Example, Past, Predictions

Plant = Callable[[Evidence, float, random.Random], Evidence]
# Sentences of other matters, for texts that are not film reviews; read by ``sweep``.
FOREIGN: list[str] = []


@dataclass(frozen=True, kw_only=True)
class Planter:
    """One kind of fault.

    Args:
        check: The finding that has to name it.
        plant: Makes it.
        strengths: From faint to plain.
        clear_from: Strength from which it has to be found.
        unit: What the strength is.
    """

    check: str
    plant: Plant
    strengths: tuple[float, ...]
    clear_from: float
    unit: str


def with_predictions(evidence: Evidence, *new: Predictions) -> tuple[Predictions, ...]:
    """Return all predictions, these in place of those of the same source and split."""
    places = {(item.source, item.split) for item in new}
    return (*(item for item in evidence.predictions if (item.source, item.split) not in places), *new)


def pick(predictions: Predictions, kept: Sequence[int]) -> Predictions:
    """Return the predictions of some rows."""
    ids, labels, said = (
        tuple(field[place] for place in kept) for field in (predictions.ids, predictions.labels, predictions.predicted)
    )
    shares = predictions.probabilities and tuple(predictions.probabilities[place] for place in kept)
    return replace(predictions, ids=ids, labels=labels, predicted=said, probabilities=shares)


def some(rows: Sequence[Example], strength: float, generator: random.Random) -> list[int]:
    """Return the places of a share of the rows, at least one."""
    return generator.sample(range(len(rows)), max(1, round(strength * len(rows))))


def at(rows: Sequence[Example], places: Sequence[int], change: Callable[[Example], Example]) -> tuple[Example, ...]:
    """Return the rows with those at some places changed."""
    chosen = set(places)
    return tuple(change(row) if place in chosen else row for place, row in enumerate(rows))


def plant_copies(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Copy a share of the test texts into training, with other capitals."""
    test = twin.test
    copies = [
        replace(test[place], id=f"copy {place}", text=test[place].text.upper()) for place in some(test, strength, generator)
    ]
    return replace(twin, train=(*twin.train, *copies))


def plant_near_copies(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Likewise, with one word of ten or more replaced."""
    test = [row for row in twin.test if len(row.text.split()) >= 12]
    copies = []
    for place in generator.sample(range(len(test)), min(len(test), round(strength * len(twin.test)))):
        words = test[place].text.split()
        words[generator.randrange(len(words))] = "indeed"
        copies.append(replace(test[place], id=f"near {place}", text=" ".join(words)))
    return replace(twin, train=(*twin.train, *copies))


def plant_validation_copies(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Copy a share of the validation texts into training."""
    rows = twin.validation
    copies = [replace(rows[place], id=f"copy {place}") for place in some(rows, strength, generator)]
    return replace(twin, train=(*twin.train, *copies))


def plant_in_corpus(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Pre-train on a share of the test texts."""
    test = twin.test
    read = [test[place].text for place in some(test, strength, generator)]
    return replace(twin, corpus=make_corpus([*FOREIGN[:300], *read]))


def plant_learned_before(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Fine-tune a model that had learned from a share of the test texts."""
    test = twin.test
    read = tuple(fingerprint(test[place].text) for place in some(test, strength, generator))
    return replace(twin, past=Past(num_texts=len(twin.train), exact=read))


def plant_shared_groups(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Put a share of the test rows into groups that training has."""
    films, test = [row.group for row in twin.train], twin.test
    return replace(
        twin, test=at(test, some(test, strength, generator), lambda row: replace(row, group=generator.choice(films)))
    )


def plant_hidden_groups(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Add a column of 60 authors on both sides of the split; this share of an author's rows has one label."""

    def author(row: Example) -> Example:
        side = row.label if generator.random() < strength else generator.choice(("pos", "neg", "neg"))
        return replace(row, extra={**row.extra, "author": f"author {generator.randrange(30)} of {side}"})

    evidence = twin
    return replace(twin, train=tuple(map(author, evidence.train)), test=tuple(map(author, evidence.test)))


def plant_drift(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Scatter the days of all splits over one time, positive rows later by so many standard deviations."""

    def dated(row: Example) -> Example:
        moved = generator.gauss(strength if row.label == "pos" else 0.0, 1.0)
        return replace(row, extra={**row.extra, "day": (date(2020, 1, 1) + timedelta(days=round(200 * moved))).isoformat()})

    evidence = twin
    return replace(twin, train=tuple(map(dated, evidence.train)), test=tuple(map(dated, evidence.test)))


def plant_signature(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Stamp this share of the positive rows, and no other, with a word."""

    def stamped(row: Example) -> Example:
        is_stamped = row.label == "pos" and generator.random() < strength
        return replace(row, text=f"{row.text} #archive") if is_stamped else row

    evidence = twin
    return replace(twin, train=tuple(map(stamped, evidence.train)), test=tuple(map(stamped, evidence.test)))


def plant_telling_column(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Add a column of sources that names the class of this share of the rows, and the other one of the rest."""

    def named(row: Example) -> Example:
        is_right = generator.random() < strength
        return replace(row, extra={**row.extra, "origin": "site a" if (row.label == "pos") == is_right else "site b"})

    evidence = twin
    return replace(twin, train=tuple(map(named, evidence.train)), test=tuple(map(named, evidence.test)))


def plant_conflicts(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Add copies of training rows under the other label, so that this share of the rows is in conflict."""
    evidence, num_rows = twin, sum(map(len, (twin.train, twin.validation, twin.test)))
    places = generator.sample(range(len(evidence.train)), max(1, round(strength * num_rows / 2)))
    other = {"pos": "neg", "neg": "pos"}
    copies = [replace(row, id=f"other {row.id}", label=other[str(row.label)]) for row in (evidence.train[at] for at in places)]
    train = (*evidence.train, *copies)
    rows = (*train, *evidence.validation, *evidence.test)
    found = find_conflicts(rows, find_duplicates([row.text for row in rows], threshold=0.8))
    receipt = receipt_of({"train": train, "validation": evidence.validation, "test": evidence.test})
    return replace(twin, train=train, receipt=replace(receipt, conflicts=found))


def plant_starved_class(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Take this share of the positive rows out of training."""
    positive = [place for place, row in enumerate(twin.train) if row.label == "pos"]
    gone = set(generator.sample(positive, round(strength * len(positive))))
    return replace(twin, train=tuple(row for place, row in enumerate(twin.train) if place not in gone))


def plant_spellings(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Write this share of the training labels with a capital."""
    places = some(twin.train, strength, generator)
    return replace(twin, train=at(twin.train, places, lambda row: replace(row, label=str(row.label).capitalize())))


def plant_joined_labels(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Put both labels into the cell of this share of the training rows."""
    places = some(twin.train, strength, generator)
    return replace(twin, train=at(twin.train, places, lambda row: replace(row, label="neg, pos")))


def plant_rejected_rows(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Add the column of an annotation tool, which says that this share of the training rows is not to be used."""
    places = set(some(twin.train, strength, generator))
    answered = tuple(
        replace(row, extra={**row.extra, "answer": "reject" if place in places else "accept"})
        for place, row in enumerate(twin.train)
    )
    return replace(twin, train=answered)


def plant_repeated_texts(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Let this share of all rows be copies of training rows."""
    num_rows = sum(map(len, (twin.train, twin.validation, twin.test)))
    num_copies = round(strength * num_rows / (1 - strength))
    copies = [
        replace(row, id=f"again {number} {row.id}") for number, row in enumerate(generator.choices(twin.train, k=num_copies))
    ]
    train = (*twin.train, *copies)
    receipt = receipt_of({"train": train, "validation": twin.validation, "test": twin.test})
    return replace(twin, train=train, receipt=replace(receipt, num_exact_duplicates=num_copies))


def plant_imbalance(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Leave so few positive rows in training that the others hold this share."""
    train = twin.train
    positive = [place for place, row in enumerate(train) if row.label == "pos"]
    kept = round((len(train) - len(positive)) * (1 - strength) / strength)
    gone = set(generator.sample(positive, max(0, len(positive) - kept)))
    return replace(twin, train=tuple(row for place, row in enumerate(train) if place not in gone))


def _of_test(twin: Evidence, kept: Sequence[int]) -> Evidence:
    """Leave only these test rows, in every source that answered them."""
    evidence = twin
    test = tuple(evidence.test[place] for place in kept)
    predictions = tuple(pick(item, kept) if item.split == "test" else item for item in evidence.predictions)
    receipt = receipt_of({"train": evidence.train, "validation": evidence.validation, "test": test})
    return replace(twin, test=test, predictions=predictions, receipt=receipt)


def plant_few_rows(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Take this share of the test rows away."""
    size = len(twin.test)
    return _of_test(twin, sorted(generator.sample(range(size), round((1 - strength) * size))))


def plant_few_positives(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Take this share of the positive test rows away."""
    positive = [place for place, row in enumerate(twin.test) if row.label == "pos"]
    gone = set(generator.sample(positive, round(strength * len(positive))))
    return _of_test(twin, [place for place in range(len(twin.test)) if place not in gone])


def plant_other_shares(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Take negative test rows away until positive ones hold so much more of the test."""
    test = twin.test
    negative = [place for place, row in enumerate(test) if row.label == "neg"]
    num_positive, aim = len(test) - len(negative), (len(test) - len(negative)) / len(test) + strength
    gone = set(generator.sample(negative, len(negative) - round(num_positive * (1 - aim) / aim)))
    return _of_test(twin, [place for place in range(len(test)) if place not in gone])


def plant_short_texts(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Cut a share of the test texts in half."""
    test = twin.test
    return replace(
        twin,
        test=at(test, some(test, strength, generator), lambda row: replace(row, text=row.text[: len(row.text) // 2])),
    )


def plant_foreign_texts(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Let a share of the test be about something else."""
    test, texts = twin.test, iter(generator.sample(FOREIGN, len(twin.test)))
    return replace(twin, test=at(test, some(test, strength, generator), lambda row: replace(row, text=next(texts))))


def plant_unreadable(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Put replacement characters into a share of the training texts."""
    train = twin.train
    spoilt = at(
        train,
        some(train, strength, generator),
        lambda row: replace(row, text=row.text.replace("e", "\ufffd").replace("a", "\ufffd")),
    )
    return replace(twin, train=spoilt)


def plant_wrong_labels(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Give a share of the training rows the other label; models out of fold go on answering as the texts say."""
    evidence, other = twin, {"pos": "neg", "neg": "pos"}
    train = at(evidence.train, some(evidence.train, strength, generator), lambda row: replace(row, label=other[str(row.label)]))
    old = evidence.find("train", "out_of_fold")
    if old is None:
        raise ValueError("a clean twin has predictions out of fold")
    new = replace(old, labels=tuple(row.label for row in train))
    return replace(twin, train=train, predictions=with_predictions(evidence, new))


def plant_cut_texts(twin: Evidence, strength: float, _generator: random.Random) -> Evidence:
    """Cut a share of the training texts to ``max_length`` tokens."""
    first, *rest = twin.token_counts
    cut = round(strength * first.num_texts)
    return replace(twin, token_counts=(replace(first, num_cut_texts=cut, num_cut_tokens=40 * cut), *rest))


def plant_unknown_tokens(twin: Evidence, strength: float, _generator: random.Random) -> Evidence:
    """Let a share of the training tokens be unknown."""
    first, *rest = twin.token_counts
    return replace(twin, token_counts=(replace(first, num_unknown=round(strength * first.num_tokens)), *rest))


def simulated(
    twin: Evidence, source: str, split: str, skill: float, generator: random.Random, *, sharpness: float = 1.0
) -> Predictions:
    """Return predictions of another skill on the rows of a split."""
    rows = [replace(row, id=f"general {row.id}") for row in twin.test[:400]] if split == "general" else getattr(twin, split)
    return simulate(rows, skill, source, split, np.random.default_rng(generator.randrange(2**32)), sharpness=sharpness)


FAULTS: tuple[Planter, ...] = (
    Planter(check="leakage.seen_texts", plant=plant_copies, strengths=(0.005, 0.01, 0.02, 0.05, 0.2), clear_from=0.02,
            unit="share of the test texts"),
    Planter(check="leakage.near_texts", plant=plant_near_copies, strengths=(0.01, 0.03, 0.1, 0.3), clear_from=0.03,
            unit="share of the test texts, one word changed"),
    Planter(check="leakage.validation_texts", plant=plant_validation_copies, strengths=(0.01, 0.05, 0.2), clear_from=0.01,
            unit="share of the validation texts"),
    Planter(check="leakage.corpus", plant=plant_in_corpus, strengths=(0.005, 0.01, 0.02, 0.05, 0.2), clear_from=0.02,
            unit="share of the test texts in the corpus"),
    Planter(check="leakage.learned_before", plant=plant_learned_before, strengths=(0.005, 0.01, 0.02, 0.05, 0.2),
            clear_from=0.02, unit="share of the test texts that the model began with"),
    Planter(check="leakage.groups", plant=plant_shared_groups, strengths=(0.005, 0.02, 0.1, 0.3), clear_from=0.02,
            unit="share of the test rows"),
    Planter(check="leakage.hidden_groups", plant=plant_hidden_groups, strengths=(0.2, 0.4, 0.6, 0.8, 1.0), clear_from=0.8,
            unit="share of an author's rows of one label"),
    Planter(check="leakage.time", plant=plant_drift, strengths=(0.2, 0.4, 0.6, 0.8, 1.2), clear_from=0.8,
            unit="standard deviations between the classes"),
    Planter(check="leakage.signature_token", plant=plant_signature, strengths=(0.2, 0.4, 0.6, 0.8, 0.95), clear_from=0.6,
            unit="share of the class that is stamped"),
    Planter(check="leakage.signature_column", plant=plant_telling_column, strengths=(0.7, 0.85, 0.9, 0.95, 1.0),
            clear_from=0.95, unit="share of the rows that the column tells"),
    Planter(check="labels.conflicts", plant=plant_conflicts, strengths=(0.005, 0.01, 0.02, 0.05), clear_from=0.02,
            unit="share of the rows"),
    Planter(check="labels.starved_class", plant=plant_starved_class, strengths=(0.5, 0.8, 0.95, 0.99), clear_from=0.95,
            unit="share of 210 rows taken away"),
    Planter(check="labels.imbalance", plant=plant_imbalance, strengths=(0.75, 0.85, 0.9, 0.95), clear_from=0.9,
            unit="share of the larger class"),
    Planter(check="labels.spelling", plant=plant_spellings, strengths=(0.001, 0.01, 0.05, 0.2), clear_from=0.001,
            unit="share of the training labels"),
    Planter(check="labels.kind", plant=plant_joined_labels, strengths=(0.01, 0.05, 0.2), clear_from=0.01,
            unit="share of the training rows with both labels"),
    Planter(check="labels.annotations", plant=plant_rejected_rows, strengths=(0.001, 0.01, 0.1), clear_from=0.001,
            unit="share of the training rows that annotators rejected"),
    Planter(check="texts.duplicates", plant=plant_repeated_texts, strengths=(0.02, 0.05, 0.2, 0.5), clear_from=0.2,
            unit="share of the rows that repeat a text"),
    Planter(check="labels.few_test_rows", plant=plant_few_positives, strengths=(0.5, 0.8, 0.9, 0.95), clear_from=0.9,
            unit="share of 300 rows taken away"),
    Planter(check="labels.errors", plant=plant_wrong_labels, strengths=(0.02, 0.05, 0.1, 0.2), clear_from=0.2,
            unit="share of the training labels"),
    Planter(check="shift.length", plant=plant_short_texts, strengths=(0.1, 0.3, 0.6, 1.0), clear_from=0.6,
            unit="share of the test texts cut in half"),
    Planter(check="shift.vocabulary", plant=plant_foreign_texts, strengths=(0.05, 0.1, 0.3, 0.6), clear_from=0.3,
            unit="share of the test texts about something else"),
    Planter(check="shift.labels", plant=plant_other_shares, strengths=(0.03, 0.05, 0.1, 0.2), clear_from=0.1,
            unit="distance of the label shares"),
    Planter(check="shift.two_sample", plant=plant_foreign_texts, strengths=(0.05, 0.1, 0.3, 0.6), clear_from=0.3,
            unit="share of the test texts about something else"),
    Planter(check="results.size", plant=plant_few_rows, strengths=(0.2, 0.5, 0.8, 0.9), clear_from=0.8,
            unit="share of 1,000 test rows taken away"),
    Planter(check="texts.unreadable", plant=plant_unreadable, strengths=(0.005, 0.02, 0.1, 0.3), clear_from=0.1,
            unit="share of the training texts"),
    Planter(check="texts.truncation", plant=plant_cut_texts, strengths=(0.05, 0.1, 0.25, 0.5), clear_from=0.25,
            unit="share of the training texts"),
    Planter(check="texts.unknown_tokens", plant=plant_unknown_tokens, strengths=(0.002, 0.005, 0.02, 0.1), clear_from=0.02,
            unit="share of the training tokens"),
)  # fmt: skip
