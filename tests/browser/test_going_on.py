"""What else happens around a form: a keyboard, a reload, a restart, and cells that can't go on."""

from __future__ import annotations

import pytest
from form import LOAD, Form, password, waiting
from playwright.sync_api import expect

PIN = "314159"
pytestmark = pytest.mark.usefixtures("asks")


# -- a keyboard, a reload, a restart, the stop button --------------------------------------


def test_the_keyboard_alone_is_enough(open_notebook, demo):
    page, form = waiting(open_notebook)
    keys = page.tab.keyboard
    for _ in range(60):
        keys.press("Tab")
        if form.username.evaluate("(box) => box === document.activeElement"):
            break
    expect(form.username).to_be_focused()
    keys.type("webshop")
    keys.press("Tab")
    expect(form.password).to_be_focused()
    keys.type(password(demo, "webshop"))
    keys.press("Tab")
    expect(form.domain).to_be_focused()
    keys.press("Control+a")
    keys.type("/Retail")
    keys.press("Tab")
    expect(form.button("Sign in")).to_be_focused()
    page.screenshot("form-keyboard")
    keys.press("Enter")
    form.expect_folded("webshop (/Retail)")
    form.expect_says("after 3")


def test_the_code_box_has_the_focus_when_it_appears(open_notebook, demo):
    page, form = waiting(open_notebook)
    form.type("security", password(demo, "security"))
    form.password.press("Enter")
    expect(form.code).to_be_focused()
    page.tab.keyboard.type(PIN)
    page.tab.keyboard.press("Enter")
    form.expect_folded("security (/)")


def test_after_a_reload_of_the_page_the_form_still_works(open_notebook, demo):
    page, form = waiting(open_notebook)
    page.save()
    page.reload()
    form.expect_shown()
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("cell [2] is done")
    assert page.value("len(zones)") == "3"
    page.screenshot("form-reloaded")


def test_after_a_restart_the_old_form_is_dead_and_the_cell_shows_a_new_one(open_notebook, demo):
    page, form = waiting(open_notebook)
    page.restart()
    expect(form.area.locator(".jupyter-widgets-disconnected").first).to_be_visible()
    page.screenshot("form-restarted")
    page.run(0, 1)
    form.expect_shown()
    expect(form.area.locator(".jupyter-widgets-disconnected")).to_have_count(0)
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("after 3")


def test_the_stop_button_ends_a_cell_that_goes_on(open_notebook, demo, gate):
    cell, _ = gate
    page, form = waiting(
        open_notebook, "works = 1", cell=f"%cs -q listZones\nprint('going on')\n{cell}"
    )
    form.sign_in("admin", password(demo))
    form.expect_says("going on")
    page.screenshot("form-going-on")
    page.interrupt()
    form.expect_says("cell [2] was interrupted")
    form.expect_says("KeyboardInterrupt")
    page.wait()
    page.run(2)
    assert page.value("works") == "1"


# -- run this cell again -------------------------------------------------------------------

AGAIN = (
    "%time %cs -q listZones",
    "for n in (1, 2):\n    zones = %cs -q listZones",
    "def get():\n    rows = %cs -q listZones\n    return rows\nzones = get()",
    "a = 1; zones = get_ipython().run_line_magic('cs', '-q listZones')",
    "n = len(get_ipython().run_line_magic('cs', '-q listZones'))",
    "%cs -q listZones\nimport asyncio\nawait asyncio.sleep(0)",
)


def test_where_it_cannot_go_on_the_person_is_told_to_run_it_again(open_notebook, demo):
    page = open_notebook(LOAD, *AGAIN)
    places = range(1, 1 + len(AGAIN))
    page.run(0, *places)
    form = Form(page, 1)
    form.expect_shown()
    assert page.errors() == []
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    for place in places:
        expect(page.cell(place)).to_contain_text("signed in: run this cell again")
        form.expect_says(f"run cell [{place + 1}] again")
    page.screenshot("form-run-again")
    for place in places:
        page.run(place)
        assert "run this cell again" not in page.text(place)
    assert page.errors() == []


def test_a_write_never_goes_on_by_itself(open_notebook, demo, sent):
    write = "%cs createDomain name=neu\nprint('on')"
    page, form = waiting(open_notebook, cell=write)
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("signed in: run this cell again")
    page.screenshot("form-write")
    assert "createDomain" not in sent
    page.run(1)
    assert "createDomain" in sent


def test_a_read_goes_on_and_the_write_below_it_is_not_sent(open_notebook, demo, sent):
    both = "%cs -q listZones\nprint('on')\n%cs createDomain name=neu"
    page, form = waiting(open_notebook, cell=both)
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("again")
    assert "createDomain" not in sent
    assert page.text(1).count("on\n") <= 1


def test_a_cell_magic_goes_on_with_the_line_that_waited(open_notebook, demo):
    cell = "%%cs -q\nzones << listZones\n-c name listHosts"
    page, form = waiting(open_notebook, cell=cell)
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    expect(form.area.locator("table")).to_be_visible()
    assert page.value("len(zones)") == "3"


def test_cs_login_shows_the_form_and_stops_nothing(open_notebook, demo):
    page = open_notebook(LOAD, "%cs login\nwent = 'on'", "zones = %cs -q listZones")
    page.run(0, 1)
    form = Form(page, 1)
    form.expect_shown()
    assert page.value("went") == "'on'"
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    page.run(2)
    assert page.value("len(zones)") == "3"
    assert page.errors() == []
