"""Faults of chat models, planted into generated dialogues: which are found, and which alarms does a clean twin raise?

``python benchmarks/converse_faults.py [--draws 40]`` writes ``results/honesty/converse-faults.json``. Dialogues are generated,
so that their truth is known: each question is about a thing with a name of its own, references name it, and a model has a
stated share of the reference's words.
"""

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from converse_planted import ALARMS, FAULTS, Draw, twin
from error_rates import share_of
from harness import row
from pretune.diagnose.conversation import CONVERSATION_CHECKS, diagnose_conversation
from pretune.evaluate.replies import assess_replies
from pretune.records import ChatEvidence, Evaluation, Finding

NEED_FIGURES = {"replies.wrong_subject", "replies.loss_only", "replies.forgetting"}
BY_NAME = {check(ChatEvidence(), None).check: check for check in CONVERSATION_CHECKS}


def _figures(evidence: ChatEvidence) -> Evaluation:
    return assess_replies(evidence.replies, train=evidence.train)


def _find(evidence: ChatEvidence, name: str) -> Finding:
    return BY_NAME[name](evidence, _figures(evidence) if name in NEED_FIGURES else None)


def judge_draw(seed: int) -> dict[str, Any]:
    """Return the alarms that a clean twin raises, and which planted faults are found in it."""
    evidence = twin(seed)
    alarms = [item.check for item in diagnose_conversation(evidence, _figures(evidence)) if item.severity in ALARMS]
    found = []
    for number, fault in enumerate(FAULTS):
        for strength in fault.strengths:
            planted = fault.plant(evidence, strength, Draw(f"plant {seed} {number}"))
            if _find(planted, fault.check).severity in ALARMS:
                found.append([number, strength])
    return {"alarms": alarms, "found": found}


def measure(num_draws: int, kept: Path) -> dict[str, Any]:
    """Look at clean twins with every check, and at every fault with its own; draws are kept one by one."""
    lines = kept.read_text().splitlines() if kept.exists() else []
    with kept.open("a") as file:
        for seed in range(len(lines), num_draws):
            lines.append(json.dumps(judge_draw(seed)))
            print(lines[-1], file=file, flush=True)
    draws = [json.loads(line) for line in lines[:num_draws]]
    alarms = Counter(name for item in draws for name in item["alarms"])
    found = Counter((number, strength) for item in draws for number, strength in item["found"])
    faults = [
        {
            "check": fault.check, "planted": " ".join(str(fault.plant.__doc__).split()), "unit": fault.unit,
            "clear_from": fault.clear_from,
            "found": {str(strength): share_of(found[number, strength], num_draws) for strength in fault.strengths},
        }
        for number, fault in enumerate(FAULTS)
    ]  # fmt: skip
    clear = [
        (number, strength)
        for number, fault in enumerate(FAULTS)
        for strength in fault.strengths
        if strength >= fault.clear_from
    ]
    return {
        "draws": num_draws,
        "faults": faults,
        "found": share_of(sum(found[place] for place in clear), num_draws * len(clear)),
        "alarms": {name: share_of(alarms[name], num_draws) for name in BY_NAME},
        "alarm": share_of(sum(alarms.values()), num_draws * len(BY_NAME)),
    }


def main() -> None:
    """Measure, and keep the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "converse-faults.jsonl", help="of draws")
    parser.add_argument("--again", action="store_true", help="measure anew what is kept")
    given = parser.parse_args()
    row("honesty/converse-faults", lambda: measure(given.draws, given.kept), again=given.again)


if __name__ == "__main__":
    main()
