"""The record of what several annotators said of each row."""

from dataclasses import dataclass, field

from pretune.records.base import Record

# What a person is called among the sources, and what they and a model are compared on.
PERSON, AGREEMENT = "person", "agreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes(Record):
    """What several annotators said of each row."""

    columns: tuple[str, ...]  # that they were read from
    by_row: dict[str, tuple[str, ...]] = field(default_factory=dict)  # id of a row with two votes or more → the class in each
    num_foreign: int = 0  # votes that name no class, and so say nothing
