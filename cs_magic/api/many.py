"""Many calls: some under way at a time, their jobs asked after together by a few threads.

Each is sent at most once. Only a call that the server put off (429) waits for its turn
again: it was not carried out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType

from cs_magic.api.client import Client, Sending, TurnedAway, Unwanted
from cs_magic.api.job import Job, answer
from cs_magic.api.jobs import FORGOTTEN, Watcher, ask
from cs_magic.api.turns import DONE, FAILED, NOT_SENT, RUNNING, UNKNOWN, Turns
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

THREADS = 8
_GRACE = 0.5  # how long those who stop wait for what is being sent
_LOOK = 0.2
_PATIENCE = 0.02

# Sends one call: the answer, or the error that it is. Once the event is set nothing is sent
# any more; what is told of each sending may raise, and then it isn't sent.
Send = Callable[[Call, threading.Event, Sending], Payload]


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
        self._client, self._calls, self._send, self._keep = client, calls, send, keep
        self._timeout = timeout
        self._watcher = watcher or Watcher()
        self._turns = Turns(calls, client.gate, workers, timeout)
        self.outcomes = self._turns.outcomes
        self._lock = threading.Lock()
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
        self._turns.end()
        end = time.monotonic() + _GRACE
        while time.monotonic() < end and any(one.is_alive() for one in self._threads):
            with self._lock:
                reading = set(self._reading)
            self._client.transport.interrupt(reading)
            for thread in self._threads:
                if thread.is_alive():  # one that was never started can't be waited for
                    thread.join(_PATIENCE)
        self._turns.give_up()

    def wait(self) -> None:
        """Until every call has its outcome, or something stops them all; tells the counts."""
        told = -1.0
        while not self._turns.ended:
            self._turns.wait(_LOOK)
            self._cut_what_takes_too_long()
            if time.monotonic() - told >= _LOOK or self._turns.ended:
                told = time.monotonic()
                self._watcher.counted(self.counts())

    def _cut_what_takes_too_long(self) -> None:
        with self._lock:
            late = {ident for ident, until in self._reading.items() if until.is_set()}
            if late:  # and no other exchange of these threads: they leave it with this lock
                self._client.transport.interrupt(late)

    def counts(self) -> Mapping[str, int]:
        """How many calls have which outcome right now."""
        return self._turns.counts()

    # -- the threads -----------------------------------------------------------

    def _work(self) -> None:
        while (task := self._turns.take()) is not None:
            index, is_new = task
            try:
                if is_new:
                    self._begin(index)
                else:
                    self._look(index)
            except Exception as error:  # noqa: BLE001 - a thread that dies would leave its call behind
                self._close(index, UNKNOWN, f"{type(error).__name__} here, not at the server")

    def _goes(self, index: int) -> None:
        """A call is sent now; whoever ended all this before has it not sent."""
        if not self._turns.goes(index):
            raise Unwanted(self._calls[index])
        self._watcher.sends(self._calls[index])

    def _begin(self, index: int) -> None:
        """Send a call."""
        call = self._calls[index]
        try:
            payload = self._send(call, self._turns.stop, lambda _: self._goes(index))
        except Unwanted:
            return  # it stays as it is, not sent, and nothing goes on
        except FateUnknown as error:
            self._close(index, UNKNOWN, str(error))
        except (SignInNeeded, Refused) as error:
            self._close(index, NOT_SENT, str(error))
            self._turns.end()  # so will all others be
        except ApiError as error:
            if error.errorcode == 429:
                self._put_off(index)
            else:
                self._close(index, FAILED, error.errortext)
        except TurnedAway:
            self._put_off(index)
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
        self._turns.runs(index, reply)
        if self._timeout == 0:
            self._close(index, RUNNING)
        else:
            self._turns.ask_later(index)

    def _put_off(self, index: int) -> None:
        self._watcher.dropped(self._calls[index])
        self._turns.put_off(index)

    def _look(self, index: int) -> None:
        """Ask after a job."""
        until = self._turns.until(index)
        try:
            with self._read_until(until):
                job = ask(self._client, self.outcomes[index].jobid, until)
            if job.over:
                self._job_over(index, job)
                return
        except (ApiError, SignInNeeded, TransportError) as error:
            if self._turns.stop.is_set():
                return
            if not until.is_set() or not isinstance(error, TransportError):
                self._not_asked(index, error)
                return
        if until.is_set():
            self._close(index, RUNNING, f"not over after {self._timeout:g} s")
        else:
            self._turns.ask_later(index)

    @contextmanager
    def _read_until(self, until: Until) -> Iterator[None]:
        """What this thread reads in here may be cut from then on."""
        here = threading.get_ident()
        with self._lock:
            self._reading[here] = until
        try:
            yield
        finally:
            with self._lock:
                del self._reading[here]

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
        self._turns.close(index, state, error, kept)
        if not self.outcomes[index].jobid:
            self._watcher.dropped(self._calls[index])
