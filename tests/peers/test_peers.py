"""What other people wrote for CloudStack works with the demo as it does with a real server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from cs_magic.demo.server import serving
from peers import table
from peers.__main__ import FROM_PYPI, demo_target
from peers.checks import CHANGING, CHECKS
from peers.client import Bench, Check, Peer, outcome
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
    names = {kind.name for kind in FROM_PYPI}
    held = {cell for cell in table.committed() if cell[0] in names}
    assert held == {(kind.name, name) for kind, name, _ in ALL}


def test_the_committed_table_is_as_the_real_server_was() -> None:
    real = table.real()
    assert {cell: real[cell] for cell in table.committed()} == table.committed()
