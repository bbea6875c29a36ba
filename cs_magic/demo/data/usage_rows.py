"""A usage record as listUsageRecords prints it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cs_magic.demo.data import meters
from cs_magic.demo.data.items import DAY, GIB, Row, stamp
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.meters import Meter
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.systems import router_id, router_name

UNITS = ("bytes", "KB", "MB", "GB", "TB")
# What a network carries a day for each of its addresses.
CARRIED = {meters.SENT: 900_000_000, meters.RECEIVED: 4_700_000_000}


@dataclass(frozen=True, slots=True)
class Options:
    """How records are printed: with the tags of machines, in the older wording."""

    tags: bool = False
    old: bool = False


def human(size: int) -> str:
    """Bytes as CloudStack writes them for people, followed by the bytes."""
    value, place = float(size), 0
    while value >= 1024 and place < len(UNITS) - 1:
        value, place = value / 1024, place + 1
    return f"({value:.2f} {UNITS[place]}) {size}"


def number(value: float) -> str:
    """A number without needless zeros, six decimals at most."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def usage_row(meter: Meter, first: int, last: int, options: Options) -> Row:
    """The row of one record, with the keys of its type, in the real server's order."""
    owner = meter.owner
    row: Row = (
        {"projectid": owner.project.id, "project": owner.project.name}
        if owner.project
        else {"account": owner.name, "accountid": owner.id}
    )
    row |= {
        "domainid": owner.domain.id,
        "domain": owner.domain.name,
        "domainpath": owner.domain.path,
    }
    zone, text, fields, more = PRINTERS[meter.type](meter, first, last, options)
    raw, unit = _used(meter, first, last)
    row |= {
        "zoneid": zone,
        "description": text,
        "usage": f"{raw}{unit}",
        "usagetype": meter.type,
        "rawusage": raw,
        **fields,
        "startdate": stamp(first),
        "enddate": stamp(last),
        **more,
    }
    return row | {"tags": _tags(meter) if options.tags else []}


def _used(meter: Meter, first: int, last: int) -> tuple[str, str]:
    """How much: bytes where bytes are counted, else the hours within the record."""
    if meter.type in CARRIED:
        words = " bytes sent" if meter.type == meters.SENT else " bytes received"
        return str(carried(meter, first, last)), words
    if meter.night:
        # A sixth of a slot is what such a record covers; of a day that is four hours.
        return number(meter.night * (last + 1 - first) / (4 * 3_600)), " Hrs"
    seconds = min(last + 1, meter.end) - max(first, meter.begin)
    return number(seconds / 3_600), " Hrs"


