"""What is reachable: firewall and egress rules, static NAT, load balancers, security groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from cs_magic.demo.data.extras import port_of
from cs_magic.demo.data.items import Account, Item, Row, Table, identifier, table
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.people import People

EVERYWHERE = "0.0.0.0/0"
OFFICE = "192.0.2.0/24,198.51.100.7/32"
# How many machines a load balancer spreads its work over.
BEHIND = 3
# Of the networks that pay for an address without rules, those that gave it to a machine.
MAPPED, OF = 5, 12
# What the firewall lets in there: the office, the shop's customers, and, since a repair, all.
INTO_MAPPED = (((3389, 3389), OFFICE), ((443, 443), EVERYWHERE), ((1, 65535), EVERYWHERE))
# Every so many load balancers one is of a name server, by UDP; one is open to everybody.
NAMES, OPEN = 7, 4


@dataclass(frozen=True, slots=True)
class Opening:
    """What a firewall rule lets in at an address."""

    address: Item
    protocol: str
    ports: tuple[int, int]
    cidrs: str


def for_forwardings(pairs: Sequence[tuple[Item, Machine]]) -> Iterator[Opening]:
    """What is forwarded is let in; every second time by the whole world."""
    for number, (address, machine) in enumerate(pairs, 1):
        port = int(port_of(machine))
        yield Opening(address, "tcp", (port, port), EVERYWHERE if number % 2 else OFFICE)


def for_balancers(rules: Iterable[Item], addresses: Table) -> Iterator[Opening]:
    """What some of the load balancers spread is let in by the whole world."""
    for number, rule in enumerate(rules, 1):
        address = addresses.find(rule.get("publicipid"))
        if number % OPEN == OPEN - 1 and address is not None:
            port = int(rule.get("publicport"))
            yield Opening(address, rule.get("protocol") or "tcp", (port, port), EVERYWHERE)


def for_static_nat(addresses: Iterable[Item]) -> Iterator[Opening]:
    """What gets through to the machines that have an address of their own."""
    own = (address for address in addresses if address.get("isstaticnat"))
    for address, (ports, cidrs) in zip(own, cycle(INTO_MAPPED), strict=False):
        yield Opening(address, "tcp", ports, cidrs)


def firewall_table(seed: int, openings: Iterable[Opening]) -> Table:
    """The firewall rules that let something in."""
    rows = []
    for number, opening in enumerate(openings, 1):
        first, last = opening.ports
        row: Row = {
            "id": identifier(seed, "firewall", number),
            "protocol": opening.protocol,
            "startport": first,
            "endport": last,
            "ipaddressid": opening.address.get("id"),
            "networkid": opening.address.get("associatednetworkid"),
            "ipaddress": opening.address.get("ipaddress"),
            "state": "Active",
            "cidrlist": opening.cidrs,
            "tags": [],
            "fordisplay": True,
            "destcidrlist": "",
            "traffictype": "Ingress",
        }
        rows.append((row, opening.address.owner))
    return table(rows)


def mapped(machines: Iterable[Machine]) -> dict[str, Row]:
    """By its network what a public address tells of the machine that has it for itself."""
    found: dict[str, Row] = {}
    for machine in machines:
        network = machine.network
        if network.number % OF == MAPPED and network.id not in found:
            found[network.id] = {
                "virtualmachineid": machine.id,
                "virtualmachinetype": "User",
                "vmipaddress": machine.ipaddress,
                "virtualmachinename": machine.name,
                "virtualmachinedisplayname": machine.displayname,
            }
    return found


def egress_table(seed: int, networks: Sequence[Network]) -> Table:
    """What networks let out: the web everywhere, and from some simply everything."""
    rows = []
    for network in networks:
        everything = network.number % 4 == 1
        ports: Row = {} if everything else {"startport": 443, "endport": 443}
        row: Row = {
            "id": identifier(seed, "egress", network.number),
            "protocol": "all" if everything else "tcp",
            **ports,
            "networkid": network.id,
            "state": "Active",
            "cidrlist": f"{network.prefix}.0/24",
            "tags": [],
            "fordisplay": True,
            "destcidrlist": EVERYWHERE,
            "traffictype": "Egress",
        }
        rows.append((row, network.owner))
    return table(rows)


def balancers(pairs: Sequence[tuple[Item, Machine]]) -> list[tuple[Item, Network]]:
    """The addresses that have a load balancer too: one on the first network of each account."""
    found: dict[int, tuple[Item, Network]] = {}
    for address, machine in pairs:
        found.setdefault(machine.owner.number, (address, machine.network))
    return list(found.values())


def behind(network: Network, machines: Sequence[Machine]) -> list[Machine]:
    """The machines that a network's load balancer leads to: its first running ones."""
    inside = (m for m in machines if m.network is network and m.state == "Running")
    return [machine for machine, _ in zip(inside, range(BEHIND), strict=False)]


def balancers_table(seed: int, places: Sequence[tuple[Item, Network]]) -> Table:
    """The load balancer rules."""
    rows = []
    for number, (address, network) in enumerate(places, 1):
        names = number % NAMES == 0
        row: Row = {
            "id": identifier(seed, "load balancer", number),
            "name": f"{network.name}-{'dns' if names else 'web'}",
            "publicipid": address.get("id"),
            "publicip": address.get("ipaddress"),
            "publicport": "53" if names else "80",
            "privateport": "53" if names else "8080",
            "algorithm": ("roundrobin", "leastconn", "source")[number % 3],
            "networkid": network.id,
            **network.owner.fields(),
            "state": "Active",
            "zoneid": network.zone.id,
            "zonename": network.zone.name,
            # One that was made without a protocol tells none.
            **({"protocol": "udp"} if names else {}),
            "tags": [],
            "fordisplay": True,
        }
        rows.append((row, network.owner))
    return table(rows)


# Security groups that somebody made: account, name, text, protocol, ports, from where.
GROUPS = (
    (
        "forschung",
        "ssh-von-überall",
        "<img src=x onerror=alert('demo')>",
        "tcp",
        (22, 22),
        EVERYWHERE,
    ),
    ("erp", "rdp", "Remote desktop of the office", "tcp", (3389, 3389), EVERYWHERE),
    ("webshop", "web & more", "Shop, from everywhere", "tcp", (443, 443), EVERYWHERE),
    ("admin", "monitoring", "The monitoring only", "udp", (161, 161), "198.51.100.0/24"),
)


def security_groups_table(seed: int, who: People) -> Table:
    """The default group of each account, which is empty, and some that people made."""
    rows: list[tuple[Row, Account]] = []
    for owner in who.owners:
        rows.append(
            (_group_row(seed, len(rows) + 1, owner, "default", "Default Security Group"), owner)
        )
    for name, title, text, protocol, (first, last), cidr in GROUPS:
        owner, number = who.accounts[name], len(rows) + 1
        row = _group_row(seed, number, owner, title, text)
        row["ingressrule"] = [
            {
                "ruleid": identifier(seed, "security group rule", number),
                "protocol": protocol,
                "startport": first,
                "endport": last,
                "cidr": cidr,
                "tags": [],
            }
        ]
        rows.append((row, owner))
    return table(rows)


def _group_row(seed: int, number: int, owner: Account, name: str, text: str) -> Row:
    return {
        "id": identifier(seed, "security group", number),
        "name": name,
        "description": text,
        **owner.fields(),
        "ingressrule": [],
        "egressrule": [],
        "tags": [],
        "virtualmachinecount": 0,
        "virtualmachineids": [],
    }
