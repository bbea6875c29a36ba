"""One call at a place where something goes wrong: what is said, held against what was done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import ATTEMPTS, Client, Pause
from cs_magic.api.credentials import KeyPair, Password
from cs_magic.api.profile import Profile
from cs_magic.api.transport import WHOLE, HttpTransport
from cs_magic.api.values import Request, Response
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo
from cs_magic.errors import CloudStackError, FateUnknown, Incomplete, StillRunning, TransportError

TIMEOUT = 3.0  # seconds of silence, where nothing is silent
SHORT = 0.5  # where something is
ASKED = ("list", "get", "write", "job", "login")
NUMBERS = count()
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
        if place.password and asked != "login":
            cloud.call("listCapabilities")  # a session that is lost has been there
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
