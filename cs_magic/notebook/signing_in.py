"""Who signs in, and how: by a form, by prompts, or nobody; and which cells wait for it."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cs_magic.api.credentials import Password
from cs_magic.api.login import SignedIn
from cs_magic.api.profile import Profile
from cs_magic.errors import CloudStackError, WaitingForSignIn
from cs_magic.notebook import prompts
from cs_magic.notebook.connections import name_and_host, shown_name
from cs_magic.notebook.shown import say, say_at
from cs_magic.notebook.stopped import Stopped, go_on, key_of, stopped

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.connection import Connection
    from cs_magic.notebook.login_form import LoginForm

# Enter is sent before the text that it ends, and a busy kernel takes both late.
_ARRIVED = 0.3


@dataclass
class _Waiting:
    """A cell that waits: the line it says so in, and whether it may go on, when it is time."""

    cell: Stopped
    place: str
    line: str
    ready: Callable[[], bool]


@dataclass
class _Desk:
    """The form of one profile, the cell that holds it, and the cells that wait for it.

    `home` is the key of that cell, "" where its output is gone; `label` is what it is known by.
    """

    signing: SignIn
    connection: Connection
    home: str = ""
    label: str = ""
    form: LoginForm | None = None
    waiting: dict[str, _Waiting] = field(default_factory=dict)

    def sign_in(self, given: Password) -> SignedIn:
        return self.connection.client.access.sessions.sign_in(given)

    def send_code(self, came: SignedIn, code: str) -> SignedIn:
        return self.connection.client.access.sessions.send_code(came, code)

    def sign_out(self) -> None:
        self.signing.sign_out(self.connection)

    def signed_in(self) -> None:
        self.signing.go_on(self)

    def later(self, action: Callable[[], None]) -> None:
        """On the main thread, whatever thread the widget's message came on."""
        loop = self.signing.shell.kernel.io_loop
        loop.add_callback(lambda: loop.call_later(_ARRIVED, action))


