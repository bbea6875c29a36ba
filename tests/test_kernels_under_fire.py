"""Two kernels that share everything, and kernels that end in the middle of something."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults_planned import Planned, planned
from jupyter_client.manager import KernelManager
from kernels import TIMEOUT, Kernel, started

from cs_magic.demo.server import Demo, serving

FIRST = "%cs -q -c name listZones"
READS = """
import cs_magic
for _ in range(6):
    with cs_magic.connect() as cloud:
        print(len(cloud.listZones()), end=" ")
"""
SYNCS = "for _ in range(3):\n    get_ipython().run_line_magic('cs', '-q sync')"
# Written at the very end of a kernel that ends by itself; one that is killed writes nothing.
SIGNS_OFF = "import atexit, pathlib\natexit.register(pathlib.Path('ended').touch);"
IDS = 8
# What a kernel is in the middle of, and what has come to the server by then.
BUSY = {
    "a list": ("%cs listVirtualMachines", "listVirtualMachines"),
    "a job": (
        "%cs createTags resourceids=$ids[0] resourcetype=UserVm tags.kernel{n}=1",
        "queryAsyncJob",
    ),
    "--each": (
        "%cs --each createTags resourceids=$ids resourcetype=UserVm tags.kernel{n}=1",
        "createTags",
    ),
    "a login": ("%cs -p password listZones", "login"),
    "a Tab": ("%cs listVirtualMachines hostid=", "listHosts"),
}
CONFIG = """
default = "keys"

[keys]
endpoint = "{0}"
api_key = "{1.api_key}"
secret_key = "{1.secret_key}"

[password]
endpoint = "{0}"
username = "{1.username}"
password = "{1.password}"
"""


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with serving(machines=600, job_seconds=60) as running:
        yield running


@contextmanager
def two(shared: Path, endpoint: str, demo: Demo) -> Iterator[tuple[Kernel, Kernel]]:
    """Two kernels with one configuration and one cache, in which nothing is kept yet."""
    variables = configured(shared, endpoint, demo)
    for name in ("one", "other"):
        (shared / name).mkdir()
    with (
        started(shared / "one", variables) as one,
        started(shared / "other", variables) as other,
    ):
        yield one, other


def configured(shared: Path, endpoint: str, demo: Demo) -> dict[str, str]:
    """The profiles, and the variables of a kernel that has them."""
    folder = shared / "config" / "cs_magic"
    folder.mkdir(parents=True)
    file = folder / "config.toml"
    file.touch(0o600)
    file.write_text(CONFIG.format(endpoint, demo))
    return {
        "XDG_CONFIG_HOME": str(shared / "config"),
        "XDG_CACHE_HOME": str(shared / "cache"),
        "CS_MAGIC_CATALOGUE": "cached",
    }


def together(*cells: tuple[Kernel, str]) -> list[str]:
    """Run a cell in each of these kernels, all at once; what each printed or failed with."""
    told = [""] * len(cells)

    def run(number: int, kernel: Kernel, cell: str) -> None:
        outputs = kernel.run(cell)
        told[number] = "".join(str(one.get("text", one.get("evalue", ""))) for one in outputs)

    threads = [
        threading.Thread(target=run, args=(number, *one)) for number, one in enumerate(cells)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_two_kernels_share_cache_and_profiles_from_their_first_call_on(
    demo: Demo, tmp_path: Path
) -> None:
    with two(tmp_path, demo.endpoint, demo) as (one, other):
        assert together((one, f"z = {FIRST}"), (other, f"z = {FIRST}")) == ["", ""]
        assert one.value("list(z['name'])") == other.value("list(z['name'])")
        _, read = together((one, SYNCS), (other, READS))
        assert read.split() == ["3"] * 6
        read, _ = together((one, READS), (other, SYNCS))
        assert read.split() == ["3"] * 6
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    assert [path.name for path in kept if path.suffix not in {".json", ".gz", ".lock"}] == []


@contextmanager
def held(demo: Demo, command: str) -> Iterator[tuple[Planned, threading.Event]]:
    """A network on which the server answers late, and what tells that a command came to it."""
    came = threading.Event()

    def which(number: int, request: bytes) -> bool:
        if f"command={command}".encode() in request:
            came.set()
            return True
        return False

    with planned(demo.endpoint, "stall beyond the time-out", which) as proxy:
        yield proxy, came


@pytest.mark.parametrize(
    "what",
    ["--each", *(pytest.param(one, marks=pytest.mark.long) for one in BUSY if one[0] == "a")],
)
def test_a_kernel_that_is_restarted_in_the_middle_ends_by_itself_and_the_next_one_works(
    demo: Demo, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, command = BUSY[what]
    ids = [str(one.id) for one in demo.world.fleet.machines if one.state == "Running"][:IDS]
    with held(demo, command) as (proxy, came):
        variables = configured(tmp_path, proxy.endpoint, demo) | {"CS_MAGIC_CATALOGUE": "bundled"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)  # the next kernel has them, too
        with started(tmp_path, variables) as kernel:
            manager = kernel.client.parent
            assert isinstance(manager, KernelManager)
            manager.shutdown_wait_time = TIMEOUT  # it is to end, not to be killed
            for n, end in enumerate((manager.restart_kernel, manager.shutdown_kernel)):
                kernel.run(f"{SIGNS_OFF}\nids = {ids!r}")
                assert kernel.run(f"z = {FIRST}") == []
                if what == "a Tab":  # a thread in the background reads what may stand there
                    kernel.client.complete(cell)
                else:
                    kernel.client.execute(cell.format(n=n))
                assert came.wait(TIMEOUT), "the call never came"
                end()
                assert (tmp_path / "work" / "ended").exists()
                (tmp_path / "work" / "ended").unlink()
                came.clear()
                if manager.has_kernel:
                    kernel.client.wait_for_ready(timeout=TIMEOUT)
                    assert kernel.run("%load_ext cs_magic") == []
    forms = [form for form in proxy.came if form["command"] in {"createTags", "login"}]
    sent = Counter((form.get("resourceids"), form.get("tags[0].key")) for form in forms)
    most = 2 if what == "a login" else 1  # one of each kernel
    assert max(sent.values(), default=0) <= most
    assert bool(sent) == (what not in {"a list", "a Tab"})
