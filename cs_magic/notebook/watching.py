"""How the jobs of one statement go on: the line that shows it, and what an interrupt says."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cs_magic.api.job import Job
from cs_magic.api.jobs import Watcher, still_running
from cs_magic.api.outcomes import counted
from cs_magic.api.traces import fate
from cs_magic.errors import CloudStackError, FateUnknown, TransportError
from cs_magic.notebook.jobs import DONE, FAILED, Jobs
from cs_magic.notebook.progress import Progress

if TYPE_CHECKING:
    from cs_magic.api.lookups import Lookups
    from cs_magic.api.values import Call
    from cs_magic.connection import Connection

_WORDS = {"sending": "still running"}


@contextmanager
def watching(
    jobs: Jobs, connection: Connection, quiet: bool, lookups: Lookups | None = None
) -> Iterator[Watch]:
    """A watch over one statement's jobs, whose line is ended however the statement ends.

    Raises:
        StillRunning: somebody interrupted while a job was waited for.
        FateUnknown: somebody interrupted while a call that changes something was under way.
    """
    watch = Watch(jobs, connection, Progress(quiet), lookups)
    problem: CloudStackError | None = None
    try:
        yield watch
    except KeyboardInterrupt:
        problem = watch.interrupted()
        if problem is None:
            raise
    except FateUnknown:
        raise  # its job stays unknown
    except CloudStackError:
        watch.settle()
        raise
    else:
        watch.settle()
    finally:
        watch.end()
    if problem is not None:
        raise problem


class Watch(Watcher):
    """Shows how the jobs of one statement go on, and keeps them among the kernel's."""

    def __init__(
        self, jobs: Jobs, connection: Connection, progress: Progress, lookups: Lookups | None
    ) -> None:
        self._jobs, self._connection, self._progress = jobs, connection, progress
        self._lookups = lookups
        self._where = f"{connection.profile.name} at {connection.profile.host}"
        self._began = time.monotonic()
        self._counts: Mapping[str, int] | None = None
        self._of = ""  # what is said of many
        self._sending: Call | None = None
        self._shown = False
        self._kind = "job"  # what the job is, where this kernel didn't begin it
        self._waits_for = ""
        self._looked_up = 0
        self._called: dict[str, str] = {}

    def many(self, command: str, number: int) -> None:
        """There will be many calls: they are counted."""
        self._of = f"{command} × {number:,}"

    def follows(self, jobid: str) -> None:
        """A job will be asked after that was begun before."""
        self._waits_for = jobid

    def interrupted(self) -> CloudStackError | None:
        """What an interrupt has left behind; None where nothing goes on."""
        if self._waits_for:
            return still_running(self._waits_for, "is no longer waited for")
        if self._sending is not None:
            return fate(self._sending, TransportError("It was interrupted"))
        return None

    def settle(self) -> None:
        """The statement has its answer, or its refusal."""
        if self._sending is not None:
            self._jobs.dropped(self._sending)

    # -- what is told ----------------------------------------------------------

    def sends(self, call: Call) -> None:
        """A call that changes something is sent now."""
        self._jobs.sends(self._connection, call, self._names())
        if not self._of:
            self._sending = call

    def dropped(self, call: Call) -> None:
        """A call has no job."""
        self._jobs.dropped(call)

    def began(self, call: Call, jobid: str) -> None:
        """A call was taken, and this is its job."""
        self._jobs.began(self._connection, call, jobid, self._names())
        self._sending = None

    def ended(self, job: Job, error: CloudStackError | None) -> None:
        """A job is over."""
        self._jobs.ended(job, error)
        if not self._of:
            self._waits_for = ""
            took = "" if job.seconds is None else f" {job.seconds:.0f} s"
            self._progress.end(self._line(job.jobid, f"{FAILED if error else DONE}{took}"))

    def forgotten(self, jobid: str) -> None:
        """The server doesn't know a job any more."""
        self._jobs.forgotten(jobid)
        if not self._of:
            self._waits_for = ""
            if self._shown:
                self._progress.end(self._line(jobid, "forgotten by the server"))

    def looked(self, job: Job) -> None:
        """Show the job with its seconds; what is not waited for is not shown."""
        self._waits_for = "" if job.over else job.jobid
        self._kind = job.kind or self._kind
        if not job.over:
            self._shown = True
            self._progress.show(self._line(job.jobid, f"running {self._since(job.jobid):.0f} s"))

    def counted(self, counts: Mapping[str, int]) -> None:
        """Show the counts."""
        self._counts = counts
        self._progress.show(self._line_of_many())

    def left(self, counts: Mapping[str, int]) -> None:
        """The last line says what became of those that were under way."""
        self._counts = counts

    def end(self) -> None:
        """Show the last line, where any was."""
        if self._of and self._counts is not None:
            self._progress.end(self._line_of_many())
        elif self._waits_for and self._shown:
            since = self._since(self._waits_for)
            self._progress.end(self._line(self._waits_for, f"still running {since:.1f} s"))

    # -- the line --------------------------------------------------------------

    def _names(self) -> dict[str, str]:
        """The names that were typed, by the ids that they were found to be."""
        found = self._lookups.found if self._lookups else []
        if len(found) != self._looked_up:
            self._looked_up = len(found)
            self._called = {one.id: one.name for one in found}
        return self._called

    def _since(self, jobid: str) -> float:
        known = self._jobs.find(jobid)
        return time.monotonic() - (known.began if known else self._began)

    def _line(self, jobid: str, stands: str) -> str:
        known = self._jobs.find(jobid)
        command, what = (known.command, known.parameters) if known else (self._kind, "")
        return " · ".join(filter(None, [command, stands, f"job {jobid}", what, self._where]))

    def _line_of_many(self) -> str:
        counts = Counter(self._counts or {})
        said = counted(Counter({_WORDS.get(name, name): n for name, n in counts.items()}))
        seconds = f"{time.monotonic() - self._began:.0f} s"
        return " · ".join([self._of, said, seconds, self._where])
