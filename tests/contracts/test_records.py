"""Every record: frozen, and the same after a trip through JSON."""

import dataclasses
import json
import types
import typing
from enum import StrEnum
from typing import Any, Union

import pytest

import pretune.records
from pretune.data.seal.chain import LedgerEntry
from pretune.errors import DamagedError
from pretune.records import SCHEMA, Evaluation, Evidence, Example, Finding, Predictions, Record, Score, Severity

FOUNDATION = [
    item
    for item in vars(pretune.records).values()
    if isinstance(item, type) and issubclass(item, Record) and item is not Record
]
RECORDS = [*FOUNDATION, LedgerEntry]
NAMED_BY_DESIGN = (
    "Example Receipt Predictions History Evidence Score Comparison Finding Verdict".split()  # the table under "Records"
)


def make(hint: Any) -> Any:
    """Return a value that fits the hint, and is not the default: two of everything, odd characters, no empty parts."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return make(arguments[0])
    if origin is tuple:
        return (make(arguments[0]), make(arguments[0]))
    if origin is dict:
        return {"ü": make(arguments[1]), "NA": make(arguments[1])}
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{item.name: make(hints[item.name]) for item in dataclasses.fields(hint)})  # type: ignore[operator]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return list(hint)[-1]
    return {str: 'é "\n\u2028 😀', int: 7, float: 0.1 + 0.2, bool: True, Any: "anything"}[hint]


def named(records: list[type[Record]]) -> Any:
    return pytest.mark.parametrize("record", records, ids=lambda record: record.__name__)


def test_the_records_of_the_design_are_all_there() -> None:
    assert set(NAMED_BY_DESIGN) <= {record.__name__ for record in FOUNDATION}


@named(RECORDS)
def test_a_record_is_the_same_after_a_trip_through_json(record: type[Record]) -> None:
    value = make(record)
    assert record.from_json(json.loads(json.dumps(value.to_json(), allow_nan=False))) == value


@named(RECORDS)
def test_a_record_made_of_defaults_survives_the_trip_too(record: type[Record]) -> None:
    hints = typing.get_type_hints(record)
    missing = dataclasses.MISSING
    required = [item for item in dataclasses.fields(record) if item.default is missing and item.default_factory is missing]
    value = record(**{item.name: make(hints[item.name]) for item in required})
    assert record.from_json(json.loads(json.dumps(value.to_json()))) == value


@named(RECORDS)
def test_a_record_is_frozen_and_has_no_room_for_more(record: type[Record]) -> None:
    value = make(record)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(record)[0].name, "changed")
    assert not hasattr(value, "__dict__")


@named(RECORDS)
def test_fields_are_given_by_name_only(record: type[Record]) -> None:
    assert all(item.kw_only for item in dataclasses.fields(record))


@named(RECORDS)
def test_keys_that_a_later_version_added_are_ignored(record: type[Record]) -> None:
    value = make(record)
    assert record.from_json({**value.to_json(), "added_later": 1}) == value


@named([record for record in RECORDS if "schema" in {item.name for item in dataclasses.fields(record)}])
def test_the_schema_number_is_in_the_json(record: type[Record]) -> None:
    default = next(item.default for item in dataclasses.fields(record) if item.name == "schema")
    assert default == SCHEMA
    assert "schema" in make(record).to_json()


def spoiled(hint: Any) -> list[Any]:
    """Return values of other kinds than the field has, as a damaged file may hold them."""
    others: list[Any] = [None, "text", 7, 0.5, True, [], {}, [None], {"a": None}, 10**400]
    return [other for other in others if not fits(other, hint)]


def fits(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, item) for item in arguments)
    if origin is tuple:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(item, arguments[1]) for item in value.values())
    if dataclasses.is_dataclass(hint):  # what is missing from one is another test
        return isinstance(value, dict)
    if hint is float:
        return value is None or (type(value) in (int, float) and value != 10**400)
    return type(value) is hint


@named(RECORDS)
def test_a_field_of_another_kind_is_damage_and_never_a_record(record: type[Record]) -> None:
    value, hints = make(record).to_json(), typing.get_type_hints(record)
    for item in dataclasses.fields(record):
        for other in spoiled(hints[item.name]):
            with pytest.raises(DamagedError):
                record.from_json({**value, item.name: other})


@named(RECORDS)
def test_a_field_that_is_missing_is_damage(record: type[Record]) -> None:
    value, missing = make(record).to_json(), dataclasses.MISSING
    for item in dataclasses.fields(record):
        if item.default is missing and item.default_factory is missing:
            with pytest.raises(DamagedError, match=item.name):
                record.from_json({name: other for name, other in value.items() if name != item.name})


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), float("-inf")])
def test_a_figure_that_is_not_finite_is_null(figure: float) -> None:
    score = dataclasses.replace(make(Score), value=figure)
    assert score.to_json()["value"] is None


@pytest.mark.parametrize("label", ["NA", "null", "None", "1", "01", "True", ""])
def test_labels_stay_the_strings_that_they_are(label: str) -> None:
    example = Example(id="1", text="t", label=label)
    assert Example.from_json(json.loads(json.dumps(example.to_json()))).label == label


def test_an_evaluation_unpacks_to_loss_and_accuracy() -> None:
    base = dataclasses.replace(make(Score), label=None)
    loss, accuracy = Evaluation(
        scores=(dataclasses.replace(base, metric="accuracy", value=0.9), dataclasses.replace(base, metric="loss", value=None))
    )
    assert loss != loss  # not a number: undefined
    assert accuracy == 0.9


def test_a_figure_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="no figure"):
        Evaluation(scores=(make(Score),)).value("f1")


def test_evidence_finds_predictions_by_split_and_source() -> None:
    wanted = dataclasses.replace(make(Predictions), split="test", source="linear")
    evidence = Evidence(predictions=(make(Predictions), wanted))
    assert evidence.find("test", "linear") == wanted
    assert evidence.find("test", "absent") is None


def test_evidence_has_texts_only_where_a_row_has_one() -> None:
    evidence = Evidence(train=(Example(id="1", text="t"),), test=(Example(id="2", text=""),))
    assert evidence.has_texts("train")
    assert not evidence.has_texts("train", "test")


@pytest.mark.parametrize(
    ("finding", "severity"),
    [(Finding.unknown("c", "why"), Severity.UNKNOWN), (Finding.not_applicable("c", "why"), Severity.NOT_APPLICABLE)],
)
def test_a_check_that_did_not_run_is_never_a_pass(finding: Finding, severity: Severity) -> None:
    assert (finding.severity, finding.summary) == (severity, "why")


@pytest.mark.parametrize(
    ("low", "high", "is_clear", "is_short"),
    [
        (0.8, 0.9, True, False),
        (0.7, 0.9, False, False),
        (0.6, 0.79, False, True),
        (0.7, 0.8, False, False),
        (None, None, False, False),
    ],
)
def test_a_score_is_clear_of_a_gate_with_its_whole_interval(
    low: float | None, high: float | None, is_clear: bool, is_short: bool
) -> None:
    score = dataclasses.replace(make(Score), low=low, high=high)
    assert (score.is_clear_of(0.8), score.is_short_of(0.8)) == (is_clear, is_short)
