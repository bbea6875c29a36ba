"""What destroys or interrupts asks first, and says by name what it hits."""

from __future__ import annotations

import io
import re
import sys

import pytest
from kernels import Kernel, started

from cs_magic.demo.server import Demo, serving
from cs_magic.errors import ApiError, Refused


class Terminal(io.StringIO):
    """A terminal in which these lines are typed."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def cloud(monkeypatch):
    with serving(machines=60, job_seconds=0) as demo:
        for name, value in variables(demo).items():
            monkeypatch.setenv(name, value)
        yield demo


def variables(demo: Demo) -> dict[str, str]:
    return {
        "CLOUDSTACK_ENDPOINT": demo.endpoint,
        "CLOUDSTACK_KEY": demo.api_key,
        "CLOUDSTACK_SECRET": demo.secret_key,
    }


@pytest.fixture
def vms(notebook, cloud):
    """The machines, the running ones first."""
    notebook.fine("%cs -q vms << listVirtualMachines")
    vms = notebook.names["vms"]
    usual = vms[(vms.state == "Running") & ~vms.name.duplicated(keep=False)]
    return usual.reset_index(drop=True)


@pytest.fixture
def typed(monkeypatch):
    """Type an answer beforehand."""

    def say(answer: str) -> Terminal:
        terminal = Terminal(answer)
        monkeypatch.setattr(sys, "stdin", terminal)
        return terminal

    return say


def questions(ran) -> list[str]:
    """What was shown before it was asked, which names the profile behind the command alone."""
    return [line for line in ran.lines if re.match(r"\w+( · [\d,]+ calls)? · env at 127", line)]


def question(ran) -> str:
    [text] = questions(ran)
    return text


# -- what is asked -------------------------------------------------------------------------


def test_it_names_command_profile_host_the_machine_and_what_makes_it_graver(
    notebook, cloud, vms, typed
):
    typed("yes\n")
    first = vms.iloc[0]
    ran = notebook.fine(f"%cs destroyVirtualMachine id={first.id} expunge=true")
    port = cloud.endpoint.split(":")[2].split("/")[0]
    assert question(ran).splitlines() == [
        f"destroyVirtualMachine · env at 127.0.0.1:{port}",
        f"  id: {first['name']} ({first.id})",
        "  expunge=true",
    ]
    assert "destroyVirtualMachine at 127.0.0.1" in ran.printed
    assert [one.command for one in cloud.jobs] == ["destroyVirtualMachine"]


@pytest.mark.parametrize("answer", ["yes\n", "y\n", " YES \n"])
def test_yes_sends_it_once(notebook, cloud, vms, typed, answer):
    typed(answer)
    notebook.fine(f"%cs stopVirtualMachine id={vms.id[0]}")
    [change] = cloud.jobs
    assert (change.command, change.arguments["id"]) == ("stopVirtualMachine", vms.id[0])


@pytest.mark.parametrize("answer", ["no\n", "n\n", "\n", "yess\n", "sure\n", ""])
def test_anything_but_yes_sends_nothing_and_the_variable_stays(notebook, cloud, vms, typed, answer):
    typed(answer)
    ran = notebook.run(f"x = %cs stopVirtualMachine id={vms.id[0]}", x="old")
    assert isinstance(ran.error, Refused)
    assert "sent" in ran.error_lines[0]
    assert notebook.names["x"] == "old"
    assert cloud.jobs == ()


def test_a_name_that_was_typed_is_shown_with_the_id_that_is_sent(notebook, cloud, vms, typed):
    typed("yes\n")
    ran = notebook.fine("%cs stopVirtualMachine id=$name", name=vms.name[0])
    assert f"id: {vms.name[0]} ({vms.id[0]})" in question(ran)
    assert cloud.jobs[0].arguments["id"] == vms.id[0]


def test_of_many_objects_the_first_ten_names_and_the_count_are_shown(notebook, vms, typed):
    from cs_magic.api.values import Call
    from cs_magic.notebook.asking import ask
    from cs_magic.opening import connect

    typed("yes\n")
    few = vms.iloc[:12]
    notebook.names["few"] = few
    with connect() as connection:
        calls = [Call("stopVirtualMachine", (("id", id_), ("forced", "true"))) for id_ in few.id]
        notebook.names.update(ask=ask, connection=connection, calls=calls)
        ran = notebook.fine("ask(connection, connection.catalogue.find(calls[0].command), calls)")
    head, ids, forced = question(ran).splitlines()
    assert head.startswith("stopVirtualMachine · 12 calls · env at 127.0.0.1")
    assert ids.startswith(f"  id: 12: {few.name[0]} ({few.id[0]}), ")
    assert few.name[9] in ids
    assert few.name[10] not in ids
    assert ids.endswith(" … and 2 more")
    assert forced == "  forced=true"
    assert "send these 12 calls?" in ran.printed


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ("deleteTags resourcetype=UserVm resourceids=$ids", False),
        ("removeVirtualMachinesFromKubernetesCluster id=1 virtualmachineids=$ids", True),
    ],
)
def test_a_list_of_ids_is_counted_and_named_where_it_says_of_what(
    notebook, vms, typed, call, named
):
    typed("no\n")
    ran = notebook.run(f"%cs --no-check {call}", ids=list(vms.id[:3]))
    told = [f"{vms.name[n]} ({vms.id[n]})" if named else vms.id[n] for n in range(3)]
    assert f"ids: 3: {', '.join(told)}" in question(ran)
    assert isinstance(ran.error, Refused)


def test_what_is_not_found_is_shown_by_its_id(notebook, cloud, typed):
    typed("yes\n")
    nobody = "0f3d2c1b-1111-4222-8333-444455556666"
    ran = notebook.run(f"%cs stopVirtualMachine id={nobody}")
    assert f"  id: {nobody}" in question(ran).splitlines()
    assert isinstance(ran.error, ApiError)


def test_a_call_without_arguments_says_that_it_may_hit_everything(notebook, vms, typed):
    typed("no\n")
    assert "it may hit all there is" in question(notebook.run("%cs purgeExpungedResources"))


def test_a_secret_is_not_in_the_question(notebook, vms, typed):
    typed("no\n")
    ran = notebook.run(
        "%cs resetPasswordForVirtualMachine id=$id password=$p", id=vms.id[0], p="tell-tale"
    )
    assert "password=••••" in question(ran)
    assert "tell-tale" not in str(ran.outputs) + ran.printed


def test_a_name_that_would_drive_a_terminal_or_be_html_is_shown_harmlessly(notebook, vms, typed):
    typed("no\n")
    notebook.fine("%cs -q updateVirtualMachine id=$id name=<b>bold", id=vms.id[0])
    ran = notebook.run("%cs --no-check stopVirtualMachine id=$id of=$evil", evil="\x1b[2J\u202e")
    assert f"<b>bold ({vms.id[0]})" in question(ran)
    assert not any("<b>" in one.get("text/html", "") for one in ran.outputs)
    assert not any(wild in str(ran.outputs) + ran.printed for wild in "\x1b\u202e")


# -- when it is not asked ------------------------------------------------------------------


@pytest.mark.parametrize("option", ["-y", "--yes"])
def test_y_says_yes_beforehand(notebook, cloud, vms, option):
    ran = notebook.fine(f"%cs {option} stopVirtualMachine id={vms.id[0]}")
    assert questions(ran) == []
    assert len(cloud.jobs) == 1


def test_a_write_that_takes_away_by_an_argument_is_asked_about(notebook, cloud, vms, typed):
    typed("no\n")
    ran = notebook.run(f"%cs updateVirtualMachine id={vms.id[0]} cleanupdetails=true")
    assert "cleanupdetails=true" in question(ran)
    assert isinstance(ran.error, Refused)
    assert cloud.jobs == ()


def test_a_write_that_destroys_nothing_is_not_asked_about(notebook, cloud, vms):
    notebook.fine(f"%cs updateVirtualMachine id={vms.id[0]} displayname=other")
    assert len(cloud.jobs) == 1


def test_a_dry_run_shows_what_would_be_sent_without_asking(notebook, cloud, vms):
    ran = notebook.fine(f"%cs --dry-run destroyVirtualMachine id={vms.id[0]} expunge=true")
    assert list(ran.result.command) == ["destroyVirtualMachine"]
    assert "expunge=true" in ran.result.parameters[0]
    assert "customjobid" not in ran.result.parameters[0]
    assert cloud.jobs == ()


def test_a_script_is_not_asked(cloud):
    from cs_magic import connect

    with connect() as connection:
        vms = connection.listVirtualMachines(state="Running")
        connection.stopVirtualMachine(id=vms.id[0])
    assert len(cloud.jobs) == 1


def test_a_script_that_may_only_read_destroys_nothing(cloud):
    from cs_magic import connect

    with connect(read_only=True) as connection:
        vms = connection.listVirtualMachines()
        with pytest.raises(Refused, match="read-only"):
            connection.stopVirtualMachine(id=vms.id[0])
        with pytest.raises(Refused, match="read-only"):
            connection.call("getUploadParamsForVolume", name="x", zoneid="1", format="QCOW2")
    assert cloud.jobs == ()


# -- where nobody can be asked -------------------------------------------------------------


def test_unattended_it_is_refused_and_nothing_of_the_cell_was_sent(notebook, cloud, vms):
    id_ = vms.id[0]
    ran = notebook.run(
        f"%%cs\nupdateVirtualMachine id={id_} displayname=x\nstopVirtualMachine id={id_}"
    )
    assert isinstance(ran.error, Refused)
    assert "nobody can be asked here; nothing was sent" in ran.error.message
    assert any("%cs -y stopVirtualMachine" in hint for hint in ran.error.hints)
    assert cloud.jobs == ()


def test_unattended_an_empty_list_sends_nothing_and_asks_nobody(notebook, cloud, vms):
    ran = notebook.fine("r = %cs --each stopVirtualMachine id=$none", none=[])
    assert questions(ran) == []
    assert list(notebook.names["r"].columns) == ["id", "outcome", "jobid", "error", "seconds"]
    ran = notebook.run("%cs --each stopVirtualMachine id=$some", some=[vms.id[0]])
    assert isinstance(ran.error, Refused)
    assert cloud.jobs == ()


def test_read_only_is_stronger_than_yes(notebook, cloud, vms):
    ran = notebook.run(f"%cs use env --read-only\n%cs -y stopVirtualMachine id={vms.id[0]}")
    assert isinstance(ran.error, Refused)
    assert "read-only" in ran.error.message
    assert cloud.jobs == ()


# -- in a real kernel ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with (
        serving(machines=60, job_seconds=0) as demo,
        started(home, variables(demo)) as kernel,
    ):
        kernel.run("%load_ext cs_magic")
        kernel.run("%cs -q vms << listVirtualMachines state=Running")
        yield kernel, demo


def answered(kernel: Kernel, cell: str, answer: str) -> tuple[list[str], list[dict]]:
    prompts: list[str] = []
    outputs: list[dict] = []

    def asked(message: dict) -> None:
        prompts.append(message["content"]["prompt"])
        kernel.client.input(answer)

    kernel.client.execute_interactive(
        cell,
        allow_stdin=True,
        stdin_hook=asked,
        output_hook=lambda message: outputs.append(message),
        timeout=60,
        stop_on_error=False,
    )
    return prompts, outputs


def test_a_kernel_whose_front_end_takes_no_questions_refuses_at_once(kernel):
    kernel, demo = kernel
    before = len(demo.jobs)
    [shown] = kernel.run("%cs stopVirtualMachine id=$vms.id[0]")
    assert (shown["output_type"], shown["ename"]) == ("error", "Refused")
    assert len(demo.jobs) == before


def test_a_kernel_asks_its_front_end(kernel):
    kernel, demo = kernel
    before = len(demo.jobs)
    cell = "%cs stopVirtualMachine id=$vms.id[1]"
    prompts, outputs = answered(kernel, cell, "no")
    assert len(prompts) == 1
    assert prompts[0].startswith("stopVirtualMachine at 127.0.0.1")
    assert "error" in [message["msg_type"] for message in outputs]
    assert len(demo.jobs) == before
    prompts, outputs = answered(kernel, cell, "yes")
    assert "error" not in [message["msg_type"] for message in outputs]
    assert len(demo.jobs) == before + 1
