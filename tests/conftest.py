"""A real IPython shell, and the recorded cloud that its environment points to."""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from replay import VARIABLES, Replay, Step, environment, steps
from traitlets.config import Config

# The same examples each time, so that a red run is a change of ours; `make test-all` makes new.
# How long one takes is no test: a busy machine would fail it.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Servers of the tests get the requests that a test is about; what a catalogue says is read
# from them in the tests of the catalogue.
os.environ["CS_MAGIC_CATALOGUE"] = "bundled"


TOOK = re.compile(r"(?<= )\d+\.\d(?= s · )")
BELOW = re.compile("<small[^>]*>(.*?)</small>")


@dataclass
class Ran:
    """What came of a cell: the outputs in order, what was printed, the result, the error."""

    outputs: list[dict[str, Any]]
    printed: str
    result: Any = None
    error: BaseException | None = None

    @property
    def lines(self) -> list[str]:
        """What is said beside and below tables, in order; for how long it took it has `…`."""
        return [TOOK.sub("…", line) for shown in self.outputs for line in said(shown)]

    @property
    def tables(self) -> list[str]:
        """The HTML of every table that was shown."""
        return [html(shown) for shown in self.outputs if "<table" in html(shown)]

    @property
    def error_lines(self) -> list[str]:
        """The error as a notebook shows it."""
        assert self.error is not None, "the cell did not fail"
        return self.error._render_traceback_()  # type: ignore[attr-defined]


def html(shown: dict[str, Any]) -> str:
    return str(shown.get("text/html", ""))


def said(shown: dict[str, Any]) -> list[str]:
    """The line below a table, or the text of an output that has none."""
    if "<table" not in html(shown):
        return [shown["text/plain"]]
    return [unescape(line) for line in BELOW.findall(html(shown))]


class Front(DisplayHook):
    """Shows a cell's last value where its other outputs are shown, as a notebook does."""

    def write_output_prompt(self) -> None:
        """A notebook writes its own."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        self.shell.display_pub.publish(format_dict)


@dataclass
class Notebook:
    """A shell that runs whole cells as typed, with the extension loaded."""

    shell: InteractiveShell
    names: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.names = self.shell.user_ns

    def run(self, cell: str, **names: Any) -> Ran:
        """Run a cell; the names are put into the user's namespace before it."""
        self.shell.user_ns.update(names)
        with capture_output() as captured:
            ran = self.shell.run_cell(cell, store_history=True)
        outputs = [dict(output.data) for output in captured.outputs]
        problem = ran.error_before_exec or ran.error_in_exec
        return Ran(outputs, captured.stdout + captured.stderr, ran.result, problem)

    def fine(self, cell: str, **names: Any) -> Ran:
        """Run a cell that must not fail."""
        ran = self.run(cell, **names)
        assert ran.error is None, ran.printed
        return ran


@pytest.fixture
def bare_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """A new shell without the extension, and an environment without a profile."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    # A home of its own: nobody's profiles have a say here.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config, displayhook_class=Front)
    try:
        yield Notebook(shell)
    finally:
        if "cs_magic" in shell.extension_manager.loaded:
            shell.extension_manager.unload_extension("cs_magic")
        shell.restore_sys_module_state()
        atexit.unregister(shell.atexit_operations)  # two hundred of them would take a minute
        InteractiveShell.clear_instance()


@pytest.fixture
def notebook(bare_shell: Notebook) -> Notebook:
    """A shell with `%load_ext cs_magic` done; there is no profile."""
    bare_shell.fine("%load_ext cs_magic")
    return bare_shell


@pytest.fixture(scope="session")
def recorded_cloud() -> Iterator[Replay]:
    """The recorded cloud on a loopback port."""
    with Replay(*recordings()) as replay:
        yield replay


@pytest.fixture
def cloud(recorded_cloud: Replay, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """The recorded cloud as the environment's profile; nothing was sent to it yet."""
    for name, value in environment(recorded_cloud).items():
        monkeypatch.setenv(name, value)
    recorded_cloud.requests.clear()
    return recorded_cloud


def recordings() -> list[Step]:
    """The replies of the recorded cloud: one zone, 7 hosts, 226 machines, 13 users."""
    wheres = """
        G-counts/01-count-listZones F-shapes/12-shape-hosts D-paging/01-vms-listall
        F-shapes/29-shape-users
    """.split()
    return [step for where in wheres for step in steps(where)]
