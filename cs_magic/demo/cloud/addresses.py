"""Taking and giving back public addresses, and the firewall rules on them."""

from __future__ import annotations

from typing import cast

from cs_magic.demo.cloud import extras
from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.ownership import ADDRESSES
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import INVALID, Refused
from cs_magic.demo.cloud.vm_changes import FOR_WHOM
from cs_magic.demo.cloud.writes import (
    SUCCESS,
    SUCCESS_FIELDS,
    Deed,
    WriteCommand,
    check_owner,
    check_quota,
    count,
    dumped,
    listed,
)
from cs_magic.demo.data.items import Fixed, Item, Row, stamp
from cs_magic.demo.data.networks import Network, address_row

KIND = "IpAddress"
CONFLICT = 4360
FIREWALLS = listed(extras.COMMANDS, "listFirewallRules")


def associate(deed: Deed) -> Work:
    """An address for a network: Allocating in the result, and Allocated in the list then."""
    if "networkid" not in deed.arguments:
        raise Refused(431, "Unable to figure out zone to assign ip to", INVALID)
    check_owner(deed.caller, deed.named("networks", "networkid").owner)
    wanted = deed.arguments["networkid"]
    network = next((n for n in deed.world.fleet.networks.all if n.id == wanted), None)
    if network is None:
        raise Refused(431, "Unable to figure out zone to assign ip to", INVALID)
    owner = network.owner
    check_quota(deed, owner, ip=1)
    number, id_ = deed.new("addresses")
    row = address_row(network, _free(deed, network), number, 2, deed.world.seed)
    row |= {"id": id_, "state": "Allocating", "hasrules": False, "allocated": stamp(deed.now)}
    item = deed.add("addresses", row, owner)
    count(deed, owner, ip=1)

    def finish() -> Row:
        shown = deed.shown(ADDRESSES, item)
        item.fields = row | {"state": "Allocated"}
        return {"ipaddress": shown}

    failure = "Failed to assign ip address"
    return Work(
        finish,
        kind=KIND,
        instance=id_,
        created=id_,
        span=0.5,
        failure=failure,
        undo=lambda: _gone(deed, item),
    )


def _stamped(deed: Deed) -> str:
    return stamp(deed.now)


def _free(deed: Deed, network: Network) -> str:
    """An address of the zone that nobody has."""
    taken = {item.get("ipaddress") for item in deed.world.table("addresses")}
    prefix = f"100.{63 + network.zone.number}"
    return next(
        text
        for number in range(65_000)
        if (text := f"{prefix}.{250 - number // 250}.{number % 250 + 1}") not in taken
    )


def disassociate(deed: Deed) -> Work:
    """An address is given back, with the rules on it; a network's way out is not."""
    if "id" not in deed.arguments:
        raise Refused(431, "Unable to find IP address", INVALID)
    item = deed.named("addresses")
    if item.get("issourcenat"):
        text = "the ip address is used for source NAT; release the network instead"
        raise Refused(431, f"Ip address id={item.number} can't be released: {text}", INVALID)

    def finish() -> Row:
        _gone(deed, item)
        return SUCCESS

    failure = "Failed to disassociate IP address"
    return Work(finish, kind=KIND, instance=str(item.get("id")), span=0.5, failure=failure)


def _gone(deed: Deed, item: Item) -> None:
    table = deed.world.table("addresses")
    if item not in table.items or item.owner is None:
        return
    table.remove(item)
    count(deed, item.owner, ip=-1)
    for name in ("firewalls", "forwardings", "balancers"):
        rules = deed.world.table(name)
        id_ = item.get("id")
        rules.remove(*(r for r in rules if id_ in (r.get("ipaddressid"), r.get("publicipid"))))


