"""One judged run, written by hand: the figures belong together, the texts are what users have."""

import math
from dataclasses import replace

import pytest

from pretune.records import (
    Calibration,
    ChatFacts,
    Columns,
    Comparison,
    Conflict,
    Confusion,
    CorpusFile,
    CorpusReceipt,
    FileReceipt,
    Finding,
    Guess,
    History,
    LayerView,
    Milestone,
    Mistake,
    Outcome,
    PredictionTrace,
    PretrainHistory,
    PromptGuesses,
    Reached,
    Reason,
    Receipt,
    Rejection,
    ReplySample,
    RunRecord,
    SafetyQuestion,
    SafetyReplies,
    Score,
    Severity,
    Shared,
    Slice,
    SplitReceipt,
    Step,
    ThresholdChoice,
    TokenCounts,
    TokenizerFit,
    TokenizerQuality,
    TradeoffPoint,
    Validation,
    Verdict,
)
from pretune.records.conversation import Decoding


def make_score(metric, label, source, value, low, high, **changed):
    """Build a score on the test split."""
    fields = {
        "split": "test", "confidence": 0.95, "method": "wilson", "num_examples": 1591 if label is None else 795, "look": 1,
    }  # fmt: skip
    return Score(metric=metric, label=label, source=source, value=value, low=low, high=high, **(fields | changed))


def make_scores():
    """Build the figures of three sources; majority never says pos, so its precision is undefined."""
    values = {
        "finetuned": (0.352, 0.853, 0.861, 0.842, 0.851, 0.846, 0.864, 0.855),
        "linear": (0.531, 0.752, 0.741, 0.769, 0.755, 0.764, 0.735, 0.749),
        "majority": (0.693, 0.503, None, 0.000, None, 0.503, 1.000, 0.669),
    }
    names = (
        ("loss", None), ("accuracy", None), ("precision", "pos"), ("recall", "pos"), ("f1", "pos"),
        ("precision", "neg"), ("recall", "neg"), ("f1", "neg"),
    )  # fmt: skip
    return tuple(
        make_score(
            metric, label, source, value,
            None if value is None else max(0.0, value - 0.018), None if value is None else min(1.0, value + 0.017),
            **({"method": "no row was predicted to be of this class"} if value is None else {}),
        )
        for source, row in values.items()
        for (metric, label), value in zip(names, row, strict=True)
    )  # fmt: skip


def make_comparison(b, value_b, **changed):
    """Build the paired comparison of the model with one baseline."""
    fields = {
        "metric": "accuracy", "split": "test", "a": "finetuned", "b": b, "value_a": 0.853, "value_b": value_b,
        "difference": 0.853 - value_b, "low": 0.853 - value_b - 0.02, "high": 0.853 - value_b + 0.02, "confidence": 0.95,
        "p_value": 1e-9, "method": "exact McNemar; Newcombe interval of the paired difference", "num_examples": 1591,
    }  # fmt: skip
    return Comparison(**(fields | changed))


@pytest.fixture
def history():
    """Three epochs that end in overfitting."""
    steps = tuple(
        Step(
            index=i, loss=0.72 * 0.993**i + 0.06 * ((i * 7919) % 13 / 13 - 0.5), num_targets=32, gradient_norm=1.0,
            learning_rate=1e-5,
        )
        for i in range(1, 349)
    )  # fmt: skip
    rows = ((1, 116, 0.498, 0.371, 0.839, "first epoch"), (2, 232, 0.301, 0.352, 0.853, "learning"),
            (3, 348, 0.182, 0.402, 0.849, "overfitting since epoch 3"))  # fmt: skip
    validations = tuple(
        Validation(
            epoch=epoch, step=step, training_loss=training, training_accuracy=0.9, loss=loss, accuracy=accuracy,
            metric="accuracy", metric_value=accuracy, learning_rate=2e-5, seconds=52.0, observation=words,
        )
        for epoch, step, training, loss, accuracy, words in rows
    )  # fmt: skip
    return History(
        steps=steps, validations=validations, best_epoch=2, best_step=232, stopped_because="all 3 epochs were run"
    )  # fmt: skip


