"""Whose things a list shows: CloudStack's rules for listall, account, domainid and projectid.

They follow `AccountManagerImpl.buildACLSearchParameters`; what they give per
role was compared with a real server's answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate
from cs_magic.demo.cloud.parameters import Arguments
from cs_magic.demo.cloud.refusals import FORBIDDEN, INVALID, NOT_YOURS, Refused
from cs_magic.demo.data.items import Account, Domain, Item
from cs_magic.demo.data.world import World

Scope = Callable[[World, Caller, Arguments, str], Predicate | None]


def everything(world: World, caller: Caller, arguments: Arguments, command: str) -> None:
    """Infrastructure and offerings: the same for everybody who may list them."""
    return None


def owned(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Things that accounts own, the usual case.

    As typed only the caller's own, for a root admin too; listall=true all that
    the caller may see, less projects; projectid=-1 what belongs to projects.
    """
    check_named(world, caller, arguments)
    project = arguments.get("projectid")
    if project is not None and project != "-1":
        return _owned_by({project_account(world, caller, project, command).number})
    if project == "-1":
        return _owned_by(_in_projects(world, caller, bool(arguments.get("listall"))))
    return _owned_by(_of_accounts(world, caller, arguments))


def _owned_by(numbers: set[int]) -> Predicate:
    return lambda item: item.owner is not None and item.owner.number in numbers


def _in_projects(world: World, caller: Caller, listall: bool) -> set[int]:
    """For projectid=-1: every project's for a root admin, else those the caller takes part in.

    With listall a root admin has everything; others have their *own* things
    besides, so that a domain admin loses most rows: that is how the server is.
    """
    projects = world.people.project_accounts
    if caller.is_root:
        return {a.number for a in (world.people.owners if listall else projects)}
    mine = {a.number for a in projects if a.project and caller.account in a.project.members}
    return mine | ({caller.account.number} if listall else set())


def _of_accounts(world: World, caller: Caller, arguments: Arguments) -> set[int]:
    """Without projectid: the accounts whose things are meant."""
    if "account" in arguments:
        return {named_account(world, caller, arguments).number}
    if caller.is_user:
        return {caller.account.number}
    accounts = list(world.people.accounts.values())
    if "domainid" in arguments:
        domain = domain_of(world, arguments["domainid"])
        deep = bool(arguments.get("isrecursive"))
        inside = (a for a in accounts if a.domain.within(domain))
        return {a.number for a in inside if deep or a.domain is domain}
    if "id" in arguments:
        accounts = world.people.owners
    elif not arguments.get("listall"):
        return {caller.account.number}
    return {a.number for a in accounts if caller.sees(a)}


def domain_of(world: World, id_: str) -> Domain:
    """The domain with that id, which exists."""
    return next(domain for domain in world.people.domains.values() if domain.id == id_)


def named_account(world: World, caller: Caller, arguments: Arguments) -> Account:
    """The account named by `account` and `domainid`, else by the caller's domain."""
    domain = domain_of(world, arguments.get("domainid", caller.account.domain.id))
    found = world.account(arguments["account"], domain.id)
    if found is None:
        path = domain.login_path.rstrip("/") + "/"
        shown = json.dumps(
            {"id": domain.number, "name": domain.name, "path": path, "uuid": domain.id},
            ensure_ascii=False,
            separators=(",", ":"),
        ).replace("/", "\\/")
        raise Refused(
            431, f"could not find account {arguments['account']} in domain Domain {shown}", INVALID
        )
    return found


def check_named(world: World, caller: Caller, arguments: Arguments) -> None:
    """Refuse an account or a domain that the caller may not look into."""
    if "domainid" in arguments:
        _check_domain(domain_of(world, arguments["domainid"]), caller)
    if "account" in arguments:
        if "projectid" in arguments:
            raise Refused(431, "Account and projectId can't be specified together", INVALID)
        if not caller.sees(named_account(world, caller, arguments)):
            raise Refused(531, NOT_YOURS, FORBIDDEN)


def _check_domain(domain: Domain, caller: Caller) -> None:
    account = caller.account
    allowed = account.domain is domain if caller.is_user else domain.within(account.domain)
    if allowed:
        return
    shown = json.dumps(
        [{"accountName": account.name, "id": account.number, "uuid": account.id}],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    raise Refused(
        531,
        f"Account Account {shown} does not have permission to operate within domain id={domain.id}",
        FORBIDDEN,
    )


def project_account(world: World, caller: Caller, id_: str, command: str) -> Account:
    """The account of the project, for those who may look into it."""
    found = next(a for a in world.people.project_accounts if a.project and a.project.id == id_)
    member = bool(found.project and caller.account in found.project.members)
    if member or caller.is_root:
        return found
    if caller.is_domain_admin and found.domain.within(caller.account.domain):
        return found
    raise Refused(
        432,
        f"The API [{command}] does not exist or is not available for this account/user in "
        f"project [{id_}].",
    )


def networks(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Networks: as typed an admin has those of its whole domain.

    projectid=-1 adds, and does not narrow: for a root admin the projects' ones.
    """
    narrowed = {"account", "domainid", "id"} & arguments.keys()
    if narrowed or arguments.get("projectid", "-1") != "-1":
        return owned(world, caller, arguments, command)
    own, listall = caller.account, bool(arguments.get("listall"))
    accounts = [a for a in world.people.accounts.values() if caller.sees(a)]
    numbers = {a.number for a in accounts if listall or a.domain is own.domain}
    if arguments.get("projectid") == "-1" and caller.is_root:
        numbers |= {a.number for a in world.people.project_accounts}
    return _owned_by(numbers)


def domains(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate | None:
    """Domains: all of them for a root admin; the own one, and with listall those below it."""
    if caller.is_root:
        return None
    listall = "id" in arguments or arguments.get("listall")
    own = caller.account.domain
    seen = {d.id for d in world.people.domains.values() if d is own or (listall and d.within(own))}
    return lambda item: item.get("id") in seen


def projects(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Projects: those the caller takes part in; with listall all within its sight."""
    wide = arguments.get("listall") or "id" in arguments

    def seen(item: Item) -> bool:
        account = item.owner
        if account is None or account.project is None:
            return False
        member = caller.account in account.project.members
        return member or bool(wide and not caller.is_user and caller.sees(account))

    return seen


def no_projects(text: str) -> Scope:
    """The same for everybody, refusing projectid=-1 with that text as some commands do."""

    def scope(world: World, caller: Caller, arguments: Arguments, command: str) -> None:
        if arguments.get("projectid") == "-1":
            raise Refused(431, text, INVALID)

    return scope
