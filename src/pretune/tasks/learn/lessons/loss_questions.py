"""Questions of the evaluation lesson about loss against accuracy: which model to take, and where a loss comes from."""

from collections.abc import Mapping, Sequence
from typing import Any

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import HARD, MEDIUM
from pretune.report.practice.template import Drawn, Template, choose, template

_CHOICES = {"a": "model A", "b": "model B"}


def _which_model(name: str, ask: str, steps: Sequence[str], key: str, *, is_high: bool) -> Template:
    @template(
        f"evaluation.{name}",
        MEDIUM,
        ask=ask,
        hint="Does anybody look at the probability, or only at the answer?",
        steps=steps,
        check="Ask what is done with an answer before you choose the figure.",
        terms=["loss", "accuracy"],
        a="Its figure that counts here is the worse one.",
        b="Its figure that counts here is the worse one.",
        same="Their figures differ, and one of them counts here.",
        mean="The mean of loss and accuracy has no meaning: one is in nats, the other is a share.",
    )
    def which(facts: Facts) -> Drawn | None:
        held = {model: facts.at(f"{model}_{key}") for model in _CHOICES}
        if None in held.values():
            return None
        best = max(held, key=lambda model: held[model] if is_high else -held[model])
        options: Mapping[str, tuple[bool, str]] = {model: (model == best, text) for model, text in _CHOICES.items()}
        options = {
            **options,
            "same": (False, "either: they are equally good"),
            "mean": (False, "the one with the better mean of both"),
        }
        given: dict[str, Any] = {f"{model}_value": value for model, value in held.items()}
        return choose(facts, options, **given)

    return which


act_on_answers = _which_model(
    "act_on_answers",
    "Each answer is acted upon at once, and every mistake costs the same. Which model do you take?",
    ["only answers count, so accuracy does: {a_value} against {b_value}", "so: {right}"],
    "accuracy",
    is_high=True,
)
act_on_probabilities = _which_model(
    "act_on_probabilities",
    "Rows are sorted by probability, and people decide from which one on to act. Which model do you take?",
    ["probabilities count, so the loss does, and the lower is better: {a_value} against {b_value}", "so: {right}"],
    "loss",
    is_high=False,
)


@template(
    "evaluation.a_or_b_share",
    HARD,
    ask="Which share of the loss of model A comes from its mistakes? It gives the truth {mistake} where it is wrong "
    "(a loss of {one}), is wrong for {wrong_rows} of {rows} rows, and its loss is {loss}.",
    hint="Sum of the losses of the mistakes, by the sum of all losses.",
    steps=["{wrong_rows} × {one} = {part}", "{rows} × {loss} = {whole}", "{part} ÷ {whole} = {right}"],
    check="Few mistakes made with certainty can be most of a loss.",
    terms=["loss"],
    rows="{wrong} is the share of mistakes among the rows.",
    rest="{wrong} is the share of the right answers.",
    mistake="{wrong} is the probability of the truth in a mistake.",
)
def a_or_b_share(facts: Facts) -> Drawn | None:
    """Where a loss comes from."""
    loss, accuracy, mistake, rows = (facts.at(name) for name in ("a_loss", "a_accuracy", "a_mistake", "num_rows"))
    if None in (loss, accuracy, mistake, rows):
        return None
    share, wrong_rows = facts.at("a_share"), round((1 - accuracy) * rows)
    part = share * loss * rows
    given = {"mistake": mistake, "one": part / wrong_rows, "wrong_rows": wrong_rows, "rows": rows, "loss": loss}
    wrong = {"rows": 1 - accuracy, "rest": 1 - share, "mistake": mistake}
    return Drawn(share, wrong, {**given, "part": part, "whole": loss * rows})
