"""The login form in a real kernel: a cell stops without a red line, and goes on by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from front import TIMEOUT, Front, front, other_ipykernel

from cs_magic.demo.server import Demo, serving

LIST = "vms = %cs -c name,state -n 5 listVirtualMachines"
WAITS = "waits for somebody to sign in to people"
KERNELS = [
    "installed",
    pytest.param("6.31.0", marks=pytest.mark.long),
    pytest.param("7.3.0", marks=pytest.mark.long),
]


@pytest.fixture
def demo(request: pytest.FixtureRequest) -> Iterator[Demo]:
    with serving(machines=getattr(request, "param", 300)) as running:
        yield running


@pytest.fixture(params=KERNELS)
def page(demo: Demo, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Front]:
    """A notebook whose only profile is one that somebody signs in to."""
    config = f'[people]\nendpoint = "{demo.endpoint}"\n'
    extra = None
    if request.param != "installed":
        extra = other_ipykernel(request.param, tmp_path / "ipykernel")
    with front(tmp_path, config, extra) as page:
        page.fine("%load_ext cs_magic")
        if extra:
            version = page.value("import ipykernel; ipykernel.__version__")
            assert version == f"'{request.param}'"
        yield page


def sign_in(page: Front, demo: Demo, account: str = "admin") -> None:
    """Fill the form in, and press its button; wait until it is one line."""
    who = demo.accounts[account]
    page.type("Username", who.username)
    page.type("Domain", who.domain)
    page.type("Password", who.password)
    page.click("Sign in")
    page.until(lambda: "Sign in" not in page.descriptions)


def done(page: Front, said: str = "is done") -> None:
    """Wait until the folded line says so."""
    page.until(lambda: said in page.says and "goes on …" not in page.says)


def test_a_cell_stops_without_a_red_line_and_what_is_queued_behind_it_does_not_run(page, tmp_path):
    page.fine("vms = 'old'")
    both_sent = tmp_path / "both sent"
    holds = f"from pathlib import Path\nwhile not Path({str(both_sent)!r}).exists():\n    pass\n"
    cell = page.start(f"{holds}print('above')\n{LIST}\nprint('after')")
    below = page.start("vms = 'ran'")
    both_sent.touch()
    assert (page.end(cell).status, page.end(below).status) == ("error", "aborted")
    assert cell.errors == []
    assert WAITS in cell.text
    assert "after" not in cell.text
    assert set(page.descriptions) >= {"Username", "Password", "Domain", "Sign in"}
    assert page.value("vms") == "'old'"


@pytest.mark.parametrize("call", [LIST, "vms = %cs listZonez"])
def test_a_cell_of_run_all_that_comes_when_the_one_above_has_failed_does_not_run(page, call):
    page.fine("vms = 'old'")
    cell = page.start(call)
    page.until(lambda: WAITS in cell.text or bool(cell.errors))
    for _ in range(10):  # a busy kernel answers here
        page.client.session.send(page.client.control_channel.socket, "kernel_info_request")
        page.client.get_control_msg(timeout=TIMEOUT)
    below = page.start("vms = 'ran'")
    assert (page.end(cell).status, page.end(below).status) == ("error", "aborted")
    assert page.value("vms") == "'old'"


def test_after_the_sign_in_the_cell_goes_on_where_it_stopped_in_its_own_output(page, demo):
    cell = page.run(f"print('above')\n{LIST}\nprint('after', len(vms))\nlen(vms) + 1")
    number = page.value("len(In) - 2")
    sign_in(page, demo)
    done(page)
    assert f"signed in as <b>admin (/)</b> at {demo.endpoint.split('/')[2]}" in page.says
    assert f"cell [{number}] is done" in page.says
    assert cell.text.count("above") == 1
    assert "after 5" in cell.text
    [result] = [shown for shown in cell.outputs if shown["output_type"] == "execute_result"]
    assert (result["data"]["text/plain"], result["execution_count"]) == ("6", int(number))
    assert WAITS not in cell.text
    assert cell.errors == []
    assert page.value("len(vms)") == "5"


def test_a_wrong_password_is_answered_in_cloudstacks_words_and_may_be_typed_again(page, demo):
    cell = page.run(LIST)
    page.type("Username", "admin")
    page.type("Password", "tell-tale")
    page.enter("Password")
    page.until(lambda: "Failed to authenticate user admin" in page.says)
    assert cell.errors == []
    sign_in(page, demo)
    done(page)
    assert page.value("len(vms)") == "5"


def test_nothing_is_sent_while_something_is_missing(page, demo):
    page.run(LIST)
    page.click("Sign in")
    page.until(lambda: "The user name is missing" in page.says)
    page.type("Username", "admin")
    page.enter("Username")
    page.until(lambda: "The password is missing" in page.says)


def test_enter_sends_the_whole_password_while_another_cell_runs(page, demo):
    """Enter comes before its text, as a front end sends it when a box isn't left."""
    page.run(LIST)
    who = demo.accounts["admin"]
    busy = page.start("import time; time.sleep(1)")
    page.type("Username", who.username)
    page.enter("Password")
    page.type("Password", who.password)
    page.end(busy)
    done(page)
    assert page.value("len(vms)") == "5"


