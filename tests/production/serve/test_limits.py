"""Limits: does each number that cannot work end in one message?"""

import pytest

from pretune.errors import UsageError
from pretune.production.serve.limits import Limits


@pytest.mark.parametrize("name", ["max_batch", "max_waiting", "max_texts", "max_chars"])
@pytest.mark.parametrize("value", [0, -1, 1 << 60])
def test_a_number_that_cannot_work_is_named(name, value):
    with pytest.raises(UsageError, match=name):
        Limits(**{name: value})


@pytest.mark.parametrize("delay", [-1.0, float("nan"), float("inf")])
def test_a_delay_is_a_number_of_milliseconds(delay):
    with pytest.raises(UsageError, match="delay"):
        Limits(delay=delay)


def test_a_request_that_could_never_be_accepted_is_refused_at_the_start():
    with pytest.raises(UsageError, match="--queue 10, or --max-texts 5"):
        Limits(max_texts=10, max_waiting=5)
