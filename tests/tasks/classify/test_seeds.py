"""Several seeds in one command: which is kept, how far they lie apart, which collapsed, and what a cut does to them."""

import json
from dataclasses import replace

import pytest
import torch
from running import write_reviews
from safetensors.torch import load_file

from pretune.configs import FinetuneConfig, JudgeConfig, RunConfig
from pretune.diagnose.stability import check_stability
from pretune.errors import UsageError
from pretune.records import Evidence, History, Predictions, Validation
from pretune.run import RunFolder
from pretune.run.job import Job
from pretune.run.trace import Trace
from pretune.tasks.classify import path as pipeline
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.seeds import balanced_accuracy, summarize
from pretune.train import checkpoint
from tiny import make_rows

NUM_ROWS, NUM_STEPS = 80, 7  # 56 training rows, 8 a batch: 7 steps an epoch
TRUTH = ("a",) * 6 + ("b",) * 4


def predictions(seed, answers):
    return Predictions(
        source=f"seed-{seed}", split="validation", classes=("a", "b"), ids=tuple(map(str, range(len(answers)))),
        labels=TRUTH, predicted=tuple(answers),
    )  # fmt: skip


def history(value, loss=0.5, metric="accuracy"):
    epoch = Validation(
        epoch=2, step=1, training_loss=1.0, training_accuracy=0.5, loss=loss, accuracy=0.5, metric=metric, metric_value=value,
        learning_rate=1e-3, seconds=1.0,
    )  # fmt: skip
    return History(validations=(replace(epoch, epoch=1, metric_value=0.0), epoch), monitor=metric, best_epoch=2)


def test_spread_by_hand():
    """Right: 10, 8 and 9 of 10, so the mean is 0.9 and the standard deviation 0.1."""
    answers = ("aaaaaabbbb", "aaaaabbbba", "aaaaaabbba")
    found = summarize([predictions(seed, row) for seed, row in enumerate(answers)], [history(v) for v in (1.0, 0.8, 0.9)])
    accuracy = found.spreads[0]
    assert accuracy.metric == "accuracy"
    assert (accuracy.mean, accuracy.low, accuracy.high) == pytest.approx((0.9, 0.8, 1.0))
    assert accuracy.deviation == pytest.approx(0.1)
    assert (found.kept, [item.has_collapsed for item in found.results]) == (0, [False] * 3)


@pytest.mark.parametrize(
    ("histories", "kept"),
    [
        ([history(0.8), history(0.9)], 1),
        ([history(0.9, loss=0.5), history(0.9, loss=0.4)], 1),
        ([history(0.9), history(0.9)], 0),
        ([history(0.3, metric="loss"), history(0.4, metric="loss")], 0),
    ],
)
def test_the_best_is_kept_ties_by_loss_then_by_seed(histories, kept):
    assert summarize([predictions(seed, "aaaaaabbbb") for seed in (0, 1)], histories).kept == kept


def test_a_seed_with_one_constant_answer_has_collapsed_where_another_learned():
    constant, learned = predictions(0, "a" * 10), predictions(1, "aaaaaabbba")
    assert balanced_accuracy(constant) == 0.5
    assert balanced_accuracy(learned) == pytest.approx(0.875)
    found = summarize([constant, learned], [history(0.6), history(0.9)])
    assert [item.has_collapsed for item in found.results] == [True, False]
    alike = summarize([constant, constant], [history(0.6), history(0.6)])
    assert [item.has_collapsed for item in alike.results] == [False, False], "where none learns, none has collapsed"


def test_what_seeds_leave_is_what_the_stability_check_reads():
    found = check_stability(Evidence(predictions=(predictions(0, "aaaaaabbbb"), predictions(1, "aaaaabbbba"))))
    assert "between 0.800 (seed-1) and 1.000 (seed-0)" in found.summary


@pytest.fixture
def settings(tiny_checkpoint, workplace):
    write_reviews(workplace / "reviews.csv", make_rows(NUM_ROWS))
    training = FinetuneConfig(learning_rate=3e-3, precision="fp32", threads=1, batch_size=8, keep_trunk=False)
    return RunConfig(
        model=str(tiny_checkpoint("bert")), freeze="last-1", epochs=2, seeds=3, seed=4, finetune=training,
        judge=JudgeConfig(encoder_linear=False),
    )  # fmt: skip


def events_of(folder):
    return [json.loads(line) for line in folder.trace.read_text().splitlines()]


