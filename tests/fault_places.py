"""The places where something goes wrong, and which call meets what there."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import trustme
from api.servers import Reply
from api.servers import serving as answering
from fault_calls import ASKED, BEGINS, SHORT, TIMEOUT, Found, Place, connected, found, truth
from faults_planned import PAGE, PLANS, POLLED, planned

from cs_magic.api.transport import WHOLE
from cs_magic.demo.server import Demo, serving

NEEDED = ("serviceofferingid", "zoneid", "templateid")


@contextmanager
def on_the_way(demo: Demo, fault: str, asked: str, always: bool) -> Iterator[Place]:
    """A network where one request meets the fault, or every one."""
    at = _where(fault, asked)
    left = count()
    silent = fault.startswith("stall")

    def which(number: int, request: bytes) -> bool:
        return at in request and (always or next(left) == 0)

    with ExitStack() as opened:
        elsewhere = opened.enter_context(answering())
        there = elsewhere.endpoint.replace("127.0.0.1", "localhost")  # another host
        tls, settings = None, dict(SETTINGS.get(fault, {}))
        if "TLS" in fault:
            tls, settings["verify"] = opened.enter_context(trusted())
        proxy = opened.enter_context(planned(demo.endpoint, fault, which, elsewhere=there, tls=tls))
        yield Place(
            proxy.endpoint,
            settings,
            came=lambda: proxy.came,
            elsewhere=lambda: len(elsewhere.came),
            ended=lambda: proxy.sessions_lost,
            timeout=SHORT if silent else TIMEOUT,
            whole=0.3 if fault == "slow drip that never ends" else WHOLE,
            waits=1.0 if "waited for" in fault else 0.0,
            password=fault.startswith("session lost"),
        )


def _where(fault: str, asked: str) -> bytes:
    """What the request holds that meets the fault: the call's own, or that of a second page."""
    if fault in WHERE:
        return WHERE[fault]
    if fault.endswith(POLLED):
        return b"command=queryAsyncJobResult"
    if asked == "list":
        return b"page=2"
    commands = {**BEGINS, "get": "listVirtualMachines"}
    return b"command=" + commands.get(asked, "").encode()


