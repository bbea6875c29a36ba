"""The states of machines: where one runs, what its account has of it, how one is gone."""

from __future__ import annotations

from typing import cast

from cs_magic.demo.cloud.ownership import MACHINES
from cs_magic.demo.cloud.writes import Deed, count, dumped
from cs_magic.demo.data.items import GIB, Row
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.places import Host
from cs_magic.demo.data.volumes import Volume

KIND = "VirtualMachine"


def result(deed: Deed, machine: Machine) -> Row:
    """A job's result: the machine as its list shows it."""
    return {"virtualmachine": deed.shown(MACHINES, machine)}


def place(machine: Machine, host: Host | None) -> None:
    """Put a machine on a host, or on none; hosts know what they carry."""
    for one, sign in ((machine.host, -1), (host, 1)):
        if one:
            one.machines += sign
            one.mhz += sign * machine.size.cpus * machine.size.mhz
            one.memory += sign * machine.size.memory
            one.busy += sign * machine.size.cpus * machine.size.mhz * machine.used / 100
    machine.host = host


def set_state(deed: Deed, machine: Machine, state: str) -> None:
    """Change a machine's state, and what its account has running and stopped."""
    was, machine.state, machine.updated = machine.state, state, deed.now
    running, before = state == "Running", was == "Running"
    if running != before:
        step = 1 if running else -1
        count(deed, machine.owner, running=step, stopped=-step)
    if not running and state not in ("Starting", "Stopping"):
        place(machine, None)
        machine.used = 0.0


def event(deed: Deed, machine: Machine, kind: str, words: str) -> None:
    """Write down what happened to a machine."""
    resource = {"resourceid": machine.id, "resourcetype": KIND, "resourcename": machine.name}
    text = f"Virtual machine {machine.name} ({machine.id}): {words}"
    deed.happened(kind, text, machine.owner, resource)


def not_started(deed: Deed, machine: Machine) -> str:
    """What is said of a start that fails: users are told less."""
    if deed.caller.is_root:
        named = dumped({"instanceName": machine.instancename, "uuid": machine.id})
        return f"Unable to orchestrate the start of VM instance {named}."
    return f"Unable to start a VM [{machine.id}] due to insufficient capacity."


def emptiest(machine: Machine) -> Host:
    """The host of the machine's cluster that carries least."""
    hosts = [host for host in machine.cluster.hosts if not host.maintenance]
    return min(hosts, key=lambda host: (host.memory, host.number))


def start_on(deed: Deed, machine: Machine) -> None:
    """Take a machine to Running."""
    for volume in deed.world.table("volumes"):
        disk = cast(Volume, volume)
        if disk.machine is machine and disk.pool is None:
            disk.pool = machine.cluster.pools[machine.number % 2]
            disk.pool.allocated += disk.size
    set_state(deed, machine, "Running")


def gone(machine: Machine) -> bool:
    """Whether a machine was expunged."""
    return machine.state == "Expunging"


def expel(deed: Deed, machine: Machine) -> None:
    """Take a machine out of the cloud, with its root disk, its snapshots and its rules."""
    world = deed.world
    if gone(machine):
        return
    machine.state = "Expunging"
    world.table("machines").remove(machine)
    count(deed, machine.owner, vm=-1, cpu=-machine.size.cpus, memory=-machine.size.memory)
    count(deed, machine.owner, stopped=-1)
    disks = [cast(Volume, v) for v in world.table("volumes")]
    for disk in disks:
        if disk.machine is machine:
            disk.machine = None
            if disk.disk is None:
                remove_disk(deed, disk)
    for table in ("vmsnapshots", "forwardings"):
        held = world.table(table)
        held.remove(*(i for i in held if i.get("virtualmachineid") == machine.id))
    world.changed()


def remove_disk(deed: Deed, disk: Volume) -> None:
    """Take a volume out of the cloud."""
    deed.world.table("volumes").remove(disk)
    count(deed, disk.owner, volume=-1, primarystorage=-(disk.size // GIB))
    if disk.pool:
        disk.pool.allocated -= disk.size
