"""The invented cloud holds together, is worth looking at, and is the same for the same seed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from cs_magic.demo.data.clock import Clock
from cs_magic.demo.data.items import START
from cs_magic.demo.data.tables import TABLES
from cs_magic.demo.data.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=1)


@pytest.fixture(scope="module")
def rows(world: World) -> dict[str, list[dict[str, Any]]]:
    """All rows of each table, as the root admin sees them."""
    return {name: [item.row() for item in world.table(name)] for name in TABLES}


def test_the_same_seed_is_the_same_cloud(rows: Any) -> None:
    again = World(seed=1, clock=Clock(ticks=lambda: 0.0))
    for name in ("machines", "volumes", "users", "events"):
        assert [item.row() for item in again.table(name)] == rows[name]


def test_another_seed_is_another_cloud(rows: Any) -> None:
    other = World(seed=2)
    ids = {item.get("id") for item in other.table("machines")}
    assert not ids & {row["id"] for row in rows["machines"]}


def test_ids_are_unique_in_their_table(rows: Any) -> None:
    for name, found in rows.items():
        ids = [row["id"] for row in found if "id" in row]
        assert name in ("templates", "isos") or len(ids) == len(set(ids)), name


@pytest.mark.parametrize(
    ("table", "field", "other"),
    [
        ("machines", "zoneid", "zones"),
        ("machines", "hostid", "hosts"),
        ("machines", "serviceofferingid", "sizes"),
        ("machines", "templateid", "templates"),
        ("machines", "ostypeid", "ostypes"),
        ("machines", "diskofferingid", "disks"),
        ("machines", "domainid", "domains"),
        ("machines", "userid", "users"),
        ("machines", "projectid", "projects"),
        ("machines", "groupid", "groups"),
        ("volumes", "virtualmachineid", "machines"),
        ("volumes", "storageid", "pools"),
        ("volumes", "diskofferingid", "disks"),
        ("hosts", "clusterid", "clusters"),
        ("hosts", "podid", "pods"),
        ("addresses", "associatednetworkid", "networks"),
        ("networks", "networkofferingid", "networkofferings"),
        ("tags", "resourceid", "machines"),
        ("forwardings", "virtualmachineid", "machines"),
        ("forwardings", "ipaddressid", "addresses"),
        ("firewalls", "ipaddressid", "addresses"),
        ("snapshots", "volumeid", "volumes"),
        ("users", "accountid", "accounts"),
        ("users", "roleid", "roles"),
        ("ostypes", "oscategoryid", "oscategories"),
    ],
)
def test_what_a_row_names_exists(rows: Any, table: str, field: str, other: str) -> None:
    named = {row[field] for row in rows[table] if field in row}
    assert named
    assert named <= {row["id"] for row in rows[other]}


def test_a_machine_agrees_with_its_host_and_its_network(rows: Any) -> None:
    hosts = {row["id"]: row for row in rows["hosts"]}
    networks = {row["id"]: row for row in rows["networks"]}
    for machine in rows["machines"]:
        if machine["state"] == "Running":
            host = hosts[machine["hostid"]]
            assert (host["zoneid"], host["name"]) == (machine["zoneid"], machine["hostname"])
            assert host["resourcestate"] == "Enabled"
        else:
            assert "hostid" not in machine
        (nic,) = machine["nic"]
        network = networks[nic["networkid"]]
        assert network["zoneid"] == machine["zoneid"]
        assert network.get("account") == machine.get("account")
        assert nic["ipaddress"].startswith(network["cidr"].removesuffix("0/24"))


def test_addresses_and_names_are_not_given_twice(rows: Any) -> None:
    used = Counter(
        (nic["networkid"], nic["ipaddress"]) for m in rows["machines"] for nic in m["nic"]
    )
    assert max(used.values()) == 1
    assert max(Counter(row["name"] for row in rows["machines"]).values()) == 1
    assert max(Counter(row["ipaddress"] for row in rows["addresses"]).values()) == 1


def test_what_hosts_have_given_out_is_what_their_machines_have(rows: Any) -> None:
    given: Counter[str] = Counter()
    for machine in rows["machines"]:
        if "hostid" in machine:
            given[machine["hostid"]] += machine["memory"] << 20
    assert {row["id"]: row["memoryallocated"] for row in rows["hosts"]} == {
        row["id"]: given[row["id"]] for row in rows["hosts"]
    }
    assert all(row["memoryallocated"] <= row["memorytotal"] for row in rows["hosts"])


def test_pools_hold_the_volumes_that_name_them(rows: Any) -> None:
    held: Counter[str] = Counter()
    for volume in rows["volumes"]:
        if "storageid" in volume:
            held[volume["storageid"]] += volume["size"]
    for pool in rows["pools"]:
        assert pool["disksizeallocated"] == held[pool["id"]]
        assert pool["disksizeallocated"] <= pool["disksizetotal"]


def test_accounts_total_what_they_own(rows: Any) -> None:
    machines = Counter(row.get("account") for row in rows["machines"])
    volumes = Counter(row.get("account") for row in rows["volumes"])
    for account in rows["accounts"]:
        assert account["vmtotal"] == machines[account["name"]]
        assert account["volumetotal"] == volumes[account["name"]]
    root = next(row for row in rows["domains"] if row["name"] == "ROOT")
    assert root["vmtotal"] == len(rows["machines"])


def test_there_is_something_to_find(rows: Any) -> None:
    machines, volumes = rows["machines"], rows["volumes"]
    assert sum("virtualmachineid" not in row for row in volumes) > 50
    long_ago = "2026-03-14"
    assert (
        sum(
            m["state"] == "Stopped" and m.get("lastupdated", m["created"]) < long_ago
            for m in machines
        )
        > 50
    )
    idle = [m for m in machines if m["state"] == "Running" and float(m["cpuused"][:-1]) < 1]
    assert len(idle) > 50
    assert any(m["state"] == "Error" for m in machines)
    names = " ".join(row["displayname"] for row in machines)
    assert all(mark in names for mark in "üé'\"<&%–")
    assert any(row["resourcestate"] == "Maintenance" for row in rows["hosts"])


def test_one_cluster_is_over_full_and_one_hardly_used(rows: Any) -> None:
    share: dict[str, float] = {}
    for cluster in {row["clustername"] for row in rows["hosts"]}:
        hosts = [row for row in rows["hosts"] if row["clustername"] == cluster]
        share[cluster] = sum(h["memoryallocated"] for h in hosts) / sum(
            h["memorytotal"] for h in hosts
        )
    assert max(share, key=lambda name: share[name]) == "zh-c2"
    assert share["zh-c2"] > 0.8
    assert all(value < 0.65 for name, value in share.items() if name != "zh-c2")


def test_nothing_was_made_after_the_day_the_clock_starts_on(rows: Any) -> None:
    for name in ("machines", "volumes", "networks", "addresses", "events", "accounts", "snapshots"):
        assert max(row.get("created", row.get("allocated")) for row in rows[name]) < "2026-09-14T08"


def test_the_clock_starts_on_a_fixed_day_and_runs_on() -> None:
    ticks = iter((1_000.0, 1_000.0, 1_060.5))
    clock = Clock(ticks=lambda: next(ticks))
    assert clock.now() == START
    assert clock.now() == START + 60.5
