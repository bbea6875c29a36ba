"""Pressing Tab in a shell of this process, and waiting for what it had read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from IPython.core.completer import provisionalcompleter
from IPython.utils.capture import capture_output

if TYPE_CHECKING:
    from conftest import Notebook


def tab(notebook: Notebook, marked: str) -> list[str]:
    """The candidates at the `▲`; pressing Tab prints nothing."""
    text, cursor = marked.replace("▲", ""), marked.index("▲")
    with provisionalcompleter(), capture_output() as captured:
        offered = [one.text for one in notebook.shell.Completer.completions(text, cursor)]
    assert (captured.stdout, captured.stderr) == ("", "")
    return offered


def reading() -> list[threading.Thread]:
    """The threads that read values for completion."""
    return [each for each in threading.enumerate() if each.name == "cs_magic values"]


def settled() -> None:
    """Wait until nothing is being read."""
    for each in reading():
        each.join(30)
        assert not each.is_alive()


def second_tab(notebook: Notebook, marked: str) -> list[str]:
    """What the second Tab offers, once what the first asked for has come."""
    tab(notebook, marked)
    settled()
    return tab(notebook, marked)
