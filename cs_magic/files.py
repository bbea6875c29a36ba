"""A result → a file: CSV, Parquet or xlsx, whole or not at all.

What is masked in the result is masked in the file; no text of a tenant comes alive in it.
"""

from __future__ import annotations

import json
import os
import re
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
PART = "part-{:05}.parquet"


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
        raise CallError("xlsx needs openpyxl", "pip install openpyxl")
    try:
        target = Path(path).expanduser().resolve()
        problem = _in_the_way(target, is_folder(kind, path))
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
    A path without an ending is a dataset: a folder of such files.

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
    table = laid_out(result, columns, explode)
    older = about_older(target, result)
    with aside(target, path) as new:
        if kind == "parquet":
            part = new
            if is_folder(kind, path):
                new.mkdir()
                part = new / PART.format(0)
            shape, notes = parquet.save(part, result, table, columns, explode)
        elif kind == "xlsx":
            shape, notes = sheets.save_xlsx(new, result, table)
        else:
            shape, notes = sheets.save_csv(new, table)
        size = size_of(new)
    notes = (*result.notes, *notes, *older)
    return Written(str(target), *shape, size, result.provenance.complete, notes)


def is_folder(kind: str, path: str | Path) -> bool:
    """Whether this is a dataset: a folder of Parquet files, whose name has no ending."""
    name = str(path)
    return kind == "parquet" and (name.endswith(("/", os.sep)) or not Path(name).suffix)


def is_dataset(folder: Path) -> bool:
    """Whether a folder holds nothing but the parts of a dataset of ours, or nothing at all."""
    return all(re.fullmatch(r"part-\d+\.parquet", one.name) for one in folder.iterdir())


def _in_the_way(target: Path, folder: bool = False) -> str:
    """Why nothing can be written there, or an empty text."""
    if folder and target.is_dir():
        if not is_dataset(target):
            return "it is a folder that holds other things"
    elif target.is_dir():
        return "it is a folder"
    elif folder and target.is_file():
        return "it is a file; a dataset is a folder (PATH.parquet is one file)"
    elif target.exists() and not target.is_file():
        return "it is not a file"
    if target.exists() and not os.access(target, os.W_OK):
        return "it is read-only"
    if not target.parent.is_dir():
        return f"there is no folder {target.parent}"
    if not os.access(target.parent, os.W_OK | os.X_OK):
        return f"the folder {target.parent} is not yours to write"
    return ""


@contextmanager
def aside(target: Path, path: str | Path) -> Iterator[Path]:
    """A new file beside the target, which takes its place where the block ends well.

    It may become a folder, which takes the place of another one.

    Raises:
        CallError: the file system refuses.
    """
    new = target.with_name(f".cs-magic-{uuid.uuid4().hex}.part")
    try:
        try:
            yield new
            put(new, target)
            return
        finally:
            remove(new)
    except OSError as error:
        problem = CallError(f"{path} can't be written: {error.strerror or error}")
    raise problem from None


def put(new: Path, target: Path) -> None:
    """Put a file or a folder in the place of an older one. Raises OSError."""
    if not new.is_dir():
        if target.exists():
            shutil.copymode(target, new)
        os.replace(new, target)
        return
    old = target.with_name(f".cs-magic-{uuid.uuid4().hex}.old")
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(new, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise
    remove(old)


def remove(path: Path) -> None:
    """Remove a file, or a folder with what is in it, where there is one."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def about_older(target: Path, result: Result) -> tuple[str, ...]:
    """A note where a file that may be whole gives way to one that isn't, and nobody wanted that."""
    came = result.provenance
    if came.complete is not False or came.limit is not None or not target.exists():
        return ()
    return (f"an older {target.name} was replaced by a list that is not complete: {came.reason}",)


def size_of(path: Path) -> int:
    """The bytes of a file, or of the files in a folder; 0 where there is none."""
    if not path.exists():
        return 0
    files = path.iterdir() if path.is_dir() else (path,)
    return sum(one.stat().st_size for one in files)


def laid_out(
    result: Result, columns: Sequence[str] | None = None, explode: str | None = None
) -> pa.Table:
    """The result's columns as a file has them, nested ones as JSON text."""
    return _as_arrow(shaped(result, columns, explode))


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
