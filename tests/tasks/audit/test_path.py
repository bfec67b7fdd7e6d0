"""The audit: the figures of a run on its own file, tables of other tools, and what it takes to ship."""

import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from running import call, read_strictly
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

from pretune.configs import AuditConfig, JudgeConfig, ReadConfig
from pretune.data.seal.ledger import verify
from pretune.errors import DataError, UsageError
from pretune.records import Outcome, Severity
from pretune.tasks.audit import Question, audit, write_audit
from pretune.verdict import load_policy
from pretune.verdict.narrow import AUDIT
from pretune.verdict.policy import BUILT_IN
from tiny import make_rows


def figures(record, source="audited"):
    return {score.name: (score.value, score.low, score.high, score.method) for score in record.scores if score.source == source}


def named(findings, check):
    return next(finding for finding in findings if finding.check == check)


@pytest.fixture(scope="module")
def scikit_learn(tmp_path_factory):
    """What ``DataFrame(predict_proba).to_csv`` gives, with training rows and texts; and the model's own figures."""
    folder, rows = tmp_path_factory.mktemp("sklearn"), make_rows(900, noise=0.05)
    (train_texts, train_labels), (texts, labels) = (tuple(zip(*part, strict=True)) for part in (rows[:500], rows[500:]))
    words = TfidfVectorizer(min_df=3).fit(train_texts)
    model = LogisticRegression(C=0.1).fit(words.transform(train_texts), train_labels)
    table = pandas.DataFrame(model.predict_proba(words.transform(texts)), columns=model.classes_)
    table["y_true"] = labels
    table.to_csv(folder / "bare.csv")
    table["text"] = texts
    table["source"] = np.where(np.arange(400) % 2, "web", "mail")
    table.to_csv(folder / "preds.csv")
    table.sample(frac=1, random_state=1).to_csv(folder / "mixed.csv")
    pandas.DataFrame({"text": train_texts, "label": train_labels}).to_csv(folder / "train.csv", index=False)
    shares = table[list(model.classes_)].to_numpy()
    return folder, accuracy_score(labels, model.classes_[shares.argmax(axis=1)]), log_loss(labels, shares)


# The same figures as a run


def test_a_runs_own_predictions_have_the_figures_of_the_run(judged):
    record = audit(judged / "predictions" / "test.finetuned.csv")
    run = json.loads((judged / "run.json").read_text())
    of_run = [score for score in run["scores"] if (score["source"], score["split"]) == ("finetuned", "test")]
    own = [score.to_json() for score in record.scores if score.source == "audited"]
    assert [score | {"source": "finetuned"} for score in own] == of_run
    assert [item.to_json()["counts"] for item in record.confusions[:1]] == [run["confusions"][0]["counts"]]
    mistakes = [item.to_json() | {"source": "finetuned"} for item in record.mistakes]
    assert mistakes == [item | {"text": ""} for item in run["mistakes"]]


def test_with_texts_and_training_rows_the_baselines_and_checks_are_those_of_the_run_too(judged, tmp_path):
    run = json.loads((judged / "run.json").read_text())
    texts = {
        row["id"]: row["text"] for row in map(json.loads, (judged / "data" / "test.sealed.jsonl").read_text().splitlines()[1:])
    }
    with (judged / "predictions" / "test.finetuned.csv").open() as file:
        rows = [row | {"text": texts[row["id"]]} for row in csv.DictReader(file)]
    train = [json.loads(line) for line in (judged / "data" / "train.jsonl").read_text().splitlines()]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps({k: row[k] for k in ("text", "label")}) + "\n" for row in train))
    config = AuditConfig(seed=run["configs"]["seed"])  # of the linear model's hold-out
    record = audit(rows, Question(config=config, train=tmp_path / "train.jsonl"))
    for source in ("majority", "linear"):
        own = [score.to_json() for score in record.scores if score.source == source]
        assert own == [score for score in run["scores"] if (score["source"], score["split"]) == (source, "test")]
    for name in ("leakage.seen_texts", "leakage.near_texts", "results.accuracy_paradox"):
        assert named(record.findings, name).to_json() == next(item for item in run["findings"] if item["check"] == name)
    assert record.verdict.outcome == run["verdict"]["outcome"]


