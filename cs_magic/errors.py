"""Every error that cs_magic raises, and how each reads in a notebook.

CloudStackError
  CallError           the text is wrong; nothing was sent
  ProfileError        no profile, or an incomplete or unsafe one
  SignInNeeded        no session, and nobody to ask
    WaitingForSignIn  a form is on the screen; the cell stops without a red line
  Refused             not allowed here (read-only, plain HTTP); nothing was sent
  TransportError      no usable answer: network, TLS, not CloudStack
    FateUnknown       a state-changing call was sent and its answer was lost
  ApiError            CloudStack said no: command, errorcode, cserrorcode, errortext
    Unauthorized      401: key, signature, expiry, or an unknown command
    JobFailed         a job ended badly; carries its id
  StillRunning        the waiting ended, the jobs go on; carries their ids
  Incomplete          a list broke off; carries what came

IPython calls `_render_traceback_` where an exception has it, so a failed cell
shows one line saying what happened and then what to try. In plain Python these
are ordinary exceptions, and the rest of what a notebook shows are their notes
(`__notes__`): a traceback ends with them.
"""

from __future__ import annotations

import bdb
import copyreg
import unicodedata
from collections.abc import Iterable
from typing import Any


def harmless(text: str) -> str:
    """The text with control characters shown as escapes, so that it cannot drive a terminal.

    Line feeds and tabs become blanks: what is shown is always one line.
    """
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\r\t":
        return " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return f"\\u{ord(character):04x}"
    return character


LONGEST = 2_000  # characters of a message, or of a hint, that are shown


def _line(text: str) -> str:
    """A text as one line that somebody may read to its end."""
    return harmless(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


class CloudStackError(Exception):
    """The base of everything that cs_magic raises on purpose.

    `message` says what happened, in CloudStack's own words where it spoke;
    `hints` say what to try. `full` makes IPython show the whole traceback (`--tb`).
    """

    full = False

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message, *hints)
        self.message = message
        self.hints = tuple(hint for hint in hints if hint)

    def __str__(self) -> str:
        return _line(self.message)

    def lines(self) -> list[str]:
        """What a notebook shows: one line saying what happened, then hints."""
        return [f"{type(self).__name__}: {self}", *(f"  {_line(hint)}" for hint in self.hints)]

    @property
    def __notes__(self) -> list[str]:
        """What a traceback shows below the message: what to try, then the notes of others."""
        told = self.lines()[1:]
        return [*told, *(note for note in vars(self).get("_added", ()) if note not in told)]

    @__notes__.setter
    def __notes__(self, notes: Iterable[str]) -> None:
        # Who brings an error from another process, as tblib does, gives it the notes it had.
        self._added = tuple(notes)

    def add_note(self, note: str) -> None:
        """Add a note; Python's own would write to a list that is made anew each time."""
        if not isinstance(note, str):
            raise TypeError(f"note must be a str, not {type(note).__name__!r}")
        self._added = (*vars(self).get("_added", ()), note)

    def __getattribute__(self, name: str) -> Any:
        # IPython asks `hasattr(error, "_render_traceback_")`; with --tb the answer is no.
        if name == "_render_traceback_" and object.__getattribute__(self, "full"):
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    def _render_traceback_(self) -> list[str]:
        return self.lines()

    def __reduce__(self) -> Any:
        # An exception is pickled as a call with its `args`; ours need more than those.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class CallError(CloudStackError):
    """The text of a call is wrong; nothing was sent.

    `name` is the word at fault (a command or a parameter), where there is one.
    `text` and `column` (from 0) show where it stands, once the line is known.
    """

    def __init__(
        self,
        message: str,
        *hints: str,
        name: str | None = None,
        text: str | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message, *hints)
        self.name = name
        self.text = text
        self.column = column

    def lines(self) -> list[str]:
        shown = super().lines()
        if self.text is not None and self.column is not None:
            before = harmless(self.text[: self.column])
            caret = [f"  {harmless(self.text)}", "  " + " " * len(before) + "^"]
            return [shown[0], *caret, *shown[1:]]
        return shown


