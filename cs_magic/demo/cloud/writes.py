"""What every state-changing command has: who may touch what, quotas, and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.lists import Command, ListCommand, view
from cs_magic.demo.cloud.parameters import Arguments
from cs_magic.demo.cloud.refusals import FORBIDDEN, NOT_YOURS, Refused
from cs_magic.demo.data.items import Account, Fixed, Item, Row, identifier, stamp
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.totals import RESOURCES, limit
from cs_magic.demo.data.world import World

NAMES = {short: name for name, short, _ in RESOURCES}
SUCCESS: Row = {"success": True}
SUCCESS_FIELDS = "success displaytext"
# A machine that is gone has no place: nothing of it is left but its id in the job.
EXPUNGED: Row = {
    "securitygroup": [],
    "nic": [],
    "affinitygroup": [],
    "deleteprotection": False,
    "tags": [],
}


@dataclass(frozen=True, slots=True)
class Deed:
    """A call that is to change something: whose it is, and what it says."""

    world: World
    caller: Caller
    arguments: Arguments
    command: str

    @property
    def now(self) -> int:
        """The moment, in the demo's time."""
        return int(self.world.clock.now())

    def named(self, table: str, name: str = "id") -> Item:
        """The thing that a parameter names, which the caller may touch."""
        item = self.world.table(table).find(self.arguments[name])
        assert item
        check_owner(self.caller, item.owner)
        return item

    def machine(self, name: str = "id") -> Machine:
        """The machine that a parameter names."""
        return cast(Machine, self.named("machines", name))

    @property
    def owner(self) -> Account:
        """Whose the new thing is to be: the caller's, or of the account or project named."""
        if "projectid" in self.arguments:
            scopes.check_named(self.world, self.caller, self.arguments)
            project = self.arguments["projectid"]
            return scopes.project_account(self.world, self.caller, project, self.command)
        if "account" in self.arguments:
            scopes.check_named(self.world, self.caller, self.arguments)
            return scopes.named_account(self.world, self.caller, self.arguments)
        return self.caller.account

    def new(self, table: str) -> tuple[int, str]:
        """A number and an id for a new thing of a table."""
        number = self.world.table(table).next_number
        return number, identifier(self.world.seed, f"made {table}", number)

    def add(self, table: str, fields: Row, owner: Account) -> Fixed:
        """A new row of a table."""
        item = Fixed(self.world.table(table).next_number, fields, owner)
        self.world.table(table).add(item)
        self.world.changed()
        return item

    def shown(self, listed: ListCommand, item: Item) -> Row:
        """The thing's row as its list shows it to the caller."""
        return dict(view(listed, item, self.caller, {}))

    def happened(self, kind: str, text: str, owner: Account, resource: Row) -> None:
        """Write an event."""
        _, id_ = self.new("events")
        row: Row = {
            "id": id_,
            "username": self.caller.account.user.username,
            "type": kind,
            "level": "INFO",
            "description": text,
            **owner.fields(),
            **resource,
            "created": stamp(self.now),
            "state": "Completed",
        }
        self.add("events", row, owner)


Act = Callable[[Deed], Work | Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCommand(Command):
    """A command that changes something: at once, giving its answer, or by a job.

    `java` is the class that a job names; where `two_faced`, a root admin's is another
    one, as it is in CloudStack.
    """

    act: Act
    java: str = ""
    two_faced: bool = False

    def java_for(self, caller: Caller) -> str:
        """The class that a job of this caller names."""
        if self.two_faced and caller.is_root:
            return self.java.replace("user.", "admin.", 1) + "ByAdmin"
        return self.java


def listed(commands: Sequence[Command], name: str) -> ListCommand:
    """The list command of that name."""
    found = next(command for command in commands if command.name == name)
    assert isinstance(found, ListCommand)
    return found


def check_owner(caller: Caller, owner: Account | None) -> None:
    """Refuse what is somebody else's."""
    if owner is None and caller.is_root:
        return
    if owner and caller.sees(owner):
        return
    if owner and owner.project and caller.account in owner.project.members:
        return
    raise Refused(531, NOT_YOURS, FORBIDDEN)


def check_quota(deed: Deed, owner: Account, **wanted: int) -> None:
    """Refuse what would be more than the account may have."""
    used = deed.world.totals[owner.number]
    for short, more in wanted.items():
        most = limit(owner, used, short)
        if most != -1 and used[short] + more > most:
            kind = "Project" if owner.project else "Account"
            raise Refused(
                535,
                f"Maximum amount of resources of Type = '{NAMES[short]}', tag = 'null' for "
                f"{kind} Name = {owner.name} in Domain Id = {owner.domain.number} is exceeded: "
                f"{kind} Resource Limit = {most}, Current {kind} Resource Amount = "
                f"{used[short]}, Current {kind} Resource Reservation = 0, "
                f"Requested Resource Amount = {more}.",
            )


def count(deed: Deed, owner: Account, **more: int) -> None:
    """Note what an account uses more, or less, from now on."""
    deed.world.totals[owner.number].update(more)


def dumped(fields: dict[str, Any]) -> str:
    """A thing as Java prints it within a text."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