# scikit-learn


def test_a_table_of_predict_proba_has_the_figures_of_scikit_learn(scikit_learn):
    folder, accuracy, loss = scikit_learn
    record = audit(folder / "bare.csv")
    assert figures(record)["accuracy"][0] == pytest.approx(accuracy)
    assert figures(record)["loss"][0] == pytest.approx(loss)
    assert record.classes == ("bad", "good")


def test_the_order_of_the_rows_changes_nothing(scikit_learn):
    folder, _, _ = scikit_learn
    first, mixed = (audit(folder / name) for name in ("preds.csv", "mixed.csv"))
    for name, values in figures(first).items():
        assert figures(mixed)[name][:3] == pytest.approx(values[:3])
    assert {item.id for item in first.mistakes} == {item.id for item in mixed.mistakes}


def test_without_training_rows_what_was_not_asked_is_said(scikit_learn):
    record = audit(scikit_learn[0] / "preds.csv")
    assert named(record.findings, "baselines.linear").severity is Severity.UNKNOWN
    assert named(record.findings, "leakage.seen_texts").severity is Severity.UNKNOWN
    assert record.verdict.outcome is Outcome.SHIP
    assert "Not asked" in record.verdict.summary
    assert "linear" in record.verdict.summary
    assert record.verdict.policy["better_than"] == ["majority"]


def test_with_training_rows_the_linear_model_has_to_be_beaten(scikit_learn):
    folder, _, _ = scikit_learn
    record = audit(folder / "preds.csv", Question(train=folder / "train.csv"))
    assert figures(record, "linear")["accuracy"][0] > 0.8
    assert named(record.findings, "leakage.seen_texts").severity is Severity.OK
    assert record.verdict.outcome is Outcome.DO_NOT_SHIP  # it is that linear model
    assert "linear model" in record.verdict.summary
    assert "which is in the run" not in record.verdict.summary
    assert "Not asked" not in record.verdict.summary


def test_rows_seen_in_training_block(scikit_learn, tmp_path):
    folder, _, _ = scikit_learn
    table = pandas.read_csv(folder / "preds.csv")
    train = pandas.read_csv(folder / "train.csv")
    seen = table.head(40)[["text", "y_true"]].rename(columns={"y_true": "label"})
    pandas.concat([train, seen]).to_csv(tmp_path / "leaky.csv", index=False)
    record = audit(folder / "preds.csv", Question(train=tmp_path / "leaky.csv"))
    assert named(record.findings, "leakage.seen_texts").severity is Severity.BLOCKING
    assert record.verdict.outcome is Outcome.DO_NOT_SHIP


def test_slices_are_of_length_label_and_further_columns(scikit_learn):
    record = audit(scikit_learn[0] / "preds.csv")
    assert {item.column for item in record.slices} == {"length", "label", "source"}
    assert all(item.text for item in record.mistakes)


def test_a_policy_of_the_user_is_taken_at_its_word(scikit_learn, tmp_path):
    path = tmp_path / "strict.toml"
    path.write_text(BUILT_IN["audit"].read_text(encoding="utf-8").replace('name = "audit"', 'name = "mine"'), encoding="utf-8")
    record = audit(scikit_learn[0] / "bare.csv", Question(config=AuditConfig(judge=JudgeConfig(policy=str(path)))))
    assert record.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    open_reasons = {reason.name for reason in record.verdict.reasons if reason.holds is None}
    assert {"audited-linear", "leakage.seen_texts", "leakage.near_texts"} <= open_reasons


def test_the_audits_policy_asks_the_gates_of_the_default_one():
    default, own = load_policy(), load_policy(AUDIT)
    assert own.goals == {name: gates for name, gates in default.goals.items() if name in own.goals}
    assert (own.plain, own.rows_needed, own.min_gain, own.min_positives) == (
        default.plain, default.rows_needed, default.min_gain, default.min_positives,
    )  # fmt: skip


