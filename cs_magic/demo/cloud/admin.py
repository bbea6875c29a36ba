"""Disabling and enabling people and accounts, renaming users, and setting limits."""

from __future__ import annotations

from cs_magic.demo.cloud.accounts import ACCOUNTS, LIMITS, USERS
from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import INVALID, Refused
from cs_magic.demo.cloud.words import OWNERS
from cs_magic.demo.cloud.writes import Act, Deed, WriteCommand, check_owner, dumped
from cs_magic.demo.data.items import Account, Row
from cs_magic.demo.data.totals import RESOURCES, limit_rows

ADMINS = "ARD"
NAMED = tuple(p for p in OWNERS if p.name in ("account", "domainid"))


def _person(deed: Deed) -> Account:
    owner = deed.named("users").owner
    assert owner
    return owner


def _account(deed: Deed) -> Account:
    if "id" in deed.arguments:
        owner = deed.named("accounts").owner
        assert owner
        return owner
    if "account" not in deed.arguments:
        raise Refused(431, "Must provide either account ID or account name and domain ID", INVALID)
    return deed.owner


def _user(deed: Deed, account: Account) -> Row:
    item = deed.world.table("users").find(account.user.id)
    assert item
    row = deed.shown(USERS, item)
    return {"user": {name: value for name, value in row.items() if name != "apikeyaccess"}}


def _whole(deed: Deed, account: Account) -> Row:
    item = deed.world.table("accounts").find(account.id)
    assert item
    return {"account": deed.shown(ACCOUNTS, item)}


def disable_user(deed: Deed) -> Work:
    """A user may not come in any more."""
    account = _person(deed)

    def finish() -> Row:
        account.user.state = "disabled"
        return _user(deed, account)

    failure = "Failed to disable user"
    return Work(finish, span=0.2, failure=failure)


def enable_user(deed: Deed) -> Row:
    """A user may come in again, at once."""
    account = _person(deed)
    account.user.state = "enabled"
    return _user(deed, account)


def update_user(deed: Deed) -> Row:
    """Another first or last name, at once."""
    account, arguments = _person(deed), deed.arguments
    account.user.firstname = arguments.get("firstname") or account.user.firstname
    account.user.lastname = arguments.get("lastname") or account.user.lastname
    return _user(deed, account)


def disable_account(deed: Deed) -> Work:
    """An account's users may not come in any more; with lock=true it is called locked."""
    account = _account(deed)
    state = "locked" if deed.arguments["lock"] else "disabled"

    def finish() -> Row:
        if state == "locked" and account.state != "enabled":
            raise Refused(530, _not_locked(account))
        account.state = state
        return _whole(deed, account)

    failure = "Failed to disable account"
    return Work(finish, span=0.2, failure=failure)


def _not_locked(account: Account) -> str:
    named = {"accountName": account.name, "id": account.number, "uuid": account.id}
    domain = account.domain
    path = domain.login_path.rstrip("/") + "/"
    where = {"id": domain.number, "name": domain.name, "path": path, "uuid": domain.id}
    shown = dumped(where).replace("/", "\\/")
    return (
        f"Unable to lock account Account [{dumped(named)}] by accountId: null OR by name: "
        f"{account.name} in domain Domain {shown}"
    )


def enable_account(deed: Deed) -> Row:
    """An account's users may come in again, at once."""
    account = _account(deed)
    account.state = "enabled"
    return _whole(deed, account)


def set_limit(deed: Deed) -> Row:
    """How much of one resource an account may have; -1 is as much as it likes."""
    account = deed.owner
    check_owner(deed.caller, account)
    number = deed.arguments["resourcetype"]
    if not 0 <= number < len(RESOURCES):
        raise Refused(431, "Please specify a valid resource type.", INVALID)
    used = deed.world.totals[account.number]
    used.limits[RESOURCES[number][1]] = deed.arguments.get("max", -1)
    return {"resourcelimit": limit_rows(account, used)[number]}


def _people(
    name: str, act: Act, java: str, *parameters: Parameter, roles: str = ADMINS
) -> WriteCommand:
    return WriteCommand(
        name,
        roles=roles,
        parameters=(
            Parameter("id", "uuid", "the user", entity="users", required=True),
            *parameters,
        ),
        fields=USERS.fields,
        types=USERS.types,
        isasync=bool(java),
        java=java,
        act=act,
    )


def _accounts(name: str, act: Act, java: str, *parameters: Parameter) -> WriteCommand:
    return WriteCommand(
        name,
        roles=ADMINS,
        parameters=(
            Parameter("id", "uuid", "the account", entity="accounts"),
            *NAMED,
            *parameters,
        ),
        fields=ACCOUNTS.fields,
        types=ACCOUNTS.types,
        nested=ACCOUNTS.nested,
        isasync=bool(java),
        java=java,
        act=act,
    )


COMMANDS = (
    _people("disableUser", disable_user, "admin.user.DisableUserCmd"),
    _people("enableUser", enable_user, ""),
    _people(
        "updateUser",
        update_user,
        "",
        Parameter("firstname", "string", "the first name"),
        Parameter("lastname", "string", "the last name"),
        roles="ARDU",
    ),
    _accounts(
        "disableAccount",
        disable_account,
        "admin.account.DisableAccountCmd",
        Parameter("lock", "boolean", "true: lock it only", required=True),
    ),
    _accounts("enableAccount", enable_account, ""),
    WriteCommand(
        "updateResourceLimit",
        roles=ADMINS,
        parameters=(
            Parameter("resourcetype", "integer", "which resource, by its number", required=True),
            Parameter("max", "long", "how much; -1 for no limit"),
            *NAMED,
        ),
        fields=LIMITS.fields,
        types=LIMITS.types,
        act=set_limit,
    ),
)