def test_seeds_are_kept_through_a_cut_and_end_with_the_same_bits(settings, workplace, monkeypatch):
    """Cut in the middle of the second of three: the first is not trained again, the second goes on, the end is the same."""
    whole, cut = RunFolder(workplace / "whole"), RunFolder(workplace / "cut")
    expected = pipeline.run(Job(source="reviews.csv", config=settings, folder=whole, trace=Trace()))
    steps = []

    def die(event):
        steps.extend([1] if event["event"] == "step" else [])
        if len(steps) == 3 * NUM_STEPS + 2:  # in the second epoch of the second seed
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Checkpoints, "is_due", property(lambda _: len(steps) in (NUM_STEPS, 3 * NUM_STEPS + 1)))
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(Job(source="reviews.csv", config=settings, folder=cut, trace=Trace(listeners=(die,))))
    assert (cut.checkpoints / "seed-4-done" / "seed.json").is_file()
    assert list((cut.checkpoints / "seed-5").glob("step-*"))
    more = []
    record = pipeline.run(
        Job(
            source="reviews.csv",
            config=settings,
            folder=cut,
            trace=Trace(listeners=(lambda event: more.append(event["event"]),)),
        )
    )
    assert more.count("step") == 3 * NUM_STEPS - 1, (
        "the first seed is not trained again, the second goes on after its last save"
    )
    assert record.seeds == expected.seeds
    assert without_seconds(record.history) == without_seconds(expected.history)
    first, second = (load_file(folder.model / "model.safetensors") for folder in (whole, cut))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not cut.checkpoints.exists()
    check_run(whole, expected)


def without_seconds(found):
    return replace(found, validations=tuple(replace(item, seconds=0.0) for item in found.validations))


def check_run(folder, record):
    """One test prediction, a set of validation predictions a seed, and rows prepared once."""
    sources = {path.name for path in (folder.path / "predictions").iterdir()}
    assert {f"validation.seed-{seed}.csv" for seed in (4, 5, 6)} <= sources
    assert not any(name.startswith("test.seed") for name in sources)
    stages = [event["stage"] for event in events_of(folder) if event["event"] == "stage"]
    assert (stages.count("tokenize"), stages.count("frozen trunk"), stages.count("fine-tune")) == (1, 2, 3)
    [stability] = [finding for finding in record.findings if finding.check == "results.stability"]
    assert "3 seeds" in stability.summary
    kept = next(item for item in record.seeds.results if item.seed == record.seeds.kept)
    assert record.seeds.metric == "loss"  # 30 validation rows: the last epoch of each is kept, and the least loss
    assert kept.metric_value == min(item.metric_value for item in record.seeds.results)
    assert record.history.best_epoch == kept.best_epoch
    own, seed = (folder.read_predictions("validation", name) for name in ("finetuned", f"seed-{record.seeds.kept}"))
    assert own.probabilities == seed.probabilities
    page = folder.report.read_text()
    assert "Seeds" in page
    assert "standard deviation" in page.lower()


def test_a_seed_that_was_trained_on_something_else_is_refused(settings, workplace, monkeypatch):
    folder, fits = RunFolder(workplace / "a"), []
    fit = TextClassifier.fit

    def fit_once(self, *given, **options):
        if fits:
            raise KeyboardInterrupt
        fits.append(self.seed)
        return fit(self, *given, **options)

    monkeypatch.setattr(TextClassifier, "fit", fit_once)
    with pytest.raises(KeyboardInterrupt):
        pipeline.finetune(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace()))
    write_reviews(workplace / "reviews.csv", make_rows(NUM_ROWS, seed=1))
    with pytest.raises(UsageError, match="seed 4 of this run was trained with something else"):
        pipeline.finetune(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace()))


def test_one_rate_is_found_for_all_seeds_and_its_curve_kept(settings, workplace):
    config = replace(settings, seeds=2, freeze="none", epochs=1, finetune=replace(settings.finetune, learning_rate="auto"))
    folder, told = RunFolder(workplace / "a"), []
    record = pipeline.finetune(
        Job(source="reviews.csv", config=config, folder=folder, trace=Trace(listeners=(lambda event: told.append(event),)))
    )
    stages = [event for event in told if event["event"] == "stage" and event["stage"] == "learning rate"]
    assert len(stages) == 1
    test = record.history.range_test
    rates = [max(step.learning_rate for step in record.history.steps)]
    assert rates == [pytest.approx(test.learning_rate, rel=0.2)]
    assert any(event["event"] == "range_test" for event in events_of(folder))


@pytest.mark.parametrize("seeds", [0, -1])
def test_no_seeds_are_none(seeds):
    with pytest.raises(UsageError, match="seeds is"):
        RunConfig(seeds=seeds)
