"""Predicting: answers to texts, one by one or by the million."""

from pretune.predicting.answering import Answering, open_answering
from pretune.predicting.answers import Answer, answer_lines
from pretune.predicting.output import check_output
from pretune.predicting.path import Told, answer_file, write_answers
from pretune.predicting.questions import open_questions, warn_of_tests
from pretune.predicting.texts import describe, predict_texts, read_lines, read_texts

__all__ = [
    "Answer",
    "Answering",
    "Told",
    "answer_file",
    "answer_lines",
    "check_output",
    "describe",
    "open_answering",
    "open_questions",
    "predict_texts",
    "read_lines",
    "read_texts",
    "warn_of_tests",
    "write_answers",
]
