"""Budgets: which way to train is chosen from what was measured, what is said to be given up, and what a short one says."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from running import call, learning_flags

import pretune
from pretune.configs import FinetuneConfig, JudgeConfig, RunConfig, parse_duration
from pretune.errors import UsageError
from pretune.records import BudgetChoice, BudgetOption
from pretune.run import RunFolder
from pretune.run.job import Job
from pretune.run.trace import Trace
from pretune.tasks.classify import budget as budgeting, path as pipeline
from pretune.tasks.classify.budget import Remaining, apply_choice, make_options, pick, say_choice, say_end, say_given_up
from pretune.tasks.classify.pace import Pace, Speed, Stopwatch, boundaries_of, work_of
from pretune.train import choose_device

LENGTHS = np.array([20] * 50 + [60] * 40 + [300] * 10)
# A step of 32 texts of 60 tokens: 0.1 s for the last layer, 0.2 s for the last two, 1 s for all.
UNIT = 32 * work_of(np.array([60]), 384)
STEPS = {"all": 0.001, "last-1": 0.1, "last-2": 0.2, "last-3": 0.4, "none": 1.0}
PACE = Pace(
    num_layers=6, width=384, lengths=LENGTHS, longest=512, load_seconds=0.5, tokenize_seconds=1e-5,
    rate=0.05 / UNIT, steps={name: Speed(fixed=0.0, rate=s / UNIT) for name, s in STEPS.items()},
    timings=(),
)  # fmt: skip
JOB = Remaining(
    num_train=3_200, num_validation=400, num_test=400, num_seeds=1, linear_seconds=1.0, spent=3.0, has_range_test=False
)  # fmt: skip
CONFIG = RunConfig(budget="5m")


def chosen(limit, config=CONFIG, job=JOB, pace=PACE):
    return pick(make_options(pace, config, job), limit)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("1m30s", 90), ("0.5h", 1800), (" 2m ", 120)]
)
def test_times_are_read_with_their_units(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["5", "", "m", "5 m", "-5m", "0s", "5min", "1m1h", "five", "1e9s", "nans"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError, match="90s, 5m, 1h"):
        RunConfig(budget=text)


def test_time_without_end_gives_up_nothing():
    best = chosen(1e9)
    assert (best.freeze, best.epochs, best.max_length, best.has_encoder_linear) == ("none", 3, 384, True)
    assert best.cost == best.share_cut == 0
    assert list(say_given_up(best, best)) == []


@pytest.mark.parametrize("limit", [20, 40, 60, 90, 150, 300, 600])
def test_what_is_chosen_fits_and_nothing_that_fits_gives_up_less(limit):
    options = list(make_options(PACE, CONFIG, JOB))
    found = pick(options, limit)
    assert found.seconds <= 0.85 * limit
    assert all(other.cost >= found.cost for other in options if other.seconds <= 0.85 * limit)


def test_more_time_never_gives_up_more():
    costs = [chosen(limit).cost for limit in (20, 30, 45, 60, 90, 120, 240, 480, 960)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]


def test_the_seconds_by_hand():
    """One text is 0.5 × 20 + 0.4 × 60 + 0.1 × 60 = 40 tokens with 60 kept; work a token is 6 × 384 + its length.

    work of a text: 0.5 × 20 × 2,324 + 0.5 × 60 × 2,364 = 94,160; a unit (32 × 60 × 2,364) is 4,538,880, so 0.02075 units.
    training: 1.05 × 0.02075 × 3,200 = 69.7 units × 0.2 s = 13.9 s an epoch; scoring 400 rows through 2 of 6 layers:
    0.02075 × 400 × 0.05 / 3 = 0.14 s; the trunk: 3,600 rows × 4 / 6 of 0.05 s a unit = 2.49 s; loading 3 × 0.5; tokens 0.04.
    """
    job = replace(JOB, num_test=0)
    config = replace(
        CONFIG, freeze="last-2", epochs=1, finetune=FinetuneConfig(max_length=60), judge=JudgeConfig(encoder_linear=False)
    )
    pace = replace(PACE, longest=60, lengths=np.minimum(LENGTHS, 61), steps={"last-2": PACE.steps["last-2"]})
    [option] = make_options(pace, config, job)
    assert option.seconds - job.spent == pytest.approx(13.95 + 0.14 + 2.49 + 1.5 + 0.04, abs=0.15)


def test_seeds_and_a_range_test_take_their_time():
    one, three = (chosen(1e9, job=replace(JOB, num_seeds=count)).seconds for count in (1, 3))
    found = chosen(1e9, job=replace(JOB, has_range_test=True)).seconds
    assert three > 2.5 * (one - 60)
    assert found > one + 50  # a hundred steps of about 1 s


@pytest.mark.parametrize(
    ("named", "field", "value"),
    [
        ({"freeze": "last-1"}, "freeze", "last-1"),
        ({"epochs": 7}, "epochs", 7),
        ({"finetune": FinetuneConfig(max_length=48)}, "max_length", 48),
    ],
)
def test_what_the_user_names_is_kept(named, field, value):
    config = replace(CONFIG, **named)
    pace = replace(PACE, longest=48) if field == "max_length" else PACE
    if field == "freeze":
        pace = replace(pace, steps={value: pace.steps[value]})
    assert {getattr(option, field) for option in make_options(pace, config, JOB)} == {value}
    assert budgeting.given_of(config) == (field,)


def test_a_budget_too_small_for_anything_says_the_least_that_would_do():
    with pytest.raises(UsageError, match=r"too little.*\n.*about (\d+)s: then head only, 1 epoch, 16 tokens") as caught:
        chosen(2)
    least = int(caught.value.fix.split("--budget ")[1].split("s")[0])
    assert chosen(least).freeze == "all"
    with pytest.raises(UsageError):
        chosen(least - 5)


def test_what_was_given_up_is_said():
    best = chosen(1e9)
    found = BudgetOption(freeze="last-2", epochs=3, max_length=48, has_encoder_linear=False, seconds=250, cost=3, share_cut=0.5)
    said = list(say_given_up(found, best))
    cut = "50.0% of texts cut more, at 48 tokens instead of 384"
    assert said == ["all layers", "1 of 4 epochs", cut, "the encoder-linear baseline"]
    [more, *_] = list(say_given_up(best, best, ("last-3", "none")))
    assert more.startswith("last-3, all layers (not measured")
    assert "1 of 4 epochs" not in list(say_given_up(found, best, are_epochs_given=True))
    choice = BudgetChoice(
        seconds=300, covers="run", margin=0.15, given=("epochs",), chosen=found, best=best, gave_up=tuple(said), timings=()
    )  # fmt: skip
    assert say_choice(choice).startswith(
        "--budget 5 min 00 s: chose last-2, 3 epochs, 48 tokens: about 4 min 10 s; gave up: all layers;"
    )
    assert say_choice(choice).endswith("kept as given: epochs")
    assert say_end(replace(choice, seconds_taken=280.0)) == "--budget 5 min 00 s: it took 4 min 40 s"
    assert say_end(replace(choice, seconds_taken=320.0)).endswith("it took 5 min 20 s, 20 s over the budget")


def test_boundaries_of_models_of_any_depth():
    assert boundaries_of(12) == ("all", "last-1", "last-2", "last-6", "none")
    assert boundaries_of(1) == boundaries_of(0) == ("all", "none")
    assert boundaries_of(3) == ("all", "last-1", "last-2", "none")


@pytest.fixture
def table(workplace):
    return str(workplace / "reviews.csv")


def flags(model, *more):
    """The flags of a tiny model that learns, without what a budget chooses."""
    given = learning_flags(model)
    kept = [
        item for pair in zip(given[::2], given[1::2], strict=True) for item in pair if pair[0] not in ("--freeze", "--epochs")
    ]
    return [*kept, "--quiet", *more]


def test_measuring_a_copy_finds_that_more_layers_take_longer(tiny_checkpoint, table):
    data = pretune.load_data(table, text="Critique (text)", label="Mood?")
    config = FinetuneConfig(precision="fp32", threads=1)
    watch = Stopwatch(str(tiny_checkpoint("bert")), data.training, config, choose_device(threads=1, precision="fp32"), 0)
    paces = list(watch.measure(boundaries_of(3), seconds=60))
    assert [list(pace.steps)[-1] for pace in paces] == ["all", "last-1", "last-2", "none"]
    pace = paces[-1]
    work = work_of(pace.lengths[:32], pace.width)
    assert pace.steps["none"].seconds(work) > pace.steps["all"].seconds(work) > 0
    assert pace.rate > 0
    assert {timing.freeze for timing in pace.timings} == set(pace.steps)
    assert len(list(watch.measure(boundaries_of(3), seconds=0))) == 1, "the cheapest boundary is always measured"


def test_a_run_within_a_budget_records_what_it_chose_and_trains_what_the_flags_would(tiny_checkpoint, table, workplace):
    model = tiny_checkpoint("bert")
    assert call("finetune", table, "--run", "a", "--budget", "2m", *flags(model)) == 0
    record = RunFolder(workplace / "a").read_record()
    choice = record.budget
    assert choice is not None
    assert (choice.seconds, choice.covers, choice.given, choice.was_resumed) == (120, "finetune", (), False)
    assert choice.seconds_taken is not None
    assert choice.chosen.freeze == "none", "two minutes are plenty for a tiny model"
    assert (record.configs["freeze"], record.configs["epochs"]) == ("none", choice.chosen.epochs)
    assert record.configs["finetune"]["max_length"] == choice.chosen.max_length
    events = [json.loads(line) for line in (workplace / "a" / "trace.jsonl").read_text().splitlines()]
    assert "budget" in {event["event"] for event in events}
    assert any("chose all layers" in event["text"] for event in events if event["event"] == "note")
    named = ["--freeze", "none", "--epochs", str(choice.chosen.epochs), "--max-length", str(choice.chosen.max_length)]
    assert call("finetune", table, "--run", "b", *named, *flags(model)) == 0
    same = RunFolder(workplace / "b").read_record().history
    assert [step.loss for step in record.history.steps] == [step.loss for step in same.steps], "measuring changed no bit"


def test_the_command_given_again_takes_the_recorded_choice(tiny_checkpoint, table, workplace, monkeypatch):
    training = FinetuneConfig(learning_rate=3e-3, precision="fp32", threads=1)
    config = RunConfig(model=str(tiny_checkpoint("bert")), budget="2m", finetune=training)
    folder = RunFolder(workplace / "a")
    with monkeypatch.context() as patch:
        patch.setattr(pretune.tasks.classify.estimator.TextClassifier, "fit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            pipeline.finetune(Job(source=table, config=config, folder=folder, trace=Trace()))
    first = folder.read_record()
    assert (first.status, first.budget.was_resumed) == ("started", False)
    slower = replace(first.budget, chosen=replace(first.budget.chosen, freeze="last-1", epochs=2))
    folder.write_record(replace(first, budget=slower))  # what a busier machine had chosen
    monkeypatch.setattr(pipeline, "choose_within", interrupt)
    record = pipeline.finetune(Job(source=table, config=config, folder=folder, trace=Trace()))
    assert (record.configs["freeze"], record.configs["epochs"]) == ("last-1", 2)
    assert record.budget.was_resumed
    assert len(record.history.validations) <= 2


def interrupt(*_args, **_options):
    raise KeyboardInterrupt


def test_a_budget_that_nothing_fits_into_leaves_no_run_behind(tiny_checkpoint, table, workplace, capsys):
    assert call("run", table, "--run", "a", "--budget", "0.01s", *flags(tiny_checkpoint("bert"))) == 2
    said = capsys.readouterr().err
    assert said.count("too little") == 1
    assert re.search(r"Fix: --budget [1-9]\d*s,", said)
    assert not (workplace / "a" / "run.json").exists()


def test_an_overrun_is_said_in_the_record_and_the_report(tiny_checkpoint, table, workplace, monkeypatch):
    """The clock says afterwards that the machine was busy with other things."""
    monkeypatch.setattr(budgeting, "_usable", lambda _: 1e9)
    assert call(
        "run", table, "--run", "a", "--budget", "0.05s", "--freeze", "all", "--epochs", "1", *flags(tiny_checkpoint("bert"))
    ) in (0, 1, 3)
    choice = RunFolder(workplace / "a").read_record().budget
    assert choice.covers == "run"
    assert choice.seconds_taken > 0.05
    assert choice.given == ("freeze", "epochs")
    assert "over the budget" in (workplace / "a" / "report.html").read_text()


def test_apply_choice_changes_nothing_else():
    option = replace(chosen(60), has_encoder_linear=False)
    choice = BudgetChoice(seconds=60, covers="run", margin=0.15, given=(), chosen=option, best=option, gave_up=(), timings=())
    found = apply_choice(CONFIG, choice)
    same = replace(found, freeze="auto", epochs=None, finetune=replace(found.finetune, max_length=None), judge=JudgeConfig())
    assert same == CONFIG
