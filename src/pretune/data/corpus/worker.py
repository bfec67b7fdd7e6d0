"""Worker: the process at the other end of ``workers.py``."""

import signal
import sys
import traceback

from pretune.data.corpus.blocks import TASKS, Message
from pretune.data.corpus.workers import receive, send


def main() -> None:
    """Answer messages until the other side closes; an interrupt is for the other side to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while (message := receive(source)) is not None:
        try:
            answer = TASKS[message.values["task"]](Message(message.values["values"], message.arrays))
        except Exception:  # whatever it is, the other side must hear of it
            answer = Message({"error": traceback.format_exc()})
        send(target, answer)


if __name__ == "__main__":
    main()
