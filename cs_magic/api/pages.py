"""Every page of a list, some at a time: complete, or said not to be.

The server cuts a list at 500 rows and says nothing; its count is wrong on some
commands; some ignore `page` (`recordings` of every list command). So a list ends on an
empty page, on a page that brings nothing new, or on a short page once page × pagesize
reaches the count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cs_magic.api import sight
from cs_magic.api.access import Authorized
from cs_magic.api.ahead import Ahead
from cs_magic.api.came import Came, Resumable, Rows, Stopped, Told
from cs_magic.api.catalogue import Command
from cs_magic.api.client import Client, Sending, Unwanted
from cs_magic.api.pagesize import PAGESIZE, even, largest_told, learn
from cs_magic.api.records import Records
from cs_magic.api.values import Call, JobReply, Page, Payload, Result, parameter_of
from cs_magic.errors import ApiError, CloudStackError, Unauthorized

# A person who typed one of these has chosen a scope; `listall` and `projectid` stay out.
SCOPED = frozenset({"listall", "account", "domainid", "projectid", "id", "ids"})
_PAGING = frozenset({"page", "pagesize"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a list is wanted: `limit` rows, `only` these fields, text left as text, own only."""

    limit: int | None = None
    only: Sequence[str] | None = None
    text: bool = False
    own: bool = False


def variants(call: Call, command: Command, own: bool = False) -> tuple[Call, ...]:
    """The calls whose rows, united, are everything the caller may see.

    `listall=true` alone leaves projects out; both in one call loses rows for a domain
    admin, so it is asked as two. Neither where the person chose a scope.
    """
    if own or not command.scope or not command.is_read or call.names() & SCOPED:
        return (call,)
    calls = [call.having(listall="true")]
    if "project" in command.scope and not call.names() & _PAGING:
        calls.append(call.having(projectid="-1"))
    return tuple(calls)


