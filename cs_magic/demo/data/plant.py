"""What stands behind the zones: management servers, networks of copper, secondary storage."""

from __future__ import annotations

from cs_magic.demo.data.items import DAY, START, Fixed, Row, Table, identifier, stamp, table
from cs_magic.demo.data.places import OVERFULL, VERSION, Places, store_id

TRAFFIC = ("Guest", "Management", "Public", "Storage")
MANAGER = "demo-management-1"


def managers_table(where: Places) -> Table:
    """The one management server."""
    row: Row = {
        "id": where.manager_id,
        "name": MANAGER,
        "state": "Up",
        "version": VERSION,
        "javadistribution": "Debian",
        "javaversion": "17.0.15+6-Debian-1deb12u1",
        "osdistribution": "Debian GNU/Linux 12 (bookworm)",
        "lastserverstart": stamp(START - 41 * DAY),
        "lastserverstop": stamp(START - 41 * DAY - 90),
        "lastboottime": stamp(START - 240 * DAY),
        "serviceip": f"{where.zones[0].management}.4",
        "ipaddress": f"{where.zones[0].management}.4",
        "lastagents": [],
        "agents": [host.id for host in where.hosts],
        "agentscount": len(where.hosts),
        "pendingjobscount": 0,
    }
    return table([row])


def stores_table(seed: int, where: Places) -> Table:
    """The secondary storage of each zone."""
    return table(
        [
            {
                "id": store_id(seed, zone),
                "zoneid": zone.id,
                "zonename": zone.name,
                "name": f"secondary-{zone.name}",
                "url": f"nfs://{zone.management}.6:/export/secondary",
                "protocol": "nfs",
                "providername": "NFS",
                "scope": "ZONE",
                "readonly": False,
                "hasannotations": False,
            }
            for zone in where.zones
        ]
    )


def physical_table(seed: int, where: Places) -> Table:
    """One physical network a zone."""
    return table(
        [
            {
                "id": identifier(seed, "physical network", zone.number),
                "name": f"{zone.name} core",
                "broadcastdomainrange": "ZONE",
                "zoneid": zone.id,
                "zonename": zone.name,
                "state": "Enabled",
                "vlan": "100-3999",
                "isolationmethods": "VLAN",
            }
            for zone in where.zones
        ]
    )


def traffic_table(seed: int, where: Places) -> Table:
    """The kinds of traffic of each physical network."""
    return table(
        [
            {
                "id": identifier(seed, f"{kind} traffic", zone.number),
                "traffictype": kind,
                "physicalnetworkid": identifier(seed, "physical network", zone.number),
                "isolationmethods": "VLAN",
            }
            for zone in where.zones
            for kind in TRAFFIC
        ]
    )


def ranges_table(seed: int, where: Places) -> Table:
    """The public addresses that each zone may hand out."""
    return table(
        [
            {
                "id": identifier(seed, "public range", zone.number),
                "forvirtualnetwork": True,
                "zoneid": zone.id,
                "vlan": "vlan://50",
                "gateway": f"{zone.public}.254",
                "netmask": "255.255.255.0",
                "cidr": f"{zone.public}.0/24",
                "startip": f"{zone.public}.1",
                "endip": f"{zone.public}.253",
                "networkid": identifier(seed, "public network", zone.number),
                "physicalnetworkid": identifier(seed, "physical network", zone.number),
                "forsystemvms": False,
            }
            for zone in where.zones
        ]
    )


def regions_table() -> Table:
    """The one region; its id is a number."""
    row: Row = {
        "id": 1,
        "name": "Schweiz",
        "endpoint": "http://localhost:8080/client/",
        "gslbserviceenabled": True,
        "portableipserviceenabled": False,
    }
    return Table([Fixed(1, row)])


def alerts_table(seed: int, where: Places, routers: Table) -> Table:
    """The alerts, oldest first: the over-full cluster's every day, ill routers, a lost host."""
    full = next(cluster for cluster in where.clusters if cluster.name == OVERFULL)
    memory = f"System Alert: Low Available Memory in cluster {full.name} pod {full.zone.pod_name}"
    found = [(START - day * DAY - 3_600, 0, "ALERT.MEMORY", memory) for day in range(1, 15)]
    for router in routers:
        if router.get("healthchecksfailed"):
            text = f"Health checks failed: 1 failing checks on router {router.get('name')}"
            text += f" / {router.get('id')}"
            found.append(
                (START - router.number % 9 * DAY - 7_000, 9, "ALERT.SERVICE.DOMAINROUTER", text)
            )
    serviced = next(host for host in where.hosts if host.maintenance)
    text = f"Host is down, name: {serviced.name} (id:{serviced.number})"
    found.append((START - 3 * DAY, 7, "ALERT.COMPUTE.HOST", text))
    found.sort()
    return table(
        [
            {
                "id": identifier(seed, "alert", number),
                "type": kind,
                "name": name,
                "description": text,
                "sent": stamp(moment),
            }
            for number, (moment, kind, name, text) in enumerate(found, 1)
        ]
    )


def annotations_table(seed: int, where: Places, admin: Row) -> Table:
    """Notes that admins left on things."""
    serviced = next(host for host in where.hosts if host.maintenance)
    notes = (
        ("HOST", serviced.id, serviced.name, "Netzteil defekt, Ersatz ist bestellt"),
        (
            "CLUSTER",
            where.clusters[1].id,
            where.clusters[1].name,
            "Voll. New machines belong into zh-c3",
        ),
    )
    return table(
        [
            {
                "id": identifier(seed, "annotation", number),
                "entityid": id_,
                "entityname": name,
                "entitytype": kind,
                "annotation": text,
                "userid": admin["id"],
                "username": admin["username"],
                "adminsonly": True,
                "created": stamp(START - number * 9 * DAY),
            }
            for number, (kind, id_, name, text) in enumerate(notes, 1)
        ]
    )
