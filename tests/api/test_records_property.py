"""Any reply at all: the fast way to a frame says what the slow, obvious one says.

Pages are generated as bytes: the rows of one list are mostly alike, as a server's are, so that
what was learnt from one page reads the next; here and there is what servers get wrong: fields
that are missing, unknown, null, of another type, nested, sent twice; integers of any size, 1e400;
numbers, dates and booleans in text; raw control characters, escapes that are none, halves of
surrogate pairs, bytes that are no text; empty pages.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cell, cells, decoded, distinct, expected, in_a_file, ordered
from servers import reply

from cs_magic.api import sight
from cs_magic.api.records import Records
from cs_magic.api.values import Page, Provenance, Result
from cs_magic.files import laid_out
from cs_magic.frames import to_frame
from cs_magic.parquet import conformed, layout

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
# What stands for broken text, or for a number that is none, until it is bytes.
HUGE = "⑥"
BROKEN = {"①": b"\x01", "②": b"\\A", "③": b"\\ud83d", "④": b"\xff", "⑤": b"\\ud83d\\ude00"}
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TEXT = PLAIN | st.text(st.sampled_from([*BROKEN, "é", '"', "\\", "u", "1"]), max_size=4)
BIG = st.integers(2**63, 2**70) | st.integers(-(2**70), -(2**63) - 1)
INTEGERS = BIG | st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
NAMED = st.sampled_from(["db.password", "a.key", "a.keys"])
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | TEXT | NAMED | st.just(HUGE)
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
OBJECTS = st.lists(st.dictionaries(PLAIN, PLAIN | st.integers(0, 9), max_size=2), max_size=2)
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "name": PLAIN,
    "cpunumber": st.integers(-(2**63), 2**63 - 1),
    "load": FLOATS | st.integers(-(2**53), 2**53),
    "haenable": st.booleans(),
    "created": DATES,
    "cpuused": st.floats(0, 100).map(lambda f: f"{f:.2f}%")
    | st.sampled_from(["Unlimited", "NaN", "", "1,5%", "274877906944"]),
    "publicport": st.integers(0, 65535).map(str) | st.just(""),
    "nic": OBJECTS,
    "password": PLAIN,
}
NAMES = TEXT.filter(lambda name: name not in {"id", "zoneid"}) | st.sampled_from(
    ["value", "key", "new", "newer", "apiKey", "user.token", "icon"]
)
ODD = BIG | NESTED | IN_TEXT | TEXT
LIKE = (st.booleans(), st.integers(-9, 9), FLOATS, PLAIN, DATES, NAMED, OBJECTS)
Row = list[tuple[str, Any]]


@st.composite
def lists(draw: st.DrawFn) -> list[list[Row]]:
    """The pages of a list, whose rows have the same fields, each of one kind; a few cells are odd.

    A row is pairs: a name may come twice.
    """
    fields = dict(FITTING)
    fields |= {draw(NAMES): draw(st.sampled_from(LIKE)) for _ in range(draw(st.integers(0, 2)))}
    names = draw(st.permutations(sorted(fields)))[: draw(st.integers(2, len(fields)))]
    always = {name: fields[name] for name in names[:-1]}
    rows = st.fixed_dictionaries(always, optional={names[-1]: fields[names[-1]]})
    sizes = draw(st.lists(st.sampled_from([1, 2, 3, 1, 2, 0]), min_size=3, max_size=6))
    pages = [[list(draw(rows).items()) for _ in range(size)] for size in sizes]
    for page in filter(None, pages):
        if draw(st.integers(0, 3)) == 3:
            row = page[draw(st.integers(0, len(page) - 1))]
            whole = sorted({one for one, value in row if type(value) is int})
            way = draw(st.integers(0, 3))
            if way == 0 and whole:
                name, value = draw(st.sampled_from(whole)), draw(BIG)
            else:
                name, value = draw(NAMES if way == 1 else st.sampled_from(names)), draw(ODD)
            _change(row, name, value, twice=draw(st.integers(0, 9)) == 9)
    return pages


def _change(row: Row, name: str, value: Any, twice: bool) -> None:
    """Give a cell of a row another value, or a row another cell."""
    at = next((n for n, pair in enumerate(row) if pair[0] == name and not twice), len(row))
    row[at : at + 1] = [(name, value)]


@st.composite
def bodies(draw: st.DrawFn) -> list[bytes]:
    """The pages of a list, as bytes; some so large that they are cut out at sight."""
    number, made = 0, []
    are_numbers, large = draw(st.booleans()), draw(st.booleans())
    for rows in draw(lists()):
        texts = []
        for row in rows:
            pairs = [*row, ("id", number if are_numbers else f"i{number}")]
            number += 1
            texts.append("{" + " " * sight.LARGE * large + ",".join(map(_pair, pairs)) + "}")
        made.append(_body(texts, draw(st.booleans())))
    return made


def _pair(pair: tuple[str, Any]) -> str:
    name, value = pair
    return f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(value, ensure_ascii=False)}"


def _body(rows: list[str], ascii_only: bool = False) -> bytes:
    listed = f'"count":99,"thing":[{",".join(rows)}]' if rows else '"count":99'
    text = f'{{"listthingsresponse":{{{listed}}}}}'
    return _broken(text.replace(f'"{HUGE}":', '"six":').replace(f'"{HUGE}"', "1e400"), ascii_only)


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
) -> Counter[str]:
    """Hold the frame of these pages against the reference, cell for cell and dtype for dtype.

    Returns:
        How many of the pages after the first were read as was learnt before, and how many not.
    """
    records, ways = Records(kinds, only, text), Counter[str]()
    for body in pages:
        reader = records._reader
        held, _ = records.add(page_of(body))
        if reader is not None and held:
            ways["learnt" if records._reader is reader else "anew"] += 1
    table = records.table()
    frame = to_frame(Result(table, Provenance("listThings")), only)
    rows = [row for body in pages for row in decoded(body)]
    wanted = expected(rows, kinds, text)
    if only is None:
        assert table.column_names == ordered(rows, kinds)
    else:
        wanted = {name: wanted.get(name, ("str", [None] * len(frame))) for name in only}
    found = cells(frame)
    assert found.keys() == wanted.keys()
    for name, (dtype, values) in wanted.items():
        assert found[name][0] == dtype, name
        assert same(found[name][1], values), name
    return ways


def page_of(body: bytes) -> Page:
    page = sight.read("listThings", reply(body))
    assert isinstance(page, Page)
    return page


DOCUMENTED = KINDS | {"id": "text"}
# Another version of the server: fields that are gone, new, and of other types.
OTHER = {"id": "text", "name": "integer", "load": "text", "haenable": "text", "nic": "text",
         "created": "text", "cpunumber": "text", "gone": "date", "new": "boolean"}  # fmt: skip


def test_a_frame_says_what_the_slow_and_obvious_way_says():
    ways = Counter[str]()

    @settings(max_examples=300, deadline=None)
    @given(bodies())
    def holds(pages):
        ways.update(check(pages, DOCUMENTED))

    holds()
    assert ways["learnt"] > 2 * ways["anew"] > 100


@settings(max_examples=100, deadline=None)
@given(bodies(), st.integers(1, 3))
def test_so_does_a_file_of_one_schema_written_part_by_part(pages, each):
    records, found, layout_ = Records(DOCUMENTED), [], {}
    for number, body in enumerate(pages, 1):
        records.add(page_of(body))
        if number % each == 0 or number == len(pages):
            whole = records.table()
            records.clear()
            layout_ = layout_ or layout(whole, laid_out(Result(whole, Provenance(""))), None)
            found += conformed(whole, layout_).to_pylist()
    rows = [row for body in pages for row in decoded(body)]
    for row, given_ in zip(found, rows, strict=True):
        for name in ("nic", "_other"):
            row[name] = row[name] and json.loads(row[name])
        wanted = in_a_file(given_, DOCUMENTED)
        assert row.keys() == wanted.keys()
        for name, value in wanted.items():
            assert same(None if _is_nan(row[name]) else row[name], value), name


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_so_it_does_where_rows_come_again_or_have_no_id(data):
    ids = data.draw(st.sampled_from([st.integers(1, 9), st.sampled_from(["a", "b", "1", "c"])]))
    which = data.draw(st.sampled_from([ids, ids, ids | st.none()]))
    zones = data.draw(st.sampled_from([{}, {"zoneid": st.sampled_from(["z", "y"])}]))
    row = st.fixed_dictionaries({"id": which, "name": PLAIN} | zones)
    rows = st.lists(row, min_size=1, max_size=4, unique_by=json.dumps)
    pages = data.draw(st.lists(rows, min_size=2, max_size=6))
    records = Records({"id": "text", "zoneid": "text", "name": "text"})
    for page in pages:
        records.add(page_of(_body(["{" + ",".join(map(_pair, one.items())) + "}" for one in page])))
    kept = distinct(pages)
    frame = to_frame(Result(records.table(), Provenance("listThings")))
    assert [cell(one) for one in frame["name"]] == [one["name"] for one in kept]
    assert records.duplicates == sum(map(len, pages)) - len(kept)


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
@pytest.mark.timeout(1200)
@settings(max_examples=5000, deadline=None)
@given(bodies(), st.sampled_from([DOCUMENTED, OTHER]))
def test_so_it_does_for_thousands_of_pages(pages, kinds):
    check(pages, kinds)
