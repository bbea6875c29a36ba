"""What a call and its columns are called: by the person, and by the server."""

from __future__ import annotations

from collections.abc import Sequence

from cs_magic.api.catalogue import Command, Parameter
from cs_magic.api.columns import kind_of
from cs_magic.api.values import Call
from cs_magic.errors import CallError


def kinds(command: Command) -> dict[str, str]:
    """The documented fields of an answer, and their kinds."""
    return {field.name: kind_of(field.name, field.kind or "unknown") for field in command.fields}


def spelt(call: Call, command: Command) -> Call:
    """The call with names as the catalogue spells them: the server matters about some."""
    return Call(
        command.name, tuple((_name(command, name), value) for name, value in call.arguments)
    )


def _name(command: Command, name: str) -> str:
    known: Parameter | None = command.parameter(name)
    bare, bracket, rest = name.partition("[")
    return (known.name if known else bare) + bracket + rest


def sources(columns: Sequence[str | None]) -> list[str]:
    """The fields that hold these columns: `nic.0.ipaddress` comes from `nic`."""
    return list(dict.fromkeys(column.partition(".")[0] for column in columns if column))


def column_names(columns: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """The columns that a script names, as options have them; CallError where it names none."""
    if columns is None or isinstance(columns, str):
        return None if columns is None else (columns,)
    try:
        return tuple(columns)
    except TypeError:
        pass
    raise CallError(f"columns is a list of names, not {columns!r}")
