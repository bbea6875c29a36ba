"""Our own words: use, profiles, status, last; and `-p`."""

from __future__ import annotations

import pickle
from pathlib import Path

import pandas as pd
import pytest

from cs_magic.demo.server import Demo, serving
from cs_magic.errors import CallError, ProfileError, Refused, Unauthorized
from cs_magic.notebook.connections import DEMO

CMK = """\
prompt       = 🐱
asyncblock   = true
timeout      = 1800
output       = json
verifycert   = true
profile      = practice
postrequest  = true

[localcloud]
url       = http://localhost:8080/client/api
username  = admin
password  = password
domain    = /
apikey    =
secretkey =

[practice]
url       = {endpoint}
username  =
password  =
domain    = /
apikey    = {api_key}
secretkey = {secret_key}
"""


@pytest.fixture(scope="module")
def demo():
    with serving(machines=40) as running:
        yield running


@pytest.fixture
def cmk(demo: Demo) -> Path:
    """A machine where only cmk was ever configured."""
    path = Path.home() / ".cmk" / "config"
    path.parent.mkdir()
    path.write_text(
        CMK.format(endpoint=demo.endpoint, api_key=demo.api_key, secret_key=demo.secret_key)
    )
    path.chmod(0o600)
    return path


@pytest.fixture
def ours(demo: Demo) -> Path:
    """A configuration of ours with a good profile and one whose secret key is wrong."""
    import os

    path = Path(os.environ["XDG_CONFIG_HOME"]) / "cs_magic" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f"""\
default = "good"
[good]
endpoint = "{demo.endpoint}"
api_key = "{demo.api_key}"
secret_key = "{demo.secret_key}"
[wrong]
endpoint = "{demo.endpoint}"
api_key = "{demo.api_key}"
secret_key = "{demo.secret_key}-not"
""")
    path.chmod(0o600)
    return path


def test_a_person_who_uses_cmk_has_the_first_table_in_one_line(notebook, cmk):
    ran = notebook.fine("%cs listZones")
    assert list(ran.result["name"]) == ["Zürich", "Genève", "Lugano"]


def test_profiles_shows_them_all_with_their_source_and_no_secret(notebook, cmk, ours, demo):
    frame = notebook.fine("%cs profiles").result
    assert list(frame["name"]) == ["good", "wrong", "localcloud", "practice", DEMO]
    assert list(frame["current"]) == ["→", "", "", "", ""]
    assert frame["source"].str.contains("~/.cmk/config").sum() == 2
    assert demo.secret_key not in frame.to_string()
    assert demo.api_key not in frame.to_string()


def test_use_changes_the_current_profile_and_says_which(notebook, ours, cmk):
    ran = notebook.fine("%cs use practice")
    assert ran.lines[0].startswith("using practice: ~/.cmk/config (127.0.0.1:")
    frame = notebook.fine("%cs listZones").result
    assert frame.attrs["cs"]["profile"] == "practice"


def test_an_option_asks_another_profile_once(notebook, ours, cmk):
    assert notebook.fine("%cs -p practice listZones").result.attrs["cs"]["profile"] == "practice"
    assert notebook.fine("%cs listZones").result.attrs["cs"]["profile"] == "good"
    looked_up = notebook.fine("%cs -p $which listZones", which="cmk:practice").result
    assert looked_up.attrs["cs"]["profile"] == "practice"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%cs use godo", "There is no profile godo: did you mean good?"),
        ("%cs -p practise listZones", "There is no profile practise: did you mean practice?"),
    ],
)
def test_a_mistyped_profile_is_an_error_with_a_suggestion(notebook, ours, cmk, cell, message):
    ran = notebook.run(cell)
    assert type(ran.error) is ProfileError
    assert ran.error_lines[0] == f"ProfileError: {message}"


def test_without_any_profile_the_error_says_three_ways_on(notebook):
    lines = notebook.run("%cs listZones").error_lines
    assert lines[0] == "ProfileError: There is no profile to use"
    assert any("CLOUDSTACK_ENDPOINT" in line for line in lines)
    assert any("config.toml" in line for line in lines)
    assert any("%cs use demo" in line for line in lines)