def open_up(deed: Deed) -> Work:
    """A firewall rule on an address; one that meets another one is refused at once."""
    address, arguments = deed.named("addresses", "ipaddressid"), deed.arguments
    first = arguments.get("startport")
    last = arguments.get("endport", first)
    _check_conflict(deed, address, first, last)
    _, id_ = deed.new("firewalls")
    ports: Row = {} if first is None else {"startport": first, "endport": last}
    row: Row = {
        "id": id_,
        "protocol": arguments["protocol"].lower(),
        **ports,
        "ipaddressid": address.get("id"),
        "networkid": address.get("associatednetworkid"),
        "ipaddress": address.get("ipaddress"),
        "state": "Active",
        "cidrlist": ",".join(arguments.get("cidrlist") or ("0.0.0.0/0",)),
        "tags": [],
        "fordisplay": True,
        "destcidrlist": "",
        "traffictype": "Ingress",
    }
    assert address.owner
    item = deed.add("firewalls", row | {"state": "Add"}, address.owner)

    def finish() -> Row:
        item.fields = row
        cast(Fixed, address).fields = address.row() | {"hasrules": True}
        return {"firewallrule": deed.shown(FIREWALLS, item)}

    def undo() -> None:
        deed.world.table("firewalls").remove(item)

    failure = "Failed to create firewall rule"
    return Work(
        finish, undo=undo, kind="FirewallRule", instance=id_, created=id_, span=0.5, failure=failure
    )


def _check_conflict(deed: Deed, address: Item, first: int | None, last: int | None) -> None:
    if first is None or last is None:
        return
    for rule in deed.world.table("firewalls"):
        low, high = rule.get("startport"), rule.get("endport")
        same = rule.get("ipaddressid") == address.get("id")
        if same and low is not None and low <= last and first <= high:
            named = {"id": rule.number, "purpose": "Firewall", "state": "Active"}
            shown = dumped(named | {"uuid": rule.get("id")})
            text = f"The range specified, {first}-{last}, conflicts with rule FirewallRule "
            raise Refused(537, f"{text}{shown} which has {low}-{high}", CONFLICT)


def close(deed: Deed) -> Work:
    """A firewall rule is gone."""
    item = deed.named("firewalls")

    def finish() -> Row:
        deed.world.table("firewalls").remove(item)
        return SUCCESS

    failure = "Failed to delete firewall rule"
    return Work(
        finish, kind="FirewallRule", instance=str(item.get("id")), span=0.5, failure=failure
    )


COMMANDS = (
    WriteCommand(
        "associateIpAddress",
        parameters=(
            Parameter("networkid", "uuid", "the network it is for", entity="networks"),
            *FOR_WHOM,
        ),
        fields=ADDRESSES.fields,
        nested=ADDRESSES.nested,
        types=ADDRESSES.types,
        isasync=True,
        java="user.address.AssociateIPAddrCmd",
        two_faced=True,
        act=associate,
    ),
    WriteCommand(
        "disassociateIpAddress",
        parameters=(Parameter("id", "uuid", "the address", entity="addresses"),),
        fields=SUCCESS_FIELDS,
        isasync=True,
        java="user.address.DisassociateIPAddrCmd",
        act=disassociate,
    ),
    WriteCommand(
        "createFirewallRule",
        parameters=(
            Parameter("ipaddressid", "uuid", "the address", entity="addresses", required=True),
            Parameter("protocol", "string", "tcp, udp or icmp", required=True),
            Parameter("startport", "integer", "the first port"),
            Parameter("endport", "integer", "the last port"),
            Parameter("cidrlist", "list", "from where; from everywhere if left out"),
        ),
        fields=FIREWALLS.fields,
        nested=FIREWALLS.nested,
        types=FIREWALLS.types,
        isasync=True,
        java="user.firewall.CreateFirewallRuleCmd",
        act=open_up,
    ),
    WriteCommand(
        "deleteFirewallRule",
        parameters=(Parameter("id", "uuid", "the rule", entity="firewalls", required=True),),
        fields=SUCCESS_FIELDS,
        isasync=True,
        java="user.firewall.DeleteFirewallRuleCmd",
        act=close,
    ),
)
