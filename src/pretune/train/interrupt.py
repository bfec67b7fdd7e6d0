"""Ctrl-C during training: once to finish the step and save, twice to stop at once."""

import signal
import sys
import threading
from types import FrameType
from typing import Self

END = 2  # what a process tells the others after Ctrl-C: save, then end


class Interrupt:
    """While the block runs, the first Ctrl-C only sets ``asked``; the second one raises ``KeyboardInterrupt`` as usual.

    Without effect outside of the main thread, where Python delivers no signals, and where it is switched off. Of several
    processes that train together, one ``tells``.
    """

    def __init__(self, *, is_on: bool = True, tells: bool = True) -> None:
        self._tells = tells
        self.asked, self._is_on = False, is_on and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._is_on:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_on:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            signal.default_int_handler(number, frame)
        self.asked = True
        if self._tells:
            print("\npretune: finishing this step, then saving; Ctrl-C once more stops at once", file=sys.stderr)  # noqa: T201
