"""11-capacity: what is full and what fits, against the hosts of the demo."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from reports import report, sheet, world

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
