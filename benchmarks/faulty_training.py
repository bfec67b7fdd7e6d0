"""Faults in answers and in training, planted into clean twins."""

import random
from dataclasses import replace

from clean_twins import LOSSES, loss_score, make_steps
from faults import FAULTS, Planter, simulated, with_predictions
from pretune.records import Change, Evidence, Predictions


def _kept(twin: Evidence, source: str, split: str) -> Predictions:
    found = twin.find(split, source)
    if found is None:
        raise ValueError(f"a clean twin has predictions of {source} on {split}")
    return found


def _say(twin: Evidence, source: str, split: str, answers: dict[int, str]) -> Evidence:
    """Let a source answer otherwise at some places, as surely as it did before."""
    old = _kept(twin, source, split)
    said = tuple(answers.get(place, answer) for place, answer in enumerate(old.predicted))
    shares = tuple(
        row if (row[1] >= 0.5) == (answer == "pos") else row[::-1]
        for row, answer in zip(old.probabilities or (), said, strict=True)
    )
    return replace(twin, predictions=with_predictions(twin, replace(old, predicted=said, probabilities=shares)))


def plant_missed_positives(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Call this share of the positive test rows negative."""
    positive = [place for place, row in enumerate(twin.test) if row.label == "pos"]
    missed = generator.sample(positive, round(strength * len(positive)))
    return _say(twin, "finetuned", "test", dict.fromkeys(missed, "neg"))


def plant_dead_class(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Call this share of all test rows that were called positive negative."""
    called = [place for place, answer in enumerate(_kept(twin, "finetuned", "test").predicted) if answer == "pos"]
    return _say(twin, "finetuned", "test", dict.fromkeys(generator.sample(called, round(strength * len(called))), "neg"))


def plant_overfitting(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Let the model be this much better on its training rows than on others (0.98 there)."""
    known = simulated(twin, "finetuned", "train", 0.98, generator)
    unseen = simulated(twin, "finetuned", "validation", 0.98 - strength, generator)
    return replace(twin, predictions=with_predictions(twin, known, unseen))


def plant_rising_loss(twin: Evidence, strength: float, _generator: random.Random) -> Evidence:
    """Let validation loss rise by this share after the second epoch, while the third is kept."""
    history = twin.history
    if history is None:
        raise ValueError("a clean twin has a history")
    first, second, third = history.validations
    epochs = (first, second, replace(third, loss=second.loss * (1 + strength)))
    return replace(twin, history=replace(history, validations=epochs, best_epoch=third.epoch))


def plant_memorized(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Let the model know a share of the training rows by heart, against what models that did not see them say."""
    known, unseen = _kept(twin, "finetuned", "train"), _kept(twin, "out_of_fold", "train")
    chosen = set(generator.sample(range(len(known.ids)), round(strength * len(known.ids))))
    sure = {"neg": (0.97, 0.03), "pos": (0.03, 0.97)}

    def told(item: Predictions, *, is_right: bool) -> Predictions:
        answers = ["pos" if (label == "pos") == is_right else "neg" for label in item.labels]
        shares = tuple(sure[answers[n]] if n in chosen else row for n, row in enumerate(item.probabilities or ()))
        said = tuple(answers[n] if n in chosen else answer for n, answer in enumerate(item.predicted))
        return replace(item, predicted=said, probabilities=shares)

    return replace(twin, predictions=with_predictions(twin, told(known, is_right=True), told(unseen, is_right=False)))


def plant_undertraining(twin: Evidence, strength: float, _generator: random.Random) -> Evidence:
    """Let the last epoch still lower the validation loss by this share."""
    history = twin.history
    if history is None:
        raise ValueError("a clean twin has a history")
    first, second, third = history.validations
    epochs = (first, second, replace(third, loss=second.loss * (1 - strength)))
    return replace(twin, history=replace(history, validations=epochs, best_epoch=third.epoch))


def plant_no_learning(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Take this share off what the steps' loss falls by (half of it, in a clean twin)."""
    history = twin.history
    if history is None:
        raise ValueError("a clean twin has a history")
    return replace(twin, history=replace(history, steps=make_steps(generator, 0.35 * (1 - strength))))


def plant_changes(twin: Evidence, strength: float, _generator: random.Random) -> Evidence:
    """Go on with training after other data came in."""
    found = tuple(Change(what="data", then="a1", now="b2", step=10 * n) for n in range(round(strength)))
    return replace(twin, changes=found)


def plant_overconfidence(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Multiply the log odds that the test answers state."""
    new = simulated(twin, "finetuned", "test", 0.80, generator, sharpness=strength)
    return replace(twin, predictions=with_predictions(twin, new))


def plant_unstable_seed(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Let one of three seeds be this much worse."""
    new = simulated(twin, "seed-2", "validation", 0.90 - strength, generator)
    return replace(twin, predictions=with_predictions(twin, new))


def plant_alike_errors(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Let this share of the mistakes come as whole sellers, of ten rows each; there are as many as before."""
    rows, found = twin.test, _kept(twin, "finetuned", "test")
    wrong = [place for place, row in enumerate(rows) if found.predicted[place] != row.label]
    sellers = generator.sample(range(len(rows) // 10), round(strength * len(wrong) / 10))
    all_wrong = {place for seller in sellers for place in range(10 * seller, 10 * seller + 10)}
    left = [place for place in wrong if place not in all_wrong]
    still = all_wrong | set(generator.sample(left, min(len(left), max(0, len(wrong) - len(all_wrong)))))
    other = {"pos": "neg", "neg": "pos"}
    said = tuple(other[str(row.label)] if place in still else str(row.label) for place, row in enumerate(rows))
    sold = tuple(replace(row, extra={**row.extra, "seller": f"seller {place // 10}"}) for place, row in enumerate(rows))
    new = replace(found, predicted=said, probabilities=None)
    return replace(twin, test=sold, predictions=with_predictions(twin, new))


def plant_wrong_yardstick(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Take this share off the ten points that adaptation gains on the task; its own loss falls all the same."""
    new = simulated(twin, "before", "test", 0.80 + 0.10 * strength, generator)
    return replace(twin, predictions=with_predictions(twin, new))


def plant_one_sided(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Buy recall with precision: of the rows that the model before calls negative, call this share positive."""
    before = _kept(twin, "before", "test")
    called = [place for place, answer in enumerate(before.predicted) if answer == "neg"]
    more = set(generator.sample(called, round(strength * len(called))))
    said = tuple("pos" if place in more else answer for place, answer in enumerate(before.predicted))
    new = replace(before, source="finetuned", predicted=said, probabilities=None)
    return replace(twin, predictions=with_predictions(twin, new))


def plant_forgetting(twin: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Let the loss on general text rise by this share, and accuracy on a general task fall by as much."""
    values = LOSSES | {("general", "pretrained"): LOSSES["general", "before"] * (1 + strength)}
    worse = simulated(twin, "pretrained", "general", 0.80 - min(strength, 0.25), generator)
    language = tuple(loss_score(*place, value) for place, value in values.items())
    return replace(twin, predictions=with_predictions(twin, worse), language=language)


OF_TRAINING: tuple[Planter, ...] = (
    Planter(check="results.accuracy_paradox", plant=plant_missed_positives, strengths=(0.2, 0.4, 0.6, 0.8, 1.0), clear_from=0.6,
            unit="share of the positive rows missed"),
    Planter(check="results.bad_values", plant=plant_missed_positives, strengths=(0.2, 0.4, 0.6, 0.8), clear_from=0.6,
            unit="share of the positive rows missed"),
    Planter(check="results.dead_class", plant=plant_dead_class, strengths=(0.5, 0.9, 0.99, 1.0), clear_from=0.9,
            unit="share of the positive answers gone"),
    Planter(check="results.calibration", plant=plant_overconfidence, strengths=(1.2, 1.5, 2.0, 3.0), clear_from=2.0,
            unit="factor on the log odds, at an accuracy of 0.80"),
    Planter(check="results.stability", plant=plant_unstable_seed, strengths=(0.01, 0.03, 0.06, 0.1, 0.2), clear_from=0.1,
            unit="accuracy that one of three seeds lacks"),
    Planter(check="results.alike_errors", plant=plant_alike_errors, strengths=(0.25, 0.5, 0.75, 1.0), clear_from=0.75,
            unit="share of the mistakes that come as whole sellers of ten rows"),
    Planter(check="training.overfitting", plant=plant_overfitting, strengths=(0.05, 0.1, 0.15, 0.2, 0.3), clear_from=0.2,
            unit="accuracy between training and validation"),
    Planter(check="training.rising_loss", plant=plant_rising_loss, strengths=(0.05, 0.1, 0.2, 0.3, 0.6), clear_from=0.3,
            unit="rise of the validation loss of the kept epoch"),
    Planter(check="training.memorized", plant=plant_memorized, strengths=(0.01, 0.02, 0.04, 0.08), clear_from=0.08,
            unit="share of the training rows"),
    Planter(check="training.undertraining", plant=plant_undertraining, strengths=(0.02, 0.05, 0.1, 0.2, 0.4), clear_from=0.2,
            unit="fall of the validation loss in the last epoch"),
    Planter(check="training.learning", plant=plant_no_learning, strengths=(0.5, 0.8, 0.95, 1.0), clear_from=1.0,
            unit="share of the fall in loss gone"),
    Planter(check="training.changed", plant=plant_changes, strengths=(1.0, 2.0), clear_from=1.0, unit="changes"),
    Planter(check="adaptation.wrong_yardstick", plant=plant_wrong_yardstick, strengths=(0.5, 0.8, 1.0, 1.2), clear_from=1.0,
            unit="share of the ten points gained that is not"),
    Planter(check="adaptation.one_sided", plant=plant_one_sided, strengths=(0.02, 0.05, 0.1, 0.2), clear_from=0.2,
            unit="share of the negative answers turned"),
    Planter(check="adaptation.forgetting", plant=plant_forgetting, strengths=(0.02, 0.04, 0.1, 0.2), clear_from=0.1,
            unit="rise of the general loss, and fall of general accuracy"),
)  # fmt: skip
PLANTERS = (*FAULTS, *OF_TRAINING)