@pytest.fixture
def pretraining():
    """Six milestones of a masked pre-training: the loss falls, and the guesses get sensible."""
    early, late = (("the", 0.12), ("a", 0.05)), (("east", 0.31), ("sky", 0.22))
    milestones = tuple(
        Milestone(
            step=100 * number, num_tokens=800_000 * number, training_loss=8.1 - number, loss=8.0 - number,
            accuracy=0.05 * number, perplexity=math.exp(8.0 - number), learning_rate=1e-3, seconds=30.0 * number,
            tokens_per_second=26_667.0, observation="first milestone" if number == 1 else "learning",
            guesses=(
                PromptGuesses(
                    prompt="the sun rises in the [MASK]",
                    guesses=tuple(Guess(token=token, probability=share) for token, share in (early if number < 4 else late)),
                ),
            ),
        )
        for number in range(1, 7)
    )  # fmt: skip
    return PretrainHistory(
        objective="masked",
        milestones=milestones,
        num_tokens=4_800_000,
        num_weights=6_000_000,
        stopped_because="the budget was used",
    )


@pytest.fixture
def tokenizer_quality():
    """A vocabulary that does not fit its domain."""

    def fit(name, split_share):
        return TokenizerFit(
            name=name, num_texts=100, num_bytes=420_000, num_tokens=100_000, num_unknown=12, num_words=80_000,
            num_split_words=round(80_000 * split_share), bytes_per_token=4.2, tokens_per_word=1.25, unknown_share=0.00012,
            split_share=split_share, examples=("my ##oca ##rd ##ial",),
        )  # fmt: skip

    return TokenizerQuality(
        kind="wordpiece", vocab_size=8192, fits=(fit("domain", 0.045), fit("general", 0.009)),
        warning="the vocabulary does not fit the domain: 4.5 % of its words are split into 4 or more pieces (limit 3 %)",
    )  # fmt: skip


@pytest.fixture
def corpus_receipt():
    """What became of the documents of a corpus."""
    return CorpusReceipt(
        name="wikitext-2", licence="CC BY-SA 3.0",
        files=(CorpusFile(file="train.raw.gz", role="train", format="text", encoding="utf-8", sha256="ab" * 32,
                          num_documents=1_000, num_rejected=1,
                          rejected=(Rejection(file="train.raw.gz", row=17, column=None, reason="not UTF-8"),)),),
        num_documents=1_000, num_characters=2_000_000, num_words=400_000, num_kept=900, num_validation=9,
        dropped={"empty": 60, "near duplicate": 39, "rejected": 1}, changed={"control characters": 12, "white space": 340},
        near_duplicates={"compared": 5_000, "near": 41, "largest": 7}, near_duplicate_threshold=0.8,
        validation_from="hash of the text", digest="cd" * 32, notes=("a document ends at a blank line",),
    )  # fmt: skip


@pytest.fixture
def pretrained(record, pretraining, tokenizer_quality, corpus_receipt):
    """The record of a pre-training run."""
    return RunRecord(
        run="my-lm", status="trained", task="pretrain", command="pretune pretrain wikitext-2",
        created=record.created, data_source="wikitext-2",
        device="cpu, 2 threads, bf16", versions=record.versions, configs={"tokenizer": {"kind": "wordpiece"}},
        pretraining=pretraining, tokenizer=tokenizer_quality,
        corpus=corpus_receipt,
    )  # fmt: skip


@pytest.fixture
def receipt():
    """A file with two rejected rows, a conflict and given splits that share texts."""
    rejected = (
        Rejection(file="reviews.csv", row=412, column="review", reason="the text is empty"),
        Rejection(file="reviews.csv", row=977, column=None, reason="4 fields where the header has 3"),
    )
    return Receipt(
        source="reviews.csv",
        files=(
            FileReceipt(
                file="reviews.csv", role="data", format="csv", encoding="utf-8", sha256="ab" * 32,
                num_rows=10605, num_used=10603, rejected=rejected,
            ),
        ),
        columns=Columns(text=("review",), label="sentiment", guessed=("text", "label")),
        licence="CC BY 4.0", num_rows=10605, num_used=10603, num_rejected=2, num_removed=5,
        num_cleaned={"HTML removed": 214, "white space folded": 1203}, num_exact_duplicates=31, num_near_duplicates=18,
        near_duplicate_threshold=0.8,
        conflicts=(Conflict(text="Not bad at all.", ids=("reviews.csv:7", "reviews.csv:93"), labels=("neg", "pos")),),
        shared=(
            Shared(first="train", second="test", num_exact=4, num_exact_rows=4, num_near_rows=1,
                   removed=("reviews.csv:5", "reviews.csv:6", "reviews.csv:70", "reviews.csv:71", "reviews.csv:72")),
        ),
        splits=(
            SplitReceipt(name="train", num_rows=7421, labels={"neg": 3701, "pos": 3720}, digest="a" * 64),
            SplitReceipt(name="validation", num_rows=1591, labels={"neg": 794, "pos": 797}, digest="b" * 64),
            SplitReceipt(name="test", num_rows=1591, labels={"neg": 800, "pos": 791}, digest="c" * 64),
        ),
        split_seed=0,
    )  # fmt: skip


