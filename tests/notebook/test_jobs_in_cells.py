"""Jobs in real kernels: one display that is updated, the stop button, `job`, `jobs`, `--each`."""

from __future__ import annotations

import json
from ast import literal_eval
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from front import Cell, Front, front

from cs_magic.demo.server import Demo

PROFILE = """
[prod]
endpoint = "{0.endpoint}"
api_key = "{0.api_key}"
secret_key = "{0.secret_key}"
catalogue = "bundled"
"""


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A cloud of 1,200 machines whose jobs take a moment."""
    with Demo(job_seconds=0.5) as demo:
        yield demo


@pytest.fixture(scope="module")
def page(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A kernel that has the extension, the machines as `vms`, and the three that are odd."""
    with front(tmp_path_factory.mktemp("jobs"), PROFILE.format(demo)) as page:
        page.fine("%load_ext cs_magic")
        page.fine("%cs -q vms << listVirtualMachines")
        page.fine(
            "usual = (vms.state == 'Running') & ~vms.name.str.startswith('print-')\n"
            "up = vms[usual].reset_index(drop=True)\n"
            "few = up.head(3)\ngaps = few.copy()\ngaps.loc[1, 'id'] = None\nnone = few[:0]\n"
            "named = lambda name: vms[vms.name == name].id.iloc[0]\n"
            "fails, slow, hangs = map(named, ['print-prod-01', 'print-test-01', 'print-dev-01'])"
        )
        yield page


def about(page: Front, cell: Cell) -> list[dict[str, Any]]:
    """The messages that show or update an output of a cell."""
    [key] = [key for key, one in page.cells.items() if one is cell]
    kinds = {"display_data", "update_display_data", "execute_result", "stream", "error"}
    mine = [one for one in page.raw if one["parent_header"].get("msg_id") == key]
    return [one for one in mine if one["msg_type"] in kinds]


def running_job(page: Front, cell: Cell) -> str:
    """The id of the job that the cell says is running, as soon as it says so."""
    page.until(lambda: " · job " in cell.text)
    return cell.text.partition(" · job ")[2].split(" ")[0]


def changes(demo: Demo, command: str) -> list[Any]:
    return [one for one in demo.jobs if one.command == command]


def test_progress_is_one_display_that_is_updated_and_ends_in_one_final_line(page, demo):
    cell = page.fine("%cs -y -c name,state stopVirtualMachine id=$slow")
    first, *updates, table = about(page, cell)
    assert (first["msg_type"], table["msg_type"]) == ("display_data", "execute_result")
    assert len(updates) >= 2
    place = first["content"]["transient"]["display_id"]
    for update in updates:
        assert update["msg_type"] == "update_display_data"
        assert update["content"]["transient"]["display_id"] == place
    [change] = [one for one in changes(demo, "stopVirtualMachine") if one.outcome == "done"][-1:]
    begun = first["content"]["data"]["text/plain"]
    assert begun.startswith(f"stopVirtualMachine · running 0 s · job {change.job} · id=")
    assert f"prod at {demo.endpoint.split('/')[2]}" in begun
    # What the saved file holds.
    [line, shown] = cell.outputs
    assert line["data"]["text/plain"].startswith("stopVirtualMachine · done ")
    assert line["data"]["text/html"].startswith("<small")
    assert "Stopped" in shown["data"]["text/plain"]


def test_a_job_that_fails_is_an_error_output_in_the_jobs_words(page):
    cell = page.run("%cs -y stopVirtualMachine id=$fails")
    assert cell.status == "error"
    line, error = cell.outputs
    assert line["data"]["text/plain"].startswith("stopVirtualMachine · failed ")
    assert (error["ename"], error["evalue"]) == ("JobFailed", "Failed to stop Instance")


def test_the_stop_button_ends_the_waiting_alone_and_job_then_gives_the_row(page, demo):
    page.fine("a = 'old'")
    waiting = page.start("a = %cs -y stopVirtualMachine id=$hangs")
    queued = page.start("b = 'ran'")
    jobid = running_job(page, waiting)
    page.manager.interrupt_kernel()
    page.end(waiting)
    page.end(queued)
    assert (waiting.status, queued.status) == ("error", "aborted")
    assert waiting.outputs[-1]["ename"] == "StillRunning"
    assert f"%cs job {jobid}" in "\n".join(waiting.outputs[-1]["traceback"])
    assert "still running" in waiting.outputs[0]["data"]["text/plain"]
    assert page.value("a, 'b' in globals()") == "('old', False)"
    [change] = [one for one in demo.jobs if one.job == jobid]
    assert change.outcome == "running"
    assert "still" not in page.fine("%cs jobs").text
    demo.finish_jobs(hanging=True)
    page.fine(f"j = {jobid!r}")
    cell = page.fine("a = %cs -c id,state job $j")
    assert cell.text.startswith("stopVirtualMachine · done ")
    assert page.value("a.state[0], a.id[0] == hangs") == "('Stopped', True)"
    assert len([one for one in demo.jobs if one.job == jobid]) == 1


