"""Rows as bytes → typed Arrow columns, in the order the server gave them.

The first page is read slowly: its keys and the catalogue's fields make a struct
type, through which the other pages go straight to columns. A page with a new key
or an odd type is read slowly once and the struct is extended, so nothing is ever
dropped. Text that stands for something else (a date, a percentage) is kept as it
came until the end, when the whole column is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from itertools import accumulate, compress
from typing import Any

import msgspec
import pyarrow as pa

from cs_magic.api.columns import Cells, Column, settled
from cs_magic.api.envelope import too_deep
from cs_magic.api.masks import MASK, is_secret, masked, may_hold_secret, names_a_secret
from cs_magic.api.values import Page, Result

_KINDS = b"cs.kinds"
_MISSING = msgspec.Raw(b"null")
_RAW = msgspec.json.Decoder(list[msgspec.Raw])
_WIRE: dict[str, tuple[Any, Any]] = {
    "text": (str | None, None),
    "integer": (int | None, None),
    "float": (int | float | None, None),  # as a float alone, a large integer would be rounded
    "boolean": (bool | None, None),
    "json": (msgspec.Raw, _MISSING),
}


class Records:
    """A table in the making: pages go in, one Arrow table comes out.

    Args:
        kinds: the documented fields and their kinds (text, integer, float, boolean,
            date, number, port, nested), in order; they become columns even where
            no row has them.
        only: the fields that are wanted, or None for all.
        text: leave dates and numbers that travel as text as text.
    """

    def __init__(
        self, kinds: Mapping[str, str], only: Iterable[str] | None = None, text: bool = False
    ) -> None:
        self._only = None if only is None else frozenset(only) | {"id", "zoneid"}
        self._columns = {
            name: Column(name, kind) for name, kind in kinds.items() if self._takes(name)
        }
        for name in only or ():  # also one that is documented nowhere, so that rows have a column
            self._columns.setdefault(name, Column(name, _kind(name)))
        self._kinds = dict(kinds)
        self._text = text
        self._wanted = only
        self._seen: set[Any] = set()
        self._before: list[set[Any]] = []
        self._decoder: msgspec.json.Decoder[list[Any]] | None = None
        self.rows = 0
        self.duplicates = 0
        self.overlap = 0
        self.notes: dict[str, None] = {}
        self.secrets: dict[str, dict[int, Any]] = {}

    def begin(self) -> None:
        """Another list begins: its rows that an earlier list had are dropped as `overlap`."""
        if self._seen:
            self._before.append(self._seen)
            self._seen = set()

    def add(self, page: Page, limit: int | None = None) -> tuple[int, int]:
        """Take a page's rows in: how many it held, and how many of them this list didn't have.

        A row that came on an earlier page is dropped. Identity is `id` with `zoneid`
        where there is one (templates come once per zone), else the whole row. An id that
        one page holds twice is no identity, and its rows stay. No more than `limit` rows
        are ever kept.

        Raises:
            TransportError: the rows are nested too deeply to be read.
        """
        self.notes.update(dict.fromkeys(page.notes))
        if page.rows == b"[]":
            return 0, 0
        try:
            return self._add(page, limit)
        except RecursionError:
            raise too_deep() from None

    def _add(self, page: Page, limit: int | None) -> tuple[int, int]:
        cells, held = self._cells(page)
        keep, new = self._new(cells, page, held)
        if limit is not None and self.rows + held > limit:
            keep = _first_of(keep or [True] * held, limit - self.rows)
        self._take(cells, held, keep)
        return held, new

    def table(self) -> pa.Table:
        """The rows as an Arrow table: present columns in the server's order, then documented ones.

        Columns are large_string, int64, float64, bool or timestamp[us, UTC]; nested
        ones are JSON text with the field metadata `cs: json`. The metadata of the whole
        say what is documented: `kinds_of`.
        """
        try:
            return self._table()
        except RecursionError:
            raise too_deep() from None

    def _table(self) -> pa.Table:
        present = [column for column in self._columns.values() if column.present]
        absent = [column for column in self._columns.values() if not column.present]
        fields, arrays = [], []
        for column in present + absent:
            if self._wanted is None or column.name in self._wanted:
                field, array, note = settled(column, self.rows, self._text)
                fields.append(field)
                arrays.append(array)
                self.notes.update(dict.fromkeys(note))
        metadata = {_KINDS: json.dumps(self._documented())}
        return pa.table(arrays, schema=pa.schema(fields, metadata=metadata))

    def _documented(self) -> dict[str, str]:
        """The documented fields that are wanted, in order, and what a file holds them as."""
        return {
            name: "text" if self._text and kind in {"date", "number", "port"} else kind
            for name, kind in self._kinds.items()
            if kind != "unknown" and (self._wanted is None or name in self._wanted)
        }

    # -- one page ------------------------------------------------------------

    def _cells(self, page: Page) -> tuple[dict[str, Cells], int]:
        if self._decoder is not None:
            try:
                return self._quickly(self._decoder.decode(page.rows))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self._decoder = None
        return self._slowly(page)

    def _quickly(self, rows: list[Any]) -> tuple[dict[str, Cells], int]:
        tuples = map(msgspec.structs.astuple, rows)
        present = [column for column in self._columns.values() if column.present]
        cells: dict[str, Cells] = dict(
            zip((column.name for column in present), zip(*tuples, strict=True), strict=True)
        )
        for column in present:
            if column.wire == "json":
                cells[column.name] = [_json_cell(raw) for raw in cells[column.name]]
        return cells, len(rows)

    def _slowly(self, page: Page) -> tuple[dict[str, Cells], int]:
        """Learn from a page what its fields are; then read it through the new struct."""
        rows = [_as_row(page.key, row) for row in json.loads(page.rows, strict=False)]
        for name in dict.fromkeys(name for row in rows for name in row if self._takes(name)):
            column = self._columns.setdefault(name, Column(name, _kind(name)))
            column.present = True
            column.meet([row.get(name) for row in rows])
        try:
            self._decoder = self._struct_decoder()
            return self._quickly(self._decoder.decode(page.rows))
        except (msgspec.MsgspecError, ValueError):  # 1e400, rows that are no objects, odd names
            self._decoder = None
            return self._by_hand(rows), len(rows)

    def _by_hand(self, rows: list[dict[str, Any]]) -> dict[str, Cells]:
        return {
            column.name: column.cells([row.get(column.name) for row in rows])
            for column in self._columns.values()
            if column.present
        }

    def _struct_decoder(self) -> msgspec.json.Decoder[list[Any]]:
        present = {f"f{i}": c for i, c in enumerate(self._columns.values()) if c.present}
        row = msgspec.defstruct(
            "Row",
            [(field, *_WIRE[column.wire]) for field, column in present.items()],
            rename={field: column.name for field, column in present.items()},
            forbid_unknown_fields=self._only is None,
            gc=False,
        )
        return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]

    def _takes(self, name: str) -> bool:
        return self._only is None or name in self._only

    def _remember(self, name: str, values: Cells, shown: Cells) -> None:
        """Keep what was masked, by row: it can be shown on demand, and stays in this process."""
        for index, (value, mask) in enumerate(zip(values, shown, strict=True)):
            if value is not mask and value not in _NOTHING:
                text = value.decode() if isinstance(value, bytes) else value
                self.secrets.setdefault(name, {})[self.rows + index] = text

    # -- identity ------------------------------------------------------------

    def _new(
        self, cells: Mapping[str, Cells], whole: Page, held: int
    ) -> tuple[list[bool] | None, int]:
        """Which rows to keep (None for all), and how many this list didn't have."""
        ids = _identities(cells, whole)
        page = set(ids)
        if len(page) < held and "id" in cells:
            page -= {one for one, times in _counted(ids).items() if times > 1}
        again = page & self._seen
        elsewhere = set().union(*(page & before for before in self._before)) - again
        self._seen |= page
        if not again and not elsewhere:
            return None, held
        repeated = sum(one in again for one in ids)
        overlapping = sum(one in elsewhere for one in ids)
        self.duplicates += repeated
        self.overlap += overlapping
        return [one not in again and one not in elsewhere for one in ids], held - repeated

    def _take(self, cells: Mapping[str, Cells], held: int, keep: list[bool] | None) -> None:
        taken = {
            name: values if keep is None else list(compress(values, keep))
            for name, values in cells.items()
        }
        for name, values in taken.items():
            column = self._columns[name]
            shown = _without_secrets(column, values, taken)
            column.append(self.rows, shown)
            if shown is not values:
                self._remember(name, values, shown)
        self.rows += held if keep is None else sum(keep)


