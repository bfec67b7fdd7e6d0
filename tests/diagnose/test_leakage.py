"""Planted: rows that another split has, exactly, but for case, or nearly."""

from dataclasses import replace

import pytest
from judging import evaluation_of, from_counts

from pretune.data.corpus.sketch import hash_windows, sketch_corpus
from pretune.diagnose.leakage import check_corpus, check_near_texts, check_past, check_seen_texts, check_validation_texts
from pretune.hashing import fingerprint
from pretune.records import CorpusSketch, Past, Severity


def plant(evidence, texts, *, split="test"):
    """Return the evidence with these texts in place of the first rows of a split."""
    rows = getattr(evidence, split)
    planted = tuple(replace(row, text=text) for row, text in zip(rows, texts, strict=False))
    return replace(evidence, **{split: planted + rows[len(planted) :]})


def changed(rows):
    """Return their texts with the first word changed."""
    return [" ".join(["other", *row.text.split()[1:]]) for row in rows]


def test_copied_rows_are_found_despite_case_and_spacing(clean_evidence):
    finding = check_seen_texts(plant(clean_evidence, [f"  {row.text.upper()} " for row in clean_evidence.train[7:11]]))
    assert finding.severity is Severity.BLOCKING  # 4 of 300 are 1.3 %
    assert (finding.measured, finding.examples) == (4 / 300, ("test-0", "test-1", "test-2", "test-3"))
    assert "4 of 300" in finding.summary
    assert finding.fix


def test_up_to_one_percent_warns_and_does_not_block(clean_evidence):
    copied = [row.text for row in clean_evidence.train[:3]]
    assert check_seen_texts(plant(clean_evidence, copied)).severity is Severity.WARNING


@pytest.mark.parametrize("num_planted", [18, 60])
def test_rows_with_one_word_changed_are_found(clean_evidence, num_planted):
    evidence = plant(clean_evidence, changed(clean_evidence.train[:num_planted]))
    finding = check_near_texts(evidence)
    assert finding.severity is Severity.BLOCKING  # 6 % and 20 %
    assert finding.measured == num_planted / 300
    assert check_seen_texts(evidence).severity is Severity.OK


def test_exact_copies_are_not_counted_as_near(clean_evidence):
    assert check_near_texts(plant(clean_evidence, [clean_evidence.train[0].text])).measured == 0


def test_accuracy_is_given_with_and_without_the_leaked_rows(clean_evidence):
    """60 leaked rows all right, and 120 of the other 240: 0.6 with them, 0.5 without."""
    evidence = plant(clean_evidence, [row.text for row in clean_evidence.train[:60]])
    tested = evidence.find("test", "finetuned")
    wrong = ["pos" if label == "neg" else "neg" for label in tested.labels]
    predicted = (*tested.labels[:60], *tested.labels[60:180], *wrong[180:])
    tested = replace(tested, predicted=predicted)
    rows = (tested, *(item for item in evidence.predictions if item.source != "finetuned"))
    finding = check_seen_texts(replace(evidence, predictions=rows), evaluation_of(from_counts(9, 1, 1, 9)))
    assert "accuracy is 0.600 with them, 0.500 without them (95 % interval 0.437 to 0.563, 240 rows)" in finding.summary


def test_accuracy_without_any_row_is_not_made_up(clean_evidence):
    evidence = plant(clean_evidence, [row.text for row in clean_evidence.train[:300]])
    assert "no row is left without them" in check_seen_texts(evidence).summary


@pytest.mark.parametrize("source", ["train", "test"])
@pytest.mark.parametrize("near", [False, True])
def test_validation_rows_that_other_splits_have_warn(clean_evidence, source, near):
    rows = getattr(clean_evidence, source)[3:4]
    copied = changed(rows) if near else [rows[0].text]
    finding = check_validation_texts(plant(clean_evidence, copied, split="validation"))
    assert (finding.severity, finding.examples) == (Severity.WARNING, ("validation-0",))
    where = {"train": "training", "test": "the test"}[source]
    assert f"(1 {'nearly' if near else 'exactly'} as in {where})" in finding.summary


def test_without_texts_of_training_the_question_stays_open(clean_evidence):
    for check in (check_seen_texts, check_near_texts):
        assert check(replace(clean_evidence, train=())).severity is Severity.UNKNOWN