# -- read-only --------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["%cs use good --read-only", "%cs use --read-only good"])
def test_a_read_only_profile_reads_and_refuses_everything_else_before_sending(notebook, ours, cell):
    assert "read-only" in notebook.fine(cell).lines[0]
    notebook.fine("%cs listZones")
    ran = notebook.run("%cs deleteZone id=1")
    assert type(ran.error) is Refused
    assert "nothing was sent" in ran.error_lines[0]


@pytest.mark.parametrize(
    "command",
    ["getUploadParamsForVolume name=x zoneid=1 format=QCOW2", "getDiagnosticsData targetid=1"],
)
def test_commands_that_read_by_name_only_are_refused_too(notebook, ours, command):
    notebook.fine("%cs use good --read-only")
    assert type(notebook.run(f"%cs {command}").error) is Refused


def test_an_option_that_names_it_does_not_lift_read_only(notebook, ours):
    notebook.fine("%cs use good --read-only")
    assert notebook.fine("%cs -q -p good listZones").result.attrs["cs"]["profile"] == "good"
    assert type(notebook.run("%cs -p good deleteZone id=1").error) is Refused


def test_using_it_without_the_flag_lifts_read_only(notebook, ours):
    notebook.fine("%cs use good --read-only")
    assert notebook.fine("%cs use good").lines[0].startswith("using good: ")
    assert notebook.fine("%cs -q status").result.set_index("fact").value["access"] == (
        "read and write"
    )


def test_the_read_only_connection_takes_the_place_of_the_other(notebook, ours):
    notebook.fine("%cs use good")
    connections = notebook.shell.magics_manager.registry["CloudStackMagics"].runner.desk.connections
    notebook.fine("%cs use good --read-only")
    assert [one.read_only for one in connections._open] == [True]
    notebook.fine("%cs use good")
    assert [one.read_only for one in connections._open] == [False]


@pytest.mark.parametrize(
    "body",
    [
        "use good --read-only\nz << listZones\ndeleteZone id=1",
        "use good --read-only\nz << listZones\n-p good deleteZone id=1",
        "z << listZones\ndeleteZone id=$z.id",
        "z << listZones\n-p good deleteZone id=1",
    ],
)
def test_a_cell_that_read_only_forbids_is_refused_before_its_first_line(notebook, ours, body):
    if not body.startswith("use"):
        notebook.fine("%cs use good --read-only")
    ran = notebook.run(f"%%cs\n{body}", z="old")
    assert type(ran.error) is Refused
    assert (ran.outputs, notebook.names["z"]) == ([], "old")


# -- what we say ourselves is shown whole --------------------------------------------------------


def test_status_is_shown_whole_in_text_and_html(notebook, ours):
    notebook.fine("%cs use wrong")
    ran = notebook.fine("%cs status -v")
    told = ran.result.set_index("fact")["value"]["clock"]
    [shown] = ran.outputs
    assert len(told) > 60
    assert told in shown["text/plain"]
    assert told in shown["text/html"]


def test_a_dry_run_is_shown_whole_also_from_a_variable(notebook, ours):
    long = "x" * 200
    for cell in (
        f"%cs --dry-run listZones name={long}",
        f"plan = %cs --dry-run listZones name={long}\nplan",
        f"%%cs\n--dry-run listZones name={long}\n--dry-run listHosts",
    ):
        shown = notebook.fine(cell).outputs[0]
        assert f"name={long}" in shown["text/plain"]
        assert f"name={long}" in shown["text/html"]


def test_what_we_say_ourselves_is_a_plain_frame_when_it_is_kept(notebook, ours):
    notebook.fine("%cs plan << --dry-run listZones\nplan = %cs --dry-run listZones")
    plan = notebook.names["plan"]
    assert type(plan) is pd.DataFrame
    assert pickle.loads(pickle.dumps(plan)).equals(plan)


# -- status -----------------------------------------------------------------------------------


