"""What is left where a call or its waiting is interrupted, lost or forgotten; in a real kernel."""

from __future__ import annotations

import json
import threading
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from api.servers import Came, Reply, Server, serving
from front import Cell, Front, front

PROFILE = """
[prod]
endpoint = "{0}"
api_key = "k"
secret_key = "s"
catalogue = "bundled"
"""
ID = "cbe28269-ac23-4d52-a8b0-a2ae8f78f9f6"
TIMES = {"created": "2026-11-23T15:09:51+0000", "completed": "2026-11-23T15:09:58+0000"}


def inner(**fields: Any) -> bytes:
    return json.dumps({"x": fields}).encode()


@dataclass
class Script:
    """What the server does next: which command waits until `go`, which is lost, what a job is."""

    waits: str = ""
    loses: str = ""
    refuses: str = ""
    status: int = 1
    forgets: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def answer(self, came: Came) -> Reply:
        command, form = came.form["command"], came.form
        if command == self.waits:
            self.arrived.set()
            self.go.wait(60)
        if command == self.loses:
            return Reply(drop=True)
        if command == self.refuses:
            return Reply(431, inner(errorcode=431, errortext="No"))
        if command != "queryAsyncJobResult":
            return Reply(body=inner(jobid=form.get("customjobid", "j-1")))
        if self.forgets:
            return Reply(431, inner(errorcode=431, errortext="Invalid parameter jobid " * 12))
        job = {"jobid": form["jobid"], "jobstatus": self.status, "cmd": "org.x.StopVMCmdByAdmin"}
        done = {"jobresult": {"success": True}, **TIMES} if self.status else {}
        return Reply(body=inner(**job, **done))


class Cloud:
    """A server that does as its script says."""

    def __init__(self) -> None:
        self.script = Script()
        self.server: Server

    def does(self, **script: Any) -> Script:
        self.script.go.set()
        self.script = Script(**script)
        return self.script

    def asked(self) -> int:
        return sum(one.form["command"] == "queryAsyncJobResult" for one in self.server.came)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    with serving(lambda came: cloud.script.answer(came)) as server:
        cloud.server = server
        yield cloud
        cloud.script.go.set()


