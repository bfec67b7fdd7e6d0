"""The overfitting experiment: a run that learns its rows by heart, the learner's cure, and a careful further step."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.errors import UsageError
from pretune.tasks.learn.lesson import Found, Lab, Table, read_lesson
from pretune.tasks.learn.lessons.questions import cured_gap, gap, new_texts, paired, which
from pretune.tasks.learn.reasons import say_reasons
from pretune.tasks.learn.reviews import clear_reviews
from pretune.tasks.learn.tries import (
    Try,
    build,
    curve_of,
    keep_try,
    make_try,
    measure,
    parse_settings,
    read_tries,
    side_by_side,
)

if TYPE_CHECKING:
    from pretune.records import Comparison

OVERFITS = {"freeze": "none", "epochs": "4", "lr": "2e-4", "dropout": "0", "weight_decay": "0"}
# Measured by benchmarks/learn.py.
ANSWER = {"freeze": "none", "epochs": "1", "lr": "2.5e-5", "dropout": "0.1", "label_smoothing": "0.1", "weight_decay": "0.1"}
MIN_VALIDATION, MAX_TRAINING = 0.85, 0.92
CAREFUL, LAYERS = "1e-6", (2, 3)
PROMPT = "settings (or answer, tries, q) > "
SIGNIFICANT = 0.05


def count_rows(_lab: Lab) -> Found:
    """Count the rows of the experiment."""
    data = clear_reviews()
    return Found(facts={"num_train": len(data.train), "num_validation": len(data.validation)})


def overfit(lab: Lab) -> Found:
    """Train until the rows are known by heart."""
    made, _ = make_try("overfits", OVERFITS, clear_reviews(), lab.trace)
    keep_try(lab.folder / "overfits.jsonl", made)
    facts = {"over_epochs": say_epochs(made), **_facts("over", made)}
    return Found(facts=facts, tables=(side_by_side([made], "The run that goes wrong"),), curves=(curve_of(made),))


def say_epochs(made: Try) -> str:
    """Say what validation showed from the first epoch to the last: accuracy may stand still while the loss already rises."""
    (first, last), (low, high) = (made.held[0], made.held[-1]), (made.losses[0], made.losses[-1])
    says = (
        f"validation accuracy went from {first:.3f} after the first epoch to {last:.3f}, and validation loss from {low:.3f} "
        f"to {high:.3f}."
    )
    if high <= low:
        return says
    return (
        f"{says} So the loss shows it first: on new sentences the model is not right much more often than before, but where it "
        "is wrong it is now sure of it."
    )


def cure(lab: Lab) -> Found:
    """Let the learner try until a try is cured; the cured model is kept.

    Raises:
        Left: The learner stops; the tries stay.
    """
    before, path = read_tries(lab.folder / "overfits.jsonl")[-1], lab.folder / "tries.jsonl"
    while True:
        tries = read_tries(path)
        cured = next((item for item in tries if is_cured(item)), None)
        if cured is not None and (lab.folder / "cured").exists():
            return _compared(before, cured, len(tries))
        settings = _ask(lab, [before, *tries])
        made, classifier = make_try(f"try {len(tries) + 1}", settings, clear_reviews(), lab.trace)
        if is_cured(made):
            classifier.save(lab.folder / "cured")
        keep_try(path, made)
        lab.teacher.show(side_by_side([before, made], "Both runs"))
        lab.teacher.say(say_distance(made))


def _ask(lab: Lab, tries: Sequence[Try]) -> dict[str, str]:
    """Read settings until they can be used."""
    while True:
        typed = lab.teacher.read(PROMPT)
        if typed.lower() == "answer":
            lab.teacher.say("Known to work: " + " ".join(f"{name}={value}" for name, value in ANSWER.items()))
            return dict(ANSWER)
        if typed.lower() == "tries":
            lab.teacher.show(side_by_side(tries[-5:], "The last tries"))
            continue
        try:
            return parse_settings(typed)
        except UsageError as error:
            lab.teacher.say(str(error).replace("\n", "\n\n"))


def is_cured(made: Try) -> bool:
    """Whether a try reaches what is asked for."""
    return made.validation >= MIN_VALIDATION and made.training < MAX_TRAINING


def say_distance(made: Try) -> str:
    """Say what a try still lacks, and what would change it."""
    if is_cured(made):
        return "That is it: validation at least 0.85, training below 0.92."
    if made.validation < MIN_VALIDATION and made.training < MAX_TRAINING:
        return (
            "Not yet: it has learned too little. Training is low as well, so more may be learned: more layers, "
            "a higher rate or more epochs."
        )
    if made.validation < MIN_VALIDATION:
        return "Not yet: training is high and validation too low. It learns by heart, and at a rate that harms the layers."
    return (
        "Nearly: validation is high enough, but training is not below 0.92. Fewer epochs, fewer layers, a lower rate or "
        "more dropout leave it less to learn by heart."
    )


def _compared(before: Try, cured: Try, number: int) -> Found:
    facts = {
        "num_tries": "one try" if number == 1 else f"{number} tries",
        "reasons": say_reasons(before.settings, cured.settings, before.num_trained, cured.num_trained),
        "told": say_accuracy(before, cured),
        "cured_settings": cured.settings,
        **_facts("cured", cured),
    }
    cured_curve = curve_of(cured)
    return Found(facts=facts, tables=(side_by_side([before, cured], "Side by side"),), curves=(cured_curve,))


def say_accuracy(before: Try, cured: Try) -> str:
    """Say what the cure did to validation accuracy itself: overfitting shows in the gap and in the loss first."""
    change = cured.validation - before.validation
    if change >= 0:
        return f"So the cure cost no accuracy: it rose by {change:.3f}."
    return (
        f"Look closely: accuracy alone fell by {-change:.3f}. Learning by heart shows in the gap and in the loss first, and "
        "harms accuracy only later; training less is a cure, and a model can also be trained too little."
    )


def unfreeze(lab: Lab) -> Found:
    """Let the last two, then the last three layers of the cured model learn at 1e-6, and compare in pairs."""
    rows, facts = [], dict[str, Any]()
    for count in LAYERS:
        compared, made = go_on(lab.folder / "cured", count, lab)
        name = f"last {count} at {CAREFUL}"
        low, high = f"{compared.low:+.3f}", f"{compared.high:+.3f}"
        rows.append(
            (name, f"{made.validation:.3f}", f"{compared.difference:+.3f}", f"{low} to {high}", f"{compared.p_value:.2g}")
        )
        facts |= {f"difference_{count}": compared.difference, f"p_value_{count}": compared.p_value}
        facts |= {f"after_{count}": made.validation, f"verdict_{count}": say_verdict(count, compared)}
    facts["num_updates"] = math.ceil(len(clear_reviews().train) / 32)
    columns = ("", "validation accuracy", "change", "95 % interval", "p value")
    start = ("cured", f"{float(lab.facts['cured_validation']):.3f}", "", "", "")
    table = Table(title="One epoch further", columns=columns, rows=(start, *rows), note="McNemar's test on the same rows")
    return Found(facts=facts, tables=(table,))


def go_on(folder: Path, count: int, lab: Lab) -> "tuple[Comparison, Try]":
    """Train a saved model for one more epoch with the last layers free; return what that changed, in pairs."""
    from pretune.evaluate.compare import compare
    from pretune.tasks.classify.estimator import TextClassifier

    data, settings = clear_reviews(), {"freeze": f"last-{count}", "epochs": "1", "lr": CAREFUL}
    start, classifier = time.perf_counter(), TextClassifier.load(folder)
    before = classifier.predictions(data.validation, "validation")
    given = build(settings)
    classifier.set_params(**given)
    classifier.fit(data, resume=True, trace=lab.trace, progress=False)
    made = measure(f"last {count}", settings, classifier, data, start=start)
    after = replace(classifier.predictions(data.validation, "validation"), source="further")
    return compare(after, replace(before, source="cured")), made


def say_verdict(count: int, compared: "Comparison") -> str:
    """Say what a comparison shows."""
    what = f"With the last {count} layers accuracy changes by {compared.difference:+.3f}"
    interval = f"(95 % interval {compared.low:+.3f} to {compared.high:+.3f}, p = {compared.p_value:.2g})"
    if compared.p_value >= SIGNIFICANT:
        return f"{what} {interval}: no difference can be shown."
    return f"{what} {interval}: {'a gain' if compared.difference > 0 else 'a loss'} that chance does not explain."


def _facts(name: str, made: Try) -> Mapping[str, Any]:
    figures = {"training": made.training, "validation": made.validation, "gap": made.gap, "loss": made.loss}
    return {f"{name}_{key}": round(value, 4) for key, value in figures.items()}


OVERFITTING = read_lesson(
    "overfitting", work=(count_rows, overfit, cure, unfreeze), questions=(gap, new_texts, which, cured_gap, paired)
)
