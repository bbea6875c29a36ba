"""List commands of keys, memberships and permissions, and of domains below a domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.accounts import USER
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate, same
from cs_magic.demo.cloud.lists import Command, ListCommand, ObjectCommand
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.refusals import FORBIDDEN, INVALID, NOT_YOURS, Refused
from cs_magic.demo.cloud.words import OWNERS, PAGES, keyword, of, word
from cs_magic.demo.data.items import Fixed, Item, Row, identifier
from cs_magic.demo.data.world import World

CHILD = "id name level parentdomainid parentdomainname haschild path created secondarystoragetotal"


def children(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """The domains below a domain, the caller's own by default.

    isrecursive goes deeper than one step only where an id is given.
    """
    top = caller.account.domain
    if "id" in arguments:
        top = scopes.domain_of(world, arguments["id"])
        if not top.within(caller.account.domain):
            raise Refused(531, NOT_YOURS, FORBIDDEN)
    deep = "id" in arguments and arguments.get("isrecursive")
    below = {
        domain.id
        for domain in world.people.domains.values()
        if domain is not top and (domain.parent is top or (deep and domain.within(top)))
    }
    return lambda item: item.get("id") in below


def child(item: Item, caller: Caller, arguments: Arguments) -> Row:
    """A domain with the few fields that this command shows."""
    row = item.row()
    return {name: row[name] for name in CHILD.split()}


def keys(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Keys: one's own as typed; those of a named user wherever one may see it."""
    if "userid" in arguments or "keypairid" in arguments:
        return lambda item: item.owner is not None and caller.sees(item.owner)
    return scopes.owned(world, caller, arguments, command)


def key(world: World, caller: Caller, arguments: Arguments) -> Row:
    """The key of a user that the caller may see."""
    user = world.table("users").find(arguments["id"])
    if user is None or user.owner is None or not caller.sees(user.owner):
        raise Refused(531, NOT_YOURS, FORBIDDEN)
    rows = [i.row() for i in world.table("userkeys") if i.owner is user.owner]
    # The owner, who signs with it, is given the first pair; an admin the latest.
    row = rows[0 if user.owner is caller.account else -1] if rows else {}
    pair = {name: row[name] for name in ("apikey", "secretkey") if name in row}
    return {"userkeys": {**pair, "apikeyaccess": True}}


def members(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """The members of one project, for those who may look into it."""
    if arguments["projectid"] == "-1":
        raise Refused(431, "Unable to find the project id=-1", INVALID)
    return scopes.owned(world, caller, {"projectid": arguments["projectid"]}, command)


def permissions(served: Mapping[str, Command]) -> ListCommand:
    """What the roles may do: everything, or the commands that are served to them."""

    def source(world: World, caller: Caller, arguments: Arguments) -> Sequence[Item]:
        rows: list[Item] = []
        for role in world.people.roles.values():
            rules = (
                ["*"]
                if role.kind == 1
                else [name for name in sorted(served) if role.letter in served[name].roles]
            )
            for rule in rules:
                number = len(rows) + 1
                row: Row = {
                    "id": identifier(world.seed, "permission", number),
                    "roleid": role.id,
                    "rolename": role.name,
                    "rule": rule,
                    "permission": "allow",
                }
                rows.append(Fixed(number, row))
        return rows

    return ListCommand(
        "listRolePermissions",
        since="4.9.0",
        key="rolepermission",
        table="nothing",
        roles="A",
        paged=False,
        source=source,
        parameters=(of("roleid", "roles"),),
        fields="id roleid rolename rule permission",
    )


COMMANDS: tuple[Command, ...] = (
    ListCommand(
        "listDomainChildren",
        types={"level": "integer"},
        key="domain",
        table="domains",
        roles="ARD",
        scope=children,
        render=child,
        parameters=(
            Parameter("id", "uuid", "the domain above them", entity="domains"),
            Parameter("isrecursive", "boolean", "with id: at any depth"),
            Parameter("listall", "boolean", "all that one may see"),
            word("name"),
            keyword("name"),
            *PAGES,
        ),
        fields=CHILD,
    ),
    ListCommand(
        "listUserKeys",
        since="4.23.0",
        types={"accounttype": "string", "state": "apikeypairstate"},
        key="userapikey",
        table="userkeys",
        scope=keys,
        parameters=(
            of("userid", "users"),
            Parameter("keypairid", "uuid", "the pair with this id", same("id"), "userkeys"),
            Parameter("apikeyfilter", "string", "the pair with this API key", same("apikey")),
            keyword("name"),
            *(p for p in OWNERS if p.name == "listall"),
            *PAGES,
        ),
        fields="name apikey secretkey userid username id description startdate enddate created "
        "accounttype accountid accountname roleid roletype rolename domainid domain domainpath "
        "state",
    ),
    ObjectCommand(
        "getUserKeys",
        since="4.10.0",
        types={"apikeyaccess": "boolean"},
        parameters=(Parameter("id", "uuid", "the user", entity="users", required=True),),
        fields="apikey secretkey apikeyaccess",
        answer=key,
    ),
    ListCommand(
        "listProjectAccounts",
        since="3.0.0",
        types={"accounttype": "integer", "user": "list"},
        key="projectaccount",
        table="members",
        scope=members,
        parameters=(
            Parameter("projectid", "uuid", "the project", entity="projects", required=True),
            word("account"),
            word("role"),
            keyword("account"),
            *PAGES,
        ),
        fields="projectid project accountid account accounttype role user domainid domain",
        nested={"user": USER},
    ),
)
