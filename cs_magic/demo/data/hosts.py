"""The hosts as listHosts prints them, with the load of the machines placed on them."""

from __future__ import annotations

from cs_magic.demo.data.clock import Clock
from cs_magic.demo.data.items import Fixed, Row, Table, stamp
from cs_magic.demo.data.places import BUILT, HOST_CORES, HOST_SPEED, VERSION, Host, Places

EVENTS = (
    "ManagementServerDown; PingTimeout; AgentConnected; StartAgentRebalance; "
    "AgentDisconnected; ShutdownRequested; Remove; Ping; HostDown"
)
# The processors of a host are given out four times.
OVERCOMMIT = 4
MEBI = 1 << 20


class _Pinged(Fixed):
    """A host, which was pinged just now."""

    def __init__(self, number: int, fields: Row, clock: Clock) -> None:
        super().__init__(number, fields)
        self._clock = clock

    def row(self) -> Row:
        """The row, with the ping as the real server prints it: in 1970.

        It keeps units of 1,024 ms and takes them for milliseconds.
        """
        pinged = (int(self._clock.now() * 1_000) >> 10) / 1_000
        return self.fields | {"lastpinged": stamp(pinged)}


def hosts_table(where: Places, clock: Clock) -> Table:
    """The hosts; those in order carry machines, one is in maintenance."""
    return Table(
        [_Pinged(host.number, _host_row(host, where.manager_id), clock) for host in where.hosts]
    )


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}".removesuffix(".0") + "%"


def _host_row(host: Host, manager_id: str) -> Row:
    zone = host.cluster.zone
    total = HOST_CORES * HOST_SPEED
    share = _percent(host.mhz, total)
    memory = host.memory * MEBI
    return {
        "id": host.id,
        "name": host.name,
        "state": "Up",
        "type": "Routing",
        "ipaddress": f"{zone.management}.{10 + host.number % 240}",
        "zoneid": zone.id,
        "zonename": zone.name,
        "podid": zone.pod_id,
        "podname": zone.pod_name,
        "version": VERSION,
        "hypervisor": "KVM",
        "cpunumber": HOST_CORES,
        "cpuspeed": HOST_SPEED,
        "cpuallocated": share,
        "cpuallocatedvalue": host.mhz,
        "cpuallocatedpercentage": share,
        "cpuallocatedwithoverprovisioning": _percent(host.mhz, total * OVERCOMMIT),
        "cpuused": _percent(host.busy, total),
        "cpuwithoverprovisioning": str(total * OVERCOMMIT),
        "cpuloadaverage": round(host.busy / HOST_SPEED, 2),
        "networkkbsread": 40_000 * host.machines,
        "networkkbswrite": 25_000 * host.machines,
        "memorytotal": host.size,
        "memorywithoverprovisioning": str(host.size),
        "memoryallocated": memory,
        "memoryallocatedpercentage": _percent(memory, host.size),
        "memoryallocatedbytes": memory,
        "memoryused": int(memory * 0.83),
        "capabilities": "hvm,snapshot",
        # Put in when it is sent.
        "lastpinged": "",
        "managementserverid": manager_id,
        "managementservername": "demo-management-1",
        "clusterid": host.cluster.id,
        "clustername": host.cluster.name,
        "clustertype": "CloudManaged",
        "islocalstorageactive": False,
        "created": stamp(BUILT + host.number * 3_600),
        "events": EVENTS,
        "hostha": {"haenable": False, "hastate": "Disabled"},
        "outofbandmanagement": {"powerstate": "Disabled", "enabled": False},
        "resourcestate": "Maintenance" if host.maintenance else "Enabled",
        "hypervisorversion": "8.2.2",
        "hahost": False,
        "ueficapability": True,
        "arch": "x86_64",
        "hasannotations": False,
    }
