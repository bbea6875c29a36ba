"""Interrupts at any moment, threads of the user's own, minutes of calls: nothing is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from api.servers import KEYS
from api.servers import serving as answering
from longlists import Long
from longlists import machines as some

import cs_magic
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo, serving
from cs_magic.errors import CloudStackError

if TYPE_CHECKING:
    from conftest import Notebook

QUICK, ALL = 20, 200
SOAK = 180.0  # seconds
LONG = 20.0
# What a cell may come to that is interrupted; `nothing` where its end was. The base of all errors
# says that a list was stopped before anything came.
COMES = frozenset(
    "done nothing KeyboardInterrupt CloudStackError FateUnknown Incomplete StillRunning".split()
)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with serving(machines=1_000, latency_ms=5, job_seconds=0.1) as running:
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


# What may be interrupted, and about how long it takes where nobody does; {n} is another each time.
KINDS = {
    "a list": ("%cs -q listVirtualMachines", 0.4),
    "several clouds": ("%cs -q -p keys,other listVirtualMachines", 0.8),
    "a list to Parquet": ("%cs -q -p long -o parquet:vms listVirtualMachines listall=true", 0.5),
    "a list to CSV": ("%cs -q -o csv:vms.csv listVirtualMachines", 0.4),
    "--each": ("%cs -q --each createTags resourceids=$ids resourcetype=UserVm tags.each{n}=1", 0.3),
    "a job": ("%cs -q createTags resourceids=$ids resourcetype=UserVm tags.job{n}=1", 0.3),
    "a login": ("%cs -q use password\n%cs -q listZones\n%cs -q logout\n%cs -q use keys", 0.2),
    "a name": ("%cs -q listHosts zoneid=Zürich", 0.2),
}
CONFIG = """
default = "keys"

[keys]
endpoint = "{demo.endpoint}"
api_key = "{demo.api_key}"
secret_key = "{demo.secret_key}"

[other]
endpoint = "{demo.endpoint}"
api_key = "{demo.api_key}"
secret_key = "{demo.secret_key}"

[password]
endpoint = "{demo.endpoint}"
username = "{demo.username}"
password = "{demo.password}"

