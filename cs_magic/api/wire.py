"""Python values → the text that travels; nothing that would make a filter vanish does.

The server ignores an empty filter and lists everything, so a value that is missing,
empty or ambiguous is an error before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from cs_magic.api.values import Pairs
from cs_magic.errors import CallError


def encoded(name: str, value: Any, said: str | None = None) -> Pairs:
    """The wire pairs of one parameter: one, or several where it is a map.

    Args:
        said: how the person wrote the value (`$idle.id`), for the error's text.

    Raises:
        CallError: the value is missing, empty, a date without a zone, or can't travel.
    """
    said = said or name
    plain = _plain(value)
    if isinstance(plain, Mapping):
        return _map(name, plain, said)
    if isinstance(plain, list) and plain and all(isinstance(one, Mapping) for one in plain):
        return tuple(
            pair
            for index, one in enumerate(plain)
            for pair in _entries(name, index, one, f"{said}[{index}]")
        )
    if isinstance(plain, list):
        return ((name, _list(plain, said, name)),)
    return ((name, text(plain, said, name)),)


def text(value: Any, said: str, name: str | None = None) -> str:
    """One scalar as the text that travels. CallError where it would vanish or can't travel."""
    value = _plain(value)
    if is_missing(value):
        raise CallError(f"{said} is {value}: {_VANISH}", name=name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if not value:
            raise CallError(f"{said} is an empty text: {_VANISH}", _EMPTY_HINT, name=name)
        return value
    if isinstance(value, datetime):
        return _moment(value, said, name)
    if isinstance(value, float | Decimal) and not isfinite(value):
        raise CallError(f"{said} is {value}, which can't be sent", name=name)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int | Decimal | UUID | date):
        return str(value)
    raise CallError(f"{said} is a {type(value).__name__}, which can't be sent", name=name)


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA, told without importing pandas."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and value != value


_VANISH = "the filter would vanish and everything would be listed"
_EMPTY_HINT = "To send an empty text on purpose, type name= with nothing after it."


def _plain(value: Any) -> Any:
    """Series, Index, arrays and numpy scalars as Python's own; sets in order."""
    if isinstance(value, str | bytes | Mapping | datetime) or is_missing(value):
        return value
    if type(value).__name__ == "DataFrame":
        return value
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, tuple | range):
        return list(value)
    return value


def _list(values: list[Any], said: str, name: str) -> str:
    if not values:
        raise CallError(f"{said} is empty: {_VANISH}", name=name)
    pieces = []
    for index, value in enumerate(values):
        piece = text(value, f"{said}[{index}]", name)
        if "," in piece:
            raise CallError(
                f"{said}[{index}] is {piece!r}: CloudStack would cut it at the comma", name=name
            )
        pieces.append(piece)
    return ",".join(pieces)


def _map(name: str, values: Mapping[Any, Any], said: str) -> Pairs:
    if name.lower() != "tags":
        return _entries(name, 0, values, said)
    if not values:
        raise CallError(f"{said} is empty: {_VANISH}", name=name)
    return tuple(
        pair
        for index, (key, value) in enumerate(values.items())
        for pair in (
            (f"{name}[{index}].key", text(key, f"A key of {said}", name)),
            (f"{name}[{index}].value", text(value, f"{said}[{key!r}]", name)),
        )
    )


def _entries(name: str, index: int, values: Mapping[Any, Any], said: str) -> Pairs:
    if not values:
        raise CallError(f"{said} is empty: {_VANISH}", name=name)
    return tuple(
        (
            f"{name}[{index}].{text(key, f'A key of {said}', name)}",
            text(value, f"{said}[{key!r}]", name),
        )
        for key, value in values.items()
    )


def _moment(value: datetime, said: str, name: str | None) -> str:
    if value.tzinfo is None:
        raise CallError(
            f"{said} is {value}, without a time zone: the server would silently take another time",
            'Say which: .tz_localize("UTC"), or datetime(..., tzinfo=UTC).',
            name=name,
        )
    return value.isoformat(timespec="seconds")
