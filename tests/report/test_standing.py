"""Glossary and places: does every term say something once, and is every place one that a record can have?"""

import re
import types
import typing
from dataclasses import fields, is_dataclass

import pytest
from practised import classified, conversed, pretrained

from pretune.configs import ConverseRunConfig, RunConfig
from pretune.errors import UsageError
from pretune.records import RunRecord
from pretune.report.standing import read_at, say_value, stands_at
from pretune.wording.glossary import TOPICS, find_term, load_terms

TERMS = load_terms()
PART = re.compile(r"([A-Za-z_]\w*)|\[([^\]]*)\]")


def test_there_are_about_eighty_terms_or_more_in_every_topic():
    assert len(TERMS) >= 80
    assert {term.topic for term in TERMS.values()} == set(TOPICS)


@pytest.mark.parametrize("term", TERMS.values(), ids=list(TERMS))
def test_a_term_is_one_sentence_and_told_apart_from_terms_that_are_there(term):
    assert term.means.endswith(".")
    assert ". " not in term.means
    assert set(term.apart) <= TERMS.keys() - {term.name}
    assert len(set(term.apart)) == len(term.apart)
    assert {TERMS[name].means for name in term.apart}.isdisjoint({term.means})


@pytest.mark.parametrize("term", [term for term in TERMS.values() if term.places], ids=lambda term: term.name)
def test_every_place_is_one_that_the_record_of_a_run_has(term):
    for path in term.places:
        assert is_place(path), path


def test_a_planted_place_that_no_record_has_is_seen():
    assert not is_place("history.nosuch")
    assert not is_place("scores[metrik=recall].value")
    assert not is_place("configs.finetune.nosuch")


def test_terms_of_every_topic_stand_in_some_run():
    records = [record.to_json() for record in (classified(6), pretrained(1), conversed(1))]
    standing = {term.topic for term in TERMS.values() for record in records if stands_at(record, term)}
    assert standing == set(TOPICS)


def test_figures_of_replies_do_not_stand_in_a_run_on_texts():
    assert stands_at(classified(6).to_json(), TERMS["reply loss"]) is None
    assert stands_at(conversed(1).to_json(), TERMS["reply loss"]) is not None


@pytest.mark.parametrize("path", ["nothing", "scores[3]", "scores[metric=x].value", "history.steps[-1].loss"])
def test_what_a_record_lacks_is_nothing(path):
    assert read_at({"scores": [], "history": None}, path) is None


def test_a_value_is_one_short_line():
    assert say_value("ab" * 32) == "abababababab…"
    assert len(say_value(["word"] * 99)) <= 80
    assert say_value([{"a": 1}, {"a": 2}]) == "2 of them"
    assert say_value(0.0001) == "0.0001"


@pytest.mark.parametrize("word", ["Recall", "epochs", "near-copy", "rows needed", "dev", "snapshot"])
def test_a_term_is_found_however_it_is_written(word):
    assert find_term(word)


def test_a_word_that_is_no_term_gets_those_that_are_near():
    with pytest.raises(UsageError, match="such as recall"):
        find_term("recal")


def is_place(path):
    """Whether the types of a record have a place; settings are those of the configs."""
    if path.startswith("configs."):
        return any(_has(config, path.removeprefix("configs.")) for config in (RunConfig, ConverseRunConfig))
    return _has(RunRecord, path)


def _has(hint, path):
    for name, choice in PART.findall(path):
        hint = _plain(hint)
        if name:
            if hint is typing.Any or typing.get_origin(hint) is dict:
                return True
            if not is_dataclass(hint) or name not in {item.name for item in fields(hint)}:
                return False
            hint = typing.get_type_hints(hint)[name]
            continue
        if typing.get_origin(hint) is not tuple:
            return False
        hint = _plain(typing.get_args(hint)[0])
        wanted = [part.partition("=")[0] for part in choice.split(",") if "=" in part]
        if not set(wanted) <= {item.name for item in fields(hint)}:
            return False
    return True


def _plain(hint):
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(item for item in typing.get_args(hint) if item is not type(None))
    return hint
