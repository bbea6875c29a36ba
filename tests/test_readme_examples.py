"""What the README shows of `%cs` works on the demo cloud, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
# What stands for something of the reader's own, and what somebody has to answer.
OTHERS = re.compile(r"▲|…|\bNAME\b|\bID\b|\bprod\b|zurich|login")
SPANS = sorted({span for span in re.findall(r"`(%cs [^`]+)`", README) if not OTHERS.search(span)})
TOOK = re.compile(r"(?<= )\d+\.\d(?= s )")
LINES = re.findall(r"^(%cs --.*)$", README, re.M)
NAMES = re.findall(
    r"`([^`]+=[^`]+)`", README.partition("**Names for ids:**")[2].partition("Only")[0]
)
DEPLOY = "deployVirtualMachine zoneid=Zürich serviceofferingid=Small templateid=debian-12"


@pytest.fixture
def demo(notebook):
    notebook.fine("%cs -q use demo")
    return notebook


def test_the_first_session_is_what_somebody_sees(notebook):
    session = README.partition("```\n")[2].partition("```")[0]
    shown: list[str] = []
    for cell in re.findall(r"^In \[\d\]: (.*)$", session, re.M):
        for output in notebook.fine(cell).outputs:
            shown += TOOK.sub("…", output["text/plain"]).splitlines()
    wanted = [TOOK.sub("…", line) for line in session.splitlines() if line.strip()]
    wanted = [line for line in wanted if not line.startswith("In [") and line != "..."]
    assert len(wanted) == 5
    assert [line for line in wanted if line not in shown] == []


@pytest.mark.parametrize("span", SPANS)
def test_what_stands_in_the_text_works(demo, span):
    demo.fine("%cs -q listZones;")
    demo.fine(span)


def test_the_cell_of_the_help_works(demo):
    cell = re.search(r"^%%cs \[options\]\n((?:\w+ +<< .*\n)+)", README, re.M)
    demo.fine(f"%%cs -q\n{cell[1]}")
    assert set(demo.names["vms"].state) == {"Running"}
    assert set(demo.names["hosts"].type) == {"Routing"}


@pytest.mark.parametrize("line", LINES)
def test_a_call_for_each_works(demo, line):
    demo.fine("%cs -q -n 2 idle << listVirtualMachines state=Running")
    assert len(demo.fine(line.replace("%cs ", "%cs --dry-run ")).result) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_name_for_an_id_is_one_of_the_demos(demo, name):
    call = DEPLOY if name.startswith("iptonetworklist") else "listVirtualMachines"
    sent = demo.fine(f"%cs --dry-run {call} {name}").result
    typed = name.partition("=")[2].strip('"').split(",")
    assert not any(one in str(sent.to_dict("records")) for one in typed)
    if call == "listVirtualMachines":
        assert len(demo.fine(f"%cs -q {call} {name}").result) > 0


def test_there_are_examples_of_each_kind():
    assert len(SPANS) > 10
    assert len(LINES) == 2
    assert len(NAMES) == 4
