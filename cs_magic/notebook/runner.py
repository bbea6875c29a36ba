"""What a text of `%cs` does: parse, check, run, show."""

from __future__ import annotations

import re
import traceback
from collections import ChainMap
from collections.abc import Collection, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cs_magic.api.catalogue import bundled
from cs_magic.api.values import Call, Options, Result
from cs_magic.errors import CallError, CloudStackError, Incomplete, ProfileError
from cs_magic.notebook import words
from cs_magic.notebook.arguments import call_of, option_text, options_of
from cs_magic.notebook.connections import Connections
from cs_magic.notebook.grammar import asks, parse, parse_cell
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
from cs_magic.notebook.statements import Statement
from cs_magic.notebook.vocabulary import WORDS, help_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.api.catalogue import Catalogue
    from cs_magic.connection import Connection


class Names(ChainMap[str, Any]):
    """What a text can look up: a cell's own names, then the user's. A traceback shows none.

    No copies: a name that one line of a cell assigns is read by the next.
    """

    def __repr__(self) -> str:
        return "<the names that can be looked up>"


class Runner:
    """Runs the texts of one shell, with the connections that it has open."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.connections = Connections()
        self.known = Known()
        self.last: tuple[Connection, Result, Options] | None = None
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
            if asks(line, "help"):
                return show_text(help_text())
            statements = self._parsed(line, cell, names)
            full = full or any(statement.has("tb") for statement in statements)
            if any(statement.has("help") for statement in statements):
                return show_text(help_text())
            return self._run(statements, names)
        except CloudStackError as error:
            error.__context__ = None
            error.full = full or error.full
            self.failed = "".join(traceback.format_exception(error))
            raise

    def close(self) -> None:
        """Close the connections, and the demo cloud; say which profile is no longer in use."""
        used = self.connections.used
        self.known.close()
        self.connections.close()
        if used is not None:
            say(f"{used} is no longer in use: %cs use {used}")

    def _parsed(self, line: str, cell: str | None, names: Names) -> list[Statement]:
        """The statements; an error says that there is no such command before all else."""

        def check(statement: Statement) -> None:
            catalogue = bundled()
            with suppress(ProfileError):
                catalogue = self._asked(statement, names).catalogue
            _check_command(catalogue, statement)

        if cell is None:
            return [parse(line, check=check)]
        return parse_cell(line, cell, check)

    def _run(self, statements: Sequence[Statement], names: Names) -> Any:
        """Check all that can be checked, then run one after the other; the last is returned."""
        self._check_all(statements, names)
        shown: Any = None
        planned: set[str] = set()
        for number, statement in enumerate(statements):
            if number and shown is not None:
                show(shown)
            later: Collection[str] = planned if statement.has("dry-run") else ()
            try:
                shown = self._one(statement, names, later)
            except CloudStackError as error:
                problem = error if len(statements) == 1 else _located(error, statement)
            else:
                if later is planned and statement.target:
                    planned.add(statement.target)
                continue
            raise problem
        return shown

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
                case _:
                    connection = self._asked(statement, names, used)
                    _checked(connection, statement, names, later)
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
                return words.use(statement, names, self.connections)
            case "profiles":
                return self._given(statement, words.profiles(self.connections))
            case "status":
                return self._given(statement, words.status(statement, self.connections))
            case "last":
                return self._show_last(statement)
        connection = self._asked(statement, names)
        if statement.has("refresh"):
            self.known.forget(connection.profile)
        call, options = _checked(connection, statement, names, later)
        if statement.has("dry-run"):
            return _planned(connection, call, replace(options, check=False))  # it is checked
        with _pointing_to(statement):
            call = call_of(statement, names, later, asked_secret)
            result = self._answer(connection, call, options)
            value = _value(connection, result, options)
        self._say(statement, connection, result, options.reveal)
        return self._given(statement, value)

    def _answer(self, connection: Connection, call: Call, options: Options) -> Result:
        try:
            result = connection.run(call, options)
        except Incomplete as broken:
            self.last = (connection, broken.result, options)
            broken.result = _value(connection, broken.result, replace(options, file=None))
            raise
        self.last = (connection, result, options)
        command = connection.catalogue.find(call.command)
        if command is None or not command.is_read:
            self.known.forget(connection.profile)
        return result

    def _say(
        self, statement: Statement, connection: Connection, result: Result, revealed: bool
    ) -> None:
        if statement.has("quiet") and result.provenance.complete is not False:
            return
        verbose = statement.has("verbose")
        say(summary(result, statement.target, connection.profile, verbose, revealed))
        for note in result.notes:
            say(f"⚠ {note}")

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
    connection: Connection, statement: Statement, names: Names, later: Collection[str]
) -> tuple[Call, Options]:
    """The call and options of a statement, held against the catalogue."""
    options = options_of(statement, names, later)
    if options.check:
        _check_command(connection.catalogue, statement)
    call = call_of(statement, names, later)
    with _pointing_to(statement):
        connection.command(_without_names_to_come(call, statement, later), options)
    return call, options


def _check_command(catalogue: Catalogue, statement: Statement) -> None:
    """Refuse a command that does not exist: `stauts` is near a word, `list zones` a command."""
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
        catalogue.command(statement.command, WORDS)


def _without_names_to_come(call: Call, statement: Statement, later: Collection[str]) -> Call:
    """The call with an empty text where a value is only known when its line runs."""
    unknown = {
        argument.value.typed
        for argument in statement.arguments
        if argument.value.path and argument.value.path[0] in later
    }
    pairs = ((name, "" if value in unknown else value) for name, value in call.arguments)
    return Call(call.command, tuple(pairs))


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
