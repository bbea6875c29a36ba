"""Asking after jobs: one by its id or by what it is about, and all that are not over."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import since_date
from cs_magic.demo.cloud.jobs import RUNNING, Job
from cs_magic.demo.cloud.lists import ListCommand, ObjectCommand
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.refusals import FORBIDDEN, INVALID, NOT_YOURS, Refused
from cs_magic.demo.cloud.words import OWNERS, PAGES, keyword
from cs_magic.demo.data.items import Item, Row
from cs_magic.demo.data.world import World

FIELDS = (
    "accountid account domainid domainpath userid cmd jobprocstatus jobresultcode jobresulttype "
    "jobresult jobinstancetype jobinstanceid managementserverid managementservername created "
    "completed"
)
TYPES = {"jobresultcode": "integer", "jobresult": "responseobject", "completed": "date"}
# What resourcetype takes, in any letter case.
KINDS = frozenset(
    "virtualmachine volume snapshot ipaddress firewallrule user account network template iso "
    "vmsnapshot host".split()
)
RESOURCE = (
    Parameter("resourceid", "string", "what the job is about, by its id", since="4.22.1"),
    Parameter("resourcetype", "string", "with resourceid: what kind that is", since="4.22.1"),
)


def result(world: World, caller: Caller, arguments: Arguments) -> Row:
    """A job as it stands, for those who may see it."""
    job = _found(world, arguments)
    if not caller.sees(job.owner):
        account = caller.account
        shown = json.dumps(
            [{"accountName": account.name, "id": account.number, "uuid": account.id}],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        text = f"Account Account {shown} is not authorized to see job id={job.number}"
        raise Refused(531, NOT_YOURS if caller.is_domain_admin else text, FORBIDDEN)
    return job.row()


def _found(world: World, arguments: Arguments) -> Job:
    job: Item | None = None
    if "jobid" in arguments:
        job = world.table("jobs").find(arguments["jobid"])
    else:
        id_, kind = arguments.get("resourceid"), arguments.get("resourcetype")
        if id_ is None and kind is None:
            text = "Expected parameter job id or parameters resource type and resource id"
            raise Refused(431, text, INVALID)
        if id_ is None or kind is None:
            raise Refused(431, "Both resourceid and resourcetype required", INVALID)
        if kind.lower() not in KINDS:
            raise Refused(431, "Invalid resourcetype", INVALID)
        jobs = [job for job in world.table("jobs") if _about(job, id_, kind)]
        job = jobs[-1] if jobs else None
    if not isinstance(job, Job):
        raise Refused(431, "Unable to find a job for the given resource", INVALID)
    return job


def _about(job: Item, id_: str, kind: str) -> bool:
    work = job.work if isinstance(job, Job) else None
    return bool(work and work.instance == id_ and work.kind.lower() == kind.lower())


def unfinished(world: World, caller: Caller, arguments: Arguments) -> Sequence[Item]:
    """The jobs that are not over."""
    jobs = world.table("jobs").items
    return [job for job in jobs if isinstance(job, Job) and job.status == RUNNING]


COMMANDS = (
    ObjectCommand(
        "queryAsyncJobResult",
        parameters=(Parameter("jobid", "uuid", "the job", entity="jobs"), *RESOURCE),
        fields=FIELDS,
        types=TYPES,
        answer=result,
    ),
    ListCommand(
        "listAsyncJobs",
        key="asyncjobs",
        table="jobs",
        source=unfinished,
        scope=scopes.owned,
        remembered=False,
        parameters=(
            keyword("cmd"),
            Parameter("startdate", "date", "those since then", since_date("created")),
            *OWNERS,
            *PAGES,
        ),
        fields=FIELDS,
        types=TYPES,
    ),
)
