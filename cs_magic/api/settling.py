"""A whole column → what it turns out to be: typed where every value fits, else kept as it came.

What a text stands for (a date, a percentage, a port) is read here, each different text
once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cs_magic.api.columns import ARROW, UTC, Cells, Column, fits, kind_met, parsed, wire_of

Settled = tuple[pa.Field, pa.ChunkedArray, list[str]]
_DECIMAL = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")
KEPT = "the column keeps every value as it came"
_NO_DIGITS = {"Unlimited": float("inf"), "NaN": float("nan")}


def settled(column: Column, rows: int, text: bool) -> Settled:
    """The finished column: its field, its values, and a note where a value did not fit."""
    whole = column.whole(rows)
    if column.wire == "json" and (column.kind == "nested" or _is_nested(column, whole)):
        return _field(column.name, ARROW["json"], "json"), whole, []
    if column.wire == "json":
        return _narrowed(column, whole, parsed(whole), text)
    if column.wire != wire_of(column.kind) and column.kind != "unknown":
        return _narrowed(column, whole, whole.to_pylist(), text)
    return _told(column, whole, text)


def as_text(column: Column, rows: int) -> pa.ChunkedArray:
    """A column's values as the text they came as; of a number, the one it came as."""
    whole = column.whole(rows)
    if column.wire != "json":
        return whole.cast(ARROW["text"])
    cells = whole.to_pylist()
    values = [json.loads(cell) if cell is not None and cell[0] == '"' else cell for cell in cells]
    return pa.chunked_array([values], ARROW["text"])


def _is_nested(column: Column, whole: pa.ChunkedArray) -> bool:
    """Whether an undocumented field holds a list or an object, told without parsing it."""
    opens = (pc.any(pc.starts_with(whole, bracket)).as_py() for bracket in "[{")
    return column.kind == "unknown" and any(opens)


def _told(column: Column, whole: pa.ChunkedArray, text: bool) -> Settled:
    """A column whose values fit; a text as what it stands for, or as text where one doesn't."""
    if text or column.kind not in _READ_TEXT:
        return _field(column.name, whole.type), whole, []
    try:
        array = _READ_TEXT[column.kind](whole)
    except ValueError as error:
        return _field(column.name, whole.type), whole, [_note(column, str(error))]
    return _field(column.name, array.type), array, []


def _narrowed(column: Column, whole: pa.ChunkedArray, values: list[Any], text: bool) -> Settled:
    """A column of several types, as the one type that holds every value, or as objects."""
    wanted = wire_of(column.kind)
    if all(value is None for value in values):
        wire = "text" if wanted == "json" else wanted
        return _told(column, _array(values, wire), text)
    if wanted != "json":
        fitting = _all_coerced(values, wanted)
        if fits(fitting, wanted):
            return _told(column, _array(fitting, wanted), text)
    found = kind_met(values)
    is_known = column.kind != "unknown"
    notes = [_note(column, _misfit(values, wanted))] if is_known else _mixed(column, values)
    if found == "nested":
        return _field(column.name, ARROW["json"], "json"), whole, notes
    return _field(column.name, ARROW[found]), _array(values, found), notes


def _array(values: Cells, wire: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, ARROW[wire])])


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
    if wire == "date" or not fits([value], wire):
        raise ValueError(f"{value!r} is not {kind}")
    return float(value) if wire == "float" else value


def _read_one(kind: str, text: str) -> Any:
    try:
        return _READ_ONE[kind](text)
    except (OverflowError, pa.ArrowInvalid) as error:
        raise ValueError(f"{text!r} is not a {kind}") from error


def _note(column: Column, value: str, kind: str = "") -> str:
    kind = kind or column.kind
    what = {"number": "a number", "port": "a port", "date": "a date"}.get(kind, kind)
    return f"{column.name}: {value} is not {what}; {KEPT}"


def _mixed(column: Column, values: Cells) -> list[str]:
    """A note where the values of an undocumented field are not all of the first one's type."""
    given = [value for value in values if value is not None]
    kind = kind_met(given[:1])
    odd = next((value for value in given if not fits([value], wire_of(kind))), None)
    return [] if odd is None else [_note(column, _shown(odd), kind)]


def _misfit(values: Cells, wanted: str) -> str:
    odd = next(value for value in values if not fits([_coerced(value, wanted)], wanted))
    return _shown(odd)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]


def _all_coerced(values: list[Any], wanted: str) -> list[Any]:
    if wanted == "text":
        return values
    return [_coerced(value, wanted) if type(value) is str else value for value in values]


def _coerced(value: Any, wanted: str) -> Any:
    """`"12"` where an integer is documented is 12, `"true"` is true; else the value itself."""
    if isinstance(value, str):
        if wanted == "integer" and re.fullmatch(r"-?[0-9]{1,18}", value):
            return int(value)
        if wanted == "float" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
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
    if not fits([port], "integer"):
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
