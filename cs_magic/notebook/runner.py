"""What a text of `%cs` does: parse, check, run, show."""

from __future__ import annotations

import atexit
import re
import traceback
from collections import ChainMap
from collections.abc import Callable, Collection, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cs_magic.api.catalogue import bundled
from cs_magic.api.checking import known
from cs_magic.api.kinds import kind_of
from cs_magic.api.lookups import Lookups
from cs_magic.api.values import Call, Options, Result
from cs_magic.errors import (
    CallError,
    CloudStackError,
    Incomplete,
    ProfileError,
    Refused,
    SignInNeeded,
    StillRunning,
)
from cs_magic.following import each, job, of_one, with_ids
from cs_magic.notebook import asking, helping, many, words
from cs_magic.notebook.arguments import call_of, option_text, options_of
from cs_magic.notebook.connections import Connections
from cs_magic.notebook.grammar import asks, help_about, help_asked, parse, parse_cell
from cs_magic.notebook.jobs import Jobs
from cs_magic.notebook.known import Known
from cs_magic.notebook.shown import (
    asked_secret,
    dry_run,
    frame_of,
    only_shown,
    say,
    show,
    show_text,
    summary,
)
from cs_magic.notebook.signing_in import SignIn
from cs_magic.notebook.statements import Statement
from cs_magic.notebook.vocabulary import WORDS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.api.catalogue import Catalogue
    from cs_magic.connection import Connection


# The words that need no connection.
_ASK_NOBODY = frozenset({"help", "last", "profiles"})


class Names(ChainMap[str, Any]):
    """What a text can look up: a cell's own names, then the user's. A traceback shows none.

    No copies: a name that one line of a cell assigns is read by the next.
    """

    def __repr__(self) -> str:
        return "<the names that can be looked up>"


@dataclass(frozen=True)
class _Left:
    """What is left of a text: its statements from the one that runs, and how many are done."""

    text: tuple[str, str | None]
    statements: Sequence[Statement]
    done: int = 0
    total: int = 0

    @classmethod
    def of(cls, text: tuple[str, str | None], statements: Sequence[Statement], done: int) -> _Left:
        return cls(text, statements[done:], done, len(statements))

    def next(self) -> _Left:
        return _Left(self.text, self.statements[1:], self.done + 1, self.total)


