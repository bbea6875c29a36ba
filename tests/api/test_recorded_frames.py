"""Recorded answers, asked for over a socket: frames with every row and field, rightly typed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from reference import cell
from replay import Replay, Step, recorded, steps

from cs_magic.api.values import Call, Options
from cs_magic.connection import Connection
from cs_magic.errors import ApiError, Incomplete, Unauthorized
from cs_magic.opening import connect

SET_BY_US = set(
    "page pagesize response listall projectid isrecursive signatureversion expires".split()
)
LISTS = {
    step.command: step
    for step in recorded()
    if step.status == 200
    and step.auth.startswith("key")
    and step.account == "admin"
    and step.command.startswith("list")
    and step.command not in {"listApis", "listNothing"}
    and b'"count":' in step.body[:200]
    and dict(step.parameters).get("page", "1") == "1"
}
DTYPES = {
    "listVirtualMachines": {
        "name": "str", "id": "str", "created": "datetime64[us, UTC]", "cpunumber": "Int64",
        "memory": "Int64", "haenable": "boolean", "cpuused": "Float64", "nic": "object",
        "tags": "object", "details": "object", "guestosid": "str",
    },
    "listZones": {"name": "str", "localstorageenabled": "boolean", "tags": "object"},
    "listHosts": {"name": "str", "created": "datetime64[us, UTC]", "cpunumber": "Int64",
                  "memorytotal": "Int64", "lastpinged": "datetime64[us, UTC]"},
    "listEvents": {"created": "datetime64[us, UTC]", "type": "str", "archived": "boolean"},
    "listAccounts": {"name": "str", "vmlimit": "Float64", "vmtotal": "Int64", "user": "object",
                     "created": "datetime64[us, UTC]", "isdefault": "boolean",
                     "primarystoragelimit": "Float64"},
    "listUsageRecords": {"usagetype": "Int64", "rawusage": "Float64", "usage": "str",
                         "startdate": "datetime64[us, UTC]", "enddate": "datetime64[us, UTC]"},
    "listVolumes": {"name": "str", "size": "Int64", "created": "datetime64[us, UTC]",
                    "destroyed": "boolean", "deviceid": "Int64"},
    "listNetworks": {"name": "str", "service": "object", "restartrequired": "boolean"},
    "listTemplates": {"name": "str", "size": "Int64", "created": "datetime64[us, UTC]",
                      "isready": "boolean", "details": "object"},
    "listConfigurations": {"name": "str", "value": "str", "isdynamic": "boolean"},
    "listCapacity": {"percentused": "Float64", "capacitytotal": "Int64"},
    "listFirewallRules": {"startport": "Int64", "endport": "Int64", "protocol": "str"},
    "listPortForwardingRules": {"publicport": "Int64", "privateport": "Int64"},
}  # fmt: skip


def opened(server: Replay) -> Connection:
    return connect(endpoint=server.endpoint, api_key="key", secret_key="secret")


def asked(step: Step, server: Replay) -> pd.DataFrame:
    given = {name: value for name, value in step.parameters if name.lower() not in SET_BY_US}
    with opened(server) as cloud:
        return cloud.call(step.command, **given)


def rows(step: Step) -> list[dict[str, Any]]:
    """The rows as plain JSON has them."""
    [inside] = json.loads(step.body).values()
    return next((value for value in inside.values() if isinstance(value, list)), [])


def test_enough_lists_were_recorded():
    assert len(LISTS) > 60


@pytest.mark.parametrize("command", sorted(LISTS))
def test_a_recorded_list_becomes_a_frame_with_every_row_and_field(command):
    step = LISTS[command]
    with Replay(step) as server:
        frame = asked(step, server)
    plain = rows(step)
    assert len(plain) == len(frame)
    assert {name for row in plain for name in row} <= set(frame.columns)
    for name in frame.columns:
        cells = [cell(value) for value in frame[name].astype(object)]
        present = [row.get(name) not in (None, "") for row in plain]
        assert present == [value not in (None, "") for value in cells], name
    for name in {"id", "name", "state", "usageid"} & {name for row in plain for name in row}:
        assert [row.get(name) for row in plain] == [cell(value) for value in frame[name]]
    assert frame.attrs["cs"]["rows"] == len(plain)
    assert len(json.dumps(frame.attrs)) < 4096


@pytest.mark.parametrize("command", sorted(LISTS))
def test_text_that_stands_for_something_else_is_the_only_thing_that_changes(command):
    step = LISTS[command]
    with Replay(step) as server:
        frame = asked(step, server)
    for name in frame.columns:
        if frame[name].dtype not in ("str", "Int64", "boolean", "object"):
            continue
        for row, value in zip(rows(step), frame[name].astype(object), strict=True):
            hidden = "••••" in json.dumps(cell(value), ensure_ascii=False)
            port = name.endswith("port") and str(cell(value)) == str(row.get(name))
            assert hidden or port or cell(value) == row.get(name), name


@pytest.mark.parametrize("command", sorted(DTYPES))
def test_the_columns_of_a_recorded_list_are_typed(command):
    step = LISTS[command]
    with Replay(step) as server:
        frame = asked(step, server)
    assert DTYPES[command] == {name: str(frame[name].dtype) for name in DTYPES[command]}


def test_the_secret_setting_is_in_no_cell():
    step = next(
        step
        for step in recorded()
        if step.command == "listConfigurations" and b"security.singlesignon.key" in step.body
    )
    [secret] = [row for row in rows(step) if row["name"] == "security.singlesignon.key"]
    assert len(secret["value"]) > 10
    with Replay(step) as server:
        frame = asked(step, server)
    by_name = frame.set_index("name")["value"]
    assert by_name["security.singlesignon.key"] == "••••"
    assert secret["value"] not in frame.to_csv()


def test_the_recorded_pages_come_whole_and_in_order():
    pages = [s for s in steps("D-paging/03-vms-pages-of-50") if s.status == 200]
    with Replay(pages, largest=50) as server, opened(server) as cloud:
        frame = cloud.listVirtualMachines(own=True)
    ids = [row["id"] for page in pages for row in rows(page)]
    assert list(dict.fromkeys(ids)) == list(frame["id"])
    assert [form["page"] for form in server.requests if "page" in form].count("1") >= 1


@pytest.mark.parametrize(
    ("where", "kind", "errorcode"),
    [
        ("C-errors/15-u1-reads-u2#1", ApiError, 531),
        ("B-signature/103-unknown-command#0", Unauthorized, 401),
        ("B-signature/08-v3-expired#0", Unauthorized, 401),
        ("B-signature/105-forbidden-command#0", ApiError, 432),
        ("B-signature/67-char-zero-width-joiner#0", ApiError, 530),
    ],
)
def test_a_recorded_refusal_is_the_error_that_a_script_gets(where, kind, errorcode):
    [step] = [one for one in recorded() if one.where == where]
    with Replay(step) as server, opened(server) as cloud, pytest.raises(ApiError) as caught:
        cloud.run(Call(step.command), Options(check=False))
    assert (type(caught.value), caught.value.errorcode) == (kind, errorcode)


def test_a_recorded_list_that_breaks_off_leaves_a_frame_of_what_came():
    pages = steps("D-paging/03-vms-pages-of-50")[:2]
    [no] = [step for step in recorded() if step.where == "B-signature/08-v3-expired#0"]
    refused = replace(no, command="listVirtualMachines")
    with (
        Replay([*pages, refused], largest=50) as server,
        opened(server) as cloud,
        pytest.raises(Incomplete) as caught,
    ):
        cloud.listVirtualMachines(own=True)
    frame = caught.value.result
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 100
    assert frame.attrs["cs"]["complete"] is False
