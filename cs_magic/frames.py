"""A result → the DataFrame a person works with; the only importer of pandas.

Columns keep CloudStack's names. dtypes: `str`, `Int64`, `Float64`, `boolean`,
`datetime64[us, UTC]`, and object for nested lists and dicts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain, count
from typing import Any

import pandas as pd
import pyarrow as pa

from cs_magic.api.at_rest import collector_at_rest
from cs_magic.api.columns import parsed
from cs_magic.api.envelope import unreadable
from cs_magic.api.records import is_json
from cs_magic.api.values import Result

# A notebook shows twenty columns: these come first, in this order, where there are such.
FIRST = (
    "profile"  # the first where rows of several are together
    " name username key value description state status level type zonename podname clustername"
    " account project domain displayname ipaddress hostname networkname virtualmachinename vmname"
    " vmdisplayname size cpunumber cpuspeed memory serviceofferingname templatename osdisplayname"
    " created startdate enddate id"
).split()
_TYPES = {
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.large_string(): pd.StringDtype("pyarrow", na_value=float("nan")),
}


def to_frame(result: Result, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The result as a plain DataFrame with its provenance in `attrs["cs"]`.

    Args:
        columns: the columns wanted, in order, a path such as `nic.0.ipaddress`
            among them; None for all, the ones a person wants first.
    """
    table = result.table
    if columns is None:
        table = table.select(_ordered(table))
    with collector_at_rest(much_stays=True):
        frame = _typed(table)
    if columns is not None:
        frame = _chosen(frame, columns)
    frame.attrs["cs"] = result.provenance.as_json()
    return frame


def shaped(
    result: Result, columns: Sequence[str] | None = None, explode: str | None = None
) -> pd.DataFrame:
    """The result as `to_frame` gives it, with a nested field exploded where one is named.

    The columns are chosen from the exploded frame, where `nic.ipaddress` is one; where none
    of them is of the exploded field, all of its columns come last.
    """
    if explode is None:
        return to_frame(result, columns)
    if columns is None:
        return exploded(to_frame(result), explode)
    fields = dict.fromkeys(column.partition(".")[0] for column in (*columns, explode))
    first = [column for column in columns if _picks_an_element(column, explode)]
    frame = exploded(to_frame(result, [*fields, *first]), explode)
    attrs, frame = frame.attrs, _chosen(frame, _of_the_exploded(frame, columns, explode))
    frame.attrs = attrs
    return frame


def exploded(frame: pd.DataFrame, field: str) -> pd.DataFrame:
    """One row for each element of a nested field, whose own fields become columns `field.name`.

    A row whose field is empty stays, with nothing in those columns. The field's own column
    stays where an element is no object.
    """
    if field not in frame.columns:  # asked for with --no-check, and no row had it
        return frame
    rows = frame.explode(field, ignore_index=True)
    parts = [one if isinstance(one, dict) else {} for one in rows[field]]
    names = dict.fromkeys(name for part in parts for name in part)
    if names and all(isinstance(one, dict) or _is_nothing(one) for one in rows[field]):
        rows = rows.drop(columns=[field])
    columns: dict[str, pd.Series[Any]] = {}
    for name in names:
        values = pd.Series([part.get(name) for part in parts], dtype=object)
        columns[_unused(f"{field}.{name}", {*rows.columns, *columns})] = values
    inner = pd.DataFrame(columns, index=rows.index).convert_dtypes()
    whole = pd.concat([rows, inner], axis=1)
    whole.attrs = frame.attrs
    return whole


def _is_nothing(element: Any) -> bool:
    return not isinstance(element, list) and bool(pd.isna(element))


def _unused(name: str, names: Collection[str]) -> str:
    """The name, or the first of `name_2`, `name_3` … that no column has."""
    numbered = (f"{name}_{number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one not in names)


def _picks_an_element(column: str, field: str) -> bool:
    """Whether it is a path such as `nic.0.ipaddress`, to be followed before `nic` is exploded."""
    first, *path = column.split(".")
    return first == field and bool(path) and path[0].isdecimal()


def _of_the_exploded(frame: pd.DataFrame, columns: Sequence[str], field: str) -> list[str]:
    own = [name for name in frame.columns if name == field or name.startswith(f"{field}.")]
    if all(column.partition(".")[0] != field for column in columns):
        return [*columns, *own]
    chosen: list[str] = []
    for column in columns:
        chosen += own if column == field else [column]
    return list(dict.fromkeys(chosen))


def _ordered(table: pa.Table) -> list[str]:
    """The columns a person wants first, as far as any row has them; then all the others."""
    names = table.column_names
    rows = table.num_rows
    first = [
        name for name in FIRST if name in names and (table[name].null_count < rows or not rows)
    ]
    chosen = frozenset(first)
    return first + [name for name in names if name not in chosen]


def _typed(table: pa.Table) -> pd.DataFrame:
    nested = {field.name for field in table.schema if is_json(field)}
    series = {
        name: _objects(table[name]) if name in nested else _series(table[name])
        for name in table.column_names
    }
    return pd.DataFrame(series, index=pd.RangeIndex(table.num_rows), copy=False)


def _series(column: pa.ChunkedArray) -> pd.Series[Any]:
    return column.to_pandas(types_mapper=_TYPES.get)  # type: ignore[no-any-return]


def _objects(column: pa.ChunkedArray) -> pd.Series[Any]:
    """JSON text as Python lists, dicts and scalars; None where there was nothing."""
    try:
        values = parsed(column)
    except RecursionError as error:
        raise unreadable(error) from None
    return pd.Series(values, dtype=object)


def _chosen(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    series = {column: _column(frame, column) for column in columns}
    return pd.DataFrame(series, index=frame.index, copy=False)


def _column(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    if column in frame.columns:
        return frame[column]
    field, path = column, list[str]()
    while field not in frame.columns:
        field, dot, step = field.rpartition(".")
        if not dot:  # asked for with --no-check, and no row had it
            return pd.Series(pd.NA, index=frame.index, dtype="object")
        path.insert(0, step)
    values = [_walk(value, path) for value in frame[field]]
    return pd.Series(values, index=frame.index, dtype=object).convert_dtypes()


def _walk(value: Any, path: Sequence[str]) -> Any:
    """`nic.0.ipaddress`: a number picks from a list, a name from an object; else nothing."""
    for step in path:
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value
