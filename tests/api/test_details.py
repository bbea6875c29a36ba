"""`--columns` asks the server for the groups of fields that fill them, and for no more."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
from replay import recorded

from cs_magic.api.catalogue import Parameter, bundled
from cs_magic.api.details import fewest, lean
from cs_magic.api.values import Call
from cs_magic.demo.server import Demo
from cs_magic.opening import connect

MEASURED = [command.name for command in bundled().commands.values() if command.groups]


@pytest.fixture(scope="module")
def root():
    with (
        Demo(machines=60) as demo,
        connect(endpoint=demo.endpoint, api_key=demo.api_key, secret_key=demo.secret_key) as cloud,
    ):
        yield cloud


def groups(command: str, *fields: str):
    return fewest(bundled().command(command), fields)


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ("name state zonename", ("min",)),
        ("name ipaddress", ("nics",)),
        ("nic", ("nics",)),
        ("name cpunumber memory", ("servoff",)),
        ("name cpuused", ("stats",)),
        ("memory cpuused", ("servoff", "stats")),
        ("group templatename rootdeviceid", ("group", "tmpl", "volume")),
        ("name isoname", None),
        ("name unheard", None),
    ],
)
def test_the_groups_are_the_fewest_that_fill_the_columns(fields, chosen):
    assert groups("listVirtualMachines", *fields.split()) == chosen


def test_of_equally_many_groups_those_that_hold_least_are_asked_for():
    assert groups("listHosts", "zonename") == ("events",)
    assert groups("listHosts", "zonename", "cpuused") == ("stats",)


def test_a_zero_that_stands_for_nothing_is_not_taken_for_a_value():
    assert groups("listHosts", "memoryallocated") is None
    assert groups("listAccounts", "secondarystoragetotal") == ("resource",)


def test_details_that_were_typed_win():
    command = bundled().command("listVirtualMachines")
    call = Call("listVirtualMachines", (("Details", "all"),))
    assert lean(call, command, ["name"]) == call


def test_without_columns_the_server_chooses():
    assert lean(Call("listHosts"), bundled().command("listHosts"), None) == Call("listHosts")


@pytest.mark.parametrize(
    ("says", "sent"),
    [
        ("value can be a list of [ min, all, capacity]", None),
        ("value can be a list of [ min, all, events]", "events"),
        ("which details", "events"),
    ],
)
def test_a_word_that_the_server_doesnt_list_is_not_sent_to_it(says, sent):
    command = bundled().command("listHosts")
    others = tuple(one for one in command.parameters if one.name != "details")
    told = replace(command, parameters=(*others, Parameter("details", "list", description=says)))
    assert lean(Call("listHosts"), told, ["zonename"]).given("details") == sent


def test_a_server_without_the_parameter_is_not_sent_it():
    command = replace(bundled().command("listHosts"), parameters=())
    assert lean(Call("listHosts"), command, ["name"]) == Call("listHosts")


def recorded_rows(command: str, details: str | None, account: str):
    """Everything a real server said about things with these `details`, by id."""
    for step in recorded():
        given = {name.lower(): value for name, value in step.parameters}
        wanted = (step.command, given.get("details"), step.account, step.status)
        if wanted != (command, details, account, 200):
            continue
        for answer in json.loads(step.body).values():
            for rows in answer.values() if isinstance(answer, dict) else ():
                if isinstance(rows, list):
                    yield step.where, {row["id"]: row for row in rows if "id" in row}


def test_a_column_that_min_is_trusted_with_is_the_same_in_the_recordings_of_all():
    full = dict(recorded_rows("listHosts", None, "admin"))["F-shapes/12-shape-hosts#0"]
    least = dict(recorded_rows("listHosts", "min", "admin"))["F-shapes/14-shape-hosts-min#0"]
    trusted = [name for name in least[next(iter(least))] if groups("listHosts", name) == ("min",)]
    assert len(trusted) > 15
    assert least.keys() == full.keys()
    for id_, row in least.items():
        assert {name: row.get(name) for name in trusted} == {
            name: full[id_].get(name) for name in trusted
        }


def test_a_column_of_a_machine_is_the_same_in_the_recordings_of_its_groups():
    views = {
        given.get("details"): json.loads(step.body)["listvirtualmachinesresponse"]
        for step in recorded()
        if step.where.startswith("F-shapes/98-vm-views#") and step.account == "u1"
        for given in [dict(step.parameters)]
    }
    full = views["all"]["virtualmachine"][0]
    checked = 0
    for name, value in full.items():
        chosen = groups("listVirtualMachines", name)
        if chosen is not None:
            assert views[",".join(chosen)]["virtualmachine"][0].get(name) == value, name
            checked += 1
    assert checked > 40


@pytest.mark.parametrize("command", MEASURED)
def test_every_column_asked_for_alone_is_as_in_the_whole_list(root, command):
    typed = {"templatefilter": "all"} if command == "listTemplates" else {}
    whole = root.call(command, **typed).sort_values("id", ignore_index=True)
    for column in whole.columns.difference(["cpuused", "cpuloadaverage"]):
        alone = root.call(command, columns=["id", column], **typed)
        alone = alone.sort_values("id", ignore_index=True)
        expected = whole[column].astype(object).where(whole[column].notna(), None)
        came = alone[column].astype(object).where(alone[column].notna(), None)
        pd.testing.assert_series_equal(came, expected, check_index=False, obj=column)


def test_a_column_that_no_row_of_the_first_page_has_is_read_from_the_next(root):
    frame = root.listVirtualMachines(columns=["project"])
    assert 0 < frame.project.notna().sum() < len(frame)


def test_a_dry_run_shows_the_details_and_the_result_tells_them(notebook):
    notebook.fine("%cs -q use demo")
    plan = notebook.fine("%cs --dry-run -c name,nic.0.ipaddress listVirtualMachines").result
    assert list(plan.parameters) == [
        "details=nics listall=true",
        "details=nics projectid=-1",
    ]
    frame = notebook.fine("%cs -q -c name listVirtualMachines state=Running").result
    assert frame.attrs["cs"]["parameters"] == {"state": "Running", "details": "min"}


def test_what_is_exploded_is_asked_for_too(notebook):
    notebook.fine("%cs -q use demo")
    plan = notebook.fine("%cs --dry-run -x nic -c name listVirtualMachines").result
    assert plan.parameters[0] == "details=nics listall=true"
