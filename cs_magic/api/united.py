"""The results of several clouds as one: a `profile` column first, and types that hold them all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from cs_magic.api.masks import masked_arguments
from cs_magic.api.records import is_json, kinds_of
from cs_magic.api.values import Call, Provenance, Result

PROFILE = "profile"
_KINDS = b"cs.kinds"  # where `kinds_of` finds what is documented
_JSON = {"cs": "json"}
_TYPE_NAMES = {
    pa.large_string(): "text",
    pa.int64(): "an integer",
    pa.float64(): "a number",
    pa.bool_(): "true or false",
    pa.timestamp("us", "UTC"): "a date",
}
_ROOM = 3_800  # characters of `attrs["cs"]`, which stays under 4 KB
_LONG = 300

Secrets = dict[str, dict[int, Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """What one profile gave; `failed` is its error in one line, or empty."""

    profile: str
    host: str
    rows: int = 0
    complete: bool | None = False
    reason: str = ""
    failed: str = ""

    def as_json(self, room: int) -> dict[str, Any]:
        """A dict of JSON types, with so much of the reason."""
        facts = {"profile": self.profile, "rows": self.rows, "complete": self.complete}
        return facts | {"host": self.host, "reason": self.reason[:room]}


@dataclass(frozen=True, slots=True)
class Parts(Provenance):
    """Where the rows of several profiles came from, with what each of them gave.

    `complete` is True where all of them are, False where one isn't.
    """

    parts: tuple[Part, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As of one profile, and under `profiles` what each gave, as far as there is room."""
        whole = Provenance.as_json(self)
        for name, value in whole["parameters"].items():
            whole["parameters"][name] = value[: max(24, 1000 // len(whole["parameters"]))]
        whole |= {name: whole[name][:_LONG] for name in ("profile", "host")}
        for room in (120, 40, 0):
            whole["profiles"] = [part.as_json(room) for part in self.parts]
            if len(json.dumps(whole)) <= _ROOM:
                return whole
        while len(json.dumps(whole)) > _ROOM and whole["profiles"]:
            whole["profiles"].pop()
        return whole


def united(call: Call, parts: Sequence[Part], came: Mapping[str, Result], seconds: float) -> Result:
    """One result of those that came, whose rows follow in the order of the parts.

    A column has the type that holds every profile's values; where there is none, it keeps
    them as objects, and a note says so. One that a profile doesn't have is empty there. The
    notes of each, and its secrets, stay with its rows.

    Args:
        call: as it was typed, with names and no ids.
        parts: one for each profile, the failed ones too.
        came: the results by profile; at least one.
        seconds: how long it took.
    """
    results = {part.profile: came[part.profile] for part in parts if part.profile in came}
    table, notes, secrets = _table(results)
    own = [f"{name}: {note}" for name, result in results.items() for note in result.notes]
    key = next((result.key for result in results.values() if result.key), None)
    provenance = _provenance(call, parts, list(results.values()), seconds)
    return Result(table, provenance, key, (*own, *notes), secrets)


def _provenance(
    call: Call, parts: Sequence[Part], results: Sequence[Result], seconds: float
) -> Parts:
    from_each = [result.provenance for result in results]
    counts = [one.count for one in from_each if one.count is not None]
    verdicts = {part.complete for part in parts}
    complete = False if False in verdicts else None if None in verdicts else True
    reasons = (f"{part.profile}: {part.reason}" for part in parts if part.reason)
    first = from_each[0]
    return Parts(
        command=first.command,
        arguments=masked_arguments(call.arguments),
        profile=",".join(part.profile for part in parts),
        host=",".join(part.host for part in parts),
        scope=tuple(dict.fromkeys(scope for one in from_each for scope in one.scope)),
        rows=sum(one.rows for one in from_each),
        count=sum(counts) if len(counts) == len(parts) else None,
        pages=sum(one.pages for one in from_each),
        duplicates=sum(one.duplicates for one in from_each),
        limit=first.limit,
        seconds=seconds,
        time=max(one.time for one in from_each),
        catalogue=", ".join(dict.fromkeys(one.catalogue for one in from_each)),
        complete=complete,
        reason="; ".join(reasons),
        parts=tuple(parts),
    )


# -- the table -------------------------------------------------------------------------------


def _table(results: Mapping[str, Result]) -> tuple[pa.Table, list[str], Secrets]:
    """The rows under each other, what there is to say of it, and the secrets by column and row."""
    tables = {name: _with_free_name(result.table) for name, result in results.items()}
    profiles = [name for name, table in tables.items() for _ in range(table.num_rows)]
    fields, arrays = [pa.field(PROFILE, pa.large_string())], [pa.array(profiles, pa.large_string())]
    notes: list[str] = []
    secrets: Secrets = {}
    names = dict.fromkeys(name for table in tables.values() for name in table.column_names)
    for name in names:
        field, differ = _field(name, tables)
        chunks = [_as(field, table, name) for table in tables.values()]
        arrays.append(pa.chunked_array([one for chunk in chunks for one in chunk], field.type))
        fields.append(field)
        notes += [differ] if differ else []
        known = _secrets(name, is_json(field), tables, results)
        secrets |= {name: known} if known else {}
    metadata = _documented(tables.values())
    return pa.table(arrays, schema=pa.schema(fields, metadata=metadata)), notes, secrets


def _with_free_name(table: pa.Table) -> pa.Table:
    """The table without a column called `profile`, which is ours: a server's own is `profile_`."""
    names = [f"{name}_" if name == PROFILE else name for name in table.column_names]
    return table.rename_columns(names).replace_schema_metadata(table.schema.metadata)


def _documented(tables: Any) -> dict[bytes, bytes] | None:
    kinds: dict[str, str] = {}
    for table in tables:
        kinds = {**kinds_of(table), **kinds}
    return {_KINDS: json.dumps({PROFILE: "text", **kinds}).encode()} if kinds else None


def _field(name: str, tables: Mapping[str, pa.Table]) -> tuple[pa.Field, str]:
    """The column that holds the values of every table, and a note where no type does."""
    having = {one: table for one, table in tables.items() if name in table.column_names}
    filled = {
        one: table.field(name)
        for one, table in having.items()
        if table[name].null_count < table.num_rows
    }
    found = filled or {one: table.field(name) for one, table in having.items()}
    first = next(iter(found.values()))
    types = {(field.type, is_json(field)) for field in found.values()}
    if len(types) == 1:
        return first, ""
    if types == {(pa.int64(), False), (pa.float64(), False)} and all(
        _exact(having[one][name]) for one in filled
    ):
        return pa.field(name, pa.float64()), ""
    differ = ", ".join(f"{_said(field)} in {one}" for one, field in found.items())
    return pa.field(name, pa.large_string(), metadata=_JSON), (
        f"{name}: {differ}; the column keeps every value as it is"
    )


def _exact(column: pa.ChunkedArray) -> bool:
    """Whether every number of the column is one as a float, too."""
    whole = column.type == pa.int64()
    return not whole or all(abs(cell) <= 2**53 for cell in column.to_pylist() if cell is not None)


def _said(field: pa.Field) -> str:
    return "an object" if is_json(field) else _TYPE_NAMES.get(field.type, str(field.type))


def _as(field: pa.Field, table: pa.Table, name: str) -> list[pa.Array]:
    """A table's column as the field says; nulls where the table has none."""
    if name not in table.column_names or table[name].null_count == table.num_rows:
        return [pa.nulls(table.num_rows, field.type)]
    column = table[name]
    if is_json(field) and not is_json(table.field(name)):
        return [pa.array([_json(cell) for cell in column.to_pylist()], field.type)]
    chunks: list[pa.Array] = column.cast(field.type).chunks
    return chunks


def _json(value: Any) -> str | None:
    if value is None:
        return None
    plain = value.isoformat() if isinstance(value, datetime) else value
    return json.dumps(plain, ensure_ascii=False)


def _secrets(
    name: str, nested: bool, tables: Mapping[str, pa.Table], results: Mapping[str, Result]
) -> dict[int, Any]:
    """The secrets of a column by the row where each stands now."""
    found: dict[int, Any] = {}
    start = 0
    for one, table in tables.items():
        original = PROFILE if name == f"{PROFILE}_" else name
        known = results[one].secrets.get(original, {}) if name in table.column_names else {}
        write: Callable[[Any], Any] = (
            _json if nested and known and not is_json(table.field(name)) else lambda value: value
        )
        found |= {start + row: write(value) for row, value in known.items()}
        start += table.num_rows
    return found
