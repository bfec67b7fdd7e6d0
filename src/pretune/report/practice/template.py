"""Templates: a question as data, and one function that computes its answer from a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import Option, Question
from pretune.report.words import one_line

NUM_WRONG = 3  # beside the right option
# A reply within half of the last digit shown is right; doubled, because steps are followed with rounded figures.
HALVES = 2.0
MAX_TEXT = 300

Value = float | int | str


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a template's function found in a run.

    Args:
        right: The answer: a number, or the text of the right option.
        wrong: Name of a mistake → what it leads to.
        facts: What the texts of the template name.
        why: Name of a mistake → why it is one, where the template does not say it.
        digits: After the point, of a number that is not whole.
        text: What is asked, where the template does not say it.
    """

    right: Value
    wrong: Mapping[str, Value | None]
    facts: Mapping[str, object] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    digits: int = 3
    text: str = ""


Compute = Callable[[Facts], Drawn | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One question, for every run that has what it asks about.

    Args:
        name: TOPIC.WORD.
        level: ``easy``, ``medium`` or ``hard``.
        ask: What is asked; names in braces are facts.
        hint: Where to look.
        steps: The worked solution; ``{right}`` is the answer.
        check: How the answer can be checked.
        mistakes: Name of a mistake → why it is one.
        terms: Of the glossary, that help.
        compute: Returns the answer; ``None`` where the run has nothing to ask about.
    """

    name: str
    level: str
    ask: str
    hint: str
    steps: tuple[str, ...]
    check: str
    mistakes: Mapping[str, str]
    terms: tuple[str, ...]
    compute: Compute

    @property
    def topic(self) -> str:
        """The stage it is about."""
        return self.name.partition(".")[0]

    def put(self, facts: Facts) -> Question | None:
        """Return the question about a run, or ``None`` where the run has nothing to ask about."""
        drawn = self.compute(facts)
        if drawn is None:
            return None
        wrong = self._wrong(drawn)
        is_number = not isinstance(drawn.right, str)
        has_options = len(wrong) >= NUM_WRONG and (not is_number or facts.draw.random() < 0.5)
        if not is_number and not has_options:
            return None
        said = _Said({**drawn.facts, "right": drawn.right}, drawn.digits)
        right = Option(text=say(drawn.right, drawn.digits), is_right=True)
        return Question(
            template=self.name,
            topic=self.topic,
            level=self.level,
            text=said(drawn.text or self.ask),
            answer=right.text,
            options=_mixed(facts, right, wrong) if has_options else (),
            number=None if has_options else float(drawn.right),
            tolerance=0.0 if has_options else _tolerance(drawn),
            slips=() if has_options else tuple(wrong),
            hint=said(self.hint),
            steps=tuple(said(step) for step in self.steps),
            check=said(self.check),
            terms=self.terms,
            places=dict(facts.places),
        )

    def _wrong(self, drawn: Drawn) -> list[Option]:
        """Return what the mistakes lead to, as far as each differs from the right answer and from the others."""
        found: list[Option] = []
        for name, value in drawn.wrong.items():
            taken = [drawn.right, *(item.text if item.value is None else item.value for item in found)]
            if value is None or any(_is_same(value, other, drawn) for other in taken):
                continue
            said = _Said({**drawn.facts, "right": drawn.right, "wrong": value}, drawn.digits)
            number = None if isinstance(value, str) else float(value)
            why = said(drawn.why.get(name) or self.mistakes[name])
            found.append(Option(text=say(value, drawn.digits), mistake=name, why=why, value=number))
        return found


def template(
    name: str, level: str, *, ask: str = "", hint: str, steps: Sequence[str], check: str, terms: Sequence[str], **mistakes: str
) -> Callable[[Compute], Template]:
    """Make a template of the function that computes its answer; further arguments are the mistakes, by name."""

    def make(compute: Compute) -> Template:
        return Template(
            name=name,
            level=level,
            ask=ask,
            hint=hint,
            steps=tuple(steps),
            check=check,
            mistakes=mistakes,
            terms=tuple(terms),
            compute=compute,
        )

    return make


def choose(facts: Facts, options: Mapping[str, tuple[bool, str]], **given: object) -> Drawn | None:
    """Return the first statement that is true of the run as the answer, and those that are false as mistakes.

    Further true ones are left out, so that exactly one option is right.

    Args:
        facts: Of the run.
        options: Name → whether it is true, and its text.
        given: Facts that the texts name.
    """
    true = [text for holds, text in options.values() if holds]
    false = {name: text for name, (holds, text) in options.items() if not holds}
    if not true or len(false) < NUM_WRONG:
        return None
    said = _Said(given, 3)
    kept = facts.draw.sample(sorted(false), NUM_WRONG)
    return Drawn(said(true[0]), {name: said(false[name]) for name in kept}, given)


def say(value: object, digits: int = 3) -> str:
    """Write a fact.

    Example:
        >>> say(1234), say(0.85714), say(5e-05), say("a  text")
        ('1,234', '0.857', '5e-05', 'a text')
    """
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float):
        tiny = 0 < abs(value) < 0.5 * 10**-digits
        return (f"{value:.3g}" if tiny else f"{value:,.{digits}f}").replace("-", "−" if not tiny else "-")
    return one_line(str(value), MAX_TEXT)


class _Said:
    """Fills facts into a text."""

    def __init__(self, facts: Mapping[str, object], digits: int) -> None:
        self._facts = {name: say(value, digits if name in ("right", "wrong") else 3) for name, value in facts.items()}

    def __call__(self, text: str) -> str:
        return text.format_map(self._facts)


def _mixed(facts: Facts, right: Option, wrong: Sequence[Option]) -> tuple[Option, ...]:
    options = [right, *facts.draw.sample(list(wrong), NUM_WRONG)]
    facts.draw.shuffle(options)
    return tuple(options)


def _tolerance(drawn: Drawn) -> float:
    return 0.0 if isinstance(drawn.right, int) else HALVES * 0.5 * 10.0**-drawn.digits


def _is_same(value: Value, other: Value, drawn: Drawn) -> bool:
    """Whether two answers cannot be told apart: numbers must differ by more than what rounding excuses."""
    if isinstance(value, str) or isinstance(other, str):
        return say(value, drawn.digits) == say(other, drawn.digits)
    return abs(value - other) <= 3 * _tolerance(drawn) or say(value, drawn.digits) == say(other, drawn.digits)
