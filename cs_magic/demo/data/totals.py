"""What accounts, domains and projects have used of their limits, and their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from cs_magic.demo.data.items import GIB, Account, Domain, Live, Project, Row, Table, stamp
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


class Used(Counter[str]):
    """How much of each resource an account uses, and how much it may."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, int] = {}

    def allow(self) -> None:
        """Allow what the account uses now: the smallest limit there is, doubled until it fits."""
        self.limits = {name: _doubled(smallest, self[name]) for name, smallest in SMALLEST.items()}


Totals = dict[int, Used]


def totals(
    machines: Sequence[Machine],
    volumes: Iterable[Volume],
    owned: Mapping[str, Iterable[Account | None]],
    who: People,
) -> Totals:
    """Per account number, how much of each resource it uses.

    `owned` has, for a resource that is simply counted, the owner of each.
    """
    counts: Totals = {owner.number: Used() for owner in who.owners}
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
    for used in counts.values():
        used.allow()
    return counts


def _doubled(allowed: int, total: int) -> int:
    while allowed < total:
        allowed *= 2
    return allowed


def limit(account: Account, counts: Used, resource: str) -> int:
    """How much of it the account may have; -1 is no limit."""
    return -1 if account.role.kind == 1 and not account.project else counts.limits[resource]


def _used(names: Sequence[str], counts: Used, limited: bool) -> Row:
    """Limit, total and what is left, of each resource: texts, numbers and texts, as recorded."""
    row: Row = {}
    for name in names:
        total = counts[name]
        allowed = counts.limits.get(name, -1) if limited else -1
        row[f"{name}limit"] = UNLIMITED if allowed == -1 else str(allowed)
        row[f"{name}total"] = float(total) if name == "secondarystorage" else total
        left = str(max(allowed - total, 0))
        row[f"{name}available"] = UNLIMITED if allowed == -1 else left
    return row


def _states(counts: Used) -> Row:
    return {"vmstopped": counts["stopped"], "vmrunning": counts["running"]}


def account_row(account: Account, counts: Used) -> Row:
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
    domains = enumerate(who.domains.values(), 1)
    return Table([Live(n, partial(_domain_row, domain, who, counts)) for n, domain in domains])


def _domain_row(domain: Domain, who: People, counts: Totals) -> Row:
    summed = Used()
    for owner in who.owners:
        if owner.domain.within(domain):
            summed.update(counts[owner.number])
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
    found = [(a, a.project) for a in who.project_accounts if a.project]
    return Table(
        [
            Live(number, partial(_project_row, project, account, counts[account.number]), account)
            for number, (account, project) in enumerate(found, 1)
        ]
    )


def _project_row(project: Project, account: Account, counts: Used) -> Row:
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


def limit_rows(account: Account, counts: Used) -> list[Row]:
    """The limits of one account as listResourceLimits prints them; -1 is none."""
    return [
        {
            **account.fields(),
            "resourcetype": str(number),
            "resourcetypename": name,
            "max": limit(account, counts, short),
        }
        for number, (name, short, _) in enumerate(RESOURCES)
    ]
