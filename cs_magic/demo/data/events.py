"""What happened: the events of machines and people, and the tags as a list of their own."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from cs_magic.demo.data.items import DAY, START, Account, Row, Table, identifier, stamp, table
from cs_magic.demo.data.machines import Machine, tag_row
from cs_magic.demo.data.people import NEVER_USED, People

# A cloud forgets: events are kept of the newest machines only.
REMEMBERED = 4_000
SIGN_IN_DAYS = 12

Happening = tuple[int, Account, str, str, str, Row]


def events_table(seed: int, machines: Sequence[Machine], who: People) -> Table:
    """The events, oldest first."""
    happenings: list[Happening] = []
    for machine in machines[-REMEMBERED:]:
        happenings.extend(_machine_events(machine))
    for account in who.accounts.values():
        if account.name not in NEVER_USED:
            happenings.extend(_sign_ins(account))
    happenings.sort(key=itemgetter(0))
    rows = []
    for number, (moment, owner, kind, level, text, resource) in enumerate(happenings, 1):
        row: Row = {
            "id": identifier(seed, "event", number),
            "username": owner.user.username,
            "type": kind,
            "level": level,
            "description": text,
            **owner.fields(),
            **resource,
            "created": stamp(moment),
            "state": "Completed",
        }
        rows.append((row, owner))
    return table(rows)


def _machine_events(machine: Machine) -> list[Happening]:
    resource = {
        "resourceid": machine.id,
        "resourcetype": "VirtualMachine",
        "resourcename": machine.name,
    }
    named = f"Virtual machine {machine.name} ({machine.id})"
    created = (machine.created, machine.owner, "VM.CREATE", "INFO", f"{named}: deployed", resource)
    if machine.state == "Error":
        failed = f"{named}: could not be started, no host has room for it"
        return [(machine.created, machine.owner, "VM.CREATE", "ERROR", failed, resource)]
    if machine.never_started:
        return [created]
    kind = {"Running": "VM.START", "Stopped": "VM.STOP", "Destroyed": "VM.DESTROY"}[machine.state]
    text = f"{named}: {kind.removeprefix('VM.').lower()} completed"
    return [created, (machine.updated, machine.owner, kind, "INFO", text, resource)]


def _sign_ins(account: Account) -> list[Happening]:
    resource = {
        "resourceid": account.user.id,
        "resourcetype": "User",
        "resourcename": account.user.username,
    }
    text = "user has logged in from IP Address /192.0.2.44"
    return [
        (START - day * DAY - account.number * 611, account, "USER.LOGIN", "INFO", text, resource)
        for day in range(1, SIGN_IN_DAYS + 1)
    ]


def tags_table(machines: Sequence[Machine]) -> Table:
    """Every tag of every machine."""
    rows = []
    for machine in machines:
        path = machine.owner.domain.path
        for pair in machine.tags:
            rows.append((tag_row(machine, pair) | {"domainpath": path}, machine.owner))
    return table(rows)


# What listEventTypes names: the kinds that there are here, and some neighbours.
TYPES = (
    "VM.CREATE VM.DESTROY VM.START VM.STOP VM.REBOOT VM.UPDATE VM.MIGRATE VM.RESTORE VM.EXPUNGE "
    "ROUTER.CREATE ROUTER.START ROUTER.STOP NET.IPASSIGN NET.IPRELEASE NETWORK.CREATE "
    "NETWORK.DELETE FIREWALL.OPEN FIREWALL.CLOSE USER.LOGIN USER.LOGOUT USER.CREATE USER.DELETE "
    "USER.DISABLE VOLUME.CREATE VOLUME.DELETE VOLUME.ATTACH VOLUME.DETACH SNAPSHOT.CREATE "
    "SNAPSHOT.DELETE TEMPLATE.CREATE TEMPLATE.DELETE"
)


def types_table() -> Table:
    """The kinds of events."""
    return table([{"name": name} for name in TYPES.split()])