@pytest.fixture
def findings():
    """One finding of each severity."""
    return (
        Finding(check="leakage.seen_texts", severity=Severity.OK, summary="0 of 1,591 test texts were seen in training",
                measured=0.0, limit=0.01),
        Finding(check="overfitting.gap", severity=Severity.WARNING, measured=0.091, limit=0.05,
                summary="training accuracy 0.944 is 9.1 points above validation 0.853",
                fix="Train fewer epochs, or raise --dropout."),
        Finding(check="labels.conflicts", severity=Severity.NOTE, summary="1 text stands under two labels",
                examples=("reviews.csv:7", "reviews.csv:93")),
        Finding(check="truncation", severity=Severity.BLOCKING, summary="41 % of the texts are cut at 128 tokens",
                measured=0.41, limit=0.2, fix="Raise --max-length.", examples=("reviews.csv:12",)),
        Finding.unknown("calibration", "needs probabilities, and the predictions came without"),
        Finding.not_applicable("groups", "no group column was named"),
    )  # fmt: skip


@pytest.fixture
def verdict():
    """Open: accuracy is good, but its interval reaches over the gate."""
    reasons = (
        Reason(kind="score", name="precision[pos]", holds=True, text="precision of pos 0.861 [0.843, 0.878] is at least 0.80"),
        Reason(kind="score", name="recall[pos]", holds=True, text="recall of pos 0.842 [0.824, 0.859] is at least 0.80"),
        Reason(kind="score", name="accuracy", holds=None,
               text="accuracy 0.853 [0.835, 0.870] is not clear of the gate 0.85: the interval holds it"),
        Reason(kind="comparison", name="finetuned-linear", holds=True,
               text="better than TF-IDF + logistic regression by 0.101 [0.081, 0.121], p < 0.001"),
        Reason(kind="finding", name="truncation", holds=False, text="41 % of the texts are cut at 128 tokens (limit 20 %)"),
    )  # fmt: skip
    return Verdict(
        outcome=Outcome.NOT_ENOUGH_EVIDENCE, reasons=reasons, rows_needed=2400,
        summary="The model looks good, but 1,591 test rows cannot show that its accuracy is above 0.85.",
        rows_needed_note="about 1,200 of them pos", plain_reading="good: accuracy above 0.85, precision and recall above 0.80",
        look=1, policy={"name": "classification", "goal": "balanced", "goals": {"balanced": [
            {"metric": "precision", "minimum": 0.8}, {"metric": "recall", "minimum": 0.8},
            {"metric": "accuracy", "minimum": 0.85, "only_balanced": True}, {"metric": "f1", "minimum": 0.7}]}},
    )  # fmt: skip


def make_slice(column, value, num_hits, num_examples, rest, p_value):
    return Slice(column=column, value=value, split="test", source="finetuned", num_examples=num_examples, num_hits=num_hits,
                 accuracy=num_hits / num_examples, low=num_hits / num_examples - 0.03, high=num_hits / num_examples + 0.02,
                 confidence=0.95, rest=rest, p_value=p_value, is_worse=p_value <= 0.05,
                 method="wilson; exact test against the other rows, Holm over 6 slices",
                 examples=("reviews.csv:77",))  # fmt: skip


def make_choice():
    """Build a choice of 0.62, with four other thresholds."""
    points = tuple(
        TradeoffPoint(threshold=threshold, precision=precision, recall=recall, num_called=called)
        for threshold, precision, recall, called in (
            (0.97, 0.98, 0.51, 415), (0.85, 0.93, 0.72, 617), (0.62, 0.87, 0.84, 769),
            (0.4, 0.79, 0.93, 938), (0.0, 0.5, 1.0, 1591),
        )
    )  # fmt: skip
    return ThresholdChoice(
        source="finetuned", split="validation", goal="precision", positive="pos", threshold=0.62, low=0.55, high=0.71,
        rule="the greatest precision, by the lower end of its 95 % interval, with recall at least 0.84", keep={"recall": 0.84},
        kept_share=0.63, note="ties went to the middle",
        num_examples=1591, num_positives=797, num_resamples=500, table=points, curve=points,
        reached=(Reached(metric="precision", value=0.87, before=0.84, expected=0.862, low=0.85, high=0.88),
                 Reached(metric="recall", value=0.84, before=0.88, expected=0.832, low=0.81, high=0.86)),
    )  # fmt: skip


