"""One line that changes in place while something goes on, and stays as it was last."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any, Protocol

from cs_magic.api.unbroken import unbroken
from cs_magic.errors import harmless
from cs_magic.notebook.shown import quiet_line, say

OFTEN = 0.5  # seconds between two changes, at least


class Line(Protocol):
    """A place on the screen that shows one line."""

    def show(self, line: str) -> None:
        """Show a line in the place of the last one."""

    def end(self, line: str) -> None:
        """Show the line that stays; none where it is empty."""


class Silent:
    """Shows nothing (`-q`)."""

    def show(self, line: str) -> None:
        """Nothing."""

    def end(self, line: str) -> None:
        """Nothing."""


class Output:
    """One output of a notebook's cell, updated: the saved file holds its last state."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, line: str) -> None:
        """Make the output, or update it."""
        from IPython.display import display

        if self._handle is None:
            with unbroken():  # stopped in between, it would be a second output
                self._handle = display(quiet_line(line), raw=True, display_id=True)
        else:
            self._handle.update(quiet_line(line), raw=True)

    def end(self, line: str) -> None:
        """Update it for the last time."""
        self.show(line)


class Terminal:
    """The last line of a terminal, written over; what stays is written as any other line."""

    def show(self, line: str) -> None:
        """Write over the line."""
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[2K{harmless(line)[:width]}")
        sys.stderr.flush()

    def end(self, line: str) -> None:
        """Take it away, and say what stays."""
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
        if line:
            say(line)


class Log:
    """Where nothing can be written over: the first line and the last one."""

    def __init__(self) -> None:
        self._begun = False

    def show(self, line: str) -> None:
        """Write the first line, so that the job's id is known whatever happens."""
        if not self._begun:
            self._begun = True
            sys.stderr.write(f"{harmless(line)}\n")
            sys.stderr.flush()

    def end(self, line: str) -> None:
        """Say how it ended."""
        if line:
            say(line)


class Progress:
    """A line that tells how something goes on, changed now and then; the first and last always."""

    def __init__(self, quiet: bool = False) -> None:
        self._line: Line = Silent() if quiet else _place()
        self._last = -OFTEN
        self._shown = ""
        self.is_over = False

    def show(self, line: str) -> None:
        """Show a line, unless one was shown just now."""
        now = time.monotonic()
        if not self.is_over and line != self._shown and now - self._last >= OFTEN:
            self._last, self._shown = now, line
            self._line.show(line)

    def end(self, line: str) -> None:
        """Show the line that stays, or an empty one for none; only the first end counts."""
        if not self.is_over:
            self.is_over = True
            self._line.end(line)


def _place() -> Line:
    from IPython.core.getipython import get_ipython

    if hasattr(get_ipython(), "kernel"):
        return Output()
    return Terminal() if sys.stderr.isatty() else Log()
