"""The three traces on the terminal."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from pretune.records import History
from pretune.report.terminal.drawing import bar, to_text
from pretune.report.terminal.traces import draw_pipeline, draw_prediction, draw_training


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal_whatever_the_texts(hostile_events, hostile_prediction, history, width):
    text = to_text(draw_pipeline(hostile_events), draw_training(history), draw_prediction(hostile_prediction), width=width)
    assert max(map(cell_len, text.split("\n"))) <= width
    assert "\x1b" not in text


def test_the_pipeline_has_one_row_a_stage_with_shapes_seconds_and_an_example(events):
    text = to_text(draw_pipeline(events))
    assert [name for name in ("read", "clean", "encode", "finetune", "judge") if f"\n{name} " in text] == [
        "read", "clean", "encode", "finetune", "judge"
    ]  # fmt: skip
    row = next(line for line in text.split("\n") if line.startswith("clean"))
    assert "10,605 texts → 10,603 texts" in row
    assert row.endswith("0.42")
    assert "▸ [CLS] a gorgeous , wit ##ty , seductive movie [SEP]" in text


def test_a_long_example_is_cut_to_the_terminal_and_a_wide_one_shows_more(events):
    narrow, wide = (
        next(line for line in to_text(draw_pipeline(events), width=width).split("\n") if "▸ A gorgeous" in line)
        for width in (60, 140)
    )
    assert narrow.endswith("…")
    assert wide.endswith("about.")


def test_training_shows_plot_table_and_the_epoch_that_was_kept(history):
    text = to_text(draw_training(history))
    assert text.count("●") == 4  # three epochs and the legend
    row = next(line for line in text.split("\n") if "★ 2" in line)
    assert row.split() == ["★", "2", "0.301", "0.352", "0.853", "learning"]
    assert "overfitting since epoch 3" in text
    assert "all 3 epochs were run" in text


def test_training_without_steps_marks_the_epoch_means(history):
    assert to_text(draw_training(replace(history, steps=()))).count("○") == 4


def test_a_metric_of_its_own_gets_a_column(history):
    validations = tuple(replace(item, metric="macro_f1", metric_value=0.777) for item in history.validations)
    text = to_text(draw_training(replace(history, validations=validations, monitor="macro_f1")))
    assert "macro f1" in text
    assert "0.777" in text


def test_training_that_never_began_can_be_drawn():
    assert "epoch" in to_text(draw_training(History()))


def test_ids_stand_below_their_tokens(prediction):
    lines = to_text(draw_prediction(prediction)).split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("[CLS]"))
    assert lines[at].index("gorgeous") == lines[at + 1].index("9882")


def test_every_layer_says_what_the_head_would_decide(prediction):
    text = to_text(draw_prediction(prediction))
    rows = {line.split("  ")[0]: line.split() for line in text.split("\n") if line.startswith(("embeddings", "layer "))}
    assert rows["embeddings"][-4:-1] == ["4.81", "neg", "0.481"]
    assert rows["layer 2"][-4:-1] == ["9.40", "pos", "0.989"]


def test_the_decision_is_held_against_the_stored_threshold(prediction):
    assert "p(pos) = 0.989 ≥ 0.460, the stored threshold" in to_text(draw_prediction(prediction))


def test_below_the_threshold_the_sign_turns(prediction):
    text = to_text(draw_prediction(replace(prediction, threshold=0.995, decision="neg")))
    assert "p(pos) = 0.989 < 0.995" in text


def test_without_a_threshold_the_largest_class_decides(prediction):
    assert "no threshold is stored" in to_text(draw_prediction(replace(prediction, threshold=None)))


def test_a_long_text_shows_its_first_tokens_and_counts_the_rest(prediction):
    long = replace(prediction, tokens=("word",) * 512, ids=(1234,) * 512)
    assert "further tokens" in to_text(draw_prediction(long))


@pytest.mark.parametrize(("share", "drawn"), [(0.0, "    "), (0.5, "██  "), (1.0, "████"), (1.7, "████"), (-1.0, "    ")])
def test_a_bar_never_leaves_its_cell(share, drawn):
    assert bar(share, 4) == drawn
