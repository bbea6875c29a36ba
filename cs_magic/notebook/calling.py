"""What a statement does that is a call, or follows one: check, ask first, run, keep, show."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cs_magic.api.checking import known
from cs_magic.api.kinds import kind_of
from cs_magic.api.values import Call, Options, Result
from cs_magic.errors import CallError, Incomplete, Refused, StillRunning
from cs_magic.following import each, job, of_one, with_ids
from cs_magic.notebook import asking, many, unattended, words
from cs_magic.notebook.arguments import call_of, option_text, options_of
from cs_magic.notebook.desk import Desk
from cs_magic.notebook.shown import asked_secret, dry_run, frame_of, say
from cs_magic.notebook.statements import Statement
from cs_magic.notebook.streamed import answer, value_of
from cs_magic.notebook.vocabulary import WORDS
from cs_magic.notebook.watching import watching

if TYPE_CHECKING:
    from cs_magic.api.catalogue import Catalogue
    from cs_magic.connection import Connection


@dataclass(frozen=True, repr=False)
class Calling:
    """One statement that is a call, on its way from its text to what is shown.

    `later` are the names whose values are known only once their lines run.
    """

    desk: Desk
    connection: Connection
    statement: Statement
    names: MutableMapping[str, Any]
    later: Collection[str] = ()

    @property
    def is_many(self) -> bool:
        """Whether a call is made for each element."""
        return self.statement.has("each")

    def checked(self) -> Options:
        """The options, once all is held against the catalogue; nothing of the call is sent.

        The first statement that is to be sent reads the server's.
        """
        statement, connection = self.statement, self.connection
        options = options_of(statement, self.names, self.later)
        many.workers_of(statement, self.names)
        asks_server = not statement.has("dry-run")
        tell = None if statement.has("quiet") else say
        if options.check and connection.catalogue.find(statement.command) is None:
            if asks_server:
                connection.meet(Call(statement.command), tell)
            check_command(connection.catalogue, statement)
        one, names, later = many.one_of(statement, self.names, self.later)
        call = call_of(one, names, later)
        if asks_server:
            connection.meet(call if options.check else None, tell)
        with _pointing_to(statement):
            connection.command(_without_names_to_come(call, one, later), self._of_one(options))
        return options

    def check_asked(self, options: Options) -> None:
        """Refuse what has to ask first where nobody can be asked."""
        if self.statement.has("yes") or self.statement.has("dry-run"):
            return
        if self.is_many and not many.calls_of(self.statement, self.names, self.later):
            return  # there is nothing to be sent
        one, names, later = many.one_of(self.statement, self.names, self.later)
        call = call_of(one, names, later)
        if not self.is_many:
            asking.check_older(call, options)
        unchecked = replace(self._of_one(options), check=False)
        asking.check(self.connection.command(call, unchecked), call)

    def run(self) -> Any:
        """Send it; what is to be shown."""
        desk, statement = self.desk, self.statement
        if statement.has("refresh"):
            desk.known.forget(self.connection.profile)
        options = self.checked()
        desk.lookups.told()  # those of a statement that failed
        if statement.has("dry-run"):
            return self._planned(options)
        if desk.sign_in.going_on is not None and not changes_nothing(statement):
            raise Refused(
                f"{statement.command} is not sent by a cell that goes on by itself",
                "Run it again, now that you are signed in.",
            )
        with _pointing_to(statement):
            result = self._answer(options)
            given = value_of(self.connection, result, options)
        return desk.told(statement, self.connection, result, given, options.reveal)

    def _planned(self, options: Options) -> Any:
        """A frame of what would be sent."""
        desk, connection, statement = self.desk, self.connection, self.statement
        with _pointing_to(statement):
            if self.is_many:
                given = statement, self.names, self.later
                planned = many.plans(connection, *given, options, desk.lookups)
            else:
                call = call_of(statement, self.names, self.later)
                unknown = _to_come(statement, self.later)
                call = connection.with_ids(call, options, desk.lookups, unknown)
                calls = connection.planned(call, replace(options, check=False))  # it is checked
                planned = frame_of(dry_run(calls, connection.profile))
        desk.say_names(not statement.has("quiet"))
        return planned

    def _answer(self, options: Options) -> Result:
        """The answer to the call, or what came of the calls."""
        desk, connection, statement = self.desk, self.connection, self.statement
        calls = self._calls()
        if not statement.has("yes"):
            if not self.is_many:
                asking.ask_older(calls[0], options)
            calls = self._allowed(calls, self._of_one(options))
        try:
            with _keeping(desk, connection, options):
                result = self._sent(calls, options)
        except Incomplete as broken:
            if desk.last is None or options.file is not None:
                raise
            result = unattended.taken(broken, desk.last[1])
        desk.last = (connection, result, options)
        command = connection.catalogue.find(statement.command)
        if command is None or not command.is_read:
            desk.known.forget(connection.profile)
        return result

    def _calls(self) -> Sequence[Call]:
        if self.is_many:
            return many.calls_of(self.statement, self.names, self.later, asked_secret)
        return [call_of(self.statement, self.names, self.later, asked_secret)]

    def _allowed(self, calls: Sequence[Call], options: Options) -> Sequence[Call]:
        """The calls of one command; with ids, and once somebody said yes, where one asks first."""
        connection, lookups = self.connection, self.desk.lookups
        commands = [connection.command(call, options) for call in calls]
        if any(asking.asks(command, call) for command, call in zip(commands, calls, strict=True)):
            calls = with_ids(connection, calls, options, lookups)
            asking.ask(connection, commands[0], calls, lookups)
        return calls

    def _sent(self, calls: Sequence[Call], options: Options) -> Result:
        desk, connection, statement = self.desk, self.connection, self.statement
        workers = many.workers_of(statement, self.names)
        quiet = statement.has("quiet")
        with watching(desk.jobs, connection, quiet, desk.lookups) as watch:
            if not self.is_many:
                return answer(connection, calls[0], options, desk.lookups, watch, quiet)
            watch.many(statement.command, len(calls))
            return each(
                connection,
                calls,
                options,
                like=call_of(*many.one_of(statement, self.names, self.later)),
                workers=workers,
                lookups=desk.lookups,
                watcher=watch,
            )

    def _of_one(self, options: Options) -> Options:
        return of_one(options) if self.is_many else options


def follow(desk: Desk, statement: Statement, names: MutableMapping[str, Any]) -> Any:
    """Wait for a job that is known by its id (`%cs job ID`), or show it."""
    jobid = words.job_id(statement, names)
    options = options_of(statement, names)
    if words.flags_of(statement):
        options = replace(options, wait=False)
    begun = desk.jobs.find(jobid)
    typed = option_text(statement, "profile", names)
    name = typed or (begun.profile if begun else None)
    connection = desk.connections.named(name) if name else desk.connections.current()
    command = begun.command if begun else None
    with watching(desk.jobs, connection, statement.has("quiet")) as watch:
        watch.follows(jobid)
        result = job(connection, jobid, options, watch, command)
    desk.last = (connection, result, options)
    given = value_of(connection, result, options)
    return desk.told(statement, connection, result, given, options.reveal)


def check_command(catalogue: Catalogue, statement: Statement, strict: bool = False) -> None:
    """Refuse a command that does not exist: `stauts` is near a word, `list zones` a command.

    One that the bundled catalogue lacks may exist; `strict` refuses it even so.
    """
    if statement.has("no-check") or catalogue.find(statement.command):
        return
    behind = re.compile(r"[^\S\n]+(\w+)").match(
        statement.text, statement.column + len(statement.command)
    )
    joined = catalogue.find(statement.command + behind[1]) if behind else None
    with _pointing_to(statement):
        if joined is not None:
            message = f"There is no command {statement.command}: did you mean {joined.name}?"
            raise CallError(message, name=statement.command)
        if strict:
            catalogue.command(statement.command, WORDS)
        known(catalogue, statement.command, WORDS)


def changes_nothing(statement: Statement) -> bool:
    """Whether it may be sent by itself once somebody signed in."""
    if statement.has("dry-run") or statement.command.lower() in WORDS:
        return True
    return kind_of(statement.command) == "read"


@contextmanager
def _keeping(desk: Desk, connection: Connection, options: Options) -> Iterator[None]:
    """Keep what came before something broke off, as the last result and as a frame."""
    try:
        yield
    except (Incomplete, StillRunning) as broken:
        if broken.result is not None:
            desk.last = (connection, broken.result, options)
            broken.result = value_of(connection, broken.result, replace(options, file=None))
        raise


def _without_names_to_come(call: Call, statement: Statement, later: Collection[str]) -> Call:
    """The call with an empty text where a value is only known when its line runs."""
    unknown = _to_come(statement, later)
    pairs = ((name, "" if value in unknown else value) for name, value in call.arguments)
    return Call(call.command, tuple(pairs))


def _to_come(statement: Statement, later: Collection[str]) -> set[str]:
    """What is typed for values that are only known when their lines run."""
    return {
        argument.value.typed
        for argument in statement.arguments
        if argument.value.path and argument.value.path[0] in later
    }


@contextmanager
def _pointing_to(statement: Statement) -> Iterator[None]:
    """Point to the place in the text where a call is wrong."""
    try:
        yield
        return
    except CallError as error:
        problem = error
    if problem.text is not None:
        raise problem
    raise statement.wrong(problem.message, *problem.hints, column=statement.column_of(problem.name))
