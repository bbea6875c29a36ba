"""What recorded rows of a kind look like: their fields, how those are written, what is within."""

from __future__ import annotations

from collections import Counter
from functools import cache, cached_property
from typing import Any

import recorded as real
from replay import recorded

Row = dict[str, Any]
MANY = 10
# Maps whose keys are somebody's data, not fields.
MAPS = {
    "accountdetails",
    "details",
    "domaindetails",
    "resourcedetails",
    "templatedetails",
    "vmdetails",
}


class Looks:
    """What is true of all of some rows, and of the rows within them."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self._spelled: dict[str, set[str]] = {}
        self._within: dict[str, Looks] = {}

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def fields(self) -> set[str]:
        """The fields that any row has."""
        return {name for row in self.rows for name in row}

    @cached_property
    def always(self) -> set[str]:
        """The fields that every row has."""
        return real.always(self.rows) if self.rows else set()

    @cached_property
    def usual(self) -> set[str]:
        """The fields that most of many rows have."""
        most = len(self.rows) // 2
        counted = Counter(name for row in self.rows for name in row)
        return {n for n, rows in counted.items() if rows > most} if len(self) >= MANY else set()

    def spelled(self, name: str) -> set[str]:
        """How a field is written."""
        if name not in self._spelled:
            self._spelled[name] = real.spellings(self.rows, name)
        return self._spelled[name]

    def within(self, name: str) -> Looks:
        """The rows that a field holds, or the one that is an object."""
        if name not in self._within:
            held = (row[name] for row in self.rows if name in row)
            lists = (value if isinstance(value, list) else [value] for value in held)
            rows = [real.without_jobs(r) for rs in lists for r in rs if isinstance(r, dict)]
            self._within[name] = Looks(rows)
        return self._within[name]

    def at(self, path: tuple[str, ...]) -> Looks:
        """The rows at the end of a path of fields."""
        return self.within(path[0]).at(path[1:]) if path else self

    @property
    def nested(self) -> set[str]:
        """The fields that hold rows, but for those whose keys are data."""
        return {name for name in self.fields if self.within(name).rows} - MAPS


def of(command: str, who: str, detail: str) -> Looks:
    """What a command answers to somebody of a role; nothing where that is not recorded."""
    return _groups().get((command, who, detail), Looks([]))


@cache
def alike(path: tuple[str, ...], who: str = "") -> Looks:
    """All recorded rows at a path, whole ones, whichever command gave them; of a role, if named."""
    found = [
        looks.at(path).rows
        for (_, other, detail), looks in _groups().items()
        if detail == "all" and who in ("", other)
    ]
    return Looks([row for rows in found for row in rows])


@cache
def sometimes(path: tuple[str, ...]) -> set[str]:
    """The fields at a path that only some rows have, of some command and role."""
    all_of = (looks.at(path) for (_, _, detail), looks in _groups().items() if detail == "all")
    return set().union(*(looks.fields - looks.always for looks in all_of))


def asked(command: str, answer: Any) -> str:
    """The command; of what became of a job, whose job it is and how far."""
    if command == "queryAsyncJobResult" and isinstance(answer, dict) and "jobstatus" in answer:
        return f"{command} {str(answer['cmd']).rpartition('.')[2]} {answer['jobstatus']}"
    return command


def role_here(account: str) -> str:
    """The role of who stands for a recorded account in the demo: it has one with a pin."""
    return "root" if account == "x2fa" else role(account)


def role(account: str) -> str:
    """Which of the demo's roles a recorded account is."""
    return real.ROLES.get(account, "user").removeprefix("second ")


@cache
def _groups() -> dict[tuple[str, str, str], Looks]:
    found: dict[tuple[str, str, str], list[Row]] = {}
    for step in recorded():
        # On the open port everybody is shown what a root admin is.
        if step.status == 200 and real.whole(step.body) and step.auth != "integration-port":
            _, inner = real.inner(step)
            if isinstance(inner, dict):
                detail = dict(step.parameters).get("details", "all")
                where = (asked(step.command, inner), role(step.account), detail)
                found.setdefault(where, []).append(inner)
    return {where: Looks(inners) for where, inners in found.items()}
