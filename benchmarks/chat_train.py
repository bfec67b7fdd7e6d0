"""Learning replies: pretune beside TRL's ``SFTTrainer``, the same model, the same conversations, the same time.

    pip install --target /somewhere --no-deps trl datasets multiprocess dill xxhash
    TRL_SITE=/somewhere python benchmarks/chat_train.py                 # three rounds of both sides, in turn
    TRL_SITE=/somewhere python benchmarks/chat_train.py --rounds 1 --seconds 60

Questions of medquad whose prompt and reply have at most 256 tokens; the validation has other subjects. pretune trains all
layers; TRL in bf16 with LoRA (rank 16, its fastest), rows of like length together, loss on replies alone, no gradient
checkpointing, 8 rows per batch on both sides. Each side trains in a process of its own for so many seconds after its first
update. Tokens are all those of prompts and replies that were read, filling does not count. The loss of the validation's
replies, before and after, is measured by the same code on the weights that each side leaves.
"""

import argparse
import gzip
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from harness import SHARED, row

LENGTH, BATCH, HELD = 256, 8, 200
RATES = {"pretune": 1e-4, "trl": 2e-4}
SIDES = ("pretune", "trl")


def main() -> None:
    """Measure both sides in turn, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(measure(asked.side, asked.seconds)))
        return
    row(f"chat/train-{asked.seconds:g}", lambda: contest(asked.seconds, asked.rounds), again=asked.again)


def contest(seconds: float, rounds: int) -> dict[str, Any]:
    """Return the medians of both sides, their ratios, and how busy the machine was."""
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    loads = []
    for _ in range(rounds):
        for side, seen in found.items():
            loads.append(os.getloadavg()[0])
            seen.append(_ask(side, seconds))
    medians = {side: {name: statistics.median(item[name] for item in seen) for name in seen[0]} for side, seen in found.items()}
    own, rival = medians["pretune"], medians["trl"]
    return {
        "seconds": seconds,
        "rounds": rounds,
        "load": round(max(loads), 2),
        **medians,
        "tokens_per_processor_second_ratio": own["tokens_per_processor_second"] / rival["tokens_per_processor_second"],
        "memory_ratio": own["peak_bytes"] / rival["peak_bytes"],
        "fall_ratio": (own["before"] - own["after"]) / max(1e-9, rival["before"] - rival["after"]),
    }


def _ask(side: str, seconds: float) -> dict[str, float]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([os.environ.get("TRL_SITE", ""), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, __file__, "--side", side, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3_000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(side: str, seconds: float) -> dict[str, float]:
    """Train one side and score the validation before and after."""
    train, held = _rows()
    found = (_pretune if side == "pretune" else _trl)(train, held, seconds)
    found["peak_bytes"] = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    return found


def _rows() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    with gzip.open(SHARED / "medquad.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    rows = [item for item in rows if 200 <= len(item["prompt"]) + len(item["response"]) <= 3 * LENGTH]  # about 256 tokens
    subjects = sorted({str(item["focus"]) for item in rows})
    random.Random(0).shuffle(subjects)
    apart = set(subjects[: len(subjects) // 8])
    return [item for item in rows if item["focus"] not in apart], [item for item in rows if item["focus"] in apart][:HELD]


def _encoded(rows: list[dict[str, str]], tokenizer: Any) -> Any:
    from pretune.records import Conversation, Turn
    from pretune.tokens.chat import ChatTemplate
    from pretune.tokens.replies import encode_replies

    talks = [
        Conversation(
            id=str(number), turns=(Turn(role="user", text=item["prompt"]), Turn(role="assistant", text=item["response"]))
        )
        for number, item in enumerate(rows)
    ]
    return encode_replies(talks, ChatTemplate(tokenizer), max_length=LENGTH)


def _pretune(train: list[dict[str, str]], held: list[dict[str, str]], seconds: float) -> dict[str, float]:
    from pretune.configs import ReplyConfig
    from pretune.models.formats import chat
    from pretune.tasks.converse.fit import talks_of
    from pretune.train import Plan, choose_device, seed_everything
    from pretune.train.replies import ReplyObjective, ReplyValidator

    seed_everything(0)
    device, start = choose_device(), chat.read("smollm2")
    encoded = _encoded(train, start.tokenizer)
    validate = ReplyValidator(start.network, talks_of(_encoded(held, start.tokenizer)), device)
    before = validate().loss
    config = ReplyConfig(learning_rate=RATES["pretune"], batch_size=BATCH, max_length=LENGTH)
    plan = Plan(epochs=1, freeze="none", device=device, seed=0)
    objective = ReplyObjective(
        start.network, talks_of(encoded), [str(row) for row in range(len(encoded))], config, plan, validate=validate
    )
    lengths, clock, used, tokens = encoded.tokens.lengths, 0.0, 0.0, 0
    for step, update in _told(objective, lambda index: min(1.0, (index + 1) / 10)):
        if not step.index:
            clock, used = time.perf_counter(), time.process_time()
            continue
        tokens += sum(int(lengths[int(name)]) for name in update)
        if time.perf_counter() - clock >= seconds:
            break
    wall, used = time.perf_counter() - clock, time.process_time() - used
    return {
        "before": before,
        "after": validate().loss,
        "tokens": tokens,
        "tokens_per_processor_second": tokens / used,
        "tokens_per_second": tokens / wall,
        "processor_seconds": used,
        "steps": step.index,
    }


def _told(objective: Any, schedule: Any) -> Any:
    """Yield each step of a trial with the rows that it read."""
    seen: list[tuple[str, ...]] = []
    inner = objective.rows.update

    def update(rows: Any, shards: Any) -> Any:
        found = inner(rows, shards)
        seen.append(found.rows)
        return found

    objective.rows.update = update
    for step in objective.trial(schedule, 1_000_000):
        yield step, seen[-1]


def _trl(train: list[dict[str, str]], held: list[dict[str, str]], seconds: float) -> dict[str, float]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTTrainer

    from pretune.models.formats import chat
    from pretune.tasks.converse.fit import talks_of
    from pretune.train import choose_device
    from pretune.train.replies import ReplyValidator

    start, device = chat.read("smollm2"), choose_device()
    tokenizer = start.tokenizer
    validate = ReplyValidator(start.network, talks_of(_encoded(held, tokenizer)), device)
    before = validate().loss
    state = {"clock": 0.0, "used": 0.0, "tokens": 0, "steps": 0, "wall": 0.0, "spent": 0.0}

    class Watch(TrainerCallback):
        def on_step_end(self, _: Any, state_: Any, control: Any, **named: Any) -> None:  # noqa: ARG002 - as it is called
            if not state["clock"]:
                state.update(clock=time.perf_counter(), used=time.process_time(), tokens=0)
            elif time.perf_counter() - state["clock"] >= seconds:
                control.should_training_stop = True
            state["steps"] = state_.global_step
            state["wall"], state["spent"] = time.perf_counter() - state["clock"], time.process_time() - state["used"]

    class Counted(SFTTrainer):
        def training_step(self, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            state["tokens"] += int(inputs["attention_mask"].sum())
            return super().training_step(model, inputs, *more, **named)

    model = start.network.model.to(torch.bfloat16)
    asked = [
        {
            "prompt": [{"role": "user", "content": item["prompt"]}],
            "completion": [{"role": "assistant", "content": item["response"]}],
        }
        for item in train
    ]
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = Counted(
        model=model, args=_trl_settings(), train_dataset=Dataset.from_list(asked), processing_class=tokenizer, peft_config=lora,
        callbacks=[Watch()],
    )  # fmt: skip
    trainer.train()
    merged = trainer.model.merge_and_unload().float()
    start.network.model.load_state_dict(merged.state_dict(), strict=False)
    start.network.model.float()
    return {
        "before": before,
        "after": validate().loss,
        "tokens": state["tokens"],
        "tokens_per_processor_second": state["tokens"] / state["spent"],
        "tokens_per_second": state["tokens"] / state["wall"],
        "processor_seconds": state["spent"],
        "steps": state["steps"],
    }


def _trl_settings() -> Any:
    from trl import SFTConfig

    return SFTConfig(
        output_dir=tempfile.mkdtemp(), max_steps=100_000, per_device_train_batch_size=BATCH, learning_rate=RATES["trl"],
        max_length=LENGTH, bf16=True, use_cpu=True, gradient_checkpointing=False, report_to=[], save_strategy="no",
        logging_steps=1_000_000, train_sampling_strategy="group_by_length", warmup_steps=10,
        lr_scheduler_type="constant_with_warmup", packing=False, disable_tqdm=True, dataloader_num_workers=0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
