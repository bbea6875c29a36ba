"""List commands of what is reachable: egress, load balancers, security groups, VPCs."""

from __future__ import annotations

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate, same
from cs_magic.demo.cloud.lists import Command, ListCommand, ObjectCommand
from cs_magic.demo.cloud.ownership import MACHINES, NETWORKS
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.words import OWNERS, PAGES, PROJECT, TAGS, keyword, of, one, word
from cs_magic.demo.data.exposure import behind
from cs_magic.demo.data.items import Row
from cs_magic.demo.data.machines import EVERYTHING, machine_row
from cs_magic.demo.data.world import World

OFFERED_TO_ALL = frozenset(("fordisplay",))
SERVICE = "name provider"
# Unless asked for the addresses too, the answer has no admin's fields, for nobody.
PLACED = frozenset(("hostid", "hostname", "instancename", "arch"))


def with_defaults(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """What one owns, and what belongs to nobody and is there for everybody."""
    owned = scopes.owned(world, caller, arguments, command)
    return lambda item: item.owner is None or owned(item)


def balanced(world: World, caller: Caller, arguments: Arguments) -> Row:
    """The machines behind a load balancer rule, with their addresses where lbvmips says so."""
    id_ = arguments["id"]
    visible = scopes.owned(world, caller, {"id": id_}, "listLoadBalancerRuleInstances")
    found = world.table("balancers").find(id_)
    if found is None or not visible(found):
        return {}
    networks = [n for _, n in world.balanced() if n.id == found.get("networkid")]
    machines = behind(networks[0], world.fleet.machines)
    rows = [machine_row(machine, EVERYTHING) for machine in machines]
    if not rows:
        return {}
    if arguments.get("lbvmips"):
        entries = [
            {"loadbalancerruleinstance": row, "lbvmipaddresses": [row["ipaddress"]]} for row in rows
        ]
        return {"count": len(entries), "lbrulevmidip": entries}
    shown = [{name: row[name] for name in row if name not in PLACED} for row in rows]
    return {"count": len(shown), "loadbalancerruleinstance": shown}


def _none(name: str, key: str) -> ListCommand:
    """A list that is empty here."""
    return ListCommand(
        name,
        key=key,
        table="nothing",
        scope=scopes.owned,
        parameters=(one("nothing"), *OWNERS, PROJECT, *PAGES),
        fields="id",
    )


COMMANDS: tuple[Command, ...] = (
    ListCommand(
        "listEgressFirewallRules",
        types={"tags": "list", "startport": "integer", "endport": "integer"},
        key="firewallrule",
        table="egress",
        scope=scopes.owned,
        hidden=OFFERED_TO_ALL,
        parameters=(one("egress"), of("networkid", "networks"), TAGS, *OWNERS, PROJECT, *PAGES),
        fields="id protocol startport endport networkid state cidrlist tags fordisplay "
        "destcidrlist traffictype",
    ),
    ListCommand(
        "listLoadBalancerRules",
        types={"tags": "list"},
        key="loadbalancerrule",
        table="balancers",
        scope=scopes.owned,
        hidden=OFFERED_TO_ALL,
        parameters=(
            one("balancers"),
            word("name"),
            of("publicipid", "addresses"),
            of("networkid", "networks"),
            of("zoneid", "zones"),
            keyword("name"),
            TAGS,
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id name publicipid publicip publicport privateport algorithm networkid projectid "
        "project account domainid domain domainpath state zoneid zonename protocol tags fordisplay",
    ),
    ObjectCommand(
        "listLoadBalancerRuleInstances",
        types={"loadbalancerruleinstance": "uservmresponse"},
        parameters=(
            Parameter("id", "uuid", "the load balancer rule", entity="balancers", required=True),
            Parameter("lbvmips", "boolean", "with the addresses of the machines"),
            *PAGES,
        ),
        fields="loadbalancerruleinstance lbvmipaddresses",
        nested={"loadbalancerruleinstance": MACHINES.fields},
        answer=balanced,
    ),
    ListCommand(
        "listSecurityGroups",
        key="securitygroup",
        table="securitygroups",
        scope=scopes.owned,
        parameters=(
            one("securitygroups"),
            Parameter("securitygroupname", "string", "those with this name", same("name")),
            keyword("name"),
            TAGS,
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id name description projectid project account domainid domain domainpath "
        "ingressrule egressrule tags virtualmachinecount virtualmachineids",
        nested={
            "ingressrule": "ruleid protocol startport endport cidr tags",
            "egressrule": "ruleid protocol startport endport cidr tags",
        },
    ),
    ListCommand(
        "listVPCs",
        types={"tags": "list"},
        key="vpc",
        table="vpcs",
        scope=scopes.owned,
        parameters=(
            one("vpcs"),
            word("name"),
            keyword("name"),
            word("cidr"),
            word("state"),
            of("zoneid", "zones"),
            of("vpcofferingid", "vpcofferings"),
            TAGS,
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id name displaytext state zoneid zonename service cidr vpcofferingid "
        "vpcofferingname vpcofferingconservemode created projectid project account domainid "
        "domain domainpath network restartrequired networkdomain tags fordisplay "
        "distributedvpcrouter regionlevelvpc redundantvpcrouter publicmtu "
        "keepmacaddressonpublicnic hasannotations",
        nested={"service": SERVICE, "network": NETWORKS.fields},
    ),
    ListCommand(
        "listNetworkACLLists",
        key="networkacllist",
        table="acllists",
        scope=with_defaults,
        hidden=OFFERED_TO_ALL,
        parameters=(
            one("acllists"),
            word("name"),
            keyword("name"),
            of("vpcid", "vpcs"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id name description vpcid vpcname fordisplay",
    ),
    ListCommand(
        "listNetworkACLs",
        types={"tags": "list"},
        key="networkacl",
        table="aclrules",
        scope=with_defaults,
        hidden=OFFERED_TO_ALL,
        parameters=(
            one("aclrules"),
            of("aclid", "acllists"),
            word("action"),
            word("protocol"),
            word("traffictype"),
            keyword("protocol"),
            TAGS,
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id protocol startport endport traffictype state cidrlist tags aclid aclname "
        "number action fordisplay",
    ),
    _none("listVpnGateways", "vpngateway"),
    _none("listVpnCustomerGateways", "vpncustomergateway"),
    _none("listVpnConnections", "vpnconnection"),
)
