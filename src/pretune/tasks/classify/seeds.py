"""``--seeds 3``: the same training from several seeds; the best on validation is kept, and the spread is shown.

Token ids and the states of a frozen trunk are computed once for all seeds. A finished seed stays beside the checkpoints until
the run is finished, so the same command resumes the interrupted seed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, stdev

import torch
from sklearn.base import clone

from pretune import storage
from pretune.configs import LAST
from pretune.data.dataset import Dataset
from pretune.errors import UsageError
from pretune.hashing import digest_of, digest_of_file
from pretune.models import find_checkpoint
from pretune.records import Calibration, Change, History, Predictions, SeedResult, SeedSpread, Spread, TokenCounts
from pretune.run.prediction_tables import parse_predictions, predictions_csv
from pretune.run.trace import Trace
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.prepare import PreparedOnce
from pretune.train import Resume, choose_device
from pretune.train.stopping import FALLING

RULE = "the best {metric} on validation; ties go to the lower validation loss, then to the smaller seed"
# A training has collapsed where it gains less than this share of the best seed's gain over one constant answer, if the best
# gains at least so much. Mosbach, Andriushchenko and Klakow (2021) call a run failed that is no better than the majority
# class; balanced accuracy means the same whatever the classes' shares, and a quarter takes in answers that hardly vary.
COLLAPSED_SHARE, LEAST_GAIN = 0.25, 0.05
COLLAPSE_RULE = (
    f"collapsed: balanced accuracy gains less than {COLLAPSED_SHARE:.0%} of what the best seed gains over one constant answer, "
    f"and the best gains at least {LEAST_GAIN:g}"
)


@dataclass(frozen=True, slots=True)
class Member:
    """One seed's training, done and on disk."""

    seed: int
    place: Path
    history: History
    predictions: Predictions  # on validation


def fit_seeds(
    model: TextClassifier, data: Dataset, num_seeds: int, resume: Resume, trace: Trace
) -> tuple[TextClassifier, SeedSpread, tuple[Predictions, ...]]:
    """Fit ``model`` with its own seed and those that follow it, and return the best, fitted.

    Args:
        model: Unfitted, with its linear baseline.
        data: What to fit on; the sealed test is not read.
        num_seeds: How many.
        resume: Where trainings are saved; what lies there already is resumed.
        trace: Receives the stages of every training.

    Returns:
        The kept model, the spread, and every seed's validation predictions as source ``seed-N``.

    Raises:
        UsageError: A seed lies there that was trained on something else.
    """
    prepare, members, config = PreparedOnce(), list[Member](), model.config
    for number, seed in enumerate(range(model.seed, model.seed + num_seeds), start=1):
        trace.note(f"seed {seed}, {number} of {num_seeds}")
        trace.training(f"seed-{seed}")
        one = clone(model).set_params(seed=seed, config=config)
        one._prepare = prepare
        members.append(_fit_one(one, data, resume, trace))
        tested = members[0].history.range_test
        if tested is not None:  # one rate for all, or the seeds would differ in more than the seed
            config = replace(config, learning_rate=tested.learning_rate)
    spread = summarize([member.predictions for member in members], [member.history for member in members])
    with trace.stage("seeds", f"{num_seeds} trainings") as stage:
        kept = _restore(model, next(member for member in members if member.seed == spread.kept), data)
        kept.history_ = replace(kept.history_, range_test=members[0].history.range_test)
        stage.done, stage.shape_out = f"kept seed {spread.kept}: {spread.rule}", say_spread(spread)
        collapsed = [str(result.seed) for result in spread.results if result.has_collapsed]
        stage.notes = [f"seeds {', '.join(collapsed)} {spread.collapse_rule}"] if collapsed else []
    trace.keep("seeds", spread)
    return kept, spread, tuple(member.predictions for member in members)


def summarize(predictions: Sequence[Predictions], histories: Sequence[History]) -> SeedSpread:
    """Compare trainings on their validation predictions; sources are ``seed-N``."""
    metric: str = "loss" if histories[0].monitor == LAST else histories[0].monitor
    results = []
    balanced = [balanced_accuracy(item) for item in predictions]
    chance = 1 / len(set(predictions[0].labels))
    best = max(balanced) - chance
    for item, history, share in zip(predictions, histories, balanced, strict=True):
        epoch = next(validation for validation in history.validations if validation.epoch == history.best_epoch)
        results.append(
            SeedResult(
                seed=int(item.source.removeprefix("seed-")),
                accuracy=fmean(map(str.__eq__, map(str, item.labels), item.predicted)),
                balanced_accuracy=share,
                metric_value=epoch.metric_value,
                loss=epoch.loss,
                best_epoch=epoch.epoch,
                has_collapsed=best >= LEAST_GAIN and share - chance < COLLAPSED_SHARE * best,
            )
        )
    sign = -1 if metric in FALLING else 1
    kept = max(results, key=lambda result: (sign * result.metric_value, -result.loss, -result.seed))
    figures = {"accuracy": [item.accuracy for item in results], metric: [item.metric_value for item in results]}
    return SeedSpread(
        metric=metric,
        results=tuple(results),
        spreads=tuple(
            Spread(metric=name, mean=fmean(values), low=min(values), high=max(values), deviation=stdev(values))
            for name, values in figures.items()
        ),
        kept=kept.seed,
        rule=RULE.format(metric=metric.replace("_", " ")),
        collapse_rule=COLLAPSE_RULE,
    )


