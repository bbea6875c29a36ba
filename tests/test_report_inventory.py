"""10-inventory: its numbers are those of the demo's own machines, disks and addresses."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from replay import steps
from reports import GIB, owner, replayed, report, sheet, texts, world

from cs_magic.demo.data.items import DAY, START

NAME = "inventory-2026-09-14.xlsx"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run on the demo cloud."""
    where = tmp_path_factory.mktemp("inventory")
    report("10-inventory", where, folder="out", stopped_days=60, snapshot_days=30)
    return where / "out" / NAME


def test_every_machine_is_in_the_file_once(book: Path) -> None:
    rows = sheet(book, "machines")
    machines = world().fleet.machines
    assert Counter(rows["id"]) == Counter(machine.id for machine in machines)
    states = Counter(machine.state for machine in machines)
    assert Counter(rows["state"]) == states


def test_owners_have_what_they_have(book: Path) -> None:
    rows = sheet(book, "owners").set_index(["domain", "owner"])
    here = world()
    running = [machine for machine in here.fleet.machines if machine.state == "Running"]
    memory: Counter[tuple[str, str]] = Counter()
    cpus: Counter[tuple[str, str]] = Counter()
    for machine in running:
        memory[owner(machine)] += machine.size.memory
        cpus[owner(machine)] += machine.size.cpus
    disks: Counter[tuple[str, str]] = Counter()
    for volume in here.volumes:
        disks[owner(volume)] += volume.size
    machines = Counter(owner(machine) for machine in here.fleet.machines)
    assert {key: n for key, n in rows["machines"].items() if n} == machines
    assert {key: n for key, n in rows["cpus"].items() if n} == cpus
    for key, row in rows.iterrows():
        assert row["memory_gib"] == memory[key] / 1024
        assert row["volumes_gib"] == disks[key] / GIB


def test_loose_volumes_are_those_on_no_machine(book: Path) -> None:
    loose = {volume.id: volume.size / GIB for volume in world().volumes if not volume.machine}
    rows = sheet(book, "loose volumes")
    assert dict(zip(rows["id"], rows["gib"], strict=True)) == loose


def test_an_address_leads_nowhere_without_a_rule_a_machine_and_a_network(book: Path) -> None:
    here = world()
    used = {address.get("id") for address, _ in here.forwarded()}
    used |= {row.get("publicipid") for row in here.table("balancers")}
    idle = {
        address.get("ipaddress")
        for address in here.table("addresses")
        if address.get("id") not in used
        and not (address.get("issourcenat") or address.get("isstaticnat"))
    }
    assert idle
    assert set(sheet(book, "idle addresses")["ipaddress"]) == idle


def test_a_parameter_says_what_old_is(book: Path) -> None:
    before = pd.Timestamp(START - 30 * DAY, unit="s", tz="UTC")
    names = {"snapshots": "volumename", "vmsnapshots": "virtualmachinename"}
    old = {
        table: {
            snapshot.get("id"): snapshot.get(name)
            for snapshot in world().table(table)
            if (before - pd.Timestamp(snapshot.get("created"))).total_seconds() >= DAY
        }
        for table, name in names.items()
    }
    assert all(old.values())
    rows = sheet(book, "old snapshots")
    volumes, machines = (rows[rows["kind"] == kind] for kind in ("volume", "machine"))
    assert dict(zip(volumes["id"], volumes["of"], strict=True)) == old["snapshots"]
    assert set(machines["id"]) == set(old["vmsnapshots"])
    short = sheet(book, "in short").set_index("what")["how many"]
    assert short["snapshots of volumes older than 30 days"] == len(old["snapshots"])
    assert short["snapshots of machines older than 30 days"] == len(old["vmsnapshots"])


def test_each_count_of_the_machines_has_a_sheet_and_they_agree(book: Path) -> None:
    machines = world().fleet.machines
    running = [machine for machine in machines if machine.state == "Running"]
    zones = sheet(book, "zones").set_index("zonename")["all"]
    assert dict(zones.drop("all")) == Counter(machine.cluster.zone.name for machine in machines)
    offerings = sheet(book, "offerings").set_index("serviceofferingname")
    assert dict(offerings["machines"]) == Counter(machine.size.name for machine in machines)
    assert dict(offerings["running"]) == Counter(machine.size.name for machine in running)
    owners = sheet(book, "owners")
    cpus, memory = (sum(getattr(m.size, of) for m in running) for of in ("cpus", "memory"))
    assert offerings["cpus"].sum() == owners["cpus"].sum() == cpus
    assert offerings["memory_gib"].sum() == owners["memory_gib"].sum() == memory / 1024
    systems = sheet(book, "systems").set_index("system")["machines"]
    assert dict(systems) == Counter(machine.template.system.name for machine in machines)
    ages = sheet(book, "ages").set_index("age")
    assert ages.to_numpy().sum() == len(machines)
    month = Counter(m.state for m in machines if START - m.created < 31 * DAY)
    assert dict(ages.loc["under a month"]) == {state: month[state] for state in ages}


def test_stopped_machines_are_listed_with_what_they_hold(book: Path) -> None:
    here = world()
    held: Counter[str] = Counter()
    for volume in here.volumes:
        if volume.machine:
            held[volume.machine.id] += volume.size
    expected = {
        machine.id: held[machine.id] / GIB
        for machine in here.fleet.machines
        if machine.state == "Stopped"
    }
    rows = sheet(book, "stopped machines")
    assert dict(zip(rows["id"], rows["volumes_gib"], strict=True)) == expected
    assert rows["stopped_days"].is_monotonic_decreasing
    over = [m for m in here.fleet.machines if m.state == "Stopped" and m.updated < START - 61 * DAY]
    short = sheet(book, "in short").set_index("what")
    assert short.loc["machines stopped for over 60 days", "how many"] == len(over)


def test_it_reads_a_recorded_cloud(tmp_path: Path) -> None:
    volumes = steps("K-exposure/10-lists-as-da")
    given = {step.command: step for step in volumes}
    machines = steps("K-exposure/08-idle-and-owners")[1]
    with replayed(*given.values(), machines):
        notebook = report("10-inventory", tmp_path, profile="env", as_of="2026-11-24")
    shown = texts(notebook)
    assert "There are no virtual machines" not in shown
    rows = sheet(tmp_path / "build" / "inventory-2026-11-24.xlsx", "idle addresses")
    # One has no rule at all; the one with a forwarding is used.
    assert "192.168.2.16" not in set(rows["ipaddress"])