@pytest.fixture
def weak_spots():
    """Slices of which one is worse, and two confident mistakes."""
    slices = (make_slice("length", "220 to 512 characters", 310, 398, 0.877, 0.0004),
              make_slice("label", "neg", 691, 800, 0.842, 1.0))  # fmt: skip
    mistakes = tuple(
        Mistake(id=f"reviews.csv:{row}", label="neg", predicted="pos", probability=share, split="test", source="finetuned",
                text=text)
        for row, share, text in ((77, 0.991, "Not bad at all, said nobody."), (912, 0.964, "A <b>gem</b> of a nap."))
    )  # fmt: skip
    return {"slices": slices, "mistakes": mistakes}


@pytest.fixture
def record(history, receipt, findings, verdict, weak_spots):
    """The whole run."""
    return RunRecord(
        run="reviews-minilm", status="judged", command="pretune run reviews.csv", created="2025-06-01T12:00:00+00:00",
        data_source="reviews.csv", model_source="minilm", model_licence="Apache-2.0", device="cpu, 2 threads, bf16",
        configs={"finetune": {"learning_rate": 5e-5, "head": "native", "max_length": 128}},
        versions={"pretune": "0.1.0", "torch": "2.13.0"}, classes=("neg", "pos"), positive="pos", receipt=receipt,
        history=history,
        token_counts=(TokenCounts(split="train", num_texts=7421, num_tokens=200_000, num_cut_texts=55, num_cut_tokens=900,
                                  num_unknown=3, max_length=128),),
        scores=make_scores(), comparisons=(make_comparison("linear", 0.752), make_comparison("majority", 0.503)),
        confusions=(Confusion(split="test", source="finetuned", classes=("neg", "pos"), counts=((691, 109), (125, 666))),),
        findings=findings, verdict=verdict, threshold=make_choice(),
        calibration=Calibration(split="validation", error=0.08, limit=0.05, temperature=1.6, is_scaled=True, error_after=0.01,
                                loss=0.41, loss_after=0.36, num_examples=1591, why="logits divided by 1.600"),
        look=1, first_known_look=True, **weak_spots,
        seconds={"read": 0.31, "finetune": 161.2, "judge": 9.4},
    )  # fmt: skip


@pytest.fixture
def events():
    """The trace of the run, as ``trace.jsonl`` holds it."""

    def stage(name, shape_in, done, shape_out, seconds, example, notes=()):
        return {"event": "stage", "stage": name, "shape_in": shape_in, "done": done, "shape_out": shape_out,
                "seconds": seconds, "example": example, "notes": list(notes)}  # fmt: skip

    return [
        {"event": "stage_started", "stage": "read"},
        stage("read", "1 file", "columns review and sentiment (guessed)", "10,605 rows × 3 columns", 0.31,
              "“A gorgeous, witty, seductive movie that never once loses sight of the people it is about.”"),
        stage("clean", "10,605 texts", "214 times HTML removed, 1,203 times white space folded", "10,603 texts", 0.42,
              "A gorgeous, witty, seductive movie that never once loses sight of the people it is about."),
        stage("encode", "7,421 texts", "WordPiece, at most 128 tokens", "7,421 texts × 27 tokens", 2.1,
              "[CLS] a gorgeous , wit ##ty , seductive movie [SEP]", ["55 texts cut at 128 tokens"]),
        {"event": "note", "text": "no --positive was given: figures are of pos"},
        stage("finetune", "7,421 texts × 27 tokens", "3 epochs, AdamW 5e-05, all layers", "22.7 M parameters", 161.2,
              "logits -2.104, +2.377"),
        stage("judge", "1,591 texts", "the sealed test was opened", "1 verdict", 9.4, "pos with 0.989"),
    ]  # fmt: skip


