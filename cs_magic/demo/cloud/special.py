"""Rules that only one command has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate
from cs_magic.demo.cloud.parameters import Arguments
from cs_magic.demo.cloud.refusals import INVALID, Refused
from cs_magic.demo.data.items import Fixed, Item, Row
from cs_magic.demo.data.places import VERSION
from cs_magic.demo.data.settings import FOR_DOMAIN_ADMINS
from cs_magic.demo.data.totals import limit_rows
from cs_magic.demo.data.world import World

TEMPLATE_FILTERS = (
    "featured",
    "self",
    "selfexecutable",
    "shared",
    "sharedexecutable",
    "executable",
    "community",
    "all",
)


def machines(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Machines: a user is not shown the destroyed ones."""
    if "id" in arguments and "ids" in arguments:
        raise Refused(431, "Specify either id or ids but not both parameters", INVALID)
    owned = scopes.owned(world, caller, arguments, command)
    if not caller.is_user:
        return owned
    return lambda item: owned(item) and item.get("state") != "Destroyed"


def events(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Events: an id says nothing without the kind of thing that has it."""
    if "resourceid" in arguments and "resourcetype" not in arguments:
        text = "resourceid parameter must be used with resourcetype parameter"
        raise Refused(431, text, INVALID)
    return scopes.owned(world, caller, arguments, command)


def settings(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate | None:
    """Settings: a domain admin is shown few, default.page.size not among them."""
    if caller.is_root:
        return None
    return lambda item: item.get("name") in FOR_DOMAIN_ADMINS


def templates(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate | None:
    """Templates by templatefilter: whose, and offered to whom."""
    test = _offered(arguments["templatefilter"], caller)
    if arguments.get("projectid") == "-1" and not caller.is_root:
        return lambda item: bool(caller.is_domain_admin and item.get("ispublic"))
    return test


def isos(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate | None:
    """ISOs by isofilter: one's own where it is not given."""
    return _offered(arguments.get("isofilter") or "selfexecutable", caller)


def _offered(filter_: str, caller: Caller) -> Predicate:
    """What a word of templatefilter or isofilter lets through."""
    word = filter_.lower()
    if word not in TEMPLATE_FILTERS:
        raise Refused(
            431,
            f"No enum constant com.cloud.template.VirtualMachineTemplate.TemplateFilter.{filter_}",
        )
    if word == "all" and caller.is_user:
        raise Refused(431, "Filter all can be specified by admin only", INVALID)
    return _template_tests(caller)[word]


def _template_tests(caller: Caller) -> dict[str, Predicate]:
    def public(item: Item) -> bool:
        return bool(item.get("ispublic"))

    def own(item: Item) -> bool:
        return item.owner is caller.account

    def visible(item: Item) -> bool:
        return public(item) or (item.owner is not None and caller.sees(item.owner))

    return {
        "featured": lambda item: public(item) and item.get("isfeatured"),
        "community": lambda item: public(item) and not item.get("isfeatured"),
        "self": own,
        "selfexecutable": own,
        "shared": lambda item: False,
        "sharedexecutable": lambda item: False,
        "executable": lambda item: public(item) or own(item),
        "all": visible,
    }


def limits(world: World, caller: Caller, arguments: Arguments) -> Sequence[Item]:
    """The resource limits of the caller's account, or of the named one."""
    scopes.check_named(world, caller, arguments)
    if arguments.get("projectid") == "-1":
        raise Refused(431, "Unable to find project by id", INVALID)
    account = caller.account
    if "projectid" in arguments:
        projects = world.people.project_accounts
        wanted = arguments["projectid"]
        account = next(a for a in projects if a.project and a.project.id == wanted)
    elif "account" in arguments:
        account = scopes.named_account(world, caller, arguments)
    rows = limit_rows(account, world.totals[account.number])
    return [Fixed(number, row, account) for number, row in enumerate(rows, 1)]


def capacities(world: World, caller: Caller, arguments: Arguments) -> Sequence[Item]:
    """The capacities; with sortby=usage the fullest first, as many as pagesize says."""
    items = world.table("capacities").items
    if arguments.get("sortby", "").lower() != "usage":
        return items
    size = arguments.get("pagesize", len(items))
    if size == -1:
        text = 'Cannot invoke "java.lang.Long.longValue()" because "limit" is null'
        raise Refused(530, text)
    return sorted(items, key=lambda item: -float(item.get("percentused")))[:size]


def capabilities(world: World, caller: Caller, arguments: Arguments) -> dict[str, Any]:
    """What the cloud can do."""
    root: Row = {"extensionspath": "/usr/share/cloudstack/extensions"} if caller.is_root else {}
    limit = world.api_limit
    most, interval = (limit[0], math.ceil(limit[1])) if limit else (None, None)
    told: Row = {
        "securitygroupsenabled": False,
        "dynamicrolesenabled": True,
        "cloudstackversion": VERSION,
        "userpublictemplateenabled": True,
        "supportELB": "false",
        "projectinviterequired": False,
        "allowusercreateprojects": True,
        "customdiskofferingminsize": 1,
        "customdiskofferingmaxsize": 1024,
        "regionsecondaryenabled": False,
        "apilimitinterval": interval,
        "kvmsnapshotenabled": True,
        "snapshotshowchainsize": False,
        "apilimitmax": most,
        "allowuserviewdestroyedvm": not caller.is_user,
        "allowuserexpungerecovervm": not caller.is_user,
        "allowuserexpungerecovervolume": True,
        "allowuserviewalldomainaccounts": False,
        "allowuserforcestopvm": True,
        "kubernetesserviceenabled": False,
        "kubernetesclusterexperimentalfeaturesenabled": False,
        "customhypervisordisplayname": "Custom",
        "defaultuipagesize": 20,
        "instancesstatsretentiontime": 720,
        "instancesstatsuseronly": False,
        "instancesdisksstatsretentionenabled": False,
        "instancesdisksstatsretentiontime": 720,
        "sharedfsvmmincpucount": 2,
        "sharedfsvmminramsize": 1024,
        "instanceleaseenabled": False,
        **root,
        "dynamicscalingenabled": False,
        "additionalconfigenabled": False,
    }
    return {"capability": {name: value for name, value in told.items() if value is not None}}
