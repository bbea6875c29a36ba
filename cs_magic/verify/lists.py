"""Every list that the role has: its pages against the server's counts, its fields' types.

A list of up to 500 rows is also read in parts. Of a longer one, and of up to 2,000 rows, the
number is held against the count, and no row may come twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cs_magic.api.catalogue import Catalogue, Command, Field
from cs_magic.api.columns import kind_of
from cs_magic.api.lenient import loads
from cs_magic.api.pages import variants
from cs_magic.api.records import rows_of
from cs_magic.api.settling import fitted
from cs_magic.api.values import Call, Options, Page
from cs_magic.connection import Connection
from cs_magic.errors import ApiError, CallError, CloudStackError, Incomplete, TransportError
from cs_magic.verify.clocks import Dates
from cs_magic.verify.findings import Finding, Section, said, shape, worst_of

Row = dict[str, Any]
Tell = Callable[[str], None]

MOST = 2_000  # rows that are read of a list
FIRST = 500  # of which so many are looked at
MONTHS = 12  # that are looked through for one with records
ATTEMPTS = 3  # at a list in which something is wrong: things may come and go meanwhile
# These ask something beyond CloudStack, a hypervisor or a directory, for what it holds.
OUTSIDE = frozenset(
    "listLdapUsers listStoragePoolObjects listTemplateDirectDownloadCertificates"
    " listUnmanagedInstances listVmsForImport listVmwareDcVms listVolumesForImport".split()
)
_DAYS = ("startdate", "enddate")
_SHOWN = 8  # fields that are named
_WORDS = {"templatefilter": "executable", "resourcetype": "UserVm", "type": "PRIMARY"}


@dataclass(slots=True)
class Read:
    """What came of one list."""

    rows: int = 0
    count: int | None = None
    state: str = "ok"
    findings: list[Finding] = field(default_factory=list)

    @property
    def told(self) -> str:
        """How it went, in a word or some."""
        worst = worst_of(self.findings)
        return worst if self.state == "ok" and worst != "ok" else self.state


@dataclass
class Lists:
    """Reads list after list; `dates` are those that came, `ids` the first of each list."""

    connection: Connection
    catalogue: Catalogue
    dates: Dates = field(default_factory=Dates)
    ids: dict[str, str] = field(default_factory=dict)

    def section(self, tell: Tell) -> Section:
        """Every list command that there is; those that need an id come after the others."""
        commands = [
            command
            for command in self.catalogue.commands.values()
            if command.name.startswith("list") and command.is_read and command.name not in OUTSIDE
        ]
        commands.sort(key=lambda command: (len(command.required), command.name.lower()))
        found: dict[str, Read] = {}
        for number, command in enumerate(commands, 1):
            tell(f"{number}/{len(commands)} {command.name}")
            found[command.name] = self._read(command)
        read = [one for one in found.values() if one.state == "ok"]
        rows = sum(one.rows for one in read)
        summary = f"{len(read)} of {len(commands)} lists were read, {rows:,} rows"
        table = [
            (name, f"{one.rows:,}", "" if one.count is None else f"{one.count:,}", one.told)
            for name, one in sorted(found.items(), key=lambda item: item[0].lower())
        ]
        findings = [finding for one in found.values() for finding in one.findings]
        return Section("Lists", summary, tuple(findings), tuple(table))

    def _read(self, command: Command) -> Read:
        call = self._call(command)
        if isinstance(call, str):
            return Read(state=call)
        for _ in range(ATTEMPTS - 1):
            read = self._once(command, call)
            if worst_of(read.findings) != "problem":
                return read
        return self._once(command, call)  # it is no list that somebody was just changing

    def _once(self, command: Command, call: Call) -> Read:
        try:
            return self._compared(command, call)
        except (ApiError, CallError) as error:
            told = said(error, self.connection.profile)
            refused = Read(state="refused")
            refused.findings.append(Finding("note", command.name, told))
            return refused
        except CloudStackError as error:
            told = said(error, self.connection.profile)
            return Read(state="failed", findings=[Finding("problem", command.name, told)])

    def _call(self, command: Command) -> Call | str:
        """A call with what the command cannot do without, or why there is none."""
        days = dict(zip(_DAYS, _week(datetime.now(UTC).date()), strict=True))
        call = Call(command.name)
        for parameter in command.required:
            known = (self.ids.get(name) for name in parameter.related)
            value = (_WORDS | days).get(parameter.name) or next(filter(None, known), None)
            if value is None:
                return f"not asked: it needs {parameter.name}"
            call = call.having(**{parameter.name: value})
        return self._with_records(command, call) if call.given("startdate") else call

    def _with_records(self, command: Command, call: Call) -> Call:
        """The call for its last week, or for the last month before in which there is anything."""
        today = datetime.now(UTC).date()
        months = (today - timedelta(days=30 * number) for number in range(1, MONTHS + 1))
        spans = [_week(today), *((str(day), str(day + timedelta(days=30))) for day in months)]
        for span in spans:
            asked = call.having(**dict(zip(_DAYS, span, strict=True)))
            try:
                if self._page(asked, command, 1).rows:
                    return asked
            except CloudStackError:
                return call  # reading it tells
        return call

    def _compared(self, command: Command, call: Call) -> Read:
        """Read a list as anybody does; then hold its first rows against the same in parts."""
        try:
            result = self.connection.run(call, Options(limit=MOST))
        except Incomplete as broken:
            raise broken.reason from None
        came = result.provenance
        read = Read(came.rows, came.count)
        if came.complete is False and not came.reason.startswith("limited to"):
            read.findings.append(Finding("problem", command.name, came.reason))
        elif came.complete is None:
            read.findings.append(Finding("note", command.name, came.reason))
        for repaired in result.notes:
            if "repaired" in repaired or "replaced" in repaired:
                read.findings.append(Finding("note", command.name, repaired))
        twice = came.duplicates + _twice(rows_of(result.table))
        if twice:
            text = f"{twice} of {came.rows} rows came more than once"
            read.findings.append(Finding("problem", command.name, text))
        size = min(FIRST, self.connection.client.pagesize or FIRST)
        first = self._page(variants(call, command)[0], command, size)
        read.findings += typed(command, first.rows, self.dates)
        if first.rows and isinstance(first.rows[0].get("id"), str):
            self.ids[command.name] = first.rows[0]["id"]
        if command.pages:
            read.findings += self._parts(command, variants(call, command)[0], first)
        return read

    def _page(self, call: Call, command: Command, size: int, number: int = 1) -> Part:
        asked = call.having(page=number, pagesize=size) if command.pages else call
        payload = self.connection.client.exchange(asked, is_read=True)
        if not isinstance(payload, Page):
            if command.pages:
                raise TransportError("it answers with one object, and no list")
            return Part([], None)
        rows = [row for row in loads(payload.rows.decode()) if isinstance(row, dict)]
        return Part(rows, payload.count)

    def _parts(self, command: Command, call: Call, whole: Part) -> Iterator[Finding]:
        """The same list in three pages or so: the same rows, none twice, and the same count."""
        total = len(whole.rows)
        if total < 2 or (whole.count or 0) > total:
            return
        size = -(-total // 3)
        parts = [self._page(call, command, size, 1)]
        if len(parts[0].rows) > size:
            yield Finding("note", command.name, "page and pagesize are ignored")
            return
        parts += [self._page(call, command, size, page) for page in range(2, -(-total // size) + 1)]
        if parts[0].keys == parts[-1].keys:
            yield Finding("note", command.name, "page is ignored: each page is the first")
            return
        yield from _judged(command.name, whole, parts)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a page, and the server's count."""

    rows: list[Row] = field(repr=False)
    count: int | None

    @property
    def keys(self) -> list[str]:
        """What tells the rows apart."""
        return [str(_identity(row) if "id" in row else row) for row in self.rows]


