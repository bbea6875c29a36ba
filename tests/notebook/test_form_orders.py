"""The login form when things happen in another order: cells run again, profiles changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from front import Front, front

from cs_magic.demo.server import Demo, serving

WAITS = "waits for somebody to sign in to prod"
AGAIN = "signed in: run this cell again"
PROFILE = '[{name}]\nendpoint = "{endpoint}"\n'


@pytest.fixture
def prod() -> Iterator[Demo]:
    with serving(machines=30) as running:
        yield running


@pytest.fixture
def test() -> Iterator[Demo]:
    with serving(machines=7) as running:
        yield running


@pytest.fixture
def page(prod: Demo, test: Demo, tmp_path: Path) -> Iterator[Front]:
    """A notebook with two profiles that somebody signs in to; prod is in use."""
    config = PROFILE.format(name="prod", endpoint=prod.endpoint)
    config += PROFILE.format(name="test", endpoint=test.endpoint)
    with front(tmp_path, config) as page:
        page.fine("%load_ext cs_magic\n%cs -q use prod")
        yield page


def sign_in(page: Front, demo: Demo, account: str = "admin", password: str = "") -> None:
    """Fill the form in, and press its button."""
    who = demo.accounts[account]
    page.type("Username", who.username)
    page.type("Domain", who.domain)
    page.type("Password", password or who.password)
    page.click("Sign in")


def told(page: Front, text: str) -> None:
    """Wait until the form says so."""
    page.until(lambda: text in page.says and "goes on …" not in page.says)


def views(cell) -> int:
    """How often a cell shows a form."""
    return sum("application/vnd.jupyter.widget-view+json" in one.get("data", {}) for one in cell)


# -- the connection that it waited for --------------------------------------------------------


def test_a_cell_does_not_go_on_against_another_profile_than_it_waited_for(page, prod, test):
    cell = page.run("vms = %cs -q -c name listVirtualMachines", "a")
    named = page.run("zones = %cs -q -p prod -c name listZones", "b")
    page.fine("%cs use test", "c")
    sign_in(page, prod)
    told(page, "again")
    assert AGAIN in cell.text
    assert page.value("'vms' in globals(), len(zones)") == "(False, 3)"
    assert WAITS not in named.text


def test_a_cell_whose_use_is_done_is_not_taken_elsewhere_by_another_use(page, prod):
    cell = page.run("%%cs -q\nuse prod\nvms << -c name listVirtualMachines", "a")
    page.fine("%cs use test", "b")
    sign_in(page, prod)
    told(page, "again")
    assert AGAIN in cell.text
    assert page.value("'vms' in globals()") == "False"


def test_the_form_is_that_of_the_profile_as_it_is_now(page, prod, tmp_path):
    page.fine("%cs login", "a")
    sign_in(page, prod)
    told(page, "signed in as")
    path = tmp_path / "xdg_config_home" / "cs_magic" / "config.toml"
    path.write_text(PROFILE.format(name="prod", endpoint=prod.endpoint) + "workers = 2\n")
    page.fine("%cs -q use prod\n%cs -q use prod", "b")
    cell = page.run("vms = %cs -q -c name listVirtualMachines", "c")
    assert views(cell.outputs) == 1
    assert "Password" in page.descriptions
    sign_in(page, prod)
    told(page, "is done")
    assert page.value("len(vms)") == "56"


# -- cells run again -----------------------------------------------------------------------------


@pytest.mark.parametrize("now", ["seen.append('new')", "%cs profiles\nseen.append('new')"])
def test_a_cell_that_was_run_again_never_runs_its_old_text(page, prod, now):
    page.fine("seen = []")
    page.run("%cs -q listZones\nseen.append('old')", "a")
    page.run("%cs -q listZones\nseen.append('other')", "b")
    page.fine(now, "a")
    page.fine("%cs login", "c")
    sign_in(page, prod)
    told(page, "is done")
    assert page.value("seen") == "['new', 'other']"


def test_a_line_that_waits_names_the_cell_of_the_form_and_the_way_out(page, prod):
    page.run("%cs -q listZones", "a")
    number = page.value("len(In) - 2")
    other = page.run("%cs -q listZones", "b")
    assert f"{WAITS} at" in other.text
    assert f": the form is below cell [{number}]; %cs login shows it again" in other.text
    page.fine("%cs login", "c")
    number = page.value("len(In) - 2")
    page.until(lambda: f"the form is below cell [{number}]" in other.text)


def test_a_form_whose_cell_was_run_again_is_shown_by_the_next_cell_that_waits(page):
    page.run("%cs -q listZones", "a")
    page.fine("1", "a")
    cell = page.run("%cs -q listZones", "b")
    assert views(cell.outputs) == 1
    assert "the form is below" not in cell.text


def test_login_and_a_call_in_one_cell_show_one_form(page, prod):
    cell = page.run("%cs login\nz = %cs -q -c name listZones", "a")
    assert views(cell.outputs) == 1
    sign_in(page, prod)
    told(page, "is done")
    assert page.value("len(z)") == "3"


# -- a connection that is closed -----------------------------------------------------------------


@pytest.mark.parametrize("closing", ["%cs use prod --read-only", "%unload_ext cs_magic"])
def test_a_connection_that_is_closed_ends_its_form_and_the_waiting_for_it(page, prod, closing):
    cell = page.run("vms = %cs -q -c name listVirtualMachines", "a")
    page.type("Username", "admin")
    page.type("Password", prod.password)
    page.click("Sign in")
    page.fine(closing, "b")
    told(page, "no longer in use")
    page.until(lambda: "no longer in use: run this cell again" in cell.text)
    assert page.value("'vms' in globals()") == "False"
    assert not any(one.account for one in prod.app.sessions._sessions.values())


def test_a_form_that_was_signed_in_with_ends_with_its_connection_and_its_session(page, prod):
    page.fine("%cs login", "a")
    sign_in(page, prod)
    told(page, "signed in as")
    page.fine("%cs use prod --read-only", "b")
    told(page, "no longer in use")
    assert "Sign out" not in page.descriptions
    assert not any(one.account for one in prod.app.sessions._sessions.values())


# -- what the form says ----------------------------------------------------------------------------


def test_a_second_press_leaves_the_refusal_on_the_screen(page, prod):
    page.run("%cs -q listZones", "a")
    sign_in(page, prod, password="tell-tale")
    page.click("Sign in")
    told(page, "Failed to authenticate user admin")
    page.click("Sign in")
    # It is answered after both presses: what comes later is later on the same loop.
    page.fine("import asyncio\nawait asyncio.sleep(0.6)")
    assert "Failed to authenticate user admin" in page.says
    assert "is missing" not in page.says
    page.type("Username", "auditor")
    page.click("Sign in")
    told(page, "The password is missing")


def test_logout_forgets_a_sign_in_that_waits_for_its_code(page, prod):
    page.run("z = %cs -q -c name listZones", "a")
    sign_in(page, prod, "security")
    told(page, "Two-factor code")
    assert "nobody was signed in" in page.fine("%cs logout", "b").text
    told(page, "Sign in to <b>prod</b>")
    assert "Two-factor code" not in page.says
    sign_in(page, prod)
    told(page, "is done")
    assert page.value("len(z)") == "3"


def test_prompts_say_who_signed_in_and_where(page, prod):
    who = prod.accounts["admin"]
    page.answers = [who.username, who.password, who.domain]
    host = prod.endpoint.split("/")[2]
    assert f"signed in as admin (/) at {host} (prod)" in page.fine("%cs login --prompt").text
