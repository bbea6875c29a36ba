"""Faults of the network met by `-o parquet:` and by `--each`: nothing half, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from faults_planned import Planned, planned
from longlists import SIZE, Long, machines, serve

from cs_magic.demo.server import serving
from cs_magic.errors import Incomplete
from cs_magic.streaming import HELD

MANY = (HELD + 20) * SIZE
VMS = "%cs -q -o parquet:vms listVirtualMachines listall=true"
Net = Callable[..., Planned]


@pytest.fixture
def net(monkeypatch):
    """Makes a network to an endpoint, whose fault meets the requests that hold a text."""
    with ExitStack() as opened:

        def made(endpoint: str, fault: str, at: bytes, times: int) -> Planned:
            left = count()
            proxy = opened.enter_context(
                planned(endpoint, fault, lambda number, sent: at in sent and next(left) < times)
            )
            monkeypatch.setenv("CLOUDSTACK_ENDPOINT", proxy.endpoint)
            return proxy

        yield made


@pytest.fixture
def long_list(monkeypatch):
    with serve(Long(machines=machines(MANY)), monkeypatch) as server:
        yield server


@pytest.fixture
def demo(monkeypatch):
    with serving(machines=40, job_seconds=0) as demo:
        monkeypatch.setenv("CLOUDSTACK_KEY", demo.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", demo.secret_key)
        yield demo


@pytest.mark.parametrize("fault", ["reset before the reply", "cut in the body"])
def test_a_long_list_to_a_file_is_whole_where_a_page_was_lost_once(notebook, long_list, net, fault):
    proxy = net(long_list.endpoint, fault, b"page=%d&" % (HELD + 5), 1)
    notebook.fine(VMS)
    ids = pq.read_table("vms")["id"].to_pylist()
    assert ids == [row["id"] for row in machines(MANY)]
    assert proxy.met.count(fault) == 1


@pytest.mark.parametrize("fault", ["truncated JSON", "HTML 200"])
def test_a_long_list_to_a_file_that_breaks_off_leaves_the_old_file(notebook, long_list, net, fault):
    notebook.fine(VMS)
    before = {path.name: path.read_bytes() for path in Path("vms").iterdir()}
    net(long_list.endpoint, fault, b"page=%d&" % (HELD + 5), 1_000)
    ran = notebook.run("%cs use env\n" + VMS)
    assert type(ran.error) is Incomplete
    assert {path.name: path.read_bytes() for path in Path("vms").iterdir()} == before
    assert notebook.fine("%cs last").result.complete[0] == False  # noqa: E712 - numpy's


@pytest.mark.parametrize("fault", ["502 HTML, but done", "reset before the request"])
def test_each_sends_every_call_once_and_says_whose_fate_is_unknown(notebook, demo, net, fault):
    proxy = net(demo.endpoint, fault, b"name=key-3&", 1_000)
    names = [f"key-{number}" for number in range(6)]
    notebook.run("%cs -q -y --each createSSHKeyPair name=$names", names=names)
    frame = notebook.fine("%cs last").result
    assert list(frame["outcome"]) == [*["done"] * 3, "unknown", *["done"] * 2]
    sent = Counter(one["name"] for one in proxy.came if one["command"] == "createSSHKeyPair")
    assert sent == Counter(names)


def test_each_waits_for_every_job_where_asking_after_them_failed_once(notebook, demo, net):
    running = [one for one in demo.world.fleet.machines if one.state == "Running"][:5]
    fault = "cut in the body"
    proxy = net(demo.endpoint, fault, b"command=queryAsyncJob", 1)
    ids = [str(one.id) for one in running]
    notebook.fine("done = %cs -q -y --each rebootVirtualMachine id=$ids", ids=ids)
    assert set(notebook.names["done"]["outcome"]) == {"done"}
    sent = Counter(one["id"] for one in proxy.came if one["command"] == "rebootVirtualMachine")
    assert sent == Counter(ids)
    assert fault in proxy.met
