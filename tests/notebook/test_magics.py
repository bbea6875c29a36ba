"""`%cs` in a real shell, against recorded replies over a socket: cells as they are typed."""

from __future__ import annotations

import pandas as pd
import pytest

from cs_magic.errors import ProfileError
from cs_magic.notebook.vocabulary import OPTIONS, WORDS, help_text


def sent(cloud, *commands: str) -> list[dict[str, str]]:
    """The requests of these commands (of all, if none are named), without what is added to sign."""
    added = {"apiKey", "signature", "expires", "signatureVersion", "response", "page", "pagesize"}
    return [
        {name: value for name, value in request.items() if name not in added}
        for request in cloud.requests
        if not commands or request["command"] in commands
    ]


VMS = "226 rows · 2 pages in … s · listall=true + projectid=-1 · complete"


# -- what is shown, what is kept ------------------------------------------------------------


def test_a_list_is_a_plain_frame_that_is_shown_as_a_table_above_a_quiet_line(notebook, cloud):
    ran = notebook.fine("%cs listVirtualMachines")
    assert type(ran.result) is pd.DataFrame
    assert ran.result.shape[0] == 226
    assert ran.result.columns[0] == "name"
    assert ran.lines == [VMS]
    assert len(ran.tables) == 1
    assert ran.tables[0].rindex("</table>") < ran.tables[0].index("226 rows")
    assert ran.printed == ""


def test_a_target_gets_the_frame_and_nothing_but_the_line_is_shown(notebook, cloud):
    ran = notebook.fine("%cs vms << listVirtualMachines")
    assert (ran.lines, ran.tables, ran.result) == (
        [f"vms: {VMS}"],
        [],
        None,
    )
    assert len(notebook.names["vms"]) == 226


def test_an_assignment_gets_the_frame_and_no_table_is_shown(notebook, cloud):
    ran = notebook.fine("vms = %cs listVirtualMachines")
    assert len(notebook.names["vms"]) == 226
    assert ran.tables == []


@pytest.mark.parametrize(
    "cell",
    [
        "%cs -q listZones;",
        "%cs -q listZones ; # nothing",
        "%cs -q listZones name='sim';",
        "%%cs -q\nlistZones;",
        "%%cs -q\nlistZones;\nlistHosts;",
        "%%cs -q listZones\nname=sim;",
        "%cs -q last;",
    ],
)
def test_a_last_semicolon_shows_nothing(notebook, cloud, cell):
    notebook.fine("zones = %cs listZones")
    ran = notebook.fine(cell)
    assert (ran.outputs, ran.printed, ran.result) == ([], "", None)


@pytest.mark.parametrize(
    "cell",
    [
        "x = %cs -q listZones;",
        "%cs -q x << listZones;",
        "x = %cs -q listZones name=sim;  # which",
        "x = get_ipython().run_line_magic('cs', '-q listZones;')",
        "def zones():\n    x = %cs -q listZones;\n    return x\nx = zones()",
        "%%cs -q\nx << listZones;",
    ],
)
def test_a_last_semicolon_never_suppresses_a_value_that_is_kept(notebook, cloud, cell):
    assert notebook.fine(cell).outputs == []
    assert len(notebook.names["x"]) == 1


def test_quiet_shows_only_the_result_and_verbose_says_more(notebook, cloud):
    assert notebook.fine("%cs -q listZones").lines == []
    [line] = notebook.fine("%cs -v listZones").lines
    assert line.startswith("1 row · … s · complete · ")
    assert f"env at {cloud.endpoint[7:-11]} · catalogue bundled 4.23" in line


def test_a_limit_is_kept_to_and_said_even_quietly(notebook, cloud):
    ran = notebook.fine("%cs -q -n 5 listVirtualMachines")
    assert len(ran.result) == 5
    assert ran.lines == [
        "5 rows · … s · listall=true + projectid=-1 · limited to 5 of 226 rows or more"
    ]
    assert ran.result.attrs["cs"]["complete"] is False


