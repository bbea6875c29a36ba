"""Jobs: what an async command answers with is asked after, gently, until it is over.

Only reads are sent here, and tried again. Whoever stops waiting stops nothing else: the
job goes on, and `StillRunning` says so.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping

from cs_magic.api.client import Client
from cs_magic.api.job import Job, answer, job_in
from cs_magic.api.until import Until, cut_after
from cs_magic.api.values import Call, Document, JobReply, Page, Payload
from cs_magic.errors import (
    ApiError,
    CloudStackError,
    JobFailed,
    SignInNeeded,
    StillRunning,
    TransportError,
)

SHORTEST, LONGEST = 0.3, 5.0
_GROWTH = 1.4
_TICK = 1.0  # how long nothing is told at most
FORGOTTEN = "the server doesn't know this job any more: what it was to change tells how it ended"


class Watcher:
    """Is told how calls and jobs go on, from any thread; this one looks away."""

    def sends(self, call: Call) -> None:
        """A call that changes something is sent now; until more is told, its fate is unknown."""

    def dropped(self, call: Call) -> None:
        """A call that was sent has no job: it was refused, or is over."""

    def began(self, call: Call, jobid: str) -> None:
        """A call was taken, and this is its job."""

    def looked(self, job: Job) -> None:
        """A job was asked after, or a second went by."""

    def ended(self, job: Job, error: CloudStackError | None) -> None:
        """A job is over."""

    def forgotten(self, jobid: str) -> None:
        """The server doesn't know a job any more."""

    def counted(self, counts: Mapping[str, int]) -> None:
        """So many of many calls have which outcome."""

    def left(self, counts: Mapping[str, int]) -> None:
        """Somebody interrupted many calls, and so it stays."""


def ask(
    client: Client,
    jobid: str,
    stop: threading.Event | None = None,
    foreground: bool | None = None,
) -> Job:
    """The job as it stands now; `stop` and `foreground` as in `Client.exchange`.

    Raises:
        ApiError: the server doesn't know it (431), or it is another account's (531).
        TransportError: no usable answer.
    """
    call = Call("queryAsyncJobResult", (("jobid", jobid),))
    try:
        payload = client.exchange(call, is_read=True, stop=stop, foreground=foreground)
    except ApiError as error:
        error.hints = (*error.hints, *_why(error))
        raise
    if isinstance(payload, Document):
        job = job_in(payload, jobid)
        if job is not None:
            return job
    raise TransportError(f"What {client.profile.host} says of job {jobid} is no job")


def wait(
    client: Client,
    jobid: str,
    *,
    timeout: float | None = None,
    watcher: Watcher | None = None,
    command: str = "",
) -> Job:
    """The job once it is over.

    Args:
        timeout: so many seconds are waited at most.
        watcher: is told of the job at once, at least each second, and when it is over.
        command: the call that was just taken as this job; without one the job is asked
            after at once.

    Raises:
        StillRunning: the time is up.
        ApiError, TransportError: the job can't be asked after; KeyboardInterrupt has a
            note. In all these cases it goes on.
    """
    watcher = watcher or Watcher()
    end = None if timeout is None else Until(timeout)
    job, number = Job(jobid), 0 if command else -1
    try:
        if command:
            watcher.looked(job)
        while not job.over:
            if number >= 0:
                pause = interval(number)
                _rest(client, watcher, job, pause if end is None else min(pause, end.left))
            job, number = _asked(client, job, end), number + 1
            if end is not None and end.is_set() and not job.over:
                raise still_running(jobid, f"is not over after {timeout:g} s")
            watcher.looked(job)
    except (ApiError, TransportError) as error:
        if isinstance(error, ApiError) and error.errorcode == 431:
            watcher.forgotten(jobid)
        _explain(error, command, jobid)
        raise
    except KeyboardInterrupt as stopped:
        stopped.add_note(_resume(jobid))
        raise
    return job


def _asked(client: Client, job: Job, end: Until | None) -> Job:
    """The job as it stands now; as it stood, where the time was over before an answer came."""
    if end is None:
        return ask(client, job.jobid)
    with cut_after(client.transport, end):
        try:
            return ask(client, job.jobid, end, foreground=True)
        except TransportError:
            if not end.is_set():
                raise
    return job


def _explain(error: ApiError | TransportError, command: str, jobid: str) -> None:
    """Say of a job that can't be asked after that it goes on, or is forgotten."""
    if not isinstance(error, ApiError) or error.errorcode not in {431, 531}:
        error.hints = (*error.hints, _resume(jobid))
    taken = f"{command} was taken as job {jobid}"
    if isinstance(error, ApiError):
        error.jobid = jobid
    if command and isinstance(error, ApiError) and error.errorcode == 431:
        error.message = f"{taken}, which the server doesn't know any more"
        error.hints = (error.errortext, *error.hints)
    elif command:
        error.message = f"{taken}; it goes on, and can't be asked after: {error.message}"


def ended(
    client: Client, call: Call, watcher: Watcher, timeout: float | None = None, waits: bool = True
) -> Callable[[JobReply], Payload]:
    """What makes of a call's job what it gave, or of a job that nobody waits for its own row.

    It raises what `wait` and `answer` raise; StillRunning also where a session ended.
    """

    def of(reply: JobReply) -> Payload:
        watcher.began(call, reply.jobid)
        if not waits:
            return reply
        try:
            job = wait(client, reply.jobid, timeout=timeout, watcher=watcher, command=call.command)
            return answered(job, call.command, watcher)
        except SignInNeeded:
            pass
        # Nobody may take it for a call that is to be made again, once somebody signed in.
        raise still_running(reply.jobid, "can't be asked after, for nobody is signed in any more")

    return of


def answered(job: Job, command: str, watcher: Watcher) -> Page | Document:
    """What a job gave that is over, as `answer`; the watcher is told how it ended."""
    try:
        payload = answer(job, command)
    except JobFailed as error:
        watcher.ended(job, error)
        raise
    watcher.ended(job, None)
    return payload


def still_running(jobid: str, why: str) -> StillRunning:
    """The error of who stopped waiting for a job."""
    return StillRunning(f"The job {jobid} {why}; it goes on", _resume(jobid), jobids=(jobid,))


def interval(number: int, together: int = 1) -> float:
    """The seconds before a job is asked after for the next time; longer where there are many."""
    grown = min(LONGEST, SHORTEST * _GROWTH ** min(number, 20))
    return max(grown, together / 100) * random.uniform(0.85, 1.15)


def _why(error: ApiError) -> tuple[str, ...]:
    if error.errorcode == 431:
        return (
            "The server doesn't know that job: it is another cloud's, or it was forgotten,"
            " as happens a day after its end.",
            "What it was to change tells how it ended.",
        )
    if error.errorcode == 531:
        return ("It is the job of an account that you may not see.",)
    return ()


def _resume(jobid: str) -> str:
    return f"%cs job {jobid} goes on waiting, or shows the result."


def _rest(client: Client, watcher: Watcher, job: Job, seconds: float) -> None:
    nobody = threading.Event()
    while seconds > 0:
        client.pause(nobody, min(seconds, _TICK))
        seconds -= _TICK
        watcher.looked(job)