def test_timeout_and_no_wait_leave_the_job_and_jobs_lists_them(page, demo):
    cell = page.run("%cs --timeout 0.1 startVirtualMachine id=$slow")
    assert cell.outputs[-1]["ename"] == "StillRunning"
    page.fine("%cs --no-wait k << startVirtualMachine id=$hangs")
    page.fine("%cs js << jobs")
    jobid = page.value("k.jobid[0]").strip("'")
    assert page.value("js[js.jobid == k.jobid[0]].state.iloc[0]") == "'running'"
    assert page.value("'failed' in set(js.state), 'done' in set(js.state)") == "(True, True)"
    stands = page.fine("%cs -c jobid,jobstatus job $k.jobid[0] --no-wait")
    assert jobid in stands.text
    demo.finish_jobs(hanging=True)
    page.fine("%cs js << jobs")
    assert page.value("js[js.jobid == k.jobid[0]].state.iloc[0]") == "'done'"


def test_a_restart_that_forgets_jobs_is_told(page, demo):
    page.fine("%cs -y -q --no-wait k << rebootVirtualMachine id=$hangs")
    demo.restart(forget_jobs=False)
    cell = page.run("%cs job $k.jobid[0]")
    assert "restarted" in "\n".join(cell.outputs[-1]["traceback"])
    demo.restart()
    cell = page.run("%cs job $k.jobid[0]")
    assert cell.outputs[-1]["ename"] == "ApiError"
    assert "doesn't know that job" in "\n".join(cell.outputs[-1]["traceback"])


def test_each_over_a_thousand_machines_is_what_the_cloud_did(page, demo):
    demo.fail("rebootVirtualMachine", 0.05)
    before = len(demo.jobs)
    cell = page.fine(
        "some = up.head(1000)\n%cs -y --each --workers 64 r << rebootVirtualMachine id=$some.id"
    )
    did = {one.arguments["id"]: one for one in demo.jobs[before:]}
    rows = literal_eval(page.value("r[['id', 'outcome', 'jobid']].to_dict('records')"))
    assert len(rows) == len(demo.jobs[before:]) == int(page.value("len(some)"))
    for row in rows:
        change = did[row["id"]]
        assert (row["outcome"], row["jobid"]) == (change.outcome, change.job)
    outcomes = Counter(row["outcome"] for row in rows)
    assert outcomes["failed"] > 20
    updates = [one for one in about(page, cell) if one["msg_type"] == "update_display_data"]
    assert updates
    line, _ = cell.outputs
    said = f"× {len(rows):,} · {outcomes['done']} done · {outcomes['failed']} failed · "
    assert said in line["data"]["text/plain"]
    demo.fail("rebootVirtualMachine", 0)


def test_the_stop_button_ends_each_and_keeps_what_is_known(page, demo):
    page.fine("r = 'old'\nodd = [hangs, slow, *up.id[:20]]")
    before = len(demo.jobs)
    cell = page.start("%cs -y --each --workers 1 r << stopVirtualMachine id=$odd")
    page.until(lambda: "1 still running" in cell.text)
    page.manager.interrupt_kernel()
    page.end(cell)
    assert cell.outputs[-1]["ename"] == "StillRunning"
    assert "1 still running · 21 not sent" in cell.outputs[-1]["evalue"]
    assert [one.outcome for one in demo.jobs[before:]] == ["running"]
    page.fine("%cs kept << last")
    assert page.value("r, kept.outcome.value_counts().to_dict()") == (
        "('old', {'not sent': 21, 'still running': 1})"
    )
    demo.finish_jobs(hanging=True)


def test_each_row_of_a_table_makes_a_call_of_its_own(page, demo):
    before = len(demo.jobs)
    page.fine("%cs --each vm=$few r << updateVirtualMachine id=$vm.id displayname=$vm.name group=a")
    sent = [dict(one.arguments) for one in demo.jobs[before:]]
    meant = literal_eval(page.value("sorted(zip(few.id, few.name))"))
    assert meant == sorted((one["id"], one["displayname"]) for one in sent)
    assert {one["group"] for one in sent} == {"a"}
    assert page.value("list(r.outcome)") == "['done', 'done', 'done']"


