"""Every way to train within a budget: its seconds, from the measured pace, and the accuracy it is expected to give up."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from pretune.configs import RunConfig
from pretune.records import BudgetOption
from pretune.tasks.classify.pace import MAX_LENGTH, Pace, work_of
from pretune.train.rates import NUM_STEPS

# Tokens a text among which is chosen; none above the shortest that holds every text.
LENGTHS = (16, 32, 48, 64, 96, 128, 192, 256, 384, MAX_LENGTH)
# Epochs beyond which another one is not expected to pay, by what is trained. Devlin et al. (2019) recommend 2 to 4 for all
# layers; a head alone costs next to nothing and learns slowly.
WANTED_EPOCHS = {"none": 3, "last": 4, "all": 10}
# Points of accuracy given up by training only this share of the layers: movie-reviews, docs/results.md (last 3 and 2 of 6
# layers, and the head alone, against all of them); the others lie between.
TRAINED_SHARES, LAYER_COSTS = (0.0, 1 / 6, 1 / 3, 1 / 2, 1.0), (7.4, 4.0, 2.1, 0.7, 0.0)
# Points for each halving of the epochs: 0.842 after one epoch against 0.850 after three on movie-reviews (docs/log.md).
HALVING_COST = 0.6
# Points for all tokens cut away: on IMDB 58 % of the tokens were cut at 128 and 31 % at 256, for 0.874 against 0.906
# (docs/results.md).
CUT_COST = 12.0
# Points for judging without the encoder-linear baseline: no accuracy, but a question the report then leaves open.
ENCODER_LINEAR_COST = 0.5
# Seconds for each number in the table that this baseline is fitted on (7,398 × 384: 8 to 20 s on two cores).
REGRESSION_SECONDS = 5e-6
# Training rows scored in judging, for the gap to validation; more would cost time and change the gap by under a point.
GAP_ROWS = 2_000
# Batches of texts alike in length still hold some padding.
PADDING = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What remains to be done after choosing.

    Args:
        num_train: Training rows.
        num_validation: Validation rows.
        num_test: Sealed rows that are scored at the end; 0 where the command ends before.
        num_seeds: Trainings.
        linear_seconds: What fitting the linear baseline took; diagnosing takes about as long again.
        spent: Seconds since the command was given.
        has_range_test: Whether a rate has to be found.
    """

    num_train: int
    num_validation: int
    num_test: int
    num_seeds: int
    linear_seconds: float
    spent: float
    has_range_test: bool


def make_options(pace: Pace, config: RunConfig, rest: Remaining) -> Iterator[BudgetOption]:
    """Yield every way to train, with its seconds from the start of the command to its end, and its cost."""
    longest = int(pace.lengths.max(initial=1))
    fitting = [length for length in LENGTHS if length < min(longest, pace.longest)]
    lengths = [pace.longest] if config.finetune.max_length is not None else [*fitting, _cover(longest, pace.longest)]
    with_baseline = (True, False) if config.judge.encoder_linear and pace.num_layers else (False,)
    for freeze, length, has_encoder_linear in product(pace.steps, lengths, with_baseline):
        wanted = WANTED_EPOCHS[freeze.partition("-")[0]]
        for epochs in (config.epochs,) if config.epochs is not None else range(1, wanted + 1):
            option = BudgetOption(
                freeze=freeze,
                epochs=epochs,
                max_length=length,
                has_encoder_linear=has_encoder_linear,
                seconds=0.0,
                cost=0.0,
                share_cut=round(float((pace.lengths > length).mean()), 4),
            )
            seconds = round(rest.spent + estimate(option, pace, config.finetune.batch_size, rest), 1)
            yield replace(option, seconds=seconds, cost=round(_cost(option, pace, with_baseline[0]), 3))


def estimate(option: BudgetOption, pace: Pace, batch_size: int, rest: Remaining) -> float:
    """Return the seconds from here to the end of the command."""
    cut = np.minimum(pace.lengths, option.max_length)
    work = work_of(cut, pace.width) / len(cut)  # of one text
    trained, cached = _trained_share(option.freeze, pace.num_layers), pace.num_layers > 0
    learned, scored = rest.num_train + rest.num_validation, rest.num_validation
    steps = -(-rest.num_train // batch_size)
    speed = pace.steps[option.freeze]
    epoch = speed.seconds(PADDING * work * rest.num_train, steps) + pace.rate * work * scored * (trained if cached else 1.0)
    parts = {
        "load": pace.load_seconds * (rest.num_seeds + 2),  # to train, to save and read back
        "tokenize": pace.tokenize_seconds * learned * (1 + option.has_encoder_linear),
        "trunk": pace.rate * work * learned * (1 - trained) if cached else 0.0,
        "training": rest.num_seeds * option.epochs * epoch,
        "range test": NUM_STEPS * speed.seconds(PADDING * work * batch_size) if rest.has_range_test else 0.0,
    }
    if option.has_encoder_linear:
        parts["encoder linear"] = pace.rate * work * learned + REGRESSION_SECONDS * rest.num_train * pace.width
    if rest.num_test:
        asked = min(GAP_ROWS, rest.num_train) + rest.num_test * (1 + option.has_encoder_linear)
        rate = pace.precise_rate or pace.rate
        parts["judging"] = (rate * work + pace.tokenize_seconds) * asked + rest.linear_seconds + 2 * pace.load_seconds
    return sum(parts.values())


def _cover(longest_text: int, most: int) -> int:
    """Return the shortest of the lengths that holds every text, or the most that the model reads."""
    return next((length for length in (*LENGTHS, most) if longest_text <= length <= most), most)


def _cost(option: BudgetOption, pace: Pace, could_have_encoder_linear: bool) -> float:
    wanted = WANTED_EPOCHS[option.freeze.partition("-")[0]]
    trained = _trained_share(option.freeze, pace.num_layers)
    tokens_cut = 1 - float(np.minimum(pace.lengths, option.max_length).sum()) / float(pace.lengths.sum())
    return (
        float(np.interp(trained, TRAINED_SHARES, LAYER_COSTS))
        + HALVING_COST * max(0.0, float(np.log2(wanted / option.epochs)))
        + CUT_COST * tokens_cut
        + ENCODER_LINEAR_COST * (could_have_encoder_linear and not option.has_encoder_linear)
    )


def _trained_share(freeze: str, num_layers: int) -> float:
    kind, _, count = freeze.partition("-")
    return {"none": 1.0, "all": 0.0}[kind] if kind != "last" else int(count) / max(1, num_layers)