@pytest.fixture
def prediction():
    """A short text through a model of two layers."""
    tokens = ("[CLS]", "a", "gorgeous", ",", "wit", "##ty", "movie", "[SEP]")
    layers = (("embeddings", 4.81, 0.481), ("layer 1", 7.02, 0.55), ("layer 2", 9.4, 0.989))
    return PredictionTrace(
        text="A gorgeous, witty movie", tokens=tokens, ids=(101, 1037, 9882, 1010, 15966, 3723, 3185, 102),
        layers=tuple(
            LayerView(name=name, shape=(1, 8, 384), norm=norm, probabilities=(1 - share, share)) for name, norm, share in layers
        ),
        logits=(-2.104, 2.377), probabilities=(0.011, 0.989), classes=("neg", "pos"), decision="pos", threshold=0.46,
        positive="pos",
    )  # fmt: skip


@pytest.fixture
def talked(record):
    """A run on conversations, judged: better than the model as it came, and nobody has reviewed it."""
    question = SafetyQuestion(id="1", area="medication", text="May I take twice as much?", care="Sends to a doctor.")
    fields = {"confidence": 0.95, "method": "sacreBLEU", "num_examples": 250, "split": "test"}
    values = (("chrf", "finetuned", 36.2), ("chrf", "before", 30.0), ("loss", "finetuned", 1.9), ("loss", "before", 2.6))
    pair = {
        "method": "",
        "split": "test",
        "a": "finetuned",
        "b": "before",
        "confidence": 0.95,
        "p_value": 0.001,
        "num_examples": 250,
    }
    reasons = (
        Reason(kind="comparison", name="finetuned-before", holds=True, metric="loss", text="loss 0.70 less: better"),
        Reason(kind="score", name="chrf", holds=True, text="chrF 36.2"),
        Reason(kind="review", name="review", holds=None, text="nobody has compared the replies"),
    )
    return replace(
        record, task="converse", positive=None, threshold=None, calibration=None, slices=(), mistakes=(), confusions=(),
        scores=tuple(Score(metric=metric, label=None, source=source, value=value, low=value - 1, high=value + 1, **fields)
                     for metric, source, value in values),
        comparisons=(Comparison(metric="loss", value_a=1.9, value_b=2.6, difference=-0.7, low=-0.8, high=-0.6, **pair),),
        verdict=replace(record.verdict, reasons=reasons, rows_needed=None, rows_needed_note="let people compare the replies"),
        chat=ChatFacts(
            decoding=Decoding(),
            samples=(ReplySample(id="1", question="What is gout?", reference="A disease.",
                                 texts={"finetuned": "A disease of joints.", "before": ""}),),
            safety=(SafetyReplies(source="finetuned", questions=(question,), texts=("Ask a doctor.",), ended=(True,)),),
        ),
    )  # fmt: skip


@pytest.fixture
def hostile_talked(talked):
    """The run on conversations, had every text in it been written by an attacker."""
    return RunRecord.from_json(poison(talked.to_json()))


HOSTILE = (
    "<script>alert(1)</script></style></title>\"' onload='x' {{ 7*7 }}{% raw %} [red]x[/] [/] \x1b[31m\x1b]0;t\x07 "
    "\u202egnp.exe שלום 👩‍👩‍👧 \ud800\x00 a\tb\r\nc | `d` [e](javascript:f) " + "W" * 200
)

# Words of ours that drawings decide by; everything else in a record can come from a user.
OURS = ("severity", "outcome", "status", "task", "metric", "policy", "kind", "event", "objective")


# Fields whose names are the user's, too: classes, settings of their files, versions of their packages.
NAMED_BY_USERS = ("dropped", "changed", "labels", "num_cleaned", "configs", "finetune", "versions", "seconds")


def poison(value, key=""):
    """Put hostile text before every string that a user could have written."""
    if key in OURS:
        return value
    if isinstance(value, dict):
        free = key in NAMED_BY_USERS
        return {HOSTILE + name if free else name: poison(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [poison(item, key) for item in value]
    return HOSTILE + value if isinstance(value, str) else value


@pytest.fixture
def hostile_record(record):
    """The run, had every text in it been written by an attacker."""
    return RunRecord.from_json(poison(record.to_json()))


@pytest.fixture
def hostile_pretrained(pretrained):
    """The pre-training run, likewise."""
    return RunRecord.from_json(poison(pretrained.to_json()))


@pytest.fixture
def hostile_events(events):
    """The trace, likewise."""
    return [poison(event) for event in events]


@pytest.fixture
def hostile_prediction(prediction):
    """The prediction trace, likewise."""
    return PredictionTrace.from_json(poison(prediction.to_json()))
