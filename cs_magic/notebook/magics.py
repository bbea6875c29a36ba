"""`%cs` and `%%cs`: parse, check, run, show."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from cs_magic.api.values import Call, Options, Result
from cs_magic.errors import CallError, CloudStackError, Incomplete
from cs_magic.notebook.arguments import call_of, options_of, unresolved
from cs_magic.notebook.grammar import Statement, asks, parse, parse_cell
from cs_magic.notebook.shown import dry_run, say, show_text, summary
from cs_magic.notebook.vocabulary import WORDS, help_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.connection import Connection
    from cs_magic.notebook.connections import Connections

Names = Mapping[str, Any]


@magics_class
class CloudStackMagics(Magics):  # type: ignore[misc]
    """The magics of one shell, with the connections that it has open."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._opened: Connections | None = None
        self._last: Any = None

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def cs(self, line: str, cell: str | None = None, local_ns: Names | None = None) -> Any:
        names = ChainMap(dict(local_ns or {}), self.shell.user_ns)
        full = asks(line, "tb")
        try:
            if asks(line, "help"):
                return show_text(help_text())
            statements = [parse(line)] if cell is None else parse_cell(line, cell)
            return self._run(statements, names)
        except CloudStackError as error:
            # The edge: IPython would show an exception that hangs on __context__ instead.
            error.__context__ = None
            error.full = full or error.full
            raise

    @property
    def connections(self) -> Connections:
        """The connections of this shell, made when first asked for."""
        if self._opened is None:
            from cs_magic.notebook.connections import Connections

            self._opened = Connections()
        return self._opened

    def close(self) -> None:
        """Close the connections, and the demo cloud."""
        if self._opened is not None:
            self._opened.close()

    def _run(self, statements: Sequence[Statement], names: Names) -> Any:
        """Check all that can be checked, then run one after the other; the last is returned."""
        connection = self._connection(statements)
        self._check_all(statements, names, connection)
        shown = None
        for number, statement in enumerate(statements):
            last = number == len(statements) - 1
            try:
                shown = self._one(statement, names, connection)
            except CloudStackError as error:
                problem = error if len(statements) == 1 else _located(error, statement)
            else:
                if not last and shown is not None:
                    self._display(shown)
                continue
            raise problem
        return shown

    def _connection(self, statements: Sequence[Statement]) -> Connection | None:
        needed = any(statement.command.lower() not in WORDS for statement in statements)
        return self.connections.current() if needed and not _uses(statements) else None

    def _check_all(
        self, statements: Sequence[Statement], names: Names, connection: Connection | None
    ) -> None:
        """Raise what is wrong with any statement before the first is sent."""
        assigned: set[str] = set()
        for statement in statements:
            if statement.command.lower() not in WORDS and not unresolved(statement) & assigned:
                options = options_of(statement, names)
                call = call_of(statement, names)
                if connection is not None:
                    _checked(connection, statement, call, options)
            if statement.target:
                assigned.add(statement.target)

    def _one(self, statement: Statement, names: Names, connection: Connection | None) -> Any:
        """Run one statement; what is to be shown, or None."""
        if statement.command.lower() in WORDS:
            return self._word(statement)
        connection = connection or self.connections.current()
        call, options = call_of(statement, names), options_of(statement, names)
        _checked(connection, statement, call, options)
        if statement.has("dry-run"):
            return _planned(connection, call, options)
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
        return value

    def _display(self, value: Any) -> None:
        from IPython.display import display

        display(value)

    def _word(self, statement: Statement) -> Any:
        if statement.command.lower() == "last":
            return self._show_last(statement)
        return self._use(statement)

    def _use(self, statement: Statement) -> None:
        if len(statement.words) != 1:
            raise statement.wrong("use takes the name of a profile: %cs use demo")
        connection = self.connections.use(statement.words[0].text)
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


def _uses(statements: Sequence[Statement]) -> bool:
    return any(statement.command.lower() == "use" for statement in statements)


def _checked(connection: Connection, statement: Statement, call: Call, options: Options) -> None:
    """Hold a call against the catalogue; what is wrong is pointed to in the text."""
    try:
        connection.command(call, options)
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


CloudStackMagics.cs.__doc__ = help_text()
