"""11-capacity: what is full and what fits, against the hosts of the demo."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from reports import GIB, cells, made, replayed, report, sheet, world

from cs_magic.demo.data.hosts import MEBI, OVERCOMMIT
from cs_magic.demo.data.places import HOST_CORES, HOST_SPEED

NAME = "capacity-2026-09-14.xlsx"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run on the demo cloud."""
    where = tmp_path_factory.mktemp("capacity")
    report("11-capacity", where, offering="Database", full_percent=70)
    return where / "build" / NAME


def test_what_fits_is_what_can_be_put_on_the_hosts_one_after_the_other(book: Path) -> None:
    here = world()
    (size,) = {m.size for m in here.fleet.machines if m.size.name == "Database"}
    fits: Counter[str] = Counter()
    for host in here.places.hosts:
        memory, mhz = host.memory * MEBI, host.mhz
        while not host.maintenance:
            memory += size.memory * MEBI
            mhz += size.cpus * size.mhz
            if memory > host.size or mhz > HOST_CORES * HOST_SPEED * OVERCOMMIT:
                break
            fits[host.cluster.zone.name] += 1
    rows = sheet(book, "what fits").set_index("offering")
    assert dict(rows.loc["Database"]) == dict(fits)
    hosts = sheet(book, "hosts")
    assert hosts.groupby("zonename")["room"].sum().to_dict() == dict(fits)


def test_hosts_are_as_full_as_their_machines_make_them(book: Path) -> None:
    rows = sheet(book, "hosts").set_index("name")
    alive = {host.name: host for host in world().places.hosts if not host.maintenance}
    assert set(rows.index) == set(alive)
    for name, host in alive.items():
        assert rows.loc[name, "memory %"] == pytest.approx(100 * host.memory * MEBI / host.size)
        used = 100 * host.busy / (HOST_CORES * HOST_SPEED)
        assert rows.loc[name, "cpu used %"] == pytest.approx(used, abs=0.05)
        assert rows.loc[name, "hot"] == (max(rows.loc[name, ["memory %", "cpu used %"]]) > 70)


def test_clusters_sum_their_hosts_and_leave_out_the_one_in_maintenance(book: Path) -> None:
    rows = sheet(book, "clusters").ffill().set_index("clustername")
    promised: Counter[str] = Counter()
    hosts: Counter[str] = Counter()
    for host in world().places.hosts:
        if not host.maintenance:
            promised[host.cluster.name] += host.mhz
            hosts[host.cluster.name] += 1
    assert dict(rows["hosts"]) == dict(hosts)
    over = pd.Series(promised) / (pd.Series(hosts) * HOST_CORES * HOST_SPEED)
    assert dict(rows["cpu over-commit"].round(6)) == dict(over.round(6))
    memory: Counter[str] = Counter()
    for host in world().places.hosts:
        if not host.maintenance:
            memory[host.cluster.name] += host.memory * MEBI
    there = rows["memory GiB"] * GIB
    assert dict((rows["memory over-commit"] * there).round()) == memory
    assert set(rows["cpu ratio"]) == {OVERCOMMIT}


def host(name: str, cluster: str, memory: int, used: str) -> dict[str, Any]:
    """A host as it is listed, of 64 GiB of which so many are promised."""
    sizes = {"memorytotal": 64 * GIB, "memoryallocatedbytes": memory * GIB}
    speed = {"cpunumber": 16, "cpuspeed": 1000, "cpuallocatedvalue": 0, "cpuused": used}
    places = {"zoneid": "z", "zonename": "zone", "podid": "p"}
    of = {"clusterid": cluster, "clustername": cluster}
    state = {"state": "Up", "resourcestate": "Enabled"}
    return {"id": name, "name": name, **places, **of, **state, **sizes, **speed}


def cluster(name: str, state: str) -> dict[str, Any]:
    """A cluster as it is listed: it promises as much memory again as it has."""
    ratios = {"cpuovercommitratio": "1.0", "memoryovercommitratio": "2.0"}
    return {
        "id": name,
        "name": name,
        "podid": "p",
        "zoneid": "z",
        "allocationstate": state,
    } | ratios


MADE = (
    made("listZones", {"id": "z", "name": "zone", "allocationstate": "Enabled"}),
    made("listClusters", cluster("in use", "Enabled"), cluster("at rest", "Disabled")),
    made(
        "listHosts",
        *(host(f"h{number:02}", "in use", 100, "10%") for number in range(12)),
        host("busy", "in use", 4, "99%"),
        host("parked", "at rest", 0, "0%"),
    ),
    made(
        "listServiceOfferings",
        {"id": "o", "name": "one", "cpunumber": 1, "cpuspeed": 1000, "memory": 4096},
    ),
)


def test_the_busiest_host_comes_first_and_a_disabled_cluster_has_no_room(bare_shell: Any) -> None:
    with replayed(*MADE):
        ran = list(
            cells(bare_shell, "11-capacity", profile="env", as_of="2026-09-14", offering="one")
        )
    assert ran[-1].error is None
    path = Path("build", NAME)
    hosts = sheet(path, "hosts").set_index("name")
    assert hosts.index[0] == "busy"
    shown = [output["text/plain"] for cell in ran for output in cell.outputs]
    (hottest,) = (text for text in shown if "cpu used %" in text)
    assert "busy" in hottest
    assert (hosts.loc["parked", "room"], hosts.loc["parked", "shut"]) == (0, "cluster disabled")
    assert hosts.loc["h00", "room"] == 7  # 28 GiB of 128 are left
    fits = sheet(path, "what fits").set_index("offering")
    assert fits.loc["one", "zone"] == 12 * 7 + 16  # of `busy` the processors decide
    assert dict(sheet(path, "no new machine")["why"]) == {0: "cluster disabled"}
    full = sheet(path, "clusters").ffill().set_index("clustername")
    assert full.loc["in use", "memory over-commit"] == pytest.approx((12 * 100 + 4) / (13 * 64))
    assert set(full["memory ratio"]) == {2.0}
