"""Runs for tests of questions: records whose figures, findings and verdicts the judges computed, of every kind of task."""

import math
import random
from collections import Counter
from dataclasses import replace

from judging import constant, noisy

from pretune.diagnose import diagnose
from pretune.evaluate import evaluate_sources
from pretune.evaluate.aims import Aim
from pretune.evaluate.mistakes import find_mistakes
from pretune.evaluate.slices import find_slices
from pretune.evaluate.threshold import choose_threshold
from pretune.records import (
    ChatFacts,
    Columns,
    ConversationCounts,
    CorpusFile,
    CorpusReceipt,
    Decoding,
    Evidence,
    Example,
    FileReceipt,
    History,
    Lengths,
    LineCounts,
    Milestone,
    Past,
    Predictions,
    PretrainHistory,
    Receipt,
    ReplyCounts,
    RunRecord,
    Sample,
    Score,
    SplitReceipt,
    Step,
    Terms,
    TokenCounts,
    TokenizerFit,
    TokenizerQuality,
    Validation,
)
from pretune.records.observation import observe, observe_milestones
from pretune.verdict import load_policy
from pretune.verdict.judge import decide

SPLITS = ("train", "validation", "test")
NAMES = ("neg", "pos", "a {odd} name", "x, [y]=z", "other")


def classified(seed: int, num_classes: int = 2) -> RunRecord:
    """Return a judged run of this many classes; how many rows, and how well they were answered, is drawn."""
    draw = random.Random(seed)
    classes, look = NAMES[:num_classes], draw.choice((1, 1, 1, 2, 3))
    rows = {name: _rows(name, classes, draw.choice((60, 150, 300, 900)), draw) for name in SPLITS}
    positive = classes[1] if num_classes == 2 and draw.random() < 0.5 else None
    terms = Terms(positive=positive, look=look, confidence=1 - 0.05 / look**2)
    main = _answers(rows["test"], classes, draw.uniform(0.4, 0.99), draw)
    common = max(classes, key=lambda name: sum(row.label == name for row in rows["train"]))
    sources = [main, constant(main, common), noisy(main, draw.uniform(0.3, 0.9))]
    evaluation, history = evaluate_sources(sources, terms, main="finetuned"), _history(rows["train"], draw)
    counts = tuple(_counts(split, len(rows[split]), draw) for split in ("train", "validation"))
    receipt = _receipt(rows, draw)
    evidence = Evidence(
        classes=classes, positive=positive, predictions=tuple(sources), history=history, receipt=receipt, token_counts=counts,
        past=Past(num_texts=0) if draw.random() < 0.8 else None, **{name: tuple(held) for name, held in rows.items()},
    )  # fmt: skip
    findings, num = diagnose(evidence, evaluation), len(rows["test"])
    return RunRecord(
        run=f"run-{seed}", status="judged", identity=f"{seed:064x}", data_source="rows.csv", model_source="minilm",
        configs={"freeze": "none", "finetune": {"batch_size": 16, "max_gradient_norm": 1.0, "decay": "linear",
                 "warmup_share": 0.06}, "judge": {}},
        classes=classes, positive=positive, receipt=receipt, history=history, token_counts=counts, scores=evaluation.scores,
        comparisons=evaluation.comparisons, confusions=evaluation.confusions, findings=findings,
        verdict=decide(evaluation, findings, load_policy(), terms), look=look, ledger_head="ab" * 32,
        slices=find_slices(main, rows["test"], terms), mistakes=find_mistakes(main, rows["test"]),
        threshold=_threshold(rows["validation"], classes, positive, draw),
        sample=Sample(num_rows=num, num_texts=num, num_units=num),
    )  # fmt: skip


