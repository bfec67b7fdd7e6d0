"""One side of a speed contest, in a process of its own: pretune, or transformers' ``Trainer`` and ``pipeline``.

``python benchmarks/contest.py SIDE JOB.json`` prints one JSON object. The job holds texts, labels and settings, so that both
sides get the same rows; the clock starts when they are in memory, and stops when the weights are trained and validated.
"""

import json
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
WARM = 10  # first steps that are not counted where steps are


def main() -> None:
    """Run the side that was named."""
    side, path = sys.argv[1:]
    job = json.loads(Path(path).read_text())
    if job["work"] == "scoring":
        found = score_with_pretune(job) if side == "pretune" else score_with_pipeline(job, bf16=side == "rival-best")
    else:
        found = train_with_pretune(job) if side == "pretune" else train_with_trainer(job, best=side == "rival-best")
    print(json.dumps(found))


def train_with_pretune(job: dict[str, Any]) -> dict[str, Any]:
    """Fit a ``TextClassifier``."""
    from pretune import TextClassifier
    from pretune.configs import FinetuneConfig
    from pretune.run.trace import Trace

    clock = Clock(job["steps"])
    told = {"step": clock.tick, "validation": lambda event: clock.validated(event["accuracy"])}
    trace = Trace(listeners=(lambda event: told.get(event["event"], _ignore)(event),))
    config = FinetuneConfig(
        learning_rate=job["rate"], max_length=job["max_length"], batch_size=job["batch_size"], dropout=job["dropout"],
        patience=job["epochs"], class_weights=False, calibrate=False, precision=job["precision"],
        keep_trunk=False,  # no run profits from the one before
    )  # fmt: skip
    epochs = job.get("timed_epochs", job["epochs"])
    model = TextClassifier(job["model"], epochs=epochs, freeze=job["freeze"], seed=job["seed"], config=config)
    training, validation = job["train"], job["validation"]
    try:
        model.fit(
            training["texts"], training["labels"], validation_data=(validation["texts"], validation["labels"]), trace=trace
        )
    except Enough:  # an unfinished fit leaves no weights: a short one does, and scores as fast (all layers: nothing is kept)
        model.fit(
            training["texts"][:32], training["labels"][:32], validation_data=(validation["texts"][:8], validation["labels"][:8])
        )
        start = time.perf_counter()
        model.scorer.logits(validation["texts"])
        return clock.projection(job, evaluation=time.perf_counter() - start)
    return clock.whole() if epochs == job["epochs"] else clock.lengthened(job["epochs"])


def train_with_trainer(job: dict[str, Any], *, best: bool) -> dict[str, Any]:
    """Train with transformers' ``Trainer``: as it comes, or with bf16 and batches of like lengths."""
    import numpy as np
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    clock = Clock(job["steps"])

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.tick({})

        def on_evaluate(self, *_: Any, metrics: dict[str, float], **__: Any) -> None:
            clock.validated(metrics["eval_accuracy"])

    class Rows:
        def __init__(self, part: dict[str, Any]) -> None:
            self.held = tokenizer(part["texts"], truncation=True, max_length=job["max_length"])
            self.labels = [classes.index(label) for label in part["labels"]]

        def __len__(self) -> int:
            return len(self.labels)

        def __getitem__(self, row: int) -> dict[str, Any]:
            return {**{name: values[row] for name, values in self.held.items()}, "labels": self.labels[row]}

    classes = sorted(set(job["train"]["labels"]))
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    model = AutoModelForSequenceClassification.from_pretrained(job["model"], num_labels=len(classes))
    freeze(model, job["freeze"])
    training, validation = Rows(job["train"]), Rows(job["validation"])
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=job["epochs"], per_device_train_batch_size=job["batch_size"], learning_rate=job["rate"],
            seed=job["seed"], use_cpu=True, eval_strategy="epoch", save_strategy="no", report_to="none", disable_tqdm=True,
            per_device_eval_batch_size=job["batch_size"], logging_strategy="no", bf16=best,
            train_sampling_strategy="group_by_length" if best else "random",
        )  # fmt: skip
        trainer = Trainer(
            model, arguments, train_dataset=training, eval_dataset=validation, callbacks=[Watch()],
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=lambda said: {"accuracy": float(np.mean(said.predictions.argmax(-1) == said.label_ids))},
        )  # fmt: skip
        try:
            trainer.train()
        except Enough:
            start = time.perf_counter()
            trainer.evaluate()
            return clock.projection(job, evaluation=time.perf_counter() - start)
    return clock.whole()


