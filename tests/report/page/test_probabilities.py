"""Probabilities, drawn: the curves of the threshold's choice or of the predictions, calibration, and what can be moved."""

from dataclasses import replace

import pytest

from pretune.evaluate.probability_view import view_probabilities
from pretune.records import Predictions
from pretune.report.page.html import render_html
from pretune.report.page.probabilities import draw_probabilities, plot_lengths


def styles(plot):
    return [series.style for series in plot.series]


def places(series):
    return [tuple(map(float, point.split(","))) for point in series.line.split()] or list(series.dots)


@pytest.fixture
def view():
    """Forty rows of validation, right in all but four, surer of what is right."""
    rows = [("pos", 0.9), ("neg", 0.1)] * 18 + [("pos", 0.4), ("neg", 0.6)] * 2
    predictions = Predictions(
        source="finetuned", split="validation", classes=("neg", "pos"), ids=tuple(map(str, range(40))),
        labels=tuple(label for label, _ in rows), predicted=tuple("pos" if share > 0.5 else "neg" for _, share in rows),
        probabilities=tuple((1 - share, share) for _, share in rows),
    )  # fmt: skip
    return view_probabilities(predictions)


def test_curve_band_and_every_mark_are_drawn(record):
    drawn = draw_probabilities(record, None)
    assert styles(drawn.tradeoff) == ["curve", "largest", "chosen", "tested"]
    assert styles(drawn.receiver) == ["curve", "chosen", "tested"]
    wide = replace(record, threshold=replace(record.threshold, low=0.4, high=0.85))
    assert styles(draw_probabilities(wide, None).tradeoff)[1] == "band"


def test_every_mark_lies_inside_the_plot_and_recall_rises(record):
    drawn = draw_probabilities(record, None)
    for plot in (drawn.tradeoff, drawn.receiver):
        for series in plot.series:
            assert all(0 <= x <= plot.frame.width and 0 <= y <= plot.frame.height for x, y in places(series))
    across = [x for x, _ in places(drawn.tradeoff.series[0])]
    assert across == sorted(across), "lower thresholds lie to the right: recall rises"


def test_false_alarms_are_counted_from_the_rows_called(record):
    # At 0.62: 769 called, 0.84 of 797 found, so 99.5 of 794 others are called.
    alarms = draw_probabilities(record, None).explorer.alarms.split()
    assert float(alarms[2]) == pytest.approx((769 - 0.84 * 797) / 794, abs=1e-4)


def test_what_can_be_moved_starts_at_what_decides(record):
    explorer = draw_probabilities(record, None).explorer
    assert explorer.thresholds.split()[explorer.chosen] == "0.62"
    assert explorer.share == pytest.approx(797 / 1591)
    assert (explorer.missed, explorer.false_alarm) == (1.0, 1.0)
    asked = replace(record, threshold=replace(record.threshold, costs={"fn": 10.0, "fp": 2.0}, prevalence=0.01))
    explorer = draw_probabilities(asked, None).explorer
    assert (explorer.missed, explorer.false_alarm, explorer.share) == (10.0, 2.0, 0.01)


def test_before_the_seal_is_opened_there_is_no_test_point(record):
    unjudged = replace(record, verdict=None, scores=tuple(replace(score, split="validation") for score in record.scores))
    assert "tested" not in styles(draw_probabilities(unjudged, None).tradeoff)


def test_two_classes_without_a_positive_one_are_drawn_from_the_predictions(record, view):
    drawn = draw_probabilities(replace(record, threshold=None, scores=()), view)
    assert styles(drawn.tradeoff) == ["curve", "largest"]
    assert drawn.explorer.thresholds.split()[drawn.explorer.chosen] == "0.5"
    assert "of pos" in drawn.receiver.label


def test_calibration_is_drawn_with_an_interval_for_each_bin(record, view):
    plot = draw_probabilities(record, view).calibration
    (bins,) = plot.series
    assert len(bins.spans) == len(bins.dots) == len(view.bins)
    assert "largest gap: claimed" in plot.label
    assert "Calibration" in render_html(record, view=view)


def test_without_predictions_or_threshold_nothing_is_drawn(record):
    drawn = draw_probabilities(replace(record, threshold=None), None)
    assert (drawn.tradeoff, drawn.receiver, drawn.calibration, drawn.explorer) == (None, None, None, None)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_perfect_and_hopeless_models_can_be_drawn(record, value):
    reached = tuple(replace(item, value=value, before=value) for item in record.threshold.reached)
    points = tuple(replace(point, precision=value, recall=value) for point in record.threshold.curve)
    changed = replace(record, threshold=replace(record.threshold, reached=reached, curve=points))
    assert draw_probabilities(changed, None).tradeoff is not None


def test_accuracy_is_drawn_over_the_lengths_from_short_to_long(record):
    first = record.slices[0]
    lengths = tuple(replace(first, value=value) for value in ("1,220 to 5,112 characters", "12 to 85 characters"))
    plot = plot_lengths(replace(record, slices=lengths))
    assert [name for _, name in plot.x_ticks] == ["12–85", "1,220–5,112"]
    assert plot_lengths(record) is None, "one length alone says nothing"
    assert plot_lengths(replace(record, slices=(*lengths[:1], replace(first, value="hostile to <b>")))) is None
