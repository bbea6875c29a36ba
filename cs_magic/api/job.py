"""A job as the server tells of it, and what it gave: no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cs_magic.api.envelope import UNREADABLE
from cs_magic.api.lenient import loads
from cs_magic.api.masks import masked_message
from cs_magic.api.values import Document, Page
from cs_magic.errors import JobFailed

RUNNING, DONE = 0, 1
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


def job_in(payload: Document, jobid: str) -> Job | None:
    """The job that an answer to queryAsyncJobResult tells of, or None where it tells of none."""
    status = _number(_text(_fields(payload.fields).get("jobstatus")))
    return None if status is None else Job(jobid, status, payload.fields, payload.notes)


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
