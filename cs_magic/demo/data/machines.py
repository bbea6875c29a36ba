"""The virtual machines: invented cheaply, a hundred thousand in seconds, printed when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cs_magic.demo.data.items import Account, Row, identifier, stamp
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.offers import Disk, Size, Template
from cs_magic.demo.data.places import Cluster, Host

# What `details=` may name. `min` asks for none of them, `all` and nothing for all.
GROUPS = (
    "all",
    "group",
    "nics",
    "stats",
    "secgrp",
    "tmpl",
    "servoff",
    "diskoff",
    "backoff",
    "iso",
    "volume",
    "min",
    "affgrp",
    "vnfnics",
)
EVERYTHING = frozenset(GROUPS) - {"min"}


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """An instance group or an affinity group."""

    number: int
    id: str
    name: str
    owner: Account


@dataclass(slots=True, eq=False)
class Machine:
    """One machine. What filters look at is held; the row is built when it is sent.

    A stopped machine has no host. One that was `never_started` has fewer fields,
    as on the real server. `used` is the share of its processors that it uses, and
    `job` the id of the job that works on it.
    """

    number: int
    seed: int
    id: str
    name: str
    displayname: str
    owner: Account
    created: int
    updated: int
    state: str
    cluster: Cluster
    host: Host | None
    size: Size
    template: Template
    disk: Disk | None
    network: Network
    place: int
    used: float
    tags: Sequence[tuple[str, str]] = ()
    group: Group | None = None
    affinity: Group | None = None
    job: str = ""

    @property
    def ipaddress(self) -> str:
        """Its address in its network."""
        return f"{self.network.prefix}.{10 + self.place}"

    @property
    def instancename(self) -> str:
        """Its name on the hypervisor."""
        return f"i-{self.owner.number}-{self.number}-VM"

    @property
    def never_started(self) -> bool:
        """Whether it was deployed and never started."""
        return self.state == "Stopped" and self.updated == self.created

    def get(self, name: str) -> Any:
        """What a filter compares, without building the row."""
        getter = GETTERS.get(name)
        return getter(self) if getter else self.row().get(name)

    def row(self) -> Row:
        """The whole row, as the root admin sees it."""
        return machine_row(self, EVERYTHING)


GETTERS: dict[str, Callable[[Machine], Any]] = {
    "id": lambda machine: machine.id,
    "name": lambda machine: machine.name,
    "displayname": lambda machine: machine.displayname,
    "instancename": lambda machine: machine.instancename,
    "state": lambda machine: machine.state,
    "zoneid": lambda machine: machine.cluster.zone.id,
    "podid": lambda machine: machine.cluster.zone.pod_id,
    "clusterid": lambda machine: machine.cluster.id,
    "hostid": lambda machine: getattr(machine.host, "id", None),
    "serviceofferingid": lambda machine: machine.size.id,
    "templateid": lambda machine: machine.template.id,
    "networkid": lambda machine: machine.network.id,
    "groupid": lambda machine: machine.group.id if machine.group else None,
    "affinitygroupid": lambda machine: machine.affinity.id if machine.affinity else None,
    "userid": lambda machine: machine.owner.user.id,
    "hypervisor": lambda machine: "KVM",
    "arch": lambda machine: "x86_64",
    "haenable": lambda machine: False,
    "displayvm": lambda machine: True,
    "tags": lambda machine: machine.tags,
}


def machine_row(machine: Machine, groups: frozenset[str]) -> Row:
    """The row with the keys, and in the order, of the real server; `groups` as `details=` has it.

    Without `nics` the server still fills in the address of a machine that has
    tags or a data disk (its view has several lines for those), and so does this.
    """
    parts = [_who(machine), _where(machine)]
    if "group" in groups and machine.group:
        parts[0] |= {"groupid": machine.group.id, "group": machine.group.name}
    if "tmpl" in groups:
        parts.append(_template(machine.template))
    if "iso" in groups:
        parts.append({"isos": [], "isomaxcount": 1})
    if "servoff" in groups:
        size = machine.size
        parts.append({"serviceofferingid": size.id, "serviceofferingname": size.name})
    if machine.disk:
        parts.append({"diskofferingid": machine.disk.id, "diskofferingname": machine.disk.name})
    if "servoff" in groups or ("stats" in groups and machine.state == "Running"):
        size = machine.size
        parts.append({"cpunumber": size.cpus, "cpuspeed": size.mhz, "memory": size.memory})
    if "stats" in groups and machine.state == "Running":
        parts.append(_stats(machine))
    parts.append({"guestosid": machine.template.system.id})
    if "volume" in groups:
        parts.append({"rootdeviceid": 0, "rootdevicetype": "ROOT"})
    addressed = "nics" in groups or bool(machine.tags) or machine.disk is not None
    parts.append({"securitygroup": [], "nic": [_nic(machine)] if addressed else []})
    parts.append(_rest(machine, addressed, "affgrp" in groups))
    row: Row = {}
    for part in parts:
        row.update(part)
    if machine.job:
        row |= {"jobid": machine.job, "jobstatus": 0}
    return row


def _who(machine: Machine) -> Row:
    owner = machine.owner
    row = {"id": machine.id, "name": machine.name, "displayname": machine.displayname}
    if not owner.project:
        row["account"] = owner.name
    row |= {"userid": owner.user.id, "username": owner.user.username}
    row |= owner.fields()
    row["created"] = stamp(machine.created)
    if not machine.never_started:
        row["lastupdated"] = stamp(machine.updated)
    return row | {"state": machine.state, "haenable": False}


def _where(machine: Machine) -> Row:
    zone = machine.cluster.zone
    row: Row = {"zoneid": zone.id, "zonename": zone.name}
    host = machine.host
    if host:
        row |= {
            "hostid": host.id,
            "hostname": host.name,
            "hostcontrolstate": "Enabled",
        }
    return row


def _template(template: Template) -> Row:
    return {
        "templateid": template.id,
        "templatename": template.name,
        "templatetype": template.type,
        "templateformat": "QCOW2",
        "templatedisplaytext": template.text,
        "passwordenabled": template.password_enabled,
    }


def _stats(machine: Machine) -> Row:
    size, used = machine.size, machine.used
    memory = size.memory * 1024
    return {
        "cpuused": f"{used:.2f}%",
        "networkkbsread": int(used * 9_000) + machine.number % 50,
        "networkkbswrite": int(used * 4_000) + machine.number % 30,
        "diskkbsread": int(used * 21_000),
        "diskkbswrite": int(used * 16_000),
        "memorykbs": memory,
        "memoryintfreekbs": int(memory * max(0.05, 0.9 - used / 100)),
        "memorytargetkbs": memory,
        "diskioread": int(used * 700),
        "diskiowrite": int(used * 900),
    }


def _nic(machine: Machine) -> Row:
    network = machine.network
    number = machine.number
    return {
        "id": identifier(machine.seed, "nic", number),
        "networkid": network.id,
        "networkname": network.name,
        "netmask": "255.255.255.0",
        "gateway": f"{network.prefix}.1",
        "ipaddress": machine.ipaddress,
        "isolationuri": f"vlan://{network.vlan}",
        "broadcasturi": f"vlan://{network.vlan}",
        "traffictype": "Guest",
        "type": "Isolated",
        "isdefault": True,
        "macaddress": f"02:01:{number >> 24:02x}:{number >> 16 & 255:02x}"
        f":{number >> 8 & 255:02x}:{number & 255:02x}",
        "secondaryip": [],
        "extradhcpoption": [],
        "deviceid": "0",
        "enabled": True,
    }


def _rest(machine: Machine, addressed: bool, with_affinity: bool) -> Row:
    system = machine.template.system
    row: Row = {"hypervisor": "KVM"}
    if addressed:
        row["ipaddress"] = machine.ipaddress
    row |= {
        "instancename": machine.instancename,
        "details": {"deployvm": "true"} if machine.never_started else {},
        "affinitygroup": _affinity(machine) if with_affinity else [],
        "displayvm": True,
        "isdynamicallyscalable": False,
        "deleteprotection": False,
        "ostypeid": system.id,
        "osdisplayname": system.name,
    }
    if not machine.never_started:
        row |= {"bootmode": "legacy", "boottype": "Bios", "pooltype": "NetworkFilesystem"}
    return row | {
        "receivedbytes": int(machine.used * 1_300_000_000),
        "sentbytes": int(machine.used * 700_000_000),
        "arch": "x86_64",
        "tags": [tag_row(machine, pair) for pair in machine.tags],
        "hasannotations": False,
    }


def _affinity(machine: Machine) -> list[Row]:
    group = machine.affinity
    if group is None:
        return []
    return [
        {
            "id": group.id,
            "name": group.name,
            "description": "Not on the same host",
            "account": group.owner.name,
        }
    ]


def tag_row(machine: Machine, pair: tuple[str, str]) -> Row:
    """A tag as it is nested in its machine's row."""
    owner = machine.owner.fields()
    del owner["domainpath"]
    return {
        "key": pair[0],
        "value": pair[1],
        "resourcetype": "UserVm",
        "resourceid": machine.id,
        **owner,
    }
