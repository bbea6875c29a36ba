"""One call → one payload: authorize, send, read; what may be tried again, is.

Only reads are tried again, signed anew each time. A state-changing call is sent once;
where its answer is lost, the error says that its fate is unknown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from cs_magic.api import envelope
from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile, check_scheme
from cs_magic.api.transport import Transport
from cs_magic.api.values import Call, Payload, Request, Response
from cs_magic.errors import CloudStackError, FateUnknown, TransportError, Unauthorized

ATTEMPTS = 5
LONGEST_PAUSE = 60.0
_backoff = wait_random_exponential(multiplier=0.5, max=15)

# Signed as if it were so many minutes later, and what it means when that is accepted.
_CLOCKS = (
    (0, "right"),
    (20, "up to 20 minutes behind the server's"),
    (24 * 60, "far behind the server's"),
    (-20, "up to 20 minutes ahead of the server's"),
    (-24 * 60, "far ahead of the server's"),
)

Pause = Callable[[threading.Event, float], Any]


class _Again(Exception):
    """A read that may be tried again, after so many seconds where the server said how long."""

    def __init__(self, problem: CloudStackError, seconds: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.seconds = seconds


@dataclass
class Client:
    """Everything needed to ask one endpoint; safe to use from several threads.

    `clock` gives the time of day (UTC) for signatures; `pause` waits so many seconds, or
    until the event is set; `pagesize` is the server's own, once it is known.
    """

    profile: Profile
    transport: Transport
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Pause = threading.Event.wait
    pagesize: int | None = None
    _not_before: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _settled: bool = False
    _proven: KeyPair | None = None

    def exchange(
        self, call: Call, *, is_read: bool, stop: threading.Event | None = None
    ) -> Payload:
        """What the server answers to the call.

        Args:
            is_read: the call changes nothing, so it may be sent again.
            stop: once it is set, a read is not sent again.

        Raises:
            ApiError: CloudStack refused.
            TransportError: no usable answer; FateUnknown where a state-changing call
                may have been carried out.
            Refused: plain HTTP to another machine.
        """
        check_scheme(self.profile)
        if not is_read:
            return self._once(call)
        stop = stop or threading.Event()
        try:
            payload = self._read(call, stop)
        except Unauthorized as error:
            refused = error
        else:
            self._settled = True
            return payload
        if self._wants_sha512():
            return self._read(call, stop)
        raise refused

    def clock_probe(self) -> str:
        """Why signed calls may be refused: whether this machine's clock is the reason.

        CloudStack tells no time, so one harmless read is signed with a later and an
        earlier `expires`: an accepted one says which way the clock is off.
        """
        keys, now = self._proven or self.profile.credentials, self.clock()
        shown = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        for minutes, verdict in _CLOCKS:
            if self._accepts(keys, now + timedelta(minutes=minutes)):
                return f"{shown} on this machine: {verdict}"
        return f"{shown} on this machine: not the reason, rather the key, its secret, or access"

    def _accepts(self, keys: KeyPair, now: datetime) -> bool:
        request = keys.authorize(Call("listCapabilities"), self.profile.endpoint, now)
        try:
            envelope.read(request.command, self.transport.send(changed(request, is_read=True)))
        except CloudStackError:
            return False
        return True

    def _read(self, call: Call, stop: threading.Event) -> Payload:
        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=_seconds,
            retry=retry_if_exception_type(_Again),
            sleep=partial(self.pause, stop),
            reraise=True,
        )
        try:
            return attempts(self._try, call, stop)
        except _Again as again:
            problem = again.problem
        raise problem

    def _wants_sha512(self) -> bool:
        """Whether the server takes SHA-512 and no SHA-1: asked once, by one harmless read.

        Only where the profile leaves the algorithm open and no call was accepted yet.
        """
        keys = self.profile.credentials
        with self._lock:
            if self._settled or keys.algorithm != "auto":
                return False
            self._settled = True
        stronger = changed(keys, algorithm="HmacSHA512")
        if self._accepts(stronger, self.clock()):
            self._proven = stronger
        return self._proven is not None

    def _once(self, call: Call) -> Payload:
        request = self._request(call, is_read=False)
        try:
            response = self.transport.send(request)
            return envelope.read(call.command, response)
        except TransportError as error:
            problem: TransportError = _fate(call, error) if error.sent else error
        raise problem

    def _try(self, call: Call, stop: threading.Event) -> Payload:
        delay = self._not_before - time.monotonic()
        if delay > 0:
            self.pause(stop, delay)
        if stop.is_set():
            raise TransportError(f"{call.command} is no longer wanted", sent=False)
        try:
            response = self.transport.send(self._request(call, is_read=True))
        except TransportError as error:
            raise _Again(error) from None
        if response.status == 429:
            self._hold(envelope.retry_seconds(response))
        if not _may_be_tried_again(response):
            return envelope.read(call.command, response)
        try:
            return envelope.read(call.command, response)
        except CloudStackError as error:
            raise _Again(error, envelope.retry_seconds(response)) from None

    def _hold(self, seconds: float | None) -> None:
        """Every worker of this endpoint waits, not only the one that was refused."""
        with self._lock:
            until = time.monotonic() + min(seconds or 1.0, LONGEST_PAUSE)
            self._not_before = max(self._not_before, until)

    def _request(self, call: Call, *, is_read: bool) -> Request:
        credentials = self._proven or self.profile.credentials
        request = credentials.authorize(call, self.profile.endpoint, self.clock())
        method = "GET" if is_read and self.profile.method == "get" else "POST"
        return changed(request, method=method, is_read=is_read)


def _may_be_tried_again(response: Response) -> bool:
    blank = response.status == 200 and not response.body.strip()
    return blank or response.status in {429, 502, 503, 504}


def _seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, _Again) else None
    return min(asked, LONGEST_PAUSE) if asked is not None else _backoff(state)


def _fate(call: Call, error: TransportError) -> FateUnknown:
    job = call.given("customjobid")
    return FateUnknown(
        f"{call.command} was sent and its answer was lost: it may have been carried out",
        f"{error}",
        f"Its job would be {job}."
        if job
        else "Look at the list of what it changes before sending it again.",
    )
