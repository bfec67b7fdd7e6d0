"""``--budget 5m``: what to train, for how long and on how much of each text, so that the whole command ends in time.

Every way to train is an option with its seconds, from what ``pacing`` measured, and its cost, the accuracy that it is
expected to give up; of those that fit, the one that gives up least is taken. The choice is recorded, and a run that is gone
on with takes the recorded one.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pretune.configs import AUTO, RunConfig, parse_duration
from pretune.data.dataset import Dataset
from pretune.errors import UsageError
from pretune.records import BudgetChoice, BudgetOption, RunRecord
from pretune.report.words import duration
from pretune.run.trace import Trace
from pretune.tasks.classify.options import WANTED_EPOCHS, Remaining, make_options
from pretune.tasks.classify.pace import Stopwatch, boundaries_of
from pretune.train import Device

# Share of the budget kept back: for saving, judging's own arithmetic, and a machine that has other things to do.
MARGIN = 0.15
# Share of the budget that measuring may take.
MEASURING = 0.08


def choose_within(
    config: RunConfig, data: Dataset, device: Device, trace: Trace, *, covers: str, linear_seconds: float, start: float
) -> BudgetChoice:
    """Measure a copy of the model, and choose what fits.

    Args:
        config: With its budget; what it names is kept.
        data: What will be trained on.
        device: Where.
        trace: Receives the stage.
        covers: ``run`` where judging must fit as well, else ``finetune``.
        linear_seconds: What fitting the linear baseline took.
        start: When the command was given, by ``time.perf_counter``.

    Raises:
        UsageError: Nothing fits; the message says the least that would do.
    """
    limit = parse_duration(str(config.budget))
    with trace.stage("budget", f"{duration(limit)} for the whole command") as stage:
        watch = Stopwatch(config.model, data.training, config.finetune, device, config.seed)
        layers = len(watch.network.layers)
        boundaries = boundaries_of(layers) if config.freeze == AUTO else (config.freeze,)
        for freeze in boundaries:
            watch.network.boundary_of(freeze)  # one that does not fit the model is an error of its own
        rest = Remaining(
            num_train=len(data.train),
            num_validation=len(data.validation),
            num_seeds=config.seeds,
            num_test=data.seal.num_rows if covers == "run" else 0,
            linear_seconds=linear_seconds,
            spent=0.0,
            has_range_test=config.finetune.learning_rate == AUTO,
        )
        options: list[BudgetOption] = []
        for pace in watch.measure(boundaries, seconds=MEASURING * limit):
            rest = replace(rest, spent=time.perf_counter() - start)
            options = list(make_options(pace, config, rest))
            newest = list(pace.steps)[-1]
            if min(option.seconds for option in options if option.freeze == newest) > _usable(limit):
                break  # what trains more takes longer still
        unmeasured = tuple(name for name in boundaries if name not in pace.steps)
        chosen, best = pick(options, limit), min(options, key=_by_cost)
        gave_up = tuple(say_given_up(chosen, best, unmeasured, are_epochs_given=config.epochs is not None))
        found = BudgetChoice(
            seconds=limit,
            covers=covers,
            margin=MARGIN,
            given=given_of(config),
            chosen=chosen,
            best=best,
            gave_up=gave_up,
            timings=pace.timings,
        )
        stage.shape_out = f"{_say(chosen)}: about {duration(chosen.seconds)}"
        stage.done = f"{len(options)} ways measured; gave up: {'; '.join(found.gave_up) or 'nothing'}"
    trace.keep("budget", found)
    return found


def apply_choice(config: RunConfig, choice: BudgetChoice) -> RunConfig:
    """Return the config with what was chosen."""
    chosen = choice.chosen
    return replace(
        config,
        freeze=chosen.freeze,
        epochs=chosen.epochs,
        finetune=replace(config.finetune, max_length=chosen.max_length),
        judge=replace(config.judge, encoder_linear=chosen.has_encoder_linear),
    )


def given_of(config: RunConfig) -> tuple[str, ...]:
    """Return what the user named himself, and is kept."""
    has_length = config.finetune.max_length is not None
    named = {"freeze": config.freeze != AUTO, "epochs": config.epochs is not None, "max_length": has_length}
    return tuple(name for name, is_given in named.items() if is_given)


def pick(options: Iterable[BudgetOption], limit: float) -> BudgetOption:
    """Return the option that gives up least among those that fit into ``limit`` seconds less the margin.

    Raises:
        UsageError: None does.
    """
    known = list(options)
    fitting = [option for option in known if option.seconds <= _usable(limit)]
    if fitting:
        return min(fitting, key=_by_cost)
    least = min(known, key=lambda option: option.seconds)
    raise UsageError(
        f"--budget is {duration(limit)}, too little for any training here",
        expected=f"about {_round_up(least.seconds / (1 - MARGIN))}s: then {_say(least)}",
        fix=f"--budget {_round_up(least.seconds / (1 - MARGIN))}s, or fewer rows, or fewer --seeds",
    )


def say_given_up(
    chosen: BudgetOption, best: BudgetOption, unmeasured: tuple[str, ...] = (), *, are_epochs_given: bool = False
) -> Iterator[str]:
    """Yield what time without end would have given besides."""
    wanted = chosen.epochs if are_epochs_given else WANTED_EPOCHS[chosen.freeze.partition("-")[0]]
    if chosen.freeze != best.freeze:
        yield _say_trained(best.freeze)
    if unmeasured:
        names = ", ".join(map(_say_trained, unmeasured))
        yield f"{names} (not measured: a smaller option did not fit, or the time for measuring ran out)"
    if chosen.epochs < wanted:
        yield f"{wanted - chosen.epochs} of {wanted} epochs"
    if chosen.share_cut > best.share_cut:
        more = f"{chosen.share_cut - best.share_cut:.1%}"
        yield f"{more} of texts cut more, at {chosen.max_length} tokens instead of {best.max_length}"
    if best.has_encoder_linear and not chosen.has_encoder_linear:
        yield "the encoder-linear baseline"


def say_choice(choice: BudgetChoice) -> str:
    """Return the sentence for a person: what was chosen, how long it takes, what was given up."""
    lost = f"gave up: {'; '.join(choice.gave_up)}" if choice.gave_up else "nothing was given up"
    kept = f"; kept as given: {', '.join(choice.given)}" if choice.given else ""
    took = f"about {duration(choice.chosen.seconds)}"
    return f"--budget {duration(choice.seconds)}: chose {_say(choice.chosen)}: {took}; {lost}{kept}"


def say_end(choice: BudgetChoice) -> str:
    """Return the sentence on how long it took in the end."""
    taken, limit = choice.seconds_taken or 0.0, choice.seconds
    attempt = "since it was resumed " if choice.was_resumed else ""
    if taken <= limit:
        return f"--budget {duration(limit)}: {attempt}it took {duration(taken)}"
    return f"--budget {duration(limit)}: {attempt}it took {duration(taken)}, {duration(taken - limit)} over the budget"


def tell_end(record: RunRecord, covered: str, trace: Trace) -> RunRecord:
    """Return the record with the time that a budget's command took, once all that the budget covers is done."""
    if record.budget is None or record.budget.covers != covered or record.budget.seconds_taken is not None:
        return record
    choice = replace(record.budget, seconds_taken=round(sum(record.seconds.values()), 1))
    trace.note(say_end(choice))
    return replace(record, budget=choice)


def _usable(limit: float) -> float:
    return limit * (1 - MARGIN)


def _by_cost(option: BudgetOption) -> tuple[float, float]:
    return option.cost, option.seconds


def _say(option: BudgetOption) -> str:
    epochs = "1 epoch" if option.epochs == 1 else f"{option.epochs} epochs"
    return f"{_say_trained(option.freeze)}, {epochs}, {option.max_length} tokens"


def _say_trained(freeze: str) -> str:
    return {"none": "all layers", "all": "head only"}.get(freeze, freeze)


def _round_up(seconds: float) -> int:
    return int(-(-seconds // 5) * 5)