@contextmanager
def trusted(name: str = "127.0.0.1", **how: Any) -> Iterator[tuple[ssl.SSLContext, str]]:
    """What a server shows, and the file of the authority that signed it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **how).configure_cert(context)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(file))
        yield context, str(file)


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
    with planned(demo.endpoint, "none", lambda number, request: False) as proxy:
        yield Place(proxy.endpoint, skew=timedelta(minutes=minutes), came=lambda: proxy.came)


@contextmanager
def shifting(demo: Demo, *changes: str) -> Iterator[Place]:
    """A cloud in which a machine goes, or comes, between the first page and the second."""
    with serving(machines=1_200, job_seconds=0) as own, ExitStack() as later:
        direct = later.enter_context(connected(own, Place(own.endpoint, timeout=30), "list")[0])
        rows = direct.call("listVirtualMachines")
        gone: set[str] = set()

        def which(number: int, request: bytes) -> bool:
            if b"page=2" not in request:
                return False
            if "deleted" in changes:
                gone.add(str(rows["id"].iloc[0]))
                direct.call("destroyVirtualMachine", id=rows["id"].iloc[0], expunge=True)
            if "inserted" in changes:
                like = {name: rows[name].iloc[0] for name in NEEDED}
                direct.call("deployVirtualMachine", name="new-one", **like)
            return False

        truth(own)
        with planned(own.endpoint, "none", which) as proxy:
            yield Place(
                proxy.endpoint,
                {"workers": 1},  # else another page is asked for in the middle of the change
                came=lambda: proxy.came,
                gone=lambda: gone,
                demo=own,
                timeout=10,
            )


@contextmanager
def somebody(demo: Demo, status: int, body: bytes, kind: str = "text/html") -> Iterator[Place]:
    reply = Reply(status, body, {"Content-Type": kind})
    with answering(lambda came: reply) as server:
        yield Place(server.endpoint, came=lambda: [dict(one.form) for one in server.came])


@contextmanager
def certified(demo: Demo, kind: str) -> Iterator[Place]:
    """A server whose certificate is not to be believed."""
    name = "other.example.com" if kind == "wrong name" else "127.0.0.1"
    yesterday = datetime.now(UTC) - timedelta(days=1)
    until = yesterday if kind == "expired" else yesterday + timedelta(days=30)
    with trusted(name, not_after=until) as (context, file), answering(tls=context) as server:
        settings = {} if kind == "unknown CA" else {"verify": file}
        yield Place(server.endpoint, settings, elsewhere=lambda: len(server.came))


@contextmanager
def downgraded(demo: Demo) -> Iterator[Place]:
    """A server with a good certificate that sends everybody on to plain HTTP."""
    with answering() as plain, trusted() as (context, file):
        away = Reply(307, b"", {"Location": plain.endpoint})
        with answering(lambda came: away, tls=context) as server:
            yield Place(
                server.endpoint,
                {"verify": file},
                came=lambda: [dict(one.form) for one in server.came],
                elsewhere=lambda: len(plain.came),
            )


@contextmanager
def behind_a_proxy(demo: Demo) -> Iterator[Place]:
    """A web proxy that wants a password, between us and the cloud."""
    came: list[dict[str, str]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, _proxied(listener):
        threading.Thread(target=_wants_a_password, args=(listener, came), daemon=True).start()
        yield Place("https://cloud.example.com/client/api", came=lambda: came)
        listener.shutdown(socket.SHUT_RDWR)


def _wants_a_password(listener: socket.socket, came: list[dict[str, str]]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            came.append({"command": client.recv(65536).partition(b" ")[0].decode()})
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
    "sent on from HTTPS to HTTP": downgraded,
    "a proxy that wants a password": behind_a_proxy,
    "not CloudStack: a web page": lambda demo: somebody(demo, 200, PAGE),
    "not CloudStack: other JSON": lambda demo: somebody(demo, 200, b"[1]", "application/json"),
    "no `/client/api` there": lambda demo: somebody(demo, 404, PAGE),
}
# The request that meets the fault, where it is not the call's own or a list's second page.
WHERE = {
    "job lost at a restart": b"command=queryAsyncJobResult",
    "job that never ends": b"command=queryAsyncJobResult",
    "session lost in the middle of a list": b"page=2",
    "a row of the page before": b"page=2",
    "a row twice on a page": b"page=2",
}
SETTINGS: dict[str, dict[str, Any]] = {"job that never ends": {"job_timeout": 0.2}}
# What some faults can happen to only; nobody waits for a job of a read.
OF = {
    "job lost at a restart": {"job"},
    "job that never ends": {"job"},
    "429, Retry-After, waited for": {"get", "write"},
    "session lost": {"get", "write", "job"},
    "session lost in the middle of a list": {"login"},
    "a row of the page before": {"list", "login"},
    "a row twice on a page": {"list", "login"},
    **{name: {"list", "login"} for name in SHIFTS},
    **{name: {"job"} for name in PLANS if name.endswith(POLLED)},
}
FAULTS = (*PLANS, *PLACES)
CELLS = [(fault, asked) for fault in FAULTS for asked in ASKED if asked in OF.get(fault, ASKED)]


def cell(demo: Demo, fault: str, asked: str) -> list[Found]:
    """What came of one cell of the table: met once, and always; or, at a place, just there."""
    if fault in PLACES:
        with PLACES[fault](demo) as place:
            return [found(demo, place, asked)]
    polled = asked == "job" and b"queryAsync" in _where(fault, asked)
    both = []
    for always in (False, True):
        with on_the_way(demo, fault, asked, always) as place:
            both.append(found(demo, place, asked, polled))
    return both