def revealed(result: Result) -> Result:
    """The same result with its secrets in the place of the `••••`."""
    table = result.table
    for name, cells in result.secrets.items():
        if name in table.column_names:
            index = table.column_names.index(name)
            values = table[name].to_pylist()
            for row, value in cells.items():
                values[row] = value
            field = table.schema.field(index)
            table = table.set_column(index, field, pa.array(values, field.type))
    return replace(result, table=table)


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as parsed JSON, fields that a row doesn't have left out."""
    columns = [
        [None if cell is None else json.loads(cell) for cell in column.to_pylist()]
        if is_json(field)
        else column.to_pylist()
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return [
        {
            name: value
            for name, value in zip(table.column_names, row, strict=True)
            if value is not None
        }
        for row in zip(*columns, strict=True)
    ]


def is_json(field: pa.Field) -> bool:
    """Whether a column holds JSON text that stands for nested or mixed values."""
    return bool((field.metadata or {}).get(b"cs") == b"json")


def kinds_of(table: pa.Table) -> dict[str, str]:
    """The documented fields of a result's table and their kinds, whatever its rows hold."""
    kinds: dict[str, str] = json.loads((table.schema.metadata or {}).get(_KINDS, b"{}"))
    return kinds


def _as_row(key: str | None, row: Any) -> dict[str, Any]:
    return row if isinstance(row, dict) else {key or "value": row}


def _json_cell(raw: msgspec.Raw) -> bytes | None:
    text = bytes(raw)
    return None if text == b"null" else text


def _kind(name: str) -> str:
    """The kind of a field that is not documented: a secret of any type is masked as text."""
    return "text" if is_secret(name) else "unknown"


def _identities(cells: Mapping[str, Cells], page: Page) -> list[Any]:
    ids = cells.get("id")
    if ids is None or None in ids:
        return _whole_rows(page)
    zones = cells.get("zoneid")
    return list(ids) if zones is None else list(zip(ids, zones, strict=True))


def _whole_rows(page: Page) -> list[bytes]:
    """What each row is, all its fields, whatever columns are wanted."""
    try:
        texts = [bytes(row) for row in _RAW.decode(page.rows)]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        texts = [json.dumps(row).encode() for row in json.loads(page.rows, strict=False)]
    return [blake2b(text, digest_size=16).digest() for text in texts]


def _first_of(keep: list[bool], most: int) -> list[bool]:
    kept = accumulate(keep)
    return [wanted and number <= most for wanted, number in zip(keep, kept, strict=True)]


def _counted(ids: Iterable[Any]) -> dict[Any, int]:
    times: dict[Any, int] = {}
    for one in ids:
        times[one] = times.get(one, 0) + 1
    return times


def _without_secrets(column: Column, values: Cells, row: Mapping[str, Cells]) -> Cells:
    """The cells with every secret in them replaced."""
    if is_secret(column.name) and column.wire in {"text", "json"}:
        mask = MASK if column.wire == "text" else json.dumps(MASK)
        return [mask if value not in _NOTHING else value for value in values]
    if column.name in {"value", "defaultvalue"} and column.wire == "text":
        beside = row.get("name") or row.get("key") or [None] * len(values)
        pairs = zip(values, beside, strict=True)
        return [MASK if value and names_a_secret(name) else value for value, name in pairs]
    if column.wire == "text" and column.name.lower().endswith("url") and may_hold_secret(values):
        return [masked(value) for value in values]
    if column.wire == "json" and may_hold_secret(values):
        return [_masked_json(value) if may_hold_secret([value]) else value for value in values]
    return values


_NOTHING = (None, "", b'""', '""')


def _masked_json(text: str | bytes) -> str:
    return json.dumps(masked(json.loads(text)), ensure_ascii=False)
