"""Rows look as a real 4.23 server's: keys, order, types, spellings, envelopes, descriptions.

Judged by tests/recordings. Where the demo means to differ, `meant.py` says why.
"""

from __future__ import annotations

from typing import Any

import meant
import pytest
import recorded as real

from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.registry import commands
from cs_magic.demo.cloud.served import SERVED

SERVED_HERE = commands()
LISTS = [name for name, command in SERVED_HERE.items() if isinstance(command, ListCommand)]
# Lists that hold nothing in the demo while nothing changes; there is no VPN.
EMPTY = {
    "listIpForwardingRules",
    "listAsyncJobs",
    "listVpnGateways",
    "listVpnCustomerGateways",
    "listVpnConnections",
}
FULL = [name for name in LISTS if name not in EMPTY]
LETTERS = {"root": "A", "domain admin": "D", "user": "U"}
RECORDED = [
    (who, name, key)
    for name, keys in real.answers().items()
    for key, roles in keys.items()
    for who in roles
    if name in FULL and LETTERS[who] in SERVED_HERE[name].roles
]

# Answered where sessions are kept.
SIGNING_IN = {"login", "logout", "validateUserTwoFactorAuthenticationCode"}


def some(rows: list[Any]) -> list[Any]:
    """Rows from all over a list, some hundred at most."""
    return rows[:: 1 + len(rows) // 100]


@pytest.mark.parametrize(("who", "name", "key"), RECORDED)
def test_the_keys_of_every_row_are_the_recorded_ones_in_the_recorded_order(
    everything: Any, who: str, name: str, key: str
) -> None:
    samples = real.answers()[name][key][who]
    order = real.order(samples)
    always = real.always(samples) - real.sometimes(name, key)
    rows = everything(who, name).inner[key]
    for row in some(rows):
        kept = [field for field in row if field in order]
        assert kept == [field for field in order if field in row]
        different = (always - set(row)) | (set(row) - set(order))
        assert {field for field in different if not meant.field(name, field)} == set()


@pytest.mark.parametrize(
    ("name", "fields", "who"),
    [(*key, who) for key, (_, who) in meant.FIELDS.items() if who in LETTERS],
)
def test_a_field_that_is_meant_to_differ_does(
    everything: Any, name: str, fields: str, who: str
) -> None:
    ((key, samples),) = ((k, roles[who]) for k, roles in real.answers()[name].items())
    always, known = real.always(samples) - real.sometimes(name, key), set(real.order(samples))
    rows = everything(who, name).inner[key]
    different = {field for row in rows for field in (always - set(row)) | (set(row) - known)}
    assert set(fields.split()) - different == set()


@pytest.mark.parametrize(("who", "name", "key"), RECORDED)
def test_values_are_spelled_as_the_recorded_ones(
    everything: Any, who: str, name: str, key: str
) -> None:
    samples, rows = real.answers()[name][key][who], some(everything(who, name).inner[key])
    for field in real.order(samples):
        here, there = real.spellings(rows, field), real.spellings(samples, field)
        assert real.misspelled(here, there) == set(), (field, there)


@pytest.mark.parametrize("name", sorted(set(real.wrappers()) & set(SERVED) - SIGNING_IN))
def test_the_envelope_and_the_key_within_are_the_recorded_ones(call: Any, name: str) -> None:
    answer = call("root", name, listall="true", id="none")  # refused or not: the envelope is one
    assert list(answer.json) == [real.wrappers()[name]]
    keys = {key for key in real.answers().get(name, {}) if key != "lbrulevmidip"}
    command = SERVED_HERE[name]
    if isinstance(command, ListCommand) and keys:
        assert keys == {command.key}


@pytest.mark.parametrize("name", FULL)
def test_every_list_has_something_to_show(everything: Any, name: str) -> None:
    answer = everything("root", name)
    assert list(answer.inner) == ["count", SERVED_HERE[name].key]  # type: ignore[attr-defined]
    assert answer.rows


@pytest.mark.parametrize("name", FULL)
def test_list_apis_names_every_field_that_a_row_has(call: Any, everything: Any, name: str) -> None:
    (entry,) = call("root", "listApis", name=name).rows
    named = {field["name"] for field in entry["response"] if field}
    for row in some(everything("root", name).rows):
        assert set(row) <= named


KINDS: dict[str, type] = {
    "boolean": bool,
    "integer": int,
    "int": int,
    "long": int,
    "short": int,
    "double": float,
    "float": float,
    "list": list,
    "set": list,
    "map": dict,
    "hostharesponse": dict,
    "outofbandmanagementresponse": dict,
}
# CloudStack says integer of the ports of rules, and they are texts on the wire.
TEXTS = {"startport", "endport"}


@pytest.mark.parametrize("name", FULL)
def test_values_have_the_types_that_list_apis_says(call: Any, everything: Any, name: str) -> None:
    (entry,) = call("root", "listApis", name=name).rows
    types = {field["name"]: field["type"] for field in entry["response"] if field}
    for row in some(everything("root", name).rows):
        for key, value in row.items():
            # Dates and enumerations are texts on the wire.
            assert type(value) is KINDS.get(types[key], str), (key, value)


# Where CloudStack's own description of the fields is not what it sends.
UNDOCUMENTED = {
    "listProjectAccounts": "described with the fields of a project",
    "listResourceDetails": "fordisplay is sent and not described",
}


@pytest.mark.parametrize("name", sorted(set(real.documented()) & set(SERVED) - set(UNDOCUMENTED)))
def test_fields_and_parameters_are_documented_ones_with_their_types(call: Any, name: str) -> None:
    (entry,), there = call("root", "listApis", name=name).rows, real.documented()[name]
    assert entry.get("since") == there.get("since")
    fields = {field["name"]: field["type"] for field in there["response"] if field}
    assert {f["name"]: f["type"] for f in entry["response"] if f}.items() <= fields.items()
    known = {p["name"]: (p["type"], p["required"], p.get("since")) for p in there["params"]}
    mine = {p["name"]: (p["type"], p["required"], p.get("since")) for p in entry["params"]}
    assert mine.items() <= known.items()
    assert entry["isasync"] is there["isasync"]
    assert entry["httprequesttype"] == there["httprequesttype"]


def test_every_served_command_is_one_of_cloudstack() -> None:
    assert set(SERVED) - set(real.documented()) == set()
    assert set(SERVED) == set(SERVED_HERE)
    assert 110 <= len(SERVED) <= 125


def test_roles_are_those_that_were_refused_and_served() -> None:
    """What a user or a domain admin was shown of listApis is what they may call here."""
    for who, account in (("user", "u1"), ("domain admin", "da")):
        steps = [s for s in real.recorded() if s.account == account and s.command == "listApis"]
        whole = max(steps, key=lambda step: len(step.body))
        names = {entry["name"] for entry in real.inner(whole)[1]["api"]}
        mine = {n for n, command in SERVED_HERE.items() if LETTERS[who] in command.roles}
        assert mine ^ (names & set(SERVED)) <= {"login", "logout"}, who


def test_the_nics_of_a_machine_are_those_of_its_row(call: Any) -> None:
    machine = call("user", "listVirtualMachines").rows[0]
    (nic,) = call("user", "listNics", virtualmachineid=machine["id"]).rows
    assert {key: nic[key] for key in nic if key != "virtualmachineid"} == {
        key: machine["nic"][0][key] for key in nic if key != "virtualmachineid"
    }
    assert call("payroll", "listNics", virtualmachineid=machine["id"]).inner == {}
    assert call("user", "listNics").status == 431


def test_a_user_is_told_nothing_of_hosts(call: Any) -> None:
    for row in call("user", "listVirtualMachines").rows:
        assert not {"hostid", "hostname", "instancename", "arch", "displayvm"} & row.keys()
        assert "readonlydetails" in row


def test_the_machines_behind_a_load_balancer_come_with_or_without_addresses(call: Any) -> None:
    keys = real.answers()["listLoadBalancerRuleInstances"]
    recorded = keys["loadbalancerruleinstance"]["root"]
    rule = call("root", "listLoadBalancerRules", listall="true").rows[0]["id"]
    rows = call("root", "listLoadBalancerRuleInstances", id=rule).rows
    assert rows
    for row in rows:
        assert set(row) <= set(real.order(recorded)) | {"group", "groupid"}
    entries = call("root", "listLoadBalancerRuleInstances", id=rule, lbvmips="true").rows
    assert [entry["lbvmipaddresses"] for entry in entries] == [[r["ipaddress"]] for r in rows]
    assert "hostname" in entries[0]["loadbalancerruleinstance"]


@pytest.mark.parametrize(
    ("asked", "beyond_min"),
    [
        ("min", set()),
        ("group", {"group", "groupid"}),
        (
            "tmpl",
            {
                "templateid",
                "templatename",
                "templatetype",
                "templateformat",
                "templatedisplaytext",
                "passwordenabled",
            },
        ),
        (
            "servoff",
            {"serviceofferingid", "serviceofferingname", "cpunumber", "cpuspeed", "memory"},
        ),
        (
            "stats",
            {
                "cpunumber",
                "cpuspeed",
                "memory",
                "cpuused",
                "networkkbsread",
                "networkkbswrite",
                "diskkbsread",
                "diskkbswrite",
                "memorykbs",
                "memoryintfreekbs",
                "memorytargetkbs",
                "diskioread",
                "diskiowrite",
            },
        ),
        ("iso", {"isos", "isomaxcount"}),
        ("volume", {"rootdeviceid", "rootdevicetype"}),
        ("affgrp", set()),
    ],
)
def test_details_adds_the_fields_of_its_groups(call: Any, asked: str, beyond_min: set[str]) -> None:
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
