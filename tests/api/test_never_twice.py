"""A call that changes something is sent once, whatever happens on the way; held by its count.

The demo counts every state-changing call that arrives. Between it and the client stands a
network that fails.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from random import Random
from uuid import UUID

import pytest
from faults import DEAD, FAULTS, NONE, Faulty, faulty

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.credentials import KeyPair
from cs_magic.api.jobs import Watcher
from cs_magic.api.profile import Profile
from cs_magic.api.traces import traceable
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Options
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo, serving
from cs_magic.errors import (
    ApiError,
    CloudStackError,
    FateUnknown,
    Incomplete,
    StillRunning,
    TransportError,
)
from cs_magic.following import each

CALLS = 12
QUICK, ALL = 50, 1_000


@pytest.fixture(scope="module")
def demo():
    with serving(machines=40, job_seconds=0) as demo:
        yield demo


def connected(demo: Demo, endpoint: str, workers: int = 4) -> Connection:
    """A connection that never really waits."""
    keys = KeyPair(demo.api_key, demo.secret_key, "HmacSHA1")
    profile = Profile("test", endpoint, keys, workers=workers)
    client = Client(profile, HttpTransport(profile), pause=lambda event, seconds: None)
    return Connection(client, bundled())


def write(cloud: Connection, random: Random, machine: str, mark: str) -> str:
    """Send a call that carries the mark; the id of its job where it has one."""
    match random.randrange(4):
        case 0:
            cloud.call("updateVirtualMachine", id=machine, displayname=mark)
        case 1:
            cloud.call("createSSHKeyPair", name=mark)
        case 2:
            return started(cloud, "createTags", resourceids=machine, resourcetype="UserVm",
                           **{"tags[0].key": mark, "tags[0].value": "1"})  # fmt: skip
        case _:
            return started(cloud, "rebootVirtualMachine", id=machine, bootintosetup=mark)
    return ""


def started(cloud: Connection, name: str, **arguments: str) -> str:
    """The job that was started; it carries the id that was chosen for it."""
    call = traceable(Call(name, tuple(arguments.items())), bundled().find(name))
    reply = cloud.client.exchange(call, is_read=False)
    assert reply.jobid == call.given("customjobid")
    return reply.jobid


def outcome(action) -> tuple[str, CloudStackError | None]:
    """What a person is told: done, refused, not sent, or that nobody knows."""
    try:
        action()
    except FateUnknown as error:
        return "unknown", error
    except TransportError as error:
        return ("neither" if error.sent else "not sent"), error
    except ApiError as error:
        return "refused", error
    return "done", None


def arrivals(demo: Demo, prefix: str) -> dict[str, list]:
    """The calls that arrived, by their marks."""
    found: dict[str, list] = {}
    for change in demo.jobs:
        for value in change.arguments.values():
            if value.startswith(prefix):
                found.setdefault(value, []).append(change)
    return found


def hold(told: str, error: CloudStackError | None, arrived: list) -> None:
    """Hold what was told against what arrived."""
    assert len(arrived) <= 1, f"it arrived {len(arrived)} times"
    assert told in {"done", "refused", "not sent", "unknown"}, error
    if told == "done":
        [change] = arrived
        assert change.outcome in {"done", "running"}
    elif told == "not sent":
        assert arrived == []
    elif told == "refused":
        assert all(change.outcome == "refused" for change in arrived)
    if isinstance(error, FateUnknown) and error.job:
        assert UUID(error.job)
        assert [change.job for change in arrived] in ([], [error.job])


def run(demo: Demo, proxy: Faulty, seed: int) -> Counter[str]:
    """Reads and writes in turn over a network that fails; what was told, counted."""
    random, prefix = Random(seed), f"seed-{seed}-"
    told: dict[str, tuple[str, CloudStackError | None]] = {}
    with connected(demo, proxy.endpoint) as cloud:
        for number in range(CALLS):
            if random.random() < 0.3:
                read(cloud, hosts(demo))
                continue
            mark = f"{prefix}{number}-"
            machine = random.choice(running(demo))
            told[mark] = outcome(lambda: write(cloud, random, machine, mark))  # noqa: B023
    arrived = arrivals(demo, prefix)
    for mark, (said, error) in told.items():
        hold(said, error, arrived.pop(mark, []))
    assert arrived == {}
    return Counter(said for said, _ in told.values())


def read(cloud: Connection, whole: int) -> None:
    """A list that comes is whole, however often its network failed; else it is an error."""
    with suppress(TransportError, ApiError, Incomplete):
        assert len(cloud.call("listHosts")) == whole


@cache
def running(demo: Demo) -> list[str]:
    """Machines that run, and go on running."""
    with connected(demo, demo.endpoint) as cloud:
        return list(cloud.call("listVirtualMachines", state="Running").id[:10])


@cache
def hosts(demo: Demo) -> int:
    """How many hosts there are, over a good network."""
    with connected(demo, demo.endpoint) as cloud:
        return len(cloud.call("listHosts"))


SEEDS = [
    *range(QUICK),
    *(pytest.param(seed, marks=pytest.mark.long) for seed in range(QUICK, ALL)),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_arrives_twice_and_what_is_told_is_so(demo, seed):
    with faulty(demo.endpoint, seed) as proxy:
        run(demo, proxy, seed)


class Impatient(Watcher):
    """Interrupts once so many calls have an outcome, as the stop button does."""

    def __init__(self, calls: int) -> None:
        self._calls = calls

    def counted(self, counts: Mapping[str, int]) -> None:
        if sum(counts.values()) - counts["not sent"] >= self._calls:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "seed", [*range(20), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(20, 200))]
)
def test_an_interrupt_leaves_every_row_as_it_was_told(demo, seed):
    random, prefix = Random(seed), f"stopped-{seed}-"
    marks = [f"{prefix}{number}-" for number in range(20)]
    machine = running(demo)[0]
    calls = [
        Call("rebootVirtualMachine", (("id", machine), ("bootintosetup", mark))) for mark in marks
    ]
    impatient = Impatient(random.randrange(1, 15))
    with faulty(demo.endpoint, seed, faults=0.3) as proxy:
        with connected(demo, proxy.endpoint, workers=random.choice([1, 4])) as cloud:
            options = Options(wait=False, check=False)
            try:
                result = each(cloud, calls, options, workers=6, watcher=impatient)
            except StillRunning as left:
                result = left.result
            rows = cloud.frame(result, Options()).to_dict("records")
            for thread in threading.enumerate():
                if thread.name == "cs_magic calls":
                    thread.join(30)
        arrived = arrivals(demo, prefix)
    meant = {"failed": "refused", "still running": "done"}
    for row in rows:
        here = arrived.get(row["bootintosetup"], [])
        hold(meant.get(row["outcome"], row["outcome"]), None, here)
        assert [one.job for one in here] in ([], [row["jobid"]]) or row["outcome"] == "failed"


def test_the_seeds_of_make_test_meet_every_fault_and_every_outcome(demo):
    met: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for seed in range(2_000, 2_025):
        with faulty(demo.endpoint, seed) as proxy:
            told += run(demo, proxy, seed)
        met += Counter(proxy.met)
    assert set(met) == {NONE, *FAULTS}
    assert set(told) == {"done", "refused", "not sent", "unknown"}


def test_a_good_network_does_everything_once(demo):
    with faulty(demo.endpoint, 3_000, faults=0) as proxy:
        assert set(run(demo, proxy, 3_000)) == {"done"}


def test_no_write_meets_an_idle_connection_that_died(demo):
    with faulty(demo.endpoint, 3_500, faults=0, idle_dies=True) as proxy:
        assert set(run(demo, proxy, 3_500)) == {"done"}
        assert proxy.met.count(DEAD) > 1  # reads met them, and were sent again


def test_several_at_once_are_sent_once_each(demo):
    machine = running(demo)[0]
    told = {}
    with faulty(demo.endpoint, 4_000) as proxy, connected(demo, proxy.endpoint) as cloud:

        def send(number: int) -> None:
            mark = f"at-once-{number}-"
            told[mark] = outcome(lambda: write(cloud, Random(number), machine, mark))

        with ThreadPoolExecutor(4) as workers:
            list(workers.map(send, range(60)))
    arrived = arrivals(demo, "at-once-")
    for mark, (said, error) in told.items():
        hold(said, error, arrived.get(mark, []))
    assert len(told) == 60
    assert threading.active_count() < 60
