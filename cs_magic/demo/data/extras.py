"""Smaller things that accounts own: port forwardings, snapshots and SSH keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cs_magic.demo.data.items import (
    DAY,
    START,
    Account,
    Item,
    Row,
    Table,
    identifier,
    stamp,
    table,
)
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.people import NEVER_USED, People
from cs_magic.demo.data.volumes import Volume

# One volume in so many has a snapshot.
SNAPSHOTS = 11


def forwarded(addresses: Table, machines: Sequence[Machine]) -> list[tuple[Item, Machine]]:
    """Each public address that has rules, with the machine that they lead to."""
    first: dict[str, Machine] = {}
    for machine in machines:
        first.setdefault(machine.network.id, machine)
    return [
        (address, first[address.get("associatednetworkid")])
        for address in addresses
        if address.get("hasrules") and not address.get("isstaticnat")
    ]


def port_of(machine: Machine) -> str:
    """Windows is reached at its remote desktop, a third of the others at ssh, the rest at 443."""
    if machine.template.system.category == "Windows":
        return "3389"
    return "22" if machine.number % 3 == 0 else "443"


def forwarding_table(seed: int, pairs: Sequence[tuple[Item, Machine]]) -> Table:
    """The port forwarding rules, one for each address with rules."""
    rows = []
    for number, (address, machine) in enumerate(pairs, 1):
        port = port_of(machine)
        row: Row = {
            "id": identifier(seed, "port forwarding", number),
            "privateport": port,
            "privateendport": port,
            "protocol": "tcp",
            "publicport": port,
            "publicendport": port,
            "virtualmachineid": machine.id,
            "virtualmachinename": machine.name,
            "virtualmachinedisplayname": machine.displayname,
            "ipaddressid": address.get("id"),
            "ipaddress": address.get("ipaddress"),
            "state": "Active",
            "cidrlist": "",
            "tags": [],
            "vmguestip": machine.ipaddress,
            "networkid": machine.network.id,
            "networkname": machine.network.name,
            "fordisplay": True,
        }
        rows.append((row, machine.owner))
    return table(rows)


def snapshots_table(seed: int, volumes: Iterable[Volume]) -> Table:
    """The snapshots; some are of years ago."""
    rows = []
    for volume in volumes:
        if volume.pool and volume.number % SNAPSHOTS == 5:
            age = min(volume.number * 7 % 800 * DAY, START - volume.created - 3_600)
            id_ = identifier(seed, "snapshot", volume.number)
            row = snapshot_row(id_, volume, START - age - 1_800)
            rows.append((row, volume.owner))
    return table(rows)


def snapshot_row(id_: str, volume: Volume, moment: int, name: str | None = None) -> Row:
    """A snapshot taken at that moment."""
    machine = volume.machine
    system: Row = {"ostypeid": machine.template.system.id} if machine else {}
    return {
        "id": id_,
        **volume.owner.fields(),
        "volumeid": volume.id,
        "volumename": volume.name,
        "volumetype": volume.type,
        "volumestate": volume.state,
        "created": stamp(moment),
        "name": name or f"{machine.name if machine else volume.name}-{volume.name}",
        "intervaltype": "MANUAL" if volume.number % 3 else "WEEKLY",
        "state": "BackedUp",
        "physicalsize": volume.size // 2,
        "zoneid": volume.zone.id,
        "zonename": volume.zone.name,
        "revertable": True,
        **system,
        "virtualsize": volume.size,
        "tags": [],
        "hasannotations": False,
    }


def keys_table(seed: int, who: People) -> Table:
    """An SSH key pair of each account that people work with."""
    rows: list[tuple[Row, Account]] = []
    for account in who.accounts.values():
        if account.name in NEVER_USED or (account.role.kind == 1 and account.name != "admin"):
            continue
        digits = identifier(seed, "ssh key", account.number).replace("-", "")
        owner = account.fields()
        del owner["domainpath"]
        row: Row = {
            "id": identifier(seed, "ssh key pair", account.number),
            "name": f"{account.user.firstname}'s key",
            **owner,
            "fingerprint": ":".join(digits[place : place + 2] for place in range(0, 32, 2)),
            "hasannotations": False,
        }
        rows.append((row, account))
    return table(rows)
