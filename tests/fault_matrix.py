"""Faults × what is asked: what came of it, and whether anything was lost, doubled, or hung.

    python tests/fault_matrix.py            prints the table
    python tests/fault_matrix.py --readme   puts it into the README

Each fault is met once, by one request, and then by every request; the table says both.
"""

# ruff: noqa: E402 - as a program it has to say first where the other modules are

from __future__ import annotations

import os
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import trustme

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "api")]

from faults_planned import PAGE, PLANS, planned
from servers import Reply
from servers import serving as answering

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.credentials import KeyPair, Password
from cs_magic.api.profile import Profile
from cs_magic.api.transport import HttpTransport
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo, serving
from cs_magic.errors import CloudStackError, FateUnknown, Incomplete, TransportError

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- faults -->\n", "<!-- /faults -->\n"
TIMEOUT = 1.0  # seconds of silence
ASKED = ("list", "get", "write", "job", "login")
NUMBERS = count()
NEEDED = ("serviceofferingid", "zoneid", "templateid")


@dataclass
class Found:
    """What came of one call, as the person is told, and what was wrong with that."""

    said: str
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where a call goes: the endpoint, and what else differs from the usual."""

    endpoint: str
    settings: dict[str, Any] = field(default_factory=dict)
    skew: timedelta = timedelta()
    commands: Callable[[], list[str]] = list
    requests: Callable[[], int] = lambda: 10
    gone: Callable[[], set[str]] = set  # machines that were deleted meanwhile
    ended: int = 0  # sessions
    demo: Demo | None = None  # where it is one of its own
    timeout: float = TIMEOUT


def connected(demo: Demo, place: Place, asked: str) -> Connection:
    """A connection that waits for no pause, only for answers."""
    keys = KeyPair(demo.api_key, demo.secret_key, "HmacSHA1")
    who = Password(demo.username, demo.password, demo.domain) if asked == "login" else keys
    profile = Profile("test", place.endpoint, who, timeout=place.timeout, **place.settings)
    client = Client(
        profile,
        HttpTransport(profile),
        lambda: datetime.now(UTC) + place.skew,
        pause=lambda event, seconds: None,
    )
    return Connection(client, bundled())


@cache
def truth(demo: Demo) -> tuple[frozenset[str], str]:
    """The ids of all machines, and one that runs."""
    with connected(demo, Place(demo.endpoint, timeout=30), "list") as cloud:
        rows = cloud.call("listVirtualMachines", details="min")
    running = rows[(rows["state"] == "Running") & ~rows["name"].str.startswith("print-")]
    return frozenset(rows["id"]), str(running["id"].iloc[0])


def found(demo: Demo, place: Place, asked: str) -> Found:
    """Make one call, and hold what it says against what the server did."""
    demo = place.demo or demo
    everything, machine = truth(demo)
    mark = f"fault-{next(NUMBERS)}"
    calls: dict[str, Callable[[Connection], Any]] = {
        "list": lambda cloud: cloud.call("listVirtualMachines", details="min"),
        "get": lambda cloud: cloud.call("listVirtualMachines", id=machine),
        "write": lambda cloud: cloud.call("createSSHKeyPair", name=mark),
        "job": lambda cloud: cloud.call(
            "createTags", resourceids=machine, resourcetype="UserVm", tags={mark: "1"}
        ),
        "login": lambda cloud: cloud.call("listVirtualMachines", details="min"),
    }
    began = time.monotonic()
    with connected(demo, place, asked) as cloud:
        try:
            told: Any = calls[asked](cloud)
        except CloudStackError as error:
            told = error
    seconds = time.monotonic() - began
    wrong = _lost(told, everything - place.gone()) if asked in {"list", "login"} else []
    if asked in {"write", "job"}:
        wrong += _doubled(told, _arrived(demo, mark))
    if place.commands().count("login") > 1 + place.ended:
        wrong.append("a login was sent twice")
    if seconds > place.requests() * TIMEOUT + 1:
        wrong.append(f"it took {seconds:.1f} s")
    return Found(_word(told, asked), wrong)


def _word(told: Any, asked: str) -> str:
    if isinstance(told, Incomplete):
        return "incomplete"
    if isinstance(told, FateUnknown):
        return "fate unknown"
    if isinstance(told, TransportError) and not told.sent:
        return "not sent"
    if isinstance(told, CloudStackError):
        return "error"
    complete = told.attrs["cs"]["complete"]
    if complete is not True and asked not in {"write", "job"}:
        return "incomplete" if complete is False else "perhaps incomplete"
    return "done" if asked in {"write", "job"} else "whole"


def _lost(told: Any, everything: frozenset[str]) -> list[str]:
    rows = told.result if isinstance(told, Incomplete) else told
    if isinstance(rows, CloudStackError):
        return []
    ids = list(rows["id"])
    wrong = [] if len(ids) == len(set(ids)) else ["rows came twice"]
    says_whole = not isinstance(told, Incomplete) and rows.attrs["cs"]["complete"] is True
    if says_whole and not everything <= set(ids):
        wrong.append(f"{len(everything - set(ids))} rows were lost silently")
    return wrong


def _arrived(demo: Demo, mark: str) -> int:
    return sum(mark in change.arguments.values() for change in demo.jobs)


def _doubled(told: Any, arrived: int) -> list[str]:
    wrong = [f"it was sent {arrived} times"] if arrived > 1 else []
    if not isinstance(told, CloudStackError) and arrived != 1:
        wrong.append(f"it was called done, and arrived {arrived} times")
    if isinstance(told, TransportError) and not told.sent and arrived:
        wrong.append("it was called not sent, and arrived")
    return wrong


# -- where it goes wrong -------------------------------------------------------------------


@contextmanager
def on_the_way(demo: Demo, fault: str, asked: str, always: bool) -> Iterator[Place]:
    """A network where one request meets the fault, or every one."""
    at = WHERE.get(fault, b"page=2" if asked == "list" else b"")
    left = count()

    def which(number: int, request: bytes) -> bool:
        return at in request and (always or next(left) == 0)

    with planned(demo.endpoint, fault, which) as proxy:
        yield Place(
            proxy.endpoint,
            commands=lambda: proxy.sent_on,
            requests=lambda: len(proxy.met),
            ended=1 if "401" in fault or "session" in fault else 0,
        )


@contextmanager
def refused(demo: Demo) -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    yield Place(f"http://127.0.0.1:{port}/client/api")


@contextmanager
def no_such_name(demo: Demo) -> Iterator[Place]:
    yield Place("https://cloud.invalid/client/api")


@contextmanager
def skewed(demo: Demo, minutes: int) -> Iterator[Place]:
    yield Place(demo.endpoint, skew=timedelta(minutes=minutes))


@contextmanager
def shifting(demo: Demo, change: str) -> Iterator[Place]:
    """A cloud in which a machine goes, or comes, between the first page and the second."""
    with serving(machines=1_200, job_seconds=0) as own, ExitStack() as later:
        direct = later.enter_context(connected(own, Place(own.endpoint, timeout=30), "list"))
        rows = direct.call("listVirtualMachines")
        gone: set[str] = set()

        def which(number: int, request: bytes) -> bool:
            if b"page=2" not in request:
                return False
            if change == "deleted":
                gone.add(str(rows["id"].iloc[0]))
                direct.call("destroyVirtualMachine", id=rows["id"].iloc[0], expunge=True)
            else:
                like = {name: rows[name].iloc[0] for name in NEEDED}
                direct.call("deployVirtualMachine", name="new-one", **like)
            return False

        with planned(own.endpoint, "none", which) as proxy:
            yield Place(
                proxy.endpoint, requests=lambda: 20, gone=lambda: gone, demo=own, timeout=10
            )


@contextmanager
def somebody(demo: Demo, status: int, body: bytes, kind: str = "text/html") -> Iterator[Place]:
    reply = Reply(status, body, {"Content-Type": kind})
    with answering(lambda came: reply) as server:
        yield Place(server.endpoint, requests=lambda: len(server.came) + 1)


@contextmanager
def certified(demo: Demo, kind: str) -> Iterator[Place]:
    """A server whose certificate is not to be believed."""
    authority = trustme.CA()
    name = "other.example.com" if kind == "wrong name" else "127.0.0.1"
    yesterday = datetime.now(UTC) - timedelta(days=1)
    until = yesterday if kind == "expired" else yesterday + timedelta(days=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=until).configure_cert(context)
    with tempfile.TemporaryDirectory() as folder, answering(tls=context) as server:
        file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(file))
        settings = {} if kind == "unknown CA" else {"verify": str(file)}
        yield Place(server.endpoint, settings, commands=lambda: ["login"] * 2 * len(server.came))


@contextmanager
def behind_a_proxy(demo: Demo) -> Iterator[Place]:
    """A web proxy that wants a password, between us and the cloud."""
    with socket.create_server(("127.0.0.1", 0)) as listener, _proxied(listener):
        threading.Thread(target=_wants_a_password, args=(listener,), daemon=True).start()
        yield Place("https://cloud.example.com/client/api")
        listener.shutdown(socket.SHUT_RDWR)


def _wants_a_password(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b"Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")  # fmt: skip


@contextmanager
def _proxied(listener: socket.socket) -> Iterator[None]:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    before = os.environ.get("https_proxy")
    os.environ["https_proxy"] = address
    try:
        yield
    finally:
        os.environ.pop("https_proxy")
        if before is not None:
            os.environ["https_proxy"] = before


SHIFTS: dict[str, Callable[[Demo], Any]] = {
    "a row deleted while it is read": lambda demo: shifting(demo, "deleted"),
    "a row inserted while it is read": lambda demo: shifting(demo, "inserted"),
}
PLACES: dict[str, Callable[[Demo], Any]] = {
    **SHIFTS,
    "connection refused": refused,
    "no such host name": no_such_name,
    "clock 20 minutes behind": lambda demo: skewed(demo, -20),
    "clock 20 minutes ahead": lambda demo: skewed(demo, 20),
    "certificate of an unknown CA": lambda demo: certified(demo, "unknown CA"),
    "certificate of another name": lambda demo: certified(demo, "wrong name"),
    "certificate expired": lambda demo: certified(demo, "expired"),
    "a proxy that wants a password": behind_a_proxy,
    "not CloudStack: a web page": lambda demo: somebody(demo, 200, PAGE),
    "not CloudStack: other JSON": lambda demo: somebody(demo, 200, b"[1]", "application/json"),
    "no `/client/api` there": lambda demo: somebody(demo, 404, PAGE),
}
# The request that meets the fault, where it is not the call's first or a list's second page.
WHERE = {
    "job lost at a restart": b"queryAsyncJobResult",
    "session lost in the middle of a list": b"page=2",
    "a row of the page before": b"page=2",
}
# What some faults can happen to only; nobody waits for a job of a read.
OF = {
    "job lost at a restart": {"job"},
    "session lost in the middle of a list": {"login"},
    "a row of the page before": {"list", "login"},
    **{name: {"list", "login"} for name in SHIFTS},
}
CELLS = [
    (fault, asked)
    for fault in (*PLANS, *PLACES)
    for asked in ASKED
    if asked in OF.get(fault, ASKED)
]


def cell(demo: Demo, fault: str, asked: str) -> list[Found]:
    """What came of one cell of the table: met once, and always; or, at a place, just there."""
    if fault in PLACES:
        with PLACES[fault](demo) as place:
            return [found(demo, place, asked)]
    both = []
    for always in (False, True):
        with on_the_way(demo, fault, asked, always) as place:
            both.append(found(demo, place, asked))
    return both


@contextmanager
def cloud() -> Iterator[Demo]:
    """The demo cloud of the matrix: three pages of machines, and jobs that take no time."""
    with serving(machines=1_200, job_seconds=0) as demo:
        yield demo


def table(demo: Demo) -> tuple[str, list[str]]:
    """The matrix as Markdown, and everything that was wrong."""
    lines = [f"| fault | {' | '.join(ASKED)} |", "| --- |" + " --- |" * len(ASKED)]
    wrong: list[str] = []
    for fault in (*PLANS, *PLACES):
        said = []
        for asked in ASKED:
            if (fault, asked) not in CELLS:
                said.append("")
                continue
            results = cell(demo, fault, asked)
            said.append(" → ".join(dict.fromkeys(one.said for one in results)))
            wrong += [f"{fault}, {asked}: {why}" for one in results for why in one.wrong]
        lines.append(f"| {fault} | {' | '.join(said)} |")
    counts = {
        "rows lost silently": sum("lost silently" in one or "came twice" in one for one in wrong),
        "writes sent twice": sum("sent" in one or "arrived" in one for one in wrong),
        "hangs": sum("took" in one for one in wrong),
    }
    total = ", ".join(f"{name}: **{number}**" for name, number in counts.items())
    return "\n".join(lines) + f"\n\n{total}.\n", wrong


def main(words: list[str]) -> int:
    with cloud() as demo:
        text, wrong = table(demo)
    sys.stdout.write(text + "".join(f"{one}\n" for one in wrong))
    if "--readme" in words:
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(before + BEGIN + text + END + rest.partition(END)[2])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
