"""One read on its way to several clouds, all asked at once: what came of each."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cs_magic.api.access import Authorized
from cs_magic.api.ahead import Ahead
from cs_magic.api.catalogue import Command
from cs_magic.api.checking import doubt
from cs_magic.api.credentials import Session
from cs_magic.api.lookups import Found, Lists, Lookups
from cs_magic.api.names import resolved
from cs_magic.api.pages import Reader
from cs_magic.api.spelling import kinds, spelt
from cs_magic.api.values import Call, Options, Result
from cs_magic.connection import Connection
from cs_magic.errors import (
    CloudStackError,
    Incomplete,
    Refused,
    SignInNeeded,
    Unauthorized,
)

Outcome = Result | CloudStackError


def check_read(command: Command, connections: Mapping[str, Connection]) -> None:
    """Refuse a command that changes something."""
    if not command.is_read:
        raise Refused(
            f"{command.name} changes something, and goes to one cloud at a time, not to"
            f" {', '.join(connections)}; nothing was sent",
            f"Name one of them: %cs -p {next(iter(connections))} {command.name} …",
        )


@dataclass
class AtOnce:
    """One call on its way to several clouds.

    What signs in or may be refused is done first, on the thread of the person; the lists are
    read by threads, which don't sign in. What was looked up is added to `lookups`, by profile;
    with `may_sign_in` SignInNeeded is raised, where somebody has to.
    """

    connections: Mapping[str, Connection]
    call: Call
    options: Options
    lookups: Lookups
    may_sign_in: bool
    _commands: dict[str, Command] = field(default_factory=dict)
    _found: dict[str, list[Found]] = field(default_factory=dict)

    def outcomes(self) -> dict[str, Outcome]:
        """What came of each, in order."""
        found: dict[str, Outcome] = {}
        for name, one in self.connections.items():
            try:
                self._commands[name] = self._prepared(one)
            except CloudStackError as error:
                self._check_signed_in(error)
                found[name] = error
        for command in self._commands.values():  # as the servers themselves say
            check_read(command, self.connections)
        used = {name: self.connections[name].client.access.used() for name in self._commands}
        found |= self._read(list(self._commands))
        found |= self._read(list(self._renewed(found, used)))
        for name in self.connections:
            self.lookups.found += self._found.get(name, [])
        return {name: found[name] for name in self.connections}

    def _prepared(self, one: Connection) -> Command:
        """The command as that cloud knows it, once the call is checked and somebody signed in."""
        one.client.access.request(self.call, is_read=True)
        one.meet(self.call if self.options.check else None)
        return one.command(self.call, self.options)

    def _check_signed_in(self, outcome: Outcome) -> None:
        reason = outcome.reason if isinstance(outcome, Incomplete) else outcome
        if self.may_sign_in and isinstance(reason, SignInNeeded):
            raise reason

    def _read(self, names: Sequence[str]) -> dict[str, Outcome]:
        """What these clouds answer, each read by a thread."""
        if not names:
            return {}

        def fetch(number: int, stop: threading.Event) -> Outcome:
            name = names[number]
            try:
                return self._answer(name, self.connections[name], stop)
            except CloudStackError as error:
                return error

        def cut(threads: set[int]) -> None:
            for name in names:
                self.connections[name].client.transport.interrupt(threads)

        with Ahead(fetch, 0, len(names) - 1, len(names), cut) as coming:
            came = {names[number]: outcome for number, outcome in _first(coming, len(names))}
        for outcome in came.values():
            self._check_signed_in(outcome)
        return came

    def _answer(self, name: str, one: Connection, stop: threading.Event) -> Result:
        command, options = self._commands[name], self.options
        lookups = Lookups(self.lookups.rows, self.lookups.restricted)
        own = options.own or one.profile.scope == "own"
        lists = Lists(one.client, one.catalogue, lookups, own, stop)
        call = resolved(lists, self.call, command, not options.check)
        self._found[name] = [
            replace(found, command=f"{found.command} of {name}") for found in lookups.told()
        ]
        reader = Reader(one.client, command, kinds(command), one.wish(options), stop=stop)
        try:
            result = reader.read(spelt(call, command))
        except Incomplete as broken:
            broken.result = one.named(broken.result)
            raise
        doubtful = doubt(one.catalogue, command.name) if options.check else ""
        notes = (*result.notes, doubtful) if doubtful else result.notes
        return one.named(replace(result, notes=notes))

    def _renewed(
        self, found: Mapping[str, Outcome], used: Mapping[str, Authorized]
    ) -> Iterator[str]:
        """The clouds whose session had ended and is renewed: they are asked once more."""
        for name, outcome in found.items():
            reason = outcome.reason if isinstance(outcome, Incomplete) else outcome
            access = self.connections[name].client.access
            if not isinstance(reason, Unauthorized) or not isinstance(used.get(name), Session):
                continue
            try:
                if access.another_way(used.get(name), foreground=True):
                    yield name
            except CloudStackError:
                continue  # the first refusal is what there is to say


def _first(coming: Ahead[Outcome], most: int) -> Iterator[tuple[int, Outcome]]:
    if most:
        for number, outcome in coming:
            yield number, outcome
            if number == most - 1:
                return
