"""One column in the making: how its values travel, page by page.

Values travel as text, integer, float, boolean, or as JSON where they are nested
or of several types. What a text stands for (a date, a number) is settled at the
end, over the whole column (`settling`), so that one odd value costs the column its
type and never the value.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import isfinite
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from cs_magic.api.lenient import loads
from cs_magic.api.masks import is_secret

Cells = Sequence[Any]
UTC = pa.timestamp("us", "UTC")
ARROW = {
    "text": pa.large_string(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "json": pa.large_string(),
}
# What a documented field is in a file that has one schema: its kind → its type.
DOCUMENTED = {
    **{kind: type_ for kind, type_ in ARROW.items() if kind != "json"},
    "date": UTC,
    "number": pa.float64(),
    "port": pa.int64(),
    "nested": pa.large_string(),
}
_COMMA = pa.scalar(",", pa.large_string())
_WIRE = {"date": "text", "number": "text", "port": "text", "nested": "json", "unknown": "json"}
_TYPES = {
    "text": frozenset({str}),
    "integer": frozenset({int}),
    "float": frozenset({int, float}),
    "boolean": frozenset({bool}),
}
_RESOURCES = (
    "backup|backupstorage|bucket|cpu|gpu|ip|memory|network|objectstorage|primarystorage|project"
    "|secondarystorage|snapshot|template|vm|volume|vpc"
)
# Text fields that are numbers to a person; applied only where the catalogue says text.
_NUMBERS = re.compile(
    rf"(?:{_RESOURCES})(?:limit|available)"
    r"|cpuused|cpuload|cpuallocated|cpuallocatedpercentage|cpuallocatedwithoverprovisioning"
    r"|memoryused|memoryallocated|memoryallocatedpercentage|cpumaxdeviation|memorymaxdeviation"
    r"|percentused|drsimbalance|cpuwithoverprovisioning|memorywithoverprovisioning"
    r"|cpuovercommitratio|memoryovercommitratio|overprovisionfactor|rawusage"
)
_PORTS = frozenset("privateport privateendport publicport publicendport startport endport".split())


def kind_of(name: str, documented: str) -> str:
    """The kind of a column: the catalogue's, or number or port where text stands for one."""
    if documented == "text" and _NUMBERS.fullmatch(name):
        return "number"
    if documented == "text" and name in _PORTS:
        return "port"
    return documented


def wire_of(kind: str) -> str:
    """How the values of a kind travel."""
    return _WIRE.get(kind, kind)


class Column:
    """The cells of one field, page by page; `present` once a row had it.

    Cells of a JSON column are the bytes of JSON values, `null` where there is nothing. A number
    of an `exact` column travels as the text that it came as.
    """

    def __init__(self, name: str, kind: str, exact: bool = False) -> None:
        self.name = name
        self.kind = kind
        self.exact = exact
        self.wire = wire_of(kind)
        self.present = False
        self._chunks: list[pa.Array] = []
        self._length = 0

    def meet(self, values: Cells) -> None:
        """Learn from a page's values: the type of an unknown field, or that one doesn't fit."""
        if self.kind == "unknown" and not self._chunks:
            self.wire = wire_of(kind_met(values))
        if fits(values, self.wire):
            return
        found = kind_met(values)
        if self._chunks or found == "nested" or self.exact or is_secret(self.name):
            self._widen()
        else:  # a server of another version: all are of one other kind, so far
            self.wire = found

    def append(self, start: int, values: Cells) -> bool:
        """Add cells, the first of which is row `start`; rows before that had none.

        Returns:
            Whether they travel otherwise from now on: one of them didn't fit.
        """
        self._fill(start)
        before = self.wire
        chunk = self._array(values)  # which may widen the column
        self._chunks.append(chunk)
        self._length += len(values)
        return self.wire != before

    def whole(self, rows: int) -> pa.ChunkedArray:
        """All cells, as they travelled."""
        self._fill(rows)
        return pa.chunked_array(self._chunks, ARROW[self.wire])

    def clear(self) -> None:
        """Forget the cells; what was learnt of their type stays."""
        self._chunks = []
        self._length = 0

    def _array(self, values: Cells) -> pa.Array:
        if self.wire == "json":
            return _json_array(values)
        try:
            return pa.array(values, ARROW[self.wire])
        except (OverflowError, pa.ArrowInvalid):  # an integer beyond 64 bits
            self._widen()
            return _json_array([json_bytes(value) for value in values])

    def _fill(self, rows: int) -> None:
        if rows > self._length:
            self._chunks.append(pa.nulls(rows - self._length, ARROW[self.wire]))
            self._length = rows

    def _widen(self) -> None:
        if self.wire != "json":
            self.wire = "json"
            self._chunks = [_json_array(_encoded(chunk)) for chunk in self._chunks]


class Number(str):
    """A number of JSON as the text that it came as."""

    __slots__ = ()


def json_bytes(value: Any) -> bytes:
    """A value as JSON; None is `null`."""
    if isinstance(value, Number):
        return value.encode()
    return json.dumps(value, ensure_ascii=False).encode()


def parsed(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column of JSON text; None where it has nothing."""
    values: list[Any] = []
    for chunk in column.chunks:
        lists = pa.LargeListArray.from_arrays([0, len(chunk)], pc.fill_null(chunk, "null"))
        values += _parsed(f"[{pc.binary_join(lists, _COMMA)[0].as_py()}]")
    return values


def _parsed(whole: str) -> Any:
    try:
        return msgspec.json.decode(whole)
    except msgspec.MsgspecError:  # 1e400, NaN: not JSON to everybody
        return loads(whole)


def fits(values: Cells, wire: str) -> bool:
    """Whether all these values can travel so."""
    if wire == "json":
        return True
    types = set(map(type, values)) - {type(None)}
    if not types <= _TYPES[wire]:
        return False
    if int in types:
        low, high = (-(2**63), 2**63 - 1) if wire == "integer" else (-(2**53), 2**53)
        return all(low <= value <= high for value in values if type(value) is int)
    return True


def kind_met(values: Iterable[Any]) -> str:
    """The narrowest kind that holds all these values; unknown where there are none."""
    given = [value for value in values if value is not None]
    if not given:
        return "unknown"
    kinds = ("text", "boolean", "integer", "float")
    return next((kind for kind in kinds if fits(given, kind)), "nested")


def _json_array(cells: Cells) -> pa.Array:
    """Cells that are the bytes of JSON values, end to end in one buffer: nothing is parsed."""
    ends = array("q", accumulate(map(len, cells), initial=0))
    buffers = pa.py_buffer(ends), pa.py_buffer(b"".join(cells))
    whole = pa.LargeStringArray.from_buffers(len(cells), *buffers)
    nothing = pc.equal(whole, "null")
    if not pc.any(nothing).as_py():
        return whole
    return pc.if_else(nothing, pa.scalar(None, pa.large_string()), whole)


def _encoded(chunk: pa.Array) -> list[bytes]:
    """The cells of a chunk that travelled otherwise as JSON."""
    values = chunk.to_pylist()
    if chunk.type == pa.float64() and not all(isfinite(v) for v in values if v is not None):
        return [json_bytes(value) for value in values]
    return list(map(msgspec.json.Encoder().encode, values))
