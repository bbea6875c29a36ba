"""Any rows at all are the same in a file, as far as its kind can hold them."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written import FIELDS, LIVELY, SCHEMA, cells, made, one_line_end, read_csv

from cs_magic.api.values import Result
from cs_magic.files import write
from cs_magic.sheets import inert

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(LIVELY)
WHEN = st.datetimes(datetime(1900, 3, 2), datetime(9000, 1, 1)).map(
    lambda day: day.replace(microsecond=0, tzinfo=UTC)
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.booleans() | st.integers() | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
).filter(lambda value: not re.search("(?i)pass|secret|psk|token|key|_x", json.dumps(value)))
# What travels, and what it stands for, by kind.
FITTING: dict[str, st.SearchStrategy[tuple[Any, Any]]] = {
    "text": TEXT.filter(lambda text: "_x" not in text).map(lambda text: (text, text)),
    "integer": st.integers(-(2**63), 2**63 - 1).map(lambda one: (one, one)),
    "float": FLOATS.map(lambda one: (one, one)),
    "boolean": st.booleans().map(lambda one: (one, one)),
    "date": WHEN.map(lambda day: (day.isoformat(), day)),
    "number": st.floats(0, 100).map(lambda one: (f"{one}%", one))
    | st.just(("Unlimited", math.inf)),
    "port": st.integers(0, 65_535).map(lambda one: (str(one), one)),
    "nested": (st.lists(JSON, max_size=2) | st.dictionaries(TEXT, JSON, max_size=2)).map(
        lambda one: (one, one)
    ),
}
MISFIT = st.just({"odd": "=1"}).map(lambda one: (one, one))
ROW = st.fixed_dictionaries(
    {},
    optional={
        name: FITTING[kind] if kind == "nested" else FITTING[kind] | MISFIT
        for name, kind in FIELDS.items()
        if name != "id"
    }
    | {"unheard": FITTING["text"]},
)
ROWS = st.lists(ROW, max_size=5)
generated = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


def traveling(rows: list[dict[str, tuple[Any, Any]]]) -> Result:
    sent = [{name: cell[0] for name, cell in row.items()} for row in rows]
    return made(*(row | {"id": f"i{n}"} for n, row in enumerate(sent)))


@generated
@given(ROWS)
def test_any_rows_are_the_same_in_parquet(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("files") / "things"
    write(traveling(rows), "parquet", path)
    read = pq.read_table(path)
    assert dict(zip(read.schema.names, read.schema.types, strict=True)) == SCHEMA
    for row, found in zip(rows, read.to_pylist(), strict=True):
        other = json.loads(found.pop("_other") or "{}")
        found["nic"] = found["nic"] and json.loads(found["nic"])
        documented = {name: value for name, value in found.items() if value is not None}
        assert not documented.keys() & other.keys()
        del documented["id"]
        assert documented | other == {name: meant for name, (_, meant) in row.items()}


@generated
@given(ROWS)
def test_any_rows_are_the_same_in_csv(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("files") / "things"
    write(traveling(rows), "csv", path)
    read = read_csv(path)
    for row, found in zip(rows, read, strict=True):
        for name, value in found.items():
            sent, meant = row.get(name, (None, None)) if name != "id" else (value, value)
            assert any(same(value, one) for one in as_csv(sent, meant)), name


def as_csv(sent: Any, meant: Any) -> list[str]:
    """The texts that may stand for a value: as it was meant, or as it came beside a misfit."""
    if meant is None:
        return [""]
    if isinstance(sent, list | dict):
        return [inert(json.dumps(sent, ensure_ascii=False))]
    if isinstance(meant, bool):
        return [str(meant).lower()]
    if isinstance(meant, datetime):
        return [meant.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"), inert(str(sent))]
    return [inert(str(sent)), inert(str(meant))]


def same(found: str, wanted: str) -> bool:
    if found == wanted:
        return True
    try:
        return float(found) == float(wanted)
    except ValueError:
        return json_or_none(found) == json_or_none(wanted) is not None


def json_or_none(text: str) -> Any:
    return json.loads(text) if text[:1] in {"[", "{"} else None


@generated
@given(ROWS)
def test_any_rows_are_the_same_in_xlsx_as_far_as_it_can_hold_them(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("files") / "things"
    write(traveling(rows), "xlsx", path)
    for row, found in zip(rows, cells(path), strict=True):
        for name, value in found.items():
            sent, meant = row.get(name.removesuffix(" (UTC)"), (None, None))
            if name != "id":
                assert any(like(value, one) for one in (sent, meant)), (name, value, sent, meant)


def like(found: Any, wanted: Any) -> bool:
    """Equal, as far as a cell can hold it: 15 digits, no zone, no control character."""
    if isinstance(wanted, list | dict):
        return json_or_none(re.sub(r"\\u00[0-9a-f]{2}|[\x7f-\x9f]", "?", found)) == json_or_none(
            re.sub(r"\\u00[0-9a-f]{2}|[\x7f-\x9f]", "?", json.dumps(wanted, ensure_ascii=False))
        )
    if isinstance(wanted, str) and wanted != "":
        return found == CONTROL.sub(shown, one_line_end(wanted))
    if isinstance(wanted, datetime):
        return found == wanted.replace(tzinfo=None)
    if isinstance(wanted, int | float) and not isinstance(wanted, bool) and found is not None:
        if wanted == math.inf or isinstance(found, str):
            return found == ("Unlimited" if wanted == math.inf else str(wanted))
        return math.isclose(found, wanted, rel_tol=1e-15)
    return found == (wanted if wanted != "" else None)


CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def shown(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
