"""The GGUF file that pretune writes, read by llama.cpp: the same ids of prompts, and the same greedy replies, token by token?

    NODE_PATH=… python benchmarks/chat_gguf.py                          # smollm2 as it came
    NODE_PATH=… python benchmarks/chat_gguf.py --model runs/medquad-smollm2

Twenty questions of medquad. pretune decodes the model itself in fp32; llama.cpp reads each form of the file, with keys and
values in 16 bits, as it does unasked, and in 32 bits. ``same_replies`` is the share of replies that are equal to the last
token; ``same_tokens`` the share of pretune's tokens that stand before the first difference. node-llama-cpp is a rival and a
test, never a dependency: ``npm install node-llama-cpp`` somewhere, and NODE_PATH to its ``node_modules``.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from chat_decode import questions
from harness import row

NODE = Path(__file__).parent / "llama_cpp_replies.mjs"
QUESTIONS, REPLY = 20, 32
FORMS = (("f32", "F32"), ("f16", "F16"), ("q8_0", "F16"))  # of weights, of keys and values


def main() -> None:
    """Write the file in every form, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    if shutil.which("node") is None or not os.environ.get("NODE_PATH"):
        sys.exit("needs node, and NODE_PATH to a folder with node-llama-cpp")
    row("chat/gguf", lambda: compare(asked.model), again=asked.again)


def compare(name: str) -> dict[str, Any]:
    """Return how alike the replies are, by form."""
    from pretune.models.formats import gguf_write
    from pretune.records import Turn
    from pretune.tasks.converse.estimator import ChatModel

    model = ChatModel.load(name)
    texts = questions()[::3][:QUESTIONS]
    prompts = [model.template_.prompt([Turn(role="user", text=text)]).tolist() for text in texts]
    own = own_replies(model, prompts)
    written = [model.tokenizer_.decode(ids) for ids in prompts]
    found: dict[str, Any] = {"model": name, "questions": len(prompts), "tokens": sum(map(len, own))}
    with tempfile.TemporaryDirectory() as place:
        for form, kept in FORMS:
            file = Path(place) / f"{form}.gguf"
            if not file.exists():
                gguf_write.write(
                    file, model.network_, model.tokenizer_, form=form, stop_id=model.template_.stop_id, name="model"
                )
            theirs = ask_llama_cpp(file, written, kept)
            found[f"weights {form}, keys and values {kept.lower()}"] = likeness(prompts, own, theirs)
            print(f"  {form} {kept}: {likeness(prompts, own, theirs)}", flush=True)
    return found


def own_replies(model: Any, prompts: list[list[int]]) -> list[list[int]]:
    """Return pretune's replies as ids, the stop token included: greedy, in fp32, without a penalty."""
    from pretune.predict.replies import Generator
    from pretune.records import Decoding

    template = model.template_
    decoding = Decoding(max_tokens=REPLY, precision="fp32")
    generator = Generator(model.network_.eval(), model.tokenizer_, stop_ids=[template.stop_id], decoding=decoding)
    return [[*reply.ids, *([template.stop_id] if reply.ended else [])] for reply in generator.reply(prompts)]


def ask_llama_cpp(file: Path, prompts: list[str], kept: str) -> list[dict[str, list[int]]]:
    """Return llama.cpp's ids of each prompt, and of its reply."""
    threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count())
    command = ["node", str(NODE), str(file), str(REPLY), threads, kept]
    done = subprocess.run(command, input=json.dumps(prompts), capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    replies: list[dict[str, list[int]]] = json.loads(done.stdout.splitlines()[-1])
    return replies


def likeness(prompts: list[list[int]], own: list[list[int]], theirs: list[dict[str, list[int]]]) -> dict[str, float]:
    """Return the shares of equal prompts and replies, and of tokens before the first difference."""
    first = [
        next((k for k, pair in enumerate(zip(ours, reply["ids"], strict=False)) if pair[0] != pair[1]), len(ours))
        for ours, reply in zip(own, theirs, strict=True)
    ]
    same = [ours == reply["ids"] for ours, reply in zip(own, theirs, strict=True)]
    return {
        "same_prompts": sum(ids == reply["prompt"] for ids, reply in zip(prompts, theirs, strict=True)) / len(prompts),
        "same_replies": sum(same) / len(same),
        "same_tokens": round(sum(first) / sum(map(len, own)), 4),
    }


if __name__ == "__main__":
    main()
