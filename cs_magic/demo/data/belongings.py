"""Small things of accounts and people: machine snapshots, user data, API keys, memberships."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import partial

from cs_magic.demo.data.items import (
    DAY,
    START,
    Account,
    Live,
    Project,
    Row,
    Table,
    identifier,
    stamp,
    table,
)
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.people import People, user_row

# One running machine in so many has a snapshot of itself.
SNAPSHOTS = 61
# The forgotten one: taken before an upgrade, two years ago.
FORGOTTEN = 700
TYPES = {0: "NORMAL", 1: "ADMIN", 2: "DOMAIN_ADMIN"}


def vm_snapshots_table(seed: int, machines: Sequence[Machine]) -> Table:
    """Snapshots of whole machines; one of them is far older than anybody remembers."""
    running = [m for m in machines if m.state == "Running"]
    chosen = running[7::SNAPSHOTS]
    oldest = min(running, key=lambda machine: machine.created, default=None)
    rows = []
    if oldest:
        text = "vor dem Upgrade <b>nicht löschen!</b>"
        taken = max(START - FORGOTTEN * DAY, oldest.created + 3_600)
        rows.append((_vm_snapshot_row(seed, oldest, taken, text), oldest.owner))
    for machine in chosen:
        if machine is not oldest:
            age = min((machine.number * 11 % 90 + 1) * DAY, (START - machine.created) // 2)
            row = _vm_snapshot_row(seed, machine, START - age, "before the update")
            rows.append((row, machine.owner))
    return table(rows)


def _vm_snapshot_row(seed: int, machine: Machine, taken: int, text: str) -> Row:
    zone = machine.cluster.zone
    digits = "".join(mark for mark in stamp(taken)[:19] if mark.isdigit())
    return {
        "id": identifier(seed, "vm snapshot", machine.number),
        "name": f"{machine.instancename}_VS_{digits}",
        "state": "Ready",
        "displayname": text,
        "zoneid": zone.id,
        "zonename": zone.name,
        "virtualmachineid": machine.id,
        "virtualmachinename": machine.displayname,
        "current": True,
        "type": "Disk",
        "created": stamp(taken),
        **machine.owner.fields(),
        "hypervisor": "KVM",
        "tags": [],
        "hasannotations": False,
    }


# account, name, text
USERDATA = (
    ("webshop", "web-servers", "#cloud-config\npackages: [nginx]\n"),
    ("forschung", "jupyter für alle", "#cloud-config\n# grüße aus der Forschung\n"),
    ("admin", "base", "#cloud-config\ntimezone: Europe/Zurich\n"),
)


def user_data_table(seed: int, who: People) -> Table:
    """Registered user data."""
    rows = []
    for number, (name, title, text) in enumerate(USERDATA, 1):
        owner = who.accounts[name]
        row: Row = {
            "id": identifier(seed, "user data", number),
            "name": title,
            **owner.fields(),
            "userdata": base64.b64encode(text.encode()).decode(),
            "hasannotations": False,
        }
        rows.append((row, owner))
    return table(rows)


def user_keys_table(seed: int, who: People) -> Table:
    """The API keys of the users: most are as old as their users, the auditor's was renewed."""
    rows = []
    for account in who.accounts.values():
        if account.user.api_key:
            rows.append((_first_key_row(seed, account), account))
    return table(rows)


def _first_key_row(seed: int, account: Account) -> Row:
    user = account.user
    created = START - 20 * DAY if account.name == "auditor" else user.created + 600
    id_ = identifier(seed, "key pair", user.number)
    name = f"{user.number} - API key pair"
    return key_row(account, id_, name, user.api_key, user.secret_key, created)


def key_row(
    account: Account,
    id_: str,
    name: str,
    api: str,
    secret: str,
    created: int,
    said: Row | None = None,
) -> Row:
    """A key pair of the account's user; `said` is what it is for, and how long."""
    user = account.user
    return {
        "name": name,
        "apikey": api,
        "secretkey": secret,
        "userid": user.id,
        "username": user.username,
        "id": id_,
        **(said or {}),
        "created": stamp(created),
        "accounttype": TYPES[account.role.kind],
        "accountid": account.id,
        "accountname": account.name,
        "roleid": account.role.id,
        "roletype": account.role.type,
        "rolename": account.role.name,
        "domainid": account.domain.id,
        "domain": account.domain.name,
        "domainpath": account.domain.path,
        "state": "ENABLED",
    }


def members_table(who: People) -> Table:
    """Who takes part in which project; the first member owns it."""
    pairs = [
        (owner, partial(_member_row, owner.project, member))
        for owner in who.project_accounts
        if owner.project
        for member in owner.project.members
    ]
    return Table([Live(number, row, owner) for number, (owner, row) in enumerate(pairs, 1)])


def _member_row(project: Project, member: Account) -> Row:
    return {
        "projectid": project.id,
        "project": project.name,
        "accountid": member.id,
        "account": member.name,
        "accounttype": member.role.kind,
        "role": "Admin" if member is project.members[0] else "Regular",
        "user": [user_row(member)],
        "domainid": project.domain.id,
        "domain": project.domain.name,
    }


def details_table(machines: Sequence[Machine]) -> Table:
    """The details of machines as rows of their own: that they were deployed and not started."""
    return table(
        [
            (
                {
                    "resourceid": machine.id,
                    "resourcetype": "UserVm",
                    "key": "deployvm",
                    "value": "true",
                    "fordisplay": True,
                },
                machine.owner,
            )
            for machine in machines
            if machine.never_started
        ]
    )
