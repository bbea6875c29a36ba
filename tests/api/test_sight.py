"""A list cut out at sight is read as with care: the same rows, the same errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from servers import Reply as Answer
from servers import reply, serving

from cs_magic.api import envelope, sight
from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.pages import Reader, Wish
from cs_magic.api.records import Records, rows_of
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Document, Page, Payload
from cs_magic.errors import ApiError, Incomplete, TransportError

ROWS = [{"id": str(n), "name": f"Zürich {n}", "nic": [{"ip": f"10.0.0.{n}"}]} for n in range(400)]


def listed(key: str, rows: list[Any], total: int) -> bytes:
    """A list as CloudStack spells it, without a blank."""
    return json.dumps({"x": {"count": total, key: rows}}, separators=(",", ":")).encode()


LIST = listed("thing", ROWS, 400)


def read(body: bytes) -> Payload:
    return sight.read("listThings", reply(body))


def table(*pages: Payload) -> tuple[list[dict], tuple[str, ...]]:
    """The rows of these pages, and the notes; a first page teaches the fields."""
    records = Records({"id": "text", "name": "text", "nic": "nested"})
    records.add(Page("thing", None, json.dumps([ROWS[0] | {"id": "first"}]).encode()))
    for page in pages:
        records.add(page)
    return rows_of(records.table())[1:], tuple(records.notes)


def test_a_large_list_is_cut_out_and_not_looked_into():
    page = read(LIST)
    assert page == envelope.read("listThings", reply(LIST))
    assert page.again is not None
    assert table(page) == (ROWS, ())


@pytest.mark.parametrize(
    ("was", "became", "name", "notes"),
    [
        (b"Z\\u00fcrich 7\"", b"Z\x01rich 7\"", "Z\x01rich 7", 1),
        (b"Z\\u00fcrich 7\"", b"Z\xffrich 7\"", "Z�rich 7", 1),
        (b"Z\\u00fcrich 7\"", b"Z\\Arich 7\"", "Z\\Arich 7", 1),
        (b"Z\\u00fcrich 7\"", b"Z\\ud83drich 7\"", "Z�rich 7", 1),
        (b"Z\\u00fcrich 7\"", b"Z\\ud83d\\ude00rich 7\"", "Z\U0001f600rich 7", 0),
    ],
)  # fmt: skip
def test_broken_text_is_repaired_and_told_as_with_care(was, became, name, notes):
    body = LIST.replace(was, became)
    rows, told = table(read(body))
    assert rows[7] == ROWS[7] | {"name": name}
    assert rows[:7] == ROWS[:7]
    assert len(told) == notes
    assert told == envelope.read("listThings", reply(body)).notes


@pytest.mark.parametrize("broken", [b"\x01", b"\xff", b"\\A", b"\\ud83d"])
def test_broken_text_in_a_nested_field_is_repaired_too(broken):
    body = LIST.replace(b'10.0.0.7"', b"10.0.0.7" + broken + b'"')
    [nic] = table(read(body))[0][7]["nic"]
    careful = json.loads(envelope.read("listThings", reply(body)).rows)
    assert [nic] == careful[7]["nic"]
    assert nic["ip"] != "10.0.0.7"


def test_what_only_looks_like_a_list_is_read_with_care():
    two = b'{"x":{"thing":' + LIST[26:-2] + b',"other":[{"a":1}]}}'
    assert isinstance(envelope.read("listThings", reply(two)), Document)
    [row] = table(read(two))[0]
    assert row["other"] == [{"a": 1}]


def test_of_two_lists_under_one_count_none_is_lost_in_silence():
    two = b'{"x":{"count":1,"thing":' + LIST[26:-2] + b',"other":[{"a":1}]}}'
    with pytest.raises(TransportError, match="a count and 2 lists"):
        table(read(two))


def test_a_refusal_that_looks_like_a_list_is_one():
    body = (
        b'{"x":{"count":1,"thing":' + LIST[26:-2]
        + b',"errorcode":431,"errortext":"no","u":[{"a":1}]}}'
    )  # fmt: skip
    with pytest.raises(ApiError, match="no"):
        table(read(body))


def test_a_reply_that_is_broken_in_the_middle_is_an_error():
    broken = LIST.replace(b'"id":"7"', b'"id":7"')
    with pytest.raises(TransportError, match="not JSON, or was cut off"):
        table(read(broken))


def test_a_list_whose_second_page_is_broken_keeps_the_first():
    pages = {1: listed("zone", ROWS, 800), 2: LIST.replace(b'"id":"7"', b'"id":7"')}
    with serving(lambda came: Answer(body=pages[int(came.form["page"])])) as server:
        profile = server.profile()
        client = Client(profile, HttpTransport(profile), pagesize=400)
        reader = Reader(client, bundled().command("listZones"), {}, Wish(own=True))
        with pytest.raises(Incomplete) as broken:
            reader.read(Call("listZones"))
    assert rows_of(broken.value.result.table) == ROWS


@pytest.mark.parametrize(
    "response",
    [
        reply(listed("thing", [], 0)),
        reply(listed("thing", ROWS[:3], 3)),
        reply(listed("thing", list(range(9000)), 9000)),
        reply(LIST.replace(b'"count"', b'"total"')),
    ],
)
def test_whatever_is_not_a_large_list_of_objects_is_read_with_care_at_once(response):
    assert sight.read("listThings", response) == envelope.read("listThings", response)
    assert getattr(sight.read("listThings", response), "again", None) is None


def test_a_list_cut_out_at_sight_may_lack_a_column_that_was_asked_for():
    records = Records({}, ["name", "absent"])
    for start in (0, 200):
        rows = [{"name": str(n), "id": str(n)} for n in range(start, start + 200)]
        records.add(sight.read("listThings", reply(listed("thing", rows * 4, 800))))
    assert records.table()["absent"].null_count == records.rows == 1600