[long]
endpoint = "{long.endpoint}"
api_key = "{keys.api_key}"
secret_key = "{keys.secret_key}"
"""


@pytest.fixture
def shell(demo: Demo, notebook: Notebook, tmp_path: Path) -> Iterator[Notebook]:
    """A shell with a profile for each way of calling, and six machines in `ids`."""
    machines = [one for one in demo.world.fleet.machines if one.state == "Running"]
    notebook.names["ids"] = [str(one.id) for one in machines[:6]]
    with answering(Long(machines=some(700)).answer) as server:
        configure(tmp_path, demo, server)
        yield notebook


def configure(home: Path, demo: Any, long: Any) -> None:
    """Write the profiles of these two clouds."""
    folder = home / "config" / "cs_magic"
    folder.mkdir(parents=True)
    file = folder / "config.toml"
    file.touch(0o600)
    file.write_text(CONFIG.format(demo=demo, long=long, keys=KEYS))


@pytest.fixture
def away() -> Iterator[SimpleNamespace]:
    """A demo cloud in a process of its own: where it is, and how to be its admin."""
    words = [sys.executable, "-m", "cs_magic.demo", "--port=0", "--json", "--job-seconds=0.2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield SimpleNamespace(**json.loads(process.stdout.readline()))
        process.terminate()


def interrupted(shell: Notebook, cell: str, delay: float) -> str:
    """Run a cell, and be interrupted after a while: what came of it."""
    main = threading.main_thread().ident or 0
    timer = threading.Timer(delay, signal.pthread_kill, (main, signal.SIGINT))
    came = "nothing"
    try:
        timer.start()
        ran = shell.run(cell)
        came = type(ran.error).__name__ if ran.error else "done"
        timer.join()
    except KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            timer.join()
    return came


@pytest.mark.parametrize(
    "times", [QUICK, pytest.param(ALL, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
def test_an_interrupt_at_any_moment_leaves_a_shell_that_works(
    shell: Notebook, demo: Demo, times: int
) -> None:
    chance = random.Random(times)
    for cell, _ in KINDS.values():
        shell.fine(cell.format(n=f"-{times}"))
    assert settled(10_000)
    most = files() + 12  # as many as may be kept for the next call
    seen: Counter[str] = Counter()
    for number in range(times):
        kind = list(KINDS)[number % len(KINDS)]
        cell, seconds = KINDS[kind]
        came = interrupted(shell, cell.format(n=f"{times}-{number}"), chance.uniform(0, seconds))
        seen[came] += 1
        assert came in COMES, (kind, came)
        assert settled(most), (kind, came, ours(), files(), most)
        assert len(shell.fine("%cs -q -p keys listZones").result) == 3
    assert len(seen) > 1, "all at the same moment"
    tagged = Counter(
        (change.arguments["resourceids"], tag)
        for change in demo.jobs
        for name, tag in change.arguments.items()
        if name.endswith(".key")
    )
    assert len(tagged) > 7
    assert set(tagged.values()) == {1}


def test_the_magic_in_threads_of_the_users_own_gives_what_it_gives_in_one(shell: Notebook) -> None:
    lines = ["-q listVirtualMachines", "-q -p other listVolumes", "-q -p password listZones"] * 6

    def rows(line: str) -> int:
        return len(shell.shell.run_line_magic("cs", line))

    alone = {line: rows(line) for line in set(lines)}
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(rows, lines))
    assert counts == [alone[line] for line in lines]
    assert settled(10_000)


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


# What goes on for minutes; nothing of it is kept in `Out`.
SOAKED = (
    *(f"{cell};" for cell, _ in KINDS.values() if "\n" not in cell and "long" not in cell),
    KINDS["a login"][0],
    "%cs -y rebooted << rebootVirtualMachine id=$ids[0]",
    "%cs -q -n 40 -o xlsx:some.xlsx listVolumes;",
    "%cs -q events << -n 700 listEvents",
    "%cs -q one << listVirtualMachines id=$ids[1]",
    "%cs listVirtualMachines stat=Running",
    "%cs -y deleteVolume id=12345678-1234-1234-1234-123456789abc",
    "%cs help listVirtualMachines",
    "%cs jobs;",
)


def in_a_process_of_its_own(test: str) -> None:
    """Run one test where nothing else was run before."""
    ours = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    here = Path(__file__).parent.parent
    done = subprocess.run(words, cwd=here, env=ours, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout[-4000:]


@pytest.mark.long
@pytest.mark.timeout(SOAK * 2)
def test_minutes_of_all_that_can_be_done_leave_memory_and_files_flat(
    request: pytest.FixtureRequest, notebook: Notebook, away: SimpleNamespace, tmp_path: Path
) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:  # which other tests have filled
        in_a_process_of_its_own(request.node.nodeid)
        return
    configure(tmp_path, away, away)
    notebook.fine("%cs -q -c id -n 6 vms << listVirtualMachines state=Running")
    notebook.names["ids"] = list(notebook.names["vms"]["id"])
    chance, made, fine = random.Random(1), 0, 0
    began = time.monotonic()
    memory: list[tuple[float, float, int]] = []
    while (spent := time.monotonic() - began) < SOAK:
        ran = notebook.run(chance.choice(SOAKED).format(n=made))
        assert ran.error is None or isinstance(ran.error, CloudStackError), ran.printed
        made, fine = made + 1, fine + (ran.error is None)
        if made % 20 == 0:
            memory.append((spent, megabytes(), files()))
    early = [mb for at, mb, _ in memory if SOAK / 6 < at < SOAK / 2]
    late = [mb for at, mb, _ in memory if at > SOAK / 2]
    assert fine > 100, (made, fine)
    assert made > fine, "nothing was refused"
    assert max(late) - max(early) < 15, (max(early), max(late), made)
    assert max(n for at, _, n in memory if at > SOAK / 2) <= max(n for *_, n in memory[:20]) + 4
    assert settled(10_000)
