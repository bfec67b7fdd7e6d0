"""Checks of a chat model: each is quiet on evidence without a fault, and names the fault that is planted into it."""

from dataclasses import replace

import pytest
from chat_evidence import clean_chat, counts_of, figures_of, with_replies

from pretune.diagnose.conversation import CONVERSATION_CHECKS, CONVERSATION_DATA_CHECKS, diagnose_conversation
from pretune.records import ChatEvidence, Finding, Severity, Turn
from pretune.records.conversation import ASSISTANT, USER

CLEAN = clean_chat()
OWN = CLEAN.find("test", "finetuned")


def find(evidence: ChatEvidence, check: str) -> Finding:
    return next(item for item in diagnose_conversation(evidence, figures_of(evidence)) if item.check == check)


def asked(row, text):
    return replace(row, turns=(Turn(role=USER, text=text), *row.turns[1:]))


def said(row, text):
    return replace(row, turns=(*row.turns[:-1], Turn(role=ASSISTANT, text=text)))


def with_copied_questions(evidence):
    copies = [asked(row, other.text.upper() + " ") for row, other in zip(evidence.train, evidence.test[:4], strict=False)]
    return replace(evidence, train=(*copies, *evidence.train[4:]))


def with_near_questions(evidence):
    copies = [
        asked(row, f"{other.text} Please say it in so many words to us all")
        for row, other in zip(evidence.train, evidence.test[:20], strict=False)
    ]
    nearly = [
        asked(row, f"{other.text} Please say it in so many words to us each")
        for row, other in zip(evidence.test[:20], evidence.test[:20], strict=True)
    ]
    return replace(evidence, train=(*copies, *evidence.train[20:]), test=(*nearly, *evidence.test[20:]))


def with_known_replies(evidence):
    return replace(
        evidence, train=tuple(said(row, other.reference) for row, other in zip(evidence.train, evidence.test, strict=False))
    )


def with_one_reply(evidence):
    return replace(
        evidence,
        train=tuple(said(row, "See your doctor.") if place % 5 == 0 else row for place, row in enumerate(evidence.train)),
    )


def with_proof(**changes):
    return lambda evidence: replace(evidence, proof=replace(evidence.proof, **changes))


def with_texts(change, source="finetuned"):
    def plant(evidence):
        texts = evidence.find("test", source).texts
        return with_replies(evidence, source, texts=tuple(change(place, text) for place, text in enumerate(texts)))

    return plant


def with_a_worse_model(evidence):
    """The loss is better than before, the replies are those of before and worse."""
    before = evidence.find("test", "before")
    return with_replies(evidence, "finetuned", texts=tuple("no idea" for _ in before.texts))


def with_forgetting(evidence):
    after = evidence.find("general", "finetuned")
    scores = tuple(replace(item, nats=1.2 * item.nats) for item in after.scores)
    others = tuple(item for item in evidence.replies if item is not after)
    return replace(evidence, replies=(*others, replace(after, scores=scores)))


FAULTS = {
    "leakage.seen_questions": (with_copied_questions, Severity.BLOCKING),
    "leakage.near_questions": (with_near_questions, Severity.BLOCKING),
    "leakage.seen_replies": (with_known_replies, Severity.WARNING),
    "data.repeated_replies": (with_one_reply, Severity.WARNING),
    "template.same": (with_proof(saved={}, shown=("'a'", "'b'")), Severity.BLOCKING),
    "training.prompt_in_loss": (with_proof(num_prompt_targets=900), Severity.BLOCKING),
    "training.stop_token": (with_proof(num_stops=0), Severity.BLOCKING),
    "training.cut_replies": (lambda evidence: replace(evidence, counts=(counts_of(300, cut=126),)), Severity.WARNING),
    "replies.ended": (lambda evidence: with_replies(evidence, "finetuned", ended=(False,) * 150), Severity.BLOCKING),
    "replies.degenerate": (with_texts(lambda place, text: "so it goes on " * 9 if place % 2 else text), Severity.BLOCKING),
    "replies.same": (
        with_texts(lambda place, _: f"For {OWN.references[place].split()[0]} ask your doctor first of all"), Severity.BLOCKING,
    ),
    "replies.memorized": (with_texts(lambda place, _: CLEAN.train[place].reference), Severity.BLOCKING),
    "replies.control_tokens": (with_texts(lambda place, text: text + "\nUser: and you?" * (place % 4 == 0)), Severity.BLOCKING),
    "replies.wrong_subject": (with_texts(lambda place, _: OWN.texts[place - 1]), Severity.BLOCKING),
    "replies.loss_only": (with_a_worse_model, Severity.BLOCKING),
    "replies.forgetting": (with_forgetting, Severity.WARNING),
}  # fmt: skip


@pytest.mark.parametrize("finding", diagnose_conversation(CLEAN, figures_of(CLEAN)), ids=lambda finding: finding.check)
def test_every_check_is_quiet_where_nothing_is_wrong(finding):
    assert finding.severity is Severity.OK, finding.summary
    assert finding.measured is not None
    assert finding.limit is not None


@pytest.mark.parametrize("check", FAULTS)
def test_a_planted_fault_is_named_with_its_figure_and_a_remedy(check):
    plant, severity = FAULTS[check]
    finding = find(plant(CLEAN), check)
    assert finding.severity is severity, finding.summary
    assert finding.fix
    assert finding.measured is not None


def test_every_check_has_its_planted_fault():
    assert {finding.check for finding in diagnose_conversation(CLEAN, figures_of(CLEAN))} == set(FAULTS)


@pytest.mark.parametrize("check", CONVERSATION_CHECKS, ids=lambda check: check.__name__)
def test_a_check_without_evidence_is_no_pass(check):
    assert check(ChatEvidence(), None).severity in (Severity.UNKNOWN, Severity.NOT_APPLICABLE)


def test_data_are_checked_without_a_model():
    found = diagnose_conversation(replace(CLEAN, replies=(), proof=None, counts=()), checks=CONVERSATION_DATA_CHECKS)
    assert [finding.severity for finding in found] == [Severity.OK] * 4


def test_what_references_do_as_well_is_no_fault():
    """Half of the references loop, and so do the replies: that is how these people write."""
    loops = tuple("so it goes on " * 9 if place % 2 else text for place, text in enumerate(OWN.references))
    evidence = with_replies(with_replies(CLEAN, "finetuned", references=loops, texts=loops), "before", references=loops)
    assert find(evidence, "replies.degenerate").severity is Severity.OK


def test_long_references_do_not_count_as_replies_that_should_have_ended():
    scores = tuple(replace(item, tokens=400) for item in OWN.scores)
    evidence = with_replies(CLEAN, "finetuned", ended=(False,) * 150, scores=scores)
    assert find(evidence, "replies.ended").severity is Severity.NOT_APPLICABLE


def test_the_subject_is_not_asked_of_small_talk():
    texts = ("well then",) * 150
    evidence = with_replies(with_replies(CLEAN, "finetuned", references=texts), "before", references=texts)
    assert find(evidence, "replies.wrong_subject").severity is Severity.NOT_APPLICABLE
