"""A file in the making, part by part, in a folder beside its place; whole or not at all.

The parts are files of their own, and a list of them is written after each, so that what was
interrupted can be gone on with. A dataset is these parts; one file is made of them at the end.
Whatever breaks this off leaves parts that are whole: one counts once it is in the list.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cs_magic import parquet, sheets
from cs_magic.alone import Alone
from cs_magic.api.unbroken import unbroken
from cs_magic.api.values import Provenance, Result
from cs_magic.errors import CallError
from cs_magic.files import (
    PART,
    Written,
    about_older,
    aside,
    check,
    is_folder,
    put,
    remove,
    size_of,
)

_STATE = "_state.json"  # what reads the folder passes over it


@dataclass(frozen=True)
class Part:
    """What one part has: its pages, whether all of them are full, and its rows.

    `holds` tells whether the file is whole: the rows of Parquet, the bytes of CSV; `duplicates`
    are those up to here; `other` are the fields in `_other`, `fine` the columns of dates that
    have fractions of a second.
    """

    pages: int
    full: bool
    rows: int
    holds: int
    duplicates: int = 0
    other: list[str] = field(default_factory=list)
    fine: list[str] = field(default_factory=list)


@dataclass
class State:
    """What the parts hold: of which call (`key`), in pages of which size.

    `first` tells one first page from another; `kinds` are the columns and their kinds.
    """

    key: str
    first: str = ""
    size: int = 0
    kinds: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    @property
    def pages(self) -> int:
        """How many pages are in parts."""
        return sum(part.pages for part in self.parts)

    @property
    def rows(self) -> int:
        """How many rows are in parts."""
        return sum(part.rows for part in self.parts)

    @property
    def duplicates(self) -> int:
        """How many rows were dropped on the way."""
        return self.parts[-1].duplicates if self.parts else 0


class Parts:
    """The parts of one file. Nothing is written before the first of them.

    Raises:
        CallError: from here on, where the file system refuses.
    """

    def __init__(self, kind: str, path: str, key: str) -> None:
        self.target = check(kind, path)
        self.folder = self.target.with_name(f".{self.target.name}.cs-magic")
        self.state = State(key)
        self._alone = Alone(self.folder.with_suffix(".cs-magic-lock"))
        self._kind, self._path = kind, path

    def alone(self) -> None:
        """From now on nobody else writes there. CallError where somebody else does."""
        with self._told():
            other = self._alone.take()
        if other:
            raise CallError(f"{self._path} is being written by {other}: wait, or name another path")

    def free(self) -> None:
        """Others may write there."""
        self._alone.free()

    def found(self) -> State | None:
        """What an earlier attempt at the same call left behind, or None.

        Of its parts only those before a page that was not full: such a page may have grown.
        """
        try:
            given = json.loads((self.folder / _STATE).read_text(encoding="utf-8"))
            parts = [Part(**one) for one in given.pop("parts")]
            state = State(**given, parts=list(takewhile(lambda part: part.full, parts)))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return state if state.key == self.state.key else None

    def are_there(self, state: State) -> bool:
        """Whether each part is there, and holds what it did when it was written."""
        try:
            held = [self._holds(self._part(number)) for number in range(len(state.parts))]
        except (OSError, pa.ArrowInvalid):
            return False
        return held == [part.holds for part in state.parts]

    def write(self, table: pa.Table, pages: int, full: bool, duplicates: int, rows: int) -> None:
        """Write the next part, of so many pages; a row group has so many rows at most."""
        self.alone()
        state = self.state
        with self._told():
            if not state.parts:
                remove(self.folder)
                self.folder.mkdir()
            whole = parquet.conformed(table, state.kinds)
            path = self._part(len(state.parts))
            self._save(path, _of_a_part(len(state.parts)), whole, rows)
            part = Part(
                pages,
                full,
                len(table),
                self._holds(path),
                duplicates,
                parquet.names_in_other(whole),
                sheets.with_fractions(whole) if self._kind == "csv" else [],
            )
            with unbroken():
                self._keep(replace(state, parts=[*state.parts, part]))
                state.parts.append(part)

    def finish(self, result: Result, rows: int) -> Written:
        """Make the file of its parts and put it into its place; `result` has the provenance."""
        if not self.are_there(self.state):
            raise CallError(f"{self._path} can't be written: parts in {self.folder} are not whole")
        other = sorted({name for part in self.state.parts for name in part.other})
        notes = (*parquet.about_other(other), *about_older(self.target, result))
        result = replace(result, notes=(*result.notes, *notes))
        with self._told():
            self._clear()
            if is_folder(self._kind, self._path):
                self._tell(result, rows)
                with unbroken():
                    self._place()
            else:
                with aside(self.target, self._path) as new:
                    self._join(new, result)
                remove(self.folder)
        return self._written(self.target, result)

    def left(self, result: Result) -> Written:
        """What there is of it, where it came to no good end."""
        return self._written(self.folder, result)

    def _part(self, number: int) -> Path:
        return (self.folder / PART.format(number)).with_suffix(f".{self._kind}")

    def _holds(self, path: Path) -> int:
        if self._kind == "csv":
            return path.stat().st_size
        rows: int = pq.read_metadata(path).num_rows
        return rows

    def _save(self, path: Path, result: Result, table: pa.Table, rows: int) -> None:
        if self._kind == "parquet":
            parquet.save_whole(path, result, table, self.state.kinds, rows)
        else:
            sheets.save_csv(path, _marked(table, self.state.kinds), header=False)

    def _tell(self, result: Result, rows: int) -> None:
        """Let the first part tell of the whole; it stays as it was where that fails."""
        first, new = self._part(0), self.folder / "part-00000.new"
        try:
            self._save(new, result, pq.ParquetFile(first).read(), rows)
            os.replace(new, first)
        finally:
            remove(new)

    def _place(self) -> None:
        """Put the folder into its place; the list of its parts is back where that fails."""
        remove(self.folder / _STATE)
        try:
            put(self.folder, self.target)
        except OSError:
            self._keep(self.state)
            raise

    def _join(self, new: Path, result: Result) -> None:
        parts = [self._part(number) for number in range(len(self.state.parts))]
        if self._kind == "parquet":
            parquet.joined(new, result, parts, self.state.kinds)
            return
        names = [*self.state.kinds, parquet.OTHER]
        sheets.save_csv(new, pa.table({name: pa.array([], pa.string()) for name in names}))
        fine = {name for part in self.state.parts for name in part.fine}
        with new.open("ab") as whole:
            for path, part in zip(parts, self.state.parts, strict=True):
                coarse = [names.index(name) for name in fine.difference(part.fine)]
                if coarse:
                    path = sheets.refined(path, self.folder / "refined.csv", coarse)
                with path.open("rb") as source:
                    shutil.copyfileobj(source, whole, 1 << 20)

    def _clear(self) -> None:
        """Remove what an interruption left behind and no list of ours has."""
        ours = {self._part(number) for number in range(len(self.state.parts))}
        for path in {*self.folder.iterdir()} - {*ours, self.folder / _STATE}:
            remove(path)

    def _keep(self, state: State) -> None:
        new = self.folder / f"{_STATE}.new"
        new.write_text(json.dumps(asdict(state)), encoding="utf-8")
        new.replace(self.folder / _STATE)

    def _written(self, path: Path, result: Result) -> Written:
        state, complete = self.state, result.provenance.complete
        columns = len(state.kinds) + 1
        return Written(str(path), state.rows, columns, size_of(path), complete, result.notes)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """An error of the file system as one of ours."""
        try:
            yield
            return
        except OSError as error:
            problem = CallError(f"{self._path} can't be written: {error.strerror or error}")
        raise problem from None


def _of_a_part(number: int) -> Result:
    """What a part says of itself: where it belongs."""
    reason = f"part {number} of several: part 0 tells of the whole"
    return Result(pa.table({}), Provenance("", rows=0, complete=None, reason=reason))


def _marked(table: pa.Table, kinds: Mapping[str, str]) -> pa.Table:
    """The table with its nested columns marked as JSON, as in a result."""
    nested = {name for name, kind in kinds.items() if kind == "nested"} | {parquet.OTHER}
    fields = [
        one.with_metadata({"cs": "json"} if one.name in nested else None) for one in table.schema
    ]
    return table.cast(pa.schema(fields))
