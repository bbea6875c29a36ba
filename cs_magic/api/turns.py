"""How each of many calls stands, and whose turn it is: what the threads that make them share."""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cs_magic.api.gate import Gate
from cs_magic.api.jobs import interval
from cs_magic.api.traces import TRACE
from cs_magic.api.until import Until
from cs_magic.api.values import Call, JobReply, Payload

NOT_SENT, SENDING, RUNNING = "not sent", "sending", "still running"
DONE, FAILED, UNKNOWN = "done", "failed", "unknown"
_LATE = "sent, and its answer was not waited for: it may have been carried out"
_NEVER = 1e9  # seconds


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


class Turns:
    """Gives calls and jobs their turns, and keeps the outcome of each call, known by its index.

    Once `stop` is set no turn is given any more.

    Args:
        gate: its pauses hold the calls back.
        workers: how many calls are under way at a time, their jobs included.
        timeout: how many seconds a job is waited for.
    """

    def __init__(
        self, calls: Sequence[Call], gate: Gate, workers: int, timeout: float | None
    ) -> None:
        self.outcomes = [Outcome() for _ in calls]
        self.stop = threading.Event()
        self._calls, self._gate = calls, gate
        self._workers, self._timeout = workers, timeout
        self._changed = threading.Condition()
        self._next = self._under_way = self._over = 0
        self._again: list[int] = []
        self._due: list[tuple[float, int]] = []

    @property
    def ended(self) -> bool:
        """Whether every call has its outcome, or something stops them all."""
        return self._over == len(self.outcomes) or self.stop.is_set()

    def wait(self, seconds: float) -> None:
        """Wait for that end, so many seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended, timeout=seconds)

    def end(self) -> None:
        """Stop them all."""
        with self._changed:
            self.stop.set()
            self._changed.notify_all()

    def counts(self) -> Mapping[str, int]:
        """How many calls have which outcome right now."""
        return Counter(outcome.state for outcome in self.outcomes)

    def until(self, index: int) -> Until:
        """When a job is waited for no longer."""
        left = _NEVER
        if self._timeout is not None:
            left = self.outcomes[index].began + self._timeout - time.monotonic()
        return Until(left, self.stop)

    # -- whose turn it is ------------------------------------------------------

    def take(self) -> tuple[int, bool] | None:
        """A job that is due, or else the next call: its index and whether it is to be sent.

        Waits for it; None at the end.
        """
        with self._changed:
            while not self.ended:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    return heapq.heappop(self._due)[1], False
                held = self._gate.held
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

    def put_off(self, index: int) -> None:
        """A call waits for its turn again: it was not carried out."""
        with self._changed:
            self.outcomes[index].state = NOT_SENT
            self._under_way -= 1
            self._again.append(index)
            self._changed.notify_all()

    def ask_later(self, index: int) -> None:
        """A job waits for its turn to be asked after."""
        outcome = self.outcomes[index]
        with self._changed:
            pause = interval(outcome.asked, self._under_way)
            outcome.asked += 1
            pause = min(pause, self.until(index).left)
            heapq.heappush(self._due, (time.monotonic() + pause, index))
            self._changed.notify_all()

    # -- how it stands ---------------------------------------------------------

    def goes(self, index: int) -> bool:
        """Whether a call is sent now; whoever ended all this before has it not sent."""
        outcome = self.outcomes[index]
        with self._changed:
            if self.stop.is_set():
                return False
            outcome.state, outcome.began = SENDING, outcome.began or time.monotonic()
            return True

    def runs(self, index: int, reply: JobReply) -> None:
        """A call was taken, and has a job."""
        outcome = self.outcomes[index]
        with self._changed:
            outcome.state, outcome.jobid = RUNNING, reply.jobid
            outcome.created = reply.id or ""

    def close(self, index: int, state: str, error: str = "", kept: Payload | None = None) -> None:
        """A call has its outcome."""
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

    def give_up(self) -> None:
        """Nobody waits any more for the answers of the calls that are being sent."""
        with self._changed:
            for index, outcome in enumerate(self.outcomes):
                if outcome.state == SENDING:
                    outcome.state, outcome.error = UNKNOWN, _LATE
                    outcome.jobid = self._calls[index].given(TRACE) or ""
