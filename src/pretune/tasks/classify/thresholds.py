"""Deciding: thresholds chosen on validation, for the model and, by the same rule, for its baselines. No test row is read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pretune.configs import JudgeConfig
from pretune.configs.shares import share_of
from pretune.evaluate import is_unbalanced
from pretune.evaluate.aims import Aim, make_aim
from pretune.evaluate.codes import Groups
from pretune.evaluate.decide import apply_threshold
from pretune.evaluate.encoder_linear import SOURCE, load_encoder_linear
from pretune.evaluate.threshold import choose_threshold
from pretune.records import Predictions, RunRecord, ThresholdChoice
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.classify.estimator import TextClassifier
from pretune.verdict import Policy
from pretune.verdict.constraint import constraint_of

# What gives every row the same probabilities has nothing to threshold.
CONSTANT = ("majority", "prior")


def read_aim(config: JudgeConfig, policy: Policy, *, positive: str | None, labels: Sequence[str]) -> Aim:
    """Return what the threshold is chosen for: the goal, and the gates that the verdict will ask of these rows.

    Args:
        config: Goal, constraint and costs as the user named them.
        policy: Its goal already chosen.
        positive: The class that figures are about.
        labels: Of the training rows; where one class holds most of them, the gate on accuracy falls away.

    Raises:
        UsageError: They cannot be read, or contradict each other.
    """
    prevalence = share_of(policy.prevalence, positive)
    unbalanced = is_unbalanced(labels) if prevalence is None else max(prevalence, 1 - prevalence) > policy.max_balanced_share
    gates = {gate.metric: gate.minimum for gate in policy.gates if not (gate.only_balanced and unbalanced)}
    aim = make_aim(
        positive=positive,
        goal=config.goal,
        default_goal=policy.goal,
        gates=gates,
        keep=config.keep,
        cost=config.cost,
        at=constraint_of(policy.gates),
    )
    return replace(aim, prevalence=prevalence)


def inherit(config: JudgeConfig, record: RunRecord) -> JudgeConfig:
    """Return the config with the goal, constraint and costs of the run where it names none of the three."""
    known = record.settings.judge
    config = replace(config, votes=config.votes or known.votes)
    if config.prevalence is None and known.prevalence is not None:
        config = replace(config, prevalence=known.prevalence)
    if any(item is not None for item in (config.goal, config.keep, config.cost, config.at_precision, config.max_alerts)):
        return config
    if all(item is None for item in (known.goal, known.keep, known.cost, known.at_precision, known.max_alerts)):
        return config
    policy = config.policy if config.policy is not None else known.policy  # the goal is one of its own
    least = config.min_recall if config.min_recall is not None else known.min_recall
    return replace(
        config,
        goal=known.goal,
        keep=known.keep,
        cost=known.cost,
        at_precision=known.at_precision,
        max_alerts=known.max_alerts,
        min_recall=least if known.at_precision is not None or known.max_alerts is not None else config.min_recall,
        policy=policy,
    )


def choose_thresholds(known: Sequence[Predictions], aim: Aim, groups: Groups) -> dict[str, ThresholdChoice]:
    """Choose for every source by the same rule: a baseline that kept 0.5 would lose by its threshold alone."""
    return {item.source: choose_threshold(item, aim, groups=groups) for item in known if item.source not in CONSTANT}


def decided_by(known: Iterable[Predictions], choices: Mapping[str, ThresholdChoice]) -> list[Predictions]:
    """Return the predictions with the answers that the thresholds give; a constant source has none, and stays."""
    return [apply_threshold(item, choices[item.source]) if item.source in choices else item for item in known]


def store_thresholds(model: TextClassifier, choices: Mapping[str, ThresholdChoice], folder: RunFolder) -> None:
    """Put the choices into the model's card and into the baselines of the run; the model is saved by the caller."""
    choice = choices["finetuned"]
    model.card_ = replace(model.card_, positive=choice.positive, threshold=choice.threshold, goal=choice.goal)
    for source, place in (("linear", folder.linear), (SOURCE, folder.encoder_linear)):
        if source not in choices:
            continue
        found = choices[source]
        if source == "linear":
            model.linear_ = model.linear_.decided_by(found.positive, found.threshold)
            model.linear_.save(place)
        else:
            load_encoder_linear(place).decided_by(found.positive, found.threshold).save(place)


def tell_choice(choices: Mapping[str, ThresholdChoice], trace: Trace) -> None:
    """Write the stage that says which threshold was chosen, how, and what baselines got."""
    choice = choices["finetuned"]
    rows = f"{choice.num_examples:,} {choice.split} predictions"
    with trace.stage("threshold", rows + (f", {choice.num_positives:,} {choice.positive}" if choice.positive else "")) as stage:
        stage.shape_out = "largest class" if choice.threshold is None else f"{choice.positive} from p ≥ {choice.threshold:g}"
        span = f" (5–95 % of resamples: {choice.low:g} to {choice.high:g})" if choice.low is not None else ""
        stage.done = choice.note if choice.threshold is None else f"{choice.rule}{span}"
        others = {source: item.threshold for source, item in choices.items() if source != "finetuned"}
        named = ", ".join(f"{source} {'largest class' if t is None else f'{t:g}'}" for source, t in others.items())
        notes = [choice.note if choice.threshold is not None else "", f"by the same rule: {named}" if choice.positive else ""]
        stage.notes = [note for note in notes if note]