def test_the_line_says_the_name_that_was_typed(page):
    name = page.value("few.name[0]").strip("'")
    assert f" · id={name} · " in page.fine("%cs -y rebootVirtualMachine id=$few.name[0]").text
    page.fine("%cs js << jobs")
    assert page.value("js.parameters.iloc[-1]") == f"'id={name}'"


def test_names_stand_for_ids_in_each_call(page, demo):
    before = len(demo.jobs)
    page.fine("%cs -y --each r << rebootVirtualMachine id=$few.name")
    ids = sorted(one.arguments["id"] for one in demo.jobs[before:])
    assert literal_eval(page.value("sorted(few.id)")) == ids
    assert page.value("list(r.id) == list(few.name)") == "True"


def test_an_empty_list_sends_nothing_and_gives_an_empty_frame(page, demo):
    before = len(demo.jobs)
    page.fine("none = few[:0]\n%cs -y --each r << stopVirtualMachine id=$none.id")
    page.fine("%cs --each vm=$none s << updateVirtualMachine id=$vm.id displayname=$vm.name")
    assert page.value("len(r), list(r.columns)") == (
        "(0, ['id', 'outcome', 'jobid', 'error', 'seconds'])"
    )
    assert page.value("len(s), 'displayname' in s") == "(0, True)"
    assert len(demo.jobs) == before


def test_a_dry_run_shows_each_call_and_sends_none(page, demo):
    before = len(demo.jobs)
    cell = page.fine("%cs --each --dry-run stopVirtualMachine id=$few.id")
    ids = literal_eval(page.value("list(few.id)"))
    assert [one in cell.text for one in ids] == [True] * 3
    assert cell.text.count("stopVirtualMachine") == 3
    assert len(demo.jobs) == before


WRONG = {
    "%cs --each stopVirtualMachine id=$few.id[0]": "no parameter is a list",
    "%cs --each updateVirtualMachine id=$few.id displayname=$few.name": "displayname are lists",
    "%cs --each vm=$few stopVirtualMachine id=$few.id[0]": "no parameter uses $vm",
    "%cs --each vm=$few.shape[0] stopVirtualMachine id=$vm.id": "a table or a list, not a int",
    "%cs --each vm=$gaps stopVirtualMachine id=$vm.id": "row 1: $vm.id is",
    "%cs --each stopVirtualMachine id=$gaps.id": "$gaps.id[1] is",
    "%cs --each stopVirtualMachine ids=$few.id": "no parameter ids",
    "%cs --each --workers 0 stopVirtualMachine id=$few.id": "takes a number from 1 to 64",
    "%cs --timeout soon stopVirtualMachine id=$slow": "--timeout takes a number of seconds",
    "%cs job": "job takes the id of a job",
    "%cs job a b": "job takes no b",
    "%cs jobs a": "jobs takes no a",
    "%cs --each jobs": "jobs takes no --each",
}


@pytest.mark.parametrize("cell", WRONG)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(page, demo, cell):
    page.fine("gaps = few.copy()\ngaps.loc[1, 'id'] = None")
    before = len(demo.jobs)
    ran = page.run(cell)
    assert ran.status == "error"
    assert WRONG[cell] in ran.outputs[-1]["evalue"]
    assert ran.outputs[-1]["ename"] == "CallError"
    assert len(demo.jobs) == before


def test_a_password_made_by_each_is_hidden_and_shown_once_on_demand(page):
    page.fine("off = vms[vms.state == 'Stopped'].head(40)")
    cell = page.fine("%cs -y --each --workers 20 r << resetPasswordForVirtualMachine id=$off.id")
    assert "is shown once: %cs last --reveal" in cell.text
    hidden = page.value("{one['password'] for one in r.result if one}")
    assert hidden == "{'••••'}"
    page.fine("%cs s << last --reveal")
    shown = literal_eval(page.value("[one['password'] for one in s.result if one]"))
    assert shown
    assert not any(password in json.dumps(cell.outputs) for password in shown)


def test_quiet_shows_no_progress(page):
    assert page.fine("%cs -y -q r << rebootVirtualMachine id=$slow").outputs == []


def test_the_kernel_holds_no_thread_of_ours_afterwards(page: Front, tmp_path: Path) -> None:
    page.fine("import threading")
    assert page.value("[t.name for t in threading.enumerate() if 'calls' in t.name]") == "[]"
