"""A server in this process that pages as CloudStack does, with its quirks, for tests of reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from servers import KEYS, Scripted, listed, reply, ticking

from cs_magic.api.catalogue import Command, Parameter
from cs_magic.api.client import Client
from cs_magic.api.pages import Reader, Wish
from cs_magic.api.profile import Profile
from cs_magic.api.records import rows_of
from cs_magic.api.values import Call, Response, Result

Rows = list[dict[str, Any]]
PAGED = (Parameter("page", "integer"), Parameter("pagesize", "integer"))
THINGS = Command("listThings", parameters=PAGED)
SCOPED = Command(
    "listThings", parameters=(*PAGED, Parameter("projectid")), scope=("listall", "project")
)
UNPAGED = Command("listThings")
FORBIDDEN = reply(b'{"x":{"errorcode":432,"errortext":"not available"}}', 432)
TOO_BIG = (
    '{"x":{"errorcode":431,"errortext":"Page size can\'t exceed max allowed page size value: %d"}}'
)


def things(number: int, first: int = 0) -> Rows:
    """Rows with ids `first`, `first + 1` …"""
    return [{"id": f"t{n:04}", "name": f"thing {n}"} for n in range(first, first + number)]


class Things:
    """Answers `listThings` page by page.

    Args:
        rows: what there is; `project` what `projectid=-1` lists.
        total: the count of a page from its number and its rows; None for no count.
        page_of: the rows of a page, where the server does not simply cut.
        largest: the greatest page size it takes, and what listConfigurations says.
        told: whether listConfigurations is allowed.
        failing: page number → response or exception, instead of the page.
        always: one answer to everything.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        project: Rows | None = None,
        total: Callable[[int, Rows], int | None] | None = None,
        page_of: Callable[[Rows, int, int], Rows] | None = None,
        largest: int = 10,
        told: bool = True,
        failing: dict[int, Any] | None = None,
        always: bytes | None = None,
    ) -> None:
        self.rows = rows
        self.project = project or []
        self.total = total
        self.page_of = page_of or (lambda rows, page, size: rows[(page - 1) * size : page * size])
        self.largest = largest
        self.told = told
        self.failing = failing or {}
        self.transport = Scripted(self.answer)
        self.always = always

    def answer(self, form: dict[str, str]) -> Response:
        """The reply to a form."""
        if self.always is not None:
            return reply(self.always)
        if form["command"] == "listConfigurations":
            return self._settings()
        rows = self.project if form.get("projectid") == "-1" else self.rows
        if "page" not in form:
            return reply(listed("thing", rows, len(rows)))
        page, size = int(form["page"]), int(form["pagesize"])
        if size > self.largest:
            return reply((TOO_BIG % self.largest).encode(), 431)
        if page in self.failing:
            given = self.failing[page]
            if isinstance(given, BaseException):
                raise given
            return given  # type: ignore[no-any-return]
        cut = self.page_of(rows, page, size)
        total = len(rows) if self.total is None else self.total(page, cut)
        return reply(listed("thing", cut, total if rows else None))

    def _settings(self) -> Response:
        if not self.told:
            return FORBIDDEN
        found = [
            {"name": "default.page.size.other", "value": "3"},
            {"name": "default.page.size", "value": str(self.largest)},
        ]
        return reply(listed("configuration", found, 2))

    def client(self, workers: int = 4) -> Client:
        """A client of this server that never waits."""
        profile = Profile("test", "https://host/client/api", KEYS, workers=workers)
        return Client(profile, self.transport, ticking(), lambda *_: None)

    def read(
        self,
        call: Call | None = None,
        wish: Wish | None = None,
        command: Command = THINGS,
        workers: int = 4,
        client: Client | None = None,
    ) -> Result:
        """The whole answer to `listThings`; the page size that is told is known already."""
        if client is None:
            client = self.client(workers)
            client.pagesize = self.largest if self.told else None
        return Reader(client, command, {}, wish or Wish()).read(call or Call("listThings"))

    @property
    def asked(self) -> list[tuple[str, str]]:
        """(page, pagesize) of every listThings that came."""
        return [
            (form.get("page", ""), form.get("pagesize", ""))
            for form in self.transport.forms
            if form["command"] == "listThings"
        ]


def came(result: Result) -> Rows:
    """The rows of a result."""
    return rows_of(result.table)


def names(result: Result) -> Sequence[str]:
    """The ids of a result's rows."""
    return [row["id"] for row in came(result)]


def facts(result: Result, *wanted: str) -> tuple[Any, ...]:
    """Some of a result's provenance."""
    return tuple(json.loads(json.dumps(getattr(result.provenance, name))) for name in wanted)