@pytest.mark.parametrize(("num_seen", "severity"), [(3, Severity.NOTE), (4, Severity.WARNING)])
def test_test_texts_in_the_pre_training_corpus_are_found(clean_evidence, num_seen, severity):
    """A page that holds test texts, in other case and punctuation, and one of them cut short."""
    texts = [row.text.upper().replace(" ", ", ") for row in clean_evidence.test[:num_seen]]
    page = " and then ".join([*texts[1:], " ".join(texts[0].split()[:10])])
    finding = check_corpus(replace(clean_evidence, corpus=sketch_corpus("pages", [page, "another page"])))
    assert (finding.severity, finding.measured) == (severity, num_seen / 300)
    assert "without them" in finding.summary


def test_a_short_text_is_in_a_corpus_only_as_a_whole():
    assert hash_windows("Not bad!") == hash_windows("not  BAD")
    assert not hash_windows("not bad") & hash_windows("this one is not bad at all, I would say")
    assert hash_windows("?!") == set()


def test_thirteen_shared_words_are_counted_and_are_not_yet_the_text(clean_evidence):
    words = clean_evidence.test[0].text.split()
    quoting = " ".join([*words, *clean_evidence.test[1].text.split()[:1], *(f"own{n}" for n in range(20))])
    evidence = replace(clean_evidence, test=(replace(clean_evidence.test[0], text=quoting), *clean_evidence.test[1:]))
    twelve, thirteen = " ".join(["x", *quoting.split()[:12], "y"]), " ".join(["x", *quoting.split()[:13], "y"])
    found = [check_corpus(replace(evidence, corpus=sketch_corpus("pages", [page]))) for page in (twelve, thirteen)]
    assert [finding.severity for finding in found] == [Severity.OK, Severity.OK]
    assert ["share 13 words" in finding.summary for finding in found] == [False, True]


def test_a_corpus_whose_sketch_is_gone_leaves_the_question_open(clean_evidence):
    gone = CorpusSketch(name="pages", num_texts=9, hashes=(), is_known=False)
    assert check_corpus(replace(clean_evidence, corpus=gone)).severity is Severity.UNKNOWN


def past_with(evidence, *, exact=0, near=0, unknown=(), bases=()):
    prints = [fingerprint(row.text) for row in evidence.test]
    past = Past(
        num_texts=500, exact=tuple(prints[:exact]), near=tuple(prints[exact : exact + near]), unknown=unknown, bases=bases
    )
    return replace(evidence, past=past)


@pytest.mark.parametrize(
    ("exact", "near", "severity"),
    [
        (0, 0, Severity.OK), (1, 0, Severity.WARNING), (3, 0, Severity.WARNING), (4, 0, Severity.BLOCKING),
        (0, 15, Severity.WARNING), (0, 16, Severity.BLOCKING), (3, 13, Severity.BLOCKING),
    ],
)  # fmt: skip
def test_test_texts_that_were_learned_from_before_block_as_those_of_training_do(clean_evidence, exact, near, severity):
    finding = check_past(past_with(clean_evidence, exact=exact, near=near))
    assert len(clean_evidence.test) == 300
    assert finding.severity is severity
    assert finding.measured == (exact + near) / 300
    assert f"{exact + near} of 300 test texts were learned from before" in finding.summary


def test_a_past_that_is_not_known_is_never_a_zero(clean_evidence):
    finding = check_past(past_with(clean_evidence, unknown=("x was trained elsewhere",)))
    assert (finding.severity, finding.measured) == (Severity.UNKNOWN, None)
    assert "x was trained elsewhere" in finding.summary
    found = check_past(past_with(clean_evidence, exact=50, unknown=("x was trained elsewhere",)))
    assert found.severity is Severity.BLOCKING
    assert "more may have been" in found.summary


@pytest.mark.parametrize(("exact", "near"), [(1, 0), (3, 0), (0, 15), (1, 5)])
def test_a_few_hits_in_a_partly_known_past_leave_the_question_open(clean_evidence, exact, near):
    finding = check_past(past_with(clean_evidence, exact=exact, near=near, unknown=("x was trained elsewhere",)))
    assert (finding.severity, finding.measured) == (Severity.UNKNOWN, (exact + near) / 300)
    assert "x was trained elsewhere" in finding.summary


def test_a_past_that_nothing_tells_of_is_unknown(clean_evidence):
    assert check_past(replace(clean_evidence, past=None)).severity is Severity.UNKNOWN


def test_a_general_checkpoint_is_named_and_open_to_nobody(clean_evidence):
    finding = check_past(replace(clean_evidence, past=Past(num_texts=0, bases=("minilm",))))
    assert finding.severity is Severity.NOT_APPLICABLE
    assert "minilm" in finding.summary
