"""The cloud: a world, the commands over it, and what it says to a command it does not have."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from cs_magic.demo.cloud.apis import apis
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.jobs import Jobs
from cs_magic.demo.cloud.known import KNOWN
from cs_magic.demo.cloud.lists import (
    Command,
    ListCommand,
    ObjectCommand,
    check_page,
    document,
    select,
)
from cs_magic.demo.cloud.parameters import Arguments, read, refuse_control_characters
from cs_magic.demo.cloud.record import Record
from cs_magic.demo.cloud.refusals import INVALID, Refused, unavailable
from cs_magic.demo.cloud.registry import commands
from cs_magic.demo.cloud.writes import Deed, WriteCommand
from cs_magic.demo.data.items import Account, Item
from cs_magic.demo.data.world import World

# What of a list's arguments does not change which items it has.
UNSELECTIVE = frozenset(("page", "pagesize", "details", "retrieveonlyresourcecount"))
# How many lists are remembered, so that the pages of a long one are not searched for again.
REMEMBERED = 16
# How a client may choose the id of its job, to find it again if the answer is lost.
JOB_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Cloud:
    """Answers commands. One object per cloud; several threads may ask at once.

    A usual job takes `job_seconds`; `record` has the calls that were to change something.
    """

    def __init__(self, world: World, job_seconds: float = 1.0) -> None:
        self.world = world
        self.jobs = Jobs(world, job_seconds)
        self.record = Record()
        self.commands = commands()
        self._selections: OrderedDict[object, Sequence[Item]] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, name: str) -> bool:
        """Whether CloudStack has such a command, be it served here or not."""
        return name in self.commands or name in KNOWN

    def wrapper(self, name: str) -> str:
        """The envelope's only key: the command's name, with few exceptions."""
        command = self.commands.get(name)
        return (command.wrapper if command else "") or f"{name.lower()}response"

    def is_list(self, name: str) -> bool:
        """Whether the command answers with pages."""
        return isinstance(self.commands.get(name), ListCommand)

    def allow(self, name: str, account: Account) -> None:
        """Refuse a command that the account's role does not have, or that is not served."""
        command = self.commands.get(name)
        if command is None or account.role.letter not in command.roles:
            raise unavailable(name, account.name)

    def answer(self, name: str, sent: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        """The document within the envelope; Refused where CloudStack refuses."""
        self.jobs.advance()
        command = self.commands[name]
        if isinstance(command, WriteCommand):
            return self._write(command, sent, caller)
        refuse_control_characters(sent)
        arguments = self._read(command, sent, caller)
        if isinstance(command, ListCommand):
            return self._list(command, caller, arguments)
        if isinstance(command, ObjectCommand):
            return command.answer(self.world, caller, arguments)
        if name == "listApis":
            return apis(self.commands, caller, arguments.get("name"))
        # login and logout are answered before a command gets here.
        raise Refused(530, f"{name} is not a command of the cloud")

    def _write(
        self, command: WriteCommand, sent: Mapping[str, str], caller: Caller
    ) -> dict[str, Any]:
        """Change something, or start the job that will; one call after the other."""
        entry = self.record.arrived(command.name, sent, caller.account.name)
        try:
            with self.jobs.lock:
                refuse_control_characters(sent)
                arguments = self._read(command, sent, caller)
                job_id = self._job_id(sent) if command.isasync else ""
                self.world.settle()
                deed = Deed(self.world, caller, arguments, command.name)
                if not command.isasync and self.jobs.failures.hit(
                    command.name, str(arguments.get("id", ""))
                ):
                    raise Refused(530, f"Failed to execute {command.name}")
                done = command.act(deed)
                self.world.changed()
                if isinstance(done, dict):
                    return done
                java = command.java_for(caller)
                job = self.jobs.submit(done, command.name, java, caller.account, job_id)
                entry.job = job
                created = {"id": done.created} if done.created else {}
                return created | {"jobid": job.id}
        except Refused as refused:
            entry.errorcode = refused.errorcode
            raise

    def _job_id(self, sent: Mapping[str, str]) -> str:
        """The id that the client chose for its job, a parameter that listApis does not name."""
        chosen = next((v for name, v in sent.items() if name.lower() == "customjobid"), "")
        if chosen and not JOB_ID.fullmatch(chosen):
            raise Refused(431, f"UUID: {chosen} doesn't follow the UUID format", INVALID)
        if chosen and self.jobs.known(chosen):
            raise Refused(530, "Entity already exists ")
        return chosen

    def _read(self, command: Command, sent: Mapping[str, str], caller: Caller) -> Arguments:
        parameters = tuple(p for p in command.parameters if caller.is_root or not p.root_only)
        return read(self.world, command.name, parameters, sent)

    def _list(self, command: ListCommand, caller: Caller, arguments: Arguments) -> dict[str, Any]:
        check_page(arguments)
        return document(command, self._select(command, caller, arguments), caller, arguments)

    def _select(self, command: ListCommand, caller: Caller, arguments: Arguments) -> Sequence[Item]:
        """The items of the list, remembered from the page before."""
        if not command.remembered:
            return select(command, self.world, caller, arguments)
        selective = {k: v for k, v in arguments.items() if k not in UNSELECTIVE}
        key = command.name, caller.account.number, frozenset(selective.items()), self.world.version
        with self._lock:
            if key in self._selections:
                self._selections.move_to_end(key)
                return self._selections[key]
        items = select(command, self.world, caller, arguments)
        with self._lock:
            self._selections[key] = items
            if len(self._selections) > REMEMBERED:
                self._selections.popitem(last=False)
        return items
