"""Secrets among the cells of a page: masked before a column has them, kept by row beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cs_magic.api.columns import Cells, Column, json_bytes
from cs_magic.api.lenient import loads
from cs_magic.api.masks import (
    MASK,
    NEEDLES,
    is_secret,
    masked,
    may_hold_secret,
    names_a_secret,
)

_MASKS = {"text": MASK, "json": json_bytes(MASK)}
_NOTHING = frozenset({None, "", b'""', b"null"})
_VALUES = frozenset({"value", "defaultvalue"})
_SUSPICIOUS = "(?i)" + "|".join(re.escape(needle.decode()) for needle in NEEDLES)


class Hiding:
    """`secrets` are what was masked, by field and row: it stays in this process."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[int, Any]] = {}

    def hide(
        self, cells: Mapping[str, Cells], columns: Mapping[str, Column], start: int
    ) -> dict[str, Cells]:
        """The cells of a page whose first row is `start`, with every secret in them replaced."""
        suspicious = _suspicious({n: c for n, c in cells.items() if columns[n].wire == "json"})
        shown = dict(cells)
        for name, values in cells.items():
            if columns[name].wire in _MASKS:
                shown[name] = _hidden(columns[name], values, cells, name in suspicious)
            if shown[name] is not values:
                self._remember(name, values, shown[name], start)
        return shown

    def _remember(self, name: str, values: Cells, shown: Cells, start: int) -> None:
        for row, (value, mask) in enumerate(zip(values, shown, strict=True), start):
            if value is not mask:
                text = value if isinstance(value, str) else bytes(value).decode()
                self.secrets.setdefault(name, {})[row] = text


def _suspicious(cells: Mapping[str, Cells]) -> frozenset[str]:
    """Which of these JSON columns could hold a secret: quick, and never wrongly none."""
    if not cells:
        return frozenset()
    whole = pa.array([b"".join(values) for values in cells.values()], pa.large_binary())
    found = pc.match_substring_regex(whole, _SUSPICIOUS).to_pylist()
    return frozenset(name for name, may in zip(cells, found, strict=True) if may)


def _hidden(column: Column, values: Cells, row: Mapping[str, Cells], suspicious: bool) -> Cells:
    """The cells of a column as they may be shown; `values` themselves where nothing is secret."""
    if is_secret(column.name):
        mask = _MASKS[column.wire]
        return [value if _plain(value) in _NOTHING else mask for value in values]
    if column.name in _VALUES:
        beside = zip(*(row[name] for name in ("name", "key") if name in row), strict=True)
        secret = [any(map(_names_a_secret, names)) for names in beside]
        if any(secret):
            values = _beside(column, values, secret)
    if column.wire == "text":
        may = column.name.lower().endswith("url") and may_hold_secret(values)
        return [masked(value) for value in values] if may else values
    return list(map(_masked_json, values)) if suspicious else values


def _beside(column: Column, values: Cells, secret: Sequence[bool]) -> Cells:
    """The values of settings, texts hidden where their names say that they are secret."""
    mask = _MASKS[column.wire]
    return [
        mask if is_one and _is_text(value) else value
        for value, is_one in zip(values, secret, strict=True)
    ]


def _names_a_secret(name: Any) -> bool:
    """Whether a cell, of text or JSON, is the name of a secret."""
    if isinstance(name, int | float):  # a number names nothing
        return False
    plain = _plain(name)
    return names_a_secret(loads(plain) if isinstance(plain, bytes) else plain)


def _is_text(value: Any) -> bool:
    plain = _plain(value)
    return plain not in _NOTHING and (isinstance(plain, str) or plain.startswith(b'"'))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else bytes(value)


def _masked_json(cell: Any) -> Any:
    """A cell with the secrets in it masked; itself where it has none."""
    text = bytes(cell)
    if not may_hold_secret([text]):
        return cell
    value = loads(text)
    shown = masked(value)
    return cell if shown == value else json_bytes(shown)
