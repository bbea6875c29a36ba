"""How full each zone is: the rows of listCapacity."""

from __future__ import annotations

from collections.abc import Iterable

from cs_magic.demo.data.hosts import OVERCOMMIT
from cs_magic.demo.data.items import Row, Table, table
from cs_magic.demo.data.places import HOST_CORES, HOST_SPEED, Cluster, Places, Zone

CORE = 90
MEBI = 1 << 20
ADDRESSES = 1_024
VLANS = 3_900


def capacity_table(where: Places, pools: Table, networks: Table, addresses: Table) -> Table:
    """Per zone and kind, what there is and what is taken, by zone and then by kind."""
    rows: list[Row] = []
    for zone in where.zones:
        clusters = [cluster for cluster in where.clusters if cluster.zone is zone]
        rows += [
            *_hosts(zone, clusters),
            *_storage(zone, [p.row() for p in pools if p.get("zoneid") == zone.id]),
            _row(zone, 4, "VIRTUAL_NETWORK_PUBLIC_IP", _in(zone, addresses), ADDRESSES),
            _row(zone, 7, "VLAN", _in(zone, networks), VLANS),
            _cores(zone, clusters),
        ]
    return table(rows)


def _row(
    zone: Zone, kind: int, name: str, used: int, total: int, allocated: int | None = None
) -> Row:
    row: Row = {"type": kind, "name": name, "zoneid": zone.id, "zonename": zone.name}
    if allocated is not None:
        row["capacityallocated"] = allocated
    share = f"{100 * used / total:.2f}".rstrip("0").rstrip(".")
    return row | {"capacityused": used, "capacitytotal": total, "percentused": share}


def _in(zone: Zone, items: Table) -> int:
    return sum(1 for item in items if item.get("zoneid") == zone.id)


def _hosts(zone: Zone, clusters: Iterable[Cluster]) -> list[Row]:
    hosts = [host for cluster in clusters for host in cluster.hosts]
    memory = sum(host.memory for host in hosts) * MEBI
    mhz = sum(host.mhz for host in hosts)
    total = len(hosts) * HOST_CORES * HOST_SPEED * OVERCOMMIT
    return [
        _row(zone, 0, "MEMORY", memory, sum(host.size for host in hosts), memory),
        _row(zone, 1, "CPU", mhz, total, mhz),
    ]


def _storage(zone: Zone, pools: list[Row]) -> list[Row]:
    total = sum(pool["disksizetotal"] for pool in pools)
    used = sum(pool["disksizeused"] for pool in pools)
    allocated = sum(pool["disksizeallocated"] for pool in pools)
    return [
        _row(zone, 2, "STORAGE", used, total),
        _row(zone, 3, "STORAGE_ALLOCATED", allocated, 2 * total, allocated),
    ]


def _cores(zone: Zone, clusters: Iterable[Cluster]) -> Row:
    hosts = [host for cluster in clusters for host in cluster.hosts]
    # A processor of a machine is about 2,000 MHz.
    used = sum(host.mhz for host in hosts) // 2_000
    return _row(zone, CORE, "CPU_CORE", used, len(hosts) * HOST_CORES * OVERCOMMIT)