def pretrained(seed: int) -> RunRecord:
    """Return a run of pre-training."""
    draw = random.Random(seed)
    objective, loss, milestones = draw.choice(("masked", "causal")), draw.uniform(6, 9), []
    for place in range(draw.randint(2, 6)):
        milestones.append(_milestone(place, loss, draw))
        loss *= draw.uniform(0.75, 1.03)
    milestones = [_observed(milestones[: place + 1]) for place in range(len(milestones))]
    documents, dropped = draw.randint(500, 5000), draw.randint(0, 400)
    tokens = milestones[-1].num_tokens
    words, num_bytes = draw.randint(10_000, 90_000), draw.randint(200_000, 900_000)
    fit = TokenizerFit(
        name="domain", num_texts=100, num_bytes=num_bytes, num_tokens=(num := draw.randint(100_000, 150_000)), num_unknown=0,
        num_words=words, num_split_words=words // 50, bytes_per_token=num_bytes / num, tokens_per_word=num / words,
        unknown_share=0.0, split_share=0.02,
    )  # fmt: skip
    return RunRecord(
        run=f"lm-{seed}", status="trained", task="pretrain", identity=f"{seed:064x}",
        pretraining=PretrainHistory(objective=objective, milestones=tuple(milestones), num_tokens=tokens,
                                    num_targets=int(tokens * (0.15 if objective == "masked" else 0.99))),
        tokenizer=TokenizerQuality(kind=draw.choice(("wordpiece", "bpe", "unigram")), vocab_size=draw.randint(300, 30_000),
                                   fits=(fit,)),
        corpus=CorpusReceipt(
            name="words", num_documents=documents, num_characters=6 * words, num_words=words, num_kept=documents - dropped,
            num_validation=draw.randint(1, 50), dropped={"empty": dropped},
            files=(CorpusFile(file="words.txt", role="train", format="text", encoding="utf-8", sha256=None,
                              num_documents=documents),),
        ),
    )  # fmt: skip


def conversed(seed: int) -> RunRecord:
    """Return a judged run on conversations."""
    draw = random.Random(seed)
    counts = tuple(_reply_counts(split, draw) for split in SPLITS)
    scores = [
        Score(metric=metric, label=None, split="test", source=source, value=value, low=value * 0.9, high=value * 1.1,
              confidence=0.95, method="bootstrap", num_examples=counts[2].num_used)
        for source, better in (("finetuned", 1.0), ("before", 1.4), ("retrieval", None), ("constant", None))
        for metric, value in (("chrf", draw.uniform(5, 60)), *([("loss", better * draw.uniform(0.8, 2.5))] if better else []))
    ]  # fmt: skip
    judged = classified(seed)
    return RunRecord(
        run=f"chat-{seed}", status="judged", task="converse", identity=f"{seed:064x}", scores=tuple(scores), look=1,
        receipt=judged.receipt, history=judged.history, findings=judged.findings, verdict=judged.verdict,
        chat=ChatFacts(
            decoding=Decoding(temperature=draw.choice((0.0, 0.7))), counts=counts,
            data=ConversationCounts(
                form="prompt and response", split_by="question", num_conversations=300, num_replies=300, num_with_turns=0,
                num_with_system=0, num_preferences=0, control_tokens={}, num_spelled=0, num_repeated_questions=0,
                num_repeated_replies=0, num_commonest_reply=1, question_words=Lengths(median=8.0, p95=20.0, longest=30),
                reply_words=Lengths(median=draw.randint(5, 80), p95=90.0, longest=120),
            ),
        ),
    )  # fmt: skip


def _rows(split, classes, number, draw):
    share = number // len(classes)
    uneven = draw.choices(classes, range(1, len(classes) + 1), k=number)
    labels = list(classes) * share if draw.random() < 0.7 else [*classes, *uneven]
    texts = (f"{split} {place} {label}" for place, label in enumerate(labels))
    return [Example(id=text, text=text, label=label) for text, label in zip(texts, labels, strict=True)]


def _answers(rows, classes, accuracy, draw, split="test"):
    predicted = tuple(row.label if draw.random() < accuracy else draw.choice(classes) for row in rows)
    shares = [draw.uniform(1 / len(classes) + 0.01, 0.999) for _ in rows]
    probabilities = tuple(
        tuple(share if name == label else (1 - share) / (len(classes) - 1) for name in classes)
        for label, share in zip(predicted, shares, strict=True)
    )
    return Predictions(
        source="finetuned", split=split, classes=classes, ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows), predicted=predicted, probabilities=probabilities,
    )  # fmt: skip


def _threshold(rows, classes, positive, draw):
    if positive is None:
        return None
    aim = Aim(positive=positive, goal="balanced", gates={"precision": 0.8, "recall": 0.8}, is_asked=True)
    return choose_threshold(_answers(rows, classes, 0.85, draw, split="validation"), aim)


