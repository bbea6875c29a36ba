"""A file in the making, part by part, in a folder beside its place; whole or not at all.

The parts are files of their own, and a list of them is written after each, so that what was
interrupted can be gone on with. A dataset is these parts; one file is made of them at the end.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cs_magic import parquet, sheets
from cs_magic.api.values import Provenance, Result
from cs_magic.errors import CallError
from cs_magic.files import PART, Written, aside, check, is_folder, put, remove, size_of

_STATE = "_state.json"  # what reads the folder passes over it


@dataclass
class State:
    """What the parts hold: of which call (`key`), which pages of which size, how many rows.

    `first` tells one first page from another; `kinds` are the columns and their kinds.
    """

    key: str
    first: str = ""
    size: int = 0
    pages: int = 0
    parts: int = 0
    rows: int = 0
    duplicates: int = 0
    kinds: dict[str, str] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)


class Parts:
    """The parts of one file. Nothing is written before the first of them.

    Raises:
        CallError: from here on, where the file system refuses.
    """

    def __init__(self, kind: str, path: str, key: str) -> None:
        self.target = check(kind, path)
        self.folder = self.target.with_name(f".{self.target.name}.cs-magic")
        self.state = State(key)
        self._kind, self._path = kind, path

    def found(self) -> State | None:
        """What an earlier attempt at the same call left behind, or None."""
        try:
            state = State(**json.loads((self.folder / _STATE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return state if state.key == self.state.key else None

    def write(self, table: pa.Table, pages: int, duplicates: int, rows: int) -> None:
        """Write the next part, of so many pages; a row group has so many rows at most."""
        state = self.state
        with self._told():
            if not state.parts:
                remove(self.folder)
                self.folder.mkdir()
            whole = parquet.conformed(table, state.kinds)
            self._save(self._part(state.parts), _of_a_part(state), whole, rows)
            odd = {*state.other, *parquet.names_in_other(whole)}
            state.pages += pages
            state.parts += 1
            state.rows += len(table)
            state.duplicates, state.other = duplicates, sorted(odd)
            self._keep()

    def finish(self, result: Result, rows: int) -> Written:
        """Make the file of its parts and put it into its place; `result` has the provenance."""
        state = self.state
        notes = parquet.about_other(state.other)
        result = replace(result, notes=(*result.notes, *notes))
        with self._told():
            self._clear()
            if is_folder(self._kind, self._path):
                first = self._part(0)
                self._save(first, result, pq.ParquetFile(first).read(), rows)
                remove(self.folder / _STATE)
                put(self.folder, self.target)
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

    def _save(self, path: Path, result: Result, table: pa.Table, rows: int) -> None:
        if self._kind == "parquet":
            parquet.save_whole(path, result, table, self.state.kinds, rows)
        else:
            sheets.save_csv(path, _marked(table, self.state.kinds), header=False)

    def _join(self, new: Path, result: Result) -> None:
        parts = [self._part(number) for number in range(self.state.parts)]
        if self._kind == "parquet":
            parquet.joined(new, result, parts, self.state.kinds)
            return
        names = [*self.state.kinds, parquet.OTHER]
        sheets.save_csv(new, pa.table({name: pa.array([], pa.string()) for name in names}))
        with new.open("ab") as whole:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, whole, 1 << 20)

    def _clear(self) -> None:
        """Remove what an interruption left behind and no list of ours has."""
        ours = {self._part(number) for number in range(self.state.parts)}
        for path in {*self.folder.iterdir()} - {*ours, self.folder / _STATE}:
            remove(path)

    def _keep(self) -> None:
        new = self.folder / f"{_STATE}.new"
        new.write_text(json.dumps(asdict(self.state)), encoding="utf-8")
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


def _of_a_part(state: State) -> Result:
    """What a part says of itself: where it belongs."""
    reason = f"part {state.parts} of several: part 0 tells of the whole"
    return Result(pa.table({}), Provenance("", rows=0, complete=None, reason=reason))


def _marked(table: pa.Table, kinds: Mapping[str, str]) -> pa.Table:
    """The table with its nested columns marked as JSON, as in a result."""
    nested = {name for name, kind in kinds.items() if kind == "nested"} | {parquet.OTHER}
    fields = [
        one.with_metadata({"cs": "json"} if one.name in nested else None) for one in table.schema
    ]
    return table.cast(pa.schema(fields))
