"""Jobs: what takes time. Each goes on when the cloud is asked anything, as if it had meanwhile."""

from __future__ import annotations

import heapq
import math
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cs_magic.demo.cloud.refusals import Refused
from cs_magic.demo.cloud.trouble import FAILS, HANGS, SLOW, SLOWNESS, Failures, trouble_of
from cs_magic.demo.data.items import Account, Row, stamp
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.world import World

RUNNING, DONE, FAILED = 0, 1, 2
# How much of a job's time passes until one that refuses says so.
REFUSING = 0.1
# How many jobs that are over are remembered.
REMEMBERED = 20_000
# Where the numbers of a cloud's jobs are when people begin to count.
FIRST = 1_000


def _nothing() -> None:
    """Nothing."""


@dataclass(slots=True)
class Work:
    """What a job does. `begin` may refuse, as CloudStack does from within a job: that ends it a
    moment later. It may also change what is listed meanwhile; `finish` takes effect and gives
    the result; `undo` takes back what `begin` changed.

    Jobs `on` one machine wait for each other. `kind` and `instance` are what the
    job says it is about, `created` the id that the answer has next to the job's.
    It takes `span` times the seconds of a job; `failure` is what is said when it fails.
    """

    finish: Callable[[], Row]
    begin: Callable[[], None] = _nothing
    undo: Callable[[], None] = _nothing
    kind: str = ""
    instance: str = ""
    on: Machine | None = None
    created: str = ""
    span: float = 1.0
    failure: str = "Failed to do so"


@dataclass(slots=True, eq=False)
class Job:
    """A job, as queryAsyncJobResult and listAsyncJobs print it."""

    number: int
    id: str
    command: str
    java: str
    owner: Account
    created: float
    manager: str
    work: Work
    status: int = RUNNING
    code: int = 0
    result: Row | None = field(default=None, repr=False)
    refused: Refused | None = None
    completed: float = 0.0

    def get(self, name: str) -> Any:
        """What a filter compares."""
        return self.id if name == "id" else self.row().get(name)

    def row(self) -> Row:
        """The fields in the server's order: a job that is over names no management server."""
        owner, work = self.owner, self.work
        row: Row = {
            "accountid": owner.id,
            "account": owner.name,
            "domainid": owner.domain.id,
            "domainpath": owner.domain.path,
            "userid": owner.user.id,
            "cmd": f"org.apache.cloudstack.api.command.{self.java}",
            "jobprocstatus": 0,
            "jobresultcode": self.code,
        }
        if self.result is not None:
            row |= {"jobresulttype": "object", "jobresult": self.result}
        if work.kind:
            row["jobinstancetype"] = work.kind
        if work.instance:
            row["jobinstanceid"] = work.instance
        if self.status == RUNNING:
            row |= {"managementserverid": self.manager, "managementservername": "localhost"}
        row["created"] = stamp(self.created)
        if self.status != RUNNING:
            row["completed"] = stamp(self.completed)
        return row | {"jobid": self.id, "jobstatus": self.status}


