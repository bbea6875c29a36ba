"""One column in the making: how its values travel, and what they turn out to be.

Values travel as text, integer, float, boolean, or as JSON where they are nested
or of several types. What a text stands for (a date, a number) is settled at the
end, over the whole column, so that one odd value costs the column its type and
never the value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

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
_WIRE = {"date": "text", "number": "text", "port": "text", "nested": "json", "unknown": "json"}
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
_DECIMAL = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NO_DIGITS = {"Unlimited": float("inf"), "NaN": float("nan")}


def kind_of(name: str, documented: str) -> str:
    """The kind of a column: the catalogue's, or number or port where text stands for one."""
    if documented == "text" and _NUMBERS.fullmatch(name):
        return "number"
    if documented == "text" and name in _PORTS:
        return "port"
    return documented


class Column:
    """The cells of one field, page by page; `present` once a row had it."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.wire = _WIRE.get(kind, kind)
        self.present = False
        self._chunks: list[pa.Array] = []
        self._length = 0

    def meet(self, values: Cells) -> None:
        """Learn from a page's values: the type of an unknown field, or that one doesn't fit."""
        if self.kind == "unknown" and not self._chunks:
            self.kind = _kind_met(values)
            self.wire = _WIRE.get(self.kind, self.kind)
        if not all(map(_FITS[self.wire], values)):
            self._widen()

    def append(self, start: int, values: Cells) -> None:
        """Add cells, the first of which is row `start`; rows before that had none."""
        self._fill(start)
        try:
            chunk = pa.array(values, ARROW[self.wire])
        except (OverflowError, pa.ArrowInvalid):  # an integer beyond 64 bits
            self._widen()
            chunk = pa.array([_json(value) for value in values], ARROW["json"])
        self._chunks.append(chunk)
        self._length += len(values)

    def whole(self, rows: int) -> pa.ChunkedArray:
        """All cells, as they travelled."""
        self._fill(rows)
        return pa.chunked_array(self._chunks, ARROW[self.wire])

    def cells(self, values: Cells) -> Cells:
        """Values as they travel in this column: JSON text where it is a JSON column."""
        return [_json(value) for value in values] if self.wire == "json" else values

    def _fill(self, rows: int) -> None:
        if rows > self._length:
            self._chunks.append(pa.nulls(rows - self._length, ARROW[self.wire]))
            self._length = rows

    def _widen(self) -> None:
        if self.wire != "json":
            self.wire = "json"
            self._chunks = [
                pa.array([_json(value) for value in chunk.to_pylist()], ARROW["json"])
                for chunk in self._chunks
            ]


def settled(column: Column, rows: int, text: bool) -> tuple[pa.Field, pa.ChunkedArray, list[str]]:
    """The finished column: its field, its values, and a note where a value did not fit."""
    whole = column.whole(rows)
    if column.wire == "json" and column.kind != "nested":
        return _narrowed(column, whole)
    if column.wire == "json":
        return _field(column.name, ARROW["json"], "json"), whole, []
    if column.kind in _READ_TEXT and not text:
        return _read(column, whole)
    return _field(column.name, whole.type), whole, []


def _read(column: Column, whole: pa.ChunkedArray) -> tuple[pa.Field, pa.ChunkedArray, list[str]]:
    """A text column as what its text stands for, or as text where one value doesn't."""
    try:
        array = _READ_TEXT[column.kind](whole)
    except ValueError as error:
        return _field(column.name, whole.type), whole, [_note(column, str(error))]
    return _field(column.name, array.type), array, []


def _narrowed(
    column: Column, whole: pa.ChunkedArray
) -> tuple[pa.Field, pa.ChunkedArray, list[str]]:
    """A column of several types, as the one type that holds every value, or as objects."""
    values = [None if cell is None else json.loads(cell) for cell in whole.to_pylist()]
    if all(value is None for value in values):
        kind = _WIRE.get(column.kind, column.kind)
        kind = "text" if kind == "json" else kind
        return _read_again(column, kind, values)
    wanted = _WIRE.get(column.kind, column.kind)
    fitting = [_coerced(value, wanted) for value in values]
    if all(map(_FITS[wanted], fitting)) and wanted != "json":
        return _read_again(column, wanted, fitting)
    found = _kind_met(values)
    notes = [] if column.kind == "unknown" else [_note(column, _misfit(values, wanted))]
    if found == "nested":
        return _field(column.name, ARROW["json"], "json"), whole, notes
    return _field(column.name, ARROW[found]), pa.chunked_array([values], ARROW[found]), notes


def _read_again(
    column: Column, wire: str, values: Cells
) -> tuple[pa.Field, pa.ChunkedArray, list[str]]:
    whole = pa.chunked_array([values], ARROW[wire])
    if column.kind in _READ_TEXT:
        return _read(column, whole)
    return _field(column.name, whole.type), whole, []


