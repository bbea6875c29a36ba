"""How a text stops where somebody has to sign in, and goes on from there."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from cs_magic.errors import CloudStackError, Incomplete, SignInNeeded
from cs_magic.notebook import words
from cs_magic.notebook.calling import changes_nothing
from cs_magic.notebook.desk import Desk
from cs_magic.notebook.statements import Statement

if TYPE_CHECKING:
    from cs_magic.connection import Connection

# A line and the cell below it, as they were typed.
Text = tuple[str, str | None]

# The words that need no connection.
_ASK_NOBODY = frozenset({"help", "last", "profiles", "jobs"})


@dataclass(frozen=True)
class Left:
    """What is left of a text: its statements from the one that runs, and how many are done."""

    text: Text
    statements: Sequence[Statement]
    done: int = 0
    total: int = 0

    def next(self) -> Left:
        """What is left once the first is done."""
        return Left(self.text, self.statements[1:], self.done + 1, self.total)


class GoingOn:
    """Where each text that waits for somebody to sign in goes on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._done: dict[Text, int] = {}

    def begin(self, text: Text, statements: Sequence[Statement]) -> Left:
        """All of a text, or what was left of it when it stopped."""
        done = self._done.pop(text, 0)
        return Left(text, statements[done:], done, len(statements))

    def signed_in_for(
        self,
        left: Left,
        names: MutableMapping[str, Any],
        action: Callable[[], Any],
        done: Sequence[Connection] = (),
    ) -> Any:
        """What the action gives, once somebody signed in where it needs that, once to each cloud.

        `done` are those to which somebody did just now.

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
        connection = self._desk.connections.of(needed.mark)
        if connection is None or connection in done:
            raise problem
        try:
            asked = self._all_asked(left.statements, names)
            again = partial(self._go_on_with, left, names, asked)
            reads = all(changes_nothing(one) for one in left.statements)
            waits = f"{left.statements[0].command}{_kept(problem)}"
            self._desk.sign_in.needed(connection, problem, waits, again if reads else None)
        except CloudStackError as error:
            problem = error
        else:
            return self.signed_in_for(left, names, action, [*done, connection])
        problem.__cause__ = None
        raise problem

    def _go_on_with(
        self, left: Left, names: MutableMapping[str, Any], asked: list[Connection]
    ) -> bool:
        """Go on with what is left next, unless it would ask another connection than it did."""
        with suppress(CloudStackError):  # a profile that is gone
            now = self._all_asked(left.statements, names)
            if now == asked:  # the very same objects
                self._done[left.text] = left.done
                return True
        return False

    def _all_asked(
        self, statements: Sequence[Statement], names: MutableMapping[str, Any]
    ) -> list[Connection]:
        """The connections that the statements ask, one after the other."""
        found: list[Connection] = []
        used: Connection | None = None
        for statement in statements:
            word = statement.command.lower()
            if word in {"use", "demo"}:
                name = words.profile_name(statement, names)
                used = self._desk.connections.to_use(name, words.only_reads(statement))
            elif word not in _ASK_NOBODY:
                found += self._desk.all_asked(statement, names, used).values()
        return found


def _kept(problem: CloudStackError) -> str:
    """What came before a session ended, in words."""
    if not isinstance(problem, Incomplete):
        return ""
    return f" broke off, its {len(problem.result):,} rows are kept (%cs last): it"
