"""Interrupts at any moment, threads of the user's own, minutes of calls: nothing is left."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import cs_magic
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo, serving
from cs_magic.errors import CloudStackError, Incomplete

QUICK, ALL = 20, 200
SOAK = 180.0  # seconds
LONG = 20.0


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with serving(machines=1_500, latency_ms=5, job_seconds=0) as running:
        yield running


@pytest.fixture
def cloud(demo: Demo) -> Iterator[Connection]:
    keys = {"api_key": demo.api_key, "secret_key": demo.secret_key}
    with cs_magic.connect(endpoint=demo.endpoint, catalogue="bundled", **keys) as connection:
        assert isinstance(connection, Connection)
        yield connection


def files() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))


def megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def ours() -> list[threading.Thread]:
    """The threads of cs_magic that run."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("cs_magic")]


def settled(most: int) -> bool:
    """Whether our threads end, and no more files than these stay open, before long."""
    over = time.monotonic() + LONG
    while time.monotonic() < over:
        if not ours() and files() <= most:
            return True
        threading.Event().wait(0.01)
    return False


def interrupted(cloud: Connection, delay: float) -> str:
    """List, and be interrupted after a while: what came of it."""
    main = threading.main_thread().ident or 0
    timer = threading.Timer(delay, signal.pthread_kill, (main, signal.SIGINT))
    came = "nothing"
    try:
        timer.start()
        try:
            came = f"{len(cloud.call('listVirtualMachines', details='min'))} rows"
        except Incomplete as broken:
            is_marked = broken.result.attrs["cs"]["complete"] is False
            came = "incomplete" if is_marked else "cut, and not marked"
        timer.join()
    except KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            timer.join()
    return came


@pytest.mark.parametrize(
    "times", [QUICK, pytest.param(ALL, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
def test_an_interrupt_at_any_moment_leaves_a_connection_that_works(
    cloud: Connection, demo: Demo, times: int
) -> None:
    chance = random.Random(times)
    whole = len(cloud.call("listVirtualMachines", details="min"))
    assert settled(10_000)
    most = files() + 8  # as many as may be kept for the next call
    seen = set()
    for _ in range(times):
        seen.add(interrupted(cloud, chance.uniform(0, 0.25)))
        assert settled(most), (seen, ours(), files(), most)
    assert len(cloud.call("listVirtualMachines", details="min")) == whole
    assert seen <= {"nothing", "incomplete", f"{whole} rows"}
    assert len(seen) > 1, "all at the same moment"


def test_threads_of_the_users_own_get_what_one_thread_gets(cloud: Connection) -> None:
    names = ["listVirtualMachines", "listVolumes", "listZones", "listNetworks"] * 6
    alone = {name: len(cloud.call(name)) for name in set(names)}
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda name: len(cloud.call(name)), names))
    assert counts == [alone[name] for name in names]
    assert settled(10_000)


def test_connections_that_are_opened_and_closed_leave_nothing(demo: Demo) -> None:
    keys = {"api_key": demo.api_key, "secret_key": demo.secret_key}
    before = files()
    for _ in range(20):
        with cs_magic.connect(endpoint=demo.endpoint, catalogue="bundled", **keys) as one:
            assert len(one.call("listZones"))
    assert settled(before + 2)


@pytest.mark.long
@pytest.mark.timeout(SOAK * 2)
def test_minutes_of_mixed_calls_leave_memory_and_files_flat(cloud: Connection) -> None:
    machine = str(cloud.call("listVirtualMachines", state="Running", details="min")["id"].iloc[0])
    calls = (
        lambda: cloud.call("listVirtualMachines", details="min"),
        lambda: cloud.call("listVirtualMachines", id=machine),
        lambda: cloud.call("listVirtualMachines", zoneid="Zürich", limit=20),
        lambda: cloud.call("listEvents", limit=700),
        lambda: cloud.call("updateVirtualMachine", id=machine, displayname="soaked"),
        lambda: cloud.call("rebootVirtualMachine", id=machine),
        lambda: cloud.call("listVirtualMachines", stat="Running"),
        lambda: cloud.call("deleteVolume", id="12345678-1234-1234-1234-123456789abc"),
    )
    chance, made = random.Random(1), 0
    began = time.monotonic()
    memory: list[tuple[float, float, int]] = []
    while (spent := time.monotonic() - began) < SOAK:
        with suppress(CloudStackError):
            chance.choice(calls)()
        made += 1
        if made % 20 == 0:
            memory.append((spent, megabytes(), files()))
    early = [mb for at, mb, _ in memory if SOAK / 6 < at < SOAK / 2]
    late = [mb for at, mb, _ in memory if at > SOAK / 2]
    assert made > 500
    assert max(late) - max(early) < 15, (max(early), max(late), made)
    assert max(n for at, _, n in memory if at > SOAK / 2) <= max(n for *_, n in memory[:50]) + 4
