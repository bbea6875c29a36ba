"""From nothing to a first table: `%cs use demo`, and what one types next."""

from __future__ import annotations

import pandas as pd
import pytest

from cs_magic.demo.server import Demo
from cs_magic.errors import ApiError, CallError, Refused


@pytest.fixture
def demo(notebook):
    notebook.fine("%cs -q use demo")
    return notebook


def test_the_word_demo_is_short_for_use_demo(notebook):
    assert notebook.fine("%cs demo").lines == ["using demo: the embedded demo cloud"]
    notebook.fine("%cs -q demo --read-only")
    assert type(notebook.run("%cs -y deleteZone id=1").error) is Refused
    error = notebook.run("%cs demo there").error
    assert (type(error), error.message) == (CallError, "demo takes no there")
    assert type(notebook.run("%%cs\ndemo --read-only\ndeleteZone id=1").error) is Refused


def test_the_first_two_cells_of_a_newcomer(notebook):
    assert notebook.fine("%cs use demo").lines == ["using demo: the embedded demo cloud"]
    ran = notebook.fine("%cs listVirtualMachines")
    assert type(ran.result) is pd.DataFrame
    assert len(ran.result) > 500
    assert ran.lines[0].endswith(" · complete")
    assert len(ran.tables) == 1


def test_a_list_is_narrowed_by_what_another_one_gave(demo):
    demo.fine("%%cs -q\nzones << listZones\nvms << listVirtualMachines zoneid=$zones[0].id")
    zones, vms = demo.names["zones"], demo.names["vms"]
    assert len(vms) > 0
    assert set(vms.zonename) == {zones.name[0]}


def test_a_list_value_and_columns_reach_the_cloud(demo):
    demo.fine("%cs -q vms << listVirtualMachines")
    demo.fine(
        "%cs -q -c nic.0.ipaddress,name few << listVirtualMachines ids=$ids listall=true",
        ids=list(demo.names["vms"].id[:3]),
    )
    assert sorted(demo.names["few"].name) == sorted(demo.names["vms"].name[:3])


def test_the_demos_refusals_are_errors_in_its_words(demo):
    ran = demo.run("x = %cs listVirtualMachines page=1 pagesize=501", x="old")
    assert isinstance(ran.error, ApiError)
    assert ran.error.errorcode == 431
    assert demo.names["x"] == "old"


def test_a_demo_of_ones_own_is_a_profile_of_the_environment(notebook, monkeypatch):
    with Demo(machines=30) as cloud:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", cloud.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", cloud.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", cloud.secret_key)
        ran = notebook.fine("%cs -v listZones")
        assert "env at 127.0.0.1:" in ran.lines[0]
