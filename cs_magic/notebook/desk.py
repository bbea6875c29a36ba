"""What one shell's `%cs` holds between statements, and how a result is handed over."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cs_magic.api.lookups import Lookups
from cs_magic.api.values import Options, Result
from cs_magic.notebook import words
from cs_magic.notebook.connections import Connections
from cs_magic.notebook.jobs import Jobs
from cs_magic.notebook.known import Known
from cs_magic.notebook.profiles import one_profile, profiles_of
from cs_magic.notebook.shown import only_shown, say, show_text, summary
from cs_magic.notebook.signing_in import SignIn
from cs_magic.notebook.statements import Statement
from cs_magic.notebook.streamed import value_of
from cs_magic.notebook.tables import Line, underline
from cs_magic.several import check_different

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.connection import Connection


class Names(ChainMap[str, Any]):
    """What a text can look up: a cell's own names, then the user's. A traceback shows none.

    No copies: a name that one line of a cell assigns is read by the next.
    """

    def __repr__(self) -> str:
        return "<the names that can be looked up>"


class Desk:
    """What the statements of one shell work with, and what they leave for the next."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.connections = Connections()
        self.sign_in = SignIn(shell)
        self.known = Known()
        self.jobs = Jobs()
        self.lookups = Lookups()  # of one cell
        self.last: tuple[Connection, Result, Options] | None = None
        self._below: Line | None = None  # of the table that is to be shown
        self.failed = ""  # a traceback's text: the error itself would keep frames and rows

    def asked(
        self, statement: Statement, names: Mapping[str, Any], used: Connection | None = None
    ) -> Connection:
        """The connection of the profile that `-p` names, else the one that is (or will be) used."""
        name = one_profile(statement, names)
        if name is None:
            return used or self.connections.current()
        return self.connections.named(name, used.profile if used else None)

    def all_asked(
        self, statement: Statement, names: Mapping[str, Any], used: Connection | None = None
    ) -> dict[str, Connection]:
        """The connections that a call goes to, by the names that `-p` gives them."""
        named = profiles_of(statement, names)
        if len(named) < 2:
            one = self.asked(statement, names, used)
            return {one.profile.name: one}
        found = {
            name: self.connections.named(name, used.profile if used else None) for name in named
        }
        check_different(found)
        return found

    def told(
        self,
        statement: Statement,
        connection: Connection,
        result: Result,
        value: Any,
        revealed: bool,
    ) -> Any:
        """Hand a value over, and say in a line where it came from and what there is to know."""
        verbose, quiet = statement.has("verbose"), statement.has("quiet")
        self.say_names(verbose and not quiet)
        if quiet and result.provenance.complete is not False:
            return self.given(statement, value)
        command = connection.catalogue.find(statement.command)
        once = command is not None and not command.is_read
        profile = connection.profile
        line = summary(result, statement.target, profile, verbose, revealed, once)
        return self.given(statement, value, line, result.notes)

    def say_names(self, wanted: bool) -> None:
        """Say which names were looked up since the last time, where that is wanted."""
        for found in self.lookups.told():
            if wanted:
                say(str(found))

    def given(
        self, statement: Statement, value: Any, line: str = "", notes: Sequence[str] = ()
    ) -> Any:
        """Assign to the target, or hand over to be shown; a last `;` shows nothing.

        Args:
            line: what is said of it: below its table, where that is shown.
            notes: what there is to know of it, with the line.
        """
        alone = only_shown(self.shell)
        is_shown = alone and not (statement.target or statement.silent)
        warned = [f"⚠ {note}" for note in notes]
        below = underline(value, line, warned)
        if below is not None and is_shown:
            self._below = below
        else:
            _say_all([line, *warned])
        if statement.target:
            self.shell.user_ns[statement.target] = value
            return None
        return None if statement.silent and alone else value

    def say_unseen(self) -> None:
        """Say the line of a table that nobody showed: in a loop, or above another one."""
        below, self._below = self._below, None
        if below is not None and not below.seen:
            _say_all([below.text, *below.notes])

    def show_last(self, statement: Statement) -> Any:
        """What `%cs last` gives: the last result, or the traceback of the last error."""
        flags = words.flags_of(statement)
        if "--tb" in flags:
            if not self.failed:
                raise statement.wrong("No call has failed yet")
            return show_text(self.failed)
        if self.last is None:
            raise statement.wrong("There is no result yet")
        connection, result, options = self.last
        options = replace(options, file=None, reveal="--reveal" in flags)
        return self.given(statement, value_of(connection, result, options))


def _say_all(lines: Iterable[str]) -> None:
    for line in filter(None, lines):
        say(line)