def test_high_accuracy_with_hardly_any_recall_is_do_not_ship_in_plain_words():
    """The worked example: 98 % accuracy, 12 % recall: 3 of 25 spam rows found, 1,197 of 1,200 ham rows right."""
    cells = [("spam", "spam", 3), ("spam", "ham", 22), ("ham", "spam", 3), ("ham", "ham", 1_197)]
    rows = [{"label": label, "predicted": said} for label, said, count in cells for _ in range(count)]
    record = audit(rows)
    assert record.verdict.outcome is Outcome.DO_NOT_SHIP
    assert record.positive == "spam"
    assert "it finds only 3 of the 25 spam rows" in record.verdict.summary
    assert named(record.findings, "results.accuracy_paradox").severity is Severity.BLOCKING


def test_one_true_class_is_not_enough_evidence_and_no_crash():
    rows = [{"label": "ham", "p:ham": 0.9, "p:spam": 0.1} for _ in range(60)]
    record = audit(rows, Question(config=AuditConfig()))
    assert record.verdict.outcome is not Outcome.SHIP


# Against another model, sealed rows


def test_another_model_is_compared_row_by_row_whatever_its_order(scikit_learn, tmp_path):
    folder, _, _ = scikit_learn
    table = pandas.read_csv(folder / "bare.csv")
    worse = table.assign(**{"bad": table["good"], "good": table["bad"]}).sample(frac=1, random_state=3)
    worse.to_csv(tmp_path / "worse.csv", index=False)
    record = audit(folder / "bare.csv", Question(against=tmp_path / "worse.csv"))
    pair = next(item for item in record.comparisons if item.b == "worse")
    assert pair.difference == pytest.approx(2 * pair.value_a - 1)
    assert pair.low > 0
    assert pair.confidence == 0.975  # two models on the same rows


def test_models_on_other_rows_are_not_compared(scikit_learn, tmp_path):
    folder, _, _ = scikit_learn
    pandas.read_csv(folder / "bare.csv").head(300).to_csv(tmp_path / "part.csv", index=False)
    with pytest.raises(DataError, match="300"):
        audit(folder / "bare.csv", Question(against=tmp_path / "part.csv"))


def test_sealed_counts_each_look_and_widens_the_intervals(scikit_learn):
    path = scikit_learn[0] / "preds.csv"
    records = [audit(path, Question(is_sealed=True)) for _ in range(2)]
    assert [record.look for record in records] == [1, 2]
    assert [record.scores[0].confidence for record in records] == [0.95, 1 - 0.05 / 4]
    assert [entry.purpose for entry in verify()] == ["audit", "audit"]


def test_without_sealed_nothing_is_counted(scikit_learn):
    assert audit(scikit_learn[0] / "preds.csv").look is None
    assert verify() == ()


def test_sealed_rows_without_texts_cannot_be_known_again(scikit_learn):
    with pytest.raises(UsageError, match="text"):
        audit(scikit_learn[0] / "bare.csv", Question(is_sealed=True))
    assert verify() == ()


def test_a_bad_policy_opens_nothing(scikit_learn):
    config = AuditConfig(judge=JudgeConfig(goal="glory"))
    with pytest.raises(UsageError, match="glory"):
        audit(scikit_learn[0] / "preds.csv", Question(config=config, is_sealed=True))
    assert verify() == ()


def test_training_rows_of_other_labels_are_an_error(scikit_learn, write_csv):
    other = write_csv([("one text of words here", "x"), ("another text of words", "y")] * 20, name="other.csv")
    with pytest.raises(DataError, match="the training rows are labelled 'x', 'y'"):
        audit(scikit_learn[0] / "preds.csv", Question(train=other))


# transformers


