"""Jobs: what an async command answers with is asked after, gently, until it is over.

Only reads are sent here, and tried again. Whoever stops waiting stops nothing else: the
job goes on, and `StillRunning` says so.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cs_magic.api import envelope
from cs_magic.api.client import Client
from cs_magic.api.values import Call, Document, JobReply, Page, Payload
from cs_magic.errors import (
    ApiError,
    CloudStackError,
    JobFailed,
    SignInNeeded,
    StillRunning,
    TransportError,
)

RUNNING, DONE = 0, 1
SHORTEST, LONGEST = 0.3, 5.0
_GROWTH = 1.4
_TICK = 1.0  # how long nothing is told at most
_raws = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stood when it was asked after; `fields` are the JSON object that came."""

    jobid: str
    status: int = RUNNING
    fields: bytes = field(default=b"{}", repr=False)
    notes: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status != RUNNING


class Watcher:
    """Is told how jobs go on; this one looks away. `began` may come from any thread."""

    def began(self, call: Call, jobid: str) -> None:
        """A call was taken, and this is its job."""

    def looked(self, job: Job) -> None:
        """A job was asked after, or a second went by."""

    def ended(self, jobid: str, error: CloudStackError | None) -> None:
        """A job is over. It may come from any thread."""

    def counted(self, counts: Mapping[str, int]) -> None:
        """So many of many calls have which outcome."""


def ask(client: Client, jobid: str, stop: threading.Event | None = None) -> Job:
    """The job as it stands now.

    Raises:
        ApiError: the server doesn't know it (431), or it is another account's (531).
        TransportError: no usable answer.
    """
    call = Call("queryAsyncJobResult", (("jobid", jobid),))
    try:
        payload = client.exchange(call, is_read=True, stop=stop)
    except ApiError as error:
        error.hints = (*error.hints, *_why(error))
        raise
    if isinstance(payload, Document):
        said = _text(_raws.decode(payload.fields).get("jobstatus"))
        if said.isdecimal():
            return Job(jobid, int(said), payload.fields, payload.notes)
    raise TransportError(f"What {client.profile.host} says of job {jobid} is no job")


def wait(
    client: Client,
    jobid: str,
    *,
    timeout: float | None = None,
    watcher: Watcher | None = None,
    known: Job | None = None,
) -> Job:
    """The job once it is over.

    Args:
        timeout: so many seconds are waited at most.
        watcher: is told of the job at once, at least each second, and when it is over.
        known: the job as it stood a moment ago.

    Raises:
        StillRunning: the time is up.
        ApiError, TransportError: the job can't be asked after; KeyboardInterrupt has a
            note. In all these cases it goes on.
    """
    watcher = watcher or Watcher()
    end = None if timeout is None else time.monotonic() + timeout
    job, number = known or Job(jobid), 0
    try:
        watcher.looked(job)
        while not job.over:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise still_running(jobid, f"is not over after {timeout:g} s")
            pause = interval(number)
            _rest(client, watcher, job, pause if left is None else min(pause, left))
            job, number = ask(client, jobid), number + 1
        watcher.looked(job)
    except (ApiError, TransportError) as error:
        gone = isinstance(error, ApiError) and error.errorcode in {431, 531}
        error.hints = (*error.hints, f"The job is {jobid}." if gone else _resume(jobid))
        raise
    except KeyboardInterrupt as stopped:
        stopped.add_note(_resume(jobid))
        raise
    return job


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
            return answered(
                wait(client, reply.jobid, timeout=timeout, watcher=watcher), call.command, watcher
            )
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
        watcher.ended(job.jobid, error)
        raise
    watcher.ended(job.jobid, None)
    return payload


def still_running(jobid: str, why: str) -> StillRunning:
    """The error of who stopped waiting for a job."""
    return StillRunning(f"The job {jobid} {why}; it goes on", _resume(jobid), jobids=(jobid,))


def interval(number: int, together: int = 1) -> float:
    """The seconds before a job is asked after for the next time; longer where there are many."""
    grown = min(LONGEST, SHORTEST * _GROWTH ** min(number, 20))
    return max(grown, together / 100) * random.uniform(0.85, 1.15)


def answer(job: Job, command: str) -> Page | Document:
    """What a job gave: its result's object, or all that the server says where it has none.

    Raises:
        JobFailed: it failed, in the job's own words.
    """
    said = _raws.decode(job.fields)
    result = said.get("jobresult")
    inner = _inner(result)
    if job.status != DONE:
        raise _failure(job, command, said, inner)
    if inner is None:
        note = "the job is done and has no result: this is the job"
        return Document("job", job.fields, (*job.notes, note))
    if len(inner) == 1:
        [(key, value)] = inner.items()
        name = None if key == "null" else key
        if _opens(value, b"{"):
            return Document(name, bytes(value), job.notes)
        if _opens(value, b"["):
            return Page(name, None, bytes(value), job.notes)
    return Document(None, msgspec.json.encode(inner), job.notes)


def _failure(
    job: Job, command: str, said: Mapping[str, msgspec.Raw], inner: Mapping[str, Any] | None
) -> JobFailed:
    code = _text((inner or {}).get("errorcode")) or _text(said.get("jobresultcode"))
    text = _text((inner or {}).get("errortext")) if inner is not None else ""
    hints: tuple[str, ...] = ()
    if not text:
        text = _text(said.get("jobresult")) or "The job failed, and the server doesn't say why"
        hints = (
            "It is so when the management server was restarted while the job ran.",
            "Look at what it was to change before you send it again.",
        )
    return JobFailed(
        text,
        *hints,
        command=command,
        errorcode=int(code) if code.isdecimal() and int(code) else 530,
        jobid=job.jobid,
    )


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


def _inner(result: msgspec.Raw | None) -> dict[str, msgspec.Raw] | None:
    """The result's fields, or None where it is no object; it may be JSON in a text."""
    if result is None:
        return None
    if _opens(result, b"{"):
        return _raws.decode(result)
    try:
        return _raws.decode(msgspec.json.encode(envelope.loads(_text(result))))
    except (ValueError, RecursionError):
        return None


def _text(raw: msgspec.Raw | None) -> str:
    """A field as text, "" where there is none."""
    value = None if raw is None else msgspec.json.decode(raw)
    return "" if value is None else str(value)


def _opens(raw: msgspec.Raw, bracket: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == bracket
