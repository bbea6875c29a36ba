"""listUsageRecords: whose records, of which dates, and who may look at them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.refusals import FORBIDDEN, INVALID, NOT_YOURS, Refused
from cs_magic.demo.cloud.words import PAGES, PROJECT
from cs_magic.demo.data.items import Account, Item
from cs_magic.demo.data.meters import moment
from cs_magic.demo.data.usage_rows import Options
from cs_magic.demo.data.world import World


def records(world: World, caller: Caller, arguments: Arguments) -> Sequence[Item]:
    """The records that lie wholly between the dates, by time."""
    since, until = moment(arguments["startdate"]), moment(arguments["enddate"])
    if since > until:
        text = f"Incorrect Date Range. Start date: {_java(since)} is after end date:{_java(until)}"
        raise Refused(431, text, INVALID)
    kind, id_ = arguments.get("type"), arguments.get("usageid")
    if id_ and kind is None:
        raise Refused(431, "Usageid must be specified together with usageType", INVALID)
    payers = {account.number for account in _payers(world, caller, arguments)}
    usage = world.usage
    chosen = [
        meter
        for meter in usage.meters
        if meter.owner.number in payers
        and (kind is None or meter.type == kind)
        and (not id_ or meter.id == id_)
    ]
    options = Options(bool(arguments.get("includetags")), bool(arguments.get("oldformat")))
    return usage.records(chosen, since, until, options)


def _java(seconds: int) -> str:
    """A date as Java prints it when nobody says how."""
    return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(seconds))


def _payers(world: World, caller: Caller, arguments: Arguments) -> list[Account]:
    """The accounts whose records are meant, the deleted one among them.

    An account without its domain is not heard. A root admin has all, a domain
    admin its own domain, and those below it only with isrecursive.
    """
    everybody = [*world.people.owners, world.people.deleted]
    project = arguments.get("projectid")
    if project == "-1":
        raise Refused(431, "Unable to find project by id -1", INVALID)
    if project:
        return [a for a in everybody if a.project and a.project.id == project]
    if "accountid" in arguments:
        return _seen([a for a in everybody if a.id == arguments["accountid"]], caller)
    if "account" in arguments and "domainid" in arguments:
        return _seen([scopes.named_account(world, caller, arguments)], caller)
    domain = caller.account.domain
    if "domainid" in arguments:
        domain = scopes.domain_of(world, arguments["domainid"])
    elif caller.is_root:
        return everybody
    deep = bool(arguments.get("isrecursive"))
    if not domain.within(caller.account.domain):
        raise Refused(531, NOT_YOURS, FORBIDDEN)
    return [a for a in everybody if a.domain is domain or (deep and a.domain.within(domain))]


def _seen(accounts: list[Account], caller: Caller) -> list[Account]:
    if not all(caller.sees(account) for account in accounts):
        raise Refused(531, NOT_YOURS, FORBIDDEN)
    return accounts


COMMANDS = (
    ListCommand(
        "listUsageRecords",
        types={"cpunumber": "long", "cpuspeed": "long", "memory": "long"},
        key="usagerecord",
        table="nothing",
        roles="ARD",
        source=records,
        parameters=(
            Parameter("enddate", "date", "until then; a day alone is the whole day", required=True),
            Parameter("startdate", "date", "since then", required=True),
            Parameter("account", "string", "the account, together with its domainid"),
            Parameter("accountid", "uuid", "the account", entity="payers"),
            Parameter("domainid", "uuid", "the domain", entity="domains"),
            Parameter("isrecursive", "boolean", "with the domains below it", since="4.15"),
            Parameter("type", "long", "the kind of usage, by its number"),
            Parameter("usageid", "string", "the thing that was used; needs type"),
            Parameter("includetags", "boolean", "with the tags of machines"),
            Parameter("oldformat", "boolean", "descriptions in the older wording"),
            PROJECT,
            *PAGES,
        ),
        fields="projectid project account accountid domainid domain domainpath zoneid description "
        "usage usagetype rawusage virtualmachineid name offeringid templateid ostypeid "
        "osdisplayname oscategoryid oscategoryname usageid size virtualsize type cpunumber "
        "cpuspeed memory startdate enddate isdefault issourcenat issystem networkid tags",
    ),
    ListCommand(
        "listUsageTypes",
        types={"id": "integer"},
        key="usagetype",
        table="usagetypes",
        roles="A",
        paged=False,
        fields="id name description",
    ),
)
