"""The jobs that this kernel began: what is known of each, and the list of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cs_magic.api.job import Job
from cs_magic.api.jobs import FORGOTTEN as DOES_NOT_KNOW
from cs_magic.api.jobs import Watcher, answered, ask
from cs_magic.api.masks import masked_arguments
from cs_magic.api.traces import TRACE
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, CloudStackError, StillRunning
from cs_magic.notebook.connections import Connections
from cs_magic.notebook.shown import frame_of

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.connection import Connection

RUNNING, DONE, FAILED = "running", "done", "failed"
# Of a call whose answer was lost, and of a job that the server knew once.
UNKNOWN, FORGOTTEN = "unknown", "forgotten"
COLUMNS = "jobid state command parameters profile started seconds error".split()
_KEPT = 10_000
_AT_ONCE = 4
_SHOWN = 60
_GRACE = 0.5  # how long who interrupts waits for what is being asked
_PATIENCE = 0.02


@dataclass(slots=True)
class Known:
    """A job as this kernel knows it; it holds no secret.

    `seconds` is how long it took by the server's clock, where that is known.
    """

    jobid: str
    command: str
    parameters: str
    profile: str
    started: datetime
    began: float
    state: str = RUNNING
    seconds: float | None = None
    error: str = ""

    @property
    def is_open(self) -> bool:
        """Whether there is more to be known about it."""
        return self.state in {RUNNING, UNKNOWN}


class Jobs:
    """The jobs of one kernel, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._jobs: dict[str, Known] = {}
        self._lock = threading.Lock()

    def find(self, jobid: str) -> Known | None:
        """What is known of a job, or None."""
        return self._jobs.get(jobid)

    def sends(self, connection: Connection, call: Call, names: Mapping[str, str]) -> None:
        """A call is sent now: its job, where it has an id, is unknown until more is known."""
        if jobid := call.given(TRACE):
            self._add(connection, call, jobid, UNKNOWN, names)

    def dropped(self, call: Call) -> None:
        """A call that was sent has no job after all."""
        with self._lock:
            known = self._jobs.get(call.given(TRACE) or "")
            if known is not None and known.state == UNKNOWN:
                del self._jobs[known.jobid]

    def began(
        self, connection: Connection, call: Call, jobid: str, names: Mapping[str, str]
    ) -> None:
        """A call of this connection has this job; the oldest that are over are forgotten."""
        self.dropped(call)
        self._add(connection, call, jobid, RUNNING, names)

    def ended(self, job: Job, error: CloudStackError | None) -> None:
        """A job is over."""
        known = self._jobs.get(job.jobid)
        if known is not None and known.is_open:
            known.seconds = job.seconds
            known.state = FAILED if error else DONE
            known.error = error.message if error else ""

    def forgotten(self, jobid: str) -> None:
        """The server doesn't know a job, any more or yet."""
        known = self._jobs.get(jobid)
        if known is not None and known.state == RUNNING:
            known.state, known.error = FORGOTTEN, DOES_NOT_KNOW
        elif known is not None and known.state == UNKNOWN:
            known.error = "the server knows no such job: look at what it was to change"

    def _add(
        self, connection: Connection, call: Call, jobid: str, state: str, names: Mapping[str, str]
    ) -> None:
        new = Known(
            jobid,
            call.command,
            about(call, names),
            connection.profile.name,
            datetime.now(UTC),
            time.monotonic(),
            state,
            error="its answer was lost" if state == UNKNOWN else "",
        )
        with self._lock:
            self._jobs[jobid] = new
            if len(self._jobs) > _KEPT:
                over = [one.jobid for one in self._jobs.values() if not one.is_open]
                for old in over[: _KEPT // 10]:
                    del self._jobs[old]

    def frame(self, connections: Connections) -> pd.DataFrame:
        """The jobs of this kernel, and their state as the server says it now; errors as there."""
        with self._lock:
            jobs = list(self._jobs.values())
        ask_all(self, [one for one in jobs if one.is_open], connections)
        frame = frame_of([_row(job) for job in jobs], COLUMNS)
        frame["seconds"] = frame["seconds"].astype("Float64")
        return frame if len(jobs) <= _SHOWN else frame.copy()  # a long one is shown cut


def ask_all(jobs: Jobs, known: Sequence[Known], connections: Connections) -> None:
    """Ask after these jobs, a few at a time; what the server doesn't tell is told as error.

    Raises:
        StillRunning: somebody interrupted that.
    """
    told: dict[str, Connection] = {}
    for name in {job.profile for job in known}:
        try:
            told[name] = connections.named(name)
        except CloudStackError:
            continue  # the profile is gone: its jobs stay as they were known
    asking = _Asking(jobs, told)
    threads = ThreadPoolExecutor(_AT_ONCE)
    futures = [threads.submit(asking.ask, job) for job in known if job.profile in told]
    try:
        wait_for(futures)
    except KeyboardInterrupt:
        asked = sum(one.done() for one in futures)
    else:
        for one in futures:
            one.result()
        return
    finally:
        asking.stop.set()
        threads.shutdown(wait=False, cancel_futures=True)
    asking.cut(futures)
    raise StillRunning(
        f"Interrupted: {len(futures) - asked:,} of {len(futures):,} jobs were not asked after",
        "They go on. %cs jobs asks again.",
        jobids=tuple(one.jobid for one in known if one.state == RUNNING),
    )


class _Asking:
    """Asks after jobs, in several threads, until it is stopped."""

    def __init__(self, jobs: Jobs, connections: Mapping[str, Connection]) -> None:
        self.stop = threading.Event()
        self._jobs, self._connections = jobs, connections
        self._ends = _Ends(jobs)
        self._reading: set[int] = set()

    def ask(self, known: Known) -> None:
        """Ask after one job, and keep what is told."""
        self._reading.add(threading.get_ident())
        try:
            found = ask(self._connections[known.profile].client, known.jobid, self.stop)
            if found.over:
                answered(found, known.command, self._ends)
            else:
                known.state, known.error = RUNNING, ""
        except ApiError as error:
            if error.errorcode == 431 and known.is_open:
                self._jobs.forgotten(known.jobid)
            elif known.is_open:
                known.error = error.errortext
        except CloudStackError as error:
            if not self.stop.is_set():
                known.error = str(error)

    def cut(self, futures: Sequence[Future[None]]) -> None:
        """Cut what is being read, and give it a moment to end."""
        end = time.monotonic() + _GRACE
        while time.monotonic() < end and not all(one.done() for one in futures):
            for connection in self._connections.values():
                connection.client.transport.interrupt(self._reading)
            wait_for(futures, _PATIENCE)


class _Ends(Watcher):
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def ended(self, job: Job, error: CloudStackError | None) -> None:
        self._jobs.ended(job, error)


def about(call: Call, names: Mapping[str, str]) -> str:
    """What a call is for, in a few words without a secret; names stand where ids have some."""
    typed = [(name, names.get(value, value)) for name, value in call.arguments if name != TRACE]
    pairs = masked_arguments(typed)
    said = " ".join(
        f"{name}={value if len(value) < 41 else value[:40] + '…'}" for name, value in pairs
    )
    return said if len(said) < 121 else said[:120] + "…"


def _row(job: Known) -> dict[str, object]:
    seconds = time.monotonic() - job.began if job.state == RUNNING else job.seconds
    return {
        "jobid": job.jobid,
        "state": job.state,
        "command": job.command,
        "parameters": job.parameters,
        "profile": job.profile,
        "started": job.started,
        "seconds": None if seconds is None else round(seconds, 1),
        "error": job.error,
    }
