"""What an older file holds, before a part of a list would take its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cs_magic import sheets
from cs_magic.api.pagesize import PAGESIZE
from cs_magic.api.values import Call, Options, parameter_of
from cs_magic.files import is_dataset, is_folder


def cut_short(call: Call, options: Options, clouds: int = 1) -> str:
    """What makes the answer a part with fewer rows than the file that it would replace has.

    That is `--limit 20`, `pagesize=20` or `page=3`, as typed; an empty text where nothing does.
    A limit goes for each of the clouds.
    """
    if options.file is None:
        return ""
    bounds = list(_bounds(call, options))
    if not bounds:
        return ""
    most, why = min(bounds)
    return why if _has_more(*options.file, most * clouds) else ""


def _bounds(call: Call, options: Options) -> Iterator[tuple[int, str]]:
    """So many rows at most, and what says so."""
    if options.limit is not None:
        yield options.limit, f"--limit {options.limit}"
    typed = {parameter_of(name): value for name, value in call.arguments}
    size, page = typed.get("pagesize", ""), typed.get("page", "")
    if size.isdecimal():
        yield int(size), f"pagesize={size}"
    elif page.isdecimal():
        yield PAGESIZE, f"page={page}"


def _has_more(kind: str, path: str, most: int) -> bool:
    """Whether there is a file of that kind with more rows; what can't be read has none."""
    with suppress(OSError, RuntimeError, ValueError, pa.ArrowInvalid):
        target = Path(path).expanduser()
        if kind == "csv":
            return _has_more_lines(target, most + 1)  # the header
        if kind == "xlsx":
            return sheets.xlsx_has_more(target, most)
        rows: int = sum(pq.read_metadata(one).num_rows for one in _parts(kind, target, path))
        return rows > most
    return False


def _parts(kind: str, target: Path, path: str) -> list[Path]:
    if not is_folder(kind, path):
        return [target]
    return [*target.iterdir()] if is_dataset(target) else []


def _has_more_lines(path: Path, most: int) -> bool:
    """Whether a CSV has more lines, a text of several lines counted as one; no more is read."""
    lines = quotes = 0
    with path.open("rb") as file:
        for line in file:
            quotes += line.count(b'"')
            lines += quotes % 2 == 0
            if lines > most:
                return True
    return False
