"""One call → one payload: authorize, send, read; what may be tried again, is.

Only reads are tried again, signed anew each time. A state-changing call is sent once;
where its answer is lost, the error says that its fate is unknown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from cs_magic.api import envelope
from cs_magic.api.access import Access
from cs_magic.api.credentials import Session
from cs_magic.api.gate import LONGEST_PAUSE, Gate
from cs_magic.api.profile import Profile, check_scheme
from cs_magic.api.traces import fate
from cs_magic.api.transport import Transport
from cs_magic.api.values import Call, Payload, Request, Response
from cs_magic.errors import (
    ApiError,
    CloudStackError,
    SignInNeeded,
    TransportError,
    Unauthorized,
)

ATTEMPTS = 5
_backoff = wait_random_exponential(multiplier=0.5, max=15)

Read = Callable[[str, Response], Payload]
Pause = Callable[[threading.Event, float], Any]
Sending = Callable[[Call], None]
_SAME_PAUSE = 0.001  # seconds: two readings of the clock lie between


class _Again(Exception):
    """A read that may be tried again, after so many seconds where the server said how long."""

    def __init__(self, problem: CloudStackError, seconds: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.seconds = seconds


class TurnedAway(TransportError):
    """A state-changing call that the server put off (429) before CloudStack had it."""


class Unwanted(TransportError):
    """A call whose turn came when nobody wanted it any more; it was not sent."""

    def __init__(self, call: Call) -> None:
        super().__init__(f"{call.command} is no longer wanted", sent=False)


def _paused(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


@dataclass
class Client:
    """Everything needed to ask one endpoint; safe to use from several threads.

    `clock` gives the time of day (UTC) for signatures; `pause` waits so many seconds, or
    until the event is set; `pagesize` is the server's own, once it is known; `gate` is what
    all clients of the endpoint share.
    """

    profile: Profile
    transport: Transport
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Pause = _paused
    pagesize: int | None = None
    gate: Gate = field(default_factory=Gate)

    def __post_init__(self) -> None:
        self.access = Access(self.profile, self.transport, self.clock)

    def exchange(
        self,
        call: Call,
        *,
        is_read: bool,
        stop: threading.Event | None = None,
        attempts: int = ATTEMPTS,
        read: Read = envelope.read,
        sending: Sending | None = None,
        foreground: bool | None = None,
        beside: bool = False,
    ) -> Payload:
        """What the server answers to the call.

        Args:
            is_read: the call changes nothing, so it may be sent again.
            stop: once it is set, nothing is sent any more, nor again. Given by threads that
                work for the person's own: they don't sign in.
            attempts: how often a read is sent at most.
            read: what makes a payload of the answer to a read.
            sending: told of a state-changing call when its turn has come, just before it is
                sent; what it raises keeps it from being sent.
            foreground: this is the person's own thread, whatever `stop` is.
            beside: another call is under way, and finds out whether the session has ended:
                a 401 says nothing of that here.

        Raises:
            ApiError: CloudStack refused.
            SignInNeeded: nobody signed in yet, or the session has ended.
            TransportError: no usable answer; FateUnknown where a state-changing call
                may have been carried out.
            Refused: plain HTTP to another machine.
        """
        check_scheme(self.profile)
        foreground, used = foreground or stop is None, self.access.used()
        stop = stop or threading.Event()
        try:
            payload = (
                self._read(call, stop, foreground, attempts, read)
                if is_read
                else self._once(call, stop, foreground, sending)
            )
        except ApiError as error:
            refused = error
        else:
            self.access.accepted()
            return payload
        if beside and isinstance(used, Session):
            raise refused
        again = is_read and isinstance(refused, Unauthorized)
        if again and self.access.another_way(used, foreground=foreground):
            return self._read(call, stop, foreground, attempts, read)
        raise self.access.explained(refused, used)

    @property
    def held(self) -> float:
        """How many seconds are left of the pause that the server asked for; 0 or less for none."""
        return self.gate.held

    def glance(self, call: Call) -> Payload:
        """What the server answers to a read nobody waits for: sent once, and never signs in.

        Raises:
            SignInNeeded: no call was accepted yet, or the session is gone.
            ApiError, TransportError: nothing came of it, or the server asked for a pause.
        """
        check_scheme(self.profile)
        if self.held > 0:
            raise TransportError(f"{self.profile.host} asked for a pause", sent=False)
        if not self.access.stands:
            raise SignInNeeded(f"Nobody has called {self.profile.host} yet")
        request = self.access.request(call, is_read=True, foreground=False)
        return envelope.read(call.command, self._send(call, request, threading.Event(), 0.0))

    def _read(
        self, call: Call, stop: threading.Event, foreground: bool, most: int, read: Read
    ) -> Payload:
        attempts = Retrying(
            stop=stop_after_attempt(most),
            wait=_seconds,
            retry=retry_if_exception_type(_Again),
            sleep=partial(self.pause, stop),
            reraise=True,
        )
        try:
            return attempts(self._try, call, stop, foreground, read)
        except _Again as again:
            problem = again.problem
        raise problem

    def _once(
        self, call: Call, stop: threading.Event, foreground: bool, sending: Sending | None
    ) -> Payload:
        waited = self._wait(stop)
        request = self.access.request(call, is_read=False, foreground=foreground)
        try:
            with self._turn(call, stop, waited):
                if sending is not None:
                    sending(call)
                with _told_how_to_find(call):
                    response = self._sent(call, request, stop)
            return _answer_to_a_write(call, response)
        except TransportError as error:
            problem = fate(call, error) if error.sent else error
        raise problem

    def _try(self, call: Call, stop: threading.Event, foreground: bool, read: Read) -> Payload:
        waited = self._wait(stop)
        if stop.is_set():
            raise Unwanted(call)
        # It may sign in, and that is sent once.
        request = self.access.request(call, is_read=True, foreground=foreground)
        try:
            response = self._send(call, request, stop, waited)
        except TransportError as error:
            if not error.passing or isinstance(error, Unwanted):
                raise
            raise _Again(error) from None
        if not _may_be_tried_again(response):
            return read(call.command, response)
        try:
            return read(call.command, response)
        except CloudStackError as error:
            raise _Again(error, envelope.retry_seconds(response)) from None

    def _send(self, call: Call, request: Request, stop: threading.Event, waited: float) -> Response:
        """The answer to a request that waited for its turn; no more than the server copes with."""
        with self._turn(call, stop, waited):
            return self._sent(call, request, stop)

    def _sent(self, call: Call, request: Request, stop: threading.Event) -> Response:
        began = time.monotonic()
        try:
            response = self.transport.send(request)
        except TransportError as error:
            if error.sent and error.passing and not stop.is_set():
                self.gate.refused()  # it didn't answer in time, or broke off
            raise
        if response.status in {429, 503, 504}:
            self.gate.refused()
        elif response.status == 200:  # a refusal's time tells nothing of a page's
            self.gate.answered(_but_for_the_page(call), time.monotonic() - began)
        if response.status == 429:  # every worker of this endpoint waits, not only this one
            self.gate.hold(envelope.retry_seconds(response))
        return response

    @contextmanager
    def _turn(self, call: Call, stop: threading.Event, waited: float) -> Iterator[None]:
        """Wait for a turn at a server that takes calls: a pause may begin while one waits.

        Args:
            waited: the end of the last pause that was waited for.

        Raises:
            Unwanted: `stop` was set before the turn came.
        """
        while True:
            with self.gate.turn(self.profile.workers, stop):
                if stop.is_set():
                    raise Unwanted(call)
                if self.held <= 0 or self._paused_until() <= waited + _SAME_PAUSE:
                    yield
                    return
            waited = self._wait(stop)

    def _wait(self, stop: threading.Event) -> float:
        """Wait until the server takes calls again; the end of that pause."""
        until, delay = self._paused_until(), self.held
        if delay > 0:
            self.pause(stop, delay)
        return until

    def _paused_until(self) -> float:
        """The end of the pause that the server asked for last."""
        return time.monotonic() + self.held


@contextmanager
def _told_how_to_find(call: Call) -> Iterator[None]:
    """Who interrupts a state-changing call under way is told that it may be carried out."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        lost = fate(call, TransportError("It was interrupted"))
        stopped.add_note("\n".join((lost.message, *lost.hints)))
        raise


def _but_for_the_page(call: Call) -> Call:
    kept = (pair for pair in call.arguments if pair[0].lower() != "page")
    return Call(call.command, tuple(kept))


def _may_be_tried_again(response: Response) -> bool:
    blank = response.status == 200 and not response.body.strip()
    return blank or response.status in {429, 502, 503, 504}


def _seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, _Again) else None
    return min(asked, LONGEST_PAUSE) if asked is not None else _backoff(state)


def _answer_to_a_write(call: Call, response: Response) -> Payload:
    """What the answer to a state-changing call says, where CloudStack said it.

    Raises:
        TransportError: somebody else answered; `sent` is False where that was before
            CloudStack had the call.
    """
    try:
        return envelope.read(call.command, response)
    except CloudStackError as error:
        problem = error
    by_cloudstack = isinstance(problem, ApiError) and envelope.holds_refusal(response)
    if response.status == 429 and not by_cloudstack:
        raise TurnedAway("HTTP 429: too many calls, this one was turned away", sent=False)
    if response.status >= 500 and not by_cloudstack:
        raise TransportError(f"HTTP {response.status}, which CloudStack did not say")
    raise problem
