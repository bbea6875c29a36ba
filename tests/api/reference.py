"""The slow, obvious way from rows of JSON to the cells of a frame, to hold the fast one against."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

import pandas as pd

MASK = "••••"
# What ends so holds a secret; of a setting or a tag, whose `value` it is that is one, too.
ENDINGS = ("password", "passwd", "passphrase", "secret", "secretkey", "privatekey", "psk", "token")
OF_SETTINGS = (*ENDINGS, ".key")
ALONE = {"apikey", "accesskey", "sessionkey", "presharedkey", "configdata", "userapikey"}


def cell(value: Any) -> Any:
    """A frame's cell as a plain JSON-like value: null for every kind of missing."""
    if isinstance(value, list | dict):
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.item() if hasattr(value, "item") else value


def cells(frame: pd.DataFrame) -> dict[str, tuple[str, list[Any]]]:
    """The columns of a frame: the name of its dtype, and the cells as plain values."""
    return {
        str(name): (str(frame[name].dtype), [cell(one) for one in frame[name].astype(object)])
        for name in frame.columns
    }


def decoded(body: bytes) -> list[dict[str, Any]]:
    """The rows of a reply, character by character where JSON alone does not do."""
    text = body.decode("utf-8", "replace")
    try:
        document = json.loads(text, strict=False, parse_float=_finite)
    except ValueError:
        document = json.loads(_with_escapes_that_are_some(text), strict=False, parse_float=_finite)
    [inner] = document.values()
    [rows] = [value for value in inner.values() if isinstance(value, list)] or [[]]
    return [_without_halves(row) for row in rows]


def _with_escapes_that_are_some(text: str) -> str:
    """The text with a backslash doubled where JSON knows no such escape."""
    made, at = [], 0
    while at < len(text):
        length = 1
        if text[at] == "\\" and text[at + 1] in '"\\/bfnrt':
            length = 2
        elif text[at] == "\\" and re.fullmatch("u[0-9a-fA-F]{4}", text[at + 1 : at + 6]):
            length = 6
        elif text[at] == "\\":
            made.append("\\")
        made.append(text[at : at + length])
        at += length
    return "".join(made)


def _without_halves(value: Any) -> Any:
    """The value with halves of surrogate pairs replaced."""
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in value)
    if isinstance(value, list):
        return [_without_halves(one) for one in value]
    if isinstance(value, dict):
        return {_without_halves(name): _without_halves(one) for name, one in value.items()}
    return value


def expected(
    rows: list[dict[str, Any]], kinds: dict[str, str], text: bool = False
) -> dict[str, tuple[str, list[Any]]]:
    """What a frame of these rows holds: dtypes and cells, by column.

    Every value is kept; a column is typed as documented only where all its values fit, else by
    its values alone.
    """
    rows = [_without_secrets(row) for row in rows]
    kinds = {
        name: "text" if text and kind in ("date", "number", "port") else kind
        for name, kind in kinds.items()
    }
    names = dict.fromkeys([*(name for row in rows for name in row), *kinds])
    return {name: _typed([row.get(name) for row in rows], kinds.get(name, "")) for name in names}


def _typed(values: list[Any], kind: str) -> tuple[str, list[Any]]:
    if kind == "nested":
        return "object", values
    if all(value is None for value in values):
        return _DTYPES.get(kind or "text", "str"), values
    if kind:
        try:
            return _DTYPES[kind], [None if one is None else _READ[kind](one) for one in values]
        except (ValueError, TypeError, OverflowError):
            pass
    for kind in ("text", "true or false", "whole", "any number"):
        try:
            return _DTYPES[kind], [None if one is None else _READ[kind](one) for one in values]
        except (ValueError, TypeError, OverflowError):
            continue
    return "object", values


def _without_secrets(row: dict[str, Any]) -> dict[str, Any]:
    """A secret of any type is hidden in a column of its own, one with a type is in nested ones."""
    hidden = {name: MASK for name in row if is_secret(name) and row[name] not in (None, "")}
    beside = names_a_secret(row.get("name")) or names_a_secret(row.get("key"))
    pair = beside and isinstance(row.get("value"), str) and row["value"]
    hidden |= {"value": MASK} if pair else {}
    return {name: masked(value) for name, value in row.items()} | hidden


def is_secret(name: str) -> bool:
    """Whether what has this name is hidden."""
    return name.lower().endswith(ENDINGS) or name.lower() in ALONE


def names_a_secret(name: Any) -> bool:
    """Whether the value beside this name is hidden."""
    return isinstance(name, str) and (is_secret(name) or name.lower().endswith(OF_SETTINGS))


