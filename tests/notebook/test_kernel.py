"""`%cs` in a real kernel: the messages that a notebook gets, saves and stops at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from replay import environment

TIMEOUT = 60
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """A kernel that runs cells and gives their outputs as nbformat knows them."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client

    def run(self, cell: str) -> list[dict[str, Any]]:
        """The outputs of a cell: dicts with `output_type`."""
        outputs: list[dict[str, Any]] = []

        def take(message: dict[str, Any]) -> None:
            if message["msg_type"] in {"display_data", "execute_result", "error", "stream"}:
                outputs.append({"output_type": message["msg_type"], **message["content"]})

        self.client.execute_interactive(
            cell, output_hook=take, allow_stdin=False, timeout=TIMEOUT, stop_on_error=False
        )
        return outputs

    def value(self, expression: str) -> str:
        """The repr of an expression."""
        [shown] = self.run(expression)
        return str(shown["data"]["text/plain"])


@pytest.fixture(scope="module")
def kernel(recorded_cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all tests here, with the extension loaded, in folders of its own."""
    home = tmp_path_factory.mktemp("kernel")
    folders = (
        "HOME",
        "IPYTHONDIR",
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in folders:
            patch.setenv(name, str(home / name.lower()))
        for name, value in environment(recorded_cloud).items():
            patch.setenv(name, value)
        manager, client = start_new_kernel(kernel_name="python3")
    try:
        kernel = Kernel(client)
        assert kernel.run("%load_ext cs_magic") == []
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_table_is_an_execute_result_with_text_and_html_below_the_quiet_line(kernel):
    line, table = kernel.run("%cs -c name,id listZones")
    assert line["output_type"] == "display_data"
    assert line["data"]["text/plain"] == "1 row · complete"
    assert line["data"]["text/html"].startswith("<small")
    assert table["output_type"] == "execute_result"
    assert "sim" in table["data"]["text/plain"]
    assert "<table" in table["data"]["text/html"]


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


def test_cells_that_wait_behind_a_failed_one_are_not_run(kernel):
    client = kernel.client
    kernel.run("e = 'old'")
    waiting = [
        client.execute("%cs listZones nme=a", stop_on_error=True),
        client.execute("e = 'ran'", stop_on_error=True),
    ]
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
