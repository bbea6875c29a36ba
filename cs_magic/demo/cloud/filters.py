"""How a parameter's value narrows a list."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from cs_magic.demo.data.items import Item

Predicate = Callable[[Item], bool]
Filter = Callable[[Any], Predicate]


def fold(text: str) -> str:
    """Text as the database compares it: without regard to letter case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def same(field: str) -> Filter:
    """The field is the value."""
    return lambda value: lambda item: bool(item.get(field) == value)


def folded(field: str) -> Filter:
    """The field is the value, letter case and accents aside; no wildcards."""

    def narrow(value: Any) -> Predicate:
        wanted = fold(value)
        return lambda item: fold(item.get(field) or "") == wanted

    return narrow


def among(field: str) -> Filter:
    """The field is one of the values."""

    def narrow(values: Any) -> Predicate:
        wanted = frozenset(values)
        return lambda item: item.get(field) in wanted

    return narrow


def like(*fields: str) -> Filter:
    """One of the fields contains the text; `%` and `_` are SQL's wildcards."""

    def narrow(value: Any) -> Predicate:
        found = _pattern(fold(value)).fullmatch
        return lambda item: any(found(fold(str(item.get(field) or ""))) for field in fields)

    return narrow


def _pattern(text: str) -> re.Pattern[str]:
    """SQL's LIKE %text% as a regular expression for the whole field.

    A backslash takes the next wildcard as it is. At the end of the text that is
    the database's own `%`, so that `\\` finds nothing, as on the real server.
    """
    parts, escaped = [], False
    for letter in f"%{text}%":
        if escaped or letter not in "%_\\":
            parts.append(re.escape(letter))
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            parts.append(".*" if letter == "%" else ".")
    return re.compile("".join(parts), re.DOTALL)


def machine_state(value: Any) -> Predicate:
    """A machine's state; Present is all that is not destroyed, an unknown one matches nothing."""
    wanted = value.lower()
    if wanted == "present":
        return lambda item: item.get("state") not in ("Destroyed", "Expunging")
    return lambda item: item.get("state").lower() == wanted


def tagged(pairs: Any) -> Predicate:
    """Any of the tags is on it: several are alternatives, as in CloudStack."""
    wanted = frozenset((fold(key), fold(value)) for key, value in pairs)
    return lambda item: any((fold(key), fold(text)) in wanted for key, text in item.get("tags"))


def since_date(field: str) -> Filter:
    """The field's date is not before the value; both as CloudStack prints them."""
    return lambda value: lambda item: bool(item.get(field) >= value)


def until_date(field: str) -> Filter:
    """The field's date is not after the value."""
    return lambda value: lambda item: bool(item.get(field) <= value)
