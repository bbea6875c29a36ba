"""What came of many calls, as one table: a row per call, whatever became of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from cs_magic.api.client import Client
from cs_magic.api.jobs import FORGOTTEN
from cs_magic.api.many import Many
from cs_magic.api.masks import is_secret, masked_arguments
from cs_magic.api.records import Records, rows_of
from cs_magic.api.traces import listing
from cs_magic.api.turns import DONE, FAILED, NOT_SENT, RUNNING, UNKNOWN, Outcome
from cs_magic.api.values import Call, Document, Page, Payload, Provenance, Result
from cs_magic.errors import StillRunning

# The columns that every row has, beside the arguments of its call.
COLUMNS = {"outcome": "text", "jobid": "text", "error": "text", "seconds": "float"}
_MORE = {"created": "text", "result": "nested"}
_ORDER = (DONE, FAILED, RUNNING, UNKNOWN, NOT_SENT)
_SHOWN = 5


def waited(many: Many) -> bool:
    """Wait until every call has its outcome; whether somebody interrupted that."""
    try:
        with many:
            many.wait()
    except KeyboardInterrupt:
        return True
    return False


def result_of(
    client: Client,
    calls: Sequence[Call],
    outcomes: Sequence[Outcome],
    seconds: float,
    like: Call | None = None,
) -> Result:
    """The table of the calls, as they were meant, and what came of them; none are `like` one.

    They took so many `seconds` together.
    """
    meant = [*calls, *([like] if like else [])]
    names = dict.fromkeys(name for call in meant for name, _ in call.arguments)
    kinds = {_column(name): "text" for name in names} | COLUMNS
    records = Records(kinds)
    rows = [_row(call, outcome) for call, outcome in zip(calls, outcomes, strict=True)]
    records.add(Page("call", len(rows), json.dumps(rows).encode()))
    left = sum(outcome.state == NOT_SENT for outcome in outcomes)
    provenance = Provenance(
        command=meant[0].command if meant else "",
        profile=client.profile.name,
        host=client.profile.host,
        rows=len(rows),
        count=len(rows),
        seconds=seconds,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=not left,
        reason=f"{left:,} not sent" if left else "",
    )
    notes = (*records.notes, *([lost] if (lost := _lost(provenance.command, outcomes)) else []))
    return Result(records.table(), provenance, "call", notes, records.secrets)


def _lost(command: str, outcomes: Sequence[Outcome]) -> str:
    """Where to look for the calls whose fate is unknown; empty where there is none."""
    unknown = [outcome for outcome in outcomes if outcome.state == UNKNOWN]
    if not unknown:
        return ""
    lost = any(one.jobid and one.error != FORGOTTEN for one in unknown)
    jobs = "%cs jobs asks after their jobs; " if lost else ""
    listed = listing(command)
    look = f"%cs {listed}" if listed else "the list of what they change"
    return f"{len(unknown):,} unknown: {jobs}{look} shows what became of them"


def counted(counts: Counter[str]) -> str:
    """`950 done · 50 failed`, in an order of its own, nothing that is zero."""
    parts = [f"{counts[state]:,} {state}" for state in _ORDER if counts[state]]
    return " · ".join(parts) or "nothing to send"


def interrupted(result: Result, outcomes: Sequence[Outcome]) -> StillRunning:
    """The error of who stopped it."""
    jobids = tuple(one.jobid for one in outcomes if one.state == RUNNING and one.jobid)
    more = f" and {len(jobids) - _SHOWN:,} more" if len(jobids) > _SHOWN else ""
    counts = Counter(outcome.state for outcome in outcomes)
    return StillRunning(
        f"Interrupted, nothing more is sent: {counted(counts)}",
        f"Going on: {', '.join(jobids[:_SHOWN])}{more}. %cs jobs lists them." if jobids else "",
        *(note for note in result.notes if " unknown: " in note),
        "%cs last shows each call with its outcome.",
        jobids=jobids,
        result=result,
    )


def whole(payload: Payload) -> Payload:
    """All of an answer is kept."""
    return payload


def secrets_of(payload: Payload) -> Payload | None:
    """What is kept of an answer to a write: the secrets, which nobody gives a second time."""
    rows = _rows(payload)
    found = [{name: row[name] for name in row if is_secret(name) and row[name]} for row in rows]
    kept = [row for row in found if row]
    return Document(None, json.dumps(kept[0]).encode()) if kept else None


def page_of(result: Result) -> Page:
    """A result as a page again."""
    rows = rows_of(result.table)
    return Page(result.key, len(rows), json.dumps(rows, default=str).encode())


def _row(call: Call, outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {_column(name): value for name, value in masked_arguments(call.arguments)}
    row |= {"outcome": outcome.state, "jobid": outcome.jobid or None}
    row |= {"error": outcome.error or None, "seconds": None}
    if outcome.seconds is not None:
        row["seconds"] = round(outcome.seconds, 3)
    if outcome.created:
        row["created"] = outcome.created
    if outcome.answer is not None:
        rows = list(_rows(outcome.answer))
        row["result"] = rows if isinstance(outcome.answer, Page) else rows[0]
    return row


def _rows(payload: Payload) -> Iterator[dict[str, Any]]:
    found = []
    if isinstance(payload, Page):
        found = json.loads(payload.rows)
    elif isinstance(payload, Document):
        found = [json.loads(payload.fields)]
    yield from (row for row in found if isinstance(row, dict))


def _column(name: str) -> str:
    """The column of an argument, beside those that every row has."""
    return f"{name}=" if name.lower() in COLUMNS or name.lower() in _MORE else name
