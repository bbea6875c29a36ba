"""The record of the state-changing calls that arrived, for whoever wants to count them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from cs_magic.demo.cloud.jobs import DONE, RUNNING, Job

# How many calls are remembered.
REMEMBERED = 100_000
# No business of a record: secrets, and what only proves who is asking.
LEFT_OUT = frozenset(
    (
        "command",
        "response",
        "apikey",
        "signature",
        "signatureversion",
        "expires",
        "sessionkey",
        "password",
        "currentpassword",
        "secretkey",
        "privatekey",
        "userdata",
    )
)


@dataclass(frozen=True, slots=True)
class Change:
    """A state-changing call that arrived: once per arrival, however it ended.

    `outcome` is "done", "failed" (by its job), "running" or "refused" (at once, with
    `errorcode`). `arguments` are as sent, without secrets and signature.
    """

    command: str
    arguments: Mapping[str, str]
    account: str
    outcome: str
    job: str = ""
    errorcode: int = 0


@dataclass(slots=True)
class _Entry:
    command: str
    arguments: Mapping[str, str]
    account: str
    job: Job | None = None
    errorcode: int = 0

    def seen(self) -> Change:
        outcome, code = "done", self.errorcode
        if code:
            outcome = "refused"
        elif self.job:
            outcome = {RUNNING: "running", DONE: "done"}.get(self.job.status, "failed")
            code = self.job.code
        job = self.job.id if self.job else ""
        return Change(self.command, self.arguments, self.account, outcome, job, code)


class Record:
    """The calls, oldest first; the newest are kept. Several threads may write at once."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def arrived(self, command: str, sent: Mapping[str, str], account: str) -> _Entry:
        """Note a call, whose end is then written into the entry."""
        kept = {name: value for name, value in sent.items() if name.lower() not in LEFT_OUT}
        entry = _Entry(command, kept, account)
        with self._lock:
            self._entries.append(entry)
        return entry

    @property
    def seen(self) -> tuple[Change, ...]:
        """The calls so far, as they stand now."""
        with self._lock:
            return tuple(entry.seen() for entry in self._entries)
