"""Tab in IPython in a terminal: a real one, by a pseudo-terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from replay import VARIABLES

pexpect = pytest.importorskip("pexpect")
TIMEOUT = 30
WAIT = (
    "import threading; print('waited:',"
    " [each.join() for each in threading.enumerate() if each.name == 'cs_magic values'] != 0)"
)


class Terminal:
    """An IPython session that is typed into."""

    def __init__(self, child: Any) -> None:
        self.child = child
        self._number = 0
        self._prompt()

    def types(self, keys: str, *expected: str) -> None:
        """Type, and wait until all of the texts are on the screen, in whatever order."""
        self.child.send(keys)
        missing = list(expected)
        while missing:
            del missing[self.child.expect_exact(missing)]

    def shows(self, keys: str, *expected: str) -> None:
        """The same; then the line is dropped."""
        self.types(keys, *expected)
        self.child.send("\x15")

    def runs(self, line: str, *expected: str) -> None:
        """Type a line and Enter, and wait until the texts are on the screen, one by one."""
        self.child.send(line)
        self.child.send("\r")
        for text in expected:
            self.child.expect_exact(text)
        self._prompt()

    def _prompt(self) -> None:
        self._number += 1
        self.child.expect(rf"In \S*\[\S*?[m\[]{self._number}[\x1b\]]")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    root = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), root)))
    folders = {"HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path), "PYTHONPATH": path}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--no-confirm-exit"],
        env=kept | folders | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        cwd=str(tmp_path),
        dimensions=(40, 120),
        encoding="utf-8",
        timeout=TIMEOUT,
    )
    terminal = Terminal(child)
    try:
        yield terminal
    finally:
        child.close(force=True)


def test_tab_shows_what_fits_and_inserts_what_is_the_only_one(terminal):
    terminal.runs("%load_ext cs_magic")
    terminal.shows("%cs listHos\t", "listHostTags", "listHostHAProviders")
    terminal.shows("x = %cs listHosts \t", "arch=", "clusterid=")
    terminal.types("%cs use de\t", "mo")
    terminal.runs("", "using demo")
    terminal.types("%cs -q --colu\t", "mns")
    terminal.types(" name listZones avail\t", "able=")
    terminal.runs("true", "Lugano")


def test_what_the_first_tab_asks_for_the_second_offers(terminal):
    terminal.runs("%load_ext cs_magic")
    terminal.runs("%cs use demo", "using demo")
    terminal.runs("%cs -q listPods;")
    terminal.shows("%cs listHosts zoneid=\t")
    terminal.runs(WAIT, "waited: True")
    terminal.shows("%cs listHosts zoneid=\t", "Lugano", "Zürich")
    terminal.types("%cs -q --dry-run listHosts zoneid=Lug\t", "ano")
    terminal.runs("", "zoneid=Lugano")


def test_a_key_press_prints_nothing_where_nothing_fits(terminal):
    terminal.runs("%load_ext cs_magic")
    terminal.types("%cs listNoThings zoneid=\t")
    terminal.runs("x", "listNoThings zoneid=x", "There is no profile to use")
