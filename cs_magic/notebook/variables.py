"""The user's variables that fit behind a `$`: looked at, never evaluated or changed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

_SHELL = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})
_PATH = re.compile(r"([^\W\d]\w*)((?:\.[^\W\d]\w*|\[-?\d{1,18}\]|\['[^'\n]*'\]|\[\"[^\"\n]*\"\])*)")
_STEP = re.compile(r"\.(\w+)|\[(-?\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
# What a parameter takes, by its type; a frame is on the way to one of its columns.
_ONE = frozenset({"str", "UUID", "int", "bool", "float", "Timestamp", "datetime", "date"})
_MANY = frozenset({"list", "tuple", "set", "Series", "Index", "ndarray"})
_HOLDERS = frozenset({"DataFrame", "Series"})
_FITTING: Mapping[str, frozenset[str]] = {
    "uuid": frozenset({"str", "UUID"}) | _HOLDERS,
    "boolean": frozenset({"bool", "bool_"}) | _HOLDERS,
    "integer": frozenset({"int", "int64", "str"}) | _HOLDERS,
    "long": frozenset({"int", "int64", "str"}) | _HOLDERS,
    "date": frozenset({"str", "datetime", "date", "Timestamp"}) | _HOLDERS,
    "map": frozenset({"dict", "list"}),
    "list": _MANY | _ONE | _HOLDERS,
}
_ANY = _ONE | _MANY | _HOLDERS | {"int64", "float64", "bool_"}
_MOST = 1000  # columns and keys that are looked at


def variables(names: Mapping[str, Any], typed: str, type_: str) -> list[tuple[str, str]]:
    """What may be meant by `$…` or `{…`: pairs of the text and what it is.

    Args:
        typed: what stands there so far, with its `$` or `{`.
        type_: the parameter's type, as the catalogue has it.
    """
    opened, path = typed[0], typed[1:]
    closed = "}" if opened == "{" else ""
    before, dot, part = path.rpartition(".")
    if dot:
        found = list(_inside(names, before))
        return [(f"{opened}{before}.{name}{closed}", kind) for name, kind in _matching(found, part)]
    fitting = _FITTING.get(type_, _ANY)
    found = [
        (name, type(value).__name__)
        for name, value in names.items()
        if isinstance(name, str) and name.isidentifier()
        if not name.startswith("_") and name not in _SHELL
    ]
    kept = [(name, kind) for name, kind in found if kind in fitting]
    return [(f"{opened}{name}{closed}", kind) for name, kind in _matching(kept, path)]


def text_at(names: Mapping[str, Any], typed: str) -> str | None:
    """The text that `$zone.id` stands for, if it is one."""
    found = _reached(names, typed[1:].removesuffix("}") if typed[:1] in ("$", "{") else "")
    return found if isinstance(found, str) else None


def _matching(found: list[tuple[str, str]], part: str) -> list[tuple[str, str]]:
    low = part.lower()
    kept = [one for one in found if low in one[0].lower()]
    return sorted(kept, key=lambda one: (not one[0].lower().startswith(low), one[0].lower()))


def _inside(names: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """The columns of a frame, the fields of a row, the attributes of an object."""
    found = _reached(names, path)
    if _is_pandas(found, "DataFrame"):
        yield from _named(found.columns, "column")
    elif _is_pandas(found, "Series"):
        yield from _named(found.index, "field")
    elif found is not None and not isinstance(found, type):
        with suppress(TypeError):
            yield from _named(vars(found), "attribute")


def _named(found: Any, kind: str) -> Iterator[tuple[str, str]]:
    for name in list(found)[:_MOST]:
        if isinstance(name, str) and name.isidentifier() and not name.startswith("_"):
            yield name, kind


def _reached(names: Mapping[str, Any], path: str) -> Any:
    """The value at a path, or None; no property is computed and no method called."""
    whole = _PATH.fullmatch(path)
    if whole is None or whole[1] not in names:
        return None
    found = names[whole[1]]
    for step in _STEP.finditer(whole[2]):
        try:
            found = _stepped(found, step)
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return found


def _stepped(found: Any, step: re.Match[str]) -> Any:
    if step[2] is not None:
        rows = _is_pandas(found, "DataFrame") or _is_pandas(found, "Series")
        return found.iloc[int(step[2])] if rows else _item(found, int(step[2]))
    if step[1] is None:
        return _item(found, step[3] if step[3] is not None else step[4])
    if _is_pandas(found, "DataFrame") or _is_pandas(found, "Series"):
        return found[step[1]]
    return vars(found)[step[1]]


def _item(found: Any, key: str | int) -> Any:
    if type(found) in (list, tuple, dict) or _is_pandas(found, "DataFrame"):
        return found[key]
    raise KeyError(key)


def _is_pandas(found: Any, name: str) -> bool:
    kind = type(found)
    return kind.__name__ == name and kind.__module__.partition(".")[0] == "pandas"
