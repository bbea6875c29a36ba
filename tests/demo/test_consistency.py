"""Every id that a row refers to is in the list that it refers to; lists agree with each other."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.registry import commands

# Field, or list and field -> the list that has that id. None: nothing lists these.
REFERENCES: dict[str, str | None] = {
    "zoneid": "listZones",
    "podid": "listPods",
    "clusterid": "listClusters",
    "hostid": "listHosts",
    "storageid": "listStoragePools",
    "managementserverid": "listManagementServers",
    "domainid": "listDomains",
    "parentdomainid": "listDomains",
    "accountid": "listAccounts",
    "projectid": "listProjects",
    "userid": "listUsers",
    "roleid": "listRoles",
    "virtualmachineid": "listVirtualMachines",
    "volumeid": "listVolumes",
    "templateid": "listTemplates",
    "serviceofferingid": "listServiceOfferings",
    "diskofferingid": "listDiskOfferings",
    "networkofferingid": "listNetworkOfferings",
    "vpcofferingid": "listVPCOfferings",
    "vpcid": "listVPCs",
    "aclid": "listNetworkACLLists",
    "networkid": "listNetworks",
    "associatednetworkid": "listNetworks",
    "guestnetworkid": "listNetworks",
    "related": "listNetworks",
    "ipaddressid": "listPublicIpAddresses",
    "publicipid": "listPublicIpAddresses",
    "vlanid": "listVlanIpRanges",
    "physicalnetworkid": "listPhysicalNetworks",
    "groupid": "listInstanceGroups",
    "ostypeid": "listOsTypes",
    "guestosid": "listOsTypes",
    "oscategoryid": "listOsCategories",
    "resourceid": "anything",
    "entityid": "anything",
    "offeringid": "anything",
    "usageid": "anything",
    # Networks that the cloud has for itself, which no list of networks shows.
    "listPublicIpAddresses.networkid": None,
    "listVlanIpRanges.networkid": None,
    "listRouters.networkid": None,  # of two of its three NICs
    "linklocalnetworkid": None,
    "publicnetworkid": None,
    # Offerings and templates of system machines; the hidden disk part of a service offering.
    "listSystemVms.serviceofferingid": None,
    "listRouters.serviceofferingid": None,
    "listNetworkOfferings.serviceofferingid": None,
    "listSystemVms.templateid": None,
    "listRouters.templateid": None,
    "listServiceOfferings.diskofferingid": None,
    "scriptsversion": None,
    # The internal number, as on the real server.
    "listVolumes.serviceofferingid": None,
    "listVolumesMetrics.serviceofferingid": None,
    # VLANs are told as numbers here.
    "listPods.vlanid": None,
    "ruleid": None,
    "alerttypeid": None,
    "rootdeviceid": None,
    "deviceid": None,
}
# All that there is, where a filter is asked for.
NEEDED = {"listTemplates": {"templatefilter": "all"}, "listIsos": {"isofilter": "all"}}
LISTS = sorted(n for n, command in commands().items() if isinstance(command, ListCommand))
# Where what belongs to projects is listed with projectid=-1 alone.
WITH_PROJECTS = {
    "listVirtualMachines",
    "listVirtualMachinesMetrics",
    "listVolumes",
    "listVolumesMetrics",
    "listNetworks",
    "listPublicIpAddresses",
    "listRouters",
    "listSnapshots",
    "listVMSnapshot",
    "listFirewallRules",
    "listPortForwardingRules",
    "listEgressFirewallRules",
    "listLoadBalancerRules",
    "listTags",
    "listSecurityGroups",
}


@pytest.fixture(scope="module")
def rows(call: Any, everything: Any) -> Any:
    """All rows of a list, the projects' too."""

    @functools.cache
    def ask(name: str) -> list[dict[str, Any]]:
        if name in NEEDED:
            return list(call("root", name, listall="true", **NEEDED[name]).rows)
        found = everything("root", name).rows
        if name in WITH_PROJECTS:
            found = found + call("root", name, projectid="-1").rows
        return list(found)

    return ask


@pytest.fixture(scope="module")
def ids(rows: Any) -> Any:
    """The ids of a list, or of all lists."""

    @functools.cache
    def of(name: str) -> frozenset[str]:
        if name == "anything":
            return frozenset().union(*(of(one) for one in LISTS if one != "listUsageRecords"))
        found = {row["id"] for row in rows(name) if "id" in row}
        if name == "listServiceOfferings":
            # Usage names the disk part of a service offering.
            found |= {row["diskofferingid"] for row in rows(name)}
        return frozenset(str(one) for one in found)

    return of


def references(name: str, row: Any) -> Iterator[tuple[str, str]]:
    """The fields of a row, at any depth, that name something by its id."""
    for field, value in row.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from references(name, one)
        if field.endswith("id") and field != "id" and isinstance(value, str) and value:
            yield field, value


@pytest.mark.parametrize("name", LISTS)
def test_what_a_row_refers_to_is_in_the_list_it_refers_to(rows: Any, ids: Any, name: str) -> None:
    gone = {"listUsageRecords"}  # a deleted account and its machines are still in the records
    named = {pair for row in rows(name) for pair in references(name, row)}
    for field, value in named:
        target = REFERENCES.get(f"{name}.{field}", REFERENCES.get(field, "unknown"))
        assert target != "unknown", f"which list has {field}?"
        if target and name not in gone:
            assert value in ids(target), (field, value)


def test_usage_records_refer_to_what_there_is_but_for_the_deleted_account(
    rows: Any, ids: Any
) -> None:
    for row in rows("listUsageRecords"):
        for field, value in references("listUsageRecords", row):
            assert value in ids(REFERENCES[field] or "anything") or row["account"] == "altlast"


