"""The form that somebody signs in with; what is typed into it is in no state that is saved.

A notebook may be saved with the state of its widgets. So the text of a secret box is taken
out the moment it arrives, and dots are shown in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from html import escape
from typing import Any, Protocol

import ipywidgets
import traitlets.log

from cs_magic.api.credentials import Asked, Password
from cs_magic.api.login import SignedIn
from cs_magic.errors import CloudStackError, harmless
from cs_magic.notebook.stopped import interruptible

_DOTS = "••••••••"
_WIDE = ipywidgets.Layout(width="26em")
_NARROW = ipywidgets.Layout(width="auto", flex="0 0 auto")


class Desk(Protocol):
    """What the form hands over what was typed to."""

    def sign_in(self, given: Password) -> SignedIn:
        """Sign in; a CloudStackError says what was refused."""

    def send_code(self, came: SignedIn, code: str) -> SignedIn:
        """Finish with a two-factor code."""

    def sign_out(self) -> None:
        """End the session."""

    def signed_in(self) -> None:
        """Somebody did sign in: what waited may go on."""

    def later(self, action: Callable[[], None]) -> None:
        """Do something on the main thread, when all that was typed has arrived."""


class LoginForm:
    """A form for one profile: user name, password, domain; then a code, where one is wanted.

    `name` and `host` say what for. Once somebody signed in it is one line
    with a Sign out button.
    """

    def __init__(self, name: str, host: str, asked: Asked, desk: Desk) -> None:
        self._name, self._host = name, host
        self._where = f"<b>{_html(name)}</b> at {_html(host)}"
        self._desk = desk
        self._busy = False
        self._answered = False  # and nothing was typed since: a second press adds nothing
        self._came: SignedIn | None = None
        self._says = ipywidgets.HTML()
        self._username = self._box("Username", asked.username)
        self._password = _SecretBox("Password", self._enter, self._typed)
        self._domain = self._box("Domain", asked.domain)
        self._code = _SecretBox("Code", self._enter, self._typed)
        self._button = ipywidgets.Button(description="Sign in", button_style="primary")
        self._button.on_click(lambda _: self._enter())
        self._out = ipywidgets.Button(description="Sign out", layout=_NARROW)
        self._out.on_click(lambda _: self._desk.later(self._sign_out))
        self.box = ipywidgets.VBox()
        self._ask_password()

    @property
    def mimebundle(self) -> dict[str, Any]:
        """The form to be displayed, and what stands for it where no widget can be shown."""
        bundle = dict(self.box._repr_mimebundle_())
        return bundle | {"text/plain": f"Sign in to {self._name} at {self._host}: a form"}

    @property
    def folded(self) -> bool:
        """Whether somebody signed in, and it is one line now."""
        return self._came is not None and not self._came.wants_code

    def tell(self, said: str = "") -> None:
        """Say what became of the cells that waited, on the folded line."""
        if self._came is not None:
            who = f"signed in as <b>{_html(str(self._came))}</b> at {_html(self._host)}"
            more = f": {_html(said)}" if said else ""
            self._says.value = f"{who} ({_html(self._name)}){more}"

    def fold(self, came: SignedIn) -> None:
        """Become one line: who is signed in, and a button to sign out."""
        self._came = came
        self.tell()
        self.box.children = [ipywidgets.HBox([self._says, self._out])]
        fields = (self._username, self._password.widget, self._domain, self._code.widget)
        for gone in (*fields, self._button):
            gone.close()

    def ended(self, said: str = "signed out") -> None:
        """Say that the session is over; the line stays, without its button."""
        self._came = None
        self._says.value = f"{self._where}: {_html(said)}"
        self.box.children = [self._says]
        self._out.close()

    def forget(self) -> None:
        """Forget a sign-in that is half done: the password is asked for again."""
        if self._came is not None and self._came.wants_code:
            self._code.taken()
            self._ask_password()

    # -- its steps -------------------------------------------------------------

    def _ask_password(self, problem: CloudStackError | None = None) -> None:
        self._came = None
        self._says.value = _problem(problem) + f"Sign in to {self._where}"
        fields = [self._username, self._password.widget, self._domain]
        self.box.children = [self._says, *fields, self._button]

    def _ask_code(self, came: SignedIn) -> None:
        self._came = came
        self._says.value = f"Two-factor code of <b>{_html(str(came))}</b> at {_html(self._host)}"
        self.box.children = [self._says, self._code.widget, self._button]
        self._code.widget.focus()

    def _enter(self) -> None:
        self._desk.later(self._submit)

    def _submit(self) -> None:
        """Hand over what was typed; on the main thread, one at a time."""
        box = self._password if self._came is None else self._code
        missing = self._missing(box)
        if self._busy or missing is None or (missing and self._answered):
            return
        if missing:
            self._says.value = f"{missing} is missing: sign in to {self._where}"
            return
        self._busy = self._button.disabled = True
        try:
            with interruptible():
                self._hand_over(box.taken())
        except CloudStackError as error:
            self._ask_password(error)
            self._password.widget.focus()
        except KeyboardInterrupt:
            self._ask_password(CloudStackError("Interrupted: the login may have been counted"))
        finally:
            self._answered = True
            self._busy = self._button.disabled = False

    def _missing(self, box: _SecretBox) -> str | None:
        """What is not typed yet, in words; None where there is no box any more."""
        if box.widget not in self.box.children:
            return None
        if self._came is None and not self._username.value.strip():
            return "The user name"
        return "" if box.filled else f"The {box.widget.description.lower()}"

    def _hand_over(self, secret: str) -> None:
        self._says.value = f"Signing in to {self._where} …"
        if self._came is not None:
            came = self._desk.send_code(self._came, secret)
        else:
            domain = self._domain.value.strip() or "/"
            came = self._desk.sign_in(Password(self._username.value.strip(), secret, domain))
        if came.wants_code:
            self._ask_code(came)
            return
        self.fold(came)
        self._desk.signed_in()

    def _sign_out(self) -> None:
        if self._came is not None:
            self._desk.sign_out()

    def _box(self, name: str, value: str) -> ipywidgets.Text:
        box = ipywidgets.Text(value, description=name, placeholder=name.lower(), layout=_WIDE)
        box.on_msg(_on_enter(self._enter))
        box.observe(self._typed, "value")
        return box

    def _typed(self, _: Any = None) -> None:
        self._answered = False


class _Unheard(ipywidgets.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password box whose text is not sent on to everybody who looks at the notebook."""

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)


