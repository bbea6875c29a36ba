"""Asking first: what a call is about to hit, by name and number, and whether to send it.

A file that holds more than what would replace it is asked about, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cs_magic.api.kinds import grave_arguments
from cs_magic.api.lookups import Lists, Lookups
from cs_magic.api.masks import masked_arguments
from cs_magic.api.named import ids_of
from cs_magic.api.names import name_of
from cs_magic.errors import ApiError, CallError, Refused, harmless
from cs_magic.notebook.shown import answer, attended, show_text
from cs_magic.older import cut_short

if TYPE_CHECKING:
    from cs_magic.api.catalogue import Command
    from cs_magic.api.profile import Profile
    from cs_magic.api.values import Call, Options
    from cs_magic.connection import Connection

SHOWN = 10  # that many objects are shown by name
_LONG = 120
_TRACE = "customjobid"  # ours


def asks(command: Command, call: Call) -> bool:
    """Does it destroy or interrupt, by what it is or by one of its arguments?"""
    if command.kind == "write":
        return bool(grave_arguments(command.name, call.arguments))
    return command.kind == "destructive"


def check(command: Command, call: Call) -> None:
    """Raise Refused where it asks first and nobody is there to be asked. Nothing is sent."""
    if asks(command, call) and not attended():
        raise _unattended(command)


def ask(
    connection: Connection, command: Command, calls: Sequence[Call], lookups: Lookups | None = None
) -> None:
    """Show what these calls of one command hit, and return only where the answer is yes.

    Calls that need no question, or none at all, are not asked about. Ids are looked up for
    their names, the first ten; the names that a cell looked up already are in `lookups`.

    Raises:
        Refused: the answer was not yes, or nobody can be asked; nothing was sent.
        CloudStackError: nobody can be reached to look up names.
    """
    if not any(asks(command, call) for call in calls):
        return
    check(command, calls[0])
    objects = _Objects(connection, command, Lookups() if lookups is None else lookups)
    show_text("\n".join(_told(connection.profile, command, calls, objects)))
    many = f"these {len(calls):,} calls" if len(calls) > 1 else "it"
    said = answer(f"{command.name} at {connection.profile.host}: send {many}? yes/no: ")
    if said is None:
        raise _unattended(command)
    if said.strip().lower() not in {"y", "yes"}:
        raise Refused(f"{command.name} was not sent: the answer was not yes")


def check_older(call: Call, options: Options, clouds: int = 1) -> None:
    """Raise Refused where a part would replace a file with more rows, and nobody can be asked."""
    why = cut_short(call, options, clouds)
    if why and not attended():
        raise _would_be_lost(options, why)


def ask_older(call: Call, options: Options, clouds: int = 1) -> None:
    """Return only where no part replaces a file with more rows, or the answer is yes.

    Raises:
        Refused: the answer was not yes, or nobody can be asked; nothing was sent.
    """
    why = cut_short(call, options, clouds)
    if not why:
        return
    said = answer(f"{_path(options)} has more rows than {why} gives: replace it? yes/no: ")
    if said is None:
        raise _would_be_lost(options, why)
    if said.strip().lower() not in {"y", "yes"}:
        raise Refused(f"{_path(options)} stays as it is: the answer was not yes; nothing was sent")


def _would_be_lost(options: Options, why: str) -> Refused:
    return Refused(
        f"{_path(options)} has more rows than {why} gives, and stays as it is; nothing was sent",
        "Name another path for a part of the list; %cs -y … replaces the file.",
    )


def _path(options: Options) -> str:
    return options.file[1] if options.file else ""


def _unattended(command: Command) -> Refused:
    return Refused(
        f"{command.name} asks first, and nobody can be asked here; nothing was sent",
        f"%cs -y {command.name} … says yes beforehand, --dry-run shows what would be sent.",
    )


def _told(
    profile: Profile, command: Command, calls: Sequence[Call], objects: _Objects
) -> Iterator[str]:
    """The lines that say what is about to be sent, and where."""
    many = f" · {len(calls):,} calls" if len(calls) > 1 else ""
    yield harmless(f"{command.name}{many} · {profile.name} at {profile.host}")
    values: dict[str, list[str]] = {}
    for call in calls:
        for name, value in masked_arguments(call.arguments):
            if name.lower() != _TRACE:
                values.setdefault(name, []).append(value)
    for name, given in values.items():
        yield f"  {harmless(objects.line(name, given))}"
    if not values:
        yield "  without arguments: it may hit all there is"


class _Objects:
    """What the arguments of a command stand for."""

    def __init__(self, connection: Connection, command: Command, lookups: Lookups) -> None:
        self._lists = Lists(connection.client, connection.catalogue, lookups)
        self._command = command
        self._known = {found.id: found.name for found in lookups.found}

    def line(self, argument: str, values: Sequence[str]) -> str:
        """`id: web-1 (6f…)`, `ids: 12: web-1, web-2, … and 2 more`, `forced=true`."""
        ids = ids_of(self._command, argument)
        parameter = self._command.parameter(argument)
        several = ids.several if ids else parameter is not None and parameter.type == "list"
        given = (value.split(",") if several else [value] for value in values)
        pieces = list(dict.fromkeys(one for pieces in given for one in pieces))
        if ids is None and len(pieces) == 1:
            return f"{argument}={_short(pieces[0])}"
        first = [self._called(argument, one) if ids else _short(one) for one in pieces[:SHOWN]]
        more = f" … and {len(pieces) - SHOWN:,} more" if len(pieces) > SHOWN else ""
        count = f"{len(pieces):,}: " if len(pieces) > 1 else ""
        return f"{argument}: {count}{', '.join(first)}{more}"

    def _called(self, argument: str, id_: str) -> str:
        name = self._known.get(id_)
        if name is None:
            with suppress(ApiError, CallError):  # then the id itself has to do
                name = name_of(self._lists, self._command, argument, id_)
        return f"{_short(name)} ({id_})" if name else id_


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
