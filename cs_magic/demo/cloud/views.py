"""Rows that depend on `details=` or on who asks."""

from __future__ import annotations

from collections.abc import Sequence

from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.parameters import Arguments
from cs_magic.demo.data.items import Item, Row
from cs_magic.demo.data.machines import EVERYTHING, Machine, machine_row
from cs_magic.demo.data.totals import FIRST, LATER

HIDDEN_OF_MACHINES = frozenset(("hostid", "hostname", "instancename", "displayvm", "arch"))
READ_ONLY_DETAILS = (
    "dataDiskController, rootDiskController, backupValidationCommandTimeout, "
    "backupValidationScreenshotWait, backupValidationBootTimeout"
)

HOST_GROUPS = ("all", "capacity", "core", "events", "stats", "min")
_HOST_PLACE = frozenset(("zonename", "podname", "clustername", "clustertype"))
_HOST_STATS = frozenset(
    ("cpuused", "cpuloadaverage", "networkkbsread", "networkkbswrite", "memoryused")
)
_HOST_CAPACITY = frozenset(
    (
        "cpuallocated",
        "cpuallocatedvalue",
        "cpuallocatedpercentage",
        "cpuallocatedwithoverprovisioning",
        "cpuwithoverprovisioning",
        "memorytotal",
        "memorywithoverprovisioning",
        "memoryallocatedpercentage",
        "memoryallocatedbytes",
        "hypervisorversion",
        "hahost",
        "arch",
    )
)
_HOST_EVENTS = frozenset(("events",))
HOST_FIELDS = {
    "capacity": _HOST_PLACE | _HOST_CAPACITY,
    "stats": _HOST_PLACE | _HOST_STATS,
    "events": _HOST_PLACE | _HOST_EVENTS,
    "core": frozenset[str](),
    "min": frozenset[str](),
}
_HOST_EXTRA = _HOST_PLACE | _HOST_CAPACITY | _HOST_STATS | _HOST_EVENTS

RESOURCE_GROUPS = ("all", "resource", "min")
_RESOURCES = frozenset(
    f"{name}{part}"
    for name in (*FIRST, *LATER, "project")
    for part in ("limit", "total", "available")
) - {"secondarystoragetotal"} | {"vmrunning", "vmstopped"}


def machine(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """A machine with the groups of fields that were asked for, all of them by default."""
    assert isinstance(item, Machine)
    asked = frozenset(arguments.get("details") or ("all",))
    row = machine_row(item, EVERYTHING if "all" in asked else asked)
    if caller.is_root:
        return row
    shown: Row = {}
    for name, value in row.items():
        if name not in HIDDEN_OF_MACHINES:
            shown[name] = value
        if name == "details":
            shown["readonlydetails"] = READ_ONLY_DETAILS
    return shown


def in_affinity_first(items: Sequence[Item]) -> Sequence[Item]:
    """Machines of an affinity group come first within a page, as on the real server."""
    return sorted(items, key=lambda item: not item.get("affinitygroupid"))


def backwards(items: Sequence[Item]) -> Sequence[Item]:
    """Pages are newest first, the rows of a page oldest first."""
    return items[::-1]


def host(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """A host with the groups of fields that were asked for, all of them by default."""
    asked = arguments.get("details") or ("all",)
    if "all" in asked:
        return item.row()
    kept = frozenset[str]().union(*(HOST_FIELDS[word] for word in asked))
    dropped = _HOST_EXTRA - kept
    return {name: value for name, value in item.row().items() if name not in dropped}


def limited(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """An account, domain or project, with details=min without what it uses."""
    row = item.row()
    asked = arguments.get("details") or ("all",)
    if "all" in asked or "resource" in asked:
        return row
    return {name: value for name, value in row.items() if name not in _RESOURCES}


def template(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """A template; only a root admin is told on which kind of storage it is, and its id."""
    row = item.row()
    if caller.is_root:
        return row
    found = [
        {
            name: value
            for name, value in store.items()
            if name not in ("datastoreRole", "datastoreId")
        }
        for store in row["downloaddetails"]
    ]
    return row | {"downloaddetails": found}
