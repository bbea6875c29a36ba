"""What can be ordered, as the list commands print it."""

from __future__ import annotations

from collections.abc import Sequence

from cs_magic.demo.data.items import GIB, Domain, Fixed, Row, Table, stamp, table
from cs_magic.demo.data.offers import (
    CATEGORIES,
    NETWORKS,
    OFFERED,
    VPC_TIER,
    Disk,
    Size,
    System,
    Template,
)
from cs_magic.demo.data.places import Places, Zone, store_id

ROUTER = "VirtualRouter"


def sizes_table(sizes: Sequence[Size]) -> Table:
    """The service offerings as listServiceOfferings prints them."""
    return table(
        [
            {
                "id": size.id,
                "name": size.name,
                "state": "Active",
                "displaytext": size.text,
                "cpunumber": size.cpus,
                "cpuspeed": size.mhz,
                "memory": size.memory,
                "created": stamp(OFFERED),
                "storagetype": "shared",
                "provisioningtype": "thin",
                "offerha": False,
                "limitcpuuse": False,
                "isvolatile": False,
                "issystem": False,
                "defaultuse": False,
                "iscustomized": False,
                "rootdisksize": 0,
                "dynamicscalingenabled": True,
                "diskofferingstrictness": False,
                "diskofferingid": size.disk_id,
                "diskofferingname": size.name,
                "diskofferingdisplaytext": size.text,
                "encryptroot": False,
                "hasannotations": False,
            }
            for size in sizes
        ]
    )


def disks_table(disks: Sequence[Disk]) -> Table:
    """The disk offerings as listDiskOfferings prints them."""
    return table(
        [
            {
                "id": disk.id,
                "name": disk.name,
                "state": "Active",
                "displaytext": disk.text,
                "disksize": disk.gib,
                "created": stamp(OFFERED),
                "iscustomized": disk.gib == 0,
                "storagetype": "shared",
                "provisioningtype": "thin",
                "displayoffering": True,
                "disksizestrictness": False,
                "encrypt": False,
                "hasannotations": False,
            }
            for disk in disks
        ]
    )


def systems_table(systems: Sequence[System]) -> Table:
    """The OS types as listOsTypes prints them."""
    return table(
        [
            {
                "id": system.id,
                "oscategoryid": system.category_id,
                "oscategoryname": system.category,
                "name": system.name,
                "description": system.name,
                "isuserdefined": False,
                "fordisplay": True,
            }
            for system in systems
        ]
    )


def categories_table(systems: Sequence[System]) -> Table:
    """The OS categories that the OS types fall into."""
    ids = {system.category: system.category_id for system in systems}
    return table([{"id": ids[name], "name": name, "isfeatured": True} for name in CATEGORIES])


def networks_table(ids: Sequence[str], router_offering: str) -> Table:
    """The network offerings as listNetworkOfferings prints them."""
    return table(
        [
            {
                "id": id_,
                "name": name,
                "displaytext": text,
                "created": stamp(OFFERED),
                "traffictype": "Guest",
                "isdefault": True,
                "specifyvlan": vlan,
                "conservemode": True,
                "specifyipranges": kind == "Shared",
                "availability": "Optional",
                "networkrate": 200,
                "state": "Enabled",
                "guestiptype": kind,
                # The system offering of the virtual router, the same for all.
                "serviceofferingid": router_offering,
                "service": services(names, "VpcVirtualRouter" if place == VPC_TIER else ROUTER),
                "forvpc": place == VPC_TIER,
                "fornsx": False,
                "fortungsten": False,
                "ispersistent": False,
                "egressdefaultpolicy": False,
                "supportsstrechedl2subnet": False,
                "supportspublicaccess": False,
                "supportsinternallb": False,
                "internetprotocol": "IPv4",
                "specifyasnumber": False,
                "hasannotations": False,
            }
            for place, (id_, (name, text, kind, vlan, names)) in enumerate(
                zip(ids, NETWORKS, strict=True)
            )
        ]
    )


def services(names: Sequence[str], provider: str = ROUTER) -> list[Row]:
    """Network services, all of them from one provider."""
    return [{"name": name, "provider": [{"name": provider}]} for name in names]


def templates_table(seed: int, templates: Sequence[Template], where: Places, root: Domain) -> Table:
    """One row per template and zone: a template's id repeats, as it does on the real server."""
    items = []
    for template in templates:
        for zone in where.zones:
            row = _template_row(template, zone, store_id(seed, zone), root)
            items.append(Fixed(template.number, row, template.owner))
    return Table(items)


def _template_row(template: Template, zone: Zone, store_id: str, root: Domain) -> Row:
    owner = template.owner
    domain = owner.domain if owner else root
    return {
        "id": template.id,
        "name": template.name,
        "displaytext": template.text,
        "ispublic": template.public,
        "created": stamp(OFFERED),
        "isready": True,
        "passwordenabled": template.password_enabled,
        "format": "QCOW2",
        "isfeatured": template.featured,
        "crossZones": True,
        "ostypeid": template.system.id,
        "ostypename": template.system.name,
        "account": owner.name if owner else "system",
        "zoneid": zone.id,
        "zonename": zone.name,
        "status": "Download Complete",
        "size": template.gib * GIB,
        "physicalsize": template.gib * GIB // 3,
        "templatetype": template.type,
        "hypervisor": "KVM",
        "domain": domain.name,
        "domainpath": domain.path,
        "domainid": domain.id,
        "isextractable": False,
        "checksum": "",
        "details": {},
        "downloaddetails": [
            {
                "downloadState": "DOWNLOADED",
                "datastore": f"secondary-{zone.name}",
                "datastoreRole": "Image",
                "downloadPercent": "100",
                "datastoreId": store_id,
            }
        ],
        "arch": "x86_64",
        "bits": 0,
        "sshkeyenabled": True,
        "isdynamicallyscalable": True,
        "directdownload": False,
        "deployasis": False,
        "forcks": False,
        "requireshvm": True,
        "url": f"http://images.demo.example/{template.system.number}.qcow2",
        "tags": [],
        "hasannotations": False,
    }


def isos_table(isos: Sequence[Template], where: Places) -> Table:
    """One row per ISO and zone."""
    items = []
    for iso in isos:
        for zone in where.zones:
            items.append(Fixed(iso.number, _iso_row(iso, zone.id, zone.name), iso.owner))
    return Table(items)


def _iso_row(iso: Template, zone_id: str, zone_name: str) -> Row:
    owner = iso.owner
    assert owner
    return {
        "id": iso.id,
        "name": iso.name,
        "displaytext": iso.text,
        "ispublic": iso.public,
        "created": stamp(OFFERED),
        "isready": True,
        "passwordenabled": False,
        "bootable": True,
        "isfeatured": iso.featured,
        "crossZones": True,
        "ostypeid": iso.system.id,
        "ostypename": iso.system.name,
        "account": owner.name,
        "zoneid": zone_id,
        "zonename": zone_name,
        "status": "Successfully Installed",
        "size": iso.gib * GIB,
        "domain": owner.domain.name,
        "domainpath": owner.domain.path,
        "domainid": owner.domain.id,
        "isextractable": False,
        "checksum": "",
        "arch": "x86_64",
        "isdynamicallyscalable": False,
        "directdownload": False,
        "url": f"http://images.demo.example/{iso.system.number}.iso",
        "tags": [],
        "hasannotations": False,
    }