def _history(rows, draw):
    steps_each, epochs, training, loss, validations = math.ceil(len(rows) / 16), draw.randint(2, 5), 0.7, 0.7, []
    for epoch in range(1, epochs + 1):
        training, loss = training * draw.uniform(0.4, 1.02), loss * draw.uniform(0.6, 1.3)
        validations.append(
            Validation(
                epoch=epoch, step=epoch * steps_each - 1, training_loss=training, training_accuracy=draw.uniform(0.6, 1.0),
                loss=loss, accuracy=draw.uniform(0.5, 0.95), metric="accuracy", metric_value=0.5, learning_rate=1e-5,
                seconds=1.0,
            )
        )  # fmt: skip
    monitor = draw.choice(("accuracy", "loss", "last"))
    best = {
        "last": validations[-1],
        "loss": min(validations, key=lambda item: item.loss),
        "accuracy": max(validations, key=lambda item: (item.accuracy, -item.loss)),
    }[monitor]
    num = steps_each * epochs
    steps = tuple(
        Step(index=place, loss=draw.uniform(0.1, 0.8), num_targets=16, gradient_norm=draw.uniform(0.2, 4.0),
             learning_rate=5e-5 * min(1.0, (place + 1) / (0.06 * num + 1)) * (1 - place / num))
        for place in range(num)
    )  # fmt: skip
    told = [observe(validations[: place + 1]) for place in range(epochs)]
    named = tuple(replace(item, observation=words) for item, words in zip(validations, told, strict=True))
    return History(
        steps=steps, validations=named, monitor=monitor, best_epoch=best.epoch, best_step=best.step,
        stopped_because=f"all {epochs} epochs done", num_weights=22_000_000,
        num_trained_weights=draw.choice((22_000_000, 9_000)),
    )  # fmt: skip


def _counts(split, num_texts, draw):
    cut = draw.choice((0, num_texts // 5))
    return TokenCounts(split=split, num_texts=num_texts, num_tokens=num_texts * draw.randint(9, 60), num_cut_texts=cut,
                       num_cut_tokens=cut * 7, num_unknown=draw.choice((0, num_texts)), max_length=64)  # fmt: skip


def _receipt(rows, draw):
    used, rejected, filtered = sum(map(len, rows.values())), draw.randint(0, 3), draw.randint(0, 5)
    removed = draw.randint(0, 4)
    total = used + removed + rejected + filtered
    lines = LineCounts(total=total + 3, header=1, rows=total, within=2, blank=0)
    splits = tuple(
        SplitReceipt(name=name, num_rows=len(held), labels=dict(Counter(row.label for row in held)),
                     digest="a" * 64, num_texts=len(held) - draw.randint(0, 9))
        for name, held in rows.items()
    )  # fmt: skip
    return Receipt(
        source="rows.csv", columns=Columns(text=("text",), label="label"), num_rows=total, num_used=used + removed,
        num_rejected=rejected, num_filtered=filtered, num_removed=removed, num_exact_duplicates=draw.randint(0, 9),
        splits=splits, split_seed=0,
        files=(FileReceipt(file="rows.csv", role="data", format="csv", encoding="utf-8", sha256=None, num_rows=total,
                           num_used=used + removed, num_filtered=filtered, lines=lines),),
    )  # fmt: skip


def _milestone(place, loss, draw):
    return Milestone(
        step=100 * place, num_tokens=80_000 * place, training_loss=loss * draw.uniform(0.9, 1.1), loss=loss,
        accuracy=draw.uniform(0.02, 0.5), perplexity=math.exp(loss), learning_rate=1e-3, seconds=3.0 * place,
        tokens_per_second=26_000.0,
    )  # fmt: skip


def _observed(milestones):
    return replace(milestones[-1], observation=observe_milestones(milestones, num_alone=0))


def _reply_counts(split, draw):
    used, beyond, refused = draw.randint(50, 300), draw.randint(0, 4), draw.randint(0, 2)
    tokens = used * draw.randint(30, 90)
    return ReplyCounts(split=split, num_conversations=used + beyond + refused, num_used=used,
                       num_replies=used + draw.randint(0, 9), num_tokens=tokens,
                       num_targets=int(tokens * draw.uniform(0.2, 0.8)), num_cut=draw.randint(0, 9), num_beyond=beyond,
                       num_refused=refused, max_length=128)  # fmt: skip
