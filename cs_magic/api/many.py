"""Many calls: some under way at a time, their jobs asked after together by a few threads.

Each is sent at most once. Only a call that the server put off (429) waits for its turn
again: it was not carried out.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from cs_magic.api.client import Client, Sending, TurnedAway, Unwanted
from cs_magic.api.job import Job, answer
from cs_magic.api.jobs import FORGOTTEN, Watcher, ask, interval
from cs_magic.api.traces import TRACE
from cs_magic.api.until import Until
from cs_magic.api.values import Call, JobReply, Payload
from cs_magic.errors import (
    ApiError,
    CloudStackError,
    FateUnknown,
    Refused,
    SignInNeeded,
    TransportError,
)

NOT_SENT, SENDING, RUNNING = "not sent", "sending", "still running"
DONE, FAILED, UNKNOWN = "done", "failed", "unknown"
THREADS = 8
_GRACE = 0.5  # how long those who stop wait for what is being sent
_LOOK = 0.2
_PATIENCE = 0.02
_LATE = "sent, and its answer was not waited for: it may have been carried out"
_NEVER = 1e9  # seconds

# Sends one call: the answer, or the error that it is. Once the event is set nothing is sent
# any more; what is told of each sending may raise, and then it isn't sent.
Send = Callable[[Call, threading.Event, Sending], Payload]


@dataclass(slots=True)
class Outcome:
    """What came of one call; `answer` is what was answered, where anything is kept of it."""

    state: str = NOT_SENT
    jobid: str = ""
    error: str = ""
    seconds: float | None = None
    created: str = ""
    answer: Payload | None = field(default=None, repr=False)
    began: float = 0.0
    asked: int = 0


class Many:
    """Calls on their way; leaving the `with` ends it all, and `outcomes` says how far it came.

    Args:
        send: sends one call, from any of the threads.
        keep: what is kept of an answer; it may be None.
        workers: how many calls are under way at a time, their jobs included.
        timeout: how many seconds a job is waited for; then it is "still running". With 0
            no job is asked after.
    """

    def __init__(
        self,
        client: Client,
        calls: Sequence[Call],
        send: Send,
        keep: Callable[[Payload], Payload | None],
        workers: int,
        timeout: float | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self.outcomes = [Outcome() for _ in calls]
        self._client, self._calls, self._send, self._keep = client, calls, send, keep
        self._workers, self._timeout = workers, timeout
        self._watcher = watcher or Watcher()
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._next = self._under_way = self._over = 0
        self._again: list[int] = []
        self._due: list[tuple[float, int]] = []
        self._reading: dict[int, Until] = {}
        self._threads = [
            threading.Thread(target=self._work, name="cs_magic calls", daemon=True)
            for _ in range(min(workers, THREADS, len(calls)))
        ]

    def __enter__(self) -> Many:
        try:
            for thread in self._threads:
                thread.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Send nothing more; what is being sent has a moment left, and is never cut."""
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
        end = time.monotonic() + _GRACE
        while time.monotonic() < end and any(one.is_alive() for one in self._threads):
            with self._changed:
                reading = set(self._reading)
            self._client.transport.interrupt(reading)
            for thread in self._threads:
                if thread.is_alive():  # one that was never started can't be waited for
                    thread.join(_PATIENCE)
        with self._changed:
            for index, outcome in enumerate(self.outcomes):
                if outcome.state == SENDING:
                    outcome.state, outcome.error = UNKNOWN, _LATE
                    outcome.jobid = self._calls[index].given(TRACE) or ""

    def wait(self) -> None:
        """Until every call has its outcome, or something stops them all; tells the counts."""
        told = -1.0
        while not self._ended():
            with self._changed:
                self._changed.wait_for(self._ended, timeout=_LOOK)
            self._cut_what_takes_too_long()
            if time.monotonic() - told >= _LOOK or self._ended():
                told = time.monotonic()
                self._watcher.counted(self.counts())

    def _cut_what_takes_too_long(self) -> None:
        with self._changed:
            late = {ident for ident, until in self._reading.items() if until.is_set()}
            if late:  # and no other exchange of these threads: they leave it with this lock
                self._client.transport.interrupt(late)

    def counts(self) -> Mapping[str, int]:
        """How many calls have which outcome right now."""
        return Counter(outcome.state for outcome in self.outcomes)

    # -- the threads -----------------------------------------------------------

    def _ended(self) -> bool:
        return self._over == len(self.outcomes) or self._stop.is_set()

    def _work(self) -> None:
        while (task := self._take()) is not None:
            index, is_new = task
            try:
                if is_new:
                    self._begin(index)
                else:
                    self._look(index)
            except Exception as error:  # noqa: BLE001 - a thread that dies would leave its call behind
                self._close(index, UNKNOWN, f"{type(error).__name__} here, not at the server")

    def _take(self) -> tuple[int, bool] | None:
        """A job that is due, or else the next call: its index and whether it is to be sent."""
        with self._changed:
            while not self._ended():
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    index = heapq.heappop(self._due)[1]
                    self._reading[threading.get_ident()] = self._until(self.outcomes[index])
                    return index, False
                held = self._client.held
                more = self._again or self._next < len(self._calls)
                may = bool(more) and self._under_way < self._workers
                if may and held <= 0:
                    return self._next_call(), True
                times = [due - now for due, _ in self._due[:1]] + ([held] if may else [])
                self._changed.wait(min(times) if times else None)
            return None

    def _next_call(self) -> int:
        if self._again:
            index = self._again.pop()
        else:
            index, self._next = self._next, self._next + 1
        self._under_way += 1
        return index

    def _goes(self, index: int) -> None:
        """A call is sent now; whoever ended all this before has it not sent."""
        call, outcome = self._calls[index], self.outcomes[index]
        with self._changed:
            if self._stop.is_set():
                raise Unwanted(call)
            outcome.state, outcome.began = SENDING, outcome.began or time.monotonic()
        self._watcher.sends(call)

    def _begin(self, index: int) -> None:
        """Send a call."""
        call = self._calls[index]
        try:
            payload = self._send(call, self._stop, lambda _: self._goes(index))
        except Unwanted:
            return  # it stays as it is, not sent, and nothing goes on
        except FateUnknown as error:
            self._close(index, UNKNOWN, str(error))
        except (SignInNeeded, Refused) as error:
            self._close(index, NOT_SENT, str(error))
            self._end()  # so will all others be
        except ApiError as error:
            if error.errorcode == 429:
                self._wait_its_turn(index)
            else:
                self._close(index, FAILED, error.errortext)
        except TurnedAway:
            self._wait_its_turn(index)
        except TransportError as error:
            self._close(index, FAILED if error.sent else NOT_SENT, str(error))
        except CloudStackError as error:
            self._close(index, FAILED, str(error))
        else:
            if isinstance(payload, JobReply):
                self._started(index, call, payload)
            else:
                self._close(index, DONE, kept=self._keep(payload))

    def _started(self, index: int, call: Call, reply: JobReply) -> None:
        self._watcher.began(call, reply.jobid)
        outcome = self.outcomes[index]
        with self._changed:
            outcome.state, outcome.jobid = RUNNING, reply.jobid
            outcome.created = reply.id or ""
        if self._timeout == 0:
            self._close(index, RUNNING)
        else:
            self._ask_later(index)

    def _wait_its_turn(self, index: int) -> None:
        self._watcher.dropped(self._calls[index])
        with self._changed:
            self.outcomes[index].state = NOT_SENT
            self._under_way -= 1
            self._again.append(index)
            self._changed.notify_all()

    def _ask_later(self, index: int) -> None:
        outcome = self.outcomes[index]
        with self._changed:
            pause = interval(outcome.asked, self._under_way)
            outcome.asked += 1
            pause = min(pause, self._until(outcome).left)
            heapq.heappush(self._due, (time.monotonic() + pause, index))
            self._changed.notify_all()

    def _look(self, index: int) -> None:
        """Ask after a job."""
        outcome, until = self.outcomes[index], self._reading[threading.get_ident()]
        try:
            job = ask(self._client, outcome.jobid, until)
            if job.over:
                self._job_over(index, job)
                return
        except (ApiError, SignInNeeded, TransportError) as error:
            if self._stop.is_set():
                return
            if not until.is_set() or not isinstance(error, TransportError):
                self._not_asked(index, error)
                return
        finally:
            with self._changed:
                del self._reading[threading.get_ident()]
        if until.is_set():
            self._close(index, RUNNING, f"not over after {self._timeout:g} s")
        else:
            self._ask_later(index)

    def _until(self, outcome: Outcome) -> Until:
        """When a job is waited for no longer."""
        left = _NEVER
        if self._timeout is not None:
            left = outcome.began + self._timeout - time.monotonic()
        return Until(left, self._stop)

    def _not_asked(self, index: int, error: CloudStackError) -> None:
        jobid = self.outcomes[index].jobid
        if isinstance(error, ApiError) and error.errorcode == 431:
            self._watcher.forgotten(jobid)
            self._close(index, UNKNOWN, FORGOTTEN)
        else:
            self._close(index, RUNNING, f"can't be asked after: {error}")

    def _job_over(self, index: int, job: Job) -> None:
        try:
            payload = answer(job, self._calls[index].command)
        except ApiError as error:
            self._watcher.ended(job, error)
            self._close(index, FAILED, error.errortext)
        else:
            self._watcher.ended(job, None)
            self._close(index, DONE, kept=self._keep(payload))

    def _close(self, index: int, state: str, error: str = "", kept: Payload | None = None) -> None:
        outcome = self.outcomes[index]
        with self._changed:
            outcome.state, outcome.error, outcome.answer = state, error, kept
            if state == UNKNOWN and outcome.began:
                outcome.jobid = outcome.jobid or self._calls[index].given(TRACE) or ""
            if state != NOT_SENT and outcome.began:
                outcome.seconds = time.monotonic() - outcome.began
            self._under_way -= 1
            self._over += 1
            self._changed.notify_all()
        if not outcome.jobid:
            self._watcher.dropped(self._calls[index])

    def _end(self) -> None:
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