class SignIn:
    """The sign-ins of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.going_on: Stopped | None = None
        self._desks: dict[Profile, _Desk] = {}

    # -- when a call needs it ----------------------------------------------------

    def needed(
        self,
        connection: Connection,
        needed: CloudStackError,
        waits: str,
        ready: Callable[[], bool] | None,
    ) -> None:
        """Have somebody sign in to a connection, or raise that nobody can.

        Args:
            needed: what to raise where nobody can be asked.
            waits: what waits for it, in words.
            ready: whether the cell may go on, asked just before; None where it never may.

        Raises:
            WaitingForSignIn: a form is on the screen, and the cell has to stop.
        """
        if self._has_terminal():
            self.prompt(connection)
            return
        if not self.has_front_end:
            raise needed
        desk = self._desk(connection)
        cell = stopped(self.shell, may_go_on=ready is not None)
        if self.going_on is not None and self.going_on.key == cell.key:
            cell = replace(cell, label=self.going_on.label)
        if desk.form is None or not desk.home:
            self._show(desk, cell)
        line = f"{waits} waits for somebody to sign in to {name_and_host(connection)}"
        one = _Waiting(cell, uuid.uuid4().hex, line, ready or _never)
        desk.waiting[cell.key] = one
        say_at(one.place, _line(desk, one))
        raise WaitingForSignIn(
            line, "The form is in the notebook; the cell goes on by itself then."
        )

    # -- the words -----------------------------------------------------------------

    def form(self, connection: Connection) -> None:
        """Show the form, and stop nothing; in a terminal, ask.

        Raises:
            CallError: the profile has API keys. SignInNeeded: nobody can be asked.
        """
        prompts.check_can_sign_in(connection)
        if self._has_terminal():
            return self.prompt(connection)
        if not self.has_front_end:
            raise connection.client.access.sessions.needed()
        desk = self._desk(connection)
        cell = stopped(self.shell, may_go_on=False)
        if desk.form is None or desk.home != cell.key:
            self._show(desk, cell)
        return None

    def prompt(self, connection: Connection) -> None:
        """Ask for user name and password, and sign in; errors as in `prompts.by_password`."""
        self._signed_in(connection, prompts.by_password(connection))

    def adopt(self, connection: Connection) -> None:
        """Ask for a browser's session, and use it; errors as in `prompts.by_session`."""
        self._signed_in(connection, prompts.by_session(connection))

    def sign_out(self, connection: Connection) -> SignedIn | None:
        """End the session; whose it was, or None where there was none."""
        came = connection.client.access.sessions.end()
        desk = self._desks.get(connection.profile)
        if desk is None or desk.form is None:
            return came
        if came is None:
            desk.form.forget()
        else:
            desk.form.ended()
            desk.form = None
        return came

    # -- the cells that wait -----------------------------------------------------

    def run_anew(self) -> None:
        """A cell begins: what it showed is gone, and it no longer waits, whatever it does now."""
        if self.going_on is not None:
            return
        key = key_of(self.shell)
        for desk in self._desks.values():
            desk.waiting.pop(key, None)
            if desk.home == key:
                desk.home = ""

    def closed(self, is_open: Callable[[Connection], bool] = lambda _: False) -> None:
        """End the forms of the connections that were closed, and the waiting for them."""
        for profile, desk in list(self._desks.items()):
            if is_open(desk.connection):
                continue
            del self._desks[profile]
            if desk.form is not None:
                desk.form.ended("no longer in use")
            for one in desk.waiting.values():
                where = name_and_host(desk.connection)
                say_at(one.place, f"{where} is no longer in use: run this cell again", update=True)
            desk.form, desk.waiting = None, {}

    def go_on(self, desk: _Desk) -> None:
        """Let the cells that waited go on, in the order they were run; say what became of each."""
        form = desk.form
        kept, desk.waiting, desk.home = list(desk.waiting.values()), {}, ""
        said: list[str] = []
        interrupted = False
        for one in kept:
            if one.cell.rest is None or interrupted or not one.ready():
                say_at(one.place, "signed in: run this cell again", update=True)
                said.append(f"run cell {one.cell.label} again")
                continue
            if form is not None:
                form.tell("; ".join([*said, f"cell {one.cell.label} goes on …"]))
            say_at(one.place, "", update=True)
            error = self._run_on(one)
            interrupted = isinstance(error, KeyboardInterrupt)
            said.append(f"cell {one.cell.label} {_became(error)}")
        if any(" is done" in one for one in said):
            said.append("go on with the cells below")
        if form is not None and desk.form is form:
            form.tell("; ".join(said))

    def _run_on(self, one: _Waiting) -> BaseException | None:
        self.going_on = one.cell
        try:
            return go_on(self.shell, one.cell)
        finally:
            self.going_on = None

    def _signed_in(self, connection: Connection, came: SignedIn) -> None:
        say(f"signed in as {came} at {connection.profile.host} ({shown_name(connection)})")
        desk = self._desks.get(connection.profile)
        if desk is not None and desk.form is not None:
            desk.form.fold(came)
        if desk is not None and desk.waiting:
            desk.later(desk.signed_in)

    # -- where ---------------------------------------------------------------------

    def _desk(self, connection: Connection) -> _Desk:
        desk = self._desks.get(connection.profile)
        if desk is None:
            desk = self._desks[connection.profile] = _Desk(self, connection)
        if desk.form is not None and desk.form.folded and not _session(connection):
            desk.form.ended("the session has ended")
            desk.form = None
        return desk

    def _show(self, desk: _Desk, cell: Stopped) -> None:
        from IPython.display import display

        from cs_magic.notebook.login_form import LoginForm

        if desk.form is None:
            name, host = shown_name(desk.connection), desk.connection.profile.host
            desk.form = LoginForm(name, host, prompts.begins_with(desk.connection), desk)
        desk.home, desk.label = cell.key, cell.label
        display(desk.form.mimebundle, raw=True)
        for one in desk.waiting.values():
            say_at(one.place, _line(desk, one), update=True)

    @property
    def can_ask(self) -> bool:
        """Whether somebody can be asked to sign in, by a form or by prompts."""
        return self._has_terminal() or self.has_front_end

    @property
    def has_front_end(self) -> bool:
        """Whether somebody looks: a front end that lets a kernel ask, and can show a form."""
        kernel = getattr(self.shell, "kernel", None)
        here = threading.current_thread() is threading.main_thread()
        return here and bool(getattr(kernel, "_allow_stdin", False))

    def _has_terminal(self) -> bool:
        return getattr(self.shell, "kernel", None) is None and sys.stdin.isatty()


def _never() -> bool:
    """A cell that may change something goes on by nobody but its person."""
    return False


def _line(desk: _Desk, one: _Waiting) -> str:
    """That a cell waits; where the form is, and what to do where that is gone."""
    if desk.home == one.cell.key:
        return one.line
    return f"{one.line}: the form is below cell {desk.label}; %cs login shows it again"


def _session(connection: Connection) -> bool:
    return connection.client.access.sessions.signed_in is not None


def _became(error: BaseException | None) -> str:
    if error is None:
        return "is done"
    if isinstance(error, WaitingForSignIn):
        return "waits again"
    return "was interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
