"""Columns and elements: what is chosen is there, and no value is lost on the way."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from reference import cell
from servers import KEYS, listed, reply
from servers import Scripted as Transport

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.profile import Profile
from cs_magic.api.records import Records
from cs_magic.api.values import Call, Options, Page, Provenance, Result
from cs_magic.connection import Connection
from cs_magic.errors import CallError, Refused, TransportError
from cs_magic.frames import exploded, shaped, to_frame

CARDS = [{"ip": "1", "more": [{"ip": "9"}]}, {"ip": "2"}]
MACHINES = [
    {"id": "i", "name": "web", "nic": CARDS},
    {"id": "j", "name": "db", "nic": []},
]


def made(*rows: dict) -> Result:
    records = Records({"id": "text", "name": "text", "nic": "nested"})
    records.add(Page("thing", None, json.dumps(rows).encode()))
    return Result(records.table(), Provenance("listThings"))


def cells(frame, column):
    return [cell(one) for one in frame[column].astype(object)]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["name"], ["name", "nic.ip", "nic.more"]),
        (["nic", "name"], ["nic.ip", "nic.more", "name"]),
        (["nic.ip", "id"], ["nic.ip", "id"]),
        (["nic.more.0.ip", "nic.0.ip"], ["nic.more.0.ip", "nic.0.ip"]),
    ],
)
def test_columns_are_chosen_from_the_exploded_frame_in_the_order_asked(columns, found):
    frame = shaped(made(*MACHINES), columns, "nic")
    assert list(frame.columns) == found
    assert len(frame) == 3
    assert frame.attrs["cs"]["command"] == "listThings"


def test_a_path_beside_explode_says_what_it_always_says():
    frame = shaped(made(*MACHINES), ["nic.ip", "nic.more.0.ip", "nic.0.ip"], "nic")
    assert cells(frame, "nic.ip")[:2] == ["1", "2"]
    assert cells(frame, "nic.more.0.ip")[0] == "9"
    assert cells(frame, "nic.0.ip")[:2] == ["1", "1"]


def test_an_element_that_is_no_object_is_not_lost_beside_one_that_is():
    frame = exploded(to_frame(made({"id": "1", "nic": [{"x": 1}, "lost", ["too"]]})), "nic")
    assert frame["nic"].tolist() == [{"x": 1}, "lost", ["too"]]
    assert cells(frame, "nic.x")[0] == 1


def test_no_two_columns_of_an_exploded_frame_have_one_name():
    frame = exploded(to_frame(made({"nic.x": "mine", "nic": [{"x": "its", "x_2": 2}]})), "nic")
    assert frame.columns.is_unique
    assert {"mine", "its", 2} <= set(frame.astype(object).iloc[0])


def test_a_field_that_no_row_has_leaves_the_frame_as_it_is():
    assert len(shaped(made(*MACHINES), None, "nicc")) == 2


def test_a_step_that_only_looks_like_a_digit_finds_nothing():
    assert shaped(made(*MACHINES), ["nic.²"])["nic.²"].isna().all()


DEEP = "[" * 200_000 + "]" * 200_000


@pytest.mark.parametrize("before", [[], [{"nic": 1}]])
def test_rows_nested_too_deeply_are_an_error(before):
    records = Records({"nic": "nested"})
    records.add(Page("thing", None, json.dumps(before).encode()))
    page = Page("thing", None, ('[{"nic":' + DEEP + "}]").encode())
    with pytest.raises(TransportError, match="nested too deeply"):
        records.add(page)


def test_a_cell_nested_too_deeply_is_an_error():
    field = pa.field("nic", pa.large_string(), metadata={"cs": "json"})
    result = Result(pa.table([[DEEP]], schema=pa.schema([field])), Provenance("listThings"))
    with pytest.raises(TransportError, match="nested too deeply"):
        to_frame(result)


# -- before anything is sent ---------------------------------------------------------------------


def cloud(**settings) -> Connection:
    transport = Transport(lambda form: reply(listed("zone", [{"id": "1", "name": "z"}], 1)))
    profile = Profile("test", "https://host/client/api", KEYS, **settings)
    return Connection(Client(profile, transport), bundled())


@pytest.mark.parametrize("field", ["nic.0.secondaryip", "state", "nics", "nic."])
def test_only_one_nested_field_can_be_exploded_and_the_error_names_it(field):
    with pytest.raises(CallError) as caught:
        cloud().command(Call("listVirtualMachines"), Options(explode=field))
    assert caught.value.name == field


def test_raw_json_cant_be_exploded():
    with pytest.raises(CallError, match="raw"):
        cloud().command(Call("listVirtualMachines"), Options(explode="nic", raw=True))


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 0},
        {"limit": -3},
        {"limit": "2"},
        {"limit": True},
        {"limit": 2.0},
        {"columns": []},
        {"columns": ""},
        {"columns": [""]},
        {"columns": [1]},
        {"columns": 5},
    ],
)
def test_a_limit_or_columns_that_mean_nothing_are_an_error_in_one_line(given):
    connection = cloud()
    with pytest.raises(CallError) as caught:
        connection.listZones(**given)
    assert len(caught.value.lines()) == 1
    assert not connection.client.transport.forms


def test_one_name_is_one_column():
    assert list(cloud().listZones(columns="name").columns) == ["name"]


def test_a_plan_and_a_check_refuse_what_a_read_only_profile_does_not_send():
    connection = cloud(read_only=True)
    stop = Call("stopVirtualMachine", (("id", "0" * 8 + "-0000-0000-0000-" + "0" * 12),))
    for refused in (connection.planned, connection.command, connection.run):
        with pytest.raises(Refused, match="read-only"):
            refused(stop, Options())
    assert not connection.client.transport.forms
