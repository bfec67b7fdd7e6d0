"""What somebody types, for commands that read lines."""

import io


class Typed(io.StringIO):
    """Lines that somebody types; an exception is raised when its turn comes."""

    def __init__(self, *lines, is_terminal=True):
        super().__init__()
        self.lines, self.is_terminal = list(lines), is_terminal

    def isatty(self):
        return self.is_terminal

    def readline(self, *_):
        line = self.lines.pop(0) if self.lines else ""
        if isinstance(line, type):
            raise line
        return line
