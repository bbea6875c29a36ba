"""What came of a call: its rows, page by page, and whether they are all there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from cs_magic.api.client import Client
from cs_magic.api.completeness import ListRead, cut_by_limit
from cs_magic.api.masks import masked_arguments
from cs_magic.api.unbroken import unbroken
from cs_magic.api.values import Call, Document, JobReply, Page, Payload, Provenance, Result
from cs_magic.errors import CloudStackError, Incomplete

if TYPE_CHECKING:
    import pyarrow as pa


# How far it is: pages, rows, and the server's count where there is one.
Told = Callable[[int, int, int | None], None]


class Stopped(CloudStackError):
    """Somebody pressed the stop button."""


class Rows(Protocol):
    """Where the rows of a call go: `Records`, or what writes them as they come."""

    @property
    def duplicates(self) -> int:
        """How many were met twice and dropped."""

    @property
    def overlap(self) -> int:
        """How many an earlier list had, too."""

    @property
    def notes(self) -> dict[str, None]:
        """What there is to say of the values."""

    @property
    def rows(self) -> int:
        """How many were kept."""

    @property
    def secrets(self) -> Mapping[str, Mapping[int, Any]]:
        """What is masked in the table, by column and row."""

    def begin(self) -> None:
        """Another list begins."""

    def add(self, page: Page, limit: int | None = None) -> tuple[int, int]:
        """Take a page's rows in: how many it held, and how many of them this list didn't have."""

    def table(self) -> pa.Table:
        """The rows as an Arrow table."""


class Resumable(Rows, Protocol):
    """Rows that may have the first pages of a list from another time."""

    def had(self, first: Page, size: int) -> int:
        """How many pages of this size are there, told what the first one holds now."""

    def put_down(self) -> None:
        """A page was taken in whole: a longer piece of work that may be broken off."""

    def end(self) -> None:
        """No page comes any more."""


class Came:
    """Takes the pages of one call, of one list or of several."""

    def __init__(self, client: Client, command: str, rows: Rows, limit: int | None) -> None:
        self.lists: list[ListRead] = []
        self.pages = 0
        self.jobid = ""
        self._client, self._command, self._limit = client, command, limit
        self._rows = rows
        self._key: str | None = None
        self._began = time.monotonic()

    @property
    def this(self) -> ListRead:
        """The list that is read now."""
        return self.lists[-1]

    @property
    def rows(self) -> int:
        """How many rows were kept."""
        return self._rows.rows

    @property
    def left(self) -> int | None:
        """How many rows the limit leaves; None where there is no limit."""
        return None if self._limit is None else max(0, self._limit - self.rows)

    @property
    def count(self) -> int | None:
        """How many rows the server counts, of the lists that have begun."""
        return sum(this.counts[-1] for this in self.lists if this.counts) or None

    def begin(self) -> None:
        """Another list begins."""
        self.lists.append(ListRead())
        self._rows.begin()

    def take(self, payload: Payload) -> tuple[int, int]:
        """Take an answer in, whole: how many rows it held, and how many this list didn't have."""
        page = _as_page(payload)
        with unbroken():
            held, new = self._rows.add(page, self._limit)
            this = self.this
            if isinstance(payload, Page) and page.count is not None:
                this.counts.append(page.count)
            this.sizes.append(held)
            this.fresh += new
            self.pages += 1
            self._key = self._key or page.key
        return held, new

    def had(self, pages: int, size: int, first: Page) -> None:
        """The first pages of this list were taken at another time; `first` is what it has now."""
        self.this.counts += [] if first.count is None else [first.count]
        self.this.sizes += [size] * pages
        self.this.fresh += self.rows
        self.pages += pages
        self._key = first.key

    def result(
        self, call: Call, scope: Sequence[str], problem: str = "", missed: str = ""
    ) -> Result:
        """All that came; `problem` and `missed` say why it isn't complete."""
        table = self._rows.table()
        complete, reason = self._verdict(problem or missed)
        counts = [this.counts[-1] for this in self.lists if this.counts]
        provenance = Provenance(
            command=self._command,
            arguments=masked_arguments(call.arguments),
            profile=self._client.profile.name,
            host=self._client.profile.host,
            scope=tuple(scope),
            rows=self.rows,
            count=sum(counts) - self._rows.overlap if counts else None,
            pages=self.pages,
            duplicates=self._rows.duplicates,
            limit=self._limit,
            seconds=time.monotonic() - self._began,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            complete=complete,
            reason=reason,
            jobid=self.jobid,
        )
        return Result(table, provenance, self._key, tuple(self._rows.notes), self._rows.secrets)

    def broken_off(self, call: Call, scope: Sequence[str], problem: CloudStackError) -> Incomplete:
        """The error that carries what came before a problem."""
        result = self.result(call, scope, f"broken off: {problem}")
        rows, pages = result.provenance.rows, result.provenance.pages
        return Incomplete(
            f"{self._command} broke off after {pages} pages, {rows:,} rows: {problem}",
            *problem.hints,
            "error.result holds the rows that came.",
            result=result,
            reason=problem,
        )

    def _verdict(self, problem: str) -> tuple[bool | None, str]:
        """Complete: True, False with the reason, or None where the server gives no total."""
        if problem:
            return False, problem
        limited = cut_by_limit(self.lists, self.rows, self._rows.overlap, self._limit)
        if limited is not None:
            return limited
        told = (this.verdict() for this in self.lists)
        return next((one for one in told if one[0] is not True), (True, ""))


def _as_page(payload: Payload) -> Page:
    """An answer that is one object is a table of one row."""
    if isinstance(payload, Document):
        return Page(payload.key, 1, b"[" + payload.fields + b"]", payload.notes)
    if isinstance(payload, JobReply):
        facts = {"jobid": payload.jobid} | ({"id": payload.id} if payload.id else {})
        return Page("job", 1, b"[" + msgspec.json.encode(facts) + b"]")
    return payload
