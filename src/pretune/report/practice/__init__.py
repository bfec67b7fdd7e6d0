"""Practice: questions about one run, each with an answer that is computed from its record."""

from pretune.report.practice.draw import draw_questions, list_topics
from pretune.report.practice.question import LEVELS, Option, Question, Reply, judge_reply
from pretune.report.practice.quiz import render_quiz
from pretune.report.practice.topics import TEMPLATES

__all__ = [
    "LEVELS",
    "TEMPLATES",
    "Option",
    "Question",
    "Reply",
    "draw_questions",
    "judge_reply",
    "list_topics",
    "render_quiz",
]
