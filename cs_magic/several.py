"""One read asked of several clouds at once: one result, and a note on each that failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cs_magic.api import envelope
from cs_magic.api.access import Authorized
from cs_magic.api.ahead import Ahead
from cs_magic.api.catalogue import Command
from cs_magic.api.checking import doubt
from cs_magic.api.client import ATTEMPTS, Client, Read, Sending
from cs_magic.api.credentials import Session
from cs_magic.api.lookups import Found, Lists, Lookups
from cs_magic.api.names import resolved
from cs_magic.api.pages import Reader
from cs_magic.api.profile import Profile
from cs_magic.api.spelling import kinds, spelt
from cs_magic.api.united import PROFILE, Part, Parts, united
from cs_magic.api.values import Call, Options, Payload, Result
from cs_magic.connection import Connection
from cs_magic.errors import (
    CallError,
    CloudStackError,
    Incomplete,
    Refused,
    SignInNeeded,
    TransportError,
    Unauthorized,
)

Outcome = Result | CloudStackError


def names_in(said: str) -> tuple[str, ...]:
    """The profiles that `zurich,geneva` names, in order.

    Raises:
        CallError: a name is empty, or stands there twice.
    """
    names = tuple(name.strip() for name in said.split(","))
    if len(names) == 1:
        return names
    if not all(names):
        raise CallError(f"{said} has an empty name between its commas")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CallError(f"{twice} is named twice")
    return names


def check_different(connections: Mapping[str, Connection]) -> None:
    """Refuse two names of one profile, whose rows would come twice; CallError."""
    seen: dict[Profile, str] = {}
    for name, one in connections.items():
        if one.profile in seen:
            raise CallError(f"{seen[one.profile]} and {name} are the same profile")
        seen[one.profile] = name


def check_reads(connections: Mapping[str, Connection], command: str) -> None:
    """Refuse what changes something, by whichever cloud's catalogue; nothing is sent."""
    for one in connections.values():
        known = one.catalogue.find(command)
        if known is not None:
            _check_read(known, connections)


def _check_read(command: Command, connections: Mapping[str, Connection]) -> None:
    if not command.is_read:
        raise Refused(
            f"{command.name} changes something, and goes to one cloud at a time, not to"
            f" {', '.join(connections)}; nothing was sent",
            f"Name one of them: %cs -p {next(iter(connections))} {command.name} …",
        )


def of_one(options: Options) -> Options:
    """The options for each cloud: `profile` is no column of theirs."""
    columns = tuple(name for name in options.columns or () if name != PROFILE)
    return replace(options, columns=columns or None)


def of_all(options: Options) -> Options:
    """The options for the whole: `profile` first, unless its place was typed."""
    if options.columns is None or PROFILE in options.columns:
        return options
    return replace(options, columns=(PROFILE, *options.columns))


def ask(
    connections: Mapping[str, Connection],
    call: Call,
    options: Options,
    lookups: Lookups | None = None,
    may_sign_in: bool = False,
) -> Result:
    """What the clouds answer to a read, all asked at once; its provenance is `Parts`.

    One that fails loses no other: the result is incomplete then, and a note has its error.
    The limit is each cloud's. Names are looked up at each.

    Args:
        lookups: the lists that are known already; what was found is added, by profile.
        may_sign_in: somebody can sign in: where that is needed, it is raised.

    Raises:
        Refused: the call changes something; nothing was sent.
        CloudStackError: all of them failed: the first one's error, the others in its hints.
        Incomplete: none came whole; `error.result` is such a Result.
        SignInNeeded: with `may_sign_in`, where somebody has to.
    """
    check_reads(connections, call.command)
    began = time.monotonic()
    asking = _Asking(connections, call, of_one(options), lookups or Lookups(), may_sign_in)
    outcomes = asking.outcomes()
    came, failed = _sorted(outcomes)
    if not came:
        raise all_failed(failed)
    parts = [_part(name, connections[name], came.get(name), failed.get(name)) for name in outcomes]
    result = united(call, parts, came, time.monotonic() - began)
    result = replace(result, notes=(*failures(result), *result.notes))
    if failed.keys() >= came.keys():
        raise _none_whole(result, failed)
    return result


