"""A call held against a catalogue before it is sent.

CloudStack ignores a parameter that it does not know: a mistyped filter would vanish, and the
list would come unfiltered. What a catalogue can't know is left to the server.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from cs_magic.api.catalogue import AS_TYPED, Catalogue, Command, Parameter, bundled
from cs_magic.api.checks import is_uuid, newer, problem
from cs_magic.api.kinds import kind_of
from cs_magic.api.nearest import did_you_mean, nearest
from cs_magic.api.values import Call, parameter_of
from cs_magic.errors import CallError

# What the client sends by itself: typed by hand it would break the signature or the session.
_OURS = frozenset(
    {"command", "response", "apikey", "signature", "signatureversion", "expires", "sessionkey"}
)
_ENTRY = re.compile(r"[^\[\].]+\[\d+\]\.[^\[\]]+")


def check(catalogue: Catalogue, call: Call) -> Command:
    """The command of a call, its parameters known and of their types, none missing.

    Raises:
        CallError: naming what is wrong, and what was probably meant.
    """
    command = known(catalogue, call.command)
    if catalogue.find(command.name) is None:
        return command  # nobody knows its parameters
    for name, value in call.arguments:
        _check_parameter(catalogue, command, name.partition("[")[0])
        _check_value(command, name, value)
    given = call.names()
    missing = [needed.name for needed in command.required if needed.name.lower() not in given]
    if missing:
        message = f"{command.name} needs {_listed(missing)}"
        raise CallError(message, AS_TYPED, name=call.command)
    return command


def known(catalogue: Catalogue, name: str, others: Collection[str] = ()) -> Command:
    """The command of that name, in any letter case.

    One that a catalogue lacks is refused where that is the server's own word; else it is
    taken for what its name says, as `doubt` tells.

    Args:
        others: words that are no commands, which may have been meant.

    Raises:
        CallError: there is no such command, or it is not for the caller's role.
    """
    found = catalogue.find(name)
    if found is not None:
        return found
    if catalogue.sure:
        elsewhere = bundled().find(name)
        if elsewhere is not None:
            raise _not_offered(catalogue, elsewhere)
        return catalogue.command(name, others)
    if nearest(name, (*catalogue.names(), *others), cutoff=0.75) in others:
        return catalogue.command(name, others)
    return unknown(name)


def unknown(name: str) -> Command:
    """A command that no catalogue has, as its name tells: it pages if it is called list…"""
    read = kind_of(name) == "read"
    paging = (Parameter("page", "integer"), Parameter("pagesize", "integer"))
    lists = read and name.startswith("list")
    return Command(name, is_async=not read, parameters=paging if lists else ())


def doubt(catalogue: Catalogue, name: str) -> str:
    """What is to be said of a command that is sent although the catalogue lacks it, or nothing."""
    if catalogue.sure or catalogue.find(name) is not None:
        return ""
    meant = did_you_mean(name, catalogue.names(), cutoff=0.75)
    return f"{catalogue.where} has no command {name}{meant or ': it was sent as typed'}"


def knows(catalogue: Catalogue, call: Call) -> bool:
    """Does it know the command and its parameters, and is none missing?"""
    command = catalogue.find(call.command)
    if command is None:
        return False
    given = call.names()
    needed = all(one.name.lower() in given for one in command.required)
    return needed and all(command.parameter(name) is not None for name in given)


def ill_typed(parameter: Parameter, value: str) -> str:
    """What is wrong with a value of that parameter, said after it; empty where nothing is.

    An id is a UUID, or the server's own number; a parameter that has a `since` takes the
    UUID only, and the server would drop anything else without a word.
    """
    if parameter.type == "uuid" and parameter.since and not is_uuid(value) and value != "-1":
        return "is no UUID: the server would drop it, and give everything"
    if parameter.type == "string" and 0 < parameter.length < _units(value):
        return f"is too long: at most {parameter.length:,} characters, not {_units(value):,}"
    return problem(parameter.type, value)


def _units(text: str) -> int:
    """The length as Java counts it; only what may be too long is looked at closely."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _check_parameter(catalogue: Catalogue, command: Command, name: str) -> None:
    """Refuse a parameter that the client sets itself, or that the server does not know."""
    if name.lower() in _OURS:
        raise CallError(f"{name} is set by cs_magic itself: leave it out", name=name)
    found = command.parameter(name)
    if found is None:
        raise _no_parameter(catalogue, command, name)
    if not catalogue.sure and newer(found.since, catalogue.server):
        raise _too_new(catalogue, f"{command.name}'s {found.name}", found.since, name)


