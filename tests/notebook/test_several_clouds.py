"""`-p zurich,geneva`: cells that ask several clouds at once, one of which may fail."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from api.servers import Came, Reply, listed
from api.servers import serving as answering
from tabs import tab

import cs_magic
from cs_magic.demo.server import Demo, serving
from cs_magic.errors import CallError, Incomplete, ProfileError, Refused, Unauthorized

REFUSAL = "unable to verify user credentials and/or request signature"
BOTH = "%cs -p zurich,geneva"


@pytest.fixture(scope="module")
def zurich() -> Iterator[Demo]:
    with serving(machines=40) as running:
        yield running


@pytest.fixture(scope="module")
def geneva() -> Iterator[Demo]:
    with serving(machines=25, seed=7) as running:
        yield running


@pytest.fixture
def clouds(notebook, zurich: Demo, geneva: Demo) -> Path:
    """Two clouds; the second also under another key that it refuses, and for people to sign in."""
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "cs_magic" / "config.toml"
    config.parent.mkdir(parents=True)
    config.touch(0o600)
    config.write_text(
        profile("zurich", zurich.endpoint, zurich.api_key, zurich.secret_key)
        + profile("geneva", geneva.endpoint, geneva.api_key, geneva.secret_key)
        + profile("refused", geneva.endpoint, geneva.api_key, "tell-tale")
        + f'[people]\nendpoint = "{geneva.endpoint}"\n'
        + f'[wrong]\nendpoint = "{geneva.endpoint}"\nusername = "nobody"\npassword = "tell-tale"\n'
        + f'[typed]\nendpoint = "{geneva.endpoint}"\nusername = "admin"\n'
        + f'password = "{geneva.password}"\n'
    )
    return config


def profile(name: str, endpoint: str, api_key: str = "key", secret_key: str = "secret") -> str:
    keys = f'api_key = "{api_key}"\nsecret_key = "{secret_key}"\n'
    return f'[{name}]\nendpoint = "{endpoint}"\n{keys}'


def names_of(demo: Demo) -> list[str]:
    return sorted(machine.name for machine in demo.world.fleet.machines)


def provenance(frame: pd.DataFrame) -> dict:
    json.dumps(frame.attrs["cs"])
    return frame.attrs["cs"]


# -- one frame ---------------------------------------------------------------------------------


def test_several_clouds_are_one_frame_whose_first_column_is_the_profile(
    notebook, clouds, zurich, geneva
):
    ran = notebook.fine(f"{BOTH} listVirtualMachines")
    frame = ran.result
    assert type(frame) is pd.DataFrame
    assert frame.columns[0] == "profile"
    assert sorted(frame.name[frame.profile == "zurich"]) == names_of(zurich)
    assert sorted(frame.name[frame.profile == "geneva"]) == names_of(geneva)
    first, second = len(names_of(zurich)), len(names_of(geneva))
    scope = "listall=true + projectid=-1"
    assert ran.lines == [
        f"{first + second} rows (zurich {first}, geneva {second})"
        f" · {provenance(frame)['pages']} pages in … s · {scope} · complete"
    ]
    alone = notebook.fine("%cs -q -p zurich listVirtualMachines").result
    kinds = frame.drop(columns="profile").dtypes.to_dict()
    assert kinds == alone.dtypes.to_dict()


def test_the_rows_stand_in_the_order_in_which_the_profiles_were_typed(notebook, clouds):
    frame = notebook.fine("%cs -q -p geneva,zurich -c name listZones").result
    assert list(frame.columns) == ["profile", "name"]
    assert list(frame.profile) == ["geneva"] * 3 + ["zurich"] * 3


def test_the_provenance_is_that_of_all_and_says_what_each_gave(notebook, clouds, zurich, geneva):
    came = provenance(notebook.fine(f"{BOTH} listZones").result)
    assert (came["profile"], came["rows"], came["count"]) == ("zurich,geneva", 6, 6)
    assert came["complete"] is True
    assert [(one["profile"], one["rows"]) for one in came["profiles"]] == [
        ("zurich", 3),
        ("geneva", 3),
    ]
    hosts = [demo.endpoint.split("/")[2] for demo in (zurich, geneva)]
    assert [one["host"] for one in came["profiles"]] == hosts


def test_they_are_asked_at_the_same_time(notebook, clouds):
    """Each of two servers answers only once the other one was asked, too."""
    both = threading.Barrier(2, timeout=30)

    def answer(came: Came) -> Reply:
        if came.form["command"] == "listPods":
            both.wait()
        return Reply(body=listed("pod", [{"id": "1", "name": "p"}], 1, wrapper="listpodsresponse"))

    with answering(answer) as one, answering(answer) as other:
        clouds.write_text(profile("one", one.endpoint) + profile("other", other.endpoint))
        frame = notebook.fine("%cs -p one,other listPods").result
    assert list(frame.profile) == ["one", "other"]


def test_a_name_is_looked_up_at_each_cloud(notebook, clouds):
    ran = notebook.fine(f"{BOTH} -v -c zonename,zoneid listVirtualMachines zoneid=Zürich")
    assert set(ran.result.zonename) == {"Zürich"}
    assert ran.result.groupby("profile").zoneid.nunique().to_dict() == {"zurich": 1, "geneva": 1}
    looked_up = [line for line in ran.lines if line.startswith("zoneid=Zürich is ")]
    assert [line.rpartition(" of ")[2] for line in looked_up] == ["zurich)", "geneva)"]
    assert provenance(ran.result)["parameters"] == {"zoneid": "Zürich"}


def test_a_limit_is_that_of_each_and_no_fault(notebook, clouds):
    ran = notebook.fine(f"{BOTH} -n 2 -c name listVirtualMachines")
    assert list(ran.result.profile) == ["zurich"] * 2 + ["geneva"] * 2
    assert "4 rows (zurich 2, geneva 2)" in ran.lines[0]
    assert "INCOMPLETE" not in ran.lines[0]
    assert "zurich: limited to 2 of " in ran.lines[0]
    assert provenance(ran.result)["complete"] is False


@pytest.mark.parametrize(
    ("columns", "came"),
    [
        ("name,state", ["profile", "name", "state"]),
        ("name,profile", ["name", "profile"]),
        ("profile", ["profile"]),
        ("nic.0.ipaddress", ["profile", "nic.0.ipaddress"]),
    ],
)
def test_columns_are_chosen_as_ever_and_the_profile_comes_first_unless_it_is_named(
    notebook, clouds, columns, came
):
    frame = notebook.fine(f"{BOTH} -q -c {columns} listVirtualMachines").result
    assert list(frame.columns) == came
    assert set(frame.profile) == {"zurich", "geneva"}


def test_a_nested_field_is_exploded_over_all(notebook, clouds):
    frame = notebook.fine(f"{BOTH} -q -x nic -c name,nic.ipaddress listVirtualMachines").result
    assert list(frame.columns) == ["profile", "name", "nic.ipaddress"]
    assert set(frame.profile) == {"zurich", "geneva"}


def test_the_result_is_assigned_kept_and_written_as_that_of_one_cloud(notebook, clouds, tmp_path):
    notebook.fine(f"{BOTH} -q zones << listZones")
    assert len(notebook.names["zones"]) == 6
    assert list(notebook.fine("%cs last").result.profile) == list(notebook.names["zones"].profile)
    raw = notebook.fine(f"{BOTH} -q -o raw listZones").result
    assert [row["profile"] for row in raw["zone"]] == ["zurich"] * 3 + ["geneva"] * 3
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "xlsx": pd.read_excel}
    for kind, read in readers.items():
        written = notebook.fine(f"{BOTH} -q -o {kind}:{tmp_path}/z.{kind} listZones").result
        assert written.rows[0] == 6
        back = read(tmp_path / f"z.{kind}")
        assert back.columns[0] == "profile"
        assert list(back.profile) == ["zurich"] * 3 + ["geneva"] * 3
        assert set(back.name) == set(notebook.names["zones"].name)


def test_a_dry_run_shows_what_each_would_be_sent(notebook, clouds):
    frame = notebook.fine(f"{BOTH} --dry-run listVirtualMachines state=Running").result
    assert list(frame.profile) == ["zurich"] * 2 + ["geneva"] * 2
    assert frame.parameters[0] == "state=Running listall=true"
    assert frame.host.nunique() == 2


def test_the_lines_of_a_cell_go_to_both_clouds_and_each_has_its_frame(notebook, clouds):
    notebook.fine(
        "%%cs -q -p $where\nzones << listZones\npods << listPods", where=["zurich", "geneva"]
    )
    assert set(notebook.names["zones"].profile) == {"zurich", "geneva"}
    assert set(notebook.names["pods"].profile) == {"zurich", "geneva"}


# -- one fails ---------------------------------------------------------------------------------


def test_one_that_fails_is_one_line_and_loses_no_other(notebook, clouds, geneva):
    ran = notebook.fine("%cs -p zurich,refused zones << listZones")
    frame = notebook.names["zones"]
    assert list(frame.profile) == ["zurich"] * 3
    host = geneva.endpoint.split("/")[2]
    assert ran.lines[0].startswith("zones: 3 rows (zurich 3, refused failed)")
    assert "INCOMPLETE: refused failed" in ran.lines[0]
    assert ran.lines[1:] == [f"⚠ refused at {host}: Unauthorized: {REFUSAL}"]
    came = provenance(frame)
    assert came["complete"] is False
    assert came["count"] is None
    assert [one["complete"] for one in came["profiles"]] == [True, False]
    assert "tell-tale" not in ran.printed + str(ran.outputs) + str(came)


def test_not_even_quiet_hides_that_one_failed(notebook, clouds):
    ran = notebook.fine("%cs -q -p refused,zurich -n 1 listZones")
    assert "INCOMPLETE" in ran.lines[0]
    assert REFUSAL in ran.lines[1]


def test_a_cloud_that_is_down_loses_no_other(notebook, clouds, zurich):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # and once it is closed nobody listens
    keys = profile("zurich", zurich.endpoint, zurich.api_key, zurich.secret_key)
    clouds.write_text(keys + profile("down", f"http://127.0.0.1:{port}/client/api"))
    ran = notebook.fine("%cs -p down,zurich listZones")
    assert list(ran.result.profile) == ["zurich"] * 3
    assert ran.lines[1].startswith(f"⚠ down at 127.0.0.1:{port}: TransportError: ")


def test_a_name_that_one_cloud_does_not_have_fails_there_alone(notebook, clouds, zurich):
    name = next(one for one in names_of(zurich))
    ran = notebook.fine(f"{BOTH} -c name listVirtualMachines id={name}")
    assert list(ran.result.name) == [name]
    assert f'has nothing of the name "{name}"' in ran.lines[1]
    assert ran.lines[1].startswith("⚠ geneva at ")


def test_a_list_that_breaks_off_at_one_cloud_keeps_its_rows(notebook, clouds, zurich):
    with answering(breaking_off) as server:
        clouds.write_text(
            profile("zurich", zurich.endpoint, zurich.api_key, zurich.secret_key)
            + profile("breaks", server.endpoint)
        )
        ran = notebook.fine("%cs -p zurich,breaks -c name listPods")
        assert list(ran.result.profile).count("breaks") == 500
        assert "INCOMPLETE: breaks broke off" in ran.lines[0]
        assert "Incomplete: listPods broke off after 1 pages, 500 rows" in ran.lines[1]
    assert provenance(ran.result)["complete"] is False


def breaking_off(came: Came) -> Reply:
    """A cloud of many pods, which refuses the second page."""
    if came.form["command"] != "listPods":
        return Reply(body=listed("none", [], 0, wrapper="x"))
    if came.form.get("page") == "2":
        text = {"listpodsresponse": {"errorcode": 530, "errortext": "no second page"}}
        return Reply(530, json.dumps(text).encode())
    pods = [{"id": f"{number:08}", "name": f"pod-{number}"} for number in range(500)]
    return Reply(body=listed("pod", pods, 900, wrapper="listpodsresponse"))


def test_where_none_comes_whole_it_is_an_error_that_keeps_what_came(notebook, clouds, geneva):
    with answering(breaking_off) as server:
        clouds.write_text(
            profile("breaks", server.endpoint)
            + profile("refused", geneva.endpoint, geneva.api_key, "tell-tale")
        )
        ran = notebook.run("pods = %cs -p breaks,refused -c name listPods", pods="old")
    assert type(ran.error) is Incomplete
    assert "no second page" in ran.error_lines[0]
    assert any(line.strip().startswith("refused: Unauthorized") for line in ran.error_lines)
    assert notebook.names["pods"] == "old"
    assert list(notebook.fine("%cs last").result.columns) == ["profile", "name"]
    assert len(ran.error.result) == 500


def test_where_all_fail_the_cell_fails_in_the_first_ones_words(notebook, clouds):
    ran = notebook.run("x = %cs -p refused,wrong listZones", x="old")
    assert type(ran.error) is Unauthorized
    assert ran.error_lines[0] == f"Unauthorized: {REFUSAL}"
    assert "  So said refused." in ran.error_lines
    assert any(line.startswith("  wrong: ") for line in ran.error_lines)
    assert notebook.names["x"] == "old"
    assert "tell-tale" not in "\n".join(ran.error_lines)


def test_a_mistyped_filter_is_refused_before_anything_is_sent(notebook, clouds):
    ran = notebook.run(f"{BOTH} listVirtualMachines stat=Running")
    assert type(ran.error) is CallError
    assert ran.error_lines[:3] == [
        "CallError: listVirtualMachines has no parameter stat: did you mean state?",
        "  -p zurich,geneva listVirtualMachines stat=Running",
        "                                       ^",
    ]


def test_a_name_that_no_cloud_has_is_an_error_that_points_to_it(notebook, clouds):
    ran = notebook.run(f"{BOTH} listPods zoneid=Bern")
    assert type(ran.error) is CallError
    assert ran.error_lines[:3] == [
        'CallError: listZones has nothing of the name "Bern"',
        "  -p zurich,geneva listPods zoneid=Bern",
        "                            ^",
    ]


def test_a_command_that_answers_with_one_object_gives_a_row_for_each(notebook, clouds):
    frame = notebook.fine(f"{BOTH} -q listCapabilities").result
    assert list(frame.profile) == ["zurich", "geneva"]
    assert frame.cloudstackversion.nunique() == 1


# -- signing in --------------------------------------------------------------------------------


def test_where_nobody_can_sign_in_that_profile_fails_and_says_what_to_set(notebook, clouds):
    ran = notebook.fine("%cs -p people,zurich listZones")
    assert list(ran.result.profile) == ["zurich"] * 3
    assert "people needs somebody to sign in" in ran.lines[1]
    assert "CLOUDSTACK_KEY" in ran.lines[1]


def test_a_password_of_the_configuration_signs_in_once(notebook, clouds, geneva):
    before = len(geneva.logins)
    frame = notebook.fine("%%cs -q -p zurich,typed\nzones << listZones\nlistPods").result
    assert set(notebook.names["zones"].profile) == set(frame.profile) == {"zurich", "typed"}
    assert len(geneva.logins) == before + 1


def test_a_session_that_ended_is_renewed_once(notebook, clouds, geneva):
    notebook.fine("%cs -q -p zurich,typed listZones")
    before = len(geneva.logins)
    geneva.end_sessions()
    ran = notebook.fine("%cs -p zurich,typed listZones")
    assert ran.lines[0].endswith("complete")
    assert set(ran.result.profile) == {"zurich", "typed"}
    assert len(geneva.logins) == before + 1


def test_a_refused_login_is_one_profiles_failure(notebook, clouds, geneva):
    before = len(geneva.logins)
    for _ in range(2):
        ran = notebook.fine("%cs -p zurich,wrong listZones")
        assert ran.lines[1].startswith("⚠ wrong at ")
    assert len(geneva.logins) == before + 1


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["stopVirtualMachine id=1", "-y deployVirtualMachine name=x"])
def test_what_changes_something_goes_to_one_cloud(notebook, clouds, zurich, geneva, cell):
    ran = notebook.run(f"{BOTH} {cell}")
    assert type(ran.error) is Refused
    assert "goes to one cloud at a time, not to zurich, geneva" in ran.error_lines[0]
    assert not zurich.jobs
    assert not geneva.jobs


def test_what_no_catalogue_knows_goes_to_several_only_where_its_name_reads(notebook, clouds):
    with answering(lambda _: Reply(body=listed("thing", [{"id": "1"}], 1))) as server:
        clouds.write_text(profile("one", server.endpoint) + profile("b", server.endpoint, "other"))
        ran = notebook.run("%cs -p one,b --no-check frobnicateThings id=1")
        assert type(ran.error) is Refused
        assert "frobnicateThings" not in [came.form["command"] for came in server.came]
        frame = notebook.fine("%cs -p one,b --no-check listThings").result
    assert frame.to_dict("list") == {"profile": ["one", "b"], "id": ["1", "1"]}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%cs -p a,a listZones", "--profile: a is named twice"),
        ("%cs -p a,,b listZones", "--profile: a,,b has an empty name between its commas"),
        ("%cs -p zurich, listZones", "--profile: zurich, has an empty name between its commas"),
        ("%cs -p zurich,geneva sync", "sync asks one profile, not zurich, geneva"),
        ("%cs -p zurich,geneva help listZones", "help asks one profile, not zurich, geneva"),
        ("%cs -p zurich,geneva job 1", "job asks one profile, not zurich, geneva"),
        ("%cs use zurich,geneva", "use takes one profile"),
        (
            "%cs -p zurich,geneva --each listZones id=$ids",
            "--each makes calls at one profile, not at several",
        ),
    ],
)
def test_a_list_of_profiles_that_makes_no_sense_is_refused(notebook, clouds, cell, said):
    ran = notebook.run(cell, ids=["1"])
    assert type(ran.error) is CallError
    assert ran.error_lines[0] == f"CallError: {said}"
    assert any(line.strip() == "^" for line in ran.error_lines)


def test_two_names_of_one_profile_are_refused(notebook, clouds):
    ran = notebook.run("%cs -p zurich,toml:zurich listZones")
    assert ran.error_lines[0] == "CallError: zurich and toml:zurich are the same profile"


def test_a_mistyped_profile_is_an_error_and_nobody_is_asked(notebook, clouds):
    ran = notebook.run("%cs -p zurich,genva listZones")
    assert type(ran.error) is ProfileError
    assert ran.error_lines[0] == "ProfileError: There is no profile genva: did you mean geneva?"


def test_one_profile_gets_no_column(notebook, clouds):
    assert "profile" not in notebook.fine("%cs -q -p zurich listZones").result.columns


# -- interrupting ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["1", "2"])
@pytest.mark.parametrize("call", ["listPods", "listHosts podid=p"])  # the names in a list, too
def test_an_interrupt_ends_it_and_sends_nothing_more(notebook, clouds, call, page):
    main, go_on = threading.main_thread().ident or 0, threading.Event()
    asked: list[str] = []

    def answer(came: Came) -> Reply:
        if came.form["command"] != "listPods":
            return Reply(body=listed("none", [], 0, wrapper="x"))
        asked.append(came.form["page"])
        if came.form["page"] == page and asked.count(page) == 1:
            signal.pthread_kill(main, signal.SIGINT)
        if int(came.form["page"]) >= int(page):
            go_on.wait(60)
        pods = [{"id": f"{came.form['page']}-{one}", "name": "p"} for one in range(500)]
        return Reply(body=listed("pod", pods, 9000, wrapper="listpodsresponse"))

    with answering(answer) as server:
        clouds.write_text(profile("one", server.endpoint) + profile("b", server.endpoint, "other"))
        ran = notebook.run(f"%cs -p one,b {call}")
        go_on.set()
        for thread in threading.enumerate():
            if thread.name == "cs_magic pages":
                thread.join(30)
                assert not thread.is_alive()
    assert type(ran.error) is KeyboardInterrupt
    assert "18" not in asked


# -- Tab ---------------------------------------------------------------------------------------


def test_tab_completes_each_of_several_profiles(notebook, clouds):
    assert tab(notebook, "%cs -p zurich,ge▲") == ["geneva"]
    offered = tab(notebook, "%cs -p zurich,▲")
    assert "geneva" in offered
    assert "zurich" not in offered


def test_tab_knows_the_commands_of_the_first(notebook, clouds):
    notebook.fine(f"{BOTH} -q listZones")
    assert "state=" in tab(notebook, f"{BOTH} listVirtualMachines stat▲")


# -- in a script -------------------------------------------------------------------------------


def test_a_script_gets_the_same_frame(notebook, clouds):
    shown = notebook.fine(f"{BOTH} -q listVirtualMachines").result
    with cs_magic.connect("zurich,geneva") as both:
        assert repr(both).startswith("<Several zurich at 127.0.0.1:")
        frame = both.listVirtualMachines()
        assert not hasattr(both, "listVirtualMachine")
        assert not hasattr(both, "_repr_html_")
        assert "listZones" in dir(both)
        few = both.call("listZones", columns="name", limit=1)
    pd.testing.assert_frame_equal(frame, shown)
    assert few.profile.to_list() == ["zurich", "geneva"]


def test_a_script_is_warned_of_one_that_failed_and_gets_the_others(notebook, clouds):
    with (
        cs_magic.connect("zurich,refused") as both,
        pytest.warns(UserWarning, match=f"refused at .*: Unauthorized: {REFUSAL}"),
    ):
        frame = both.listZones()
    assert provenance(frame)["complete"] is False


@pytest.mark.parametrize("said", ["zurich,zurich", "zurich,", "zurich,toml:zurich"])
def test_a_script_is_refused_what_a_cell_is(notebook, clouds, said):
    with pytest.raises(CallError):
        cs_magic.connect(said)


def test_a_script_may_not_change_several_clouds(notebook, clouds, zurich):
    with cs_magic.connect("zurich,geneva") as both, pytest.raises(Refused):
        both.stopVirtualMachine(id="x")
    assert not zurich.jobs
