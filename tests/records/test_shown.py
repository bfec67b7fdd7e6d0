"""What records show of themselves: one line, readable text, escaped HTML, a data frame, a plot."""

import json
import re

import pytest
from practised import classified, pretrained

from pretune.errors import UsageError
from pretune.records import (
    Calibration,
    Evaluation,
    History,
    LayerView,
    Predictions,
    PredictionTrace,
    Preference,
    ProbabilityView,
    ReliabilityBin,
    RunComparison,
    Step,
    ThresholdChoice,
    Validation,
    Verdict,
)
from pretune.records.plots import _smooth
from pretune.records.shown import MAX_ROWS, Grid, Shown, Tabular, html_of, text_of

HOSTILE = "<script>alert(1)</script>\x1b[31m\n\u202e"


@pytest.fixture(scope="module")
def run():
    return classified(8)


def trace(text="a quiet film"):
    layers = tuple(LayerView(name=f"layer {place}", shape=(1, 3, 8), norm=2.0, probabilities=(0.4, 0.6)) for place in range(3))
    return PredictionTrace(
        text=text, tokens=("[CLS]", "qui", "##et"), ids=(1, 2, 3), layers=layers, logits=(0.1, 0.5), probabilities=(0.4, 0.6),
        classes=("bad", "good"), decision="good",
    )  # fmt: skip


def everything(run):
    evaluation = Evaluation(scores=run.scores, comparisons=run.comparisons, confusions=run.confusions)
    calibration = Calibration(split="validation", error=0.1, limit=0.05, temperature=1.5, error_after=0.02, loss=0.4,
                              num_examples=200, why="divided")  # fmt: skip
    preference = Preference(a="a", b="b", preferred="a", metric="accuracy", is_proven=True, p_value=0.01, summary="take a")
    comparison = RunComparison(split="test", num_examples=9, num_rows=(9, 9), preference=preference,
                               comparisons=run.comparisons, scores=run.scores)  # fmt: skip
    held = (
        run.verdict,
        evaluation,
        run.findings[0],
        run.history,
        run.threshold,
        calibration,
        run.confusions[0],
        trace(),
        comparison,
    )
    bins = tuple(ReliabilityBin(claimed=at, came_true=at, low=0.0, high=1.0, num_examples=20) for at in (0.2, 0.8))
    view = ProbabilityView(source="finetuned", split="validation", label="pos", claimed="pos", num_examples=40, num_positives=9,
                           bins=bins)  # fmt: skip
    return {type(item).__name__: item for item in (*held, view, pretrained(1).pretraining)}


NAMES = [
    "Verdict", "Evaluation", "Finding", "History", "ThresholdChoice", "Calibration", "Confusion", "PredictionTrace",
    "RunComparison", "PretrainHistory", "ProbabilityView",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_its_repr_is_one_short_line_and_its_text_says_more(name, run):
    item = everything(run)[name]
    assert len(repr(item)) < 140
    assert "\n" not in repr(item)
    assert repr(item).startswith(f"<{name}: ")
    assert len(str(item).splitlines()) > 1
    assert len(str(item)) < 6000


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_gets_html_of_the_same(name, run):
    html = everything(run)[name]._repr_html_()
    assert html.startswith("<div")
    assert html.count("<div") == html.count("</div>")
    assert "<script" not in html


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("Finding", "Calibration")])
def test_it_is_a_data_frame(name, run):
    pytest.importorskip("pandas", reason="the extra `notebook` has it")
    item = everything(run)[name]
    assert isinstance(item, Tabular)
    frame = item.to_pandas()
    assert len(frame) == len(item.grid().rows) > 0
    assert not any(" " in name for name in frame.columns if not name.startswith("p:"))


def test_an_evaluation_has_every_figure_with_its_interval(run):
    evaluation = everything(run)["Evaluation"]
    score = evaluation.find("accuracy")
    assert f"{score.value:.3f} ({score.low:.3f}–{score.high:.3f})" in str(evaluation)
    assert evaluation.grid().columns[:5] == ("source", "split", "metric", "label", "value")
    assert len(evaluation.grid().rows) == len(run.scores)


