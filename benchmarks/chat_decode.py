"""Replies a second: pretune beside transformers' ``generate`` and llama.cpp, the same model, the same questions.

    python benchmarks/chat_decode.py                # three rounds of every side, in turn
    python benchmarks/chat_decode.py --rounds 1     # a look

``batch``: questions of medquad, greedy, at most 100 tokens a reply, as an evaluation decodes them; pretune with 32 replies at
once, ``generate`` in bf16 with prompts of like length together, at 8, 16, 32 and 64 at once, of which the best counts.
``one``: one reply of 128 tokens, as chat decodes it; pretune in bf16, int8 and int4, ``generate`` in bf16, and llama.cpp with
the model's own 4-bit file where node-llama-cpp is at hand (``npm install node-llama-cpp`` somewhere, and NODE_PATH to it).

Each side runs in a process of its own, with as many threads as cores, loads and warms up before the clock runs. Tokens of
replies count, filling does not. Processor seconds are given besides: on a busy machine they say more than the clock.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness import SHARED, row

QUESTIONS, REPLY, LONG = 64, 100, 128
BATCHES = (8, 16, 32, 64)
SIDES = {
    "batch": ("pretune", *(f"transformers-{size}" for size in BATCHES)),
    "one": ("pretune-bf16", "pretune-int8", "pretune-int4", "transformers-bf16", "llama.cpp-4bit"),
}
STORY = "Write a long story about a lighthouse keeper who finds a map."
NODE = Path(__file__).parent / "llama_cpp.mjs"


def main() -> None:
    """Measure every side in turn, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", nargs=2, metavar=("PART", "SIDE"))
    parser.add_argument("--part", choices=list(SIDES), default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(measure(*asked.side)))
        return
    for part in [asked.part] if asked.part else list(SIDES):
        row(f"chat/{part}", lambda part=part: contest(part, asked.rounds), again=asked.again)


def contest(part: str, rounds: int) -> dict[str, Any]:
    """Return the medians of every side, the ratios to the rivals, and how busy the machine was."""
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES[part] if is_there(side)}
    loads = []
    for _ in range(rounds):
        for side, seen in found.items():
            loads.append(os.getloadavg()[0])
            command = [sys.executable, __file__, "--side", part, side]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
            if done.returncode:
                raise RuntimeError(f"{side}: {done.stderr[-2000:]}")
            seen.append(json.loads(done.stdout.splitlines()[-1]))
            print(f"  {part} {side}: {seen[-1]}", flush=True)
    medians = {
        side: {key: round(statistics.median(item[key] for item in seen), 2) for key in seen[0]} for side, seen in found.items()
    }
    return {
        "rounds": rounds,
        "sides": medians,
        "ratios": ratios(part, medians),
        "load": [round(min(loads), 1), round(max(loads), 1)],
    }


def ratios(part: str, medians: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return how many times as fast pretune is as each rival, by the clock and by processor seconds."""
    rate, cost = "tokens_per_second", "tokens_per_processor_second"
    if part == "batch":
        best = {key: max(item[key] for side, item in medians.items() if side != "pretune") for key in (rate, cost)}
        return {f"transformers at its best batch, {key}": round(medians["pretune"][key] / best[key], 2) for key in best}
    rivals = [side for side in medians if not side.startswith("pretune")]
    return {
        f"{side} / {rival}, {key}": round(item[key] / medians[rival][key], 2)
        for side, item in medians.items()
        if side.startswith("pretune")
        for rival in rivals
        for key in (rate, cost)
    }


def is_there(side: str) -> bool:
    """Whether a rival can be had."""
    return side != "llama.cpp-4bit" or (shutil.which("node") is not None and bool(os.environ.get("NODE_PATH")))


def environment() -> dict[str, str]:
    """Return the environment without what makes threads wait in another way than a user's would."""
    return {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}


def measure(part: str, side: str) -> dict[str, float]:
    """Return the figures of one side."""
    if side.startswith("llama"):
        return measure_llama_cpp()
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))
    from pretune.models import load_language_model

    start = load_language_model("smollm2")
    prompts = [prompt_of(start.tokenizer, text) for text in (questions() if part == "batch" else [STORY])]
    kind, _, way = side.partition("-")
    if kind == "pretune":
        write = by_pretune(start, way or "bf16", REPLY if part == "batch" else LONG, is_long=part == "one")
    else:
        write = by_transformers(start, int(way) if part == "batch" else 1, REPLY if part == "batch" else LONG, part == "one")
    write(prompts[:2])
    clock, used = time.perf_counter(), time.process_time()
    number = write(prompts)
    seconds, processor = time.perf_counter() - clock, time.process_time() - used
    return figures(number, seconds, processor)


def figures(number: int, seconds: float, processor: float) -> dict[str, float]:
    """Return what is kept of one measurement."""
    return {
        "tokens": number,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(number / seconds, 2),
        "tokens_per_processor_second": round(number / processor, 2),
    }


def by_pretune(start: Any, precision: str, most: int, *, is_long: bool) -> Any:
    """Return what writes replies, and how many tokens they have."""
    from pretune.predict.replies import Generator
    from pretune.records import Decoding

    stops = [len(start.tokenizer) - 1] if is_long else [start.tokenizer.eos_token_id]  # a token that it never writes
    generator = Generator(
        start.network.eval(), start.tokenizer, stop_ids=stops, decoding=Decoding(max_tokens=most, precision=precision)
    )
    if is_long:
        return lambda prompts: sum(1 for prompt in prompts for _ in generator.stream(prompt))
    return lambda prompts: sum(len(reply.ids) + reply.ended for reply in generator.reply(prompts))


def by_transformers(start: Any, size: int, most: int, is_long: bool) -> Any:
    """Return the same with ``generate``."""
    import torch

    model, stop = start.network.model.eval().to(torch.bfloat16), start.tokenizer.eos_token_id
    least = {"min_new_tokens": most} if is_long else {}

    def write(prompts: list[list[int]]) -> int:
        number = 0
        ordered = sorted(prompts, key=len)
        for first in range(0, len(ordered), size):
            batch = ordered[first : first + size]
            width = max(map(len, batch))
            ids = torch.tensor([[stop] * (width - len(ids)) + ids for ids in batch])
            mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in batch])
            with torch.inference_mode():
                found = model.generate(
                    ids, attention_mask=mask, max_new_tokens=most, do_sample=False, pad_token_id=stop, **least
                )
            for reply in found[:, width:].tolist():
                number += reply.index(stop) + 1 if stop in reply else len(reply)
        return number

    return write


def measure_llama_cpp() -> dict[str, float]:
    """Return the figures of llama.cpp, which reads the 4-bit file itself."""
    from pretune.data.catalogue.fetch import fetch, require_entry

    file = next(fetch(require_entry("smollm2")).glob("*.gguf"))
    threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count())
    done = subprocess.run(
        ["node", str(NODE), str(file), STORY, str(LONG), threads], capture_output=True, text=True, check=True, timeout=300
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return figures(found["tokens"], found["seconds"], found["processor"])


def questions() -> list[str]:
    """Return questions of medquad, one in 200."""
    with gzip.open(SHARED / "medquad.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line)["prompt"] for line in file]
    return rows[:: len(rows) // QUESTIONS][:QUESTIONS]


def prompt_of(tokenizer: Any, text: str) -> list[int]:
    """Return the ids that ask one question."""
    from pretune.records import Turn
    from pretune.tokens.chat import ChatTemplate

    found: list[int] = ChatTemplate(tokenizer).prompt([Turn(role="user", text=text)]).tolist()
    return found


if __name__ == "__main__":
    main()