def all_failed(failed: Mapping[str, CloudStackError]) -> CloudStackError:
    """The first one's error, which says in its hints whose it is and what the others said."""
    (name, error), *others = failed.items()
    more = [f"{other}: {said(one)}" for other, one in others if str(one) != str(error)]
    if not more and isinstance(error, CallError):
        return error  # of the text alone
    whose = f"So said {name}." if more else f"So said {', '.join(failed)}."
    error.hints = (whose, *more, *error.hints)
    return error


def said(error: CloudStackError) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}"


@dataclass
class _Asking:
    """One call on its way to several clouds. What signs in or may be refused is done first, here.

    The lists are read by threads, which don't sign in.
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
            _check_read(command, self.connections)
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
        client, command = _Until(one.client, stop), self._commands[name]
        options, lookups = self.options, Lookups(self.lookups.rows, self.lookups.restricted)
        own = options.own or one.profile.scope == "own"
        lists = Lists(client, one.catalogue, lookups, own)
        call = resolved(lists, self.call, command, not options.check)
        self._found[name] = [
            replace(found, command=f"{found.command} of {name}") for found in lookups.told()
        ]
        reader = Reader(client, command, kinds(command), one.wish(options), stop=stop)
        try:
            result = reader.read(spelt(call, command))
        except Incomplete as broken:
            broken.result = one.named(broken.result)
            raise
        finally:
            one.client.pagesize = client.pagesize
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


class _Until(Client):
    """A client for threads whose reads end once an event is set, whichever of them asks."""

    def __init__(self, client: Client, stop: threading.Event) -> None:
        self.profile, self.transport, self.access = client.profile, client.transport, client.access
        self.pagesize = client.pagesize
        self._client, self._until = client, stop

    def exchange(
        self,
        call: Call,
        *,
        is_read: bool,
        stop: threading.Event | None = None,
        attempts: int = ATTEMPTS,
        read: Read = envelope.read,
        sending: Sending | None = None,
        foreground: bool | None = None,
    ) -> Payload:
        """As the client; TransportError once the event is set."""
        if self._until.is_set():
            raise TransportError(f"{call.command} is no longer wanted", sent=False)
        until = stop or self._until
        return self._client.exchange(
            call,
            is_read=is_read,
            stop=until,
            attempts=attempts,
            read=read,
            sending=sending,
            foreground=foreground,
        )


def failures(result: Result) -> tuple[str, ...]:
    """What went wrong at the profiles that failed, a line for each."""
    came = result.provenance
    return (
        tuple(part.failed for part in came.parts if part.failed) if isinstance(came, Parts) else ()
    )


def _sorted(
    outcomes: Mapping[str, Outcome],
) -> tuple[dict[str, Result], dict[str, CloudStackError]]:
    """What came, and what failed; a list that broke off is in both."""
    came: dict[str, Result] = {}
    failed: dict[str, CloudStackError] = {}
    for name, outcome in outcomes.items():
        if isinstance(outcome, Result):
            came[name] = outcome
            continue
        failed[name] = outcome
        if isinstance(outcome, Incomplete):
            came[name] = outcome.result
    return came, failed


def _part(name: str, one: Connection, result: Result | None, error: CloudStackError | None) -> Part:
    host = one.profile.host
    failed = f"{name} at {host}: {said(error)}" if error else ""
    if result is None:
        return Part(name, host, reason=str(error), failed=failed)
    came = result.provenance
    return Part(name, host, came.rows, came.complete, came.reason, failed)


def _none_whole(result: Result, failed: Mapping[str, CloudStackError]) -> Incomplete:
    (name, first), *others = failed.items()
    reason = first.reason if isinstance(first, Incomplete) else first
    return Incomplete(
        f"No profile's list came whole: {result.provenance.rows:,} rows; {name}: {first}",
        *(f"{other}: {said(error)}" for other, error in others),
        "error.result holds the rows that came.",
        result=result,
        reason=reason,
    )