def carried(meter: Meter, first: int, last: int) -> int:
    """The bytes of a network in a record: more on some days than on others."""
    network: Network = meter.thing[1]
    day = 50 + (network.number * 31 + first // DAY * 17) % 100
    odd = (network.number * 7_919 + first // DAY * 104_729) % 1_000_003
    whole = CARRIED[meter.type] * network.taken * day // 100 + odd
    return whole * (last + 1 - first) // DAY + 1


def _tags(meter: Meter) -> list[Row]:
    thing = meter.thing
    if not isinstance(thing, Machine):
        return []
    return [{"key": key, "value": value} for key, value in thing.tags]


Printed = tuple[str, str, Row, Row]


def _machine(meter: Meter, first: int, last: int, options: Options) -> Printed:
    machine: Machine = meter.thing
    size, template = machine.size, machine.template
    running = meter.type == meters.RUNNING
    text = (
        f"{'Running' if running else 'Allocated'} VM usage for {machine.name} "
        f"({machine.instancename}) ({machine.id}) using service offering {size.name} ({size.id}) "
        f"and template {template.name} ({template.id})"
    )
    if options.old:
        text = (
            f"{machine.name} {'running time' if running else 'allocated'} "
            f"(ServiceOffering: {size.number}) (Template: {template.number})"
        )
    fields = {
        "virtualmachineid": machine.id,
        "name": machine.name,
        "offeringid": size.id,
        "templateid": template.id,
        "ostypeid": template.system.id,
        "osdisplayname": template.system.name,
        "oscategoryid": template.system.category_id,
        "oscategoryname": template.system.category,
        "usageid": machine.id,
        "type": "KVM",
        "cpunumber": size.cpus,
        "cpuspeed": size.mhz,
        "memory": size.memory,
    }
    return machine.cluster.zone.id, text, fields, {}


def _address(meter: Meter, first: int, last: int, options: Options) -> Printed:
    item = meter.thing
    flags = {"issourcenat": item.get("issourcenat"), "issystem": item.get("issystem")}
    return item.get("zoneid"), f"IPAddress: {item.get('ipaddress')}", {"usageid": meter.id}, flags


def _bytes(meter: Meter, first: int, last: int, options: Options) -> Printed:
    seed, network = meter.thing
    router = router_id(seed, network)
    verb = "sent" if meter.type == meters.SENT else "received"
    text = (
        f"Bytes {verb} by network {network.name} ({network.id})  "
        f"{human(carried(meter, first, last))} using router {router_name(network)} ({router})"
    )
    fields = {"name": network.name, "usageid": router, "type": "DomainRouter"}
    return network.zone.id, text, fields, {"networkid": network.id}


def _volume(meter: Meter, first: int, last: int, options: Options) -> Printed:
    volume = meter.thing
    name, template = "", None
    if volume.disk:
        name, id_ = volume.disk.name, volume.disk.id
    else:
        size, template = volume.machine.size, volume.machine.template
        name, id_ = size.name, size.disk_id
    made = f" and template {template.name} ({template.id})" if template else ""
    text = (
        f"Volume usage for {volume.name} ({volume.id}) with disk offering {name} ({id_})"
        f"{made} and size {human(volume.size)}"
    )
    fields: Row = {"offeringid": id_}
    if template:
        fields["templateid"] = template.id
    return volume.zone.id, text, fields | {"usageid": volume.id, "size": volume.size}, {}


def _template(meter: Meter, first: int, last: int, options: Options) -> Printed:
    template, zone = meter.thing
    size, virtual = template.gib * GIB // 3, template.gib * GIB
    text = (
        f"Template usage for {template.name} ({template.id}) with size {human(size)} "
        f"and virtual size {human(virtual)}"
    )
    fields = {
        "templateid": template.id,
        "usageid": template.id,
        "size": size,
        "virtualsize": virtual,
    }
    return zone.id, text, fields, {}


def _iso(meter: Meter, first: int, last: int, options: Options) -> Printed:
    iso, zone = meter.thing
    size = iso.gib * GIB
    text = f"ISO usage for {iso.name} ({iso.id}) with size {human(size)}"
    return zone.id, text, {"usageid": iso.id, "size": size}, {}


def _snapshot(meter: Meter, first: int, last: int, options: Options) -> Printed:
    item = meter.thing
    size = item.get("physicalsize")
    text = f"Snapshot usage for {item.get('name')} ({meter.id}) with size {human(size)}"
    return item.get("zoneid"), text, {"usageid": meter.id, "size": size}, {}


def _balancer(meter: Meter, first: int, last: int, options: Options) -> Printed:
    return meter.thing.get("zoneid"), "Loadbalancer policy usage ", {}, {}


def _vm_snapshot(meter: Meter, first: int, last: int, options: Options) -> Printed:
    item: Any = meter.thing
    size = 20 * GIB
    name, machine = item.get("virtualmachinename"), item.get("virtualmachineid")
    text = f"VMSnapshot usage Id: {meter.id} for VM {name} ({machine}) and size {human(size)}"
    fields = {
        "virtualmachineid": machine,
        "name": item.get("displayname"),
        "usageid": meter.id,
        "size": size,
    }
    return item.get("zoneid"), text, fields, {}


PRINTERS: dict[int, Callable[[Meter, int, int, Options], Printed]] = {
    meters.RUNNING: _machine,
    meters.ALLOCATED: _machine,
    meters.ADDRESS: _address,
    meters.SENT: _bytes,
    meters.RECEIVED: _bytes,
    meters.VOLUME: _volume,
    meters.TEMPLATE: _template,
    meters.ISO: _iso,
    meters.SNAPSHOT: _snapshot,
    meters.BALANCER: _balancer,
    meters.VM_SNAPSHOT: _vm_snapshot,
}