def test_the_password_is_in_no_state_once_it_arrived(page, demo):
    page.run(LIST)
    page.type("Username", "admin")
    page.type("Password", "tell-tale")
    page.until(lambda: page.models[page.box("Password")]["placeholder"].startswith("•"))
    page.fine("from ipywidgets import Widget")
    assert "tell-tale" not in page.value("str(Widget.get_manager_state())")
    assert "admin" in page.value("str(Widget.get_manager_state())")  # so it is seen what is there
    sign_in(page, demo)
    done(page)
    assert demo.password not in page.value("str(Widget.get_manager_state())")


# -- two factors -----------------------------------------------------------------------------


def test_a_two_factor_code_is_the_second_step(page, demo):
    cell = page.run(LIST)
    who = demo.accounts["security"]
    page.type("Username", who.username)
    page.type("Password", who.password)
    page.click("Sign in")
    page.until(lambda: "Two-factor code" in page.says)
    page.type("Code", "314159")
    page.enter("Code")
    done(page)
    assert cell.errors == []
    assert page.value("len(vms)") == "5"


def test_a_wrong_code_leads_back_to_the_password_with_cloudstacks_text(page, demo):
    page.run(LIST)
    who = demo.accounts["security"]
    for code, end in (("000000", "code provided is invalid"), ("314159", "is done")):
        page.type("Username", who.username)
        page.type("Password", who.password)
        page.click("Sign in")
        page.until(lambda: "Two-factor code" in page.says)
        page.type("Code", code)
        page.enter("Code")
        done(page, end)
    assert page.value("len(vms)") == "5"


# -- several cells ----------------------------------------------------------------------------


def test_several_cells_wait_for_one_form_and_go_on_in_order(page, demo):
    page.fine("order = []")
    cells = [page.run(f"%cs -q z{n} << listZones\norder.append({n})", f"c{n}") for n in range(3)]
    assert [cell.errors for cell in cells] == [[], [], []]
    assert page.descriptions.count("Password") == 1
    sign_in(page, demo)
    done(page, "go on with the cells below")
    assert page.value("order") == "[0, 1, 2]"
    assert page.says.count("is done") == 3


def test_a_cell_that_is_run_twice_waits_once(page, demo):
    page.fine("runs = []")
    page.run("%cs -q z << listZones\nruns.append(1)", "a")
    page.run("%cs -q z << listHosts\nruns.append(2)", "b")
    page.run("%cs -q z << listZones\nruns.append(3)", "a")
    sign_in(page, demo)
    done(page, "go on with the cells below")
    assert page.value("runs") == "[2, 3]"


def test_running_the_cell_of_the_form_again_shows_it_again(page, demo):
    page.run(LIST, "a")
    again = page.run(LIST, "a")
    views = [one for one in again.outputs if _view(one)]
    assert len(views) == 1
    other = page.run("%cs listZones", "b")
    assert not any(map(_view, other.outputs))
    shown = page.fine("%cs login", "c")
    assert any(map(_view, shown.outputs))
    sign_in(page, demo)
    done(page, "go on with the cells below")


@pytest.mark.parametrize(
    "cell",
    [
        "for _ in range(2):\n    %cs -q z << listZones",
        "def f():\n    return get_ipython().run_line_magic('cs', '-q listZones')\nf()",
        "%time z = get_ipython().run_line_magic('cs', '-q listZones')",
        "a = 1; z = get_ipython().run_line_magic('cs', '-q listZones')",
        "%cs -q z << listZones\nimport asyncio\nawait asyncio.sleep(0)",
        "%cs -q --no-check startVirtualMachine id=x",
        "%%cs -q\nz << listZones\nstartVirtualMachine id=x",
    ],
)
def test_where_it_can_not_go_on_the_line_says_to_run_the_cell_again(page, demo, cell):
    page.fine("z = 'old'")
    waits = page.run(cell)
    assert WAITS in waits.text
    sign_in(page, demo)
    done(page, "again")
    assert "signed in: run this cell again" in waits.text
    assert page.value("z") == "'old'"


def test_a_cell_of_several_calls_goes_on_with_the_call_that_waits(page, demo):
    page.fine("%cs login")
    sign_in(page, demo)
    demo.end_sessions(after=4)
    cell = page.run("%%cs\nz << listZones\nvms << -c name listVirtualMachines\n-q listHosts")
    waits = "listVirtualMachines broke off" if "broke off" in cell.text else "waits for"
    assert waits in cell.text
    assert cell.text.count("z: 3 rows") == 1
    sign_in(page, demo)
    done(page)
    assert cell.text.count("z: 3 rows") == 1
    assert cell.text.count("vms: ") == 1
    assert cell.errors == []