def test_own_leaves_the_scope_to_the_server(notebook, cloud):
    assert (
        notebook.fine("%cs --own listVirtualMachines")
        .lines[0]
        .startswith("226 rows · … s · complete")
    )
    assert sent(cloud, "listVirtualMachines") == [{"command": "listVirtualMachines"}]


def test_columns_are_the_ones_wanted_in_their_order_and_reach_inside(notebook, cloud):
    frame = notebook.fine("%cs -c nic.0.ipaddress,name listVirtualMachines").result
    assert list(frame.columns) == ["nic.0.ipaddress", "name"]
    assert list(notebook.fine("%cs -c $cols listZones", cols=["id", "name"]).result) == [
        "id",
        "name",
    ]


def test_raw_is_the_parsed_json(notebook, cloud):
    assert notebook.fine("%cs -o raw -c name listZones").result == {
        "count": 1,
        "zone": [{"name": "sim"}],
    }


def test_text_leaves_dates_as_they_came(notebook, cloud):
    typed = notebook.fine("%cs -c created listVirtualMachines").result
    text = notebook.fine("%cs --text -c created listVirtualMachines").result
    assert str(typed.created.dtype) == "datetime64[us, UTC]"
    assert text.created[0].endswith("+0000")


# -- dry run, last, help, use ---------------------------------------------------------------


def test_a_dry_run_shows_both_calls_and_sends_nothing(notebook, cloud):
    plan = notebook.fine("%cs --dry-run listVirtualMachines state=$s", s="Running").result
    assert list(plan.parameters) == [
        "state=Running listall=true",
        "state=Running projectid=-1",
    ]
    assert set(plan.command) == {"listVirtualMachines"}
    assert cloud.requests == []


def test_a_dry_run_hides_secrets_and_sets_no_variable(notebook, cloud):
    ran = notebook.fine(
        "%cs x << --dry-run createUser account=a email=b firstname=c lastname=d username=e"
        " password=$word",
        word="hunter2",
    )
    assert ran.result.parameters[0].endswith("username=e password=••••")
    assert "x" not in notebook.names
    assert cloud.requests == []


def test_a_dry_run_of_a_cell_shows_the_names_that_have_no_value_yet(notebook, cloud):
    ran = notebook.fine("%%cs --dry-run\nz << listZones\n-n $z.n[0] listHosts zoneid=$z.id")
    assert "zoneid=$z.id" in ran.result.parameters[0]
    assert cloud.requests == []


def test_last_is_the_last_result_again_without_asking(notebook, cloud):
    assert "There is no result yet" in notebook.run("%cs last").error_lines[0]
    frame = notebook.fine("%cs listZones").result
    asked = len(cloud.requests)
    assert notebook.fine("%cs last").result.equals(frame)
    notebook.fine("%cs z << last")
    assert notebook.names["z"].equals(frame)
    assert len(cloud.requests) == asked


@pytest.mark.parametrize("cell", ["%cs -h", "%cs --help", "%cs -q -h"])
def test_help_lists_every_option_and_word(bare_shell, cell):
    bare_shell.fine("%load_ext cs_magic")
    ran = bare_shell.fine(cell)
    [text] = ran.lines
    assert (text, ran.result) == (help_text(), None)
    assert all(f"--{option.name}" in text and option.does in text for option in OPTIONS)
    assert all(word in text for word in WORDS)


def test_the_question_mark_shows_the_same_help(notebook):
    assert notebook.shell.find_line_magic("cs").__doc__ == help_text()
    assert notebook.shell.find_cell_magic("cs").__doc__ == help_text()
    assert "%cs [options] [NAME <<] command" in notebook.run("%cs?").printed


def test_use_env_is_the_environment_and_any_other_name_is_refused(notebook, cloud):
    host = cloud.endpoint[7:-11]
    assert notebook.fine("%cs use env").lines == [f"using env: the environment ({host})"]
    assert notebook.fine("%cs -q use $where", where="env").lines == []
    error = notebook.run("%cs use prod").error
    assert type(error) is ProfileError
    assert str(error) == "There is no profile prod"
    assert len(notebook.fine("%cs listZones").result) == 1