def _identity(row: Row) -> tuple[Any, Any]:
    """What no two rows of a list have: a template is listed once for each zone."""
    return row.get("id"), row.get("zoneid")


def _twice(rows: Sequence[Row]) -> int:
    """How many rows came before, where they have ids."""
    known = [_identity(row) for row in rows if row.get("id") is not None]
    return len(known) - len(set(known))


def _week(today: date) -> tuple[str, str]:
    return str(today - timedelta(days=7)), str(today)


def _judged(name: str, whole: Part, parts: Sequence[Part]) -> Iterator[Finding]:
    """What is wrong with the parts of a whole."""
    together = [key for part in parts for key in part.keys]
    lost = len(set(whole.keys) - set(together))
    twice = len(together) - len(set(together))
    if lost or twice:
        text = f"in pages of {len(parts[0].rows)}, {lost} of {len(whole.rows)} rows were missing"
        moved = "" if not twice else f", {twice} came twice"
        yield Finding("problem" if lost else "note", name, text + moved)
    counts = [part.count for part in parts if part.rows]
    if counts == [len(part.rows) for part in parts if part.rows]:
        yield Finding("note", name, "the count is that of the page, and no total")
    elif set(counts) != {whole.count}:
        told = ", ".join(map(str, dict.fromkeys([whole.count, *counts])))
        yield Finding("problem", name, f"the count is another one on each page: {told}")


def typed(command: Command, rows: Sequence[Row], dates: Dates) -> list[Finding]:
    """The fields that are not of their documented type, and those that are not documented.

    One that is nested is a note: a frame keeps what is nested as it came.
    """
    wrong: dict[str, str] = {}
    unknown: dict[str, None] = {}
    _look(command.name, command.fields, rows, dates, wrong, unknown)
    found = [
        Finding("note" if where.count(".") > 1 else "problem", where, text)
        for where, text in wrong.items()
    ]
    names = [name.removeprefix(f"{command.name}.") for name in unknown]
    if names and command.fields:
        shown = " ".join(names[:_SHOWN])
        shown += f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        found.append(Finding("note", command.name, f"fields that nothing documents: {shown}"))
    return found


def _look(
    where: str,
    fields: Sequence[Field],
    rows: Sequence[Row],
    dates: Dates,
    wrong: dict[str, str],
    unknown: dict[str, None],
) -> None:
    known = {one.name: one for one in fields}
    for row in rows:
        for name, value in row.items():
            place = f"{where}.{name}"
            documented = known.get(name)
            if documented is None:
                unknown[place] = None
                continue
            problem = _misfit(documented, value)
            if problem:
                wrong.setdefault(place, problem)
            if documented.kind == "date":
                dates.meet(place, value)
            if documented.fields and isinstance(value, list | dict):
                inner = value if isinstance(value, list) else [value]
                dicts = [one for one in inner if isinstance(one, dict)]
                _look(place, documented.fields, dicts, dates, wrong, unknown)


def _misfit(documented: Field, value: Any) -> str:
    """Why a value is not of its documented type, without the value; "" where it is."""
    kind = kind_of(documented.name, documented.kind or "unknown")
    if value is None or kind == "unknown" or (kind == "date" and isinstance(value, str)):
        return ""  # dates are judged together
    try:
        fitted(kind, value)
    except ValueError:
        return f"is documented as {documented.type} and came as {shape(value)}"
    if kind == "nested" and not isinstance(value, list | dict | str):
        return f"is documented as {documented.type} and came as {shape(value)}"
    return ""