def _no_parameter(catalogue: Catalogue, command: Command, name: str) -> CallError:
    twin = bundled().find(command.name) if catalogue.sure else None
    elsewhere = twin.parameter(name) if twin else None
    if elsewhere is not None and newer(elsewhere.since, catalogue.server):
        return _too_new(catalogue, f"{command.name}'s {elsewhere.name}", elsewhere.since, name)
    if elsewhere is not None and elsewhere.root:
        does = "filter by" if command.is_read else "give"
        message = f"Only root admins may {does} {name}: the server would ignore it"
        return CallError(message, AS_TYPED, name=name)
    if elsewhere is not None:
        message = f"{catalogue.where} takes no {name} for {command.name}, at least not of your role"
        return CallError(message, AS_TYPED, name=name)
    meant = did_you_mean(name, [parameter.name for parameter in command.parameters])
    return CallError(f"{command.name} has no parameter {name}{meant}", AS_TYPED, name=name)


def _not_offered(catalogue: Catalogue, command: Command) -> CallError:
    """A command that CloudStack has, and this server does not offer to this account."""
    if newer(command.since, catalogue.server):
        return _too_new(catalogue, command.name, command.since, command.name)
    message = f"Your role may not use {command.name} on {catalogue.host or 'this server'}"
    why = "It is for admins there, or belongs to a plug-in that is switched off."
    return CallError(message, why, AS_TYPED, name=command.name)


def _too_new(catalogue: Catalogue, what: str, since: str, name: str) -> CallError:
    where = f"{catalogue.host or 'the server'} is {catalogue.server}"
    return CallError(f"{what} came with CloudStack {since}, and {where}", AS_TYPED, name=name)


def _check_value(command: Command, name: str, value: str) -> None:
    """Refuse a value that the server would refuse, or silently take for another."""
    found = command.parameter(name)
    if found is None or not value:
        return
    if found.type == "map":
        _check_entry(found, name, value)
        return
    if found.type == "list" and not all(piece.strip() for piece in value.split(",")):
        raise CallError(f"{name} has an empty element: the filter would vanish", name=name)
    wrong = ill_typed(found, value)
    if wrong:
        # A text may be a secret; what has another type is none.
        said = name if found.type == "string" else f"{name}={_short(value)}"
        raise CallError(f"{said} {wrong}", *_hints(found), AS_TYPED, name=name)


def _check_entry(parameter: Parameter, name: str, value: str) -> None:
    if not _ENTRY.fullmatch(name):
        message = f"{parameter.name} is a map: write {parameter.name}.KEY=VALUE"
        raise CallError(message, AS_TYPED, name=parameter_of(name))


def _short(value: str) -> str:
    return value if len(value) <= 80 else f"{value[:60]}…"


def _hints(parameter: Parameter) -> list[str]:
    lists = parameter.related if parameter.type == "uuid" else ()
    return [f"%cs {name} lists the ids." for name in lists[:1]]


def _listed(names: list[str]) -> str:
    """a, b and c"""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def for_server(catalogue: Catalogue, host: str, version: str) -> Catalogue:
    """The same catalogue, serving for a server of that version."""
    return replace(catalogue, host=host, server=version)