def test_status_says_who_you_are_and_where(notebook, ours, demo):
    facts = notebook.fine("%cs status").result.set_index("fact")["value"]
    assert facts["profile"] == "good"
    assert facts["account"] == "admin"
    assert facts["role"] == "Root Admin"
    assert facts["version"].startswith("4.23")
    assert demo.secret_key not in facts.to_string()


def test_status_of_a_refused_profile_looks_into_why(notebook, ours):
    notebook.fine("%cs use wrong")
    assert type(notebook.run("%cs listZones").error) is Unauthorized
    short = notebook.fine("%cs status").result.set_index("fact")["value"]
    assert "clock" not in short.index
    long = notebook.fine("%cs status -v").result.set_index("fact")["value"]
    assert "not the reason" in long["clock"]
    assert "UTC on this machine" in long["clock"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%cs use", "use takes the name of a profile: %cs use demo"),
        ("%cs use a b", "use takes no b"),
        ("%cs use a --force", "use takes no --force"),
        ("%cs x << use good", "use gives nothing that a variable could keep"),
        ("%cs profiles x", "profiles takes no x"),
        ("%cs status --all", "status takes no --all"),
        ("%cs last -v", "last takes no -v"),
        ("%cs last --tb", "No call has failed yet"),
    ],
)
def test_a_word_with_something_odd_behind_it_is_refused(notebook, ours, cell, message):
    ran = notebook.run(cell)
    assert type(ran.error) is CallError
    assert ran.error_lines[0] == f"CallError: {message}"


# -- last -------------------------------------------------------------------------------------


def test_secrets_are_shown_on_demand_without_asking_again(notebook, ours, demo):
    masked = notebook.fine("%cs keys << listUsers")
    assert any("•••• hides secrets" in line for line in masked.lines)
    frame = notebook.names["keys"]
    assert demo.api_key not in frame.to_string(max_colwidth=None)
    revealed = notebook.fine("%cs last --reveal").result
    assert demo.api_key in set(revealed["apikey"])
    ran = notebook.fine("%cs --reveal listUsers")
    assert not any("••••" in line for line in ran.lines)
    at_once = ran.result
    assert demo.api_key in set(at_once["apikey"])
    assert demo.api_key not in notebook.fine("%cs last").result.to_string(max_colwidth=None)


def test_last_tb_shows_the_whole_traceback_of_what_failed(notebook, ours):
    notebook.run("%cs listZones nmae=a")
    [text] = notebook.fine("%cs last --tb").lines
    assert text.startswith("Traceback (most recent call last):")
    assert "nmae" in text


# -- files that others can read ----------------------------------------------------------------


def test_a_file_with_secrets_that_others_can_read_is_warned_about_once(notebook, ours):
    ours.chmod(0o644)
    with pytest.warns(UserWarning, match="others can read it: chmod 600"):
        notebook.fine("%cs listZones")
    assert "chmod" not in notebook.fine("%cs listZones").printed


def test_the_environment_may_choose_the_demo(notebook, monkeypatch):
    monkeypatch.setenv("CS_MAGIC_PROFILE", DEMO)
    assert notebook.fine("%cs listZones").result.attrs["cs"]["profile"] == DEMO


def test_a_mistyped_demo_is_suggested(notebook):
    lines = notebook.run("%cs use dmeo").error_lines
    assert lines == [
        "ProfileError: There is no profile dmeo: did you mean demo?",
        "  There are: demo",
    ]


def test_a_secret_is_never_written_to_a_file(notebook, ours):
    ran = notebook.run("%cs --reveal -o csv:users.csv listUsers")
    assert type(ran.error) is CallError
    assert "never written to a file" in ran.error_lines[0]
    assert not Path("users.csv").exists()


def test_a_file_is_written_and_the_frame_says_what(notebook, ours, demo):
    frame = notebook.fine("%cs -o parquet:users.parquet listUsers").result
    [(path, rows)] = frame[["path", "rows"]].itertuples(index=False)
    assert Path(path) == Path("users.parquet").resolve()
    assert rows > 5
    assert demo.api_key.encode() not in Path("users.parquet").read_bytes()
