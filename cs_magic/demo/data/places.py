"""Where things stand: zones, pods, clusters, hosts and storage pools."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from cs_magic.demo.data.items import DAY, GIB, START, Row, Table, identifier, stamp, table

VERSION = "4.23.0.0"
BUILT = START - 1_100 * DAY

# name, public network, management network
ZONES = (
    ("Zürich", "198.51.100", "172.20.1"),
    ("Genève", "203.0.113", "172.20.2"),
    ("Lugano", "192.0.2", "172.20.3"),
)

# zone, name, share of the machines in percent, machines a host is meant to carry.
# zh-c2 is the over-full one, zh-c3 was bought last spring and hardly used.
CLUSTERS = (
    ("Zürich", "zh-c1", 27, 50),
    ("Zürich", "zh-c2", 25, 90),
    ("Zürich", "zh-c3", 3, 12),
    ("Genève", "ge-c1", 17, 50),
    ("Genève", "ge-c2", 12, 50),
    ("Lugano", "lu-c1", 16, 50),
)
OVERFULL = "zh-c2"
HOST_CORES = 64
HOST_SPEED = 2_600
HOST_MEMORY = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)


@dataclass(slots=True, eq=False)
class Zone:
    """A zone, and the prefix of its public and management networks."""

    number: int
    id: str
    name: str
    public: str
    management: str
    pod_id: str

    @property
    def pod_name(self) -> str:
        """The one pod each zone has."""
        return f"{self.name} pod 1"


@dataclass(slots=True, eq=False)
class Cluster:
    """A cluster with its hosts and its two storage pools."""

    number: int
    id: str
    name: str
    zone: Zone
    hosts: list[Host] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Host:
    """A host; what it carries is counted while machines are placed on it."""

    number: int
    id: str
    name: str
    cluster: Cluster
    maintenance: bool
    machines: int = 0
    mhz: int = 0
    memory: int = 0
    busy: float = 0.0
    size: int = 0


@dataclass(slots=True, eq=False)
class Pool:
    """A storage pool; `allocated` bytes are counted as volumes are put into it."""

    number: int
    id: str
    name: str
    cluster: Cluster
    allocated: int = 0


@dataclass(slots=True)
class Places:
    """The zones and what stands in them."""

    manager_id: str
    zones: list[Zone]
    clusters: list[Cluster]

    @property
    def hosts(self) -> list[Host]:
        """All hosts, cluster by cluster."""
        return [host for cluster in self.clusters for host in cluster.hosts]

    @property
    def pools(self) -> list[Pool]:
        """All storage pools, cluster by cluster."""
        return [pool for cluster in self.clusters for pool in cluster.pools]


def places(seed: int, machines: int) -> Places:
    """Zones with as many hosts as that number of machines needs."""
    zones = [
        Zone(
            number,
            identifier(seed, "zone", number),
            name,
            public,
            management,
            identifier(seed, "pod", number),
        )
        for number, (name, public, management) in enumerate(ZONES, 1)
    ]
    named = {zone.name: zone for zone in zones}
    clusters: list[Cluster] = []
    hosts = 0
    for number, (zone_name, name, share, per_host) in enumerate(CLUSTERS, 1):
        cluster = Cluster(number, identifier(seed, "cluster", number), name, named[zone_name])
        count = max(3, math.ceil(machines * share / 100 / per_host))
        cluster.hosts = [
            _host(seed, hosts + place, place, cluster) for place in range(1, count + 1)
        ]
        cluster.pools = [_pool(seed, 2 * number - 2 + place, place, cluster) for place in (1, 2)]
        hosts += count
        clusters.append(cluster)
    # One host is being serviced and carries nothing.
    clusters[0].hosts[-1].maintenance = True
    return Places(identifier(seed, "management server", 1), zones, clusters)


def _host(seed: int, number: int, place: int, cluster: Cluster) -> Host:
    name = f"{cluster.name.replace('-c', '-kvm')}-{place:02}.demo.example"
    return Host(number, identifier(seed, "host", number), name, cluster, maintenance=False)


def _pool(seed: int, number: int, place: int, cluster: Cluster) -> Pool:
    return Pool(number, identifier(seed, "pool", number), f"{cluster.name}-nfs{place}", cluster)


def size_hosts(clusters: list[Cluster]) -> None:
    """Give every host its memory: twice what it carries, in the over-full cluster hardly more.

    Called once, when all machines are placed.
    """
    for cluster in clusters:
        load = max(host.memory for host in cluster.hosts) / 1024
        if cluster.name == OVERFULL:
            size = 16 * max(1, math.ceil(load / 0.97 / 16))
        else:
            size = next((step for step in HOST_MEMORY if load / step <= 0.6), math.ceil(2 * load))
        for host in cluster.hosts:
            host.size = size * GIB


def zones_table(where: Places) -> Table:
    """The zones as listZones prints them."""
    return table(
        [
            {
                "id": zone.id,
                "name": zone.name,
                "dns1": f"{zone.management}.2",
                "internaldns1": f"{zone.management}.3",
                "guestcidraddress": "10.1.1.0/24",
                "networktype": "Advanced",
                "securitygroupsenabled": False,
                "gputotal": 0,
                "gpuused": 0,
                "allocationstate": "Enabled",
                "zonetoken": zone.id[28:] + zone.id[8:],
                "dhcpprovider": "VirtualRouter",
                "localstorageenabled": False,
                "tags": [],
                "allowuserspecifyvrmtu": False,
                "routerprivateinterfacemaxmtu": 1500,
                "routerpublicinterfacemaxmtu": 1500,
                "type": "Core",
                "isnsxenabled": False,
                "ismultiarch": False,
                "asnrange": "",
                "routedmodeenabled": True,
                "hasannotations": False,
            }
            for zone in where.zones
        ]
    )


def pods_table(where: Places) -> Table:
    """The pods, one a zone."""
    return table([_pod_row(zone) for zone in where.zones])


def _pod_row(zone: Zone) -> Row:
    start, end = f"{zone.management}.10", f"{zone.management}.250"
    return {
        "id": zone.pod_id,
        "name": zone.pod_name,
        "zoneid": zone.id,
        "zonename": zone.name,
        "gateway": f"{zone.management}.1",
        "netmask": "255.255.255.0",
        "ipranges": [
            {"startip": start, "endip": end, "forsystemvms": "0", "vlanid": "vlan://untagged"}
        ],
        "startip": [start],
        "endip": [end],
        "forsystemvms": ["0"],
        "vlanid": ["vlan://untagged"],
        "allocationstate": "Enabled",
        "hasannotations": False,
    }


def clusters_table(where: Places) -> Table:
    """The clusters as listClusters prints them."""
    return table(
        [
            {
                "id": cluster.id,
                "name": cluster.name,
                "podid": cluster.zone.pod_id,
                "podname": cluster.zone.pod_name,
                "zoneid": cluster.zone.id,
                "zonename": cluster.zone.name,
                "hypervisortype": "KVM",
                "clustertype": "CloudManaged",
                "allocationstate": "Enabled",
                "managedstate": "Managed",
                "cpuovercommitratio": "4.0",
                "memoryovercommitratio": "1.0",
                "resourcedetails": {"memoryOvercommitRatio": "1.0", "cpuOvercommitRatio": "4.0"},
                "arch": "x86_64",
                "hasannotations": False,
            }
            for cluster in where.clusters
        ]
    )


def pools_table(where: Places) -> Table:
    """The storage pools, with what the volumes take of them."""
    return table([_pool_row(pool) for pool in where.pools])


def _pool_row(pool: Pool) -> Row:
    cluster = pool.cluster
    size = max(4 * 1024 * GIB, 1024 * GIB * math.ceil(1.4 * pool.allocated / 1024 / GIB))
    return {
        "id": pool.id,
        "zoneid": cluster.zone.id,
        "zonename": cluster.zone.name,
        "podid": cluster.zone.pod_id,
        "podname": cluster.zone.pod_name,
        "name": pool.name,
        "ipaddress": f"{cluster.zone.management}.5",
        "path": f"/export/{pool.name}",
        "created": stamp(BUILT),
        "type": "NetworkFilesystem",
        "clusterid": cluster.id,
        "clustername": cluster.name,
        "capacitybytes": size,
        "disksizetotal": size,
        "disksizeallocated": pool.allocated,
        "disksizeused": int(pool.allocated * 0.47),
        "capacityiops": 1_000_000,
        "usediops": 50_000,
        "istagarule": False,
        "state": "Up",
        "scope": "CLUSTER",
        "overprovisionfactor": "2.0",
        "hypervisor": "KVM",
        "provider": "DefaultPrimary",
        "storagecapabilities": {"VOLUME_SNAPSHOT_QUIESCEVM": "false"},
        "managed": False,
        "details": {},
        "hasannotations": False,
    }


def store_id(seed: int, zone: Zone) -> str:
    """The id of a zone's secondary storage."""
    return identifier(seed, "image store", zone.number)