@pytest.fixture(scope="module")
def transformers_model(tiny_checkpoint):
    """A tiny classifier of transformers with its own head, and rows."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    names = {0: "bad", 1: "good"}
    folder = tiny_checkpoint("bert")
    model = AutoModelForSequenceClassification.from_pretrained(folder, id2label=names, label2id={"bad": 0, "good": 1}).eval()
    return model, AutoTokenizer.from_pretrained(folder), make_rows(60, seed=4)


def test_logits_of_transformers_and_their_softmax_have_the_same_figures(transformers_model, tmp_path):
    import torch

    model, tokenizer, rows = transformers_model
    with torch.no_grad():
        logits = model(**tokenizer([text for text, _ in rows], padding=True, return_tensors="pt")).logits
    labels = [label for _, label in rows]
    raw = pandas.DataFrame(logits.numpy(), columns=["logit_bad", "logit_good"]).assign(label=labels)
    raw.to_csv(tmp_path / "logits.csv", index=False)
    soft = pandas.DataFrame(logits.double().softmax(-1).numpy(), columns=["p:bad", "p:good"]).assign(label=labels)
    soft.to_csv(tmp_path / "soft.csv", index=False)
    records = [audit(tmp_path / "logits.csv", Question(config=AuditConfig(logits=True))), audit(tmp_path / "soft.csv")]
    first, second = (figures(record) for record in records)
    assert first["loss"][0] == pytest.approx(log_loss(labels, logits.double().softmax(-1).numpy()))
    assert all(first[name][0] == pytest.approx(second[name][0]) for name in first if first[name][0] is not None)


@pytest.mark.parametrize("top_k", [None, 1])
def test_the_output_of_a_pipeline_of_transformers_is_read_as_it_is(transformers_model, tmp_path, top_k):
    from transformers import pipeline

    model, tokenizer, rows = transformers_model
    said = pipeline("text-classification", model=model, tokenizer=tokenizer)([text for text, _ in rows], top_k=top_k)
    lines = [
        {"id": n, "label": label, "prediction": answer} for n, ((_, label), answer) in enumerate(zip(rows, said, strict=True))
    ]
    (tmp_path / "out.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    record = audit(tmp_path / "out.jsonl")
    best = [max(answer, key=lambda item: item["score"])["label"] for answer in said]
    assert figures(record)["accuracy"][0] == pytest.approx(np.mean([a == b for a, (_, b) in zip(best, rows, strict=True)]))
    assert figures(record)["loss"][0] is not None


# The command


@pytest.mark.parametrize(
    ("flags", "code"), [((), 0), (("--min-recall", "0.99"), 1), (("--min-recall", "0.93"), 3), (("--goal", "glory"), 2)]
)
def test_the_exit_code_is_the_outcome(scikit_learn, capsys, flags, code):
    assert call("audit", scikit_learn[0] / "preds.csv", "--quiet", "--json", *flags) == code
    shown = read_strictly(capsys.readouterr().out)
    if code == 2:
        assert shown["error"]["code"] == "usage"
    else:
        outcome = {0: "ship", 1: "do_not_ship", 3: "not_enough_evidence"}[code]
        assert shown["verdict"]["outcome"] == outcome
        promised = {
            "run",
            "verdict",
            "scores",
            "comparisons",
            "baselines",
            "findings",
            "not_checked",
            "data",
            "seconds",
            "slices",
        }
        assert promised <= set(shown)
        assert {score["source"] for score in shown["scores"]} == {"audited"}
        assert {score["source"] for score in shown["baselines"]} == {"majority", "prior"}


def test_flags_name_the_columns(tmp_path, capsys):
    rows = [("a", "x", "0.9"), ("b", "y", "0.2")] * 30
    with (tmp_path / "odd.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("what", "why", "how"), *((a, n, s) for n, (a, _, s) in enumerate(rows))])
    flags = ("--label", "what", "--id", "why", "--score", "how", "--positive", "a", "--threshold", "0.95")
    call("audit", tmp_path / "odd.tsv", *flags, "--json")
    shown = read_strictly(capsys.readouterr().out)
    recall = next(score for score in shown["scores"] if (score["metric"], score["label"]) == ("recall", "a"))
    assert recall["value"] == 0.0


def test_the_page_escapes_what_others_wrote(tmp_path):
    nasty = "<script>alert(1)</script>"
    rows = [
        {"id": f"{nasty}{n}", "label": "<b>x</b>", "p:<b>x</b>": 0.1, "p:y": 0.9, "text": f"{nasty} text {n}", nasty: nasty}
        for n in range(30)
    ]
    rows += [{"id": f"{n}-ok", "label": "y", "p:<b>x</b>": 0.1, "p:y": 0.9, "text": f"fine {n}", nasty: "k"} for n in range(30)]
    write_audit(audit(rows), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1  # ours
    assert "<script>alert" not in page
    assert "<b>x" not in page
    assert "&lt;script&gt;" in page
    assert "Most confident mistakes" in page


def test_the_command_shows_the_verdict_and_writes_the_page(scikit_learn, tmp_path, capsys):
    assert call("audit", scikit_learn[0] / "preds.csv", "--report", tmp_path / "r.html") == 0
    out = capsys.readouterr()
    assert "SHIP" in out.out
    assert "columns guessed" in out.err
    assert "not counted" in out.err
    assert f"pretune audit {scikit_learn[0] / 'preds.csv'} --report" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "empty"), ("id,label,score\n", "has no rows"), ("id,label,score\n1,a,\n2,b,\n", "the number is missing")],
)
def test_a_hostile_file_is_exit_2_and_one_message(tmp_path, capsys, text, says):
    (tmp_path / "p.csv").write_text(text)
    assert call("audit", tmp_path / "p.csv") == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_gates_of_generated_text_do_not_fit_classes(scikit_learn, capsys):
    assert call("audit", scikit_learn[0] / "preds.csv", "--min-bleu", "30") == 2
    assert "--min-bleu with predicted classes" in capsys.readouterr().err


def test_an_audit_loads_no_torch(scikit_learn):
    code = (
        "import sys\nfrom pretune.cli.app import _run\n"
        "_run(['audit', sys.argv[1], '--quiet', '--json'])\nprint(*sys.modules, file=sys.stderr)"
    )
    path = str(Path(scikit_learn[0]) / "preds.csv")
    done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True, env=dict(os.environ))
    assert not {"torch", "transformers", "tokenizers"} & set(done.stderr.split())
    assert '"outcome": "ship"' in done.stdout


# groups and costs


def rows_of_films(copies: int):
    """300 rows, each there so many times under one film: the answers of one film stand and fall together."""
    rows = []
    for number in range(300):
        label, score = "yn"[number % 2], 0.9 if number % 7 else 0.1
        for copy in range(copies):
            share = score if label == "y" else 1 - score
            rows.append({"id": f"{number}-{copy}", "label": label, "p:y": share, "p:n": 1 - share, "film": f"film {number}"})
    return rows


def test_groups_make_intervals_as_wide_as_their_number_says():
    config = AuditConfig(read=ReadConfig(group="film"))
    alone, apart, together = (
        figures(audit(rows_of_films(copies), Question(config=chosen)))["accuracy"]
        for copies, chosen in ((1, AuditConfig()), (10, AuditConfig()), (10, config))
    )
    widths = [high - low for _, low, high, _ in (alone, apart, together)]
    assert widths[1] < 0.5 * widths[0]
    assert widths[2] == pytest.approx(widths[0], rel=0.2)


def test_a_group_column_that_is_not_there_is_an_error():
    with pytest.raises(DataError, match="no column 'director'"):
        audit(rows_of_films(1), Question(config=AuditConfig(read=ReadConfig(group="director"))))


def test_costs_price_the_answers_of_every_source():
    config = AuditConfig(judge=JudgeConfig(positive="y", cost="fn=10,fp=1"))
    record = audit(rows_of_films(1), Question(config=config))
    costs = {score.source: score.value for score in record.scores if score.metric == "cost"}
    wrong = [number for number in range(300) if number % 7 == 0]
    missed = sum(number % 2 == 0 for number in wrong)
    assert costs["audited"] == pytest.approx((10 * missed + (len(wrong) - missed)) / 300)
    assert {"audited", "majority", "prior"} <= set(costs)


def test_costs_without_a_positive_class_are_an_error(tmp_path, capsys):
    (tmp_path / "p.csv").write_text("id,label,predicted\n" + "".join(f"{n},{'ab'[n % 2]},{'ab'[n % 2]}\n" for n in range(60)))
    assert call("audit", tmp_path / "p.csv", "--cost", "fn=10,fp=1") == 2
    assert "--positive" in capsys.readouterr().err


def test_labels_in_two_cases_are_merged_on_the_command_line(capsys, write_csv):
    rows = [(at, "Spam" if at % 4 == 1 else ("ham", "spam")[at % 2], ("ham", "spam")[at % 2]) for at in range(200)]
    path = write_csv(rows, name="p.csv", columns=("id", "label", "predicted"))
    assert call("audit", path, "--json", "--quiet", "--merge-labels") == 0
    found = read_strictly(capsys.readouterr().out)
    assert next(score["value"] for score in found["scores"] if score["metric"] == "accuracy") == 1.0
    assert any("'spam' (150) and 'Spam' (50) are merged" in note for note in found["data"]["notes"])


def test_rows_that_are_not_asked_for_are_left_out_and_counted(capsys, write_csv):
    rows = [(at, "ab"[at % 2], "ab"[at % 2], "accept" if at < 150 else "reject") for at in range(200)]
    path = write_csv(rows, name="p.csv", columns=("id", "label", "predicted", "answer"))
    other = write_csv([row[:3] for row in rows[:150]], name="o.csv", columns=("id", "label", "predicted"))
    call("audit", path, "--json", "--quiet", "--where", "answer=accept", "--against", other)
    data = read_strictly(capsys.readouterr().out)["data"]
    assert (data["num_rows"], data["num_used"], data["num_filtered"]) == (350, 300, 50)


def numbered(count, said, seed=0):
    """Return rows of stars, and what a function of the stars and a normal value says of them."""
    generator = random.Random(seed)
    stars = [generator.randrange(1, 6) for _ in range(count)]
    return [
        {"id": str(n), "label": str(star), "predicted": said(star, generator.gauss(0, 0.7))} for n, star in enumerate(stars)
    ]


def test_ordered_classes_get_absolute_error_and_kappa():
    record = audit(numbered(400, lambda star, noise: str(min(5, max(1, round(star + noise))))))
    found = {score.metric: score for score in record.scores if score.source == "audited"}
    assert 0.2 < found["absolute_error"].low < found["absolute_error"].value < found["absolute_error"].high < 0.6
    assert found["quadratic_kappa"].low > 0.7


@pytest.mark.parametrize(
    ("rows", "got", "fix"),
    [
        ([{"id": str(n), "label": f"{n / 7:.3f}", "predicted": f"{n / 6:.3f}"} for n in range(300)],
         "the labels are real numbers: 300 different ones in 300 rows", "cut labels and predictions into the classes"),
        (numbered(300, lambda star, noise: f"{star + noise:.2f}"), "the predictions are real numbers", "round the predictions"),
        ([{"id": str(n), "label": ("red", "blue", "blue, red")[n % 3], "predicted": "red"} for n in range(300)],
         "100 of 300 rows hold several labels", "one table for each label"),
        ([{"id": str(n), "label": ["red", "blue"] if n % 5 == 0 else "red", "predicted": "red"} for n in range(300)],
         "60 of 300 rows cannot be used", "correct these rows"),
    ],
    ids=["real labels", "real predictions", "joined labels", "lists of labels"],
)  # fmt: skip
def test_what_is_no_table_of_classes_is_refused_by_name(rows, got, fix):
    with pytest.raises(DataError) as raised:
        audit(rows)
    assert got in raised.value.got
    assert fix in raised.value.fix
    assert raised.value.files[0].num_rows == 300
