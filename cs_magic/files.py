"""A result → a file: CSV, Parquet or xlsx, whole or not at all.

What is masked in the result is masked in the file; no text of a tenant comes alive in it.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cs_magic import parquet, sheets
from cs_magic.api.values import Result
from cs_magic.errors import CallError
from cs_magic.frames import shaped

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("csv", "parquet", "xlsx")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: where, how much, and whether it is all there is.

    `complete` is the provenance's; `notes` are the result's own, and what the file can't hold.
    """

    path: str
    rows: int
    columns: int
    bytes: int
    complete: bool | None
    notes: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """One row for a frame: path, rows, columns, bytes, complete."""
        names = ("path", "rows", "columns", "bytes", "complete")
        return {name: getattr(self, name) for name in names}


def check(kind: str, path: str | Path) -> Path:
    """Where a file of this kind would be written, a link and `~` followed; nothing is touched.

    Raises:
        CallError: there is no such kind or folder, something else is in the place of the
            file, or a library is missing.
    """
    if kind not in KINDS:
        raise CallError(f"A result is written as csv, parquet or xlsx, not as {kind}")
    if kind == "xlsx" and find_spec("openpyxl") is None:
        raise CallError("xlsx needs openpyxl", "pip install 'cs-magic[reports]'")
    try:
        target = Path(path).expanduser().resolve()
        problem = _in_the_way(target)
    except (OSError, RuntimeError, ValueError) as error:  # no home, a loop of links, a NUL
        problem = str(getattr(error, "strerror", None) or error)
    if problem:
        raise CallError(f"{path} can't be written: {problem}")
    return target


def write(
    result: Result,
    kind: str,
    path: str | Path,
    columns: Sequence[str] | None = None,
    explode: str | None = None,
) -> Written:
    """Write a result to a file, in the place of an older one once it is whole.

    csv: UTF-8 with a header; dates are ISO 8601 in UTC, booleans true and false, nested
    fields JSON text, infinity `inf`, a missing value and an empty text both empty. Text that
    a spreadsheet would take for a formula has an apostrophe before it; see `sheets`.

    parquet: one schema for a command and its columns, whatever the rows hold; see `parquet`.

    xlsx: dates are naive UTC and say so in the header, infinity is `Unlimited`, integers of
    more than 15 digits are text; a second sheet says where the rows came from.

    Args:
        result: the answer; what is masked in it stays masked.
        kind: csv, parquet or xlsx.
        path: the file; `~` is the home folder, and the folder must exist.
        columns: the columns wanted, in order, paths such as `nic.0.ipaddress` among them.
        explode: the nested field of which each element becomes a row.

    Raises:
        CallError: the file can't be written, or Excel can't hold so many rows or columns;
            nothing is left behind, and an older file is as it was.
    """
    target = check(kind, path)
    table = _as_arrow(shaped(result, columns, explode))
    with _aside(target, path) as aside:
        if kind == "parquet":
            shape, notes = parquet.save(aside, result, table, columns, explode)
        elif kind == "xlsx":
            shape, notes = sheets.save_xlsx(aside, result, table)
        else:
            shape, notes = sheets.save_csv(aside, table)
        size = aside.stat().st_size
    return Written(str(target), *shape, size, result.provenance.complete, (*result.notes, *notes))


def _in_the_way(target: Path) -> str:
    """Why nothing can be written there, or an empty text."""
    if target.is_dir():
        return "it is a folder"
    if target.exists() and not target.is_file():
        return "it is not a file"
    if target.exists() and not os.access(target, os.W_OK):
        return "it is read-only"
    if not target.parent.is_dir():
        return f"there is no folder {target.parent}"
    if not os.access(target.parent, os.W_OK | os.X_OK):
        return f"the folder {target.parent} is not yours to write"
    return ""


@contextmanager
def _aside(target: Path, path: str | Path) -> Iterator[Path]:
    """A new file beside the target, which takes its place where the block ends well."""
    aside = target.with_name(f".cs-magic-{uuid.uuid4().hex}.part")
    try:
        try:
            yield aside
            if target.exists():
                shutil.copymode(target, aside)
            os.replace(aside, target)
            return
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        problem = CallError(f"{path} can't be written: {error.strerror or error}")
    raise problem from None


def _as_arrow(frame: pd.DataFrame) -> pa.Table:
    """The frame's columns as Arrow; what holds objects as JSON text, marked as in a result."""
    fields, arrays = [], []
    for name, series in frame.items():
        nested = series.dtype == "object"
        array = pa.array(_json_texts(series), pa.large_string()) if nested else pa.array(series)
        fields.append(pa.field(str(name), array.type, metadata={"cs": "json"} if nested else None))
        arrays.append(array)
    return pa.table(arrays, schema=pa.schema(fields))


def _json_texts(series: pd.Series[Any]) -> list[str | None]:
    return [
        None if missing else json.dumps(value, ensure_ascii=False)
        for value, missing in zip(series, series.isna(), strict=True)
    ]
