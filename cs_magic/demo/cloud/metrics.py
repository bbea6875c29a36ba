"""List commands with metrics: the usual rows, with texts with units before them."""

from __future__ import annotations

from dataclasses import replace

from cs_magic.demo.cloud import views
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate, like
from cs_magic.demo.cloud.infrastructure import COMMANDS as INFRASTRUCTURE
from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.ownership import MACHINES, VOLUMES
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.words import PAGES, many, one
from cs_magic.demo.data.items import GIB, Item, Row
from cs_magic.demo.data.world import World

THRESHOLDS = (
    "cputhreshold cpudisablethreshold cpuallocatedthreshold cpuallocateddisablethreshold "
    "memorythreshold memorydisablethreshold memoryallocatedthreshold "
    "memoryallocateddisablethreshold"
)
# What is text with a unit here, and a number elsewhere.
TEXTS = dict.fromkeys(("cputotal", "memorytotal", "memoryused", "memoryallocated"), "string")
SINCE = "4.9.3"
PLAIN = {command.name: command for command in INFRASTRUCTURE}


def machine(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """A machine with its metrics; one that does not run has no traffic to tell of."""
    row = views.machine(item, caller, arguments)
    metrics: Row = {}
    if "cpunumber" in row:
        metrics["cputotal"] = f"{row['cpunumber'] * row['cpuspeed'] / 1_000:.1f} Ghz"
        metrics["memorytotal"] = f"{row['memory'] / 1024:.2f} GiB"
    if "networkkbsread" in row:
        for what in ("network", "disk"):
            metrics[f"{what}read"] = f"{row[f'{what}kbsread'] / 1024:.2f} MiB"
            metrics[f"{what}write"] = f"{row[f'{what}kbswrite'] / 1024:.2f} MiB"
        metrics["diskiopstotal"] = row["diskioread"] + row["diskiowrite"]
    return metrics | _without_path(row)


def volume(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """A volume with its metrics, and its kind in the type of its storage."""
    row = item.row()
    metrics: Row = {"sizegb": f"{row['size'] / GIB:.2f} GiB"}
    if "diskioread" in row:
        metrics["diskiopstotal"] = row["diskioread"] + row["diskiowrite"]
    return metrics | _without_path(row) | {"storagetype": f"Shared ({row['type']})"}


def _without_path(row: Row) -> Row:
    """The owner without the domain's path, which metrics of owned things do not tell."""
    return {name: value for name, value in row.items() if name != "domainpath"}


def history(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """A machine's samples within the dates."""
    row = item.row()
    since, until = arguments.get("startdate", ""), arguments.get("enddate", "9999")
    row["stats"] = [sample for sample in row["stats"] if since <= sample["timestamp"] <= until]
    return row


def visible(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """All that the caller may see, without listall; projects' machines are left out."""
    numbers = {a.number for a in world.people.accounts.values() if caller.sees(a)}
    return lambda item: item.owner is not None and item.owner.number in numbers


COMMANDS = (
    replace(
        PLAIN["listZones"],
        name="listZonesMetrics",
        table="zonemetrics",
        roles="A",
        fields="state clusters cputotal cpuused cpuallocated cpumaxdeviation memorytotal "
        f"memoryused memoryallocated memorymaxdeviation {THRESHOLDS} " + PLAIN["listZones"].fields,
        types=TEXTS | {"clusters": "string"},
        since=SINCE,
    ),
    replace(
        PLAIN["listClusters"],
        name="listClustersMetrics",
        table="clustermetrics",
        roles="A",
        fields=f"state hosts cputotal cpuallocated memorytotal memoryallocated {THRESHOLDS} "
        "drsimbalance " + PLAIN["listClusters"].fields,
        types=TEXTS | {"hosts": "string"},
        since=SINCE,
    ),
    replace(
        PLAIN["listHosts"],
        name="listHostsMetrics",
        table="hostmetrics",
        roles="A",
        render=lambda item, caller, arguments: item.row(),
        parameters=tuple(p for p in PLAIN["listHosts"].parameters if p.name != "details"),
        types=PLAIN["listHosts"].types | {"powerstate": "powerstate"},
        since=SINCE,
        fields="powerstate instances systeminstances cputotalghz cpuusedghz cpuallocatedghz "
        f"memorytotalgb memoryusedgb memoryallocatedgb networkread networkwrite {THRESHOLDS} "
        + PLAIN["listHosts"].fields,
    ),
    replace(
        PLAIN["listStoragePools"],
        name="listStoragePoolsMetrics",
        table="poolmetrics",
        roles="A",
        fields="disksizeusedgb disksizetotalgb disksizeallocatedgb disksizeunallocatedgb "
        "storageusagethreshold storageusagedisablethreshold storageallocatedthreshold "
        "storageallocateddisablethreshold " + PLAIN["listStoragePools"].fields,
        since=SINCE,
    ),
    replace(
        MACHINES,
        name="listVirtualMachinesMetrics",
        render=machine,
        fields="cputotal memorytotal networkread networkwrite diskread diskwrite diskiopstotal "
        + MACHINES.fields,
        parameters=tuple(
            replace(p, since="") if p.name == "clusterid" else p for p in MACHINES.parameters
        ),
        types={"cputotal": "string", "memorytotal": "string"},
    ),
    replace(
        VOLUMES,
        name="listVolumesMetrics",
        render=volume,
        wrapper="listvolumesresponse",
        since=SINCE,
        fields="sizegb diskiopstotal " + VOLUMES.fields,
    ),
    ListCommand(
        "listVirtualMachinesUsageHistory",
        since="4.17",
        key="virtualmachine",
        table="histories",
        scope=visible,
        render=history,
        page_count=lambda caller: True,
        parameters=(
            one("machines"),
            many("machines", since=""),
            Parameter("name", "string", "those with this in their shown name", like("displayname")),
            Parameter("startdate", "date", "samples since then"),
            Parameter("enddate", "date", "samples until then"),
            *PAGES,
        ),
        fields="id name displayname stats",
        nested={
            "stats": "timestamp cpuused diskioread diskiowrite diskiopstotal diskkbsread "
            "diskkbswrite memoryintfreekbs memorykbs memorytargetkbs networkkbsread "
            "networkkbswrite networkread networkwrite"
        },
    ),
)
