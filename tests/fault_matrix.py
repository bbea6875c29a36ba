"""Faults × what is asked: what came of it, and whether anything was lost, doubled, or hung.

    python tests/fault_matrix.py          prints the table, and what is not as it is to be
    python tests/fault_matrix.py --keep   keeps what it found as what is to be, also in the README

Each fault is met once, by one request, and then by every request; the table says both. What is
to be is `fault_outcomes.tsv`.
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
from collections import Counter
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

from faults_planned import PAGE, PLANS, POLLED, planned
from servers import Reply
from servers import serving as answering

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import ATTEMPTS, Client, Pause
from cs_magic.api.credentials import KeyPair, Password
from cs_magic.api.profile import Profile
from cs_magic.api.transport import WHOLE, HttpTransport
from cs_magic.api.values import Request, Response
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo, serving
from cs_magic.errors import CloudStackError, FateUnknown, Incomplete, StillRunning, TransportError

README = Path(__file__).parent.parent / "README.md"
OUTCOMES = Path(__file__).parent / "fault_outcomes.tsv"
BEGIN, END = "<!-- faults -->\n", "<!-- /faults -->\n"
TIMEOUT = 3.0  # seconds of silence, where nothing is silent
SHORT = 0.5  # where something is
ASKED = ("list", "get", "write", "job", "login")
NUMBERS = count()
NEEDED = ("serviceofferingid", "zoneid", "templateid")
# What is sent once, whatever comes of it, and how what is asked begins.
ONCE = ("createSSHKeyPair", "createTags", "login")
BEGINS = {"write": "createSSHKeyPair", "job": "createTags"}


@dataclass
class Found:
    """What came of one call, as the person is told, and what was wrong with that."""

    said: str
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    deadline: float = 0.0

    @property
    def late(self) -> bool:
        """Whether it took longer than it may."""
        return self.seconds > self.deadline + 1


@dataclass(frozen=True)
class Place:
    """Where a call goes: the endpoint, and what else differs from the usual."""

    endpoint: str
    settings: dict[str, Any] = field(default_factory=dict)
    skew: timedelta = timedelta()
    came: Callable[[], list[dict[str, str]]] = list  # the requests that came there, as forms
    elsewhere: Callable[[], int] = int  # those that came to where a redirect points
    gone: Callable[[], set[str]] = set  # machines that were deleted meanwhile
    ended: Callable[[], int] = int  # sessions
    demo: Demo | None = None  # where it is one of its own
    timeout: float = TIMEOUT
    whole: float = WHOLE
    waits: float = 0.0  # seconds that the server asks for, where they are waited
    password: bool = False

    def deadline(self, asked: str, polled: bool) -> float:
        """The longest that a call may take: its time-out, as often as it is tried."""
        reads = asked in {"list", "get"} or polled
        return (ATTEMPTS if reads else 1) * (min(self.timeout, self.whole) + self.waits)


class Counting(HttpTransport):
    """It counts what it is given to send, by command, whether that arrives or not."""

    def __init__(self, profile: Profile, whole: float) -> None:
        super().__init__(profile, whole)
        self.given: Counter[str] = Counter()

    def send(self, request: Request) -> Response:
        self.given[request.command] += 1
        return super().send(request)


def connected(demo: Demo, place: Place, asked: str) -> tuple[Connection, Counting]:
    """A connection that waits for no pause but one that is asked for, and what it sends by."""
    keys = KeyPair(demo.api_key, demo.secret_key, "HmacSHA1")
    by_password = asked == "login" or place.password
    who = Password(demo.username, demo.password, demo.domain) if by_password else keys
    profile = Profile("test", place.endpoint, who, timeout=place.timeout, **place.settings)
    transport = Counting(profile, place.whole)
    pause: Pause = threading.Event.wait if place.waits else lambda event, seconds: None
    client = Client(profile, transport, lambda: datetime.now(UTC) + place.skew, pause=pause)
    return Connection(client, bundled()), transport


@cache
def truth(demo: Demo) -> tuple[frozenset[str], str]:
    """The ids of all machines, and one that runs."""
    with connected(demo, Place(demo.endpoint, timeout=30), "list")[0] as cloud:
        rows = cloud.call("listVirtualMachines", details="min")
    running = rows[(rows["state"] == "Running") & ~rows["name"].str.startswith("print-")]
    return frozenset(rows["id"]), str(running["id"].iloc[0])


def found(demo: Demo, place: Place, asked: str, polled: bool = False) -> Found:
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
    cloud, transport = connected(demo, place, asked)
    with cloud:
        began = time.monotonic()
        try:
            told: Any = calls[asked](cloud)
        except CloudStackError as error:
            told = error
        seconds = time.monotonic() - began
    wrong = _lost(told, everything - place.gone()) if asked in {"list", "login"} else []
    wrong += _twice(place, transport, asked)
    if asked in BEGINS:
        wrong += _untrue(told, _arrived(demo, mark))
    if polled:
        wrong += _unnamed(told, place)
    result = Found(_word(told, asked), wrong, seconds, place.deadline(asked, polled))
    if asked == "get" and seconds < place.waits:
        wrong.append("it did not wait as the server asked")
    if result.late:
        wrong.append(f"it took {seconds:.1f} s, and may take {result.deadline:.1f}")
    return result


def _word(told: Any, asked: str) -> str:
    if isinstance(told, Incomplete):
        return "incomplete"
    if isinstance(told, StillRunning):
        return "goes on"
    if isinstance(told, FateUnknown):
        return "fate unknown"
    if isinstance(told, TransportError) and not told.sent:
        return "not sent"
    if isinstance(told, CloudStackError):
        return "error"
    complete = told.attrs["cs"]["complete"]
    if complete is not True and asked not in BEGINS:
        return "incomplete" if complete is False else "perhaps incomplete"
    return "done" if asked in BEGINS else "whole"


def _lost(told: Any, everything: frozenset[str]) -> list[str]:
    if isinstance(told, CloudStackError) or told.attrs["cs"]["complete"] is not True:
        return []
    ids = list(told["id"])
    wrong = [] if len(ids) == len(set(ids)) else ["rows came twice"]
    if not everything <= set(ids):
        wrong.append(f"{len(everything - set(ids))} rows were lost silently")
    return wrong


def _twice(place: Place, transport: Counting, asked: str) -> list[str]:
    """What was sent more often than once, by what we wanted to send and by what came there."""
    came = Counter(form.get("command", "") for form in place.came())
    wrong = []
    for command in (*ONCE, *(["CONNECT"] if asked in {*BEGINS, "login"} else [])):
        times = max(came[command], transport.given[command])
        if times > 1 + (place.ended() if command == "login" else 0):
            wrong.append(f"{command} was sent {times} times")
    if came[""] or place.elsewhere():
        wrong.append("it was sent to where a redirect pointed")
    return wrong


def _arrived(demo: Demo, mark: str) -> int:
    return sum(mark in change.arguments.values() for change in demo.jobs)


def _untrue(told: Any, arrived: int) -> list[str]:
    wrong = []
    if not isinstance(told, CloudStackError) and arrived != 1:
        wrong.append(f"it was called done, and arrived {arrived} times")
    if isinstance(told, TransportError) and not told.sent and arrived:
        wrong.append("it was called not sent, and arrived")
    return wrong


def _unnamed(told: Any, place: Place) -> list[str]:
    """Whoever can't be told how a job ended has to be told which it is."""
    [job] = {form["customjobid"] for form in place.came() if "customjobid" in form}
    text = "\n".join(told.lines()) if isinstance(told, CloudStackError) else job
    return [] if job in text else ["the job is not named"]


