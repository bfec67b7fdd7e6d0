"""Written by others: random tables by many writers come back exactly, or are refused or rejected by name."""

from importlib.util import find_spec

import pytest

from tables_written import NEEDED, OPTIONS
from written_tables import WRITERS, random_table, read_back

NUM_TABLES = 60
# Writers whose tables come back exactly, or are refused, whatever is in them; the others leave something open.
EXACT = ("csv", "csv, all quoted", "polars", "arrow", "duckdb", "spreadsheet")


@pytest.mark.parametrize("writer", WRITERS)
def test_no_row_is_lost_without_a_word(writer: str):
    if (package := NEEDED.get(writer)) and find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    outcomes = {}
    for seed in range(NUM_TABLES):
        written = WRITERS[writer](random_table(seed))
        outcomes[seed] = {read_back(written, {}), read_back(written, written.options)}
    found = set().union(*outcomes.values())
    assert {seed: what for seed, what in outcomes.items() if what & {"lost"} or any("fault" in item for item in what)} == {}
    assert "exact" in found
    if writer in EXACT:
        assert found <= {"exact", "refused"}


@pytest.mark.parametrize("option", OPTIONS)
def test_no_option_leads_to_a_fault(option: str):
    for seed in range(NUM_TABLES):
        table = random_table(seed)
        for writer in ("csv", "csv, no quotes", "joined", "some backslashes", "spreadsheet"):
            assert not read_back(WRITERS[writer](table), OPTIONS[option]).startswith("fault"), (seed, writer)


def test_tables_that_are_quoted_as_they_should_be_are_never_refused():
    refused = [seed for seed in range(NUM_TABLES) for name in ("csv, all quoted", "arrow")
               if read_back(WRITERS[name](random_table(seed)), {}) != "exact"]  # fmt: skip
    assert refused == []