def masked(value: Any, hide: bool = False) -> Any:
    """A value with each secret in it hidden; `hide` where its name says that it is one."""
    if isinstance(value, list):
        return [masked(one, hide) for one in value]
    if isinstance(value, dict):
        pair = names_a_secret(value.get("name")) or names_a_secret(value.get("key"))
        return {
            name: masked(one, is_secret(name) or (pair and name == "value"))
            for name, one in value.items()
        }
    return MASK if hide and not isinstance(value, bool) and value not in (None, "") else value


def ordered(rows: list[dict[str, Any]], kinds: dict[str, str]) -> list[str]:
    """The columns of a table: documented ones that came, others that came, documented ones."""
    came = dict.fromkeys(name for row in rows for name in row)
    known = [name for name in kinds if name in came]
    return list(dict.fromkeys([*known, *came, *kinds]))


def in_a_file(row: dict[str, Any], kinds: dict[str, str]) -> dict[str, Any]:
    """A row as a file of one schema has it: what doesn't fit, or isn't documented, in `_other`."""
    held, other = dict[str, Any].fromkeys(kinds), {}
    given = {name: one for name, one in _without_secrets(row).items() if one is not None}
    for name, value in given.items():
        try:
            held[name] = _held(kinds[name], value)
        except (KeyError, ValueError, TypeError, OverflowError):
            other[name] = value
    return held | {"_other": other or None}


def _held(kind: str, value: Any) -> Any:
    if kind == "nested":
        return value
    if isinstance(value, float) and value.is_integer() and kind in ("integer", "port"):
        value = int(value)
    if kind in ("number", "port") and not isinstance(value, str):
        kind = {"number": "float", "port": "integer"}[kind]
    return _READ[kind](value)


def distinct(pages: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of a list's pages without those that came again.

    A row is known by its id, and its zone where there is one; by all of it where a row of its
    page has no id. One that its own page has twice is kept, and tells nothing of others.
    """
    met: set[Any] = set()
    kept = []
    for rows in pages:
        by_id = all(row.get("id") is not None for row in rows)
        keys = [(row["id"], str(row.get("zoneid"))) if by_id else json.dumps(row) for row in rows]
        kept += [
            row
            for row, key in zip(rows, keys, strict=True)
            if keys.count(key) > 1 or key not in met
        ]
        met.update(key for key in keys if keys.count(key) == 1)
    return kept


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _integer(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and len(value) <= 18:
        value = int(value) if value.removeprefix("-").isdecimal() else None
    return _whole(value)


def _number(value: Any) -> float:
    """What JSON has as a number; whole ones only as far as a float holds them exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    if isinstance(value, int) and abs(value) > 2**53:
        raise ValueError
    return float(value)


def _finite(text: str) -> float | str:
    """A number, or its text where a float can't hold it."""
    return text if math.isinf(float(text)) else float(text)


def _float(value: Any) -> float:
    if isinstance(value, str):
        whole, _, rest = value.removeprefix("-").partition(".")
        if not (value.isascii() and whole.isdecimal() and (rest.isdecimal() or "." not in value)):
            raise ValueError
        value = float(value)
    return _number(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return _truth(value)


def _date(value: Any) -> datetime | None:
    if _text(value) == "":
        return None
    moment = datetime.fromisoformat(value.replace("'T'", "T"))
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _quantity(value: Any) -> float | None:
    """A number in text, as CloudStack writes it to people."""
    if _text(value) == "":
        return None
    bare = value.strip().removesuffix("%").rstrip()
    if bare in {"Unlimited", "NaN"}:
        return math.inf if bare == "Unlimited" else None
    if set(bare) - set("-.,0123456789eE+") or not bare[-1:].isdigit() or bare[0] in ".,+eE":
        raise ValueError
    return float(bare.replace(",", "."))


def _port(value: Any) -> int | None:
    return None if _text(value) == "" else _whole(int(value))


_READ = {
    "text": _text,
    "boolean": _boolean,
    "integer": _integer,
    "float": _float,
    "date": _date,
    "number": _quantity,
    "port": _port,
    "true or false": _truth,
    "whole": _whole,
    "any number": _number,
}
_DTYPES = {
    "text": "str",
    "boolean": "boolean",
    "integer": "Int64",
    "float": "Float64",
    "date": "datetime64[us, UTC]",
    "number": "Float64",
    "port": "Int64",
    "true or false": "boolean",
    "whole": "Int64",
    "any number": "Float64",
}