@pytest.fixture(scope="module")
def page(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("left")
    with front(home, PROFILE.format(cloud.server.endpoint)) as page:
        page.fine("%load_ext cs_magic")
        yield page


def interrupted(page: Front, script: Script, source: str) -> Cell:
    """A cell that is interrupted once the server has what it waits with."""
    cell = page.start(source)
    page.until(script.arrived.is_set)
    page.manager.interrupt_kernel()
    page.end(cell)
    return cell


def error(cell: Cell) -> tuple[str, str]:
    shown = cell.outputs[-1]
    return shown["ename"], "\n".join(shown["traceback"])


def standing(page: Front, jobid: str) -> tuple[str, str, str]:
    """State, seconds and error of a job in `%cs jobs`, each as it is shown."""
    page.fine("%cs js << jobs")
    row = f"js[js.jobid == {jobid!r}].iloc[0]"
    return tuple(page.value(f"str({row}.{name})").strip("'\"") for name in FACTS)  # type: ignore[return-value]


FACTS = ("state", "seconds", "error")


def test_who_interrupts_a_call_under_way_is_told_its_job_and_jobs_finds_it(page, cloud):
    script = cloud.does(waits="stopVirtualMachine")
    kind, told = error(interrupted(page, script, f"%cs -y stopVirtualMachine id={ID}"))
    [came] = [one for one in cloud.server.came if one.form["command"] == "stopVirtualMachine"]
    jobid = came.form["customjobid"]
    assert kind == "FateUnknown"
    assert "it may have been carried out" in told
    assert f"%cs job {jobid}" in told
    assert f"%cs listVirtualMachines id={ID}" in told
    cloud.does(forgets=True)
    state, seconds, said = standing(page, jobid)
    assert (state, seconds) == ("unknown", "<NA>")
    assert said.startswith("the server knows no such job")
    cloud.does()
    assert standing(page, jobid) == ("done", "7.0", "")


def test_a_call_that_was_refused_leaves_no_job(page, cloud):
    cloud.does(refuses="stopVirtualMachine")
    page.fine("%cs js << jobs")
    before = page.value("len(js)")
    assert error(page.run(f"%cs -y stopVirtualMachine id={ID}"))[0] == "ApiError"
    page.fine(f"ids = [{ID!r}]\n%cs -y --each r << stopVirtualMachine id=$ids\n%cs js << jobs")
    assert page.value("len(js)") == before


def test_a_call_whose_answer_was_lost_is_among_the_jobs(page, cloud):
    cloud.does(loses="rebootVirtualMachine")
    kind, told = error(page.run(f"%cs -y rebootVirtualMachine id={ID}"))
    assert kind == "FateUnknown"
    jobid = told.partition("%cs job ")[2].split()[0]
    cloud.does(status=0)
    assert standing(page, jobid)[0] == "running"
    cloud.does()
    assert standing(page, jobid)[0] == "done"


def test_each_tells_the_job_of_a_lost_call_and_where_to_look_once(page, cloud):
    cloud.does(loses="rebootVirtualMachine")
    page.fine(f"ids = [{ID!r}, {ID[::-1].replace('-', 'a', 1)!r}]")
    cell = page.fine("%cs -y --no-check --each r << rebootVirtualMachine id=$ids")
    sent = [one.form["customjobid"] for one in cloud.server.came[-2:]]
    assert literal_eval(page.value("sorted(r.jobid)")) == sorted(sent)
    assert page.value("set(r.outcome)") == "{'unknown'}"
    assert cell.text.count("%cs jobs asks after their jobs; %cs listVirtualMachines") == 1
    cloud.does()
    assert [standing(page, jobid)[0] for jobid in sent] == ["done", "done"]


def test_who_interrupts_each_reads_in_the_line_that_stays_what_is_unknown(page, cloud):
    script = cloud.does(waits="stopVirtualMachine")
    page.fine(f"ids = [{ID!r}, {ID.replace('c', 'd')!r}]")
    cell = interrupted(page, script, "%cs -y --workers 1 --each stopVirtualMachine id=$ids")
    kind, told = error(cell)
    assert kind == "StillRunning"
    assert "1 unknown · 1 not sent" in told
    assert "1 unknown · 1 not sent" in cell.outputs[0]["data"]["text/plain"]
    page.fine("%cs r << last")
    assert page.value("r.jobid.notna().tolist()") == "[True, False]"
    cloud.does()


def test_a_job_takes_as_long_as_the_server_says_and_not_until_somebody_asks(page, cloud):
    cloud.does(status=0)
    page.fine(f"%cs -y -q --no-wait k << stopVirtualMachine id={ID}")
    jobid = page.value("k.jobid[0]").strip("'")
    cloud.does()
    assert standing(page, jobid) == ("done", "7.0", "")
    shown = page.fine(f"%cs -y stopVirtualMachine id={ID}").text
    assert shown.startswith("stopVirtualMachine · done 7 s · job ")


def test_a_job_that_the_server_forgot_is_so_and_is_not_asked_after_again(page, cloud):
    script = cloud.does(status=0)
    cell = page.start(f"%cs -y stopVirtualMachine id={ID}")
    page.until(lambda: " · job " in cell.text)
    script.forgets = True
    page.end(cell)
    line, _ = cell.outputs
    assert line["data"]["text/plain"].startswith(
        "stopVirtualMachine · forgotten by the server · job "
    )
    kind, told = error(cell)
    assert kind == "ApiError"
    first = told.splitlines()[0]
    assert first.endswith("which the server doesn't know any more")
    assert len(first) < 150
    jobid = first.partition(" as job ")[2].split(",")[0]
    state, _, said = standing(page, jobid)
    asked = cloud.asked()
    assert state == "forgotten"
    assert len(said) < 100
    assert standing(page, jobid)[0] == "forgotten"
    assert cloud.asked() == asked


def test_interrupting_jobs_frees_the_kernel_in_one_line(page, cloud):
    cloud.does(status=0)
    page.fine(f"%cs -y -q --no-wait k << stopVirtualMachine id={ID}")
    script = cloud.does(waits="queryAsyncJobResult")
    kind, told = error(interrupted(page, script, "%cs jobs"))
    assert not script.go.is_set()
    assert kind == "StillRunning"
    assert "1 of 1 jobs were not asked after" in told
    cloud.does()
    assert standing(page, page.value("k.jobid[0]").strip("'"))[0] == "done"


def test_interrupting_job_at_its_first_question_says_how_to_go_on(page, cloud):
    script = cloud.does(waits="queryAsyncJobResult")
    kind, told = error(interrupted(page, script, "%cs job j-77"))
    assert kind == "StillRunning"
    assert "%cs job j-77" in told


def test_a_job_of_another_kernel_is_told_with_its_command_and_its_end(page, cloud):
    script = cloud.does(status=0)
    cell = page.start("%cs job j-78")
    page.until(lambda: "StopVM · running" in cell.text)
    script.status = 1
    page.end(cell)
    assert cell.text.startswith("StopVM · done 7 s · job j-78")
