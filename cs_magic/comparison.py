"""What is different between two runs of the same list."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pandas as pd

from cs_magic.errors import CallError

# What is measured, and so is another number each time; and when a row was last touched.
VOLATILE = frozenset(
    """
    capacityallocated capacityused cpuallocated cpuallocatedghz cpuallocatedpercentage
    cpuallocatedvalue cpuallocatedwithoverprovisioning cpuloadaverage cpuused cpuusedghz
    diskiopstotal diskioread diskiowrite diskkbsread diskkbswrite diskread disksizeallocated
    disksizeallocatedgb disksizeunallocatedgb disksizeused disksizeusedgb diskwrite drsimbalance
    jobid jobstatus lastpinged lastupdated memoryallocated memoryallocatedbytes memoryallocatedgb
    memoryallocatedpercentage memoryintfreekbs memorykbs memorytargetkbs memoryused memoryusedgb
    networkkbsread networkkbswrite networkread networkwrite percentused physicalsize
    receivedbytes sentbytes usediops utilization
    """.split()
)
RESULT = ("change", "field", "old", "new")
OTHER = "_other"  # in our Parquet, what the documented types can't hold


def changes(
    old: pd.DataFrame,
    new: pd.DataFrame,
    key: str | Collection[str] = "id",
    *,
    ignore: str | Iterable[str] = VOLATILE,
) -> pd.DataFrame:
    """What was added, removed or changed from `old` to `new`, one row per changed field.

    Args:
        old: a list as it was, from a call or from a file.
        new: the same list as it is now.
        key: the column that says which row is which, or several (a template's are
            `["id", "zoneid"]`).
        ignore: columns that don't count; by default what is measured, such as `cpuused`, and
            `lastupdated`. `()` compares everything.

    Returns:
        A frame with the columns of the key, `name` where the rows have one, `change` (`added`,
        `removed` or `changed`), `field`, `old` and `new`; the last three are missing for rows that
        were added or removed. Rows stand as in `new`, those that were removed come last, as in
        `old`; fields stand as the columns of `new`. Order within nested lists doesn't count, a
        missing column is one of missing values, and nested values in a file's JSON text are what
        they say, also where both come from files. Empty where nothing changed. A warning says
        where one of the two lists is not complete.

    Raises:
        CallError: a key column is missing, nested or called as one of the result, or doesn't
            tell the rows apart; or several columns have the same name.
    """
    keys = _names_of(key)
    before, after = _keyed(old, keys, "old"), _keyed(new, keys, "new")
    _warn_of_gaps(old, new)
    left_out = {*keys, *([ignore] if isinstance(ignore, str) else ignore)}
    fields = [field for field in dict.fromkeys([*after, *before]) if field not in left_out]
    found = sorted(_found(before, after, fields), key=lambda entry: entry[:2])
    frame = pd.DataFrame([index for _, _, index, *_ in found], columns=keys)
    if "name" not in keys and "name" in {*before, *after}:
        frame["name"] = _names(before, after, [index for _, _, index, *_ in found])
    for place, column in enumerate(RESULT, start=3):
        values = [entry[place] for entry in found]
        frame[column] = pd.Series(values, dtype="str" if place < 5 else "object")
    return frame


# Where it stands: the row, the field; then the key, the change, the field, old and new.
Entry = tuple[int, int, tuple[Any, ...], str, str | None, Any, Any]


def _names_of(key: str | Collection[str] | None) -> list[str]:
    """The key columns, each once."""
    keys = [key] if isinstance(key, str) else list(dict.fromkeys(key or ()))
    if not keys:
        raise CallError(
            "changes needs the name of at least one key column",
            "key= names the column, or columns, that tell the rows apart.",
        )
    for name in keys:
        if name in RESULT:
            raise CallError(
                f"A key column can't be called {name}: the result has a column of that name",
                f'Rename it in both frames: rename(columns={{"{name}": "key"}}).',
            )
    return keys


def _keyed(frame: pd.DataFrame, keys: list[str], which: str) -> pd.DataFrame:
    """The frame with the key, as tuples, for its index."""
    if not frame.columns.is_unique:
        name = frame.columns[frame.columns.duplicated()][0]
        raise CallError(f"The {which} frame has several columns {name}")
    missing = [name for name in keys if name not in frame]
    if missing:
        raise CallError(
            f"The {which} frame has no column {' and no '.join(missing)}",
            "key= names the column, or columns, that tell the rows apart.",
        )
    nested = next((name for name in keys if frame[name].map(_is_nested).any()), None)
    if nested:
        raise CallError(f"{nested} of the {which} frame is nested: it can't be a key")
    rows = list(frame[keys].itertuples(index=False, name=None))
    index = pd.Index(rows, tupleize_cols=False, dtype=object)
    if frame[keys].isna().to_numpy().any():
        raise CallError(f"A row of the {which} frame has no {' and '.join(keys)}")
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise CallError(
            f"Several rows of the {which} frame have the {' and '.join(keys)} "
            f"{' and '.join(map(str, twice))}",
            'Several columns may be a key: key=["id", "zoneid"].',
        )
    return _spread(frame).set_axis(index, axis=0)


def _spread(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the fields that a file keeps in `_other` in columns of their own."""
    if OTHER not in frame:
        return frame
    rest = [cell if isinstance(cell, dict) else {} for cell in frame[OTHER].map(_plain)]
    spread = frame.drop(columns=OTHER)
    for name in dict.fromkeys(name for cell in rest for name in cell):
        aside = pd.Series([cell.get(name) for cell in rest], index=frame.index, dtype=object)
        if name in spread:
            aside = aside.where(aside.notna(), spread[name].astype(object))
        spread[name] = aside
    return spread


