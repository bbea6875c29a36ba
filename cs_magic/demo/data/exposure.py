"""What is reachable: egress rules, load balancers, security groups."""

from __future__ import annotations

from collections.abc import Sequence

from cs_magic.demo.data.items import Account, Item, Row, Table, identifier, table
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.people import People

EVERYWHERE = "0.0.0.0/0"
# How many machines a load balancer spreads its work over.
BEHIND = 3


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
        row: Row = {
            "id": identifier(seed, "load balancer", number),
            "name": f"{network.name}-web",
            "publicipid": address.get("id"),
            "publicip": address.get("ipaddress"),
            "publicport": "80",
            "privateport": "8080",
            "algorithm": ("roundrobin", "leastconn", "source")[number % 3],
            "networkid": network.id,
            **network.owner.fields(),
            "state": "Active",
            "zoneid": network.zone.id,
            "zonename": network.zone.name,
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
