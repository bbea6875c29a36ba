"""How a state-changing call whose answer was lost can be found again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from uuid import uuid4

from cs_magic.api.catalogue import Command, Parameter, bundled
from cs_magic.api.kinds import kind_of
from cs_magic.api.values import Call
from cs_magic.errors import FateUnknown, TransportError

TRACE = "customjobid"  # the parameter that is the id of a job
# Their answers tell how it went, and look alike whatever they are about.
_SAY_LITTLE = frozenset({"success", "displaytext", "jobid", "jobstatus"})


def traceable(call: Call, command: Command | None) -> Call:
    """The call with an id for its job chosen here, so that a lost answer loses no job.

    One that was typed stays; a command that isn't known to give a job is left as it is.
    """
    if command is None or not command.is_async or call.given(TRACE) is not None:
        return call
    return call.having(**{TRACE: str(uuid4())})


def fate(call: Call, error: TransportError) -> FateUnknown:
    """The error that a state-changing call ends in when its answer is lost."""
    job = call.given(TRACE) or ""
    again = " before sending it again."
    look = _look(call)
    hints = [f"{error}"]
    if job:
        hints.append(f"%cs job {job} finds its job, if there is one.")
    hints.append(f"{look} shows what became of it: look{again}" if look else _LOOK + again)
    message = f"{call.command} was sent and its answer was lost: it may have been carried out"
    return FateUnknown(message, *hints, job=job)


_LOOK = "Look at the list of what it changes"


def _look(call: Call) -> str:
    """The call that lists what this one changes, as it is typed."""
    name = listing(call.command)
    known = bundled().find(name) if name else None
    if known is None:
        return ""
    id_ = call.given("id") or ""
    about = re.fullmatch(r"[0-9a-fA-F-]+", id_) and known.parameter("id") and _same(call, name)
    return f"%cs {name} id={id_}" if about else f"%cs {name}"


def _same(call: Call, name: str) -> bool:
    """Whether the command's own id is one of that list's."""
    command = bundled().find(call.command)
    own = command.parameter("id") if command else None
    return own is not None and name in own.related


def listing(name: str) -> str:
    """The command that lists what a command changes; empty where nothing tells."""
    command = bundled().find(name)
    found = _listings(command) if command is not None else ()
    return next((one for one in found if kind_of(one) == "read"), "")


def _listings(command: Command) -> Iterator[str]:
    """By what it is called, by what its id is of, by what it answers with, by what it needs."""
    noun = re.sub(r"^[a-z]+", "", command.name)
    for plural in (f"{noun}s", f"{noun}es", f"{noun[:-1]}ies", noun):
        found = bundled().find(f"list{plural}")
        if noun and found is not None:
            yield found.name
    yield from _lists_of(own for own in command.parameters if own.name in {"id", "ids"})
    if {field.name for field in command.fields} - _SAY_LITTLE:
        yield from _alike(command)
    yield from _lists_of(command.required)


def _lists_of(parameters: Iterable[Parameter]) -> Iterator[str]:
    return (name for one in parameters for name in one.related if name.startswith("list"))


def _alike(command: Command) -> Iterator[str]:
    """The lists whose rows are what it answers with, the plainest first."""
    same = (one.name for one in bundled().commands.values() if one.fields == command.fields)
    lists = (name for name in same if name.startswith("list"))
    yield from sorted(lists, key=lambda name: (name.startswith("listVnf"), len(name)))
