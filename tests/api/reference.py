"""The slow, obvious way from rows of JSON to the cells of a frame, to hold the fast one against."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from cs_magic.api.masks import is_secret, masked, names_a_secret

MICROSECOND = 1_000_000


def cell(value: Any) -> Any:
    """A frame's cell as a plain JSON-like value: null for every kind of missing."""
    if isinstance(value, list | dict):
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def shown(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, missing cells left out."""
    return [
        {name: plain for name, value in row.items() if (plain := cell(value)) is not None}
        for row in frame.astype(object).to_dict("records")
    ]


def expected(rows: list[dict[str, Any]], kinds: dict[str, str]) -> list[dict[str, Any]]:
    """The rows a frame should show: every value kept, a column typed only where all values fit."""
    rows = [_without_secrets(json.loads(json.dumps(row))) for row in rows]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: _column([row.get(name) for row in rows], kinds.get(name)) for name in names}
    return [
        {name: values[i] for name, values in columns.items() if values[i] is not None}
        for i in range(len(rows))
    ]


def _without_secrets(row: dict[str, Any]) -> dict[str, Any]:
    """A secret of any type is hidden in a column of its own, one with a type is in nested ones."""
    hidden = {name: "••••" for name in row if is_secret(name) and row[name] not in (None, "")}
    pair = any(names_a_secret(row.get(name)) for name in ("name", "key"))
    hidden |= {"value": "••••"} if pair and isinstance(row.get("value"), str) else {}
    return {name: masked(value) for name, value in row.items()} | hidden


def _column(values: list[Any], kind: str | None) -> list[Any]:
    read = _READ.get(kind or "")
    if read is None:
        return values
    try:
        return [None if value is None else read(value) for value in values]
    except (ValueError, TypeError, OverflowError):
        return values


def _integer(value: Any) -> int:
    if isinstance(value, str):
        value = int(value) if value.lstrip("-").isdecimal() and value.isascii() else None
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    if isinstance(value, int) and abs(value) > 2**53:
        raise ValueError
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError
    return value


def _date(value: Any) -> datetime | None:
    if value == "":
        return None
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)


def _number(value: Any) -> float | None:
    if not isinstance(value, str):
        raise ValueError
    if value == "":
        return None
    bare = value.strip().removesuffix("%").rstrip()
    if bare in {"Unlimited", "NaN"}:
        return math.inf if bare == "Unlimited" else None
    if set(bare) - set("-+.0123456789eE") or not bare[-1:].isdigit() or bare[0] in ".+eE":
        raise ValueError
    return float(bare)


_READ = {
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "date": _date,
    "number": _number,
}
