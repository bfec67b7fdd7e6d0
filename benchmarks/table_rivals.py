"""One model on one table, in a process of its own, so that its processor seconds are those of all it does.

``python benchmarks/table_rivals.py MODEL FOLDER SEED`` reads ``train.csv`` and ``test.csv`` there, and prints one JSON object
with a label for each test row.
"""

import csv
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
MAX_LENGTH = 512
MOST_STEPS = 1_000  # of SetFit
csv.field_size_limit(10_000_000)  # one message of newsgroups is longer than what csv allows


def main() -> None:
    """Fit the model that was named, and answer."""
    name, folder, seed = sys.argv[1:]
    (texts, labels), (asked, _) = (_read(Path(folder) / f"{part}.csv") for part in ("train", "test"))
    if name == "tfidf":
        said = tfidf(texts, labels, asked)
    elif name == "frozen":
        said = frozen(texts, labels, asked)
    elif name == "setfit":
        said = setfit(texts, labels, asked, int(seed))
    else:
        rate, epochs = name.removeprefix("trainer-").split("x")
        said = trainer(texts, labels, asked, rate=float(rate), epochs=int(epochs), seed=int(seed))
    print(json.dumps({"labels": list(map(str, said))}))


def tfidf(texts: list[str], labels: list[str], asked: list[str]) -> Any:
    """TF-IDF of words and pairs under a logistic regression, its strength chosen by cross-validation where rows allow."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    return (
        make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), _regression(labels))
        .fit(texts, labels)
        .predict(asked)
    )


def frozen(texts: list[str], labels: list[str], asked: list[str]) -> Any:
    """Mean vectors of the encoder as it came under a logistic regression."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), _regression(labels, (0.003, 0.03, 0.3)))
    return model.fit(_vectors(texts), labels).predict(_vectors(asked))


def trainer(texts: list[str], labels: list[str], asked: list[str], *, rate: float, epochs: int, seed: int) -> Any:
    """Transformers' ``Trainer`` at its best here: bf16 where it is fast, batches of like lengths, all rows trained on."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    from pretune.train import has_fast_bf16

    classes, source = sorted(set(labels)), _encoder()
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=len(classes))

    def rows(held: list[str], wanted: list[str] | None) -> list[dict[str, Any]]:
        coded = tokenizer(held, truncation=True, max_length=MAX_LENGTH)
        found = [{name: values[row] for name, values in coded.items()} for row in range(len(held))]
        return (
            found
            if wanted is None
            else [{**row, "labels": classes.index(label)} for row, label in zip(found, wanted, strict=True)]
        )

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=epochs, per_device_train_batch_size=32, per_device_eval_batch_size=64, learning_rate=rate,
            seed=seed, use_cpu=True, save_strategy="no", report_to="none", disable_tqdm=True, logging_strategy="no",
            bf16=has_fast_bf16("cpu"),
            train_sampling_strategy="group_by_length",
        )  # fmt: skip
        training = Trainer(
            model, arguments, train_dataset=rows(texts, labels), data_collator=DataCollatorWithPadding(tokenizer)
        )
        training.train()
        arguments.train_sampling_strategy = "sequential"  # which orders what is predicted as well, and says nothing of it
        order = sorted(range(len(asked)), key=lambda row: len(asked[row]))
        codes = training.predict(rows([asked[row] for row in order], None)).predictions.argmax(-1)
    said = dict(zip(order, codes, strict=True))
    return [classes[said[row]] for row in range(len(asked))]


def setfit(texts: list[str], labels: list[str], asked: list[str], seed: int) -> Any:
    """SetFit from the package index (its folder in ``SETFIT_SITE``): one epoch of pairs, at most ``MOST_STEPS`` steps."""
    sys.path.append(os.environ["SETFIT_SITE"])
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    model = SetFitModel.from_pretrained(str(_encoder()), device="cpu")
    counts = Counter(labels).values()
    alike = sum(count * (count - 1) // 2 for count in counts)
    num_pairs = 2 * max(alike, len(labels) * (len(labels) - 1) // 2 - alike)  # the rarer kind is repeated
    arguments = TrainingArguments(
        batch_size=16,
        num_epochs=1,
        max_steps=min(MOST_STEPS, -(-num_pairs // 16)),  # which says how many there are, not how many at most
        sampling_strategy="oversampling",
        seed=seed,
        save_strategy="no",
        report_to="none",
    )
    Trainer(model=model, args=arguments, train_dataset=Dataset.from_dict({"text": texts, "label": labels})).train()
    return model.predict(asked)


def _regression(labels: list[str], strengths: tuple[float, ...] = (1.0, 10.0, 100.0)) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    model = LogisticRegression(max_iter=1_000)
    if min(Counter(labels).values()) < 3:
        return model.set_params(C=sorted(strengths)[1])
    return GridSearchCV(model, {"C": list(strengths)}, cv=StratifiedKFold(3))


def _vectors(texts: list[str]) -> Any:
    import torch
    from transformers import AutoModel, AutoTokenizer

    from pretune.train import has_fast_bf16

    tokenizer, model = AutoTokenizer.from_pretrained(_encoder()), AutoModel.from_pretrained(_encoder()).eval()
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    found = torch.empty(len(texts), model.config.hidden_size)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bf16("cpu")):
        for start in range(0, len(texts), 64):
            part = order[start : start + 64]
            inputs = tokenizer(
                [texts[row] for row in part], truncation=True, max_length=MAX_LENGTH, padding=True, return_tensors="pt"
            )
            mask = inputs["attention_mask"][..., None]
            hidden = model(**inputs).last_hidden_state.float()
            found[part] = (hidden * mask).sum(1) / mask.sum(1)
    return found.numpy()


def _encoder() -> Path:
    from pretune.models import find_checkpoint

    return Path(find_checkpoint(os.environ.get("TABLES_MODEL", "minilm")).path)


def _read(path: Path) -> tuple[list[str], list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


if __name__ == "__main__":
    main()
