"""A cell that stopped, and how it goes on: from the statement where it stopped, in its own output.

IPython keeps the cell as Python in `linecache`, so the running statement can be found and
what follows it run once more, under the header of the message that ran the cell.
"""

from __future__ import annotations

import ast
import linecache
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

_CALLS = frozenset({"get_ipython().run_line_magic", "get_ipython().run_cell_magic"})


@dataclass(frozen=True, slots=True)
class Stopped:
    """A cell where it stopped: `rest` is what is left to run, or None where nobody can tell.

    `key` is the same for the same cell run again, `header` the message that ran it,
    `number` its execution count, and `label` what a person knows it by: `[3]`.
    """

    key: str
    header: Any
    number: int
    label: str
    rest: str | None


def stopped(shell: InteractiveShell, may_go_on: bool = True) -> Stopped:
    """The cell that is running now, to be stopped at the magic that is running."""
    header = shell.get_parent()
    rest = _rest(shell) if may_go_on else None
    label = f"[{len(shell.user_ns['In']) - 1}]"
    return Stopped(key_of(shell), header, shell.execution_count, label, rest)


def key_of(shell: InteractiveShell) -> str:
    """What the cell that is running now is known by: the same when it is run again.

    Empty where there is no notebook.
    """
    if getattr(shell, "kernel", None) is None:
        return ""
    header = shell.get_parent()
    key: str = header.get("metadata", {}).get("cellId") or header.get("header", {}).get("msg_id")
    return key or ""


def go_on(shell: InteractiveShell, cell: Stopped) -> BaseException | None:
    """Run what is left of a cell, on the main thread; what it raised, already shown there."""
    before, count = shell.get_parent(), shell.execution_count
    shell.set_parent(cell.header)
    shell.execution_count = cell.number
    try:
        with interruptible():
            ran = shell.run_cell(cell.rest, store_history=False)
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # as long as what was printed is known to be this cell's
        shell.set_parent(before)
        shell.execution_count = count
    error: BaseException | None = ran.error_before_exec or ran.error_in_exec
    return error


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the stop button end what a callback does: between cells a kernel ignores it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _rest(shell: InteractiveShell) -> str | None:
    """The cell's source from the running statement on, where it can be taken up there."""
    frame = _users_frame(shell)
    if frame is None:
        return None
    lines = linecache.getlines(frame.f_code.co_filename)
    statement = _statement("".join(lines), frame.f_lineno)
    if statement is None:
        return None
    rest = "".join(lines[statement.lineno - 1 :])
    awaits: bool = shell.should_run_async(rest, transformed_cell=rest)
    return None if awaits else rest


def _users_frame(shell: InteractiveShell) -> FrameType | None:
    """The frame of the cell itself; None inside a function, a lambda, a module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals is not shell.user_global_ns:
        frame = frame.f_back
    return frame if frame is not None and frame.f_code.co_name == "<module>" else None


def _statement(source: str, line: int) -> ast.stmt | None:
    """The statement of that line, where it is one `%cs` and nothing more, kept or shown."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    here = [one for one in body if one.lineno <= line <= (one.end_lineno or one.lineno)]
    if len(here) != 1 or not isinstance(here[0], ast.Expr | ast.Assign | ast.AnnAssign):
        return None
    call = here[0].value
    whole = isinstance(call, ast.Call) and ast.unparse(call.func) in _CALLS
    name = call.args[0] if whole and isinstance(call, ast.Call) and call.args else None
    ours = isinstance(name, ast.Constant) and name.value == "cs"
    return here[0] if ours else None
