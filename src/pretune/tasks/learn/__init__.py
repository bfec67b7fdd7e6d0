"""The course: lessons made from real runs on the user's machine, in the terminal and on a page."""

from pretune.tasks.learn.course import LESSONS, find_lesson, next_lesson

__all__ = ["LESSONS", "find_lesson", "next_lesson"]
