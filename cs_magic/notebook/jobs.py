"""The jobs that this kernel began or asked after: how each is watched, and the list of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cs_magic.api.jobs import Job, Watcher, answered, ask, still_running
from cs_magic.api.masks import masked_arguments
from cs_magic.api.outcomes import counted
from cs_magic.api.traces import TRACE
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, CloudStackError
from cs_magic.notebook.connections import Connections
from cs_magic.notebook.progress import Progress
from cs_magic.notebook.shown import frame_of

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.connection import Connection

RUNNING, DONE, FAILED = "running", "done", "failed"
COLUMNS = "jobid state command parameters profile started seconds error".split()
_KEPT = 10_000
_AT_ONCE = 4
_SHOWN = 60


@dataclass(slots=True)
class Known:
    """A job as this kernel knows it; it holds no secret. `seconds` is how long it took."""

    jobid: str
    command: str
    parameters: str
    profile: str
    started: datetime
    began: float
    state: str = RUNNING
    seconds: float | None = None
    error: str = ""


class Jobs:
    """The jobs of one kernel, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._jobs: dict[str, Known] = {}
        self._lock = threading.Lock()

    def find(self, jobid: str) -> Known | None:
        """What is known of a job, or None."""
        return self._jobs.get(jobid)

    def began(self, connection: Connection, call: Call, jobid: str) -> None:
        """A call of this connection has this job; the oldest that are over are forgotten."""
        new = Known(
            jobid,
            call.command,
            about(call),
            connection.profile.name,
            datetime.now(UTC),
            time.monotonic(),
        )
        with self._lock:
            self._jobs[jobid] = new
            if len(self._jobs) > _KEPT:
                over = [one.jobid for one in self._jobs.values() if one.state != RUNNING]
                for old in over[: _KEPT // 10]:
                    del self._jobs[old]

    def ended(self, jobid: str, error: CloudStackError | None) -> None:
        """A job is over."""
        job = self._jobs.get(jobid)
        if job is not None and job.state == RUNNING:
            job.seconds = time.monotonic() - job.began
            job.state = FAILED if error else DONE
            job.error = error.message if error else ""

    @contextmanager
    def watching(self, connection: Connection, quiet: bool) -> Iterator[Watch]:
        """A watch over one statement's jobs, whose line is ended however the statement ends.

        Raises:
            StillRunning: somebody interrupted while a job was waited for.
        """
        watch = Watch(self, connection, Progress(quiet))
        jobid = ""
        try:
            yield watch
        except KeyboardInterrupt:
            if not watch.waits_for:
                raise
            jobid = watch.waits_for
        finally:
            watch.end()
        if jobid:
            raise still_running(jobid, "is no longer waited for")

    def frame(self, connections: Connections) -> pd.DataFrame:
        """The jobs of this kernel, and their state as the server says it now."""
        with self._lock:
            jobs = list(self._jobs.values())
        ask_all(self, [one for one in jobs if one.state == RUNNING], connections)
        frame = frame_of([_row(job) for job in jobs], COLUMNS)
        return frame if len(jobs) <= _SHOWN else frame.copy()  # a long one is shown cut


def ask_all(jobs: Jobs, running: list[Known], connections: Connections) -> None:
    """Ask after these jobs, a few at a time; what the server doesn't tell is told as error."""
    told: dict[str, Connection] = {}
    for name in {job.profile for job in running}:
        try:
            told[name] = connections.named(name)
        except CloudStackError:
            continue  # the profile is gone: its jobs stay as they were known
    known = [job for job in running if job.profile in told]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(lambda job: _asked(jobs, job, told[job.profile]), known))


def _asked(jobs: Jobs, known: Known, connection: Connection) -> None:
    try:
        found = ask(connection.client, known.jobid, threading.Event())
        known.error = ""
        if found.over:
            answered(found, known.command, _Ends(jobs))
    except ApiError as error:
        if known.state == RUNNING:
            known.error = error.errortext
    except CloudStackError as error:
        known.error = str(error)


class _Ends(Watcher):
    def __init__(self, jobs: Jobs) -> None:
        self.ended = jobs.ended  # type: ignore[method-assign]


class Watch(Watcher):
    """Shows how the jobs of one statement go on, and keeps them among the kernel's."""

    def __init__(self, jobs: Jobs, connection: Connection, progress: Progress) -> None:
        self._jobs, self._connection, self._progress = jobs, connection, progress
        self._where = f"{connection.profile.name} at {connection.profile.host}"
        self._began = time.monotonic()
        self._counts: Mapping[str, int] | None = None
        self._of = ""  # what is said of many
        self.waits_for = ""

    def many(self, command: str, number: int) -> None:
        """There will be many calls: they are counted."""
        self._of = f"{command} × {number:,}"

    def began(self, call: Call, jobid: str) -> None:
        """A call was taken, and this is its job."""
        self._jobs.began(self._connection, call, jobid)

    def ended(self, jobid: str, error: CloudStackError | None) -> None:
        """A job is over."""
        self._jobs.ended(jobid, error)
        if not self._of:
            self.waits_for = ""
            self._end(jobid)

    def looked(self, job: Job) -> None:
        """Show the job with its seconds; what is not waited for is not shown."""
        self.waits_for = "" if job.over else job.jobid
        if not job.over:
            self._progress.show(self._line(job.jobid, "running"))

    def counted(self, counts: Mapping[str, int]) -> None:
        """Show the counts."""
        self._counts = counts
        self._progress.show(self._line_of_many())

    def end(self) -> None:
        """Show the last line, where any was."""
        if self._of and self._counts is not None:
            self._progress.end(self._line_of_many())
        elif self.waits_for:
            self._progress.end(self._line(self.waits_for, "still running"))

    def _end(self, jobid: str) -> None:
        known = self._jobs.find(jobid)
        self._progress.end(self._line(jobid, known.state if known else "over"))

    def _line(self, jobid: str, state: str) -> str:
        known = self._jobs.find(jobid)
        began = known.began if known else self._began
        seconds = known.seconds if known and known.seconds is not None else time.monotonic() - began
        took = f"{seconds:.0f} s" if state == RUNNING else f"{seconds:.1f} s"
        command, what = (known.command, known.parameters) if known else ("job", "")
        parts = [command, f"{state} {took}", f"job {jobid}", what, self._where]
        return " · ".join(filter(None, parts))

    def _line_of_many(self) -> str:
        counts = Counter(self._counts or {})
        said = counted(Counter({_WORDS.get(name, name): n for name, n in counts.items()}))
        seconds = f"{time.monotonic() - self._began:.0f} s"
        return " · ".join([self._of, said, seconds, self._where])


_WORDS = {"sending": "still running"}


def about(call: Call) -> str:
    """What a call is for, in a few words without a secret."""
    typed = [(name, value) for name, value in call.arguments if name != TRACE]
    pairs = masked_arguments(typed)
    said = " ".join(
        f"{name}={value if len(value) < 41 else value[:40] + '…'}" for name, value in pairs
    )
    return said if len(said) < 121 else said[:120] + "…"


def _row(job: Known) -> dict[str, object]:
    taken = time.monotonic() - job.began if job.seconds is None else job.seconds
    return {
        "jobid": job.jobid,
        "state": job.state,
        "command": job.command,
        "parameters": job.parameters,
        "profile": job.profile,
        "started": job.started,
        "seconds": round(taken, 1),
        "error": job.error,
    }
