"""Rows become typed columns: a value that does not fit costs a column its type, never a value."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from reference import cell

from cs_magic.api.columns import kind_of
from cs_magic.api.records import Records, rows_of
from cs_magic.api.values import Page, Provenance, Result
from cs_magic.frames import to_frame

BIG = 123456789012345678901234567890


def page(*rows: object) -> Page:
    return Page("thing", None, json.dumps(rows).encode())


def made(kinds: dict[str, str], *pages: Page, text: bool = False, only=None) -> Result:
    records = Records(kinds, only, text)
    for one in pages:
        records.add(one)
    return Result(records.table(), Provenance("listThings"), "thing", tuple(records.notes))


def column(kind: str, *values: object, text: bool = False) -> tuple[str, list, int]:
    """The dtype, cells and notes of a column of these values, one page each."""
    pages = [page({"id": str(n), "x": value}) for n, value in enumerate(values)]
    result = made({"id": "text", "x": kind}, *pages, text=text)
    series = to_frame(result)["x"]
    return str(series.dtype), [cell(one) for one in series.astype(object)], len(result.notes)


INF = math.inf


@pytest.mark.parametrize("beside", ["name", "key"])
def test_a_secret_value_is_hidden_also_where_its_name_is_no_column(beside):
    rows = [{"id": str(n), beside: "db.password", "value": f"s{n}"} for n in range(3)]
    result = made({"id": "text", "value": "text"}, *map(page, rows), only=["value"])
    assert result.table.to_pydict() == {"value": ["••••"] * 3}


@pytest.mark.parametrize("other", [{"name": "a"}, {"name": None}, {}])
def test_a_value_beside_a_key_that_is_a_secrets_is_hidden_whatever_the_name_is(other):
    rows = {"id": "1", "name": "x"}, {"id": "2", "key": "db.password", "value": "s"} | other
    shown = made({"id": "text", "name": "text"}, page(*rows))
    assert rows_of(shown.table)[1]["value"] == "••••"


@pytest.mark.parametrize("name", [5, 10**12, 1.5, True])
@pytest.mark.parametrize("kind", ["unknown", "integer"])
def test_a_value_beside_a_name_that_is_a_number_is_kept(name, kind):
    row = {"id": "1", "name": name, "value": "x"}
    result = made({"id": "text", "name": kind}, page(row), page(row | {"id": "2"}))
    assert rows_of(result.table) == [row, row | {"id": "2"}]


@pytest.mark.parametrize("page_size", [1, 2, 9])
@pytest.mark.parametrize("among", ["", ', "odd": 1e400', ', "new": 2'])
def test_a_number_whose_text_is_kept_has_the_text_it_came_as(page_size, among):
    numbers = ["1.10", '"2.50"', "0.12345678901234567890123", "1E2", "1e400", "-0", "null"]
    rows = [f'{{"id": "{n}", "used": {one}{among}}}' for n, one in enumerate(numbers)]
    records = Records({"id": "text", "used": "number"}, exact=("used",))
    for start in range(0, len(rows), page_size):
        text = f"[{','.join(rows[start : start + page_size])}]"
        records.add(Page("thing", None, text.encode()))
    texts = [None if one == "null" else one.strip('"') for one in numbers]
    assert records.table()["used_text"].to_pylist() == texts


@pytest.mark.parametrize("big", [2**63, 2**64 - 1, 2**64, -(2**63) - 1])
def test_an_integer_beyond_64_bits_on_a_later_page_keeps_the_pages_after_it(big):
    assert column("integer", 1, big, 3)[:2] == ("object", [1, big, 3])


@pytest.mark.parametrize(
    ("kind", "values", "dtype", "cells"),
    [
        ("text", ["a", None], "str", ["a", None]),
        ("text", [""], "str", [""]),
        ("integer", [1, None, -(2**63)], "Int64", [1, None, -(2**63)]),
        ("integer", ["12", 3], "Int64", [12, 3]),
        ("float", [1.5, 2], "Float64", [1.5, 2.0]),
        ("boolean", [True, None, "false"], "boolean", [True, None, False]),
        ("number", ["4.1%", "47.14", "0%"], "Float64", [4.1, 47.14, 0.0]),
        ("number", ["Unlimited", "20", ""], "Float64", [INF, 20.0, None]),
        ("number", ["274877906944", "12,3%", "-1"], "Float64", [274877906944.0, 12.3, -1.0]),
        ("port", ["80", "443", None], "Int64", [80, 443, None]),
        ("nested", [[{"a": 1}], None, {}], "object", [[{"a": 1}], None, {}]),
        ("unknown", [1, 2], "Int64", [1, 2]),
        ("unknown", [True, None], "boolean", [True, None]),
    ],
)
def test_a_column_is_typed(kind, values, dtype, cells):
    assert column(kind, *values) == (dtype, cells, 0)


@pytest.mark.parametrize(
    ("kind", "values", "dtype"),
    [
        ("integer", [1, BIG], "object"),
        ("integer", [1, "a"], "object"),
        ("text", ["a", 1], "object"),
        ("text", ["a", {"b": 1}], "object"),
        ("boolean", [True, "maybe"], "object"),
        ("float", [1.5, "x"], "object"),
        ("float", [1, 2**53 + 1], "object"),
        ("number", ["4%", "many"], "str"),
        ("port", ["80", "all"], "str"),
        ("unknown", [1, "a"], "object"),
        ("date", ["2026-11-23T12:00:00+0000", "soon"], "str"),
    ],
)
def test_a_value_that_does_not_fit_widens_its_column_with_one_note_and_every_value_kept(
    kind, values, dtype
):
    assert column(kind, *values) == (dtype, values, 1)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-23T12:00:00+0000",
        "2026-11-23T12:00:00Z",
        "2026-11-23T13:00:00+01:00",
        "2026-11-23T13:00:00+0100",
        "2026-11-23'T'12:00:00+00:00",
        "2026-11-23T12:00:00.000Z",
    ],
)
def test_every_spelling_of_a_moment_is_the_moment_in_utc(written):
    dtype, [moment, none], notes = column("date", written, None)
    assert dtype == "datetime64[us, UTC]"
    assert moment == pd.Timestamp("2026-11-23 12:00", tz="UTC")
    assert (none, notes) == (None, 0)


def test_text_leaves_what_travels_as_text():
    assert column("number", "4%", text=True) == ("str", ["4%"], 0)
    assert column("date", "2026-11-23T12:00:00+0000", text=True)[0] == "str"


@pytest.mark.parametrize(
    ("name", "documented", "kind"),
    [
        ("cpuused", "text", "number"),
        ("vmlimit", "text", "number"),
        ("networkavailable", "text", "number"),
        ("rawusage", "text", "number"),
        ("publicport", "text", "port"),
        ("cpuused", "integer", "integer"),
        ("name", "text", "text"),
    ],
)
def test_text_that_is_a_number_to_a_person_is_known_by_name(name, documented, kind):
    assert kind_of(name, documented) == kind


def test_an_empty_list_has_the_documented_columns_typed_and_no_rows():
    kinds = {
        "name": "text",
        "n": "integer",
        "f": "number",
        "d": "date",
        "b": "boolean",
        "o": "nested",
    }
    frame = to_frame(made(kinds))
    assert len(frame) == 0
    assert {name: str(frame[name].dtype) for name in kinds} == {
        "name": "str", "n": "Int64", "f": "Float64", "d": "datetime64[us, UTC]",
        "b": "boolean", "o": "object",
    }  # fmt: skip


def test_unknown_fields_are_kept_and_documented_ones_that_are_missing_are_null():
    result = made(
        {"name": "text", "gone": "integer"}, page({"name": "a"}), page({"name": "b", "new": [1]})
    )
    frame = to_frame(result)
    assert list(frame.columns) == ["name", "new", "gone"]
    assert frame["new"].tolist() == [None, [1]]
    assert frame["gone"].isna().all()


def test_the_columns_a_person_wants_come_first_and_id_last_of_them():
    row = {"zzz": 1, "id": "1", "created": "x", "zonename": "z", "state": "s", "name": "n"}
    assert list(to_frame(made({}, page(row))).columns) == [
        "name", "state", "zonename", "created", "id", "zzz",
    ]  # fmt: skip


def test_chosen_columns_come_in_the_order_asked_and_reach_into_nested_ones():
    result = made({}, page({"id": "1", "nic": [{"ip": "10.0.0.1"}]}, {"id": "2", "nic": []}))
    frame = to_frame(result, ["nic.0.ip", "id"])
    assert list(frame.columns) == ["nic.0.ip", "id"]
    assert [cell(one) for one in frame["nic.0.ip"]] == ["10.0.0.1", None]
    assert to_frame(result, ["nicc"])["nicc"].isna().all()  # asked for with --no-check


@pytest.mark.parametrize("kind", ["text", None])
def test_a_column_asked_for_that_only_a_later_page_has_is_filled(kind):
    kinds = {"id": "text"} | ({"project": kind} if kind else {})
    pages = [page({"id": str(n)} | ({"project": "p"} if n == 2 else {})) for n in range(4)]
    frame = to_frame(made(kinds, *pages, only=["project"]), ["project"])
    assert [cell(one) for one in frame["project"]] == [None, None, "p", None]


def test_a_field_that_a_server_of_another_version_has_as_another_type_is_kept_as_that():
    result = made({"id": "text", "x": "text"}, *(page({"id": str(n), "x": n}) for n in range(3)))
    assert str(to_frame(result)["x"].dtype) == "Int64"
    assert result.notes == ("x: 0 is not text; the column keeps every value as it came",)


# -- secrets -------------------------------------------------------------------------------

SECRET = "tell-tale"


@pytest.mark.parametrize(
    "row",
    [
        {"password": SECRET},
        {"secretkey": SECRET},
        {"SecretKey": SECRET},
        {"apikey": SECRET},
        {"privatekey": SECRET},
        {"nested": {"deep": [{"password": SECRET}]}},
        {"nested": {"password": [SECRET, [SECRET]]}},
        {"name": "security.singlesignon.key", "value": SECRET},
        {"name": "x.secret", "value": SECRET, "defaultvalue": SECRET},
        {"details": [{"name": "ldap.bind.password", "value": SECRET}]},
        {"details": {"vnc.password": SECRET}},
        {"password": {"old": SECRET}},
        {"password": 12345678901234567890, "n": 1},
        {"password": 1, "token": SECRET},
    ],
)
@pytest.mark.parametrize("pages", [1, 2])
def test_a_secret_is_in_no_cell_at_any_depth(row, pages):
    result = made({"password": "text"}, *(page(row | {"id": str(n)}) for n in range(pages)))
    shown = json.dumps(rows_of(result.table), ensure_ascii=False) + str(result.notes)
    assert SECRET not in shown
    assert "12345678901234567890" not in shown
    assert "••••" in shown


def test_the_value_of_a_secret_setting_is_hidden_among_values_of_other_types():
    rows = [{"name": "a.b", "value": 1}, {"name": "x.secret", "value": SECRET}, {"name": 5}]
    shown = rows_of(made({"value": "text"}, page(*rows)).table)
    assert [row.get("value") for row in shown] == [1, "••••", None]


@pytest.mark.parametrize("empty", [None, ""])
def test_a_secret_that_is_not_there_is_not_hidden(empty):
    frame = to_frame(made({"password": "text"}, page({"id": "1", "password": empty})))
    assert cell(frame["password"][0]) == empty


def test_attrs_stay_json_under_4_kb_whatever_was_typed():
    arguments = tuple((f"tags[{n}].key", "x" * 3000) for n in range(200))
    provenance = Provenance("listThings", arguments, reason="r" * 5000)
    frame = to_frame(Result(made({}).table, provenance))
    assert len(json.dumps(frame.attrs).encode()) < 4096
