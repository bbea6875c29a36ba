"""Rows have the keys of a real 4.23 server's, in its order; `recorded_fields.json` is its copy.

Per command and role it holds the fields of the recorded rows, and which of
them some rows did not have.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.registry import commands

RECORDED = json.loads((Path(__file__).parent / "recorded_fields.json").read_text())
LISTS = sorted(
    name
    for name, command in commands().items()
    # listNics is asked per machine; there is no static NAT, neither here nor there.
    if isinstance(command, ListCommand) and name not in ("listNics", "listIpForwardingRules")
)
NEEDED = {"listTemplates": {"templatefilter": "executable"}}
# Fields that the recorded cloud had for want of other data, and the demo has not.
ABSENT = {
    "listSnapshots": {"ostypeid"},  # those of data disks have none
    "listTemplates": {"checksum"},
    "listPublicIpAddresses": {"virtualmachineid", "virtualmachinetype", "virtualmachinename"},
}


@pytest.fixture(scope="module")
def everything(call: Any) -> Any:
    """All that a role is shown by a list command, asked once."""

    @functools.cache
    def ask(who: str, name: str) -> Any:
        return call(who, name, pagesize="-1", listall="true", **NEEDED.get(name, {}))

    return ask


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("who", ["root", "user"])
def test_the_keys_of_every_row_are_the_recorded_ones_in_the_recorded_order(
    everything: Any, who: str, name: str
) -> None:
    recorded = RECORDED[name]["roles"].get(who)
    if recorded is None:
        pytest.skip("not recorded for this role")
    order = recorded["fields"].split()
    always = set(order) - set(recorded["sometimes"].split()) - ABSENT.get(name, set())
    # What belongs to a project names it, which the recorded rows of few commands show.
    allowed = {"projectid", "project"} if "account" in order else set()
    allowed |= {"virtualmachineIds"}  # the recorded groups of users held no machine
    rows = everything(who, name).rows
    assert rows
    for row in rows:
        kept = [key for key in row if key not in allowed or key in order]
        assert kept == [key for key in order if key in row]
        assert always - {"account"} <= set(row)


@pytest.mark.parametrize("name", LISTS)
def test_rows_come_under_the_recorded_key(everything: Any, name: str) -> None:
    answer = everything("root", name)
    assert list(answer.json) == [f"{name.lower()}response"]
    assert list(answer.inner) == ["count", RECORDED[name]["key"]]


@pytest.mark.parametrize("name", LISTS)
def test_list_apis_names_every_field_that_a_row_has(
    call: Any, everything: Any, name: str
) -> None:
    (entry,) = call("root", "listApis", name=name).rows
    named = {field["name"] for field in entry["response"] if field}
    for row in everything("root", name).rows:
        assert set(row) <= named


KINDS: dict[str, type] = {
    "boolean": bool, "integer": int, "int": int, "long": int, "short": int, "double": float,
    "float": float, "list": list, "set": list, "map": dict,
    "hostharesponse": dict, "outofbandmanagementresponse": dict,
}


@pytest.mark.parametrize("name", LISTS)
def test_values_have_the_types_that_list_apis_says(
    call: Any, everything: Any, name: str
) -> None:
    (entry,) = call("root", "listApis", name=name).rows
    types = {field["name"]: field["type"] for field in entry["response"] if field}
    for row in everything("root", name).rows:
        for key, value in row.items():
            # Dates and enumerations are texts on the wire.
            assert type(value) is KINDS.get(types[key], str), (key, value)


def test_the_nics_of_a_machine_are_those_of_its_row(call: Any) -> None:
    machine = call("user", "listVirtualMachines").rows[0]
    (nic,) = call("user", "listNics", virtualmachineid=machine["id"]).rows
    recorded = RECORDED["listNics"]["roles"]["root"]["fields"].split()
    assert list(nic) == recorded
    assert {key: nic[key] for key in nic if key != "virtualmachineid"} == {
        key: machine["nic"][0][key] for key in nic if key != "virtualmachineid"
    }
    assert call("payroll", "listNics", virtualmachineid=machine["id"]).inner == {}
    assert call("user", "listNics").status == 431


def test_a_user_is_told_nothing_of_hosts(call: Any) -> None:
    for row in call("user", "listVirtualMachines").rows:
        assert not {"hostid", "hostname", "instancename", "arch", "displayvm"} & row.keys()
        assert "readonlydetails" in row


@pytest.mark.parametrize(
    ("asked", "beyond_min"),
    [
        ("min", set()),
        ("group", {"group", "groupid"}),
        ("tmpl", {"templateid", "templatename", "templatetype", "templateformat",
                  "templatedisplaytext", "passwordenabled"}),
        ("servoff", {"serviceofferingid", "serviceofferingname", "cpunumber", "cpuspeed",
                     "memory"}),
        ("stats", {"cpunumber", "cpuspeed", "memory", "cpuused", "networkkbsread",
                   "networkkbswrite", "diskkbsread", "diskkbswrite", "memorykbs",
                   "memoryintfreekbs", "memorytargetkbs", "diskioread", "diskiowrite"}),
        ("iso", {"isos", "isomaxcount"}),
        ("volume", {"rootdeviceid", "rootdevicetype"}),
        ("affgrp", set()),
    ],
)
def test_details_adds_the_fields_of_its_groups(
    call: Any, asked: str, beyond_min: set[str]
) -> None:
    def keys(words: str) -> set[str]:
        rows = call("root", "listVirtualMachines", listall="true", details=words).rows
        return {key for row in rows for key in row}

    assert keys(asked) - keys("min") == beyond_min


def test_hosts_with_details_min_have_the_recorded_fields(call: Any) -> None:
    (row, *_) = call("root", "listHosts", details="min").rows
    assert set(row) == set(
        "capabilities clusterid cpunumber cpuspeed created hasannotations hostha hypervisor id "
        "ipaddress islocalstorageactive lastpinged managementserverid managementservername "
        "memoryallocated name outofbandmanagement podid resourcestate state type ueficapability "
        "version zoneid".split()
    )


def test_accounts_with_details_min_say_nothing_of_limits(call: Any) -> None:
    (row,) = call("root", "listAccounts", details="min").rows
    assert "vmlimit" not in row
    assert "vmtotal" not in row
    assert "secondarystoragetotal" in row
