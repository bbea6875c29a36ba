"""Rows as bytes → typed Arrow columns, in the order the server gave them.

The first page is read slowly: its keys and the catalogue's fields make a struct
type, through which the other pages go straight to columns (`structs`). A page with a new
key or an odd type is read slowly once and the struct is extended, so nothing is ever
dropped. Text that stands for something else (a date, a percentage) is kept as it
came until the end, when the whole column is known (`settling`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import accumulate, compress
from typing import Any

import pyarrow as pa

from cs_magic.api.at_rest import collector_at_rest
from cs_magic.api.columns import Cells, Column, Number, json_bytes, parsed
from cs_magic.api.envelope import unreadable
from cs_magic.api.hiding import Hiding
from cs_magic.api.lenient import loads
from cs_magic.api.masks import is_secret
from cs_magic.api.met import Met
from cs_magic.api.seen import Seen
from cs_magic.api.settling import as_text, settled
from cs_magic.api.structs import UNREADABLE, Rows, in_order
from cs_magic.api.values import Page, Result

_KINDS = b"cs.kinds"
_TEXT_OF = "{}_text"


class Records:
    """A table in the making: pages go in, one Arrow table comes out.

    Args:
        kinds: the documented fields and their kinds (text, integer, float, boolean,
            date, number, port, nested), in order; they become columns even where
            no row has them.
        only: the fields that are wanted, or None for all.
        text: leave dates and numbers that travel as text as text.
        met: remembers the rows; all of them where nothing else is said.
        exact: fields whose text is kept beside the number that it stands for, as `NAME_text`.
    """

    def __init__(
        self,
        kinds: Mapping[str, str],
        only: Iterable[str] | None = None,
        text: bool = False,
        met: Met | None = None,
        exact: Collection[str] = (),
    ) -> None:
        self._only = None if only is None else _read_too(frozenset(only))
        self._exact = () if text else exact
        self._columns = {
            name: Column(name, kind, name in self._exact)
            for name, kind in kinds.items()
            if self._takes(name)
        }
        for name in self._only or ():  # also what is documented nowhere, so that rows have a column
            self._columns.setdefault(name, Column(name, _kind(name)))
        self._kinds = dict(kinds)
        self._text = text
        self._wanted = only
        self._order: list[str] = []
        self._reader: Rows | None = None
        self._seen = Seen(met or Met())
        self._hiding = Hiding()
        self.rows = 0
        self.notes: dict[str, None] = {}

    @property
    def duplicates(self) -> int:
        """Rows that came again on a later page of the same list, and were dropped."""
        return self._seen.duplicates

    @property
    def overlap(self) -> int:
        """Rows that an earlier list had, and were dropped."""
        return self._seen.overlap

    @property
    def secrets(self) -> dict[str, dict[int, Any]]:
        """What was masked, by field and row."""
        return self._hiding.secrets

    def begin(self) -> None:
        """Another list begins: its rows that an earlier list had are dropped as `overlap`."""
        self._seen.begin()

    def add(self, page: Page, limit: int | None = None) -> tuple[int, int]:
        """Take a page's rows in: how many it held, and how many of them this list didn't have.

        A row that came on an earlier page is dropped. Identity is `id` with `zoneid`
        where there is one (templates come once per zone), else the whole row. An id that
        one page holds twice is no identity, and its rows stay. No more than `limit` rows
        are ever kept.

        Raises:
            TransportError: the rows are nested too deeply to be read, or a page that was cut
                out at sight is none. ApiError where it is a refusal.
        """
        try:
            with collector_at_rest():
                return self._add(page, limit)
        except RecursionError as error:
            raise unreadable(error) from None

    def _add(self, page: Page, limit: int | None) -> tuple[int, int]:
        page, cells, held = self._cells(page)
        self.notes.update(dict.fromkeys(page.notes))
        if held == 0:
            return 0, 0
        keep, new = self._seen.take(cells, page, held)
        if limit is not None and self.rows + held > limit:
            keep = _first_of(keep or [True] * held, limit - self.rows)
        self._take(cells, held, keep)
        return held, new

    def table(self) -> pa.Table:
        """The rows as an Arrow table: present columns in the catalogue's order, then absent ones.

        Columns are large_string, int64, float64, bool or timestamp[us, UTC]; nested
        ones are JSON text with the field metadata `cs: json`. The metadata of the whole
        say what is documented: `kinds_of`.
        """
        try:
            return self._table()
        except RecursionError as error:
            raise unreadable(error) from None

    def clear(self) -> None:
        """Forget the rows; what was learnt of them stays."""
        for column in self._columns.values():
            column.clear()
        self.rows = 0
        self._hiding = Hiding()

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
                if column.name in self._exact:
                    fields.append(pa.field(_TEXT_OF.format(column.name), pa.large_string()))
                    arrays.append(as_text(column, self.rows))
        metadata = {_KINDS: json.dumps(self._documented())}
        return pa.table(arrays, schema=pa.schema(fields, metadata=metadata))

    def _documented(self) -> dict[str, str]:
        """The documented fields that are wanted, in order, and what a file holds them as."""
        found: dict[str, str] = {}
        for name, kind in self._kinds.items():
            if kind != "unknown" and (self._wanted is None or name in self._wanted):
                as_it_came = self._text and kind in {"date", "number", "port"}
                found[name] = "text" if as_it_came else kind
                if name in self._exact:
                    found[_TEXT_OF.format(name)] = "text"
        return found

    # -- one page ------------------------------------------------------------

    def _cells(self, page: Page) -> tuple[Page, dict[str, Cells], int]:
        """A page's cells; the page itself too, which may have had to be read again with care."""
        if page.rows == b"[]":
            return page, {}, 0
        try:
            if self._reader is not None:
                return page, *self._reader.read(page.rows, page.again is not None)
        except UNREADABLE:
            self._reader = None
        if page.again is not None:
            page = page.again()
        return page, *self._slowly(page)

    def _slowly(self, page: Page) -> tuple[dict[str, Cells], int]:
        """Learn from a page what its fields are; then read it through the new struct."""
        rows = [_as_row(page.key, row) for row in loads(page.rows)]
        if not rows:
            return {}, 0
        self._order = in_order(self._order, rows)
        for name in filter(self._takes, dict.fromkeys(name for row in rows for name in row)):
            column = self._columns.setdefault(name, Column(name, _kind(name)))
            column.present = True
            column.meet([row.get(name) for row in rows])
        try:
            self._reader = self._struct()
            return self._reader.read(page.rows)
        except (*UNREADABLE, ValueError):  # 1e400, rows that are no objects, odd names
            self._reader = None
            return self._by_hand(rows, page), len(rows)

    def _struct(self) -> Rows:
        """A reader for what is present; fields wanted by name may come later."""
        known = [name for name in self._order if name in self._columns]
        later = [] if self._only is None else [n for n in self._columns if n not in known]
        columns = [self._columns[name] for name in (*known, *later)]
        return Rows(columns, closed=self._only is None)

    def _by_hand(self, rows: list[dict[str, Any]], page: Page) -> dict[str, Cells]:
        if self._exact:
            texts = json.loads(page.rows, strict=False, parse_float=Number, parse_int=Number)
            for row, text in zip(rows, texts, strict=True):
                row |= {n: text[n] for n in self._exact if isinstance(text.get(n), Number)}
        cells: dict[str, Cells] = {}
        for name, column in self._columns.items():
            if column.present:
                values = [row.get(name) for row in rows]
                as_json = column.wire == "json"
                cells[name] = list(map(json_bytes, values)) if as_json else values
        return cells

    def _takes(self, name: str) -> bool:
        return self._only is None or name in self._only

    def _take(self, cells: Mapping[str, Cells], held: int, keep: list[bool] | None) -> None:
        if keep is not None:
            cells = {name: list(compress(values, keep)) for name, values in cells.items()}
        shown = self._hiding.hide(cells, self._columns, self.rows)
        for name, values in shown.items():
            if self._columns[name].append(self.rows, values):
                self._reader = None  # it reads the column as what it was
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
        parsed(column) if is_json(field) else column.to_pylist()
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


def _read_too(only: frozenset[str]) -> frozenset[str]:
    """What is wanted, what tells rows apart, and what tells whether a value is a secret."""
    beside = {"name", "key"} if only & {"value", "defaultvalue"} else set()
    return only | {"id", "zoneid"} | beside


def _kind(name: str) -> str:
    """The kind of a field that is not documented: a secret of any type is masked as text."""
    return "text" if is_secret(name) else "unknown"


def _first_of(keep: list[bool], most: int) -> list[bool]:
    kept = accumulate(keep)
    return [wanted and number <= most for wanted, number in zip(keep, kept, strict=True)]