# -- where it goes wrong -------------------------------------------------------------------


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
            whole=SHORT if "never ends" in fault and "drip" in fault else WHOLE,
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


def words(results: list[Found]) -> str:
    """What a cell says: the fault met once → always, where that differs."""
    return " → ".join(dict.fromkeys(one.said for one in results))


@contextmanager
def cloud() -> Iterator[Demo]:
    """The demo cloud of the matrix: three pages of machines, and jobs that take no time."""
    with serving(machines=1_200, job_seconds=0) as demo:
        yield demo


# -- the table -----------------------------------------------------------------------------


def expected() -> dict[tuple[str, str], str]:
    """What is to come of each cell."""
    first, *lines = (line.split("\t") for line in OUTCOMES.read_text("utf-8").splitlines())
    cells = {
        (fault, asked): word
        for fault, *said in lines
        for asked, word in zip(first[1:], said, strict=True)
    }
    return {cell: word for cell, word in cells.items() if word}


def markdown(outcomes: dict[tuple[str, str], str]) -> str:
    """The table as the README has it; what it counts is what `make faults` and the tests hold."""
    rows = [["fault", *ASKED], ["---"] * (1 + len(ASKED))]
    rows += [[fault, *(outcomes.get((fault, asked), "") for asked in ASKED)] for fault in FAULTS]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"{lines}\n{_totals([])}\n"


def _totals(wrong: list[str]) -> str:
    counts = {
        "rows lost silently": sum("lost silently" in one or "came twice" in one for one in wrong),
        "writes sent twice": sum(" times" in one for one in wrong),
        "hangs": sum("it took" in one for one in wrong),
    }
    return ", ".join(f"{name}: **{number}**" for name, number in counts.items()) + "."


def _keep(outcomes: dict[tuple[str, str], str]) -> None:
    rows = [["fault", *ASKED]]
    rows += [[fault, *(outcomes.get((fault, asked), "") for asked in ASKED)] for fault in FAULTS]
    OUTCOMES.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    text = before + BEGIN + markdown(outcomes) + END + rest.partition(END)[2]
    README.write_text(text, "utf-8")


def main(options: list[str]) -> int:
    outcomes: dict[tuple[str, str], str] = {}
    wrong: list[str] = []
    longest = (0.0, "")
    with cloud() as demo:
        for fault, asked in CELLS:
            results = cell(demo, fault, asked)
            outcomes[fault, asked] = words(results)
            wrong += [f"{fault}, {asked}: {why}" for one in results for why in one.wrong]
            longest = max(longest, *((one.seconds, f"{fault}, {asked}") for one in results))
    if "--keep" in options:
        _keep(outcomes)
    other = [
        f"{' × '.join(which)}: {word}, not {expected().get(which, '')}"
        for which, word in outcomes.items()
        if word != expected().get(which)
    ]
    text = markdown(outcomes).replace(_totals([]), _totals(wrong))
    text += f"\nThe longest took {longest[0]:.1f} s: {longest[1]}.\n"
    sys.stdout.write(text + "".join(f"{one}\n" for one in wrong + other))
    return 1 if wrong or other else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
