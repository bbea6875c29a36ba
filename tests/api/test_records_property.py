"""Any reply at all: the fast way to a frame says what the slow, obvious one says.

Pages are generated as bytes, with what servers get wrong: fields that are missing, unknown,
null, of another type, nested, sent twice; integers of any size; numbers, dates and booleans
in text; raw control characters, escapes that are none, halves of surrogate pairs, bytes that
are no text; empty pages.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cells, decoded, expected
from servers import reply

from cs_magic.api import sight
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
    "publicport": "port",
    "nic": "nested",
    "password": "text",
}
# What stands for broken text until it is bytes.
BROKEN = {"①": b"\x01", "②": b"\\A", "③": b"\\ud83d", "④": b"\xff", "⑤": b"\\ud83d\\ude00"}
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TEXT = PLAIN | st.text(st.sampled_from([*BROKEN, "é", '"', "\\", "u", "1"]), max_size=4)
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
SPELLINGS = ("+0000", "Z", "+01:00", "-0330", ".000Z", ".25+0000")
DATES = st.one_of(
    st.builds(
        lambda moment, zone: moment.replace(microsecond=0).isoformat() + zone,
        st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1)),
        st.sampled_from(SPELLINGS),
    ),
    st.sampled_from(["", "2026-11-23'T'12:00:00+00:00", "2026-11-23", "2026-11-23T12:00:00"]),
)
IN_TEXT = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(-1e6, 1e6).map("{:.3f}".format),
    st.sampled_from(["true", "False", "", "Unlimited", "many", "1e3", "-", "1.", ".5", " 7"]),
)
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXT,
    "cpunumber": st.integers(-(2**63), 2**63 - 1),
    "load": FLOATS | st.integers(-(2**53), 2**53),
    "haenable": st.booleans(),
    "created": DATES,
    "cpuused": st.floats(0, 100).map(lambda f: f"{f:.2f}%")
    | st.sampled_from(["Unlimited", "NaN", "", "1,5%", "274877906944"]),
    "publicport": st.integers(0, 65535).map(str) | st.just(""),
    "nic": st.lists(st.dictionaries(TEXT, SCALARS, max_size=2), max_size=2),
    "password": TEXT,
}
ODD = st.dictionaries(st.sampled_from(list(KINDS)), NESTED | IN_TEXT, max_size=3)
NAMES = TEXT.filter(lambda name: name not in {"id", "zoneid"}) | st.sampled_from(
    ["value", "key", "new", "newer", "apiKey", "user.token", "icon"]
)
UNKNOWN = st.dictionaries(NAMES, NESTED | IN_TEXT, max_size=3)
# A row is pairs: a name may come twice.
ROWS = st.builds(
    lambda *parts: [pair for part in parts for pair in part.items()],
    st.fixed_dictionaries({}, optional=FITTING),
    st.just({}) | ODD,
    UNKNOWN,
)


@st.composite
def bodies(draw: st.DrawFn) -> list[bytes]:
    """The pages of a list, as bytes; some so large that they are cut out at sight."""
    number = 0
    made = []
    for rows in draw(st.lists(st.lists(ROWS, max_size=5), min_size=1, max_size=5)):
        ascii_only, blanks = draw(st.booleans()), draw(st.sampled_from(["", " " * sight.LARGE]))
        texts = []
        for row in rows:
            pairs = [*row, ("id", f"i{number}")]
            number += 1
            written = (
                f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(one, ensure_ascii=False)}"
                for name, one in pairs
            )
            texts.append("{" + blanks + ",".join(written) + "}")
        listed = f'"count":99,"thing":[{",".join(texts)}]' if texts else '"count":99'
        made.append(_broken(f'{{"listthingsresponse":{{{listed}}}}}', ascii_only))
    return made


def _broken(text: str, ascii_only: bool) -> bytes:
    """The text as bytes, either with escapes or without; what is broken in it is."""
    for mark, broken in BROKEN.items():
        text = text.replace(mark, f"<{broken.hex()}>")
    if ascii_only:
        text = "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in text)
    body = text.encode()
    for broken in BROKEN.values():
        body = body.replace(f"<{broken.hex()}>".encode(), broken)
    return body


def same(one: Any, other: Any) -> bool:
    """Equal, and of one type; 1 and 1.0 may share a column."""
    numbers = {type(one), type(other)} <= {int, float}
    if isinstance(one, datetime):
        return bool(one == other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return (numbers or type(one) is type(other)) and bool(one == other)


def check(
    pages: list[bytes], kinds: dict[str, str], only: list[str] | None = None, text: bool = False
) -> None:
    """Hold the frame of these pages against the reference, cell for cell and dtype for dtype."""
    records = Records(kinds, only, text)
    for body in pages:
        page = sight.read("listThings", reply(body))
        assert isinstance(page, Page)
        records.add(page)
    frame = to_frame(Result(records.table(), Provenance("listThings")), only)
    wanted = expected([row for body in pages for row in decoded(body)], kinds, text)
    if only is not None:
        wanted = {name: wanted.get(name, ("str", [None] * len(frame))) for name in only}
    found = cells(frame)
    assert found.keys() == wanted.keys()
    for name, (dtype, values) in wanted.items():
        assert found[name][0] == dtype, name
        assert same(found[name][1], values), name


DOCUMENTED = KINDS | {"id": "text"}
# Another version of the server: fields that are gone, new, and of other types.
OTHER = {"id": "text", "name": "integer", "load": "text", "haenable": "text", "nic": "text",
         "created": "text", "cpunumber": "text", "gone": "date", "new": "boolean"}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(bodies())
def test_a_frame_says_what_the_slow_and_obvious_way_says(pages):
    check(pages, DOCUMENTED)


@settings(max_examples=100, deadline=None)
@given(bodies())
def test_so_it_does_by_the_catalogue_of_another_version(pages):
    check(pages, OTHER)


@settings(max_examples=100, deadline=None)
@given(bodies(), st.lists(st.sampled_from([*KINDS, "new", "icon"]), min_size=1, unique=True))
def test_so_it_does_where_columns_were_chosen(pages, only):
    check(pages, DOCUMENTED, only)


@settings(max_examples=100, deadline=None)
@given(bodies())
def test_so_it_does_where_text_is_left_as_text(pages):
    check(pages, DOCUMENTED, text=True)


@pytest.mark.long
@settings(max_examples=5000, deadline=None)
@given(bodies(), st.sampled_from([DOCUMENTED, OTHER]))
def test_so_it_does_for_thousands_of_pages(pages, kinds):
    check(pages, kinds)
