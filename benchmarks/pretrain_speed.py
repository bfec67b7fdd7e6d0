"""Tokens a second in pre-training: pretune beside transformers' ``Trainer``, the same model, the same windows.

    python benchmarks/pretrain_speed.py              # masked and causal, hidden 256 × 6 layers, 128 tokens; three pairs each
    python benchmarks/pretrain_speed.py --gpu        # the base encoder on a GPU for ten minutes, pretune alone

The windows hold random ids in documents of some 300 tokens: speed does not hang on what is written there. The rival is the
``Trainer`` with its masked-language-model collator in bf16, and once more with ModernBERT's own sparse prediction, which leaves
out the head where nothing is hidden. Each side runs in a process of its own, in turn; the first steps are not counted.

Share of peak = (6 × weights of the layers × tokens + 12 × layers × width × window × tokens + 6 × vocabulary × width × targets)
÷ seconds ÷ the best matrix product of this machine in bf16; and ÷ the best of the model's own products.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from harness import row

WINDOW, WINDOWS, VOCABULARY, DOCUMENT, SHARE = 128, 64, 8192, 300, 0.3
STEPS, WARM, PAIRS = 14, 4, 3
SIDES = {"masked": ("pretune", "trainer", "trainer-sparse"), "causal": ("pretune", "trainer")}


def main() -> None:
    """Measure every side in turn, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", nargs=2, metavar=("OBJECTIVE", "SIDE"))
    parser.add_argument("--size", default="small", choices=["tiny", "small", "base"])
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--gpu", action="store_true")
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(measure(*asked.side, asked.size)))
        return
    if asked.gpu:
        print(json.dumps(measure_gpu()))
        return
    for objective, sides in SIDES.items():
        row(
            f"pretrain-speed/{asked.size}.{objective}",
            lambda o=objective, s=sides: contest(o, s, asked.size),
            again=asked.again,
        )


def contest(objective: str, sides: tuple[str, ...], size: str) -> dict[str, Any]:
    """Return every side's figures and the ratios of pairs."""
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for _ in range(PAIRS):
        for side in sides:
            command = [sys.executable, __file__, "--size", size, "--side", objective, side]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr[-2000:])
            found[side].append(json.loads(done.stdout.splitlines()[-1]))
    ratios = {
        side: [
            own["tokens_per_second"] / other["tokens_per_second"]
            for own, other in zip(found["pretune"], found[side], strict=True)
        ]
        for side in sides[1:]
    }
    middle = {side: {name: statistics.median(item[name] for item in runs) for name in runs[0]} for side, runs in found.items()}
    return {"objective": objective, "size": size, "median": middle, "ratios": ratios, "runs": found}


def measure(objective: str, side: str, size: str) -> dict[str, float]:
    """Return tokens a second and shares of peak of one side."""
    import torch

    from gpu import best_product
    from pretune.models.architectures import SIZES, new_language_model
    from pretune.train import choose_device

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    model = new_language_model(objective, size, tokenizer, {"sparse_prediction": True} if side == "trainer-sparse" else None)
    device = choose_device("cpu")
    seconds, targets = (
        run_pretune(model, tokenizer, objective, device) if side == "pretune" else run_trainer(model, tokenizer, objective)
    )
    dial, tokens = SIZES[size], WINDOW * WINDOWS
    tables = sum(
        weight.numel() for name, weight in model.named_parameters() if "embed" in name or "decoder" in name or "lm_head" in name
    )
    layers = sum(weight.numel() for weight in model.parameters()) - tables
    work = (6 * layers + 12 * dial.num_layers * dial.width * WINDOW) * tokens + 6 * VOCABULARY * dial.width * targets
    peak, own = best_product(device, (1024, 1536)), own_product(model, tokens)
    return {
        "tokens_per_second": tokens / seconds, "share_of_peak": work / seconds / 1e12 / peak,
        "share_of_own_products": work / seconds / 1e12 / own, "peak": peak, "own_products": own,
    }  # fmt: skip


def run_pretune(model: Any, tokenizer: Any, objective: str, device: Any) -> tuple[float, float]:
    """Return the seconds of a step and its targets."""
    from pretune.configs import PretrainConfig
    from pretune.models import LanguageNetwork
    from pretune.tokens import vocabulary_of
    from pretune.train.plans import PretrainPlan
    from pretune.train.windows import Text
    from pretune.train.words import WordObjective

    config = PretrainConfig(
        objective=objective, mask_share=SHARE, learning_rate=1e-3, optimizer="adamw", window=WINDOW, next_word_share=0.0,
        batch_tokens=WINDOW * WINDOWS,
    )  # fmt: skip
    text = Text(train=Ids(), validation=Ids(), vocabulary=vocabulary_of(tokenizer), validation_bytes=1.0)
    run = WordObjective(LanguageNetwork(model.to(device.kind)), text, config, PretrainPlan(num_steps=1000, device=device))
    times, targets = [time.perf_counter()], []
    for step in run.trial(STEPS):
        times.append(time.perf_counter())
        targets.append(step.num_targets)
    return float(np.median(np.diff(times)[WARM:])), float(np.mean(targets))


