"""The cloud's own machines: a router for each network, and what each zone needs besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cs_magic.demo.data.items import Item, Row, Table, identifier, stamp, table
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.places import BUILT, VERSION, Host, Places, Zone

KINDS = (
    ("secondarystoragevm", "s", "Secondary Storage VM"),
    ("consoleproxy", "v", "Console Proxy"),
)
TEMPLATE = "SystemVM Template (KVM)"
# Every so many-th router runs an old version, or fails its health checks.
OUTDATED, ILL = 9, 13


def _host(zone: Zone, where: Places, number: int) -> Host:
    hosts = [h for h in where.hosts if h.cluster.zone is zone and not h.maintenance]
    return hosts[number % len(hosts)]


def _mac(first: str, number: int) -> str:
    return f"{first}:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def _place(zone: Zone, host: Host) -> Row:
    return {
        "podid": zone.pod_id,
        "podname": zone.pod_name,
        "hostid": host.id,
        "hostname": host.name,
        "hostcontrolstate": "Enabled",
        "hypervisor": "KVM",
    }


def systems_table(seed: int, where: Places) -> Table:
    """Two system machines a zone: one for secondary storage, one for consoles."""
    rows = []
    for zone in where.zones:
        for place, (kind, letter, words) in enumerate(KINDS):
            number = 2 * zone.number - 1 + place
            rows.append(
                _system_row(seed, zone, _host(zone, where, place), number, kind)
                | {"name": f"{letter}-{number}-VM"}
                | _system_offering(seed, place, words)
            )
    return table([_ordered(row) for row in rows])


SYSTEM_ORDER = (
    "id systemvmtype zoneid zonename dns1 gateway name podid podname hostid hostname "
    "hostcontrolstate hypervisor privateip privatemacaddress privatenetmask linklocalip "
    "linklocalmacaddress linklocalnetmask publicip publicmacaddress publicnetmask templateid "
    "templatename created state activeviewersessions agentstate version isdynamicallyscalable "
    "serviceofferingid serviceofferingname arch hasannotations"
)


def _ordered(row: Row) -> Row:
    return {name: row[name] for name in SYSTEM_ORDER.split() if name in row}


def _system_offering(seed: int, place: int, words: str) -> Row:
    id_ = identifier(seed, "system offering", place)
    return {"serviceofferingid": id_, "serviceofferingname": f"System Offering For {words}"}


def _system_row(seed: int, zone: Zone, host: Host, number: int, kind: str) -> Row:
    row: Row = {
        "id": identifier(seed, "system machine", number),
        "systemvmtype": kind,
        "zoneid": zone.id,
        "zonename": zone.name,
        "dns1": f"{zone.management}.2",
        "gateway": f"{zone.public}.254",
        **_place(zone, host),
        "privateip": f"{zone.management}.{250 + number % 2}",
        "privatemacaddress": _mac("1e:01", number),
        "privatenetmask": "255.255.255.0",
        "linklocalip": f"169.254.192.{number}",
        "linklocalmacaddress": _mac("0e:00", number),
        "linklocalnetmask": "255.255.0.0",
        "publicip": f"{zone.public}.{252 + number % 2}",
        "publicmacaddress": _mac("1e:02", number),
        "publicnetmask": "255.255.255.0",
        "templateid": identifier(seed, "system template", 1),
        "templatename": TEMPLATE,
        "created": stamp(BUILT + 3_600 + number),
        "state": "Running",
        "version": VERSION,
        "isdynamicallyscalable": False,
        "arch": "x86_64",
        "hasannotations": False,
    }
    more: Row = {"activeviewersessions": 0} if kind == "consoleproxy" else {"agentstate": "Up"}
    return row | more


def router_id(seed: int, network: Network) -> str:
    """The id of a network's router."""
    return identifier(seed, "router", network.number)


def router_name(network: Network) -> str:
    """The name of a network's router; the numbers of machines are not given twice."""
    return f"r-{network.number + 1_000_000}-VM"


