"""What a text of `%cs` does: parse, check all of it, then run one statement after the other."""

from __future__ import annotations

import atexit
import time
import traceback
from collections.abc import Collection, MutableMapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from cs_magic.api.catalogue import bundled
from cs_magic.api.lookups import Lookups
from cs_magic.errors import CallError, CloudStackError, ProfileError
from cs_magic.notebook import helping, words
from cs_magic.notebook.calling import check_command, follow
from cs_magic.notebook.desk import Desk, Names
from cs_magic.notebook.going_on import GoingOn, Left
from cs_magic.notebook.grammar import asks, help_about, help_asked, parse, parse_cell
from cs_magic.notebook.several import calling_of
from cs_magic.notebook.shown import say, show
from cs_magic.notebook.statements import Statement
from cs_magic.notebook.vocabulary import WORDS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from cs_magic.connection import Connection

# Seconds that the last cells of Run All may take to arrive after the first.
_ARRIVES = 0.3


class Runner:
    """Runs the texts of one shell, with the connections that it has open."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.desk = Desk(shell)
        self._going_on = GoingOn(self.desk)
        atexit.register(self.desk.connections.close)
        shell.events.register("post_execute", self._end_cell)
        shell.events.register("pre_run_cell", self._begin_cell)
        shell.events.register("post_run_cell", self._ran_cell)

    def names(self, local: MutableMapping[str, Any] | None) -> Names:
        """The names that a text can look up."""
        return Names({} if local is None else local, self.desk.shell.user_ns)

    def run(self, line: str, cell: str | None, names: Names) -> Any:
        """What the line or cell gives, to be shown by who called.

        Raises:
            CloudStackError: whatever went wrong; it hangs on nothing (`__context__`), or
                IPython would show that instead.
        """
        self.desk.say_unseen()
        full = asks(line, "tb")
        try:
            if (wanted := help_asked(line)) is not None:
                return self._help(wanted, names)
            statements = self._parsed(line, cell, names)
            full = full or any(statement.has("tb") for statement in statements)
            for statement in statements:
                if statement.has("help"):
                    return self._help(help_about(statement), names)
            return self._run(self._going_on.begin((line, cell), statements), names)
        except CloudStackError as error:
            error.__context__ = None
            error.full = full or error.full
            self.desk.failed = "".join(traceback.format_exception(error))
            raise

    def close(self) -> None:
        """Close the connections, and the demo cloud; say which profile is no longer in use."""
        desk = self.desk
        with suppress(ValueError):  # closed before
            desk.shell.events.unregister("post_execute", self._end_cell)
            desk.shell.events.unregister("pre_run_cell", self._begin_cell)
            desk.shell.events.unregister("post_run_cell", self._ran_cell)
        used = desk.connections.used
        atexit.unregister(desk.connections.close)
        desk.known.close()
        desk.connections.close()
        desk.sign_in.closed()
        if used is not None:
            say(f"{used} is no longer in use: %cs use {used}")

    def _begin_cell(self, _: Any) -> None:
        self.desk.sign_in.run_anew()

    def _end_cell(self) -> None:
        self.desk.say_unseen()
        self.desk.lookups = Lookups()

    def _ran_cell(self, result: ExecutionResult) -> None:
        """Keep the kernel busy for a moment after a cell that failed; its error is on the screen.

        A kernel drops those cells of Run All that have arrived when it is free again. One
        that comes later would run, on the old value of what this one didn't assign.
        """
        is_ours = isinstance(result.error_in_exec, CloudStackError)
        if is_ours and self.desk.sign_in.has_front_end and self.desk.sign_in.going_on is None:
            time.sleep(_ARRIVES)

    def _parsed(self, line: str, cell: str | None, names: Names) -> list[Statement]:
        """The statements; an error says that there is no such command before all else."""

        def check(statement: Statement) -> None:
            catalogue = bundled()
            with suppress(ProfileError):
                catalogue = next(iter(self.desk.all_asked(statement, names).values())).catalogue
            check_command(catalogue, statement, strict=True)

        if cell is None:
            return [parse(line, check=check)]
        return parse_cell(line, cell, check)

    def _run(self, left: Left, names: Names) -> Any:
        """Check all that can be checked, then run one after the other; the last is returned."""
        signed_in_for = self._going_on.signed_in_for
        signed_in_for(left, names, partial(self._check_all, left.statements, names))
        shown: Any = None
        planned: set[str] = set()
        while left.statements:
            statement = left.statements[0]
            if shown is not None:
                show(shown)
                shown = None
            later: Collection[str] = planned if statement.has("dry-run") else ()
            try:
                shown = signed_in_for(left, names, partial(self._one, statement, names, later))
            except CloudStackError as error:
                problem = error if left.total == 1 else _located(error, statement)
                raise problem from None
            if later is planned and statement.target:
                planned.add(statement.target)
            left = left.next()
        return shown

    def _check_all(self, statements: Sequence[Statement], names: Names) -> None:
        """Raise what is wrong with any statement before the first is sent."""
        later: set[str] = set()
        used: Connection | None = None
        for statement in statements:
            match statement.command.lower():
                case "use" | "demo":
                    name = words.profile_name(statement, names)
                    used = self.desk.connections.to_use(name, words.only_reads(statement))
                case word if word in WORDS:
                    words.flags_of(statement)
                    if statement.has("profile"):
                        self.desk.asked(statement, names, used)
                case _:
                    calling = calling_of(self.desk, statement, names, later, used)
                    calling.check_asked(calling.checked())
            if statement.target:
                later.add(statement.target)

    def _one(self, statement: Statement, names: Names, later: Collection[str]) -> Any:
        """Run one statement; what is to be shown, or None."""
        desk = self.desk
        asked = partial(desk.asked, statement, names)
        match statement.command.lower():
            case "use" | "demo":
                words.use(statement, names, desk.connections)
                return desk.sign_in.closed(desk.connections.is_open)
            case "profiles":
                return desk.given(statement, words.profiles(desk.connections))
            case "status":
                return desk.given(statement, words.status(statement, desk.connections))
            case "last":
                return desk.show_last(statement)
            case "login":
                return words.login(statement, asked(), desk.sign_in)
            case "logout":
                return words.logout(statement, asked(), desk.sign_in)
            case "sync":
                return words.sync(statement, asked())
            case "help":
                return self._help(statement, names)
            case "apis":
                return desk.given(statement, helping.apis(statement, names, asked))
            case "jobs":
                return desk.given(statement, desk.jobs.frame(desk.connections))
            case "job":
                return follow(desk, statement, names)
        return calling_of(desk, statement, names, later).run()

    def _help(self, statement: Statement, names: Names) -> None:
        helping.show_help(statement, names, partial(self.desk.asked, statement, names))


def _located(error: CloudStackError, statement: Statement) -> CloudStackError:
    """Say which line of the cell failed."""
    number = statement.text.count("\n", 0, statement.column) + 1
    if not isinstance(error, CallError):
        error.hints = (f"line {number}: {statement.command}", *error.hints)
    return error
