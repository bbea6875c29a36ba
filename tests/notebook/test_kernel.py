"""`%cs` in a real kernel: the messages that a notebook gets, saves and stops at."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from kernels import TIMEOUT, Kernel, started
from replay import environment

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def kernel(recorded_cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all tests here, with the extension loaded, in folders of its own."""
    with started(tmp_path_factory.mktemp("kernel"), environment(recorded_cloud)) as kernel:
        yield kernel


def test_a_table_is_an_execute_result_with_text_and_html_above_the_quiet_line(kernel):
    [table] = kernel.run("%cs -c name,id listZones")
    assert table["output_type"] == "execute_result"
    *_, row, line = table["data"]["text/plain"].split("\n")
    assert "sim" in row
    assert line.startswith("1 row · ")
    assert line.endswith(" s · complete")
    before, _, after = table["data"]["text/html"].partition("</table>")
    assert "sim" in before
    assert re.search(r"<small[^>]*>1 row · .* · complete</small>$", after)


def test_a_target_and_an_assignment_keep_the_frame(kernel):
    assert [shown["output_type"] for shown in kernel.run("%cs a << listVirtualMachines")] == [
        "display_data"
    ]
    assert kernel.run("b = %cs -q listVirtualMachines") == []
    assert kernel.value("type(a).__name__, len(a), len(b)") == "('DataFrame', 226, 226)"


def test_a_last_semicolon_shows_nothing_and_keeps_what_is_assigned(kernel):
    assert kernel.run("%cs -q listZones;") == []
    assert kernel.run("c = %cs -q listZones;") == []
    assert kernel.value("len(c)") == "1"


def test_a_cell_shows_its_results_in_order(kernel):
    outputs = kernel.run("%%cs -q\n-c name listZones\nh << listHosts\n-c name,state listHosts")
    assert [shown["output_type"] for shown in outputs] == ["display_data", "execute_result"]
    assert all("<table" in shown["data"]["text/html"] for shown in outputs)


def test_an_error_is_an_error_output_of_one_line_and_the_old_value_is_kept(kernel):
    kernel.run("d = 'old'")
    [error] = kernel.run("d = %cs --no-check listFoos")
    assert (error["output_type"], error["ename"]) == ("error", "Unauthorized")
    assert error["evalue"] == "unable to verify user credentials and/or request signature"
    assert error["traceback"][0] == f"Unauthorized: {error['evalue']}"
    assert error["traceback"][1] == "  listFoos: errorcode 401"
    assert not any("Traceback" in line or "magics.py" in line for line in error["traceback"])
    assert kernel.value("d") == "'old'"


def test_cells_that_wait_behind_a_failed_one_are_not_run(kernel, tmp_path):
    client, both_sent = kernel.client, tmp_path / "both sent"
    kernel.run("e = 'old'")
    holds = f"from pathlib import Path\nwhile not Path({str(both_sent)!r}).exists():\n    pass\n"
    waiting = [
        client.execute(f"{holds}%cs listZones nme=a", stop_on_error=True),
        client.execute("e = 'ran'", stop_on_error=True),
    ]
    both_sent.touch()
    replies: dict[str, str] = {}
    while len(replies) < len(waiting):
        message = client.get_shell_msg(timeout=TIMEOUT)
        replies[message["parent_header"]["msg_id"]] = message["content"]["status"]
    assert [replies[each] for each in waiting] == ["error", "aborted"]
    assert kernel.value("e") == "'old'"


# The ▲ stands before the character that the caret points to; it is not typed.
WRONG = [
    "%cs ▲stauts",
    "%cs listZones ▲nme=a",
    "%cs listZones ▲foo",
    "%cs listZones name=▲$nope",
    "%cs listZones name=▲{nope.id}",
    "%cs listZones name=▲'a",
    "%cs listZones name='a'▲b",
    "%cs listZones name=▲$e.upper()",
    "%cs listZones ▲-n 5",
    "%cs listZones name=a ▲name=b",
    "%cs listZones name=two ▲words # and more",
    "%cs ▲-n5 listZones",
    "%cs -n ▲0 listZones",
    "%cs -n ▲many listZones",
    "%cs ▲--limt 5 listZones",
    "%cs -o ▲csv listZones",
    "%cs -c name,▲nmae listHosts",
    "%cs vms ▲= listZones",
    "%cs ▲stopVirtualMachine",
    "%cs use ▲$nope",
    "%cs last ▲5",
    "x = %cs listZones ▲foo",
    "%%cs\nlistZones\nlistHosts ▲foo",
    "%%cs\nz << listZones\nlistHosts zoneid=$z.id\n  ▲nme=a",
    "%%cs listZones\n# which\n▲foo",
]


@pytest.mark.parametrize("marked", WRONG)
def test_a_wrong_text_is_an_error_with_a_caret_below_the_fault(kernel, recorded_cloud, marked):
    recorded_cloud.requests.clear()
    [error] = kernel.run(marked.replace("▲", ""))
    assert (error["output_type"], error["ename"]) == ("error", "CallError")
    lines = [COLOURS.sub("", line) for line in error["traceback"]]
    [caret] = [number for number, line in enumerate(lines) if line.strip() == "^"]
    [typed] = [line for line in marked.split("\n") if "▲" in line]
    before, after = typed.split("▲")
    before = re.sub(r"^(x = )?%+cs ?", "", before)
    assert lines[caret - 1] == f"  {before}{after}"
    assert lines[caret] == "  " + " " * len(before) + "^"
    assert recorded_cloud.requests == []
