"""Any rows at all: the fast way to a frame says what the slow, obvious one says."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from reference import expected, shown

from cs_magic.api.records import Records
from cs_magic.api.values import Page, Provenance, Result
from cs_magic.frames import to_frame

KINDS = {
    "name": "text",
    "cpunumber": "integer",
    "load": "float",
    "haenable": "boolean",
    "created": "date",
    "cpuused": "number",
    "nic": "nested",
    "password": "text",
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INTEGERS = st.integers(-(2**70), 2**70) | st.integers(-9, 9)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | TEXT
NESTED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXT | st.sampled_from(["password", "name", "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)
DATES = st.datetimes().map(lambda d: d.replace(year=2026, microsecond=0).isoformat() + "+0000")
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXT,
    "cpunumber": st.integers(-(2**63), 2**63 - 1),
    "load": FLOATS | st.integers(-(2**53), 2**53),
    "haenable": st.booleans(),
    "created": DATES,
    "cpuused": st.floats(0, 100).map(lambda f: f"{f:.2f}%") | st.just("Unlimited"),
    "nic": st.lists(st.dictionaries(TEXT, SCALARS, max_size=2), max_size=2),
    "password": TEXT,
}
ODD = st.dictionaries(st.sampled_from(list(KINDS)), NESTED, max_size=3)
UNKNOWN = st.dictionaries(
    TEXT.filter(lambda name: name not in {"id", "zoneid"}), NESTED, max_size=3
)
ROWS = st.builds(
    lambda fitting, odd, unknown: fitting | unknown | odd,
    st.fixed_dictionaries({}, optional=FITTING),
    st.just({}) | ODD,
    UNKNOWN,
)
PAGES = st.lists(st.lists(ROWS, min_size=1, max_size=4), min_size=1, max_size=4)


def same(one: Any, other: Any) -> bool:
    """Equal, and of one type where JSON tells types apart; 1 and 1.0 may share a column."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or math.isclose(one, other, rel_tol=1e-15)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_a_frame_says_what_the_slow_and_obvious_way_says(pages):
    number = 0
    records = Records(KINDS)
    whole = []
    for page in pages:
        rows = [row | {"id": f"i{number + n}"} for n, row in enumerate(page)]
        number += len(rows)
        whole += rows
        records.add(Page("thing", None, json.dumps(rows).encode()))
    frame = to_frame(Result(records.table(), Provenance("listThings")))
    kinds = KINDS | {"id": "text"}
    wanted = expected(whole, kinds)
    found = shown(frame)
    assert len(wanted) == len(found)
    for slow, fast in zip(wanted, found, strict=True):
        assert slow.keys() == fast.keys()
        for name in slow:
            assert same(slow[name], fast[name]), name
    assert set(KINDS) <= set(frame.columns)
