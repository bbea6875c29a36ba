"""What a text of `%cs` does: parse, check, run, show."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cs_magic.api.values import Call, Options, Result
from cs_magic.errors import CallError, CloudStackError, Incomplete
from cs_magic.notebook.arguments import call_of, options_of, text_of
from cs_magic.notebook.connections import Connections
from cs_magic.notebook.grammar import asks, parse, parse_cell
from cs_magic.notebook.shown import dry_run, only_shown, say, show, show_text, summary
from cs_magic.notebook.statements import Statement
from cs_magic.notebook.vocabulary import help_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.connection import Connection

Names = MutableMapping[str, Any]


class Runner:
    """Runs the texts of one shell, with the connections that it has open."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.connections = Connections()
        self._last: Any = None

    def run(self, line: str, cell: str | None, local: Names | None) -> Any:
        """What the line or cell gives, to be shown by who called.

        Raises:
            CloudStackError: whatever went wrong; it hangs on nothing (`__context__`), or
                IPython would show that instead.
        """
        # No copies: a name that one line of a cell assigns is read by the next.
        names = ChainMap({} if local is None else local, self.shell.user_ns)
        full = asks(line, "tb")
        try:
            if asks(line, "help"):
                return show_text(help_text())
            statements = [parse(line)] if cell is None else parse_cell(line, cell)
            full = full or any(statement.has("tb") for statement in statements)
            if any(statement.has("help") for statement in statements):
                return show_text(help_text())
            return self._run(statements, names)
        except CloudStackError as error:
            error.__context__ = None
            error.full = full or error.full
            raise

    def close(self) -> None:
        """Close the connections, and the demo cloud."""
        self.connections.close()

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
        connection = None
        for statement in statements:
            match statement.command.lower():
                case "use":
                    connection = self.connections.named(_profile_name(statement, names))
                case "last":
                    pass
                case _:
                    connection = connection or self.connections.current()
                    _checked(connection, statement, names, later)
            if statement.target:
                later.add(statement.target)

    def _one(self, statement: Statement, names: Names, later: Collection[str]) -> Any:
        """Run one statement; what is to be shown, or None."""
        match statement.command.lower():
            case "use":
                return self._use(statement, names)
            case "last":
                return self._show_last(statement)
        connection = self.connections.current()
        call, options = _checked(connection, statement, names, later)
        if statement.has("dry-run"):
            return _planned(connection, call, options)
        with _pointing_to(statement):
            value, result = self._answer(connection, call, options)
        if not statement.has("quiet") or result.provenance.complete is False:
            say(summary(result, statement.target, connection.profile, statement.has("verbose")))
            for note in result.notes:
                say(f"⚠ {note}")
        return self._given(statement, value)

    def _answer(self, connection: Connection, call: Call, options: Options) -> tuple[Any, Result]:
        try:
            result = connection.run(call, options)
        except Incomplete as broken:
            broken.result = self._last = _value(connection, broken.result, options)
            raise
        value = self._last = _value(connection, result, options)
        return value, result

    def _given(self, statement: Statement, value: Any) -> Any:
        """Assign to the target, or hand over to be shown; a last `;` shows nothing."""
        if statement.target:
            self.shell.user_ns[statement.target] = value
            return None
        return None if statement.silent and only_shown(self.shell) else value

    def _use(self, statement: Statement, names: Names) -> None:
        connection = self.connections.use(_profile_name(statement, names))
        if not statement.has("quiet"):
            profile = connection.profile
            where = (
                f" ({profile.host})" if profile.name != "demo" or statement.has("verbose") else ""
            )
            say(f"using {profile.name}: {profile.source}{where}")

    def _show_last(self, statement: Statement) -> Any:
        if statement.words:
            raise statement.wrong("last takes nothing", column=statement.words[0].column)
        if self._last is None:
            raise statement.wrong("There is no result yet")
        return self._given(statement, self._last)


def _profile_name(statement: Statement, names: Names) -> str:
    if len(statement.words) != 1:
        raise statement.wrong("use takes the name of a profile: %cs use demo")
    if statement.target:
        raise statement.wrong("use gives nothing that a variable could keep")
    return text_of(statement, statement.words[0], names)


def _checked(
    connection: Connection, statement: Statement, names: Names, later: Collection[str]
) -> tuple[Call, Options]:
    """The call and options of a statement, held against the catalogue."""
    call, options = call_of(statement, names, later), options_of(statement, names, later)
    with _pointing_to(statement):
        connection.command(call, options)
    return call, options


@contextmanager
def _pointing_to(statement: Statement) -> Iterator[None]:
    """Point to the place in the text where a call is wrong."""
    try:
        yield
        return
    except CallError as error:
        problem = error
    raise statement.wrong(problem.message, *problem.hints, column=statement.column_of(problem.name))


def _planned(connection: Connection, call: Call, options: Options) -> Any:
    import pandas as pd

    return pd.DataFrame(dry_run(connection.planned(call, options), connection.profile))


def _value(connection: Connection, result: Result, options: Options) -> Any:
    return connection.parsed(result) if options.raw else connection.frame(result, options)


def _located(error: CloudStackError, statement: Statement) -> CloudStackError:
    """Say which line of the cell failed."""
    number = statement.text.count("\n", 0, statement.column) + 1
    if not isinstance(error, CallError):
        error.hints = (f"line {number}: {statement.command}", *error.hints)
    return error
