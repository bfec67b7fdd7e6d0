"""The regression of the encoder-linear baseline is fitted on a sample where the table is large."""

from pretune.records import Example
from pretune.tasks.classify import encoder_linear

ROWS = tuple(Example(id=str(number), text="a", label="x") for number in range(20))


def test_rows_up_to_the_limit_are_all_taken(monkeypatch):
    monkeypatch.setattr(encoder_linear, "MAX_ROWS", 20)
    assert encoder_linear.drawn(ROWS, 0) is ROWS


def test_of_more_rows_a_sample_is_drawn_in_their_order_by_the_seed(monkeypatch):
    monkeypatch.setattr(encoder_linear, "MAX_ROWS", 5)
    drawn = encoder_linear.drawn(ROWS, 0)
    assert len({row.id for row in drawn}) == 5
    assert list(drawn) == sorted(drawn, key=lambda row: int(row.id))
    assert drawn == encoder_linear.drawn(ROWS, 0)
    assert drawn != encoder_linear.drawn(ROWS, 1)
