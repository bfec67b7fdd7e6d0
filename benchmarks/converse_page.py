"""docs/conversation-honesty.md, from the kept rows alone: ``python benchmarks/converse_page.py``."""

import json
from pathlib import Path
from typing import Any

from wrapped import wrapped

ROOT = Path(__file__).parents[1]
KEPT, PAGE = ROOT / "benchmarks" / "results" / "honesty", ROOT / "docs" / "conversation-honesty.md"
HEAD = """# Honesty of the verdict on replies

Written by `benchmarks/converse_page.py` from `benchmarks/results/honesty/converse-*.json`. Brackets are 95 % intervals of the
measurement itself. **met** and **not met** compare the point with the target. What is measured, and why so, is argued in
[decision 0043](decisions/0043-the-verdict-on-replies.md).
"""
SAID = {
    "retrieval": "retrieval, by another way than the rival's",
    "constant": "one reply of training to everything",
    "shuffled": "a person's reply to another question",
    "templates": "a form letter for each kind of question, with the asked name in it",
    "renamed retrieval": "retrieval, with the asked name put in the place of the other",
    "knowing": "knows: 60 % of the reference's words in their places",
}


def write_page() -> None:
    """Write the page; rows that were not measured are named."""
    parts = [HEAD]
    for name, draw in (("converse-systems", _systems), ("converse-faults", _faults)):
        path = KEPT / f"{name}.json"
        parts.append(draw(json.loads(path.read_text())) if path.exists() else f"`{name}` is not measured yet.\n")
    PAGE.write_text(wrapped("\n".join(parts)), encoding="utf-8")
    print(PAGE)


def _systems(found: dict[str, Any]) -> str:
    lines = [
        "## *Ship* of systems that know nothing, or answer about the wrong subject",
        "",
        f"`benchmarks/converse_systems.py`: {found['draws']} draws of medquad, divided by subject, {found['test_questions']} test "
        f"questions each; {_cost(found)}. Everything that could refuse them for another reason is taken away: the model as it came "
        "and its few-shot form are stood in for by words at random without a loss, training is without a fault, and no review by "
        "people is asked.",
        "",
        "| system | *ship* | *do not ship* | *not enough evidence* | what refused it most often |",
        "|---|---|---|---|---|",
    ]
    for name, outcomes in found["outcomes"].items():
        reasons = ", ".join(_plain(reason) for reason in list(found["first_reasons"][name])[:2]) if name != "knowing" else ""
        counts = " | ".join(_share(outcomes.get(key, 0), found["draws"]) for key in ("do_not_ship", "not_enough_evidence"))
        lines.append(f"| {SAID[name]} | {_percent(found['shipped'][name])} | {counts} | {reasons} |")
    wrong = [share[0] for name, share in found["shipped"].items() if name != "knowing"]
    lines += [
        "",
        f"Target, at most 3 % each: **{'met' if max(wrong) <= 0.03 else 'not met'}**. The last row shows that not everything is refused.",
        "",
        "*Renamed retrieval* names what was asked and says what is true of something else. It is refused because its sentences "
        "are copied. One that says the same in words of its own would pass every figure here: only people see that, which "
        "is why advice needs their review.",
        "",
    ]
    return "\n".join(lines)


def _faults(found: dict[str, Any]) -> str:
    lines = [
        "## Planted faults, and clean twins",
        "",
        f"`benchmarks/converse_faults.py`: {found['draws']} draws of generated dialogues; {_cost(found)}. The bold shares are of "
        "strengths from which a fault has to be found.",
        "",
        "| check | what is planted | found, by strength | alarms on clean twins |",
        "|---|---|---|---|",
    ]
    for fault in found["faults"]:
        shares = ", ".join(
            f"{_strength(strength)}: "
            + (f"**{share[0]:.0%}**" if float(strength) >= fault["clear_from"] else f"{share[0]:.0%}")
            for strength, share in fault["found"].items()
        )
        alarm = found["alarms"][fault["check"]][0]
        lines.append(f"| `{fault['check']}` | {fault['planted'].rstrip('.')} | {shares} {fault['unit']} | {alarm:.0%} |")
    lines += [
        "",
        f"All strengths in bold together: {_percent(found['found'])} found, target at least 95 %: "
        f"**{'met' if found['found'][0] >= 0.95 else 'not met'}**. Alarms on clean twins, all checks together: "
        f"{_percent(found['alarm'])}, target at most 5 %: **{'met' if found['alarm'][0] <= 0.05 else 'not met'}**.",
        "",
    ]
    return "\n".join(lines)


def _plain(reason: str) -> str:
    name = reason.removeprefix("system: ")
    return f"`{name}`" if "." in name else f"worse than {name.rpartition('-')[2].replace('shot', 'few-shot')}"


def _strength(strength: str) -> str:
    return f"{100 * float(strength):g} %"


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%}"


def _percent(share: list[float]) -> str:
    return f"{share[0]:.1%} ({share[1]:.1%} to {share[2]:.1%})"


def _cost(found: dict[str, Any]) -> str:
    return f"about 5 seconds of a processor per draw, at commit {found['commit']}"


if __name__ == "__main__":
    write_page()