class Runner:
    """Runs the texts of one shell, with the connections that it has open."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.connections = Connections()
        self.sign_in = SignIn(shell)
        self._done: dict[tuple[str, str | None], int] = {}
        self.known = Known()
        self.jobs = Jobs()
        self.last: tuple[Connection, Result, Options] | None = None
        atexit.register(self.connections.close)
        self.lookups = Lookups()  # of one cell
        shell.events.register("post_execute", self._end_cell)
        shell.events.register("pre_run_cell", self._begin_cell)
        self.failed = ""  # a traceback's text: the error itself would keep frames and rows

    def names(self, local: MutableMapping[str, Any] | None) -> Names:
        """The names that a text can look up."""
        return Names({} if local is None else local, self.shell.user_ns)

    def run(self, line: str, cell: str | None, names: Names) -> Any:
        """What the line or cell gives, to be shown by who called.

        Raises:
            CloudStackError: whatever went wrong; it hangs on nothing (`__context__`), or
                IPython would show that instead.
        """
        full = asks(line, "tb")
        try:
            if (wanted := help_asked(line)) is not None:
                return self._help(wanted, names)
            statements = self._parsed(line, cell, names)
            full = full or any(statement.has("tb") for statement in statements)
            for statement in statements:
                if statement.has("help"):
                    return self._help(help_about(statement), names)
            text = (line, cell)
            return self._run(_Left.of(text, statements, self._done.pop(text, 0)), names)
        except CloudStackError as error:
            error.__context__ = None
            error.full = full or error.full
            self.failed = "".join(traceback.format_exception(error))
            raise

    def close(self) -> None:
        """Close the connections, and the demo cloud; say which profile is no longer in use."""
        with suppress(ValueError):  # closed before
            self.shell.events.unregister("post_execute", self._end_cell)
            self.shell.events.unregister("pre_run_cell", self._begin_cell)
        used = self.connections.used
        atexit.unregister(self.connections.close)
        self.known.close()
        self.connections.close()
        self.sign_in.closed()
        if used is not None:
            say(f"{used} is no longer in use: %cs use {used}")

    def _begin_cell(self, _: Any) -> None:
        self.sign_in.run_anew()

    def _end_cell(self) -> None:
        self.lookups = Lookups()

    def _parsed(self, line: str, cell: str | None, names: Names) -> list[Statement]:
        """The statements; an error says that there is no such command before all else."""

        def check(statement: Statement) -> None:
            catalogue = bundled()
            with suppress(ProfileError):
                catalogue = self._asked(statement, names).catalogue
            _check_command(catalogue, statement, strict=True)

        if cell is None:
            return [parse(line, check=check)]
        return parse_cell(line, cell, check)

    def _run(self, left: _Left, names: Names) -> Any:
        """Check all that can be checked, then run one after the other; the last is returned."""
        self._signed_in_for(left, names, partial(self._check_all, left.statements, names))
        shown: Any = None
        planned: set[str] = set()
        while left.statements:
            statement = left.statements[0]
            if shown is not None:
                show(shown)
                shown = None
            later: Collection[str] = planned if statement.has("dry-run") else ()
            try:
                shown = self._signed_in_for(
                    left, names, partial(self._one, statement, names, later)
                )
            except CloudStackError as error:
                problem = error if left.total == 1 else _located(error, statement)
                raise problem from None
            if later is planned and statement.target:
                planned.add(statement.target)
            left = left.next()
        return shown

    def _signed_in_for(self, left: _Left, names: Names, action: Callable[[], Any]) -> Any:
        """What the action gives, once somebody signed in where it needs that.

        Raises:
            WaitingForSignIn: a form is on the screen. The cell goes on from here, where
                nothing that is left changes anything.
        """
        try:
            return action()
        except CloudStackError as error:
            problem = error
        needed = problem.reason if isinstance(problem, Incomplete) else problem
        if not isinstance(needed, SignInNeeded):
            raise problem
        connection = self.connections.of(needed.mark)
        if connection is None:
            raise problem
        try:
            asked = self._all_asked(left.statements, names)
            again = partial(self._go_on_with, left, names, asked)
            reads = all(_changes_nothing(one) for one in left.statements)
            waits = f"{left.statements[0].command}{_kept(problem)}"
            self.sign_in.needed(connection, problem, waits, again if reads else None)
        except CloudStackError as error:
            problem = error
        else:
            return action()
        problem.__cause__ = None
        raise problem

    def _go_on_with(self, left: _Left, names: Names, asked: list[Connection]) -> bool:
        """Go on with what is left next, unless it would ask another connection than it did."""
        with suppress(CloudStackError):  # a profile that is gone
            now = self._all_asked(left.statements, names)
            if now == asked:  # the very same objects
                self._done[left.text] = left.done
                return True
        return False

    def _all_asked(self, statements: Sequence[Statement], names: Names) -> list[Connection]:
        """The connections that the statements ask, one after the other."""
        found: list[Connection] = []
        used: Connection | None = None
        for statement in statements:
            word = statement.command.lower()
            if word == "use":
                name = words.profile_name(statement, names)
                used = self.connections.to_use(name, words.only_reads(statement))
            elif word not in _ASK_NOBODY:
                found.append(self._asked(statement, names, used))
        return found

    def _check_all(self, statements: Sequence[Statement], names: Names) -> None:
        """Raise what is wrong with any statement before the first is sent."""
        later: set[str] = set()
        used: Connection | None = None
        for statement in statements:
            match statement.command.lower():
                case "use":
                    name = words.profile_name(statement, names)
                    used = self.connections.to_use(name, words.only_reads(statement))
                case word if word in WORDS:
                    words.flags_of(statement)
                    if statement.has("profile"):
                        self._asked(statement, names, used)
                case _:
                    connection = self._asked(statement, names, used)
                    call, options = _checked(connection, statement, names, later)
                    if not statement.has("yes") and not statement.has("dry-run"):
                        asking.check(connection.command(call, replace(options, check=False)), call)
            if statement.target:
                later.add(statement.target)

    def _asked(
        self, statement: Statement, names: Names, used: Connection | None = None
    ) -> Connection:
        """The connection of the profile that `-p` names, else the one that is (or will be) used."""
        name = option_text(statement, "profile", names)
        if name is None:
            return used or self.connections.current()
        return self.connections.named(name, used.profile if used else None)

    def _one(self, statement: Statement, names: Names, later: Collection[str]) -> Any:
        """Run one statement; what is to be shown, or None."""
        match statement.command.lower():
            case "use":
                words.use(statement, names, self.connections)
                return self.sign_in.closed(self.connections.is_open)
            case "profiles":
                return self._given(statement, words.profiles(self.connections))
            case "status":
                return self._given(statement, words.status(statement, self.connections))
            case "last":
                return self._show_last(statement)
            case "login":
                return words.login(statement, self._asked(statement, names), self.sign_in)
            case "logout":
                return words.logout(statement, self._asked(statement, names), self.sign_in)
            case "sync":
                return words.sync(statement, self._asked(statement, names))
            case "help":
                return self._help(statement, names)
            case "apis":
                asked_of = partial(self._asked, statement, names)
                return self._given(statement, helping.apis(statement, names, asked_of))
            case "jobs":
                return self._given(statement, self.jobs.frame(self.connections))
            case "job":
                return self._job(statement, names)
        connection = self._asked(statement, names)
        if statement.has("refresh"):
            self.known.forget(connection.profile)
        call, options = _checked(connection, statement, names, later)
        self.lookups.told()  # those of a statement that failed
        if statement.has("dry-run"):
            with _pointing_to(statement):
                unknown = _to_come(statement, later)
                if statement.has("each"):
                    plans = many.plans(connection, statement, names, later, options, self.lookups)
                    self._say_names(not statement.has("quiet"))
                    return plans
                call = connection.with_ids(call, options, self.lookups, unknown)
            self._say_names(not statement.has("quiet"))
            return _planned(connection, call, replace(options, check=False))  # it is checked
        if self.sign_in.going_on is not None and not _changes_nothing(statement):
            raise Refused(
                f"{statement.command} is not sent by a cell that goes on by itself",
                "Run it again, now that you are signed in.",
            )
        with _pointing_to(statement):
            result = self._answer(connection, statement, names, later, options)
            value = _value(connection, result, options)
        self._say(statement, connection, result, options.reveal)
        return self._given(statement, value)

    def _help(self, statement: Statement, names: Names) -> None:
        helping.show_help(statement, names, partial(self._asked, statement, names))

    def _allowed(
        self, connection: Connection, calls: Sequence[Call], options: Options
    ) -> Sequence[Call]:
        """The calls of one command; with ids, and once somebody said yes, where one asks first."""
        commands = [connection.command(call, options) for call in calls]
        if any(asking.asks(command, call) for command, call in zip(commands, calls, strict=True)):
            calls = with_ids(connection, calls, options, self.lookups)
            asking.ask(connection, commands[0], calls, self.lookups)
        return calls

    def _answer(
        self,
        connection: Connection,
        statement: Statement,
        names: Names,
        later: Collection[str],
        options: Options,
    ) -> Result:
        """The answer to a statement's call, or what came of its calls."""
        workers = many.workers_of(statement, names)
        if statement.has("each"):
            calls: Sequence[Call] = many.calls_of(statement, names, later, asked_secret)
        else:
            calls = [call_of(statement, names, later, asked_secret)]
        if not statement.has("yes"):
            calls = self._allowed(
                connection, calls, of_one(options) if statement.has("each") else options
            )
        with (
            self._keeping(connection, options),
            self.jobs.watching(connection, statement.has("quiet")) as watch,
        ):
            if statement.has("each"):
                watch.many(statement.command, len(calls))
                result = each(
                    connection,
                    calls,
                    options,
                    like=call_of(*many.one_of(statement, names, later)),
                    workers=workers,
                    lookups=self.lookups,
                    watcher=watch,
                )
            else:
                result = connection.run(calls[0], options, self.lookups, watch)
        self.last = (connection, result, options)
        command = connection.catalogue.find(statement.command)
        if command is None or not command.is_read:
            self.known.forget(connection.profile)
        return result

    @contextmanager
    def _keeping(self, connection: Connection, options: Options) -> Iterator[None]:
        """Keep what came before something broke off, as the last result and as a frame."""
        try:
            yield
        except (Incomplete, StillRunning) as broken:
            if broken.result is not None:
                self.last = (connection, broken.result, options)
                broken.result = _value(connection, broken.result, replace(options, file=None))
            raise

    def _job(self, statement: Statement, names: Names) -> Any:
        """Wait for a job that is known by its id, or show it."""
        jobid = words.job_id(statement, names)
        options = options_of(statement, names)
        if words.flags_of(statement):
            options = replace(options, wait=False)
        known = self.jobs.find(jobid)
        typed = option_text(statement, "profile", names)
        name = typed or (known.profile if known else None)
        connection = self.connections.named(name) if name else self.connections.current()
        command = known.command if known else None
        with self.jobs.watching(connection, statement.has("quiet")) as watch:
            result = job(connection, jobid, options, watch, command)
        self.last = (connection, result, options)
        self._say(statement, connection, result, options.reveal)
        return self._given(statement, _value(connection, result, options))

    def _say(
        self, statement: Statement, connection: Connection, result: Result, revealed: bool
    ) -> None:
        verbose = statement.has("verbose")
        self._say_names(verbose and not statement.has("quiet"))
        if statement.has("quiet") and result.provenance.complete is not False:
            return
        command = connection.catalogue.find(statement.command)
        once = command is not None and not command.is_read
        say(summary(result, statement.target, connection.profile, verbose, revealed, once))
        for note in result.notes:
            say(f"⚠ {note}")

    def _say_names(self, wanted: bool) -> None:
        """Say which names were looked up since the last time, where that is wanted."""
        for found in self.lookups.told():
            if wanted:
                say(str(found))

    def _given(self, statement: Statement, value: Any) -> Any:
        """Assign to the target, or hand over to be shown; a last `;` shows nothing."""
        if statement.target:
            self.shell.user_ns[statement.target] = value
            return None
        return None if statement.silent and only_shown(self.shell) else value

    def _show_last(self, statement: Statement) -> Any:
        flags = words.flags_of(statement)
        if "--tb" in flags:
            if not self.failed:
                raise statement.wrong("No call has failed yet")
            return show_text(self.failed)
        if self.last is None:
            raise statement.wrong("There is no result yet")
        connection, result, options = self.last
        options = replace(options, file=None, reveal="--reveal" in flags)
        return self._given(statement, _value(connection, result, options))


