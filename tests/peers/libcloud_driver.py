"""The CloudStack driver of Apache Libcloud."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from peers.checks import equal, same
from peers.client import (
    ALL,
    MACHINES,
    Bench,
    Check,
    ClientError,
    DiffersError,
    NotAtHandError,
    OwnLimitError,
    Peer,
)
from peers.plain import Arguments, Row, Target, ids, rows_of, spelt

# The driver's own lists, and the command that each asks.
LISTS = {
    "list_locations": "listZones",
    "list_sizes": "listServiceOfferings",
    "list_images": "listTemplates",
    "list_nodes": MACHINES,
    "list_volumes": "listVolumes",
    "list_snapshots": "listSnapshots",
    "list_key_pairs": "listSSHKeyPairs",
    "ex_list_disk_offerings": "listDiskOfferings",
    "ex_list_network_offerings": "listNetworkOfferings",
    "ex_list_networks": "listNetworks",
    "ex_list_vpc_offerings": "listVPCOfferings",
    "ex_list_vpcs": "listVPCs",
    "ex_list_routers": "listRouters",
    "ex_list_projects": "listProjects",
    "ex_list_public_ips": "listPublicIpAddresses",
    "ex_list_firewall_rules": "listFirewallRules",
    "ex_list_egress_firewall_rules": "listEgressFirewallRules",
    "ex_list_port_forwarding_rules": "listPortForwardingRules",
    "ex_list_ip_forwarding_rules": "listIpForwardingRules",
    "ex_list_network_acllists": "listNetworkACLLists",
    "ex_list_network_acl": "listNetworkACLs",
    "ex_list_security_groups": "listSecurityGroups",
    "ex_list_affinity_groups": "listAffinityGroups",
    "ex_list_affinity_group_types": "listAffinityGroupTypes",
    "ex_list_os_types": "listOsTypes",
    "ex_list_vpn_gateways": "listVpnGateways",
    "ex_list_vpn_customer_gateways": "listVpnCustomerGateways",
    "ex_list_vpn_connections": "listVpnConnections",
}
NEEDED = {"listTemplates": {"templatefilter": "executable"}}
# What the driver wants in every row, and a real server's rows lack too (F-shapes/17: the
# routers of networks that are in no VPC).
LACKING = {"ex_list_routers": "vpcid"}


class LibcloudPeer(Peer):
    """The compute driver; commands without a method go through its own request."""

    name = "libcloud"

    def __init__(self, target: Target) -> None:
        from libcloud.compute.drivers.cloudstack import CloudStackNodeDriver

        driver: Any = CloudStackNodeDriver
        self.driver = driver(
            key=target.api_key,
            secret=target.secret_key,
            url=target.endpoint,
            secure=urlsplit(target.endpoint).scheme == "https",
        )

    @classmethod
    def version(cls) -> str:
        try:
            return version("apache-libcloud")
        except PackageNotFoundError:
            raise NotAtHandError("pip install apache-libcloud") from None

    def call(self, command: str, arguments: Arguments) -> Row:
        answer: Row = self.do(self.driver._sync_request, command, params=spelt(arguments))
        return answer

    def job(self, command: str, arguments: Arguments) -> Row:
        of, kind, tags = [arguments["resourceids"]], arguments["resourcetype"], arguments["tags"]
        if command == "createTags":
            return {"success": self.do(self.driver.ex_create_tags, of, kind, tags)}
        return {"success": self.do(self.driver.ex_delete_tags, of, kind, list(tags))}

    @classmethod
    def own_checks(cls) -> dict[str, Check]:
        return {"public lists": _public_lists, "nodes": _nodes}

    def do(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What a method of the library gives, its errors as ours."""
        from libcloud.common.types import InvalidCredsError, ProviderError

        try:
            return method(*arguments, **options)
        except InvalidCredsError as error:
            raise ClientError(str(error), 401) from error
        except ProviderError as error:
            raise ClientError(str(error.value), error.http_code) from error
        except Exception as error:
            if type(error) is not Exception:  # as it tells of a failed job
                raise
            raise ClientError(str(error)) from error


def _driver(bench: Bench) -> tuple[LibcloudPeer, Any]:
    assert isinstance(bench.peer, LibcloudPeer)
    return bench.peer, bench.peer.driver


def _public_lists(bench: Bench) -> str:
    """Each list method takes the server's answer, with as many elements."""
    peer, driver = _driver(bench)
    taken, own = 0, []
    for method, command in LISTS.items():
        wanted = bench.plain.rows(command, NEEDED.get(command))
        try:
            got = peer.do(getattr(driver, method))
        except KeyError as error:
            field = LACKING.get(method, "")
            if wanted and (error.args != (field,) or all(field in row for row in wanted)):
                raise DiffersError(f"{method} misses {error}") from error
            own.append(f"{method} ({f'rows without {field}' if wanted else 'no rows'})")
            continue
        equal(f"elements of {method}", len(got), len(wanted))
        taken += 1
    if own:
        raise OwnLimitError(f"{taken} lists are read; it cannot take {', '.join(own)}")
    return f"{taken} lists"


def _nodes(bench: Bench) -> str:
    """A machine of each state becomes a node with its name and addresses; so do projects'."""
    peer, driver = _driver(bench)
    by_state = {one["state"]: one for one in bench.machines}
    for machine in (one for state, one in by_state.items() if state in driver.NODE_STATE_MAP):
        node = peer.do(driver.ex_get_node, machine["id"])
        equal("id and name", (node.id, node.name), (machine["id"], machine["name"]))
        addresses = {nic["ipaddress"] for nic in machine["nic"] if "ipaddress" in nic}
        equal("missing addresses", addresses - {*node.public_ips, *node.private_ips}, set())
    projects = rows_of(bench.plain.ask("listProjects", ALL))
    for project in projects:
        wanted = bench.plain.rows(MACHINES, {"projectid": project["id"]})
        nodes = peer.do(driver.list_nodes, project=SimpleNamespace(id=project["id"]))
        same("nodes of a project", (node.id for node in nodes), ids(wanted))
    return f"{len(by_state)} states, {len(projects)} projects"
