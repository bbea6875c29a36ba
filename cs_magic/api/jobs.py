"""Jobs: what an async command answers with is asked after, gently, until it is over.

Only reads are sent here, and tried again. Whoever stops waiting stops nothing else: the
job goes on, and `StillRunning` says so.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cs_magic.api.client import Client
from cs_magic.api.envelope import UNREADABLE
from cs_magic.api.lenient import loads
from cs_magic.api.masks import masked_message
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

RUNNING, DONE = 0, 1
SHORTEST, LONGEST = 0.3, 5.0
_GROWTH = 1.4
_TICK = 1.0  # how long nothing is told at most
FORGOTTEN = "the server doesn't know this job any more: what it was to change tells how it ended"
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

    @property
    def seconds(self) -> float | None:
        """How long it took, by the server's own clock; None where it doesn't say."""
        said = _raws.decode(self.fields)
        try:
            began, end = (_moment(said.get(name)) for name in ("created", "completed"))
        except (TypeError, ValueError):  # none, or one of them without its zone
            return None
        return max(0.0, (end - began).total_seconds()) if self.over else None

    @property
    def kind(self) -> str:
        """What the server calls its command, without package and ending: `StopVM`."""
        name = _text(_raws.decode(self.fields).get("cmd")).rpartition(".")[2]
        return name.partition("Cmd")[0]


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
        status = _number(_text(_fields(payload.fields).get("jobstatus")))
        if status is not None:
            return Job(jobid, status, payload.fields, payload.notes)
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


def answer(job: Job, command: str) -> Page | Document:
    """What a job gave: its result's object, or all that the server says where it has none.

    Raises:
        JobFailed: it failed, in the job's own words.
    """
    said = _fields(job.fields)
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
        text = _text(said.get("jobresult"))
        hints = ("Look at what it was to change before you send it again.",)
    if not text:
        text = "The job failed, and the server doesn't say why"
        hints = (
            "It is so when the management server was restarted while the job ran.",
            *hints,
        )
    return JobFailed(
        masked_message(text),
        *hints,
        command=command,
        errorcode=_number(code) or 530,
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
    try:
        if _opens(result, b"{"):
            return _raws.decode(result)
        return _raws.decode(msgspec.json.encode(loads(_text(result))))
    except (*UNREADABLE, UnicodeDecodeError):
        return None


def _fields(document: bytes) -> dict[str, msgspec.Raw]:
    """The fields of a job; none where they can't be read, for it may have done its work."""
    try:
        return _raws.decode(document)
    except (*UNREADABLE, UnicodeDecodeError):
        return {}


def _text(raw: msgspec.Raw | None) -> str:
    """A field as text, "" where there is none."""
    if raw is None:
        return ""
    try:
        value = msgspec.json.decode(raw)
    except UNREADABLE:
        return bytes(raw).decode("utf-8", "replace")
    return "" if value is None else str(value)


def _moment(raw: msgspec.Raw | None) -> datetime:
    """When something was; ValueError where that isn't told."""
    return datetime.fromisoformat(_text(raw))


def _number(text: str) -> int | None:
    """A number as CloudStack writes one, or None."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _opens(raw: msgspec.Raw, bracket: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == bracket
