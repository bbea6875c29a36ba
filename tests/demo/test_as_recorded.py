"""Every recorded call of a command that the demo serves, asked by the recorded account.

The demo answers with the same status, content type, envelope, shape, fields, spellings, codes
and paging. `meant.py` is the list of what may differ; `twin.py` puts the demo in the place of
the recorded server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from typing import Any

import meant
import pytest
import recorded as real
from counterparts import ID
from raw import Reply
from replay import Step, recorded
from twin import Twin

from cs_magic.demo.cloud.served import SERVED
from cs_magic.demo.server import Demo, serving

Shape = tuple[Any, ...]
READS = re.compile("get|list|query|log|validate")
MINUTE = 60.0
ERROR = {"errorcode", "errortext"}
RECORDINGS = {
    name: tuple(steps)
    for name, steps in groupby(recorded(), key=lambda step: step.where.rpartition("#")[0])
}
CALLED = {
    name: steps
    for name, steps in RECORDINGS.items()
    if any(step.auth != "integration-port" for step in steps)
}
# There is no second port that asks for no key.
ON_THE_OPEN_PORT = [step.where for step in recorded() if step.auth == "integration-port"]


def test_all_recordings_are_asked_but_those_of_the_open_port():
    assert len(RECORDINGS) == 377
    left = {where.rpartition("#")[0] for where in ON_THE_OPEN_PORT} - CALLED.keys()
    assert RECORDINGS.keys() - CALLED.keys() == left
    assert (len(ON_THE_OPEN_PORT), len(left)) == (29, 3)


def test_of_the_calls_of_served_commands_these_many_are_compared():
    served = [step for steps in CALLED.values() for step in steps if is_served(step)]
    compared_ = sum(len(judged(steps)) for steps in CALLED.values())
    assert (len(served), compared_) == (1224, 1121)


@pytest.fixture(scope="module")
def twin(demo: Demo) -> Twin:
    return Twin(demo)


@contextmanager
def cloud_for(name: str, twin: Twin) -> Iterator[Twin]:
    """The demo of all tests, or one of its own where something is changed or limited."""
    limited = name.startswith("H-")
    changes = (s.command in SERVED and not READS.match(s.command) for s in CALLED[name])
    if not (limited or any(changes) or "lockout" in name):
        yield twin
        return
    limit = (5, MINUTE) if limited else None
    with serving(machines=300, job_seconds=600, throttle=limit) as own:
        yield Twin(own)


@pytest.mark.parametrize("name", CALLED)
def test_it_answers_as_recorded(name: str, twin: Twin) -> None:
    with cloud_for(name, twin) as cloud:
        found = differences(CALLED[name], cloud)
    wheres = {step.where for step in judged(CALLED[name])}
    assert [one for one in found if one[0] in wheres] == []


@pytest.mark.parametrize("name", meant.STEPS)
def test_what_is_meant_to_differ_does(name: str, twin: Twin) -> None:
    with cloud_for(name, twin) as cloud:
        found = {one[0] for one in differences(CALLED[name], cloud)}
    assert {f"{name}#{number}" for number in meant.STEPS[name][1:]} - found == set()


def is_served(step: Step) -> bool:
    return step.auth != "integration-port" and (step.command in SERVED or not step.command)


def judged(steps: tuple[Step, ...]) -> list[Step]:
    """The steps that are held against the demo.

    Not those of commands that it doesn't serve, those that are meant to differ, and those that
    name an id which one of these gave.
    """
    beyond: set[str] = set()
    found = []
    for step in steps:
        asked = set(ID.findall(step.sent["target"] + (step.sent.get("body") or "")))
        if is_served(step) and not meant.step(step.where) and not beyond & asked:
            found.append(step)
        elif step.auth != "integration-port":
            beyond |= set(ID.findall(step.body.decode("utf-8", "replace"))) - asked
    return found


def differences(steps: tuple[Step, ...], twin: Twin) -> list[tuple[str, str, Any, Any]]:
    """Where an answer is another one: the step, in what, the recorded, the demo's."""
    twin.begin()
    found = []
    before = 200
    for step in (one for one in steps if one.auth != "integration-port"):
        if before == 429 and step.status == 200:
            twin.demo.let_pass(MINUTE)
        reply, before = twin.ask(step), step.status
        found += [(step.where, *one) for one in compared(step, reply)]
    return found


def compared(step: Step, reply: Reply) -> Iterator[tuple[str, Any, Any]]:
    """In what two answers differ."""
    pairs = {
        "status": (step.status, reply.status),
        "type": (step.content_type.lower(), reply.content_type.lower()),
        "shape": (shape(step.body), shape(reply.body)),
    }
    different = {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}
    whole = real.whole(step.body) and real.whole(reply.body)
    if different.keys() == {"shape"} and whole and holds_more_or_less(step, reply):
        return
    yield from ((what, *pair) for what, pair in different.items())
    if not different and step.status == 200 and real.whole(step.body):
        yield from contents(step, reply)