def test_a_verdict_names_every_reason_and_where_its_run_is(run):
    from dataclasses import replace

    verdict = replace(run.verdict, run="runs/a")
    assert all(reason.text in str(verdict) for reason in verdict.reasons)
    assert "runs/a/report.html" in str(verdict)
    assert str(verdict.report) == "runs/a/report.html"
    assert run.verdict.report is None


def test_the_folder_of_a_verdict_is_not_kept_and_makes_no_difference(run):
    from dataclasses import replace

    verdict = replace(run.verdict, run="runs/a")
    assert verdict == run.verdict
    assert "run" not in verdict.to_json()
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_text_of_others_is_shown_and_not_obeyed():
    item = trace(HOSTILE)
    assert "<script" not in item._repr_html_()
    assert "\x1b" not in str(item) + item._repr_html_()
    grid = Grid((HOSTILE,), ((HOSTILE,),), HOSTILE)
    shown = Shown(HOSTILE, HOSTILE, (HOSTILE,), (grid,))
    assert not re.search("[\x1b\u202e]|<script", html_of(shown))
    assert not re.search("[\x1b\u202e]", text_of(shown))


def test_heads_stand_over_their_columns_and_commands_are_code():
    html = html_of(Shown("t", "t", ("run `pretune view RUN`, not `",), (Grid(("name", "value"), (("a", None), ("b", 0.5))),)))
    assert "run <code>pretune view RUN</code>, not `" in html
    assert '<th scope="col" style="text-align:left">name</th><th scope="col" style="text-align:right">value</th>' in html
    assert html.count("text-align:right") == 3


def test_a_long_table_is_cut_and_says_so():
    grid = Grid(("n",), tuple((place,) for place in range(MAX_ROWS + 5)))
    assert "5 more rows" in text_of(Shown("x", "x", (), (grid,)))
    assert html_of(Shown("x", "x", (), (grid,))).count("<tr>") == MAX_ROWS + 1


def test_predictions_have_a_column_for_each_class():
    found = Predictions(source="linear", split="test", classes=("a", "b"), ids=("1", "2"), labels=("a", None),
                        predicted=("a", "b"), probabilities=((0.9, 0.1), (0.2, 0.8)))  # fmt: skip
    assert found.grid().columns == ("id", "label", "predicted", "p:a", "p:b")
    assert found.grid().rows[1] == ("2", None, "b", 0.2, 0.8)


def test_tokens_are_shown_as_what_they_mean():
    assert "[CLS] qui …et" in str(trace())


def test_what_has_nothing_to_plot_says_so():
    with pytest.raises(UsageError, match="no training to plot"):
        History().plot()
    with pytest.raises(UsageError, match="no threshold to plot"):
        ThresholdChoice(source="finetuned", split="validation", goal="balanced", rule="").plot()


@pytest.fixture
def axes():
    matplotlib = pytest.importorskip("matplotlib", reason="the extra `notebook` has it")
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    return Figure().subplots()


@pytest.mark.parametrize("name", ["History", "ThresholdChoice", "PretrainHistory", "ProbabilityView"])
def test_it_is_plotted_on_the_axes_that_were_given(name, run, axes):
    drawn = everything(run)[name].plot(axes)
    assert drawn is axes
    assert len(axes.lines) >= 2


def test_a_history_that_is_plotted_has_its_losses_and_the_kept_epoch(axes):
    history = History(
        steps=tuple(Step(index=place, loss=1.0, num_targets=1, gradient_norm=1.0, learning_rate=1.0) for place in range(4)),
        validations=(Validation(epoch=1, step=3, training_loss=1.0, training_accuracy=None, loss=0.5, accuracy=0.8,
                                metric="accuracy", metric_value=0.8, learning_rate=1.0, seconds=1.0),),
        best_epoch=1, best_step=3,
    )  # fmt: skip
    history.plot(axes)
    assert list(axes.lines[1].get_ydata()) == [0.5]
    assert list(axes.lines[2].get_xdata()) == [3, 3]


def test_running_means_are_of_the_last_window():
    assert _smooth([1.0, 2.0, 3.0, 5.0], window=2) == [1.0, 1.5, 2.5, 4.0]
