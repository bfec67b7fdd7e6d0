"""Terminal drawings: what they say, and that no text can break them."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from pretune.records import Confusion, Outcome, Shared
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.text import (
    draw_comparisons,
    draw_confusion,
    draw_findings,
    draw_list,
    draw_receipt,
    draw_run,
    draw_scores,
    draw_verdict,
)


def squeeze(text: str) -> str:
    """Undo wrapping and columns."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("color", [False, True])
def test_no_line_is_wider_than_the_terminal_whatever_the_texts(hostile_record, width, color):
    text = to_text(draw_run(hostile_record), draw_receipt(hostile_record.receipt), width=width, color=color)
    assert "\u202e" not in text
    assert "\x1b]" not in text
    assert color or max(map(cell_len, text.split("\n"))) <= width


def test_markup_in_texts_is_shown_and_not_obeyed(hostile_record):
    assert "[red]x[/] [/] ␛[31m" in squeeze(to_text(draw_verdict(hostile_record.verdict)))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(Outcome.SHIP, "SHIP"), (Outcome.DO_NOT_SHIP, "DO NOT SHIP"), (Outcome.NOT_ENOUGH_EVIDENCE, "NOT ENOUGH EVIDENCE")],
)
def test_the_verdict_begins_with_its_outcome(verdict, outcome, words):
    assert f" {words} " in to_text(draw_verdict(replace(verdict, outcome=outcome))).split("\n")[0]


def test_the_verdict_gives_reasons_failed_ones_first_and_what_would_settle_it(verdict):
    text = squeeze(to_text(draw_verdict(verdict)))
    assert text.index("✗ 41 %") < text.index("? accuracy 0.853") < text.index("✓ precision of pos")
    assert "rows needed 2,400 more labelled test rows; about 1,200 of them pos" in text
    assert "plain reading good" in text
    assert "look 1 at these test rows" in text


def test_no_rows_needed_means_no_line_about_them(verdict):
    assert "rows needed" not in to_text(draw_verdict(replace(verdict, rows_needed=None, rows_needed_note="")))


def test_the_first_known_look_is_called_so(record):
    assert "first known look" in to_text(draw_run(record))


def test_scores_stand_beside_the_baselines_with_their_intervals(record):
    lines = to_text(draw_scores(record.scores, positive="pos")).split("\n")
    accuracy = next(line for line in lines if line.startswith("accuracy"))
    assert accuracy.split() == ["accuracy", "0.853", "0.835–0.870", "0.752", "0.734–0.769", "0.503", "0.485–0.520"]


def test_an_undefined_figure_is_a_dash_with_its_reason(record):
    text = to_text(draw_scores(record.scores, positive="pos"))
    assert next(line for line in text.split("\n") if line.startswith("precision · pos")).endswith("—")
    assert "— no row was predicted to be of this class" in text


def test_with_many_classes_the_worst_are_shown_and_the_rest_counted(record):
    f1 = next(score for score in record.scores if score.metric == "f1")
    scores = [replace(f1, label=f"class {index}", value=0.5 + index / 100) for index in range(20)]
    text = to_text(draw_scores(scores))
    assert "F1 · class 0" in text
    assert "F1 · class 6" not in text
    assert "14 better classes not shown" in text


def test_a_confusion_matrix_counts_rows_and_gives_the_share_that_is_right(record):
    lines = to_text(draw_confusion(record.confusions[0])).split("\n")
    assert lines[3].split() == ["neg", "691", "109", "800", "86.4", "%"]  # 691 / 800 = 0.86375
    assert lines[4].split() == ["pos", "125", "666", "791", "84.2", "%"]  # 666 / 791 = 0.84197


def test_a_class_without_rows_has_no_share(record):
    confusion = replace(record.confusions[0], counts=((0, 0), (125, 666)))
    assert "—" in to_text(draw_confusion(confusion)).split("\n")[3]


def test_with_many_classes_the_commonest_mistakes_are_shown():
    classes = tuple("abcdefgh")
    counts = tuple(tuple(row * 8 + column for column in range(8)) for row in range(8))
    lines = to_text(draw_confusion(Confusion(split="test", source="m", classes=classes, counts=counts))).split("\n")
    assert lines[3].split() == ["62", "h", "g"]  # row 7, column 6: 7 * 8 + 6; the diagonal's 63 is no mistake


def test_comparisons_fit_eighty_columns_on_one_line_each(record):
    lines = to_text(draw_comparisons(record.comparisons)).split("\n")
    assert squeeze(lines[3]) == "accuracy finetuned 0.853 linear 0.752 +0.101 +0.081 to +0.121 < 0.001"
    assert squeeze(lines[4]) == "accuracy finetuned 0.853 majority 0.503 +0.350 +0.330 to +0.370 < 0.001"


def test_findings_are_worst_first_and_unknown_is_not_among_those_checked(findings):
    text = to_text(draw_findings(findings))
    marks = [line[0] for line in text.split("\n") if line[:1] in "✗!·✓" and line[:1]]
    assert marks == ["✗", "!", "·", "✓"]
    assert text.index("Not checked") < text.index("calibration") < text.index("groups")
    assert "fix: Raise --max-length." in text


@pytest.mark.parametrize(
    "shown",
    ["10,605 rows = 10,603 used + 2 rejected", "reviews.csv row 412, column “review”: the text is empty", "31 exact, 18 near",
     "1 text with more than one label", "4 exact texts in both", "5 rows removed from train", "text “review” (guessed)",
     "licence CC BY 4.0", "test: 1,591 rows (15 %): neg 800, pos 791", "stratified, split seed 0"],
)  # fmt: skip
def test_the_receipt_says_what_became_of_every_row(receipt, shown):
    assert shown in squeeze(to_text(draw_receipt(receipt)))


def test_rows_that_left_because_of_their_group_are_told(receipt):
    shared = Shared(first="train", second="test", num_exact=0, num_exact_rows=0, num_near_rows=0, num_group_rows=3,
                    removed=("a", "b", "c"))  # fmt: skip
    text = squeeze(to_text(draw_receipt(replace(receipt, shared=(shared,)))))
    assert "3 further rows of the same groups; 3 rows removed from train" in text
    assert "nothing to remove" not in text


def test_given_splits_and_an_unstated_licence_are_named(receipt):
    text = squeeze(to_text(draw_receipt(replace(receipt, split_seed=None, licence=None))))
    assert "splits as given" in text
    assert "licence not stated by the source" in text


def test_a_split_by_time_is_not_called_given(receipt):
    note = "divided by 'created': training to '2021', validation to '2022', test to '2023'"
    text = squeeze(to_text(draw_receipt(replace(receipt, split_seed=None, notes=(note,)))))
    assert "splits as given" not in text
    assert "divided by 'created': training to '2021'" in text


def test_a_list_wraps_its_last_column():
    lines = to_text(draw_list(("name", "what"), [("minilm", "an encoder " * 20)]), width=60).split("\n")
    assert lines[2].startswith("minilm  an encoder")
    assert max(map(len, lines)) <= 60
