"""`%%cs`: several calls, parsed and checked before the first is sent; line and cell agree."""

from __future__ import annotations

import pandas as pd
import pytest

from cs_magic.errors import ApiError, CallError


def calls(cloud) -> list[dict[str, str]]:
    """What was sent, without what differs by time and the one question for the page size."""
    changing = {"signature", "expires"}
    return [
        {name: value for name, value in request.items() if name not in changing}
        for request in cloud.requests
        if request["command"] != "listConfigurations"
    ]


# -- line and cell --------------------------------------------------------------------------

SAME = [
    "listZones",
    "listVirtualMachines state=Running",
    "listVirtualMachines ids=$ids",
    "listVirtualMachines ids={ids}",
    "listVirtualMachines ids=$frame.id",
    "listVirtualMachines id=$frame[0].id",
    "listVirtualMachines id=$row['id'] tags.env=prod tags.tier=$tier",
    "listVirtualMachines name='$tier {tier}' keyword=\"{tier}\"",
    "listVirtualMachines keyword=a$tier name=b{tier}",
    "--own -n 3 listVirtualMachines # which",
    "-n $n -c name listVirtualMachines",
    "--no-check listVirtualMachines foo={tier}",
    "listZones name='two words' keyword=\"it's\"",
    "listZones name=",
]
IDS = [f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2)]
NAMES = {
    "ids": IDS,
    "frame": pd.DataFrame({"id": IDS}),
    "row": {"id": IDS[0]},
    "tier": "db",
    "n": 2,
}


@pytest.mark.parametrize("statement", SAME)
def test_line_and_cell_send_the_same_and_give_the_same(notebook, cloud, statement):
    results, requests = [], []
    words = statement.partition(" # ")[0].split(" ")
    command = next(place for place, word in enumerate(words) if word.startswith("list"))
    one_line = " ".join(words[: command + 1])
    for cell in (
        f"%cs {statement}",
        f"x = %cs {statement}\nx",
        f"%%cs\n{statement}",
        f"%%cs\n# first\n\n{statement}\n\n",
        f"%%cs {one_line}\n{' '.join(words[command + 1 :])}\n#",
        f"%%cs {' '.join(words[:command])}\n{' '.join(words[command:])}",
    ):
        cloud.requests.clear()
        ran = notebook.fine(cell, **NAMES)
        results.append(ran.result)
        requests.append(calls(cloud))
    assert all(each == requests[0] and each for each in requests)
    for result in results[1:]:
        pd.testing.assert_frame_equal(result, results[0])


# -- several calls --------------------------------------------------------------------------


def test_results_are_shown_in_order_and_named_ones_are_kept(notebook, cloud):
    ran = notebook.fine(
        "%%cs\n-c name listZones\nvms << listVirtualMachines\n-c name,state listHosts"
    )
    kinds = [
        "table" if "<table" in str(shown.get("text/html")) else "line" for shown in ran.outputs
    ]
    assert kinds == ["table", "line", "table"]
    assert [line.split(" row")[0] for line in ran.lines] == ["1", "vms: 226", "7"]
    assert list(ran.result.columns) == ["name", "state"]
    assert len(notebook.names["vms"]) == 226


def test_options_on_the_first_line_go_for_all_and_a_line_may_say_otherwise(notebook, cloud):
    ran = notebook.fine("%%cs -q -c name\nz << listZones\nh << listHosts\n-c id u << listUsers")
    assert ran.outputs == []
    assert [list(notebook.names[name]) for name in "zhu"] == [["name"], ["name"], ["id"]]


def test_indented_lines_and_comments_belong_to_the_call_above(notebook, cloud):
    notebook.fine(
        "%%cs -q\n"
        "# the machines\n"
        "vms << listVirtualMachines\n"
        "    state=Running   # only these\n"
        "    # and\n"
        "\n"
        "    keyword='two words'\n"
        "listZones name=sim"
    )
    first, second, zones = calls(cloud)
    assert (first["state"], first["keyword"]) == ("Running", "two words")
    assert (second["state"], second["keyword"]) == ("Running", "two words")
    assert (zones["command"], zones["name"]) == ("listZones", "sim")


def test_a_name_assigned_in_the_cell_is_looked_up_when_its_line_runs(notebook, cloud):
    ran = notebook.run(
        "%%cs -q\nz << listZones\nh << listHosts zoneid=$z.id", z=pd.DataFrame({"id": ["old"]})
    )
    assert ran.error is None
    zones, hosts = calls(cloud)
    assert hosts["zoneid"] == notebook.names["z"].id[0] != "old"
    assert "zoneid" not in zones


def test_a_name_that_turns_out_empty_stops_the_cell_there(notebook, cloud):
    ran = notebook.run("%%cs -q\nz << listZones\nlistHosts zoneid=$z.nothing")
    assert ran.error_lines[0] == "CallError: line 3: z has no .nothing"
    assert [call["command"] for call in calls(cloud)] == ["listZones"]
    assert len(notebook.names["z"]) == 1


UNSENT = {
    "listZones\nlistHosts foo": "line 3: foo is not parameter=value",
    "listZones\nstauts": "line 3: CloudStack 4.23 has no command stauts: did you mean status?",
    "listZones\nlistHosts\n  nme=a": "line 4: listHosts has no parameter nme",
    "listZones\nlistHosts name=$nope": "line 3: nope is not defined",
    "listZones\nlistHosts name=$empty": "line 3: $empty is empty",
    "listZones\n-n 0 listHosts": "line 3: --limit takes a number from 1, not 0",
    "listZones\n-n $nope listHosts": "line 3: nope is not defined",
    "listZones\ncreateUser password=abc": "line 3: password is a secret",
    "z << listZones\nlistHosts zoneid=$z.id nme=a": "line 3: listHosts has no parameter nme",
    "z << listZones\nlistHosts zoneid=$z.id name=$nope": "line 3: nope is not defined",
    "z << listZones\nstopVirtualMachine forced=$z.id": "line 3: stopVirtualMachine needs id",
    "listZones\nuse nowhere": "There is no profile nowhere",
    "use env\nlistZones\nlistHosts nme=a": "line 4: listHosts has no parameter nme",
}


@pytest.mark.parametrize("body", UNSENT)
def test_a_cell_is_checked_as_a_whole_before_the_first_call_is_sent(notebook, cloud, body):
    ran = notebook.run(f"%%cs\n{body}", empty=[], z="old")
    assert ran.error_lines[0].partition(": ")[2].startswith(UNSENT[body])
    assert (cloud.requests, ran.outputs, notebook.names["z"]) == ([], [], "old")


def test_a_call_that_fails_names_its_line_and_what_came_before_is_kept(notebook, cloud):
    ran = notebook.run(
        "%%cs\n-c name listZones\nz << listZones\n--no-check w << listFoos\nlistHosts", w="old"
    )
    assert isinstance(ran.error, ApiError)
    assert "  line 4: listFoos" in ran.error_lines
    assert len(ran.tables) == 1
    assert (len(notebook.names["z"]), notebook.names["w"]) == (1, "old")
    assert [call["command"] for call in calls(cloud)][-1] == "listFoos"


def test_the_caret_stands_below_the_line_that_is_wrong(notebook, cloud):
    ran = notebook.run("%%cs -q\nlistZones\n\nvms << listVirtualMachines\n  nme=a\n")
    assert type(ran.error) is CallError
    assert ran.error_lines[:3] == [
        "CallError: line 5: listVirtualMachines has no parameter nme: did you mean name?",
        "    nme=a",
        "    ^",
    ]
