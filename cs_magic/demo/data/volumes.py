"""The volumes: each machine's root disk, data disks, and disks that nothing uses any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from cs_magic.demo.data.items import DAY, GIB, START, Account, Row, Table, identifier, stamp
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.offers import Disk
from cs_magic.demo.data.places import Places, Pool, Zone

# One detached volume for so many machines.
ORPHANS = 17


@dataclass(slots=True, eq=False)
class Volume:
    """A disk; without a machine it is a detached one, without a pool it was never written.

    `attached` is when, where that was not together with its creation.
    """

    number: int
    id: str
    name: str
    owner: Account
    created: int
    zone: Zone
    pool: Pool | None
    machine: Machine | None
    disk: Disk | None
    size: int
    attached: int = 0

    @property
    def type(self) -> str:
        """ROOT for a machine's first disk, DATADISK otherwise."""
        return "DATADISK" if self.disk else "ROOT"

    @property
    def state(self) -> str:
        """Ready, or Allocated for one that was never written."""
        return "Ready" if self.pool else "Allocated"

    def get(self, name: str) -> Any:
        """What a filter compares, without building the row."""
        getter = GETTERS.get(name)
        return getter(self) if getter else self.row().get(name)

    def row(self) -> Row:
        """The row as the root admin sees it, in the real server's order."""
        return volume_row(self)


GETTERS: dict[str, Callable[[Volume], Any]] = {
    "id": lambda volume: volume.id,
    "name": lambda volume: volume.name,
    "type": lambda volume: volume.type,
    "state": lambda volume: volume.state,
    "zoneid": lambda volume: volume.zone.id,
    "virtualmachineid": lambda volume: getattr(volume.machine, "id", None),
    "storageid": lambda volume: getattr(volume.pool, "id", None),
    "clusterid": lambda volume: volume.pool.cluster.id if volume.pool else None,
    "diskofferingid": lambda volume: volume.disk.id if volume.disk else None,
    "displayvolume": lambda volume: True,
    "tags": lambda volume: (),
}


def volumes(seed: int, machines: Sequence[Machine], where: Places, disks: Sequence[Disk]) -> Table:
    """All volumes, oldest first; what they take is added to their pools."""
    rng = Random(f"{seed}/volumes")
    made: list[Volume] = []
    for machine in machines:
        made.extend(_of_machine(seed, machine, len(made) + 1))
        if machine.number % ORPHANS == 3:
            made.append(_orphan(seed, machine, len(made) + 1, where, disks, rng))
    for volume in made:
        if volume.pool:
            volume.pool.allocated += volume.size
    return Table(made)


def _of_machine(seed: int, machine: Machine, number: int) -> list[Volume]:
    pool = None if machine.never_started else machine.cluster.pools[machine.number % 2]
    zone = machine.cluster.zone
    id_ = identifier(seed, "volume", number)
    found = [
        Volume(
            number,
            id_,
            f"ROOT-{machine.number}",
            machine.owner,
            machine.created,
            zone,
            pool,
            machine,
            None,
            machine.template.gib * GIB,
        )
    ]
    if machine.disk:
        id_ = identifier(seed, "volume", number + 1)
        found.append(
            Volume(
                number + 1,
                id_,
                f"DATA-{machine.number}",
                machine.owner,
                machine.created,
                zone,
                pool,
                machine,
                machine.disk,
                machine.disk.gib * GIB,
            )
        )
    return found


def _orphan(
    seed: int, machine: Machine, number: int, where: Places, disks: Sequence[Disk], rng: Random
) -> Volume:
    """A data disk left behind by a machine that is gone; its owner still pays for it."""
    disk = disks[int(rng.random() * 3)]
    age = int((30 + rng.random() * 700) * DAY)
    cluster = machine.cluster
    return Volume(
        number,
        identifier(seed, "volume", number),
        f"old-{machine.name}-data",
        machine.owner,
        START - age,
        cluster.zone,
        cluster.pools[0],
        None,
        disk,
        disk.gib * GIB,
    )


def volume_row(volume: Volume) -> Row:
    """The row with the keys of the real server: those of a detached disk are fewer."""
    machine, pool, disk = volume.machine, volume.pool, volume.disk
    row: Row = {
        "id": volume.id,
        "name": volume.name,
        "zoneid": volume.zone.id,
        "zonename": volume.zone.name,
        "type": volume.type,
    }
    if machine:
        row |= {"deviceid": 1 if disk else 0, "virtualmachineid": machine.id}
        if not disk:
            row |= {
                "templateid": machine.template.id,
                "templatename": machine.template.name,
                "templatedisplaytext": machine.template.text,
            }
        row |= {
            "vmname": machine.name,
            "vmdisplayname": machine.displayname,
            "vmstate": machine.state,
            "vmtype": "User",
        }
    row |= {
        "provisioningtype": "thin",
        "size": volume.size,
        "created": stamp(volume.created),
        "state": volume.state,
        **volume.owner.fields(),
        "storagetype": "shared",
    }
    if machine and pool:
        used = machine.used
        row |= {
            "diskkbsread": int(used * 21_000),
            "diskkbswrite": int(used * 16_000),
            "diskioread": int(used * 700),
            "diskiowrite": int(used * 900),
        }
    row["hypervisor"] = "KVM" if pool else "None"
    if disk:
        row |= {
            "diskofferingid": disk.id,
            "diskofferingname": disk.name,
            "diskofferingdisplaytext": disk.text,
        }
    if pool:
        row["storage"] = pool.name
    if machine and disk:
        row["attached"] = stamp(volume.attached or volume.created + 60)
    row["destroyed"] = False
    if machine and not disk:
        size = machine.size
        # The internal number, as the real server prints it here.
        row |= {
            "serviceofferingid": str(size.number),
            "serviceofferingname": size.name,
            "serviceofferingdisplaytext": size.text,
        }
    row |= {"isextractable": disk is not None, "displayvolume": True}
    if pool:
        row |= {"path": volume.id[::-1], "storageid": pool.id}
    row |= {"quiescevm": False, "supportsstoragesnapshot": False, "deleteprotection": False}
    if pool:
        cluster = pool.cluster
        row |= {
            "clusterid": cluster.id,
            "clustername": cluster.name,
            "podid": cluster.zone.pod_id,
            "podname": cluster.zone.pod_name,
        }
    return row | {"tags": [], "hasannotations": False}