def run_trainer(model: Any, tokenizer: Any, objective: str) -> tuple[float, float]:
    """Return the seconds of a step of the ``Trainer`` and its targets."""
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainerCallback, TrainingArguments

    times: list[float] = []

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.append(time.perf_counter())

    starts = np.arange(STEPS * WINDOWS) * WINDOW
    ids, _ = Ids().windows(starts, WINDOW)
    rows = [{"input_ids": item.tolist()} for item in ids]
    masked = objective == "masked"
    collator = DataCollatorForLanguageModeling(tokenizer, mlm=masked, mlm_probability=SHARE if masked else None)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=STEPS, per_device_train_batch_size=WINDOWS, use_cpu=True, save_strategy="no", report_to="none",
            disable_tqdm=True, logging_strategy="no", bf16=True, learning_rate=1e-3,
        )  # fmt: skip
        Trainer(model, arguments, train_dataset=rows, data_collator=collator, callbacks=[Watch()]).train()
    return float(np.median(np.diff(times)[WARM - 1 :])), WINDOW * WINDOWS * (SHARE if masked else 127 / 128)


def own_product(model: Any, tokens: int) -> float:
    """Return the TFLOP/s of the model's own products, forward and both backward, at their best, weighted by their work."""
    work, seconds = 0.0, 0.0
    shapes = [tuple(weight.shape) for name, weight in model.named_parameters() if weight.ndim == 2 and "embed" not in name]
    timed: dict[tuple[int, ...], float] = {}
    for rows, columns in shapes:
        if (rows, columns) not in timed:
            timed[rows, columns] = time_products(tokens, rows, columns)
        work, seconds = work + 6 * tokens * rows * columns, seconds + timed[rows, columns]
    return work / seconds / 1e12


def time_products(tokens: int, rows: int, columns: int) -> float:
    """Return the least seconds of one layer's three products: forward, and backward to its input and its weight."""
    import torch

    given, weight, error = (torch.randn(size).bfloat16() for size in ((tokens, columns), (rows, columns), (tokens, rows)))
    forward = fastest(lambda: torch.nn.functional.linear(given, weight))
    return forward + fastest(lambda: error @ weight) + fastest(lambda: error.t() @ given)


def fastest(product: Any) -> float:
    """Return the least seconds of several calls."""
    found = []
    for _ in range(6):
        start = time.perf_counter()
        product()
        found.append(time.perf_counter() - start)
    return min(found)


def measure_gpu() -> dict[str, Any]:
    """Train the base encoder for ten minutes; without a GPU say so."""
    import torch

    if not torch.cuda.is_available():
        return {"skipped": "no GPU that PyTorch sees"}
    from gpu import best_product
    from pretune.models.architectures import SIZES, new_language_model
    from pretune.train import choose_device

    device, tokenizer = choose_device("cuda"), make_tokenizer()
    model = new_language_model("masked", "base", tokenizer)
    seconds, targets = run_pretune(model, tokenizer, "masked", device)
    dial, tokens = SIZES["base"], WINDOW * WINDOWS
    layers = sum(weight.numel() for weight in model.model.layers.parameters())
    work = (6 * layers + 12 * dial.num_layers * dial.width * WINDOW) * tokens + 6 * VOCABULARY * dial.width * targets
    return {"tokens_per_second": tokens / seconds, "share_of_peak": work / seconds / 1e12 / best_product(device)}


class Ids:
    """A stream of random ids in documents."""

    digest = "random"
    num_tokens = STEPS * WINDOWS * WINDOW * 4
    num_documents = num_tokens // DOCUMENT

    def __init__(self) -> None:
        self._ids = np.random.default_rng(0).integers(5, VOCABULARY - 64, size=self.num_tokens)

    def windows(self, starts: Any, length: int) -> tuple[Any, Any]:
        """Return slices and the documents of their tokens."""
        places = np.asarray(starts)[:, None] + np.arange(length)
        return self._ids[places], (places // DOCUMENT).astype(np.int32)


def make_tokenizer() -> Any:
    """Return a WordPiece tokenizer of made-up words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = {word: place for place, word in enumerate([*special, *(f"w{n}" for n in range(VOCABULARY - len(special)))])}
    backend = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", eos_token="[SEP]", bos_token="[CLS]",
    )  # fmt: skip


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
