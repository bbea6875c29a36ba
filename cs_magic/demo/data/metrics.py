"""Metrics of zones, clusters, hosts and storage pools: texts with units, then what they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cs_magic.demo.data.hosts import MEBI
from cs_magic.demo.data.items import GIB, Account, Item, Row, Table
from cs_magic.demo.data.places import HOST_CORES, HOST_SPEED, Host, Places

SPEED = HOST_CORES * HOST_SPEED
# Shares of what there is from which on a warning is given, and from which on nothing is placed.
NOTIFY, DISABLE = 0.75, 0.85


def ghz(mhz: float) -> str:
    """Megahertz as metrics print them."""
    return f"{mhz / 1_000:.2f} Ghz"


def gib(size: float) -> str:
    """Bytes as metrics of hosts print them."""
    return f"{size / GIB:.2f} GB"


def share(part: float, whole: float) -> str:
    """A share with two decimals and a percent sign."""
    return f"{100 * part / whole if whole else 0:.2f}%"


def flags(name: str, value: float) -> Row:
    """Whether a share is over the two thresholds."""
    return {f"{name}threshold": value > NOTIFY, f"{name}disablethreshold": value > DISABLE}


def thresholds(hosts: Sequence[Host]) -> Row:
    """The eight flags of a host, a cluster or a zone."""
    speed, memory = SPEED * len(hosts), sum(host.size for host in hosts)
    allocated = sum(host.memory for host in hosts) * MEBI
    return {
        **flags("cpu", sum(host.busy for host in hosts) / speed),
        **flags("cpuallocated", sum(host.mhz for host in hosts) / speed),
        **flags("memory", 0.83 * allocated / memory),
        **flags("memoryallocated", allocated / memory),
    }


@dataclass(slots=True, eq=False)
class Measured:
    """A thing with its metrics before its usual fields."""

    item: Item
    metrics: Row

    @property
    def number(self) -> int:
        """The thing's internal number."""
        return self.item.number

    @property
    def owner(self) -> Account | None:
        """Nobody: it is infrastructure."""
        return self.item.owner

    def get(self, name: str) -> Any:
        """A metric, else a field of the thing."""
        return self.metrics[name] if name in self.metrics else self.item.get(name)

    def row(self) -> Row:
        """Metrics first, as the real server has them."""
        return self.metrics | self.item.row()


def hosts_table(where: Places, hosts: Table, systems: Iterable[Item]) -> Table:
    """The hosts, with how many machines run on them."""
    running: dict[str, int] = {}
    for item in systems:
        running[item.get("hostid")] = running.get(item.get("hostid"), 0) + 1
    return Table(
        [
            Measured(item, _host_metrics(host, item, running.get(host.id, 0)))
            for host, item in zip(where.hosts, hosts, strict=True)
        ]
    )


def _host_metrics(host: Host, item: Item, systems: int) -> Row:
    allocated = host.memory * MEBI
    return {
        "powerstate": "Disabled",
        "instances": f"{host.machines} / {host.machines}",
        "systeminstances": f"{systems} / {systems}",
        "cputotalghz": ghz(SPEED),
        "cpuusedghz": ghz(host.busy),
        "cpuallocatedghz": ghz(host.mhz),
        "memorytotalgb": gib(host.size),
        "memoryusedgb": gib(0.83 * allocated),
        "memoryallocatedgb": gib(allocated),
        "networkread": gib(item.get("networkkbsread") * 1024),
        "networkwrite": gib(item.get("networkkbswrite") * 1024),
        **thresholds([host]),
    }


def clusters_table(where: Places, clusters: Table) -> Table:
    """The clusters, with how full they are."""
    return Table(
        [
            Measured(item, _cluster_metrics(cluster.hosts))
            for cluster, item in zip(where.clusters, clusters, strict=True)
        ]
    )


def _cluster_metrics(hosts: Sequence[Host]) -> Row:
    up = sum(not host.maintenance for host in hosts)
    return {
        "state": "Enabled",
        "hosts": f"{up} / {len(hosts)}",
        **_sums(hosts),
        **thresholds(hosts),
        "drsimbalance": share(_deviation([host.memory for host in hosts]), 1),
    }


def _sums(hosts: Sequence[Host]) -> Row:
    speed, memory = SPEED * len(hosts), sum(host.size for host in hosts)
    return {
        "cputotal": ghz(speed),
        "cpuallocated": share(sum(host.mhz for host in hosts), speed),
        "memorytotal": gib(memory),
        "memoryallocated": share(sum(host.memory for host in hosts) * MEBI, memory),
    }


def _deviation(values: Sequence[float]) -> float:
    """The standard deviation as a share of the mean."""
    mean = sum(values) / len(values)
    if not mean:
        return 0.0
    return float((sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5 / mean)


def zones_table(where: Places, zones: Table) -> Table:
    """The zones, with the sums over their clusters."""
    items = []
    for zone, item in zip(where.zones, zones, strict=True):
        clusters = [cluster for cluster in where.clusters if cluster.zone is zone]
        hosts = [host for cluster in clusters for host in cluster.hosts]
        items.append(Measured(item, _zone_metrics(len(clusters), hosts)))
    return Table(items)


def _zone_metrics(clusters: int, hosts: Sequence[Host]) -> Row:
    speed, memory = SPEED * len(hosts), sum(host.size for host in hosts)
    sums = _sums(hosts)
    used = 0.83 * sum(host.memory for host in hosts) * MEBI
    return {
        "state": "Enabled",
        "clusters": f"{clusters} / {clusters}",
        "cputotal": sums["cputotal"],
        "cpuused": share(sum(host.busy for host in hosts), speed),
        "cpuallocated": sums["cpuallocated"],
        "cpumaxdeviation": share(max(host.busy for host in hosts), SPEED),
        "memorytotal": sums["memorytotal"],
        "memoryused": share(used, memory),
        "memoryallocated": sums["memoryallocated"],
        "memorymaxdeviation": share(_deviation([host.memory for host in hosts]), 1),
        **thresholds(hosts),
    }


def pools_table(pools: Table) -> Table:
    """The storage pools, with what is left of them."""
    return Table([Measured(item, _pool_metrics(item)) for item in pools])


def _pool_metrics(item: Item) -> Row:
    total, allocated = item.get("disksizetotal"), item.get("disksizeallocated")
    return {
        "disksizeusedgb": gib(item.get("disksizeused")),
        "disksizetotalgb": f"{gib(total)} (x2.0)",
        "disksizeallocatedgb": gib(allocated),
        "disksizeunallocatedgb": gib(2 * total - allocated),
        **flags("storageusage", item.get("disksizeused") / total),
        **flags("storageallocated", allocated / total / 2),
    }
