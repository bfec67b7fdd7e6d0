"""The card of a model folder, read with the hub's own reader."""

from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from pretune.records import Finding, Reason, RunRecord, Severity
from pretune.report.card.hub import render_model_card
from pretune.report.card.metadata import LICENCES, Origin, front_matter, is_hub_name, is_language, licence_of, metadata_of

ORIGIN = Origin(base_model="my-team/base", dataset="my-team/rows", languages=("en", "de"), name="reviews")


def read(record: RunRecord, origin: Origin = ORIGIN) -> ModelCard:
    return ModelCard(render_model_card(record, origin))


def test_the_hub_reads_every_field(record):
    data = read(record).data
    assert data.license == "apache-2.0"
    assert data.base_model == "my-team/base"
    assert data.datasets == ["my-team/rows"]
    assert data.language == ["en", "de"]
    assert data.pipeline_tag == "text-classification"
    assert data.library_name == "transformers"
    assert data.model_name == "reviews"


def test_the_sealed_figures_are_in_the_index_with_their_intervals(record):
    results = {(item.metric_type, (item.metric_args or {}).get("label")): item for item in read(record).data.eval_results}
    known = {(s.metric, s.label): s for s in record.scores if s.source == "finetuned" and s.label in (None, record.positive)}
    assert {name for name, _ in results} == {name for name, _ in known}
    accuracy, score = results["accuracy", None], known["accuracy", None]
    assert accuracy.metric_value == score.value
    assert (accuracy.metric_args["low"], accuracy.metric_args["high"]) == (score.low, score.high)
    assert accuracy.metric_args["num_examples"] == score.num_examples
    assert accuracy.metric_name == f"accuracy, 95 % interval {score.low:.3f}–{score.high:.3f}"
    assert (accuracy.dataset_type, accuracy.dataset_split, accuracy.task_type) == (
        "my-team/rows",
        "test",
        "text-classification",
    )


def test_a_run_that_is_not_judged_has_no_index(record):
    data = read(replace(record, verdict=None)).data
    assert data.eval_results is None
    assert data.tags == ["pretune"]


def test_what_is_not_known_is_left_out_and_a_licence_that_nobody_states_is_unknown(record):
    card = read(replace(record, model_licence=None), Origin())
    assert card.data.license == "unknown"
    assert (card.data.base_model, card.data.datasets, card.data.language) == (None, None, None)
    assert "Nobody has stated a licence" in card.text


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("MIT", {"license": "mit"}),
        ("CC BY-SA 4.0", {"license": "other", "license_name": "cc-by-sa-4.0"}),
        ("cc-by-sa-4.0", {"license": "cc-by-sa-4.0"}),
        ("the package is MIT; the data set states none", {"license": "other"}),
        ("", {"license": "unknown"}),
        ("???", {"license": "other", "license_name": "other"}),
    ],
)
def test_a_licence_is_told_in_words_of_the_hub_or_as_it_is(stated, told):
    found = licence_of(stated)
    assert found | told == found
    assert found["license"] in LICENCES


def test_a_model_from_scratch_has_no_licence_of_another(record):
    assert metadata_of(replace(record, task="pretrain", model_source="scratch"), Origin())["license"] == "unknown"


HOSTILE = [
    "a: b",
    "- a",
    "'\"",
    "#x",
    "\n---\nlicense: mit",
    "\u2028",
    "\x1b[31m",
    "\ud800",
    "\ufffe",
    "😀",
    "{}",
    "null",
    "&a *b",
    "!x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_the_user_becomes_structure(record, text):
    named = replace(record, run=text, data_source=text, positive=None)
    card = ModelCard(render_model_card(named, Origin(name=text)))
    assert card.data.license == "apache-2.0"
    assert len(card.data.eval_results) > 1
    assert "\n---\n" not in front_matter(metadata_of(named, Origin(name=text))).removeprefix("---\n").removesuffix("---\n")


def test_the_card_quotes_no_text_of_the_data(record):
    secret = "my neighbour Karla"
    finding = Finding(
        check="leakage.signature_token", severity=Severity.BLOCKING, summary=f"{secret!r} gives it away", examples=("7",)
    )
    reason = Reason(kind="finding", name=finding.check, holds=False, text=f"{secret} gives it away")
    verdict = replace(record.verdict, reasons=(*record.verdict.reasons, reason), summary=f"{secret} gives it away")
    receipt = replace(record.receipt, notes=(secret,), source="/home/karla/rows.csv")
    told = replace(
        record, findings=(*record.findings, finding), verdict=verdict, receipt=receipt, data_source="/home/karla/rows.csv",
        model_source="/home/karla/base",
    )  # fmt: skip
    text = render_model_card(told, ORIGIN)
    assert "arla" not in text
    assert "leakage.signature\\_token; the report of the run has the words" in text
    assert "rows.csv" in text
    for conflict in record.receipt.conflicts:
        assert conflict.text not in text


def test_the_examples_name_where_the_model_is(record):
    assert 'model="."' in render_model_card(record, ORIGIN)
    at_hub = render_model_card(record, ORIGIN, place="my-team/reviews")
    assert 'model="my-team/reviews"' in at_hub
    assert "model/" not in at_hub
    assert "hf download my-team/reviews --local-dir reviews" in at_hub
    assert 'pretune predict reviews "a text"' in at_hub


def test_a_head_of_our_own_is_read_from_where_the_hub_downloads_it(record):
    own = replace(record, configs={"finetune": {"head": "mlp"}})
    assert 'folder = Path(snapshot_download("my-team/reviews"))' in render_model_card(own, ORIGIN, place="my-team/reviews")
    assert 'folder = Path(".")' in render_model_card(own, ORIGIN)
    assert read(own).data.library_name == "pretune"


@pytest.mark.parametrize(("name", "fits"), [("a/b", True), ("gpt2", True), ("a/b/c", False), ("/x", False), ("a--b/c", False)])
def test_ids_of_the_hub_are_told_from_paths(name, fits):
    assert is_hub_name(name) is fits


@pytest.mark.parametrize(("code", "fits"), [("en", True), ("deu", True), ("English", False), ("", False), ("e1", False)])
def test_codes_of_languages_are_told_from_names(code, fits):
    assert is_language(code) is fits
