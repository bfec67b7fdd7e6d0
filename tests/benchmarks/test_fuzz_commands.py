"""The fuzz of whole commands in small: inputs spoiled at random end in one object and a code that is no verdict of a crash."""

import json
import random

import pytest

import fuzz_commands
import spoiling

NUMBER = 40  # mutations a command; benchmarks/fuzz_commands.py tries 2,000


@pytest.fixture(scope="module")
def place():
    with fuzz_commands.prepared() as made:
        yield made


@pytest.mark.slow  # a run to ask, and as many commands: a minute
@pytest.mark.parametrize("command", fuzz_commands.COMMANDS)
def test_spoiled_inputs_end_in_one_object_and_a_documented_code(place, command):
    found = fuzz_commands.fuzz(command, place, NUMBER, 7)
    assert found["faults"] == []
    assert found["rows_accounted_for"] > 0


LOST = {
    "files": [{"num_rows": 3, "num_used": 1, "rejected": [{}]}], "num_rows": 3, "num_used": 3, "num_rejected": 0,
}  # fmt: skip


def outcome(code, out, err=""):
    return fuzz_commands.Outcome(["check"], code, out, err, 0.1)


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (1, '{"schema": 1}', ""), (70, '{"error": {}}', ""), (0, "", ""), (0, '{"a": NaN}', ""), (0, "{}\n{}", ""),
        (2, "{}", ""), (0, '{"error": {}}', ""), (0, "[]", ""), (0, "nonsense", ""),
        (0, "{}", "Traceback (most recent call last)"), (None, "{}", ""), (0, json.dumps({"data": LOST}), ""),
    ],
)  # fmt: skip
def test_each_kind_of_wrong_ending_is_seen(code, out, err):
    assert fuzz_commands.judge("check", outcome(code, out, err)).faults


def test_right_endings_are_let_pass():
    right = {
        "data": {"files": [{"num_rows": 3, "num_used": 2, "rejected": [{}]}], "num_rows": 3, "num_used": 2, "num_rejected": 1}
    }
    assert fuzz_commands.judge("check", outcome(0, json.dumps(right))).rows == 3
    assert not fuzz_commands.judge("check", outcome(2, '{"error": {}}')).faults


@pytest.mark.parametrize("mutation", spoiling.MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mutation_is_the_same_for_a_seed_and_changes_most_inputs(mutation):
    data = b"text,label\n" + b"".join(b"row %d is here,a\n" % number for number in range(40))
    assert mutation(data, random.Random(3)) == mutation(data, random.Random(3))
    assert sum(mutation(data, random.Random(seed)) != data for seed in range(20)) >= 15
    assert isinstance(mutation(b"", random.Random(1)), bytes)
