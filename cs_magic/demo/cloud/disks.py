"""Making, attaching, detaching and deleting volumes, and their snapshots."""

from __future__ import annotations

from typing import cast

from cs_magic.demo.cloud import extras
from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.ownership import VOLUMES
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import INVALID, Refused
from cs_magic.demo.cloud.vm_changes import FOR_WHOM
from cs_magic.demo.cloud.vm_state import remove_disk
from cs_magic.demo.cloud.writes import (
    SUCCESS,
    SUCCESS_FIELDS,
    Act,
    Deed,
    WriteCommand,
    check_quota,
    count,
    listed,
)
from cs_magic.demo.data.extras import snapshot_row
from cs_magic.demo.data.items import GIB, Row
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.offers import Disk
from cs_magic.demo.data.volumes import Volume

KIND = "Volume"
SNAPSHOTS = listed(extras.COMMANDS, "listSnapshots")
FULL = "Please specify an Instance that is either running or stopped."


def _volume(deed: Deed, name: str = "id") -> Volume:
    return cast(Volume, deed.named("volumes", name))


def _shown(deed: Deed, volume: Volume) -> Row:
    return {"volume": deed.shown(VOLUMES, volume)}


def create(deed: Deed) -> Work:
    """A data disk that nothing uses yet: Allocated until it is attached for the first time."""
    arguments, owner = deed.arguments, deed.owner
    missing = next((n for n in ("diskofferingid", "zoneid") if n not in arguments), None)
    if missing:
        text = f"Missing parameter(s), either a positive volume size or a valid {missing}"
        raise Refused(431, text, INVALID)
    disk = next(d for d in deed.world.offers.disks if d.id == arguments["diskofferingid"])
    zone = next(z for z in deed.world.places.zones if z.id == arguments["zoneid"])
    gib = disk.gib or arguments.get("size", 0)
    if gib < 1:
        raise Refused(431, "Disk size must be larger than 0", INVALID)
    check_quota(deed, owner, volume=1, primarystorage=gib)
    number, id_ = deed.new("volumes")
    name = arguments.get("name") or f"DATA-{number}"
    volume = Volume(number, id_, name, owner, deed.now, zone, None, None, disk, gib * GIB)
    deed.world.table("volumes").add(volume)
    count(deed, owner, volume=1, primarystorage=gib)

    def finish() -> Row:
        return _shown(deed, volume)

    failure = "Failed to create a volume"
    return Work(finish, kind=KIND, instance=id_, created=id_, span=0.5, failure=failure)


def attach(deed: Deed) -> Work:
    """A data disk comes to a machine of the same zone."""
    volume, machine = _volume(deed), deed.machine("virtualmachineid")
    if volume.machine:
        raise Refused(431, "Please specify a volume that is not attached to any VM", INVALID)
    if machine.state not in ("Running", "Stopped"):
        raise Refused(431, FULL, INVALID)
    if volume.zone is not machine.cluster.zone:
        raise Refused(431, "Volume and Instance are in different zones", INVALID)

    def finish() -> Row:
        if volume.pool is None:
            volume.pool = machine.cluster.pools[machine.number % 2]
            volume.pool.allocated += volume.size
        volume.machine, volume.attached = machine, deed.now
        machine.disk = machine.disk or volume.disk
        return _shown(deed, volume)

    failure = "Failed to attach volume"
    return Work(finish, kind=KIND, instance=volume.id, on=machine, failure=failure)


def detach(deed: Deed) -> Work:
    """A data disk leaves its machine; a root disk does not."""
    if "id" not in deed.arguments:
        raise Refused(431, "Invalid combination of parameters", INVALID)
    volume = _volume(deed)
    machine = volume.machine
    if machine is None:
        text = "The specified volume is not attached to any VM, unable to detach"
        raise Refused(431, text, INVALID)
    if volume.disk is None:
        text = "The specified volume is the root volume of a VM that is not stopped"
        raise Refused(431, text, INVALID)

    def finish() -> Row:
        volume.machine, volume.attached = None, 0
        machine.disk = _left(deed, machine)
        return _shown(deed, volume)

    failure = "Failed to detach volume"
    return Work(finish, kind=KIND, instance=volume.id, on=machine, failure=failure)


