"""What other people wrote for CloudStack works with the demo as it does with a real server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cs_magic.demo.server import serving
from peers import table
from peers.__main__ import FROM_PYPI, demo_target, main
from peers.checks import CHANGING, CHECKS
from peers.client import Bench, Check, Peer, outcome
from peers.go_sdk import GoSdkPeer
from peers.go_sdk import _program as go_program
from peers.plain import Target

ALL: list[tuple[type[Peer], str, Check]] = [
    (kind, name, check)
    for kind in FROM_PYPI
    for name, check in (CHECKS | kind.own_checks() | CHANGING).items()
]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """The root admin of a cloud with several pages of machines."""
    with serving(machines=300, job_seconds=0.1) as demo:
        yield demo_target(demo)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would all ask a proxy for the loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


bench = cache(Bench)  # the judge reads the machines once for a client


@pytest.mark.parametrize(
    ("kind", "name", "check"), ALL, ids=[f"{kind.name}-{name}" for kind, name, _ in ALL]
)
def test_a_client_does_here_what_it_did_at_a_real_server(
    target: Target, kind: type[Peer], name: str, check: Check
) -> None:
    done = outcome(bench(target, kind), name, check)
    assert done.result == table.real()[kind.name, name], done.detail
    assert done.result == table.committed()[kind.name, name]  # else: make peers-go


def test_the_committed_table_holds_every_check_and_no_other() -> None:
    names = {kind.name for kind in (*FROM_PYPI, GoSdkPeer)}
    held = {cell for cell in table.committed() if cell[0] in names}
    by_hand = {(GoSdkPeer.name, name) for name in (CHECKS | GoSdkPeer.own_checks() | CHANGING)}
    assert held == {(kind.name, name) for kind, name, _ in ALL} | by_hand


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> str:
    """What is run is the clients' versions alone; the text of the committed table."""
    for where in ("CHECKS", "CHANGING"):
        monkeypatch.setattr(f"peers.__main__.{where}", {})
    for kind in (*FROM_PYPI, GoSdkPeer):
        monkeypatch.setattr(kind, "own_checks", dict)
    return table.COMMITTED.read_text("utf-8")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("", "gosdk: not run: Go isn't installed"),
        ("/bin/false", "gosdk: the program tells no version"),
        ("/nowhere/at/all", "gosdk: the program can't be started"),
    ],
)
def test_without_the_sdk_for_go_all_is_a_failure_and_nothing_is_saved(
    few: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, program: str, said: str
) -> None:
    monkeypatch.setenv("GOSDK", program)
    monkeypatch.setenv("PATH", "")
    go_program.cache_clear()
    assert main(["--all", "--save"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err
    assert "is not saved: gosdk did not run" in shown.err
    assert "here it is the same, but for gosdk" in shown.out
    assert table.COMMITTED.read_text("utf-8") == few


def test_a_build_that_fails_is_a_failure(
    few: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.delenv("GOSDK", raising=False)
    go_program.cache_clear()
    assert main(["--all"]) == 1
    assert "gosdk: go build failed: no such module" in capsys.readouterr().err


def test_fewer_clients_are_not_saved_over_more(few: str, capsys: Any) -> None:
    assert main(["--save"]) == 1
    assert "is not saved: gosdk did not run" in capsys.readouterr().err
    assert table.COMMITTED.read_text("utf-8") == few


def test_the_committed_table_is_as_the_real_server_was() -> None:
    real = table.real()
    assert {cell: real[cell] for cell in table.committed()} == table.committed()
