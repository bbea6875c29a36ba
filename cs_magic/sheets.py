"""CSV and xlsx, for people with a spreadsheet, in which no text of a tenant comes alive.

A spreadsheet takes text for a formula that begins with `=`, `+`, `-`, `@` (full-width ones
too), tab or carriage return. In xlsx such text is a string cell. CSV has no such thing, so
there it has an apostrophe before it, also where blanks or quotes come first; and one stands
before such a character that comes after `;`, a tab or a line's end within a text, because a
spreadsheet that splits there begins a new cell. Taking each of these apostrophes away gives
the text back. A plain number such as `-5` or `+4.1%` stays as it is. In both, a line ends in
`\\n` and other control characters are shown as `\\u001b`.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cs_magic.api.records import is_json
from cs_magic.api.values import Result
from cs_magic.errors import CallError

Saved = tuple[tuple[int, int], tuple[str, ...]]

# https://support.microsoft.com/en-us/office/excel-specifications-and-limits
MOST_ROWS = 1_048_575
MOST_COLUMNS = 16_384
LONGEST = 32_767
_EXACT = 10**15
_AT_ONCE = 1_000
_GREATEST = 9.99999999999999e307
_FIRST_DAY = pa.scalar(datetime(1900, 3, 1), pa.timestamp("us"))

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_ALIVE = "=+@＝＋－＠-"
_BLANK = r"\s;\"'\u00ad\u200b-\u200f\u2060\ufeff"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?%?")
_BEGINS_ALIVE = re.compile(rf"[{_BLANK}]*+[{_ALIVE}]|[\s\"']*?[\t\n]")
_LATER_ALIVE = re.compile(rf"(?<![{_BLANK}])[{_BLANK}]++(?=[{_ALIVE}])")
_SEPARATOR = re.compile(r"[;\t\n]")
# Excel reads `_x0041_` in a text as the character A: 22.9.2.19 ST_Xstring of ECMA-376.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_LINE_END = re.compile(r"\r\n?")


def inert(text: str) -> str:
    """The text as CSV holds it: no spreadsheet takes it, or a part of it, for a formula."""
    if text[:1].isalnum() and text.isprintable() and ";" not in text:
        return text  # nearly all of them, and quickly
    plain = _without_controls(text)
    if _NUMBER.fullmatch(plain):
        return plain
    later = _LATER_ALIVE.sub(_stopped, plain)
    return "'" + later if _BEGINS_ALIVE.match(plain) else later


def save_csv(path: Path, table: pa.Table, header: bool = True) -> Saved:
    """Write the table as CSV; how many rows and columns, and notes. Raises OSError."""
    cells = [_csv_cells(*one) for one in zip(table.schema, table.columns, strict=True)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if header:
            writer.writerow(inert(name) for name in table.column_names)
        for start in range(0, len(table), _AT_ONCE):  # the stop button ends it between two
            some = (column[start : start + _AT_ONCE] for column in cells)
            writer.writerows(zip(*some, strict=True))
    return table.shape, ()


def with_fractions(table: pa.Table) -> list[str]:
    """The columns of dates that CSV has with fractions of a second."""
    return [
        field.name
        for field, column in zip(table.schema, table.columns, strict=True)
        if pa.types.is_timestamp(field.type) and not _is_whole(column)
    ]


def refined(source: Path, target: Path, columns: Collection[int]) -> Path:
    """A copy of rows of CSV in which the dates of these columns, whole seconds, have fractions.

    Raises:
        OSError: as the file system says.
    """
    before = csv.field_size_limit(2**31 - 1)  # nested fields are long
    try:
        with (
            source.open(encoding="utf-8", newline="") as read,
            target.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            for row in csv.reader(read):
                for number in columns:
                    row[number] = row[number].replace("Z", ".000000Z")
                writer.writerow(row)
    finally:
        csv.field_size_limit(before)
    return target


def save_xlsx(path: Path, result: Result, table: pa.Table) -> Saved:
    """Write the table as the first sheet of a workbook, and where it came from as the second.

    Raises:
        CallError: Excel can't hold so many rows or columns. OSError: as the file system says.
    """
    from openpyxl import Workbook  # type: ignore[import-untyped]

    if table.num_rows > MOST_ROWS or table.num_columns > MOST_COLUMNS:
        raise CallError(
            f"{table.num_rows:,} rows and {table.num_columns:,} columns are more than Excel takes:"
            f" {MOST_ROWS:,} and {MOST_COLUMNS:,}",
            "csv and parquet take them.",
        )
    book = Workbook(write_only=True)
    cut = _fill(book.create_sheet(_title(result)), table)
    notes = (*result.notes, *cut)
    _fill_about(book.create_sheet("About"), result.provenance.as_json(), notes)
    book.save(path)
    return table.shape, cut


# -- cells ---------------------------------------------------------------------------


def xlsx_has_more(path: Path, most: int) -> bool:
    """Whether a workbook's first sheet has more rows below its header; no more are read.

    ValueError where it is no workbook.
    """
    from openpyxl import load_workbook

    try:
        with closing(load_workbook(path, read_only=True)) as book:
            return sum(1 for _ in islice(book.worksheets[0].iter_rows(), most + 2)) > most + 1
    except Exception as error:  # noqa: BLE001 - what is no workbook fails there in a dozen ways
        problem = str(error)
    raise ValueError(problem)


def _cells(field: pa.Field, column: pa.ChunkedArray, text: Callable[[str], str]) -> list[Any]:
    """A column's values; `text` makes a text harmless, a list or an object is JSON."""
    cells: list[Any] = column.to_pylist()
    if is_json(field):
        return [cell and _json_cell(cell, text) for cell in cells]
    if pa.types.is_floating(column.type):
        return [None if cell is None or math.isnan(cell) else cell for cell in cells]
    if pa.types.is_boolean(column.type) or pa.types.is_integer(column.type):
        return cells
    return [cell and text(cell) for cell in cells]