class ProfileError(CloudStackError):
    """There is no profile of that name, or it is incomplete or unsafe; nothing was sent."""


class SignInNeeded(CloudStackError):
    """A session is needed: somebody has to sign in. `profile` tells to what, where it helps.

    `mark` is that of the sessions which need it.
    """

    def __init__(
        self, message: str, *hints: str, profile: str = "", mark: object | None = None
    ) -> None:
        super().__init__(message, *hints)
        self.profile = profile
        self.mark = mark


class WaitingForSignIn(SignInNeeded, bdb.BdbQuit):
    """A form is on the screen, and the cell goes on once somebody signed in.

    IPython takes a BdbQuit for an error and prints nothing: the cell stops, the cells
    queued behind it don't run, and no red line is left beside the answer.
    """


class Refused(CloudStackError):
    """The call is not allowed here; nothing was sent."""


class TransportError(CloudStackError):
    """No usable answer came: the network, TLS, a proxy, or something that isn't CloudStack.

    `sent` is False where the call certainly did not reach CloudStack; `passing` is False
    where trying again can't help (a certificate, a name that doesn't exist).
    """

    def __init__(self, message: str, *hints: str, sent: bool = True, passing: bool = True) -> None:
        super().__init__(message, *hints)
        self.sent = sent
        self.passing = passing


class FateUnknown(TransportError):
    """A state-changing call was sent and its answer was lost: it may have been carried out.

    `job` is the id that its job has, if there is one; empty where none was chosen.
    """

    def __init__(self, message: str, *hints: str, job: str = "") -> None:
        super().__init__(message, *hints)
        self.job = job


class ApiError(CloudStackError):
    """CloudStack said no.

    `errortext` is CloudStack's own text, with `••••` for secrets; `errorcode` equals the HTTP
    status; `cserrorcode` is CloudStack's finer code, or None where it gave none. `jobid` is
    the job that it is about, where the call was taken as one; else it is empty.
    """

    def __init__(
        self,
        errortext: str,
        *hints: str,
        command: str,
        errorcode: int,
        cserrorcode: int | None = None,
    ) -> None:
        super().__init__(errortext, *hints)
        self.command = command
        self.errorcode = errorcode
        self.cserrorcode = cserrorcode
        self.errortext = errortext
        self.jobid = ""

    def lines(self) -> list[str]:
        codes = f"errorcode {self.errorcode}"
        if self.cserrorcode is not None:
            codes += f", cserrorcode {self.cserrorcode}"
        first, *rest = super().lines()
        return [first, f"  {self.command}: {codes}", *rest]


class Unauthorized(ApiError):
    """401: the key, the signature, its expiry, the session, or a command that does not exist."""


class JobFailed(ApiError):
    """A job ended badly: `errortext` and `errorcode` are the job's own, `jobid` is its id."""

    def __init__(
        self, errortext: str, *hints: str, command: str, errorcode: int, jobid: str
    ) -> None:
        super().__init__(errortext, *hints, command=command, errorcode=errorcode)
        self.jobid = jobid

    def lines(self) -> list[str]:
        first, codes, *rest = super().lines()
        return [first, f"{codes}, job {_line(self.jobid)}", *rest]


class StillRunning(CloudStackError):
    """The waiting was ended, the jobs go on: `jobids` has those that are known to.

    `result` carries what is known of many calls, one row each, or is None.
    """

    def __init__(
        self, message: str, *hints: str, jobids: tuple[str, ...] = (), result: Any = None
    ) -> None:
        super().__init__(message, *hints)
        self.jobids = jobids
        self.result = result


class Incomplete(CloudStackError):
    """A list broke off. `result` carries the rows that came before, `reason` what stopped it."""

    def __init__(self, message: str, *hints: str, result: Any, reason: CloudStackError) -> None:
        super().__init__(message, *hints)
        self.result = result
        self.reason = reason