def fitted(kind: str, value: Any) -> Any:
    """One value as its documented kind holds it: text that is a date as a datetime.

    Raises:
        ValueError: the value is not of that kind.
    """
    if value is None or kind == "nested":
        return value
    if isinstance(value, str) and kind in _READ_ONE:
        return _read_one(kind, value)
    wire = {"number": "float", "port": "integer"}.get(kind, kind)
    if wire == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    value = _coerced(value, wire)
    if wire == "date" or not _FITS[wire](value):
        raise ValueError(f"{value!r} is not {kind}")
    return float(value) if wire == "float" else value


def _read_one(kind: str, text: str) -> Any:
    try:
        return _READ_ONE[kind](text)
    except (OverflowError, pa.ArrowInvalid) as error:
        raise ValueError(f"{text!r} is not a {kind}") from error


def _note(column: Column, value: str) -> str:
    what = {"number": "a number", "port": "a port", "date": "a date"}.get(column.kind, column.kind)
    return f"{column.name}: {value} is not {what}; the column keeps every value as it came"


def _misfit(values: Cells, wanted: str) -> str:
    odd = next(v for v in values if not _FITS[wanted](_coerced(v, wanted)))
    return json.dumps(odd, ensure_ascii=False)[:60]


def _coerced(value: Any, wanted: str) -> Any:
    """`"12"` where an integer is documented is 12, `"true"` is true; else the value itself."""
    if isinstance(value, str):
        if wanted == "integer" and re.fullmatch(r"-?\d{1,18}", value):
            return int(value)
        if wanted == "float" and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return float(value)
        if wanted == "boolean" and value.lower() in {"true", "false"}:
            return value.lower() == "true"
    return value


def _dates(whole: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return whole.cast(UTC)
    except pa.ArrowInvalid:
        return _each(whole, UTC, _date)


def _date(text: str) -> datetime | None:
    # Usage records up to 4.19: 2024-05-01'T'00:00:00+00:00 (ApiResponseHelper).
    plain = text.replace("'T'", "T")
    date: datetime | None = pa.scalar(plain or None, pa.large_string()).cast(UTC).as_py()
    return date


def _numbers(whole: pa.ChunkedArray) -> pa.ChunkedArray:
    return _each(whole, pa.float64(), _number)


def _number(text: str) -> float | None:
    if text == "":
        return None
    bare = text.strip().removesuffix("%").rstrip()
    if bare in _NO_DIGITS:
        return _NO_DIGITS[bare]
    if not _DECIMAL.fullmatch(bare):
        raise ValueError(f"{text!r} is no number")
    # The server writes decimals in its own locale (HostJoinDaoImpl): a comma is possible.
    return float(bare.replace(",", "."))


def _ports(whole: pa.ChunkedArray) -> pa.ChunkedArray:
    return _each(whole, pa.int64(), _port)


def _port(text: str) -> int | None:
    port = int(text) if text else None
    if not _is_integer(port):
        raise ValueError(text)
    return port


def _each(whole: pa.ChunkedArray, type_: pa.DataType, read: Any) -> pa.ChunkedArray:
    """Each different text read once. ValueError names the first that can't be."""
    encoded = whole.combine_chunks().dictionary_encode()
    values = []
    for text in encoded.dictionary.to_pylist():
        try:
            values.append(read(text))
        except (ValueError, OverflowError, pa.ArrowInvalid):
            values = []
            raise_for = text
            break
    else:
        taken = pa.array(values, type_).take(encoded.indices)
        return pa.chunked_array([taken], type_)
    raise ValueError(json.dumps(raise_for, ensure_ascii=False)[:60])


_READ_TEXT = {"date": _dates, "number": _numbers, "port": _ports}
_READ_ONE: dict[str, Callable[[str], Any]] = {"date": _date, "number": _number, "port": _port}


def _field(name: str, type_: pa.DataType, mark: str = "") -> pa.Field:
    return pa.field(name, type_, metadata={"cs": mark} if mark else None)


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _is_integer(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= 2**53
    return value is None or isinstance(value, float)


_FITS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: value is None or isinstance(value, str),
    "integer": _is_integer,
    "float": _is_number,
    "boolean": lambda value: value is None or isinstance(value, bool),
    "json": lambda value: True,
}


def _kind_met(values: Iterable[Any]) -> str:
    """The narrowest kind that holds all these values; unknown where there are none."""
    given = [value for value in values if value is not None]
    if not given:
        return "unknown"
    return next(
        (kind for kind in ("text", "boolean", "integer", "float") if all(map(_FITS[kind], given))),
        "nested",
    )