def _left(deed: Deed, machine: Machine) -> Disk | None:
    """The disk offering of a data disk that the machine still has."""
    disks = (cast(Volume, volume) for volume in deed.world.table("volumes"))
    return next((disk.disk for disk in disks if disk.machine is machine and disk.disk), None)


def delete(deed: Deed) -> Row:
    """A disk that nothing uses is gone at once."""
    volume = _volume(deed)
    if volume.machine:
        text = "Please specify a volume that is not attached to any VM."
        raise Refused(431, text, INVALID)
    if volume in deed.world.table("volumes").items:
        remove_disk(deed, volume)
    return SUCCESS


def snapshot(deed: Deed) -> Work:
    """A snapshot of a disk that was written."""
    volume = _volume(deed, "volumeid")
    if volume.pool is None:
        text = f"VolumeId: {volume.id} is not in Ready state but {volume.state}."
        raise Refused(431, f"{text} Cannot take snapshot.", INVALID)
    check_quota(deed, volume.owner, snapshot=1)
    _, id_ = deed.new("snapshots")
    row = snapshot_row(id_, volume, deed.now, deed.arguments.get("name"))
    item = deed.add("snapshots", row | {"state": "BackingUp"}, volume.owner)
    count(deed, volume.owner, snapshot=1)

    def finish() -> Row:
        item.fields = row
        return {"snapshot": deed.shown(SNAPSHOTS, item)}

    def undo() -> None:
        item.fields = row | {"state": "Error"}

    failure = f"Failed to create snapshot due to an internal error for volume {volume.id}"
    return Work(finish, undo=undo, kind="Snapshot", instance=id_, created=id_, failure=failure)


def drop(deed: Deed) -> Work:
    """A snapshot is gone."""
    item = deed.named("snapshots")

    def finish() -> Row:
        table = deed.world.table("snapshots")
        if item in table.items and item.owner:
            table.remove(item)
            count(deed, item.owner, snapshot=-1)
        return SUCCESS

    failure = "Failed to delete snapshot"
    return Work(finish, kind="Snapshot", instance=str(item.get("id")), failure=failure)


def _id(table: str, name: str = "id", required: bool = True) -> Parameter:
    return Parameter(name, "uuid", "the one that is meant", entity=table, required=required)


def _gives_volume(name: str, act: Act, java: str, *parameters: Parameter) -> WriteCommand:
    return WriteCommand(
        name,
        parameters=parameters,
        fields=VOLUMES.fields,
        nested=VOLUMES.nested,
        types=VOLUMES.types,
        isasync=True,
        java=java,
        two_faced=True,
        act=act,
    )


COMMANDS = (
    _gives_volume(
        "createVolume",
        create,
        "user.volume.CreateVolumeCmd",
        Parameter("name", "string", "its name"),
        _id("zones", "zoneid", required=False),
        _id("disks", "diskofferingid", required=False),
        Parameter("size", "long", "how many GiB, where the offering does not say"),
        *FOR_WHOM,
    ),
    _gives_volume(
        "attachVolume",
        attach,
        "user.volume.AttachVolumeCmd",
        _id("volumes"),
        _id("machines", "virtualmachineid"),
    ),
    _gives_volume(
        "detachVolume", detach, "user.volume.DetachVolumeCmd", _id("volumes", required=False)
    ),
    WriteCommand("deleteVolume", parameters=(_id("volumes"),), fields=SUCCESS_FIELDS, act=delete),
    WriteCommand(
        "createSnapshot",
        parameters=(_id("volumes", "volumeid"), Parameter("name", "string", "its name")),
        fields=SNAPSHOTS.fields,
        types=SNAPSHOTS.types,
        isasync=True,
        java="user.snapshot.CreateSnapshotCmd",
        act=snapshot,
    ),
    WriteCommand(
        "deleteSnapshot",
        parameters=(_id("snapshots"),),
        fields=SUCCESS_FIELDS,
        isasync=True,
        java="user.snapshot.DeleteSnapshotCmd",
        act=drop,
    ),
)
