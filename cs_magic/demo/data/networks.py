"""The isolated networks of the accounts, and the public addresses they use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cs_magic.demo.data.items import DAY, START, Account, Row, Table, identifier, stamp, table
from cs_magic.demo.data.offer_rows import services
from cs_magic.demo.data.offers import NETWORKS
from cs_magic.demo.data.places import Zone

# Addresses handed out per network before the account opens another one.
FULL = 200


@dataclass(slots=True, eq=False)
class Network:
    """An isolated network; `taken` counts the addresses handed out."""

    number: int
    id: str
    name: str
    owner: Account
    zone: Zone
    created: int
    taken: int = 0

    @property
    def prefix(self) -> str:
        """The first three bytes of its addresses."""
        return f"10.{1 + self.number // 250 % 200}.{self.number % 250}"

    @property
    def vlan(self) -> int:
        """Its VLAN."""
        return 100 + self.number % 3_900


@dataclass(slots=True)
class Networks:
    """Networks as they are opened, one after the other."""

    seed: int
    all: list[Network] = field(default_factory=list)
    _open: dict[tuple[int, int], Network] = field(default_factory=dict)

    def place(self, owner: Account, zone: Zone, moment: int) -> tuple[Network, int]:
        """A network of that account in that zone, and the next free place in it."""
        network = self.of(owner, zone, moment)
        network.taken += 1
        return network, network.taken

    def of(self, owner: Account, zone: Zone, moment: int) -> Network:
        """A network of that account in that zone that has places left."""
        key = owner.number, zone.number
        network = self._open.get(key)
        if network is None or network.taken >= FULL:
            network = self._new(owner, zone, moment)
            self._open[key] = network
        return network

    def _new(self, owner: Account, zone: Zone, moment: int) -> Network:
        number = len(self.all) + 1
        short = zone.name.split()[0].lower()
        owned = sum(1 for other in self.all if other.owner is owner)
        name = f"{owner.project.name if owner.project else owner.name}-{short}-{owned + 1}"
        network = Network(
            number, identifier(self.seed, "network", number), name, owner, zone, moment - 3_600
        )
        self.all.append(network)
        return network


def networks_table(
    networks: list[Network], offering_id: str, seed: int, tiers: Sequence[tuple[Row, Account]]
) -> Table:
    """The networks as listNetworks prints them, the tiers of a VPC last."""
    rows = [(_network_row(network, offering_id, seed), network.owner) for network in networks]
    return table([*rows, *tiers])


def _network_row(network: Network, offering_id: str, seed: int) -> Row:
    name, text, kind, _, names = NETWORKS[0]
    zone = network.zone
    return {
        "id": network.id,
        "name": network.name,
        "displaytext": f"Network of {network.owner.name}",
        "broadcastdomaintype": "Vlan",
        "traffictype": "Guest",
        "gateway": f"{network.prefix}.1",
        "netmask": "255.255.255.0",
        "cidr": f"{network.prefix}.0/24",
        "zoneid": zone.id,
        "zonename": zone.name,
        "networkofferingid": offering_id,
        "networkofferingname": name,
        "networkofferingdisplaytext": text,
        "networkofferingconservemode": True,
        "networkofferingavailability": "Optional",
        "issystem": False,
        "state": "Implemented" if network.taken else "Allocated",
        "related": network.id,
        "broadcasturi": f"vlan://{network.vlan}",
        "dns1": f"{zone.management}.2",
        "type": kind,
        "vlan": str(network.vlan),
        "acltype": "Account",
        **network.owner.fields(),
        "service": [service | {"capability": []} for service in services(names)],
        "networkdomain": f"cs{network.owner.number}cloud.internal",
        "physicalnetworkid": identifier(seed, "physical network", zone.number),
        "restartrequired": False,
        "specifyvlan": False,
        "specifyipranges": False,
        "canusefordeploy": True,
        "ispersistent": False,
        "tags": [],
        "details": {},
        "displaynetwork": True,
        "strechedl2subnet": False,
        "redundantrouter": False,
        "supportsvmautoscaling": True,
        "created": stamp(network.created),
        "receivedbytes": 1_000_000 * network.taken,
        "sentbytes": 2_500_000 * network.taken,
        "egressdefaultpolicy": False,
        "publicmtu": 1500,
        "privatemtu": 1500,
        "keepmacaddressonpublicnic": True,
        "hasannotations": False,
    }


def addresses_table(networks: list[Network], seed: int, mapped: Mapping[str, Row]) -> Table:
    """The public addresses: one source NAT a network, some for rules, some that nobody uses.

    Of a network in `mapped` the last is a machine's own, by static NAT, as these fields say.
    """
    rows: list[tuple[Row, Account | None]] = []
    used: dict[int, int] = {}
    for network in networks:
        for place in range(1 + network.number % 3):
            number = len(rows) + 1
            count = used[network.zone.number] = used.get(network.zone.number, 0) + 1
            address = f"{network.zone.public}.{count}"
            if count > 254:
                address = f"100.{63 + network.zone.number}.{count // 250 % 250}.{count % 250 + 1}"
            own = mapped.get(network.id, {}) if place == 2 else {}
            row = address_row(network, address, number, place, seed, own)
            rows.append((row, network.owner))
    return table(rows)


def address_row(
    network: Network, address: str, number: int, place: int, seed: int, own: Row | None = None
) -> Row:
    """The place-th address of a network: its way out, one with rules, or one that does nothing.

    One that is a machine's own has the fields in `own`.
    """
    zone = network.zone
    return {
        "id": identifier(seed, "public address", number),
        "ipaddress": address,
        "allocated": stamp(min(network.created + 7 * place * DAY, START)),
        "zoneid": zone.id,
        "zonename": zone.name,
        "issourcenat": place == 0,
        **network.owner.fields(),
        "forvirtualnetwork": True,
        "vlanid": identifier(seed, "public range", zone.number),
        "vlanname": "vlan://50",
        "isstaticnat": bool(own),
        "issystem": False,
        "associatednetworkid": network.id,
        "associatednetworkname": network.name,
        **(own or {}),
        "networkid": identifier(seed, "public network", zone.number),
        "state": "Allocated",
        "physicalnetworkid": identifier(seed, "physical network", zone.number),
        "tags": [],
        "isportable": False,
        "fordisplay": True,
        # A second address carries rules, a third is paid for and does nothing.
        "hasrules": place == 1 or bool(own),
        "forsystemvms": False,
        "forprovider": False,
        "hasannotations": False,
    }
