"""Which arguments take ids that may be said by name, and in which lists the names are.

What a list's names are comes from the fields it answers with; the tables below hold what
those don't say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cs_magic.api.catalogue import Command, Parameter, bundled
from cs_magic.api.checks import is_uuid
from cs_magic.api.values import Call

FORCED = "name:"

# The column that a list's things are called by, where that isn't `name`; two are tried in order.
_COLUMNS = {
    "listDomainChildren": ("path", "name"),
    "listDomains": ("path", "name"),
    "listOsTypes": ("description",),
    "listPublicIpAddresses": ("ipaddress",),
    "listQuarantinedIps": ("ipaddress",),
    "listUsers": ("username",),
    "listVpnUsers": ("username",),
}
# These have a `name` that is a kind's, or another thing's; the last can't be asked for whole.
_NAMELESS = frozenset(
    "listAlerts listAlertTypes listWebhookDeliveries listProjectAccounts"
    " listGlobalLoadBalancerRules".split()
)
# The parameter that finds a name in a list, where that isn't called as the column is.
_FILTERS = {"listSecurityGroups": "securitygroupname"}
# These list less than there is without a word that not everybody may say.
FILTERED = {
    "listIsos": "isofilter",
    "listTemplates": "templatefilter",
    "listVnfTemplates": "templatefilter",
}
ALL, USABLE = "all", "executable"
# Lists of the same things as another one, which has their names and asks for nothing.
_INSTEAD = {
    "listAffectedVmsForStorageScopeChange": "listVirtualMachines",
    "listIsoPermissions": "listIsos",
    "listLoadBalancerRuleInstances": "listLoadBalancerRules",
    "listSystemVmsUsageHistory": "listSystemVms",
    "listTemplatePermissions": "listTemplates",
}
# Lists of other things than the first one's, so that what isn't there may be here.
_FURTHER = frozenset(
    "listCniConfiguration listImageStores listInternalLoadBalancerVMs listIsos"
    " listLoadBalancerRules listLoadBalancers listRouters listSecondaryStagingStores listSwifts"
    " listTemplates listUserData listVirtualMachines".split()
)
# Ids that the thing to be made will have.
_NEW = frozenset(
    {
        ("createaccount", "accountid"),
        ("createaccount", "userid"),
        ("createdomain", "domainid"),
        ("createuser", "userid"),
        ("ldapcreateaccount", "accountid"),
        ("ldapcreateaccount", "userid"),
    }
)
# Texts of several ids, in which a word stands for no limit.
_WORDS = {"domainid": frozenset({"public"}), "zoneid": frozenset({"all"})}
# Map parameters: which of their keys hold ids, and of what. The catalogue doesn't say.
_MAPS = {
    "datadiskofferinglist": {
        "diskoffering": "listDiskOfferings",
        "diskofferingid": "listDiskOfferings",
    },
    "datadisksdetails": {"diskofferingid": "listDiskOfferings"},
    "dhcpoptionsnetworklist": {"networkid": "listNetworks"},
    "gslblbruleweightsmap": {"loadbalancerid": "listLoadBalancerRules"},
    "iptonetworklist": {"networkid": "listNetworks"},
    "migrateto": {
        "host": "listHosts",
        "pool": "listStoragePools",
        "vm": "listVirtualMachines",
        "volume": "listVolumes",
    },
    "nicnetworklist": {"network": "listNetworks"},
    "nodeaffinitygroups": {"affinitygroup": "listAffinityGroups"},
    "nodeofferings": {"offering": "listServiceOfferings"},
    "nodetemplates": {"template": "listTemplates"},
    "tiernetworkofferings": {
        "networkid": "listNetworks",
        "networkofferingid": "listNetworkOfferings",
    },
    "vmidipmap": {"vmid": "listVirtualMachines"},
}

_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Ids:
    """What an argument takes: ids of things in these lists, the likeliest first.

    `several` is a comma list; `words` are no names; `numbers` that the server takes its
    internal ids, too.
    """

    lists: tuple[str, ...]
    several: bool = False
    words: frozenset[str] = frozenset()
    numbers: bool = True

    def pieces(self, value: str) -> list[str]:
        """The ids and names in a value."""
        return value.split(",") if self.several else [value]

    def name_in(self, piece: str, forced_only: bool = False) -> str | None:
        """The name that a piece says, or None where it is sent as it stands."""
        if piece.startswith(FORCED):
            return piece.removeprefix(FORCED)
        if forced_only or not piece or piece == "-1" or piece in self.words or is_uuid(piece):
            return None
        return None if self.numbers and _NUMBER.fullmatch(piece) else piece


def columns_of(name: str) -> tuple[str, ...]:
    """The columns by which the things of a list are called, the first one that fits counts.

    () where they have no name, or nobody knows.
    """
    known = bundled().find(name)
    if known is None or name in _NAMELESS or known.field("id") is None:
        return ()
    columns = _COLUMNS.get(name, ("name",))
    return columns if all(known.field(column) for column in columns) else ()


def filter_of(command: Command) -> str | None:
    """The parameter with which a list is asked for one name, or None where it has none."""
    wanted = _FILTERS.get(command.name, columns_of(command.name)[-1])
    known = command.parameter(wanted)
    return known.name if known is not None else None


def ids_of(command: Command, argument: str) -> Ids | None:
    """What ids an argument takes, by its wire name, or None where it takes no names for them."""
    if "[" in argument:
        return _of_map(argument)
    parameter = command.parameter(argument)
    if parameter is None or not _holds_ids(command, parameter):
        return None
    lists = _lists(command, parameter)
    if not lists:
        return None
    numbers = parameter.type != "uuid" or not parameter.since
    if parameter.type == "list":
        return Ids(lists, several=True, numbers=not parameter.since)
    words = _WORDS.get(parameter.name) if parameter.type == "string" else None
    return Ids(lists, words is not None, words or frozenset(), numbers)


def names_nothing(command: Command, argument: str, value: str) -> bool:
    """Is it a forced name where only an id can stand?"""
    parameter = command.parameter(argument)
    ids = parameter is not None and parameter.type == "uuid" and "[" not in argument
    return ids and value.startswith(FORCED) and ids_of(command, argument) is None


def without_names(call: Call, command: Command | None) -> Call:
    """The call with an empty text where a name stands: what can be checked before a look-up."""
    if command is None:
        return call
    return replace(call, arguments=tuple(_unnamed(command, *pair) for pair in call.arguments))


def _unnamed(command: Command, argument: str, value: str) -> tuple[str, str]:
    ids = ids_of(command, argument)
    named = ids is not None and any(ids.name_in(piece) is not None for piece in ids.pieces(value))
    return argument, "" if named else value


def _of_map(argument: str) -> Ids | None:
    parameter, _, rest = argument.lower().partition("[")
    name = _MAPS.get(parameter, {}).get(rest.partition("].")[2])
    return Ids((name,), several=parameter == "nodeaffinitygroups") if name else None


def _holds_ids(command: Command, parameter: Parameter) -> bool:
    if parameter.type not in {"uuid", "list", "string"} or parameter.name.endswith("names"):
        return False
    return (command.name.lower(), parameter.name.lower()) not in _NEW


def _lists(command: Command, parameter: Parameter) -> tuple[str, ...]:
    """The lists to look in. What is acted on itself is only looked for in its own list."""
    found = list(dict.fromkeys(_named(command, parameter)))
    own = parameter.name in {"id", "ids"}
    return tuple(found[:1] if own else [*found[:1], *(n for n in found[1:] if n in _FURTHER)])


def _named(command: Command, parameter: Parameter) -> Iterator[str]:
    # A server's own catalogue loses a quarter of these on the way (`related` of listApis).
    known = bundled().find(command.name)
    same = known.parameter(parameter.name) if known is not None else None
    for name in (same.related if same is not None else ()) or parameter.related:
        name = _INSTEAD.get(name, name)
        if columns_of(name):
            yield name