class _Hush(logging.Filter):
    """Keeps what is said of the secret boxes out of the logs that tell every message."""

    def __init__(self) -> None:
        super().__init__()
        self._boxes: set[str] = set()

    def about(self, box: ipywidgets.Widget) -> None:
        """Say nothing of this box, ever."""
        self._boxes.add(box.comm.comm_id)
        kernels: Any = traitlets.log.get_logger()
        for logger in (logging.getLogger("Comm"), getattr(kernels, "logger", kernels)):
            logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line may be written."""
        said = record.getMessage()
        return not any(box in said for box in self._boxes)


_hush = _Hush()


class _SecretBox:
    """A box whose text is kept here, never in the widget's state."""

    def __init__(self, name: str, enter: Callable[[], None], typed: Callable[[], None]) -> None:
        self._text = ""
        self._typed = typed
        self._empty = name.lower()
        # Sent as a whole, on Enter or when the box is left: half of it would be a wrong one.
        self.widget = _Unheard(
            description=name, placeholder=self._empty, continuous_update=False, layout=_WIDE
        )
        _hush.about(self.widget)
        self.widget.observe(self._take, "value")
        self.widget.on_msg(_on_enter(enter))

    @property
    def filled(self) -> bool:
        """Whether something was typed."""
        return bool(self._text)

    def taken(self) -> str:
        """What was typed, and the box is empty again."""
        text, self._text = self._text, ""
        self.widget.placeholder = self._empty
        return text

    def _take(self, change: Any) -> None:
        if change.new:
            self._text = change.new
            self.widget.value = ""
            self.widget.placeholder = _DOTS
            self._typed()


def _on_enter(action: Callable[[], None]) -> Callable[[Any, Any, Any], None]:
    def arrived(_widget: Any, content: Any, _buffers: Any) -> None:
        if content.get("event") == "submit":
            action()

    return arrived


def _problem(error: CloudStackError | None) -> str:
    if error is None:
        return ""
    return f'<div style="color: #b00020">{_html(str(error))}</div>'


def _html(text: str) -> str:
    return escape(harmless(text))
