"""Long lists to a file as they come, in memory that doesn't grow with their rows.

A list of up to 64 pages is held and written whole, as any other result is (but for usage
records in Parquet, whose amounts are kept as text, too). A longer one is written part by part,
64 pages each; a row that comes twice is then looked for among the last 16 pages only
(`api.met`), and in the lists before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import chain
from typing import Any

import pyarrow as pa

from cs_magic.api.catalogue import Command
from cs_magic.api.jobs import Watcher
from cs_magic.api.lookups import Lookups
from cs_magic.api.met import Met, Recent
from cs_magic.api.pages import Wish, variants
from cs_magic.api.records import Records
from cs_magic.api.spelling import kinds
from cs_magic.api.values import Call, Options, Page, Provenance, Result, parameter_of
from cs_magic.connection import Connection
from cs_magic.errors import CallError, Incomplete
from cs_magic.files import laid_out
from cs_magic.parquet import layout
from cs_magic.parts import Parts

HELD = 64
_GROUP = 16  # the pages of a row group
# Lists in the order in which things came to be, of which none is ever taken away: a page that
# was read once stays what it was.
_STABLE = frozenset({"listUsageRecords"})
# Amounts whose sum is to be exact: a Parquet file has their text beside the number.
_EXACT = {"listUsageRecords": ("rawusage",)}

# How far it is: pages, rows, and the server's count where there is one.
Told = Callable[[int, int, int | None], None]


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
        return connection.run(call, options, lookups, watcher)
    streamed: list[Stream] = []

    def into(sent: Call, command: Command, wish: Wish) -> Stream:
        streamed.append(Stream(connection, sent, command, wish, options, told))
        return streamed[0]

    try:
        result = connection.run(call, options, lookups, watcher, into)
    except Incomplete as broken:
        if streamed and streamed[0].is_long:
            broken.result = streamed[0].broken(broken.result)
            broken.hints = (*broken.hints[:-1], *streamed[0].hints)
        raise
    return streamed[0].finished(result) if streamed[0].is_long else result


class Stream:
    """Rows on their way to a file: held while they are few, then written part by part."""

    def __init__(
        self,
        connection: Connection,
        call: Call,
        command: Command,
        wish: Wish,
        options: Options,
        told: Told | None,
    ) -> None:
        kind, path = options.file or ("", "")
        lists = variants(call, command, wish.own)
        self._met: Met = Recent(several=len(lists) > 1)
        self._exact = _EXACT.get(command.name, ()) if kind == "parquet" and not wish.text else ()
        self._records = Records(kinds(command), wish.only, wish.text, self._met, self._exact)
        self._parts = Parts(kind, path, _key(connection, call, wish, options))
        self._stable = command.name in _STABLE and len(lists) == 1 and wish.limit is None
        self._command, self._options = command.name, options
        self._told = told or (lambda pages, rows, count: None)
        self._held = self._pages = self._before = 0
        self._counts: list[int] = []
        self._failed = False
        self._notes: dict[str, str] = {}
        self._went_on = ""

    # -- the rows of a reader ------------------------------------------------

    @property
    def rows(self) -> int:
        """How many were kept."""
        return self._parts.state.rows + self._records.rows

    @property
    def duplicates(self) -> int:
        """How many were met twice and dropped."""
        return self._before + self._records.duplicates

    @property
    def overlap(self) -> int:
        """How many an earlier list had, too."""
        return self._records.overlap

    @property
    def notes(self) -> dict[str, None]:
        """What there is to say: of each column once, or it would never end."""
        for note in self._records.notes:
            self._notes.setdefault(note.partition(":")[0], note)
        said = [self._went_on] if self._went_on else []
        return dict.fromkeys([*said, *self._notes.values()])

    @property
    def secrets(self) -> Mapping[str, Mapping[int, Any]]:
        """What is masked, as long as the rows are held."""
        return {} if self.is_long else self._records.secrets

    def begin(self) -> None:
        """Another list begins."""
        self._records.begin()
        self._counts.append(0)

    def add(self, page: Page, limit: int | None = None) -> tuple[int, int]:
        """Take a page in; a part is written with every 64th. CallError where that fails."""
        left = None if limit is None else limit - self._parts.state.rows
        taken = self._records.add(page, left)
        self._held += 1
        self._pages += 1
        self._counts[-1] = max(self._counts[-1], page.count or 0)
        self._told(self._pages, self.rows, sum(self._counts) or None)
        if self._held == HELD:
            self._flush()
        return taken

    def table(self) -> pa.Table:
        """The rows that are held, where they are all; else an empty table, and all are written."""
        if not self.is_long and not self._exact:
            return self._records.table()
        if (self._held or not self.is_long) and not self._failed:
            self._flush()
        return pa.table({})

    # -- the file ------------------------------------------------------------

    @property
    def is_long(self) -> bool:
        """Whether there are so many that they go to the file as they come."""
        return self._parts.state.parts > 0 or self._failed

    @property
    def hints(self) -> tuple[str, ...]:
        """Where the rows are that came, and what the same call does when it is made again."""
        where = f"{self._parts.folder} holds the {self._parts.state.rows:,} rows that came."
        again = (
            "The same call goes on from there."
            if self._stable
            else f"The same call begins anew: the pages of {self._command} may move meanwhile."
        )
        return where, again

    def had(self, first: Page, size: int) -> int:
        """How many pages of this list are written already: those of an interrupted attempt."""
        mark = sha256(first.rows).hexdigest()
        before = self._parts.found() if len(self._counts) == 1 else None
        if before is not None and self._stable and (before.first, before.size) == (mark, size):
            self._parts.state = before
            self._before = before.duplicates
            self._pages, self._counts[-1] = before.pages, first.count or 0
            self._went_on = f"went on after page {before.pages}: those before were written already"
            return before.pages
        if before is not None:
            why = "the list has changed" if self._stable else "its pages may have moved"
            self._went_on = f"begun anew after an interruption: {why}"
        if len(self._counts) == 1:
            self._parts.state = replace(self._parts.state, first=mark, size=size)
        return 0

    def finished(self, result: Result) -> Result:
        """The result of a list that came to its end, in the place of the file."""
        written = self._parts.finish(result, self._group())
        return replace(result, notes=written.notes, written=written.row())

    def broken(self, result: Result) -> Result:
        """The result of a list that broke off."""
        return replace(result, written=self._parts.left(result).row())

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

    def _flush(self) -> None:
        state, options = self._parts.state, self._options
        whole = self._records.drained()
        of_these = Result(whole, Provenance(""))
        paths = any("." in column for column in options.columns or ())
        if paths or not state.kinds:
            laid = laid_out(of_these, self._columns())
            state.kinds = state.kinds or layout(whole, laid, options.columns)
        if not paths:
            laid = whole
        try:
            self._parts.write(laid, self._held, self.duplicates, self._group())
        except CallError:
            self._failed = True
            raise
        self._held = 0
        for note in self.notes:
            self._notes.setdefault(note.partition(":")[0], note)
        self._records.notes.clear()


def _key(connection: Connection, call: Call, wish: Wish, options: Options) -> str:
    """What tells one call to one file from another; nothing of it can be read back."""
    profile = connection.profile
    who = [profile.name, profile.endpoint, repr(connection.client.access.caller)]
    what = [call.command, sorted(call.arguments), options.columns, wish.text, options.file]
    return sha256(json.dumps([who, what]).encode()).hexdigest()
