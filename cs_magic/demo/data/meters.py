"""What is paid for: every thing with the account that pays, and from when until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cs_magic.demo.data.items import DAY, START, Account, Fixed, Item, Table, identifier
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.offers import OFFERED, Template
from cs_magic.demo.data.places import Zone
from cs_magic.demo.data.systems import router_id
from cs_magic.demo.data.volumes import Volume

(RUNNING, ALLOCATED, ADDRESS, SENT, RECEIVED, VOLUME, TEMPLATE, ISO, SNAPSHOT) = range(1, 10)
BALANCER, VM_SNAPSHOT = 11, 25
# The kinds of usage as listUsageTypes has them, those too that nobody has here.
TYPES = (
    (1, "RUNNING_VM", "Running Vm Usage"),
    (2, "ALLOCATED_VM", "Allocated Vm Usage"),
    (3, "IP_ADDRESS", "IP Address Usage"),
    (4, "NETWORK_BYTES_SENT", "Network Usage (Bytes Sent)"),
    (5, "NETWORK_BYTES_RECEIVED", "Network Usage (Bytes Received)"),
    (6, "VOLUME", "Volume Usage"),
    (7, "TEMPLATE", "Template Usage"),
    (8, "ISO", "ISO Usage"),
    (9, "SNAPSHOT", "Snapshot Usage"),
    (10, "SECURITY_GROUP", "Security Group Usage"),
    (11, "LOAD_BALANCER_POLICY", "Load Balancer Usage"),
    (12, "PORT_FORWARDING_RULE", "Port Forwarding Usage"),
    (13, "NETWORK_OFFERING", "Network Offering Usage"),
    (14, "VPN_USERS", "VPN users usage"),
    (21, "VM_DISK_IO_READ", "VM Disk usage(I/O Read)"),
    (22, "VM_DISK_IO_WRITE", "VM Disk usage(I/O Write)"),
    (23, "VM_DISK_BYTES_READ", "VM Disk usage(Bytes Read)"),
    (24, "VM_DISK_BYTES_WRITE", "VM Disk usage(Bytes Write)"),
    (25, "VM_SNAPSHOT", "VM Snapshot storage usage"),
    (26, "VOLUME_SECONDARY", "Volume on secondary storage usage"),
    (27, "VM_SNAPSHOT_ON_PRIMARY", "VM Snapshot on primary storage usage"),
    (28, "BACKUP", "Backup storage usage"),
    (29, "BUCKET", "Bucket storage usage"),
    (30, "NETWORK", "Network usage"),
    (31, "VPC", "VPC usage"),
)
# The machines of the deleted account, gone since the 20th of August.
GONE = START - 25 * DAY
GONE_NUMBER = 900_001
BATCH_HOURS = 1.5


@dataclass(slots=True, eq=False)
class Meter:
    """One thing that is metered, from a moment to a moment.

    One with `night` hours has its records over midnight: from two hours before
    the end of a day to two hours after, so many hours of which were used.
    """

    type: int
    owner: Account
    id: str
    begin: int
    end: int
    thing: Any
    night: float = 0.0


def types_table() -> Table:
    """The kinds of usage; their ids are numbers."""
    return Table(
        [
            Fixed(number, {"id": number, "name": name, "description": text})
            for number, name, text in TYPES
        ]
    )


def moment(text: str) -> int:
    """Seconds since 1970 of a date as CloudStack prints it."""
    return int(datetime.fromisoformat(text).timestamp())


def of_machines(machines: Iterable[Machine]) -> Iterator[Meter]:
    """A machine is paid for while it exists, and again while it runs."""
    for machine in machines:
        if machine.state == "Error":
            continue
        gone = machine.updated if machine.state == "Destroyed" else START
        yield Meter(ALLOCATED, machine.owner, machine.id, machine.created, gone, machine)
        if not machine.never_started:
            stopped = START if machine.state == "Running" else machine.updated
            yield Meter(RUNNING, machine.owner, machine.id, machine.created, stopped, machine)


def of_volumes(volumes: Iterable[Volume]) -> Iterator[Meter]:
    """A volume is paid for, whether something uses it or not."""
    for volume in volumes:
        gone = START
        if volume.machine and volume.machine.state == "Destroyed":
            gone = volume.machine.updated
        yield Meter(VOLUME, volume.owner, volume.id, volume.created, gone, volume)


def of_networks(seed: int, networks: Iterable[Network]) -> Iterator[Meter]:
    """A network's bytes, out and in, counted on its router."""
    for network in networks:
        for kind in (SENT, RECEIVED):
            yield Meter(
                kind,
                network.owner,
                router_id(seed, network),
                network.created,
                START,
                (seed, network),
            )


def of_rows(kind: int, items: Iterable[Item], since: str = "created") -> Iterator[Meter]:
    """Things that are there as rows: addresses and snapshots."""
    for item in items:
        if item.owner:
            yield Meter(kind, item.owner, item.get("id"), moment(item.get(since)), START, item)


def of_balancers(items: Iterable[Item]) -> Iterator[Meter]:
    """Load balancer rules, which do not tell since when they are there."""
    for item in items:
        if item.owner:
            yield Meter(BALANCER, item.owner, "", OFFERED, START, item)


def of_images(kind: int, images: Iterable[Template], zones: Sequence[Zone]) -> Iterator[Meter]:
    """Templates or ISOs that accounts own, once a zone."""
    for image in images:
        for zone in zones:
            if image.owner:
                yield Meter(kind, image.owner, image.id, OFFERED, START, (image, zone))


def of_deleted(seed: int, account: Account, like: Sequence[Machine]) -> Iterator[Meter]:
    """What a deleted account had: machines of the same kind as those there are."""
    machines = [
        Machine(
            GONE_NUMBER + place,
            seed,
            identifier(seed, "gone machine", place),
            f"altlast-{place + 1:02}",
            f"altlast-{place + 1:02}",
            account,
            OFFERED,
            GONE,
            "Destroyed",
            model.cluster,
            None,
            model.size,
            model.template,
            None,
            model.network,
            240 + place,
            0.0,
        )
        for place, model in enumerate(like[:3])
    ]
    yield from of_machines(machines)
    for machine in machines[:1]:
        yield Meter(RUNNING, account, machine.id, OFFERED, GONE, machine, BATCH_HOURS)
