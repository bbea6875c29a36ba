"""What accounts, domains and projects have used of their limits, and their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from cs_magic.demo.data.items import GIB, Account, Domain, Live, Project, Row, Table, stamp, table
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.people import People, user_row
from cs_magic.demo.data.volumes import Volume

UNLIMITED = "Unlimited"

# The resources that are limited, in the order of their resource type numbers:
# name in listResourceLimits, name in the totals, limit of a small account.
RESOURCES = (
    ("user_vm", "vm", 20),
    ("public_ip", "ip", 20),
    ("volume", "volume", 20),
    ("snapshot", "snapshot", 20),
    ("template", "template", 20),
    ("project", "project", 10),
    ("network", "network", 20),
    ("vpc", "vpc", 20),
    ("cpu", "cpu", 40),
    ("memory", "memory", 40_960),
    ("primary_storage", "primarystorage", 200),
    ("secondary_storage", "secondarystorage", 400),
    ("backup", "backup", 20),
    ("backup_storage", "backupstorage", 400),
    ("bucket", "bucket", 20),
    ("object_storage", "objectstorage", 400),
    ("gpu", "gpu", 20),
)
SMALLEST = {short: limit for _, short, limit in RESOURCES}

# The order in which rows print them.
FIRST = ("vm", "ip", "volume", "snapshot", "backup", "backupstorage", "template")
LATER = (
    "network",
    "vpc",
    "cpu",
    "memory",
    "gpu",
    "primarystorage",
    "secondarystorage",
    "bucket",
    "objectstorage",
)

Totals = dict[int, Counter[str]]


def totals(
    machines: Sequence[Machine],
    volumes: Iterable[Volume],
    owned: Mapping[str, Iterable[Account | None]],
    who: People,
) -> Totals:
    """Per account number, how much of each resource it uses.

    `owned` has, for a resource that is simply counted, the owner of each.
    """
    counts: Totals = {owner.number: Counter() for owner in who.owners}
    for machine in machines:
        mine = counts[machine.owner.number]
        mine["vm"] += 1
        mine["running" if machine.state == "Running" else "stopped"] += 1
        mine["cpu"] += machine.size.cpus
        mine["memory"] += machine.size.memory
    for volume in volumes:
        mine = counts[volume.owner.number]
        mine["volume"] += 1
        mine["primarystorage"] += volume.size // GIB
    for name, owners in owned.items():
        for owner in owners:
            if owner:
                counts[owner.number][name] += 1
    for project in who.projects:
        counts[project.members[0].number]["project"] += 1
    return counts


def limit(resource: str, total: int) -> int:
    """The limit of an account that uses so much: the smallest there is, doubled until it fits."""
    allowed = SMALLEST[resource]
    while allowed < total:
        allowed *= 2
    return allowed


def _used(names: Sequence[str], counts: Counter[str], limited: bool) -> Row:
    """Limit, total and what is left, of each resource: texts, numbers and texts, as recorded."""
    row: Row = {}
    for name in names:
        total = counts[name]
        allowed = limit(name, total)
        row[f"{name}limit"] = str(allowed) if limited else UNLIMITED
        row[f"{name}total"] = float(total) if name == "secondarystorage" else total
        row[f"{name}available"] = str(allowed - total) if limited else UNLIMITED
    return row


def _states(counts: Counter[str]) -> Row:
    return {"vmstopped": counts["stopped"], "vmrunning": counts["running"]}


def account_row(account: Account, counts: Counter[str]) -> Row:
    """The account as the root admin sees it in listAccounts."""
    limited = account.role.kind != 1
    user = user_row(account)
    return {
        "id": account.id,
        "name": account.name,
        "accounttype": account.role.kind,
        "roleid": account.role.id,
        "roletype": account.role.type,
        "rolename": account.role.name,
        "domainid": account.domain.id,
        "domain": account.domain.name,
        "domainpath": account.domain.path,
        "receivedbytes": 1_000_000 * counts["running"],
        "sentbytes": 700_000 * counts["running"],
        **_used(FIRST, counts, limited),
        **_states(counts),
        **_used(("project", *LATER), counts, limited),
        "state": account.state,
        "created": stamp(account.created),
        "user": [user],
        "isdefault": account.name == "admin",
        "groups": [],
        "apikeyaccess": "INHERIT",
    }


def accounts_table(who: People, counts: Totals) -> Table:
    """The accounts; those of projects are no accounts to listAccounts."""
    accounts = enumerate(who.accounts.values(), 1)
    return Table([Live(n, partial(account_row, a, counts[a.number]), a) for n, a in accounts])


def domains_table(who: People, counts: Totals) -> Table:
    """The domains, with the totals of all that lies below them."""
    return table([_domain_row(domain, who, counts) for domain in who.domains.values()])


def _domain_row(domain: Domain, who: People, counts: Totals) -> Row:
    summed: Counter[str] = Counter()
    for owner in who.owners:
        if owner.domain.within(domain):
            summed += counts[owner.number]
    row: Row = {"id": domain.id, "name": domain.name, "level": domain.path.count("/")}
    if domain.parent:
        row |= {"parentdomainid": domain.parent.id, "parentdomainname": domain.parent.name}
    return row | {
        "haschild": any(other.parent is domain for other in who.domains.values()),
        "path": domain.path,
        "state": "Active",
        "created": stamp(min(account.created for account in who.accounts.values())),
        **_used((*FIRST, "project", *LATER), summed, limited=False),
        "domaindetails": {},
        "hasannotations": False,
    }


def projects_table(who: People, counts: Totals) -> Table:
    """The projects; newest first, as the real server has them."""
    rows = [
        (_project_row(account.project, account, counts[account.number]), account)
        for account in who.project_accounts
        if account.project
    ]
    return table(rows)


def _project_row(project: Project, account: Account, counts: Counter[str]) -> Row:
    return {
        "id": project.id,
        "name": project.name,
        "displaytext": project.displaytext,
        "domainid": project.domain.id,
        "domain": project.domain.name,
        "owner": [{"account": project.members[0].name}],
        "projectaccountname": account.name,
        "state": "Active",
        "tags": [],
        **_used(LATER, counts, limited=True),
        **_used(FIRST, counts, limited=True),
        **_states(counts),
        "created": stamp(project.created),
    }


def limit_rows(account: Account, counts: Counter[str]) -> list[Row]:
    """The limits of one account as listResourceLimits prints them; -1 is none."""
    allowed: Callable[[str], int] = (
        (lambda name: -1) if account.role.kind == 1 else (lambda name: limit(name, counts[name]))
    )
    return [
        {
            **account.fields(),
            "resourcetype": str(number),
            "resourcetypename": name,
            "max": allowed(short),
        }
        for number, (name, short, _) in enumerate(RESOURCES)
    ]
