"""What one shell's `%cs` holds between statements, and how a result is handed over."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
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

    def say(
        self, statement: Statement, connection: Connection, result: Result, revealed: bool
    ) -> None:
        """Say in a line where a result came from, and what there is to know about it."""
        verbose = statement.has("verbose")
        self.say_names(verbose and not statement.has("quiet"))
        if statement.has("quiet") and result.provenance.complete is not False:
            return
        command = connection.catalogue.find(statement.command)
        once = command is not None and not command.is_read
        say(summary(result, statement.target, connection.profile, verbose, revealed, once))
        for note in result.notes:
            say(f"⚠ {note}")

    def say_names(self, wanted: bool) -> None:
        """Say which names were looked up since the last time, where that is wanted."""
        for found in self.lookups.told():
            if wanted:
                say(str(found))

    def given(self, statement: Statement, value: Any) -> Any:
        """Assign to the target, or hand over to be shown; a last `;` shows nothing."""
        if statement.target:
            self.shell.user_ns[statement.target] = value
            return None
        return None if statement.silent and only_shown(self.shell) else value

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
