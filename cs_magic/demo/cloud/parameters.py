"""What a command takes: types as CloudStack parses them, with its words where they do not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cs_magic.demo.cloud.filters import Filter
from cs_magic.demo.cloud.refusals import INVALID, Refused, bad_value, no_such_entity
from cs_magic.demo.data.items import stamp
from cs_magic.demo.data.world import World

Arguments = dict[str, Any]

UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
MAP_NAME = re.compile(r"(\w+)\[(\d+)\]\.(.+)", re.DOTALL)
# Everything below the blank but line feed and carriage return, and DEL.
CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
INTEGERS = range(-(1 << 31), 1 << 31)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: how it is read, how it narrows the list, and what listApis says of it.

    `entity` is the table whose ids it takes. With a `since`, an id that is not
    shaped like a UUID makes the whole filter vanish, as in CloudStack.
    """

    name: str
    type: str = "string"
    description: str = ""
    narrow: Filter | None = None
    entity: str = ""
    required: bool = False
    since: str = ""
    root_only: bool = False
    words: tuple[str, ...] = ()
    length: int = 255


def read(
    world: World, command: str, parameters: tuple[Parameter, ...], sent: Mapping[str, str]
) -> Arguments:
    """The typed arguments of a call; what the command does not know is dropped silently."""
    flat, maps = unpacked(sent)
    arguments: Arguments = {}
    for parameter in parameters:
        if parameter.type == "map" and parameter.name in maps:
            arguments[parameter.name] = _tags(maps[parameter.name])
        elif parameter.name in flat:
            text = flat[parameter.name]
            _check_required(parameter, text)
            value = READERS[parameter.type](world, command, parameter, text)
            if value is not None:
                arguments[parameter.name] = value
        elif parameter.required:
            raise Refused(
                431,
                f"Unable to execute API command {command.lower()} due to missing parameter "
                f"{parameter.name}",
            )
    return arguments


def refuse_control_characters(sent: Mapping[str, str]) -> None:
    """Refuse a value with a TAB or another character that cannot be printed."""
    for name, value in sent.items():
        if CONTROL.search(value):
            raise Refused(
                431,
                "Received value containing illegal ASCII non-printable characters "
                f"for parameter {name}",
            )


def unpacked(
    sent: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, dict[int, dict[str, str]]]]:
    """Plain parameters by name in lower case, and `name[0].key=value` ones by name and index."""
    flat: dict[str, str] = {}
    maps: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in sent.items():
        if "[" not in name:
            flat[name.lower()] = value
            continue
        found = MAP_NAME.fullmatch(name)
        if not found or "[" in found[3]:
            raise Refused(
                430,
                f"Unable to decode parameter {name}; if specifying an object array, please use "
                "parameter[index].field=XXX, e.g. userGroupList[0].group=httpGroup",
            )
        maps.setdefault(found[1].lower(), {}).setdefault(int(found[2]), {})[found[3]] = value
    return flat, maps


def _check_required(parameter: Parameter, text: str) -> None:
    if parameter.required and not text:
        raise Refused(431, f"Invalid value provided for API arg: {parameter.name}", INVALID)


def _tags(entries: Mapping[int, Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    tags: dict[str, str] = {}
    for entry in entries.values():
        key, value = entry.get("key", ""), entry.get("value")
        if value is None:
            raise Refused(431, f"No value is passed in for key {key}", INVALID)
        if key in tags:
            raise Refused(
                530, f"Duplicate key {key} (attempted merging values {tags[key]} and {value})"
            )
        tags[key] = value
    return tuple(tags.items())


def _text(world: World, command: str, parameter: Parameter, text: str) -> str:
    if len(text) > parameter.length:
        raise Refused(
            431,
            f"Unable to execute API command {command.lower()} due to invalid value. "
            f"Value greater than max allowed length {parameter.length} "
            f"for param: {parameter.name}",
        )
    return text


def _boolean(world: World, command: str, parameter: Parameter, text: str) -> bool:
    """`true` in any letter case; everything else is false."""
    return text.lower() == "true"


def _integer(world: World, command: str, parameter: Parameter, text: str) -> int:
    if not text:
        raise Refused(431, 'For input string: ""')
    if not re.fullmatch(r"[+-]?[0-9]+", text) or int(text) not in INTEGERS:
        raise bad_value(command, parameter.name, text)
    return int(text)


def _uuid(world: World, command: str, parameter: Parameter, text: str) -> str | None:
    if parameter.since and not UUID.fullmatch(text):
        return None
    if text == "-1" and parameter.name == "projectid":
        return text
    found = world.table(parameter.entity).find(text)
    if found is None:
        raise no_such_entity(command, parameter.name, text)
    return str(found.get("id"))


def _list(world: World, command: str, parameter: Parameter, text: str) -> tuple[str, ...]:
    """Pieces between commas, the empty ones dropped, none trimmed."""
    pieces = tuple(piece for piece in text.split(",") if piece)
    if parameter.words and not set(pieces) <= set(parameter.words):
        raise Refused(
            431,
            f"The {parameter.name} parameter contains a non permitted value. "
            f"The allowed values are [{', '.join(parameter.words)}]",
            INVALID,
        )
    if not parameter.entity:
        return pieces
    for piece in pieces:
        if world.table(parameter.entity).find(piece) is None:
            raise no_such_entity(command, parameter.name, piece)
    return pieces


def _map(world: World, command: str, parameter: Parameter, text: str) -> None:
    raise bad_value(command, parameter.name, text)


def _date(world: World, command: str, parameter: Parameter, text: str) -> str:
    moment = moment_of(text, end_of_day=parameter.name.startswith("end"))
    if moment is None:
        raise Refused(
            431,
            f"Unable to parse date {text} for command {command.lower()}, please pass dates in "
            "the format mentioned in the api documentation",
        )
    return stamp(moment)


def moment_of(text: str, end_of_day: bool) -> float | None:
    """The date as CloudStack reads it: with an offset, as `yyyy-MM-dd HH:mm:ss`, or the day alone.

    Anything that merely begins with a day is that day, and a 13th month is
    January: so lenient is the server.
    """
    with_offset = offset_moment(text)
    if with_offset is not None:
        return with_offset
    found = re.match(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text)
    if not found:
        return None
    year, month, day = (int(part) for part in found.groups())
    moment = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
    moment += timedelta(days=day - 1)
    clock = re.fullmatch(r"[0-9-]+ ([0-9]{2}):([0-9]{2}):([0-9]{2})", text)
    if clock:
        hours, minutes, seconds = (int(part) for part in clock.groups())
        moment += timedelta(hours=hours, minutes=minutes, seconds=seconds)
    elif end_of_day:
        moment += timedelta(days=1, seconds=-1)
    return moment.timestamp()


OFFSET_DATE = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]{1,9})?"
    r"(Z|z|[+-][0-9]{2}:?[0-9]{2})(\+0000)?"
)


def offset_moment(text: str) -> float | None:
    """Seconds since 1970 of a date with an offset, in any of CloudStack's spellings."""
    found = OFFSET_DATE.fullmatch(text)
    if not found or (found[6] and found[5] not in "Zz"):
        return None
    offset = "+00:00" if found[5] in "Zz" else found[5]
    if ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3] or ':00'}{offset}")
    except ValueError:
        return None
    return moment.timestamp() + float(found[4] or 0)


Reader = Callable[[World, str, Parameter, str], Any]

READERS: dict[str, Reader] = {
    "string": _text,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "uuid": _uuid,
    "list": _list,
    "map": _map,
    "date": _date,
}
