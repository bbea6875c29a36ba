"""What a real server's rows look like, from tests/recordings: the judge of the demo's rows."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from replay import Step, recorded

Row = dict[str, Any]

# Which of the demo's roles a recorded account is.
ROLES = {
    "admin": "root",
    "radmin": "second root",
    "da": "domain admin",
    "u1": "user",
    "u2": "user",
    "u3": "user",
}
# A row of something that a job works on names the job, as long as it does.
OF_JOBS = {"jobid", "jobstatus"}
SPELLINGS = {
    name: re.compile(pattern)
    for name, pattern in {
        "date": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000",
        "percent": r"-?[\d.]+%",
        "speed": r"[\d.]+ Ghz",
        "gigabytes": r"[\d.]+ GB",
        "gigabytes, overprovisioned": r"[\d.]+ GB \(x[\d.]+\)",
        "gibibytes": r"[\d.]+ GiB",
        "mebibytes": r"[\d.]+ MiB",
        "hours": r"[\d.]+ Hrs",
        "bytes": r"\d+ bytes (?:sent|received)",
        "of": r"\d+ / \d+",
        "number": r"-?\d+(?:\.\d+)?",
        "Unlimited": r"Unlimited",
        "id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "address": r"\d+\.\d+\.\d+\.\d+",
        "network": r"\d+\.\d+\.\d+\.\d+/\d+(?:,\d+\.\d+\.\d+\.\d+/\d+)*",
    }.items()
}


def inner(step: Step) -> tuple[str, Any]:
    """The envelope's key and what it holds."""
    ((wrapper, held),) = json.loads(step.body, strict=False).items()
    return wrapper, held


def good(step: Step) -> bool:
    """Whether a step is a whole, good answer to somebody whose role the demo has."""
    details = dict(step.parameters).get("details", "all")
    return (
        step.status == 200
        and step.account in ROLES
        and details == "all"
        and step.content_type.startswith("application/json")
        and whole(step.body)
    )


def whole(body: bytes) -> bool:
    """Whether a body is one JSON document: CloudStack spoils a stored backslash, see E-async/15."""
    try:
        return isinstance(json.loads(body, strict=False), dict)
    except ValueError:
        return False


@cache
def answers() -> dict[str, dict[str, dict[str, list[Row]]]]:
    """Per command, inner key and role, the rows that were recorded."""
    found: dict[str, dict[str, dict[str, list[Row]]]] = {}
    for step in recorded():
        if good(step):
            _, held = inner(step)
            for key, value in held.items() if isinstance(held, dict) else ():
                rows = value if isinstance(value, list) else [value]
                rows = [without_jobs(row) for row in rows if isinstance(row, dict)]
                if rows:
                    role = ROLES[step.account].removeprefix("second ")
                    by_role = found.setdefault(step.command, {}).setdefault(key, {})
                    by_role.setdefault(role, []).extend(rows)
    return found


def without_jobs(row: Row) -> Row:
    """A row without the job that was working on it."""
    return {name: value for name, value in row.items() if name not in OF_JOBS}


@cache
def wrappers() -> dict[str, str]:
    """Per command, the envelope's key."""
    return {step.command: inner(step)[0] for step in recorded() if good(step)}


@cache
def documented() -> dict[str, Row]:
    """The entries of listApis as the root admin was shown them."""
    return {row["name"]: row for row in answers()["listApis"]["api"]["root"]}


def order(rows: list[Row]) -> list[str]:
    """The fields of the rows in the server's order, though no row has them all."""
    fields: list[str] = []
    for row in sorted(rows, key=len, reverse=True):
        before: str | None = None
        for name in row:
            if name not in fields:
                fields.insert(0 if before is None else fields.index(before) + 1, name)
            before = name
    return fields


def always(rows: list[Row]) -> set[str]:
    """The fields that every row has."""
    return set.intersection(*(set(row) for row in rows))


def sometimes(command: str, key: str) -> set[str]:
    """The fields that only some rows have, whoever asked."""
    roles = answers()[command][key].values()
    return set().union(*(set(order(rows)) - always(rows) for rows in roles))


def spelling(value: Any) -> str:
    """How a value is written: its type, or what kind of text it is."""
    return _of_text(value) if isinstance(value, str) else type(value).__name__


@cache
def _of_text(text: str) -> str:
    return next((name for name, kind in SPELLINGS.items() if kind.fullmatch(text)), "text")


def spellings(rows: list[Row], name: str) -> set[str]:
    """How a field is written in some rows."""
    return {spelling(row[name]) for row in rows if name in row}


# How values are written that are no texts.
NO_TEXT = {"int", "float", "bool", "dict", "list", "NoneType"}


def misspelled(here: set[str], there: set[str]) -> set[str]:
    """Which ways of writing a field are none of the recorded ones: free text may look like any."""
    return {one for one in here - there if one in NO_TEXT or "text" not in there}