def freeze(model: Any, boundary: str) -> None:
    """Let the head learn, and the layers above the boundary; the pooler belongs to the head, as in pretune."""
    if boundary == "none":
        return
    for weight in model.base_model.parameters():
        weight.requires_grad_(False)
    kept = [] if boundary == "all" else list(model.base_model.encoder.layer[-int(boundary.removeprefix("last-")) :])
    for module in (*kept, model.base_model.pooler):
        module.requires_grad_(True)


def score_with_pretune(job: dict[str, Any]) -> dict[str, Any]:
    """Label texts with a saved model."""
    from pretune import load_model

    start = time.perf_counter()
    model = load_model(job["model"])
    loaded = time.perf_counter()
    labels = model.predict(job["train"]["texts"])
    return {"seconds": time.perf_counter() - loaded, "loading": loaded - start, "labels": "".join(map(str, labels))}


def score_with_pipeline(job: dict[str, Any], *, bf16: bool) -> dict[str, Any]:
    """Label texts with transformers' ``pipeline``."""
    import torch
    from transformers import pipeline

    start = time.perf_counter()
    dtype = torch.bfloat16 if bf16 else torch.float32
    label = pipeline("text-classification", model=str(Path(job["model"])), batch_size=32, dtype=dtype)
    loaded = time.perf_counter()
    said = label(job["train"]["texts"], truncation=True, max_length=job["max_length"])
    return {"seconds": time.perf_counter() - loaded, "loading": loaded - start, "labels": "".join(one["label"] for one in said)}


class Enough(Exception):  # noqa: N818 - the end of a measurement, no error
    """So many steps were asked for."""


class Clock:
    """Counts steps and validations from now on.

    Args:
        steps: Steps to measure; ``None`` runs to the end.
    """

    def __init__(self, steps: int | None) -> None:
        self.start, self.steps = time.perf_counter(), steps
        self.ticks: list[float] = []
        self.validations: list[tuple[float, float]] = []  # seconds since the start, accuracy

    def tick(self, _event: dict[str, Any]) -> None:
        """Count a step."""
        self.ticks.append(time.perf_counter())
        if self.steps is not None and len(self.ticks) >= WARM + self.steps:
            raise Enough

    def validated(self, accuracy: float) -> None:
        """Count a validation."""
        self.validations.append((round(time.perf_counter() - self.start, 2), round(accuracy, 4)))

    def each(self) -> float:
        """Return the mean seconds of a step, those left out between which a validation lies, and the first ones."""
        moments = [self.start + at for at, _ in self.validations]
        pairs = list(pairwise(self.ticks))[WARM - 1 :]
        kept = [after - before for before, after in pairs if not any(before < moment < after for moment in moments)]
        return sum(kept) / len(kept)

    def whole(self) -> dict[str, Any]:
        """Return what a run to the end took."""
        return {
            "seconds": time.perf_counter() - self.start,
            "steps": len(self.ticks),
            "epoch_seconds": self.each() * len(self.ticks) / len(self.validations),
            "validations": self.validations,
            "accuracy": max(accuracy for _, accuracy in self.validations),
            "last_accuracy": self.validations[-1][1],
        }

    def lengthened(self, epochs: int) -> dict[str, Any]:
        """Return what so many epochs would take: the last one that was trained, with its validation, counts for the rest."""
        whole = self.whole()
        more = epochs - len(self.validations)
        seconds = whole["seconds"] + more * (self.validations[-1][0] - self.validations[-2][0])
        kept = ("steps", "epoch_seconds", "validations")
        return {"seconds": seconds, "timed_epochs": len(self.validations), **{name: whole[name] for name in kept}}

    def projection(self, job: dict[str, Any], *, evaluation: float) -> dict[str, Any]:
        """Return what the run would take: what came before the first step, and so many steps and validations."""
        each, epoch_steps = self.each(), -(-len(job["train"]["texts"]) // job["batch_size"])
        num_steps = job["epochs"] * epoch_steps
        before, evaluation = self.ticks[0] - self.start - each, evaluation * job["validations_times"]
        seconds = before + num_steps * each + job["epochs"] * evaluation
        parts = {"before": before, "step": each, "validation": evaluation}
        return {"seconds": seconds, "steps": len(self.ticks) - WARM, "projected": parts, "epoch_seconds": each * epoch_steps}


def _ignore(_event: dict[str, Any]) -> None:
    pass


if __name__ == "__main__":
    main()