@pytest.mark.parametrize("demo", [20_000], indirect=True)
def test_a_list_that_breaks_off_keeps_its_pages_and_is_run_again_after_the_sign_in(page, demo):
    page.fine("%cs login")
    sign_in(page, demo)
    demo.end_sessions(after=20)
    logins = len(demo.logins)
    cell = page.run("vms = %cs -q -c id listVirtualMachines\nlen(vms)")
    kept = re.search(r"listVirtualMachines broke off, its ([\d,]+) rows are kept", cell.text)
    assert kept is not None, cell.text
    assert cell.errors == []
    last = page.value("kept = %cs -q last\nlen(kept), kept.attrs['cs']['complete']")
    assert last == f"({int(kept[1].replace(',', ''))}, False)"
    assert len(demo.logins) == logins
    sign_in(page, demo)
    done(page)
    assert page.value("len(vms) >= 20_000, vms['id'].is_unique") == "(True, True)"


def test_a_write_below_is_not_sent_by_a_cell_that_goes_on_by_itself(page, demo):
    cell = page.run("%cs -q z << listZones\n%cs --no-check startVirtualMachine id=x\nz = 'below'")
    sign_in(page, demo)
    done(page, "failed")
    assert cell.errors == ["startVirtualMachine is not sent by a cell that goes on by itself"]
    assert page.value("len(z)") == "3"


def test_an_error_in_the_rest_of_the_cell_is_shown_there(page, demo):
    cell = page.run(f"{LIST}\n1 / 0\nvms = 'below'")
    sign_in(page, demo)
    done(page, "failed")
    assert cell.errors == ["division by zero"]
    assert page.value("len(vms)") == "5"


def test_the_stop_button_interrupts_a_cell_that_goes_on(page, demo):
    page.fine("seen = []")
    cell = page.run(f"{LIST}\nprint('sleeps')\nimport time\ntime.sleep(60)\nseen.append(1)", "a")
    other = page.run("%cs z << listZones", "b")
    sign_in(page, demo)
    page.until(lambda: "sleeps" in cell.text)
    page.manager.interrupt_kernel()
    page.until(lambda: "was interrupted" in page.says)
    done(page, "again")
    assert page.value("seen") == "[]"
    assert "run this cell again" in other.text


# -- the end of a session ------------------------------------------------------------------------


def test_sign_out_ends_the_session_and_the_next_call_asks_again(page, demo):
    page.fine("%cs login")
    sign_in(page, demo)
    page.fine(LIST)
    page.click("Sign out")
    page.until(lambda: "signed out" in page.says)
    page.fine("vms = 'old'")
    assert page.run(LIST).errors == []
    assert page.value("vms") == "'old'"
    sign_in(page, demo)
    done(page)


def test_a_kernel_that_ends_signs_out(page, demo):
    page.fine("%cs login")
    sign_in(page, demo)
    page.fine(LIST)
    assert len(_sessions(demo)) == 1
    page.manager.shutdown_kernel()
    assert _sessions(demo) == []


def test_logout_signs_out_and_says_who(page, demo):
    assert "nobody was signed in" in page.fine("%cs logout").text
    page.fine("%cs login")
    sign_in(page, demo)
    assert "admin (/) signed out" in page.fine("%cs logout").text
    assert "signed out" in page.says
    assert WAITS in page.run(LIST).text


def test_status_says_that_nobody_is_signed_in_and_stops_nothing(page, demo):
    assert "nobody: %cs login" in page.fine("%cs status").text


# -- where there is no form -----------------------------------------------------------------------


def test_without_anybody_to_ask_it_is_one_line_that_says_what_to_set(page):
    cell = page.run(LIST, allow_stdin=False)
    [error] = cell.errors
    assert error.startswith("people needs somebody to sign in")
    assert "set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET" in error
    assert "into [people] of " in error
    assert "config.toml" in error
    assert not any(map(_view, cell.outputs))
    assert page.run("%cs login", allow_stdin=False).errors
    assert page.run("%cs login --prompt", allow_stdin=False).errors == ["Nobody can be asked here"]


def test_prompts_ask_with_the_password_hidden(page, demo):
    who = demo.accounts["security"]
    page.answers = [who.username, who.password, who.domain, "314159"]
    assert "signed in as security (/)" in page.fine("%cs login --prompt").text
    assert [question["password"] for question in page.asked] == [False, True, False, True]
    assert page.fine(f"{LIST}\nlen(vms)").text.endswith("5")


def test_a_session_of_a_browser_is_proven_and_used(page, demo):
    who = demo.accounts["admin"]
    form = {"command": "login", "username": who.username, "password": who.password}
    reply = requests.post(demo.endpoint, {**form, "response": "json"}, timeout=TIMEOUT)
    key = reply.json()["loginresponse"]["sessionkey"]
    page.answers = ["JSESSIONID=" + reply.cookies["JSESSIONID"], key]
    assert "signed in as a browser's session" in page.fine("%cs login --session").text
    assert all(question["password"] for question in page.asked)
    page.fine(LIST)
    page.answers = ["nonsense", "more of it"]
    refused = page.run("%cs login --session")
    assert refused.errors == ["unable to verify user credentials and/or request signature"]
    page.fine(LIST)


PATIENCE = 30


def _sessions(demo: Demo) -> list[object]:
    return [one for one in demo.app.sessions._sessions.values() if one.account]


def _view(output: dict) -> bool:
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})
