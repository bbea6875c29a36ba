"""Long lists to a file as they come, in memory that doesn't grow with their rows.

A list of up to 64 pages is held and written whole, as any other result is (but for usage
records in Parquet, whose amounts are kept as text, too). A longer one is written part by part,
64 pages each; a row that comes twice is then looked for among the last 16 pages only
(`api.met`), and in the lists before.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import pyarrow as pa

from cs_magic.api.came import Stopped, Told
from cs_magic.api.catalogue import Command
from cs_magic.api.jobs import Watcher
from cs_magic.api.lookups import Lookups
from cs_magic.api.met import Met, Recent
from cs_magic.api.pages import Wish, variants
from cs_magic.api.records import Records
from cs_magic.api.settling import KEPT
from cs_magic.api.spelling import kinds
from cs_magic.api.unbroken import unbroken
from cs_magic.api.values import Call, Options, Page, Provenance, Result, parameter_of
from cs_magic.connection import Connection
from cs_magic.errors import CallError, CloudStackError, Incomplete
from cs_magic.files import laid_out
from cs_magic.parquet import layout
from cs_magic.parts import Parts
from cs_magic.resuming import Resuming, key

HELD = 64
_GROUP = 16  # the pages of a row group
# Amounts whose sum is to be exact: a Parquet file has their text beside the number.
_EXACT = {"listUsageRecords": ("rawusage",)}


def streams(options: Options, call: Call, command: Command | None) -> bool:
    """Whether the answer may be a long list that goes to a file as it comes.

    One whose nested field is exploded isn't: what its columns are is known at its end.
    """
    if options.file is None or options.file[0] == "xlsx" or options.explode or options.raw:
        return False
    typed = {parameter_of(name) for name, _ in call.arguments}
    listed = command is not None and command.pages and command.is_read
    return listed and not typed & {"page", "pagesize"}


def run(
    connection: Connection,
    call: Call,
    options: Options,
    lookups: Lookups | None = None,
    watcher: Watcher | None = None,
    told: Told | None = None,
) -> Result:
    """The answer to a call, a long list in the file that the options name.

    Returns:
        The result with its rows, to be written; or, of a long list, with `written`.

    Raises:
        CallError: the call is wrong, or the file can't be written. Incomplete: the list broke
            off; `error.result` has its rows, or says in `written` where those are.
    """
    if not streams(options, call, connection.catalogue.find(call.command)):
        return connection.run(call, options, lookups, watcher, told=told)
    streamed: list[Stream] = []

    def into(sent: Call, command: Command, wish: Wish) -> Stream:
        streamed.append(Stream(connection, sent, command, wish, options))
        return streamed[0]

    try:
        result = connection.run(call, options, lookups, watcher, into, told)
        return streamed[0].finished(result)
    except Incomplete as broken:
        if streamed:
            streamed[0].complete(broken)
        raise
    finally:
        for stream in streamed:
            stream.close()


class _Waiting(NamedTuple):
    """The rows of some pages on their way to the part of this number."""

    number: int
    table: pa.Table
    pages: int
    full: bool
    secrets: Mapping[str, Mapping[int, Any]]


class Stream:
    """Rows on their way to a file: held while they are few, then written part by part."""

    def __init__(
        self,
        connection: Connection,
        call: Call,
        command: Command,
        wish: Wish,
        options: Options,
    ) -> None:
        kind, path = options.file or ("", "")
        lists = variants(call, command, wish.own)
        self._met: Met = Recent(several=len(lists) > 1)
        self._exact = _EXACT.get(command.name, ()) if kind == "parquet" and not wish.text else ()
        self._records = Records(kinds(command), wish.only, wish.text, self._met, self._exact)
        self._parts = Parts(kind, path, key(connection, call, wish, options))
        self._resuming = Resuming(self._parts, command.name, wish, alone=len(lists) == 1)
        self._command, self._options = command.name, options
        self._lists = self._held = 0
        self._full = True
        self._waiting: _Waiting | None = None
        self._notes: dict[str, str] = {}

    # -- the rows of a reader ------------------------------------------------

    @property
    def rows(self) -> int:
        """How many were kept."""
        return self._earlier + self._records.rows

    @property
    def duplicates(self) -> int:
        """How many were met twice and dropped."""
        return self._resuming.duplicates + self._records.duplicates

    @property
    def overlap(self) -> int:
        """How many an earlier list had, too."""
        return self._records.overlap

    @property
    def notes(self) -> dict[str, None]:
        """What there is to say: of each column once, or it would never end."""
        for note in self._records.notes:
            self._notes.setdefault(note.partition(":")[0], note)
        said = [self._resuming.note] if self._resuming.note else []
        return dict.fromkeys([*said, *self._notes.values()])

    @property
    def secrets(self) -> Mapping[str, Mapping[int, Any]]:
        """What is masked in the rows that aren't written."""
        waiting = self._unwritten
        return self._records.secrets if waiting is None else waiting.secrets

    def begin(self) -> None:
        """Another list begins."""
        self._records.begin()
        self._lists += 1

    def add(self, page: Page, limit: int | None = None) -> tuple[int, int]:
        """Take a page in."""
        taken = self._records.add(page, None if limit is None else limit - self._earlier)
        self._held += 1
        self._full = self._full and taken[0] >= self._parts.state.size
        return taken

    def put_down(self) -> None:
        """Write a part where 64 pages are held. CallError where that fails; they are kept."""
        if self._held >= HELD:
            self._flush()

    def end(self) -> None:
        """No page comes any more: write what is held of a long list."""
        if self._records.rows if self.is_long else self._exact:
            self._flush()

    def table(self) -> pa.Table:
        """The rows that aren't written."""
        waiting = self._unwritten
        if waiting is not None:
            return waiting.table
        return self._records.table() if self._held or not self.is_long else pa.table({})

    # -- the file ------------------------------------------------------------

    @property
    def is_long(self) -> bool:
        """Whether rows of it are written already."""
        return bool(self._parts.state.parts)

    def had(self, first: Page, size: int) -> int:
        """How many pages of this list are written already: those of an interrupted attempt.

        Raises:
            CallError: somebody else is writing there.
        """
        return 0 if self._lists > 1 else self._resuming.had(first, size)

    def finished(self, result: Result) -> Result:
        """The result of a list that came to its end, in the place of the file where it is long.

        Raises:
            Incomplete: it can't be put there, or that was stopped.
        """
        if (self._options.file and self._options.file[0] == "parquet") or self.is_long:
            result = replace(result, notes=tuple(n for n in result.notes if not n.endswith(KEPT)))
        if not self.is_long:
            return result
        try:
            written = self._parts.finish(result, self._group())
            return replace(result, notes=written.notes, written=written.row())
        except CallError as error:
            problem: CloudStackError = error
        except KeyboardInterrupt:
            problem = Stopped("it was stopped")
        came = replace(result.provenance, complete=False, reason=f"not put together: {problem}")
        raise Incomplete(
            f"{self._command} came, {came.rows:,} rows, and is no file yet: {problem}",
            *problem.hints,
            "error.result says where they are.",
            result=replace(result, provenance=came),
            reason=problem,
        )

    def complete(self, broken: Incomplete) -> None:
        """Let an error say where the rows are that came, and what the same call does then.

        Of a list that was stopped no more is written: that would take its time.
        """
        if not isinstance(broken.reason, Stopped | CallError):
            with suppress(CallError, KeyboardInterrupt):  # then these rows stay where they are
                self.end()
        if not self.is_long:
            nothing = f"Nothing is written to {self._parts.target}: the same call begins anew."
            broken.hints = (*broken.hints, nothing)
            return
        folder, written = self._parts.folder, self._parts.state.rows
        rest = self.rows - written
        besides = f" The {rest:,} rows after those were not written." if rest else ""
        where = f"{folder} holds the {written:,} rows that came{' first' * bool(rest)}.{besides}"
        row = self._parts.left(broken.result).row()
        secrets = self.secrets
        broken.result = replace(broken.result, table=self.table(), secrets=secrets, written=row)
        broken.hints = (*broken.hints[:-1], where, self._resuming.next_time)

    def close(self) -> None:
        """Let others write there."""
        self._parts.free()

    def _group(self) -> int:
        return _GROUP * max(1, self._parts.state.size)

    def _columns(self) -> list[str] | None:
        """The columns wanted, the text of an amount after it; None for all."""
        if self._options.columns is None:
            return None
        both = (
            (one, f"{one}_text") if one in self._exact else (one,) for one in self._options.columns
        )
        return list(chain.from_iterable(both))

    @property
    def _unwritten(self) -> _Waiting | None:
        """The rows that wait for their part, where that isn't written yet."""
        waiting = self._waiting
        written = waiting is None or waiting.number < len(self._parts.state.parts)
        return None if written else waiting

    @property
    def _earlier(self) -> int:
        """The rows that are held no longer."""
        waiting = self._unwritten
        return self._parts.state.rows + (0 if waiting is None else len(waiting.table))

    def _flush(self) -> None:
        """Write a part. Whatever breaks this off loses no row: it is written, or it waits."""
        waiting = self._unwritten or self._drained()
        laid = self._laid_out(waiting.table)
        told = waiting.pages, waiting.full, self.duplicates
        self._parts.write(laid, *told, self._group())
        for note in self.notes:
            self._notes.setdefault(note.partition(":")[0], note)
        self._records.notes.clear()

    def _drained(self) -> _Waiting:
        """The rows that were held, waiting for their part."""
        whole, number = self._records.table(), len(self._parts.state.parts)
        secrets = self._records.secrets
        waiting = _Waiting(number, whole, self._held, self._full, secrets)
        with unbroken():
            self._waiting = waiting
            self._records.clear()
            self._held, self._full = 0, True
        return waiting

    def _laid_out(self, whole: pa.Table) -> pa.Table:
        """The rows as the file has them; the first ones settle which columns it has."""
        state, options = self._parts.state, self._options
        paths = any("." in column for column in options.columns or ())
        if state.kinds and not paths:
            return whole
        laid = laid_out(Result(whole, Provenance("")), self._columns())
        state.kinds = state.kinds or layout(whole, laid, options.columns)
        return laid if paths else whole