def _json_cell(cell: str, text: Callable[[str], str]) -> Any:
    if cell[0] in "[{":
        return text(cell)
    value = json.loads(cell)
    return text(value) if isinstance(value, str) else value


def _csv_cells(field: pa.Field, column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return _iso(column)
    cells = _cells(field, column, inert)
    if is_json(field) or pa.types.is_boolean(column.type):
        return [str(cell).lower() if isinstance(cell, bool) else cell for cell in cells]
    return cells


def _iso(column: pa.ChunkedArray) -> list[Any]:
    """`2026-11-23T12:00:00Z`, with a fraction only where the column has one."""
    naive = column.cast(pa.timestamp("s" if _is_whole(column) else "us"))
    texts = pc.replace_substring(naive.cast(pa.string()), " ", "T").to_pylist()
    return [text and text + "Z" for text in texts]


def _is_whole(column: pa.ChunkedArray) -> bool:
    """Whether no date has a fraction of a second."""
    try:
        column.cast(pa.timestamp("s"))
    except pa.ArrowInvalid:
        return False
    return True


def _without_controls(text: str) -> str:
    """One line end, `\\n`; other control characters as escapes."""
    if text.isprintable():
        return text
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", _LINE_END.sub("\n", text))


def _stopped(found: re.Match[str]) -> str:
    return found[0] + "'" if _SEPARATOR.search(found[0]) else found[0]


# -- xlsx ----------------------------------------------------------------------------


def _title(result: Result) -> str:
    return re.sub(r"\W", "", result.provenance.command, flags=re.ASCII)[:31] or "Result"


def _fill(sheet: Any, table: pa.Table) -> tuple[str, ...]:
    """The header and the rows; a note where a text was too long for a cell."""
    headers = [_header(field) for field in table.schema]
    columns, cut = [], {}
    for field, column in zip(table.schema, table.columns, strict=True):
        cells = _excel_cells(field, column)
        columns.append([_short(cell) for cell in cells])
        shortened = sum(map(_too_long, cells))
        if shortened:
            cut[field.name] = shortened
    _set_out(sheet, headers, columns, table.num_rows)
    for row in zip(*columns, strict=True):
        sheet.append([_bound(sheet, cell) for cell in row])
    if not cut:
        return ()
    what = f"{sum(cut.values())} cells were longer than Excel's {LONGEST:,} characters"
    return (f"{', '.join(cut)}: {what} and end in …; csv and parquet have them whole",)


def _header(field: pa.Field) -> str:
    zone = " (UTC)" if pa.types.is_timestamp(field.type) else ""
    return _excel_text(field.name) + zone


def _excel_cells(field: pa.Field, column: pa.ChunkedArray) -> list[Any]:
    """A column's cells as openpyxl takes them."""
    if pa.types.is_timestamp(column.type):
        return _excel_dates(column)
    return [_excel_number(cell) for cell in _cells(field, column, _excel_text)]


def _excel_number(cell: Any) -> Any:
    """A number that Excel would round or doesn't have is text; not a number is nothing."""
    if isinstance(cell, int) and abs(cell) >= _EXACT:
        return str(cell)
    if isinstance(cell, float) and not math.isfinite(cell):
        return {math.inf: "Unlimited", -math.inf: "-Unlimited"}.get(cell)
    if isinstance(cell, float) and abs(cell) > _GREATEST:
        return str(cell)
    return cell


def _excel_dates(column: pa.ChunkedArray) -> list[Any]:
    """Naive UTC; ISO text where a date is older than Excel's calendar."""
    naive = column.cast(pa.timestamp("us"))
    old = pc.less(naive, _FIRST_DAY)
    dates = pc.if_else(old, pa.scalar(None, naive.type), naive).to_pylist()
    if not pc.any(old).as_py():
        return dates  # type: ignore[no-any-return]
    both = (_iso(column), dates, old.to_pylist())
    return [text if is_old else date for text, date, is_old in zip(*both, strict=True)]


def _excel_text(text: str) -> str:
    return _ESCAPED.sub("_x005F_", _without_controls(text))


def _too_long(cell: Any) -> bool:
    """Excel counts UTF-16 units."""
    return (
        isinstance(cell, str)
        and len(cell) > LONGEST // 2
        and len(cell.encode("utf-16-le")) > 2 * LONGEST
    )


def _short(cell: Any) -> Any:
    if not _too_long(cell):
        return cell
    return cell.encode("utf-16-le")[: 2 * LONGEST - 2].decode("utf-16-le", "ignore") + "…"


def _set_out(sheet: Any, headers: Sequence[str], columns: Sequence[list[Any]], rows: int) -> None:
    """Widths, a header that stays, a filter; openpyxl wants them before the rows."""
    from openpyxl.styles import Font  # type: ignore[import-untyped]
    from openpyxl.utils import get_column_letter as letter  # type: ignore[import-untyped]

    for number, (header, cells) in enumerate(zip(headers, columns, strict=True), 1):
        sheet.column_dimensions[letter(number)].width = _width(header, cells)
    sheet.freeze_panes = "A2"
    if headers:
        sheet.auto_filter.ref = f"A1:{letter(len(headers))}{rows + 1}"
    bold = [_string_cell(sheet, header) for header in headers]
    for cell in bold:
        cell.font = Font(bold=True)
    sheet.append(bold)


def _width(header: str, cells: list[Any]) -> int:
    shown = max((len(str(cell)) for cell in cells[:200] if cell is not None), default=0)
    return min(50, max(8, len(header) + 4, shown + 2))


def _bound(sheet: Any, cell: Any) -> Any:
    """openpyxl would make a formula of `=…` and an error of `#N/A`."""
    if isinstance(cell, str) and (cell[:1] == "#" or _BEGINS_ALIVE.match(cell)):
        return _string_cell(sheet, cell)
    return cell


def _string_cell(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.quotePrefix = bool(_BEGINS_ALIVE.match(text))  # still a text after it was edited
    return cell


def _fill_about(sheet: Any, origin: dict[str, Any], notes: Iterable[str]) -> None:
    """Where the rows came from, a line each."""
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 14, 90
    for name, value in [*origin.items(), *(("note", note) for note in notes)]:
        said = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        text = _short(_excel_text(said)) if isinstance(said, str) else said
        sheet.append([name, _bound(sheet, text)])