class Reader:
    """Reads one call's answer to the end. `kinds` are the documented fields and their kinds.

    `ended` gives what comes of a job; without it that is the job's own row. `stop` is given
    by a thread that works for the person's own, and ends the reading once it is set. `rows`
    take the rows elsewhere than into a table. `sending` is told when a state-changing call goes,
    `told` hears how far a list is, now and then.
    """

    def __init__(
        self,
        client: Client,
        command: Command,
        kinds: Mapping[str, str],
        wish: Wish,
        ended: Callable[[JobReply], Payload] | None = None,
        stop: threading.Event | None = None,
        rows: Resumable | None = None,
        sending: Sending | None = None,
        told: Told | None = None,
    ) -> None:
        self._client = client
        self._sending = sending
        self._command = command
        self._wish = wish
        self._skips_projects = False
        self._ended = ended or (lambda reply: reply)
        self._stop = stop
        self._rows = rows
        self._told = told or (lambda pages, rows, count: None)
        into: Rows = rows or Records(kinds, wish.only, wish.text)
        self._came = Came(client, command.name, into, wish.limit)

    def read(self, call: Call) -> Result:
        """The whole answer.

        Raises:
            Incomplete: the list broke off, or was interrupted; it carries what came.
            ApiError, TransportError, KeyboardInterrupt: nothing came.
        """
        calls = variants(call, self._command, self._wish.own)
        whole = variants(_without_page(call), self._command, self._wish.own)
        self._skips_projects = len(whole) > len(calls)
        scope = [_scope(each, call) for each in calls]
        try:
            for each in calls:
                self._came.begin()
                self._read(each)
            if self._rows:
                self._rows.end()
            return self._came.result(call, scope, missed=self._missed_ids(call))
        except CloudStackError as error:
            problem = error
        except KeyboardInterrupt:
            if not self._came.pages:
                raise
            problem = Stopped("it was stopped")
        raise self._came.broken_off(call, scope, problem) if self._came.pages else problem

    def of(self, call: Call, payload: Payload) -> Result:
        """The result that an answer is which was read elsewhere."""
        self._came.begin()
        self._came.take(payload)
        return self._came.result(call, (_scope(call, call),))

    # -- one list ------------------------------------------------------------

    def _read(self, call: Call) -> None:
        if not self._command.pages or not self._command.is_read:
            self._came.take(self._exchange(call))
        elif call.names() & _PAGING:
            self._take_one(call)
        elif self._came.left != 0:
            size, first = self._first(call)
            if self._resumed(first, size) or self._goes_on(first, 1, size):
                self._read_on(call, size)

    def _resumed(self, first: Payload, size: int) -> bool:
        """Whether the first pages are there already."""
        had = self._rows.had(first, size) if self._rows and isinstance(first, Page) else 0
        if had and isinstance(first, Page):
            self._came.had(had, size, first)
        return had > 0

    def _take_one(self, call: Call) -> None:
        """The page that was typed; it is not the whole where another is, or projects are."""
        this = self._came.this
        payload = self._exchange(call)
        held, _ = self._came.take(payload)
        count = payload.count if isinstance(payload, Page) else None
        this.full = held >= _number(call.given("pagesize"), PAGESIZE)
        if count and held < count:
            this.cut = f"one page as typed: {held} of {count} rows"
        elif _number(call.given("page"), 1) > 1:
            this.cut = "one page as typed"
        if self._skips_projects:
            this.cut = f"{this.cut or 'one page as typed'}, projects not in it"

    def _missed_ids(self, call: Call) -> str:
        """Why typed `ids` gave fewer rows: even a root admin gets only the own ones so."""
        typed = call.given("ids") if self._wish.limit is None else None
        asked = len(set(typed.split(","))) if typed else 0
        if asked > self._came.rows and "listall" in self._command.scope:
            return f"{asked} ids asked for, {self._came.rows} came; try listall=true"
        return ""

    def _read_on(self, call: Call, size: int) -> None:
        """The pages that are left; a session that ends is renewed once, where that can be done."""
        used = self._client.access.used()
        if not self._read_from(len(self._came.this.sizes) + 1, call, size, used):
            self._read_from(len(self._came.this.sizes) + 1, call, size, None)

    def _read_from(self, first: int, call: Call, size: int, used: Authorized) -> bool:
        """Pages, as many at a time as the count promises, then one by one; the last is read.

        False where the session that was used has ended and there is another: read on then.
        """
        last = self._last_page(size)
        workers = min(self._client.profile.workers, max(1, last + 1 - first))

        def fetch(number: int, stop: threading.Event) -> Payload:
            return self._exchange(call.having(page=number, pagesize=size), stop)

        cut = self._client.transport.interrupt
        with Ahead(fetch, first, last, workers, cut, self._tell) as pages:
            try:
                for number, page in pages:
                    if not self._goes_on(page, number, size):
                        break
            except (CloudStackError, KeyboardInterrupt) as error:
                if self._renewed(error, used):
                    return False
                for page in pages.rest() if self._rows is None else ():  # after a gap, no going on
                    self._came.take(page)
                raise
        return True

    def _renewed(self, error: BaseException, used: Authorized) -> bool:
        ended = used is not None and isinstance(error, Unauthorized)
        return ended and self._client.access.another_way(used, foreground=self._stop is None)

    def _first(self, call: Call) -> tuple[int, Payload]:
        """The first page, and its size; what size the server takes is asked beside it, once."""
        limit = self._came.left
        if limit is not None and limit <= PAGESIZE:
            return self._first_of(call, PAGESIZE)
        if self._client.pagesize is not None:
            return self._first_of(call, self._client.pagesize)

        def question(_: int, stop: threading.Event) -> None:
            learn(self._client, stop)

        cut = self._client.transport.interrupt
        with Ahead(question, 1, 1, 1, cut, self._check_wanted) as answer:
            size, first = self._first_of(call, PAGESIZE)
            next(iter(answer))
        own = self._client.pagesize or size
        if own < size or (own > size and self._is_long(first, size)):
            return self._first_of(call, own)
        return size, first

    def _is_long(self, first: Payload, size: int) -> bool:
        """Whether more pages of this size are to come than are asked for at a time."""
        count = first.count if isinstance(first, Page) else None
        wanted = [rows for rows in (count, self._came.left) if rows is not None]
        return count is not None and min(wanted) > size * (self._client.profile.workers + 1)

    def _first_of(self, call: Call, size: int) -> tuple[int, Payload]:
        """The first page of this size at most; of the one that the server takes if it refuses."""
        limit = self._came.left
        if limit is not None and len(self._came.lists) > 1:
            # Of a second list the first may have had some; and one more tells whether it ends.
            size, limit = min(size, (self._wish.limit or 0) + 1), None
        asked = even(limit, size)
        try:
            return asked, self._exchange(call.having(page=1, pagesize=asked))
        except ApiError as error:
            largest = largest_told(error)
            if largest is None or not 0 < largest < asked:
                raise
        self._client.pagesize = largest
        asked = even(limit, min(size, largest))
        return asked, self._exchange(call.having(page=1, pagesize=asked))

    def _last_page(self, size: int) -> int:
        """The last page that will be asked for, by the count: a full one is not the last."""
        this, left = self._came.this, self._came.left
        rows = this.counts[-1] if this.counts else 0
        if left is None:
            return rows // size + 1
        return -(-min(rows, left + this.sizes[0]) // size)

    def _goes_on(self, payload: Payload, number: int, size: int) -> bool:
        """Take a page in; whether there may be another."""
        this = self._came.this
        held, new = self._came.take(payload)
        self._tell()
        if self._rows:
            self._rows.put_down()
        ended = held == 0 or (new == 0 and number > 1)
        this.full = held >= size and not ended
        if ended or self._came.left == 0:
            return False
        count = this.counts[-1] if this.counts else 0
        return held >= size or number * size < count

    def _tell(self) -> None:
        """Say how far it is; a reading that nobody wants any more ends here, between two pages."""
        self._check_wanted()
        self._told(self._came.pages, self._came.rows, self._came.count)

    def _check_wanted(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise Unwanted(Call(self._command.name))

    def _exchange(self, call: Call, stop: threading.Event | None = None) -> Payload:
        is_read = self._command.is_read
        payload = self._client.exchange(
            call,
            is_read=is_read,
            stop=stop or self._stop,
            read=sight.read,
            sending=self._sending,
        )
        if isinstance(payload, JobReply):
            self._came.jobid = payload.jobid
            return self._ended(payload)
        return payload


def _without_page(call: Call) -> Call:
    kept = tuple(pair for pair in call.arguments if parameter_of(pair[0]) not in _PAGING)
    return Call(call.command, kept)


def _number(text: str | None, otherwise: int) -> int:
    """A number that was typed, from 1 on, or the other one."""
    return int(text) if text is not None and text.isdecimal() and int(text) else otherwise


def _scope(sent: Call, typed: Call) -> str:
    added = [
        f"{name}={value}" for name, value in sent.arguments if (name, value) not in typed.arguments
    ]
    return " ".join(added) or "as typed"