def balanced_accuracy(predictions: Predictions) -> float:
    """Return the mean over the classes of the share of their rows that was right."""
    pairs = list(zip(map(str, predictions.labels), predictions.predicted, strict=True))
    sizes, hits = Counter(label for label, _ in pairs), Counter(label for label, answer in pairs if label == answer)
    return fmean(hits[label] / size for label, size in sizes.items())


def say_spread(spread: SeedSpread) -> str:
    """Return the spreads in one line."""
    return "; ".join(
        f"{item.metric.replace('_', ' ')} {item.mean:.3f} ± {item.deviation:.3f} ({item.low:.3f} to {item.high:.3f})"
        for item in spread.spreads
    )


def _fit_one(model: TextClassifier, data: Dataset, resume: Resume, trace: Trace) -> Member:
    """Train, or take what lies there; ``seed.json`` is written last, so a seed without it is not done."""
    place, unfinished = resume.folder / f"seed-{model.seed}-done", resume.folder / f"seed-{model.seed}"
    about = _describe(model, data)
    if (place / "seed.json").is_file():
        held = storage.read_json(place / "seed.json")
        _check_same(held["about"], about, model.seed)
        trace.note(f"seed {model.seed} was finished before the run was interrupted")
    else:
        model.fit(data, trace=trace, resume=replace(resume, folder=unfinished))
        model.save(place / "model")
        storage.replace(place / "validation.csv", predictions_csv(model.predict_validation(data.training)))
        held = {
            "about": about,
            "history": model.history_.to_json(),
            "calibration": model.calibration_.to_json(),
            "changes": [item.to_json() for item in model.changes_],
            "token_counts": [item.to_json() for item in model.token_counts_],
        }
        storage.replace_json(place / "seed.json", held)
    storage.discard(unfinished)
    text = (place / "validation.csv").read_bytes().decode("utf-8", "surrogatepass")
    predictions = parse_predictions(text, split="validation", source=f"seed-{model.seed}")
    return Member(model.seed, place, History.from_json(held["history"]), predictions)


def _restore(model: TextClassifier, member: Member, data: Dataset) -> TextClassifier:
    """Return a seed's classifier as ``fit`` left it; always from disk, so that a run that was cut off ends the same."""
    held, found = (
        storage.read_json(member.place / "seed.json"),
        TextClassifier.load(member.place / "model", config=model.config),
    )
    found.set_params(**{**model.get_params(deep=False), "seed": member.seed})
    found.linear_ = model.linear_
    found.history_ = member.history
    found.calibration_ = Calibration.from_json(held["calibration"])
    found.token_counts_ = tuple(TokenCounts.from_json(item) for item in held["token_counts"])
    found.changes_ = tuple(Change.from_json(item) for item in held["changes"])
    found.remember(data.training, replace(member.predictions, source="finetuned"))
    return found


def _describe(model: TextClassifier, data: Dataset) -> dict[str, str]:
    """Return what a finished training depends on."""
    config, folder = model.config, Path(find_checkpoint(model.model).path)
    device = choose_device(config.device, precision=config.precision, threads=config.threads)
    return {
        "data": digest_of([[row.id, row.text, row.label] for row in (*data.train, *data.validation)])[:16],
        "model": digest_of([digest_of_file(file) for file in sorted(folder.glob("*.safetensors"))])[:16],
        "settings": digest_of([config.get_params(), model.epochs, model.freeze, model.seed])[:16],
        "device": str(device),
        "torch": str(torch.__version__),
        "pretune": version("pretune"),
    }


def _check_same(then: dict[str, str], now: dict[str, str], seed: int) -> None:
    changed = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    if changed:
        told = "; ".join(f"{name}: {then.get(name, 'nothing')} then, {now.get(name, 'nothing')} now" for name in changed)
        raise UsageError(
            f"seed {seed} of this run was trained with something else ({told})",
            expected="the inputs that it was started with",
            fix="restore them, or pass --overwrite to start over",
        )
