"""How far this machine's clock is from the server's, and what the server's dates look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cs_magic.api import envelope
from cs_magic.api.client import Client
from cs_magic.api.credentials import KeyPair
from cs_magic.api.settling import fitted
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, CloudStackError
from cs_magic.verify.findings import Finding, Section, said, shape

DAY = 24 * 3600
TOLERATED = 60  # seconds; of a signature's ten minutes as many are lost
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T|'T')\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?")


def clock(client: Client) -> tuple[Section, timedelta]:
    """The clock, and how much later it is at the server; zero where that can't be told.

    CloudStack tells no time. But it refuses a signature whose `expires` is over, so the
    earliest one that it takes is its time, found by halving.
    """
    used = client.access.used() or client.profile.credentials
    if not isinstance(used, KeyPair) or not _moment(used, client.clock()):
        return Section("Clock", "of no matter: these calls don't run out"), timedelta()
    try:
        seconds = _halved(client, used)
    except CloudStackError as error:
        problem = Finding("problem", "", said(error, client.profile))
        return Section("Clock", "could not be told", (problem,)), timedelta()
    if isinstance(seconds, str):
        return Section("Clock", seconds, (Finding("note", "", seconds),)), timedelta()
    ahead = "ahead of" if seconds < 0 else "behind"
    text = f"this machine's is {_spoken(abs(seconds))} {ahead} the server's"
    if abs(seconds) <= 1:
        text = "this machine's is the server's, to the second"
    wrong = abs(seconds) > TOLERATED
    why = f"{text}: signatures last ten minutes, set the clock"
    findings = (Finding("problem", "", why),) if wrong else ()
    return Section("Clock", text, findings), timedelta(seconds=seconds)


def _halved(client: Client, keys: KeyPair) -> int | str:
    """How many seconds later it is at the server, or why that can't be told."""
    least, most = -DAY, DAY
    if not _takes(client, keys, most):
        return "can't be told: the server refuses each call of these keys, whatever its time"
    if _takes(client, keys, least):
        return "can't be told: the server takes a call whose time is over"
    while most - least > 1:
        middle = (least + most) // 2
        if _takes(client, keys, middle):
            most = middle
        else:
            least = middle
    return most


def _takes(client: Client, keys: KeyPair, seconds: int) -> bool:
    """Does the server take a call that runs out so many seconds after this machine's now?"""
    now = client.clock()
    lasts = _moment(keys, now)
    assert lasts is not None
    signed_at = now + timedelta(seconds=seconds) - (lasts - now)
    request = keys.authorize(Call("listCapabilities"), client.profile.endpoint, signed_at)
    response = client.transport.send(replace(request, is_read=True))
    try:
        envelope.read(request.command, response)
    except ApiError as error:
        if error.errorcode != 401:
            raise
        return False
    return True


def _moment(keys: KeyPair, now: datetime) -> datetime | None:
    """When a call signed now runs out; None for never."""
    form = dict(keys.authorize(Call("listCapabilities"), "", now).form)
    told = form.get("expires")
    return None if told is None else datetime.strptime(told, "%Y-%m-%dT%H:%M:%S%z")


def _spoken(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{seconds} s" if seconds < 120 else f"{minutes} min {rest} s"


@dataclass(slots=True)
class Dates:
    """The dates that came, as they were written: how many with which offset, and odd ones."""

    offsets: Counter[str] = field(default_factory=Counter)
    newest: tuple[datetime, str] | None = None
    odd: dict[str, str] = field(default_factory=dict)

    def meet(self, where: str, value: object) -> None:
        """Take a date in; `where` is its command and field."""
        if not isinstance(value, str) or not value:
            return
        moment, found = _read(value), _DATE.fullmatch(value)
        if moment is None or found is None or found[1] is None:
            self.odd.setdefault(where, shape(value))
            return
        self.offsets[found[1]] += 1
        if where.endswith(".created") and (self.newest is None or moment > self.newest[0]):
            self.newest = (moment, where)

    def section(self, now: datetime, later: timedelta) -> Section:
        """What they tell; `later` is how much later it is at the server."""
        findings = tuple(self._findings(now.astimezone(UTC) + later))
        return Section("Time zones", _of(self.offsets), findings)

    def _findings(self, there: datetime) -> Iterator[Finding]:
        for where, look in self.odd.items():
            yield Finding("problem", where, f"a date without a time zone, or none: {look}")
        if self.newest is not None and self.newest[0] > there + timedelta(seconds=TOLERATED):
            ahead = self.newest[0] - there
            text = f"was created {_spoken(int(ahead.total_seconds()))} from now: a wrong time zone?"
            yield Finding("problem", self.newest[1], text)


def _read(text: str) -> datetime | None:
    """The date that our client makes of a text; None where it makes none."""
    try:
        moment: datetime | None = fitted("date", text)
    except ValueError:
        return None
    return moment


def _of(offsets: Mapping[str, int]) -> str:
    if not offsets:
        return "no date came"
    told = ", ".join(f"{number:,} with {offset}" for offset, number in sorted(offsets.items()))
    return f"{sum(offsets.values()):,} dates: {told}"
