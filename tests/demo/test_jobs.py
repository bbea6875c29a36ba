"""Jobs, as a real server's: what is told of them, how they wait, fail, hang and get lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import recorded as real
from conftest import Worker

from cs_magic.demo.server import serving

CHOSEN = "f9ed75ad-5d3b-4af2-9e1f-bad46c3e8084"


def recorded_jobs(status: int, kind: str) -> list[dict[str, Any]]:
    """The recorded answers about jobs of that state, about a thing of that kind."""
    rows = []
    for step in real.recorded():
        if step.command == "queryAsyncJobResult" and step.status == 200 and real.whole(step.body):
            row = real.inner(step)[1]
            if row["jobstatus"] == status and row.get("jobinstancetype", "") == kind:
                rows.append(row)
    return rows


def check_shape(row: dict[str, Any]) -> None:
    """The fields, their order and spelling are those of a recorded job."""
    samples = recorded_jobs(row["jobstatus"], row.get("jobinstancetype", ""))
    assert samples
    assert list(row) in [list(sample) for sample in samples]
    for name in set(row) - {"jobresult"}:
        assert real.spelling(row[name]) in {real.spelling(sample[name]) for sample in samples}


def test_a_stop_is_pending_then_done_and_the_machine_stopping_then_stopped(worker: Worker) -> None:
    machine = worker.machine(state="Running", name="jump-prod-01")
    started = worker.call("stopVirtualMachine", id=machine["id"])
    assert list(started.json) == ["stopvirtualmachineresponse"]
    assert list(started.inner) == ["jobid"]
    check_shape(worker.job(started.inner["jobid"]))
    row = worker.machine(id=machine["id"])
    assert (row["state"], row["jobid"], row["jobstatus"]) == ("Stopping", started.inner["jobid"], 0)
    worker.demo.finish_jobs()
    job = worker.job(started.inner["jobid"])
    check_shape(job)
    assert job["cmd"] in {row["cmd"] for row in recorded_jobs(1, "VirtualMachine")}
    assert job["jobresult"]["virtualmachine"]["state"] == "Stopped"
    row = worker.machine(id=machine["id"])
    assert row["state"] == "Stopped"
    assert "jobid" not in row
    assert "hostid" not in row


def test_a_list_that_was_asked_before_a_change_shows_it_when_asked_again(worker: Worker) -> None:
    asked = {"state": "Running", "listall": "true", "page": "1", "pagesize": "10"}
    before = worker.call("listVirtualMachines", **asked)
    worker.done("stopVirtualMachine", id=before.rows[0]["id"])
    after = worker.call("listVirtualMachines", **asked)
    assert after.count == before.count - 1
    assert before.rows[0]["id"] not in {row["id"] for row in after.rows}


def test_a_job_ends_by_itself_when_its_time_is_over(wire: Any) -> None:
    with serving(machines=50, job_seconds=0) as demo:
        worker = Worker(demo, wire)
        machine = worker.machine(state="Running")
        job = worker.call("stopVirtualMachine", id=machine["id"]).inner["jobid"]
        assert worker.job(job)["jobstatus"] == 1


def test_two_jobs_on_one_machine_wait_for_each_other(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    first = worker.call("stopVirtualMachine", id=id_).inner["jobid"]
    second = worker.call("startVirtualMachine", id=id_).inner["jobid"]
    assert [row["jobid"] for row in worker.call("listAsyncJobs").rows] == [first, second]
    assert worker.machine(id=id_)["state"] == "Stopping"
    worker.demo.finish_jobs()
    assert [worker.job(job)["jobstatus"] for job in (first, second)] == [1, 1]
    assert worker.machine(id=id_)["state"] == "Running"
    assert worker.call("listAsyncJobs").inner == {}


def test_many_jobs_that_are_refused_from_within_do_not_pile_up(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    first = worker.call("stopVirtualMachine", id=id_).inner["jobid"]
    for _ in range(600):
        last = worker.call("rebootVirtualMachine", id=id_).inner["jobid"]
    worker.demo.finish_jobs()
    assert worker.job(first)["jobstatus"] == 1
    assert worker.job(last)["jobresultcode"] == 431
    assert worker.done("startVirtualMachine", id=id_)["jobstatus"] == 1


def test_several_clients_at_once_lose_nothing(worker: Worker) -> None:
    rows = worker.call("listVirtualMachines", listall="true", state="Running").rows
    ids = [row["id"] for row in rows if not row["name"].startswith("print-")][:120]

    def stop(id_: str) -> str:
        job: str = worker.call("stopVirtualMachine", id=id_).inner["jobid"]
        return job

    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(stop, ids))
    worker.demo.finish_jobs()
    assert sorted(change.arguments["id"] for change in worker.demo.jobs) == sorted(ids)
    assert {change.outcome for change in worker.demo.jobs} == {"done"}
    assert {worker.job(job)["jobstatus"] for job in jobs} == {1}
    stopped = worker.call("listVirtualMachines", listall="true", ids=",".join(ids)).rows
    assert {row["state"] for row in stopped} == {"Stopped"}


def test_jobs_of_others_are_refused_in_the_recorded_words(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    job = worker.call("rebootVirtualMachine", id=id_).inner["jobid"]
    answer = worker.as_("webshop").call("queryAsyncJobResult", jobid=job)
    assert answer.status == 531
    account = worker.demo.world.people.accounts["webshop"]
    number = worker.demo.world.table("jobs").find(job).number  # type: ignore[union-attr]
    shown = json.dumps(
        [{"accountName": "webshop", "id": account.number, "uuid": account.id}],
        separators=(",", ":"),
    )
    assert answer.inner["errortext"] == (
        f"Account Account {shown} is not authorized to see job id={number}"
    )
    assert worker.as_("retail-admin").call("queryAsyncJobResult", jobid=job).status == 531
    assert worker.as_("auditor").job(job)["jobid"] == job
    assert worker.as_("webshop").call("listAsyncJobs").inner == {}
    assert worker.as_("auditor").call("listAsyncJobs").inner == {}
    assert worker.as_("auditor").call("listAsyncJobs", listall="true").count == 1


def test_a_job_is_found_by_what_it_is_about(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    job = worker.call("rebootVirtualMachine", id=id_).inner["jobid"]
    for kind in ("VirtualMachine", "virtualmachine"):
        asked = {"resourceid": id_, "resourcetype": kind}
        assert worker.call("queryAsyncJobResult", **asked).inner["jobid"] == job
    answer = worker.call("queryAsyncJobResult", resourceid=id_, resourcetype="UserVm")
    assert (answer.status, answer.inner["errortext"]) == (431, "Invalid resourcetype")


def test_a_client_may_choose_the_id_of_its_job_once(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    answer = worker.call("rebootVirtualMachine", id=id_, customjobid=CHOSEN)
    assert answer.inner == {"jobid": CHOSEN}
    again = worker.call("rebootVirtualMachine", id=id_, customjobid=CHOSEN)
    assert (again.status, again.inner["errortext"]) == (530, "Entity already exists ")
    for wrong in ("nonsense", CHOSEN.upper()):
        answer = worker.call("rebootVirtualMachine", id=id_, customjobid=wrong)
        text = f"UUID: {wrong} doesn't follow the UUID format"
        assert (answer.status, answer.inner["errortext"]) == (431, text)
    assert worker.call("listAsyncJobs").count == 1


def test_a_machine_named_for_it_fails_and_stays_as_it_was(worker: Worker) -> None:
    id_ = worker.machine(name="print-prod-01")["id"]
    job = worker.done("stopVirtualMachine", id=id_)
    check_shape(job)
    assert (job["jobstatus"], job["jobresultcode"]) == (2, 530)
    assert job["jobresult"] == {"errorcode": 530, "errortext": "Failed to stop Instance"}
    assert worker.machine(id=id_)["state"] == "Running"


def test_a_machine_named_for_it_hangs_until_it_is_let_go(worker: Worker) -> None:
    id_ = worker.machine(name="print-dev-01")["id"]
    assert worker.done("stopVirtualMachine", id=id_)["jobstatus"] == 0
    assert worker.machine(id=id_)["state"] == "Stopping"
    worker.demo.finish_jobs(hanging=True)
    assert worker.machine(id=id_)["state"] == "Stopped"


def test_a_slow_machine_takes_ten_times_as_long(wire: Any) -> None:
    now = [0.0]
    with serving(machines=60, job_seconds=1) as demo:
        demo.world.clock._ticks = lambda: now[0]
        worker = Worker(demo, wire)
        slow, usual = worker.call("listVirtualMachines", listall="true", state="Running").rows[:2]
        worker.call("updateVirtualMachine", id=slow["id"], displayname="tape-slow")
        jobs = [
            worker.call("stopVirtualMachine", id=row["id"]).inner["jobid"] for row in (slow, usual)
        ]
        states = []
        for moment in (0.9, 1.1, 9.9, 10.1):
            now[0] = moment
            states.append([worker.job(job)["jobstatus"] for job in jobs])
        assert states == [[0, 0], [0, 1], [0, 1], [1, 1]]


def test_a_share_of_calls_fails_and_the_record_says_which(worker: Worker) -> None:
    rows = worker.call("listVirtualMachines", listall="true", state="Running", pagesize="-1").rows
    worker.demo.fail("stopVirtualMachine", share=0.3, seed=4)
    jobs = {
        worker.call("stopVirtualMachine", id=row["id"]).inner["jobid"]: row["id"]
        for row in rows[:100]
    }
    worker.demo.finish_jobs(hanging=True)
    record = [change for change in worker.demo.jobs if change.command == "stopVirtualMachine"]
    assert [change.job for change in record] == list(jobs)
    failed = {change.arguments["id"] for change in record if change.outcome == "failed"}
    assert failed == {id_ for job, id_ in jobs.items() if worker.job(job)["jobstatus"] == 2}
    assert 10 < len(failed) < 50
    with pytest.raises(ValueError, match="no share"):
        worker.demo.fail("stopVirtualMachine", share=2)


def test_the_record_has_each_arrival_and_no_secret(worker: Worker) -> None:
    worker.call("updateVirtualMachine", id="nonsense", displayname="x", password="tell-tale")
    worker.call("createSSHKeyPair", name="one")
    worker.call("createSSHKeyPair", name="one")
    record = worker.demo.jobs
    assert [(c.command, c.outcome, c.errorcode) for c in record] == [
        ("updateVirtualMachine", "refused", 431),
        ("createSSHKeyPair", "done", 0),
        ("createSSHKeyPair", "refused", 431),
    ]
    assert record[0].arguments == {"id": "nonsense", "displayname": "x"}
    assert "tell-tale" not in repr(record)
    assert worker.demo.accounts["admin"].api_key not in repr(record)


def test_after_a_restart_no_job_is_known(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    job = worker.call("stopVirtualMachine", id=id_).inner["jobid"]
    worker.demo.restart()
    answer = worker.call("queryAsyncJobResult", jobid=job)
    assert (answer.status, answer.inner["cserrorcode"]) == (431, 9999)
    row = worker.machine(id=id_)
    assert row["state"] == "Running"
    assert "jobid" not in row


def test_a_job_that_a_restart_ended_failed_without_a_result(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    job = worker.call("stopVirtualMachine", id=id_).inner["jobid"]
    worker.demo.restart(forget_jobs=False)
    row = worker.job(job)
    assert row["jobstatus"] == 2
    assert not {"jobresult", "jobresulttype"} & row.keys()
