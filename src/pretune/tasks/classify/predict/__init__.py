"""Predicting: answers to texts, one by one or by the million."""

from pretune.tasks.classify.predict.answering import Answering, open_answering
from pretune.tasks.classify.predict.answers import Answer, answer_lines, answer_texts
from pretune.tasks.classify.predict.output import check_output
from pretune.tasks.classify.predict.path import Answered, answer_file, write_answers
from pretune.tasks.classify.predict.questions import open_questions, warn_of_tests
from pretune.tasks.classify.predict.texts import describe, predict_texts, read_lines, read_texts

__all__ = [
    "Answer",
    "Answered",
    "Answering",
    "answer_file",
    "answer_lines",
    "answer_texts",
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
