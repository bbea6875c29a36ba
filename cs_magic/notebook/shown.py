"""What is shown beside a result: one quiet line, help, the calls of a dry run."""

from __future__ import annotations

import getpass
import linecache
import sys
import threading
import warnings
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from cs_magic.api.masks import MASK, masked_arguments
from cs_magic.api.profile import Profile
from cs_magic.api.values import Call, Provenance, Result, Secret
from cs_magic.errors import CallError, SignInNeeded, harmless

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

UNATTENDED = (
    "Unattended, set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET,",
    "or CLOUDSTACK_ENDPOINT, CLOUDSTACK_USERNAME, CLOUDSTACK_PASSWORD and CLOUDSTACK_DOMAIN.",
)
_COMPLETE = {True: "complete", False: "INCOMPLETE: ", None: "perhaps incomplete: "}


def say(line: str) -> None:
    """Show one quiet line in the cell's output, as text and as HTML; control characters escaped."""
    from IPython.display import display

    display(quiet_line(line), raw=True)


def say_at(place: str, line: str, update: bool = False) -> None:
    """Show one quiet line at a place in the cell's output where it can be written again."""
    from IPython.display import display

    display(quiet_line(line), raw=True, display_id=place, update=update)


def quiet_line(line: str) -> dict[str, str]:
    """One quiet line as text and as HTML; control characters escaped."""
    plain = harmless(line)
    html = f'<small style="opacity:0.7">{escape(plain)}</small>' if plain else ""
    return {"text/plain": plain, "text/html": html}


def frame_of(rows: list[dict[str, Any]], columns: list[str] | None = None) -> pd.DataFrame:
    """A DataFrame of what we have to say ourselves; IPython shows it whole, nothing cut."""
    from pandas import DataFrame

    frame = DataFrame(rows, columns=columns)
    # A plain DataFrame still: only this object is shown so, nothing that is made of it.
    object.__setattr__(frame, "_repr_mimebundle_", partial(_whole, frame))
    return frame


def _whole(frame: pd.DataFrame, **_: Any) -> dict[str, str]:
    from pandas import option_context

    with option_context("display.max_colwidth", None, "display.max_rows", None):
        shown = {"text/plain": frame.to_string(max_colwidth=None)}
        html = frame.to_html(notebook=True)
    return shown | {"text/html": html}


def show(value: Any) -> None:
    """Show a value as IPython shows it."""
    from IPython.display import display

    display(value)


def show_text(text: str) -> None:
    """Show a text of several lines, as it is."""
    show_page(text, f'<pre style="line-height:1.3">{escape(text)}</pre>')


def show_page(text: str, html: str) -> None:
    """Show a page that was made twice, as text for a terminal and as HTML for a notebook."""
    from IPython.display import display

    display({"text/plain": text, "text/html": html}, raw=True)


def asked_secret(name: str) -> str:
    """A secret that the person types now; it is shown and kept nowhere.

    Raises:
        CallError: nobody can be asked here (papermill, nbconvert, a script).
    """
    given = _answer(f"{name}: ", hidden=True)
    if given:
        return given
    raise CallError(
        f"{name} was not given" if given == "" else f"Nobody can be asked for {name} here",
        f"Put it into a variable and write {name}=$variable.",
        name=name,
    )


def asked(prompt: str, hidden: bool = False) -> str:
    """What the person answers; with `hidden` it is shown and kept nowhere.

    Raises:
        SignInNeeded: nobody can be asked here.
    """
    given = _answer(harmless(prompt), hidden)
    if given is None:
        raise SignInNeeded("Nobody can be asked here", *UNATTENDED)
    return given


def answer(prompt: str) -> str | None:
    """What the person answers, or None where nobody can be asked: then nothing waits."""
    return _answer(harmless(prompt), hidden=False) if attended() else None


def attended() -> bool:
    """Whether somebody can be asked: a front end that takes questions, or a terminal."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return sys.stdin is not None and sys.stdin.isatty()
    here = threading.current_thread() is threading.main_thread()
    return here and bool(getattr(kernel, "_allow_stdin", False))


def _answer(prompt: str, hidden: bool) -> str | None:
    """An answer, or None where nobody can be asked."""
    try:
        if not hidden:
            return input(prompt)
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # typed in the clear
            return Secret(getpass.getpass(prompt))  # a kernel puts its own there
    except (
        EOFError,
        RuntimeError,
        getpass.GetPassWarning,
    ):  # ipykernel's refusal is a RuntimeError
        return None


def only_shown(shell: InteractiveShell) -> bool:
    """Whether the running line is a magic alone: what it gives is shown, and kept nowhere."""
    frame = sys._getframe(1)
    while frame.f_globals is not shell.user_global_ns:
        if frame.f_back is None:
            return False
        frame = frame.f_back
    # IPython keeps the cell as Python there: `x = get_ipython().run_line_magic(…)`.
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return line.lstrip().startswith("get_ipython().run_")


def summary(
    result: Result,
    target: str | None,
    profile: Profile,
    verbose: bool,
    revealed: bool = False,
    once: bool = False,
) -> str:
    """`vms: 1,202 rows · 3 pages in 0.4 s · listall=true · complete`, and more where wanted."""
    came = result.provenance
    parts = [f"{came.rows:,} row{'' if came.rows == 1 else 's'}", time_taken(came)]
    if came.scope and came.scope != ("as typed",):
        parts.append(" + ".join(came.scope))
    if came.duplicates:
        parts.append(f"{came.duplicates} met twice and dropped")
    parts.append(_completeness(came))
    if result.secrets and not revealed:
        why = "is shown once" if once else "hides secrets"
        parts.append(f"{MASK} {why}: %cs last --reveal")
    if verbose:
        parts += _more(came, profile)
    name = f"{target}: " if target else ""
    return name + " · ".join(parts)


def _completeness(came: Provenance) -> str:
    if came.limit is not None and came.rows >= came.limit and came.reason:
        return came.reason  # what was asked for, no fault
    return _COMPLETE[came.complete] + came.reason


def _more(came: Provenance, profile: Profile) -> list[str]:
    return [f"{profile.name} at {profile.host}", f"catalogue {came.catalogue}"]


def time_taken(came: Provenance) -> str:
    """`3 pages in 0.4 s`"""
    pages = f"{came.pages:,} pages in " if came.pages > 1 else ""
    return f"{pages}{came.seconds:.1f} s"


def dry_run(calls: tuple[Call, ...], profile: Profile) -> list[dict[str, Any]]:
    """One row per call that would be sent; no key, no signature, no secret."""
    return [
        {
            "profile": profile.name,
            "host": profile.host,
            "command": call.command,
            "parameters": " ".join(map("=".join, masked_arguments(call.arguments))),
        }
        for call in calls
    ]