def routers_table(
    seed: int, networks: Sequence[Network], where: Places, source: Mapping[str, Item]
) -> Table:
    """One router for each network; `source` is the network's address to the outside."""
    return table(
        [
            (_router_row(seed, network, where, source[network.id]), network.owner)
            for network in networks
        ]
    )


def _router_row(seed: int, network: Network, where: Places, address: Item) -> Row:
    zone, number = network.zone, network.number
    old = number % OUTDATED == 4
    public, control = address.get("networkid"), identifier(seed, "control network", zone.number)
    link = f"169.254.{number // 250 % 250}.{number % 250 + 1}"
    guest_mac, public_mac = _mac("02:01", number), _mac("1e:03", number)
    return {
        "id": router_id(seed, network),
        "zoneid": zone.id,
        "zonename": zone.name,
        "dns1": f"{zone.management}.2",
        "networkdomain": f"cs{network.owner.number}cloud.internal",
        "gateway": f"{zone.public}.254",
        "name": router_name(network),
        **_place(zone, _host(zone, where, number)),
        "linklocalip": link,
        "linklocalmacaddress": _mac("0e:01", number),
        "linklocalnetmask": "255.255.0.0",
        "linklocalnetworkid": control,
        "publicip": address.get("ipaddress"),
        "publicmacaddress": public_mac,
        "publicnetmask": "255.255.255.0",
        "publicnetworkid": public,
        "guestipaddress": f"{network.prefix}.1",
        "guestmacaddress": guest_mac,
        "guestnetmask": "255.255.255.0",
        "guestnetworkid": network.id,
        "guestnetworkname": network.name,
        "templateid": identifier(seed, "system template", 1),
        "templatename": TEMPLATE,
        "created": stamp(network.created + 120),
        "state": "Running",
        **network.owner.fields(),
        "serviceofferingid": identifier(seed, "system offering", 2),
        "serviceofferingname": "System Offering For Software Router",
        "isredundantrouter": False,
        "redundantstate": "UNKNOWN",
        "version": "4.22.0" if old else "4.23.0",
        "scriptsversion": identifier(seed, "scripts", int(old)),
        "role": "VIRTUAL_ROUTER",
        "nic": _nics(seed, network, address, control, link, (guest_mac, public_mac)),
        "requiresupgrade": old,
        "healthchecksfailed": number % ILL == 6,
        "softwareversion": "4.22.0.0" if old else VERSION,
        "arch": "x86_64",
        "hasannotations": False,
    }


def _nics(
    seed: int, network: Network, address: Item, control: str, link: str, macs: tuple[str, str]
) -> list[Row]:
    number, vlan = network.number, f"vlan://{network.vlan}"
    return [
        {
            "id": identifier(seed, "guest nic of router", number),
            "networkid": network.id,
            "networkname": network.name,
            "netmask": "255.255.255.0",
            "ipaddress": f"{network.prefix}.1",
            "isolationuri": vlan,
            "broadcasturi": vlan,
            "traffictype": "Guest",
            "type": "Isolated",
            "isdefault": False,
            "macaddress": macs[0],
            "mtu": 1500,
            "enabled": True,
        },
        {
            "id": identifier(seed, "control nic of router", number),
            "networkid": control,
            "netmask": "255.255.0.0",
            "gateway": "169.254.0.1",
            "ipaddress": link,
            "traffictype": "Control",
            "isdefault": False,
            "macaddress": _mac("0e:01", number),
            "enabled": True,
        },
        {
            "id": identifier(seed, "public nic of router", number),
            "networkid": address.get("networkid"),
            "netmask": "255.255.255.0",
            "gateway": f"{network.zone.public}.254",
            "ipaddress": address.get("ipaddress"),
            "isolationuri": "vlan://50",
            "broadcasturi": "vlan://50",
            "traffictype": "Public",
            "isdefault": True,
            "macaddress": macs[1],
            "mtu": 1500,
            "enabled": True,
        },
    ]