def _warn_of_gaps(old: pd.DataFrame, new: pd.DataFrame) -> None:
    """Say which list is not complete: what it lacks looks removed, or added."""
    for which, frame in (("old", old), ("new", new)):
        if frame.attrs.get("cs", {}).get("complete") is False:
            warnings.warn(
                f"The {which} list is not complete: rows that it lacks look as if they were "
                f"{'added' if which == 'old' else 'removed'}",
                stacklevel=3,
            )


def _found(before: pd.DataFrame, after: pd.DataFrame, fields: list[str]) -> Iterator[Entry]:
    """All that differs."""
    for place, index in enumerate(after.index):
        if index not in before.index:
            yield place, 0, index, "added", None, None, None
    for place, index in enumerate(before.index, start=len(after)):
        if index not in after.index:
            yield place, 0, index, "removed", None, None, None
    both = after.index.isin(before.index)
    places = [place for place, shared in enumerate(both) if shared]
    shared = after.index[both]
    where = before.index.get_indexer(shared)
    for order, field in enumerate(fields):
        was, now = _column(before, field, where), _column(after, field, places)
        for at in _different(was, now):
            yield places[at], order, shared[at], "changed", field, was.iloc[at], now.iloc[at]


def _column(frame: pd.DataFrame, field: str, places: Any) -> pd.Series[Any]:
    if field in frame:
        column: pd.Series[Any] = frame[field].iloc[places].reset_index(drop=True)
        return column
    return pd.Series([None] * len(places), dtype=object)


def _different(was: pd.Series[Any], now: pd.Series[Any]) -> list[int]:
    """The places at which two columns differ."""
    places: Iterable[int] = range(len(was))
    if was.dtype == now.dtype and was.dtype != object:
        apart = (was != now).fillna(True).to_numpy(dtype=bool)  # missing is unlike anything
        missing = (was.isna() & now.isna()).to_numpy(dtype=bool)
        places = map(int, (apart & ~missing).nonzero()[0])
    return [at for at in places if not _same(was.iloc[at], now.iloc[at])]


def _same(one: Any, other: Any) -> bool:
    """Whether two values say the same."""
    one, other = _plain(one), _plain(other)
    if _is_nested(one) or _is_nested(other):
        return bool(_content(one) == _content(other))
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    return bool(one == other)


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or bool(pd.api.types.is_list_like(value))


def _plain(value: Any) -> Any:
    """A value as a live frame has it: a file's JSON text parsed, an array as a list."""
    if isinstance(value, str) and value.startswith(("[", "{")):
        return _parsed(value)
    return value.tolist() if hasattr(value, "tolist") else value


def _parsed(text: str) -> Any:
    """What a nested value in a file's JSON text says; the text where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _content(value: Any) -> Any:
    """A nested value so that what says the same is equal, in whatever order."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, dict):
        return {name: _content(inner) for name, inner in value.items()}
    if _is_nested(value):
        return sorted((_content(inner) for inner in value), key=_text)
    return None if pd.isna(value) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _names(before: pd.DataFrame, after: pd.DataFrame, indexes: list[Any]) -> pd.Series[Any]:
    """What the rows are called now, or were called last."""
    names: dict[Any, Any] = {}
    for frame in (before, after):
        if "name" in frame:
            names |= dict(frame["name"].items())
    return pd.Series([names[index] for index in indexes], dtype="str")
