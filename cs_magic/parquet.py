"""Parquet with one schema, whatever the rows hold, so that the files of many days are one dataset.

Documented fields have their documented types: text, int64, double, boolean,
timestamp[us, UTC]; nested ones are JSON text. A field that isn't documented, and a value that
isn't what its field is documented to be, stands in the JSON text of the row's `_other`, which
is null where there is nothing. Columns asked for by name that aren't documented (a path such as
`nic.0.ipaddress`, the fields of an exploded one) are text. Where nothing is documented, as
for a command that the catalogue doesn't have, the columns are as they came.

`attrs["cs"]` survives `pd.read_parquet`; the file's metadata `cs_magic` is JSON with the
provenance, the notes, and the names of the columns that hold JSON.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cs_magic.api.columns import ARROW, DOCUMENTED
from cs_magic.api.records import is_json, kinds_of
from cs_magic.api.settling import fitted
from cs_magic.api.values import Provenance, Result
from cs_magic.frames import to_frame

OTHER = "_other"
_KINDS = {type_: kind for kind, type_ in ARROW.items() if kind != "json"} | {
    DOCUMENTED["date"]: "date"
}
_AS_TEXT = "as text"


def save(
    path: Path,
    result: Result,
    table: pa.Table,
    columns: Sequence[str] | None,
    explode: str | None,
) -> tuple[tuple[int, int], tuple[str, ...]]:
    """Write the result's columns, laid out in `table`; how many rows and columns, and notes.

    Raises:
        OSError: as the file system says.
    """
    kinds = layout(result.table, table, columns, explode)
    whole = conformed(table, kinds)
    notes = about_other(names_in_other(whole))
    save_whole(path, replace(result, notes=(*result.notes, *notes)), whole, kinds)
    return whole.shape, notes


def save_whole(
    path: Path, result: Result, table: pa.Table, kinds: Mapping[str, str], rows: int = 1 << 20
) -> None:
    """Write a table that is conformed to these kinds; a row group has so many rows at most."""
    whole = table.replace_schema_metadata(_metadata(table, kinds, result))
    with pq.ParquetWriter(path, whole.schema, compression="zstd") as writer:
        for start in range(0, max(1, len(whole)), rows):  # the stop button ends it between two
            writer.write_table(whole.slice(start, rows))


def joined(path: Path, result: Result, parts: Iterable[Path], kinds: Mapping[str, str]) -> None:
    """One file of several that are conformed to these kinds, a row group at a time."""
    writer = None
    try:
        for part in parts:
            with pq.ParquetFile(part) as source:
                for number in range(source.num_row_groups):
                    group = source.read_row_group(number)
                    metadata = _metadata(group, kinds, result) if writer is None else None
                    if writer is None:
                        schema = group.schema.with_metadata(metadata)
                        writer = pq.ParquetWriter(path, schema, compression="zstd")
                    writer.write_table(group.replace_schema_metadata(writer.schema.metadata))
    finally:
        if writer is not None:
            writer.close()


def about_other(names: Collection[str]) -> tuple[str, ...]:
    """A note of what stands in `_other`, where anything does."""
    return (f"{OTHER} holds what the documented types can't: {', '.join(names)}",) if names else ()


def conformed(table: pa.Table, kinds: Mapping[str, str]) -> pa.Table:
    """The table in the one schema of these kinds, with all else in `_other`."""
    rest: dict[int, list[str]] = {}
    arrays = {
        name: _column(table.field(name), table[name], kind, rest) for name, kind in kinds.items()
    }
    for name in table.column_names:
        if name not in kinds:
            for row, value in enumerate(_values(table.field(name), table[name])):
                _set_aside(rest, row, name, value)
    other = ["{" + ", ".join(rest[row]) + "}" if row in rest else None for row in range(len(table))]
    return pa.table(arrays | {OTHER: pa.array(other, pa.large_string())})


def layout(
    whole: pa.Table, table: pa.Table, columns: Sequence[str] | None, explode: str | None = None
) -> dict[str, str]:
    """The columns of the file, in order, and the kind of each; `_other` not among them.

    Args:
        whole: a result's table, which says what is documented.
        table: the same, laid out by columns.
    """
    documented = kinds_of(whole)
    if columns is not None:
        names = table.column_names
    elif documented:
        exploded = (
            name for name in table.column_names if explode and name.startswith(f"{explode}.")
        )
        names = [*_ordered(documented), *exploded]
    else:
        names = table.column_names
        documented = {field.name: _kind(field) for field in table.schema}
    return {
        name: documented.get(name, _AS_TEXT)
        for name in names
        if name != OTHER and name in table.column_names
    }


def _ordered(documented: Mapping[str, str]) -> list[str]:
    """The documented fields as a frame has them: what a person wants first comes first."""
    schema = pa.schema([(name, DOCUMENTED[kind]) for name, kind in documented.items()])
    return list(to_frame(Result(schema.empty_table(), Provenance(""))).columns)


def _kind(field: pa.Field) -> str:
    return "nested" if is_json(field) else _KINDS.get(field.type, "text")


def _column(
    field: pa.Field, column: pa.ChunkedArray, kind: str, rest: dict[int, list[str]]
) -> pa.ChunkedArray:
    """A column as its kind; what doesn't fit goes to the rest."""
    wanted = DOCUMENTED.get(kind, pa.large_string())
    if column.type == wanted and is_json(field) == (kind == "nested"):
        return column
    values = _values(field, column)
    if kind == _AS_TEXT:
        return pa.chunked_array([[_text(value) for value in values]], wanted)
    fitting: list[Any] = []
    for row, value in enumerate(values):
        try:
            fitting.append(fitted(kind, value))
        except ValueError:
            fitting.append(None)
            _set_aside(rest, row, field.name, value)
    return pa.chunked_array([fitting], wanted)


def _values(field: pa.Field, column: pa.ChunkedArray) -> list[Any]:
    cells: list[Any] = column.to_pylist()
    return [cell and json.loads(cell) for cell in cells] if is_json(field) else cells


def names_in_other(table: pa.Table) -> list[str]:
    """The names of the fields that `_other` has."""
    texts = table[OTHER].unique().to_pylist()
    return sorted({name for text in texts if text for name in json.loads(text)})


def _set_aside(rest: dict[int, list[str]], row: int, name: str, value: Any) -> None:
    if value is not None:
        rest.setdefault(row, []).append(f"{_json(name)}: {_json(value)}")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _json(value)


def _metadata(table: pa.Table, kinds: Mapping[str, str], result: Result) -> dict[str, bytes]:
    """What pandas needs to give back its own types and `attrs`, and the same for everybody."""
    frame = to_frame(replace(result, table=table.schema.empty_table()), table.column_names)
    ours = {
        "provenance": frame.attrs["cs"],
        "notes": list(result.notes),
        "json": [name for name, kind in kinds.items() if kind == "nested"] + [OTHER],
    }
    return {
        "pandas": pa.Schema.from_pandas(frame, preserve_index=False).metadata[b"pandas"],
        "PANDAS_ATTRS": _json(frame.attrs).encode(),
        "cs_magic": _json(ours).encode(),
    }