def _checked(
    connection: Connection,
    statement: Statement,
    names: MutableMapping[str, Any],
    later: Collection[str],
) -> tuple[Call, Options]:
    """The call and options of a statement, held against the catalogue.

    The first one that is to be sent reads the server's.
    """
    options = options_of(statement, names, later)
    asks_server = not statement.has("dry-run")
    tell = None if statement.has("quiet") else say
    if options.check and connection.catalogue.find(statement.command) is None:
        if asks_server:
            connection.meet(Call(statement.command), tell)
        _check_command(connection.catalogue, statement)
    one, names, later = many.one_of(statement, names, later)
    call = call_of(one, names, later)
    if asks_server:
        connection.meet(call if options.check else None, tell)
    with _pointing_to(statement):
        asked = of_one(options) if statement.has("each") else options
        connection.command(_without_names_to_come(call, one, later), asked)
    return call, options


def _check_command(catalogue: Catalogue, statement: Statement, strict: bool = False) -> None:
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


def _changes_nothing(statement: Statement) -> bool:
    """Whether it may be sent by itself once somebody signed in."""
    if statement.has("dry-run") or statement.command.lower() in WORDS:
        return True
    return kind_of(statement.command) == "read"


def _kept(problem: CloudStackError) -> str:
    """What came before a session ended, in words."""
    if not isinstance(problem, Incomplete):
        return ""
    return f" broke off, its {len(problem.result):,} rows are kept (%cs last): it"


def _planned(connection: Connection, call: Call, options: Options) -> Any:
    return frame_of(dry_run(connection.planned(call, options), connection.profile))


def _value(connection: Connection, result: Result, options: Options) -> Any:
    """What a person gets: a frame, the parsed JSON, or a frame that says what was written."""
    if options.file is not None:
        written = connection.written(result, options)
        for note in written.notes[len(result.notes) :]:
            say(f"⚠ {note}")
        return frame_of([written.row()])
    return connection.parsed(result, options) if options.raw else connection.frame(result, options)


def _located(error: CloudStackError, statement: Statement) -> CloudStackError:
    """Say which line of the cell failed."""
    number = statement.text.count("\n", 0, statement.column) + 1
    if not isinstance(error, CallError):
        error.hints = (f"line {number}: {statement.command}", *error.hints)
    return error