class Jobs:
    """The jobs of one cloud. `seconds` is how long a usual one takes; `lock` is held by changes."""

    def __init__(self, world: World, seconds: float = 1.0) -> None:
        if seconds < 0:
            raise ValueError(f"A job cannot take {seconds} seconds")
        self.lock = threading.RLock()
        self.failures = Failures()
        self._world = world
        self._seconds = seconds
        self._table = world.table("jobs")
        self._due: list[tuple[float, int, Job]] = []
        self._hanging: list[Job] = []
        self._queues: dict[str, deque[Job]] = {}
        self._number = FIRST

    def known(self, id_: str) -> bool:
        """Whether there is a job with this id."""
        return self._table.find(id_) is not None

    def submit(self, work: Work, command: str, java: str, owner: Account, id_: str = "") -> Job:
        """Start a job, or put it behind the one that works on the same machine."""
        with self.lock:
            self._number += 1
            now, manager = self._world.clock.now(), self._world.places.manager_id
            new = id_ or str(uuid.uuid4())
            job = Job(self._number, new, command, java, owner, now, manager, work)
            self._remember(job)
            if work.on is None:
                self._begin(job, now)
                return job
            queue = self._queues.setdefault(work.on.id, deque())
            queue.append(job)
            if len(queue) == 1:
                self._begin(job, now)
            return job

    def advance(self) -> None:
        """Let happen what should have happened by now."""
        now = self._world.clock.now()
        if self._due and self._due[0][0] <= now:
            self._run_until(now)

    def finish(self, hanging: bool = False) -> None:
        """Let every job end at once, those that hang only where that is asked for."""
        with self.lock:
            if hanging:
                for job in self._hanging:
                    self._push(job, self._world.clock.now())
                self._hanging.clear()
            self._run_until(math.inf)
            if hanging and self._hanging:  # one that hung behind another one
                self.finish(hanging)

    def restart(self, forget: bool) -> None:
        """End what runs, without a result; with `forget`, no job of before is known any more."""
        with self.lock:
            now = self._world.clock.now()
            for job in self._table:
                if isinstance(job, Job) and job.status == RUNNING:
                    if not job.refused:
                        job.work.undo()
                    self._leave(job.work.on, job)
                    job.status, job.code, job.completed = FAILED, 530, now
            if forget:
                self._table.drop(*self._table)
            self._due.clear()
            self._hanging.clear()
            self._queues.clear()
            self._world.changed()

    def _remember(self, job: Job) -> None:
        if len(self._table) > REMEMBERED:
            over = [o for o in self._table if isinstance(o, Job) and o.status != RUNNING]
            self._table.drop(*over[: REMEMBERED // 4])
        self._table.add(job)

    def _run_until(self, moment: float) -> None:
        with self.lock:
            while self._due and self._due[0][0] <= moment:
                due, _, job = heapq.heappop(self._due)
                self._end(job, min(due, self._world.clock.now()))

    def _begin(self, job: Job, moment: float) -> None:
        """Take up a job."""
        work = job.work
        if work.on:
            work.on.job = job.id
        try:
            work.begin()
        except Refused as refused:
            job.refused = refused
            self._push(job, moment + REFUSING * self._seconds)
            return
        self._world.changed()
        trouble = trouble_of(work.on)
        if trouble == HANGS:
            self._hanging.append(job)
            return
        span = work.span * (SLOWNESS if trouble == SLOW else 1)
        self._push(job, moment + span * self._seconds)

    def _push(self, job: Job, moment: float) -> None:
        heapq.heappush(self._due, (moment, job.number, job))

    def _end(self, job: Job, moment: float) -> None:
        work = job.work
        fails = trouble_of(work.on) == FAILS
        if job.refused:
            self._close(job, moment, job.refused)
            self._go_on(job, moment)
            return
        try:
            if fails or self.failures.hit(job.command, work.instance or str(job.number)):
                raise Refused(530, work.failure)
            result = work.finish()
        except Refused as refused:
            work.undo()
            self._close(job, moment, refused)
        else:
            job.result = result
            self._close(job, moment)
        self._go_on(job, moment)

    def _close(self, job: Job, moment: float, refused: Refused | None = None) -> None:
        """Write down how a job ended."""
        if refused:
            job.code = refused.errorcode
            job.result = {"errorcode": refused.errorcode, "errortext": refused.errortext}
        job.completed = moment
        self._leave(job.work.on, job)
        self._world.changed()
        # Last: whoever sees that it is over sees what it did.
        job.status = FAILED if refused else DONE

    def _go_on(self, job: Job, moment: float) -> None:
        """Take up the next job on the same machine."""
        machine = job.work.on
        if machine is None or machine.id not in self._queues:
            return
        queue = self._queues[machine.id]
        queue.popleft()
        if queue:
            self._begin(queue[0], moment)
        else:
            del self._queues[machine.id]

    def _leave(self, machine: Machine | None, job: Job) -> None:
        if machine and machine.job == job.id:
            machine.job = ""
