"""Values that a parameter takes, where neither its type nor a list command tells them.

Each comes from what the server says itself: the descriptions that listApis gives, the
answer of listDetailOptions, the words of its enums. What differs from cloud to cloud is
not here.
"""

from __future__ import annotations

from collections.abc import Mapping

_ARCH = "x86_64 aarch64 s390x"
_FILTER = "featured self selfexecutable shared sharedexecutable executable community all"
_PROTOCOLS = "tcp udp icmp all"

# By parameter, whatever the command.
_EVERYWHERE: Mapping[str, str] = {
    "arch": _ARCH,
    "templatefilter": _FILTER,
    "isofilter": _FILTER,
    "hypervisor": "KVM VMware XenServer Hyperv BareMetal Simulator Ovm3 External",
    "provisioningtype": "thin sparse fat",
    "leaseexpiryaction": "STOP DESTROY",
    "keyboard": "de de-ch es es-latam fi fr fr-be fr-ch is it jp nl-be no pt uk us",
    "boottype": "BIOS UEFI",
    "bootmode": "Legacy Secure",
    "guestiptype": "Isolated Shared",
    "routingmode": "Static Dynamic",
    "networktype": "Basic Advanced",
    "templatetype": "USER VNF SYSTEM ROUTING BUILTIN",
    "snapshottype": "MANUAL RECURRING",
    "locationtype": "primary secondary",
    "iodriverpolicy": "threads native io_uring",
    "resourcestate": "Enabled Disabled Unmanaged PrepareForMaintenance ErrorInMaintenance"
    " Maintenance Error",
}
# By command and parameter; these come first.
_THERE: Mapping[tuple[str, str], str] = {
    ("listvirtualmachines", "state"): "Running Stopped Present Destroyed Expunged",
    ("listvolumes", "state"): "Ready Allocated Destroy Expunging Expunged",
    ("listvolumes", "type"): "ROOT DATADISK",
    ("listhosts", "type"): "Routing SecondaryStorageVM ConsoleProxy",
    ("listaccounts", "state"): "enabled disabled locked",
    ("listaccounts", "accounttype"): "0 1 2",
    ("listusers", "accounttype"): "user admin domain-admin read-only-admin",
    ("listevents", "level"): "INFO WARN ERROR",
    ("listnetworks", "type"): "isolated l2 shared all",
    ("listpublicipaddresses", "state"): "Allocating Allocated Releasing Reserved Free",
    ("listroles", "type"): "Admin ResourceAdmin DomainAdmin User",
    ("createrole", "type"): "Admin ResourceAdmin DomainAdmin User",
    ("listroles", "state"): "enabled disabled",
    ("listvpcs", "state"): "Inactive Enabled",
    ("listvpcofferings", "state"): "Enabled Disabled",
    ("listprivategateways", "state"): "Creating Ready Deleting",
    ("listsnapshots", "intervaltype"): "hourly daily weekly monthly template none",
    ("createsnapshotpolicy", "intervaltype"): "HOURLY DAILY WEEKLY MONTHLY",
    ("listsystemvms", "systemvmtype"): "consoleproxy secondarystoragevm",
    ("liststorageproviders", "type"): "primary image",
    ("createstoragepool", "scope"): "cluster zone",
    ("liststoragepools", "scope"): "cluster zone",
    ("createloadbalancerrule", "algorithm"): "source roundrobin leastconn",
    ("updateloadbalancerrule", "algorithm"): "source roundrobin leastconn",
    ("createloadbalancerrule", "protocol"): "tcp udp tcp-proxy ssl",
    ("createfirewallrule", "protocol"): "tcp udp icmp",
    ("createportforwardingrule", "protocol"): "tcp udp",
    ("createegressfirewallrule", "protocol"): _PROTOCOLS,
    ("createnetworkacl", "protocol"): _PROTOCOLS,
    ("createnetworkacl", "traffictype"): "ingress egress",
    ("listnetworkacls", "traffictype"): "ingress egress",
    ("rundiagnostics", "type"): "ping traceroute arping",
    ("extracttemplate", "mode"): "HTTP_DOWNLOAD FTP_UPLOAD",
    ("extractiso", "mode"): "HTTP_DOWNLOAD FTP_UPLOAD",
    ("extractvolume", "mode"): "HTTP_DOWNLOAD FTP_UPLOAD",
    ("updatehost", "allocationstate"): "Enable Disable",
    ("registertemplate", "format"): "QCOW2 RAW VHD OVA",
}
_MACHINE = "cpuNumber cpuSpeed memory rootdisksize keyboard UEFI cpu.corespersocket"
_KEYS: Mapping[tuple[str, str], str] = {
    ("deployvirtualmachine", "details"): _MACHINE,
    ("updatevirtualmachine", "details"): _MACHINE,
    ("scalevirtualmachine", "details"): "cpuNumber cpuSpeed memory",
}


def words_for(command: str, parameter: str) -> tuple[str, ...]:
    """The words that a parameter of a command is known to take, the likeliest first."""
    name = parameter.lower()
    known = _THERE.get((command.lower(), name), _EVERYWHERE.get(name, ""))
    return tuple(known.split())


def keys_for(command: str, parameter: str) -> tuple[str, ...]:
    """The keys that a map parameter is known to take: `details.cpuNumber=2`."""
    return tuple(_KEYS.get((command.lower(), parameter.lower()), "").split())
