"""A list that takes its time, perhaps into a file: the line that tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cs_magic.errors import CloudStackError
from cs_magic.notebook.progress import Progress
from cs_magic.notebook.shown import frame_of, say
from cs_magic.streaming import run

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.api.jobs import Watcher
    from cs_magic.api.lookups import Lookups
    from cs_magic.api.values import Call, Options, Result
    from cs_magic.connection import Connection

_SOON = 1.0  # seconds: what is quicker needs no line


class Line:
    """Pages, rows, rows a second and, where the count is known, the time that is left.

    Nothing is shown of a list that is quick, or of a single page.
    """

    def __init__(
        self,
        connection: Connection,
        command: str,
        quiet: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._progress = Progress(quiet)
        self._where = f"{connection.profile.name} at {connection.profile.host}"
        self._command = command
        self._began = clock()
        self._first: int | None = None
        self._shown, self._is_there = "", False

    def told(self, pages: int, rows: int, count: int | None) -> None:
        """Show how far it is."""
        seconds = self._clock() - self._began
        if self._first is None:  # of an interrupted attempt: they took no time now
            self._first = rows if pages > 1 else 0
        rate = (rows - self._first) / seconds if seconds else 0.0
        parts = [self._command, f"{pages:,} pages", _of(rows, count), f"{rate:,.0f} rows/s"]
        if count and rate:
            parts.append(f"{_time(max(0, count - rows) / rate)} left")
        self._shown = " · ".join([*parts, self._where])
        several = pages > 1 or (count or 0) > rows
        if several and seconds >= _SOON:
            self._is_there = True
            self._progress.show(self._shown)

    def end(self, stays: bool) -> None:
        """Take the line away, where any was shown; of a file it stays as it is now."""
        if self._is_there:
            self._progress.end(self._shown if stays else "")


def answer(
    connection: Connection,
    call: Call,
    options: Options,
    lookups: Lookups,
    watcher: Watcher,
    quiet: bool,
) -> Result:
    """The answer to a call; a long list tells how far it is.

    Errors as in `streaming.run`, and a CloudStackError for a list that was stopped at once.
    """
    line = Line(connection, call.command, quiet)
    command = connection.catalogue.find(call.command)
    try:
        return run(connection, call, options, lookups, watcher, line.told)
    except KeyboardInterrupt:
        if command is None or not command.is_read:
            raise
    finally:
        line.end(stays=options.file is not None)  # a frame has a line of its own
    raise CloudStackError(f"{call.command} was stopped before anything came")


def value_of(connection: Connection, result: Result, options: Options) -> Any:
    """What a person gets: a frame, the parsed JSON, or a frame that says what was written."""
    if result.written is not None:
        return _about_the_file(dict(result.written), result)
    if options.file is not None:
        written = connection.written(result, options)
        for note in written.notes[len(result.notes) :]:
            say(f"⚠ {note}")
        return _about_the_file(written.row(), result)
    return connection.parsed(result, options) if options.raw else connection.frame(result, options)


def _about_the_file(row: dict[str, Any], result: Result) -> pd.DataFrame:
    frame = frame_of([row])
    frame.attrs["cs"] = result.provenance.as_json()
    return frame


def _of(rows: int, count: int | None) -> str:
    return f"{rows:,} of {count:,} rows" if count and count >= rows else f"{rows:,} rows"


def _time(seconds: float) -> str:
    """`45 s`, `3 min`, `2 h 05 min`"""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