def test_every_running_machine_is_paid_for_and_every_volume(rows: Any) -> None:
    paid = Counter((row["usagetype"], row.get("usageid")) for row in rows("listUsageRecords"))
    for machine in rows("listVirtualMachines"):
        if machine["state"] == "Running" and machine["created"] < "2026-08-19":
            assert paid[1, machine["id"]] == paid[2, machine["id"]] == 1
    for volume in rows("listVolumes"):
        if volume["created"] < "2026-08-19" and volume.get("vmstate") != "Destroyed":
            assert paid[6, volume["id"]] == 1
    for address in rows("listPublicIpAddresses"):
        assert paid[3, address["id"]] == 1 or address["allocated"] > "2026-08-19"


def test_metrics_are_of_what_the_plain_lists_have(rows: Any, ids: Any) -> None:
    for name in ("Zones", "Clusters", "Hosts", "StoragePools", "VirtualMachines", "Volumes"):
        assert ids(f"list{name}Metrics") == ids(f"list{name}")
    hosts = {row["id"]: row for row in rows("listHosts")}
    running = Counter(row.get("hostid") for row in rows("listVirtualMachines"))
    for row in rows("listHostsMetrics"):
        assert row["memorytotalgb"] == f"{hosts[row['id']]['memorytotal'] / 2**30:.2f} GB"
        assert row["instances"] == f"{running[row['id']]} / {running[row['id']]}"


def test_infrastructure_counts_what_is_listed(call: Any, ids: Any) -> None:
    counted = call("root", "listInfrastructure").inner["infrastructure"]
    for field, name in {
        "zones": "listZones",
        "hosts": "listHosts",
        "routers": "listRouters",
        "systemvms": "listSystemVms",
        "alerts": "listAlerts",
        "storagepools": "listStoragePools",
    }.items():
        assert counted[field] == len(ids(name)), field


def test_every_network_with_machines_has_a_router_at_its_own_address(rows: Any) -> None:
    routers = {row["guestnetworkid"]: row for row in rows("listRouters")}
    sources = {
        row["associatednetworkid"]: row["ipaddress"]
        for row in rows("listPublicIpAddresses")
        if row["issourcenat"]
    }
    for machine in rows("listVirtualMachines"):
        (nic,) = machine["nic"]
        assert routers[nic["networkid"]]["publicip"] == sources[nic["networkid"]]
        assert routers[nic["networkid"]]["guestipaddress"] == nic["gateway"]


def test_there_is_something_to_find(rows: Any) -> None:
    open_ports = {
        row["startport"] for row in rows("listFirewallRules") if row["cidrlist"] == "0.0.0.0/0"
    }
    assert {22, 3389} <= open_ports
    everywhere = [
        (rule["startport"], rule["cidr"])
        for group in rows("listSecurityGroups")
        for rule in group["ingressrule"]
    ]
    assert {(22, "0.0.0.0/0"), (3389, "0.0.0.0/0")} <= set(everywhere)
    assert min(row["created"] for row in rows("listVMSnapshot")) < "2025"
    assert min(row["created"] for row in rows("listSnapshots")) < "2025"
    full = [row["name"] for row in rows("listClustersMetrics") if row["memoryallocatedthreshold"]]
    assert full == ["zh-c2"]
    used = [row for row in rows("listPublicIpAddresses") if row["issourcenat"] or row["hasrules"]]
    assert 0 < len(used) < len(rows("listPublicIpAddresses"))
    admins = [row for row in rows("listUsers") if row["accounttype"] == 1]
    assert {row["is2faenabled"] for row in admins} == {True, False}
    keys = [row["created"] for row in rows("listUserKeys")]
    assert min(keys) < "2024"
    assert max(keys) > "2026-08"
    owners = {row.get("account") for row in rows("listVirtualMachines")}
    seen = {row["username"] for row in rows("listEvents")}
    unused = {row["name"] for row in rows("listAccounts")} - owners - seen
    assert unused == {"azubi", "treuhand"}


def test_an_address_that_is_a_machine_s_own_is_on_the_machine_s_network(rows: Any) -> None:
    machines = {row["id"]: row for row in rows("listVirtualMachines")}
    own = [row for row in rows("listPublicIpAddresses") if row["isstaticnat"]]
    ruled = {row["ipaddressid"] for row in rows("listFirewallRules")}
    assert len(own) > 1
    for address in own:
        (nic,) = machines[address["virtualmachineid"]]["nic"]
        assert nic["networkid"] == address["associatednetworkid"]
        assert nic["ipaddress"] == address["vmipaddress"]
        assert address["hasrules"] == (address["id"] in ruled)


def test_what_a_load_balancer_spreads_is_let_in_here_and_there_by_its_own_protocol(
    rows: Any,
) -> None:
    let_in = {
        (row["ipaddressid"], row["protocol"], str(row["startport"]))
        for row in rows("listFirewallRules")
        if row["cidrlist"] == "0.0.0.0/0"
    }
    balancers = rows("listLoadBalancerRules")
    spread = {
        (row["publicipid"], row.get("protocol", "tcp"), row["publicport"]) for row in balancers
    }
    assert {protocol for _, protocol, _ in spread & let_in} == {"tcp", "udp"}
    assert not spread <= let_in


def test_tenants_texts_are_as_dangerous_as_in_life(rows: Any) -> None:
    names = " ".join(row["displayname"] for row in rows("listVirtualMachines"))
    assert "=1+1" in names
    assert "<img src=x onerror=" in names
    assert any("<img" in row["description"] for row in rows("listSecurityGroups"))
    assert any(row["name"].startswith("=") for row in rows("listIsos"))