def holds_more_or_less(step: Step, reply: Reply) -> bool:
    """Whether only one of two lists is empty, because one cloud has more of it than the other.

    That is so past the end, where the count alone is told, and of the lists that `meant` names.
    """
    [(one, theirs)], [(other, ours)] = (json.loads(b).items() for b in (step.body, reply.body))
    asked = {name.lower(): value for name, value in step.parameters}
    if one != other or theirs.keys() | ours.keys() >= ERROR:
        return False
    if not theirs and step.command in meant.FULLER:
        return cuts(step, len(listed(ours)), ours) != set()
    if "page" not in asked or ["count"] not in ([*theirs], [*ours]):
        return False
    before = (int(asked["page"]) - 1) * int(asked["pagesize"])
    return all((inner["count"] > before) == bool(listed(inner)) for inner in (theirs, ours))


def listed(inner: dict[str, Any]) -> list[Any]:
    """The rows of a list, none where it is empty."""
    return next((value for value in inner.values() if isinstance(value, list)), [])


def shape(body: bytes) -> Shape:
    """What kind of answer it is: the envelope, and the key, the code or the fields within."""
    if not body.strip():
        return ("empty",)
    if not body.startswith(b"{"):
        return ("text", *re.findall(rb"<(\w+)", body)[:2])
    try:
        document = json.loads(body, strict=False)
    except ValueError:
        return ("JSON that can't be read",)
    ((wrapper, inner),) = document.items()
    if inner is None or set(inner) >= ERROR:
        return (wrapper, *((inner or {}).get(name) for name in ("errorcode", "cserrorcode")))
    if "jobid" in inner and set(inner) <= {"jobid", "id"}:
        return wrapper, "job", tuple(inner)
    return wrapper, tuple(inner) if set(inner) - {"count"} and len(inner) < 3 else len(inner) > 0


def contents(step: Step, reply: Reply) -> Iterator[tuple[str, Any, Any]]:
    """In what the rows differ: their fields, how those are written, and how they are paged."""
    ((_, theirs),), ((_, ours),) = (
        json.loads(b, strict=False).items() for b in (step.body, reply.body)
    )
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return
    for key in theirs.keys() & ours.keys() - {"count"}:
        there, here = rows_of(theirs[key]), rows_of(ours[key])
        pool = samples(step.command, key, step.account, details(step)) or there
        yield from fields(step.command, key, pool, here)
        if isinstance(theirs[key], list):
            one, two = cuts(step, len(there), theirs), cuts(step, len(here), ours)
            if not one & two:
                yield "paging", sorted(one), sorted(two)


def fields(
    command: str, key: str, pool: list[Any], rows: list[Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Which fields are missing or new, and which are spelled otherwise."""
    known = {name for row in (*pool, *alike(key)) for name in row}
    always = real.always(pool) - sometimes(key) if pool else set()
    missing = {name for row in rows for name in always - row.keys()}
    new = {name for row in rows for name in row.keys() - known}
    wrong = {name for name in missing | new if not meant.field(command, name)}
    if wrong:
        yield "fields", sorted(wrong & missing), sorted(wrong & new)
    for name in known & {name for row in rows for name in row}:
        here = real.spellings(rows, name)
        there = real.spellings(pool, name) or real.spellings(alike(key), name)
        if "text" not in there and not here <= there and here != {"list"}:
            yield "spelling", (name, sorted(there)), sorted(here)


def rows_of(value: Any) -> list[Any]:
    """The rows of a list, or the one that an object is."""
    rows = value if isinstance(value, list) else [value]
    return [real.without_jobs(row) for row in rows if isinstance(row, dict)]


def details(step: Step) -> str:
    return dict(step.parameters).get("details", "all")


def samples(command: str, key: str, account: str, detail: str) -> list[Any]:
    """All recorded rows of a command, as somebody of this role is shown them."""
    return _samples().get((command, key, role(account), detail), [])


@cache
def alike(key: str) -> list[Any]:
    """All recorded rows under a key, whole ones, whichever command gave them."""
    found = ((k, rows) for k, rows in _samples().items() if k[1] == key and k[3] == "all")
    return [row for _, rows in found for row in rows]


@cache
def sometimes(key: str) -> set[str]:
    """The fields under a key that only some rows have, of some role."""
    found: set[str] = set()
    for (_, other, _, detail), rows in _samples().items():
        if other == key and detail == "all" and rows:
            found |= {name for row in rows for name in row} - real.always(rows)
    return found


def role(account: str) -> str:
    return real.ROLES.get(account, "user").removeprefix("second ")


@cache
def _samples() -> dict[tuple[str, str, str, str], list[Any]]:
    found: dict[tuple[str, str, str, str], list[Any]] = {}
    for step in recorded():
        if step.status == 200 and real.whole(step.body):
            _, inner = real.inner(step)
            for key, value in inner.items() if isinstance(inner, dict) else ():
                where = (step.command, key, role(step.account), details(step))
                found.setdefault(where, []).extend(rows_of(value))
    return found


def cuts(step: Step, rows: int, inner: dict[str, Any]) -> set[str]:
    """In which ways a page of so many rows may have come of the page and the size asked for."""
    asked = {name.lower(): value for name, value in step.parameters}
    count = inner.get("count")
    try:
        page, size = max(1, int(asked["page"])), int(asked["pagesize"])
    except (KeyError, ValueError):
        whole = {"whole"} if rows == count else set()
        return whole | ({"cut at 500"} if rows == min(count or 0, 500) else set())
    ways = {"ignored"} if rows == count else set()
    ways |= {"counts the page"} if rows == count and rows <= size else set()
    ways |= {"cut"} if rows == min(size, max(0, (count or 0) - (page - 1) * size)) else set()
    return ways
