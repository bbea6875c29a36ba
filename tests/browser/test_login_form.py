"""The login form in a real browser: the cell stops, somebody signs in, the cell goes on."""

from __future__ import annotations

import pytest
from form import CALL, LOAD, Form, password, waiting
from playwright.sync_api import expect

WRONG = "Failed to authenticate user admin"
PIN = "314159"
pytestmark = pytest.mark.usefixtures("asks")


# -- the way through it ------------------------------------------------------------------


def test_run_all_stops_at_the_form_without_an_error(open_notebook, demo):
    page, form = waiting(open_notebook, "below = 1")
    form.expect_says(f"Sign in to prod at {demo.endpoint.split('/')[2]}")
    form.expect_says("listZones waits")
    assert page.errors() == []
    assert page.prompt(2) == "[ ]:"
    assert page.value("'below' in globals(), 'zones' in globals()") == "(False, False)"
    page.screenshot("form-waiting")
    assert page.problems == []


def test_a_wrong_password_is_answered_in_the_form_in_cloudstacks_words(open_notebook, demo):
    page, form = waiting(open_notebook, "below = 1")
    form.sign_in("admin", "not this one")
    form.expect_says(WRONG)
    form.expect_shown()
    expect(form.password).to_have_value("")
    assert page.errors() == []
    assert page.value("'zones' in globals()") == "False"
    page.screenshot("form-refused")
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    expect(form.area).not_to_contain_text(WRONG)


def test_after_signing_in_the_cell_goes_on_where_it_stopped(open_notebook, demo):
    page, form = waiting(open_notebook, "below = len(zones)")
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("cell [2] is done")
    form.expect_says("after 3")
    expect(form.area.locator("table tbody tr")).to_have_count(3)
    assert page.text(1).count("above") == 1
    assert "waits" not in page.text(1)
    assert page.errors() == []
    assert page.value("len(zones), 'below' in globals()") == "(3, False)"
    [result] = [one for one in page.kept(1) if one["output_type"] == "execute_result"]
    assert result["execution_count"] == 2
    assert page.value("len(Out[2])") == "3"
    page.screenshot("form-folded")
    page.run(2)
    assert page.value("below") == "3"
    assert page.prompt(2) == "[3]:"
    outputs = page.save()["cells"][1]["outputs"]
    assert any("after 3" in "".join(one.get("text", "")) for one in outputs)
    assert page.problems == []


def test_enter_signs_in_as_the_button_does(open_notebook, demo):
    page, form = waiting(open_notebook)
    form.type("webshop", password(demo, "webshop"), "/Retail")
    form.password.press("Enter")
    form.expect_folded("webshop (/Retail)")
    form.expect_says("after 3")
    assert page.errors() == []


def test_what_is_missing_is_said_and_nothing_is_sent(open_notebook, sent):
    _, form = waiting(open_notebook)
    form.username.fill("admin")
    form.button("Sign in").click()
    form.expect_says("The password is missing")
    assert "login" not in sent


def test_an_error_after_the_sign_in_stands_in_the_cells_own_output(open_notebook, demo):
    page, form = waiting(open_notebook, cell="%cs -q listZones\n1 / 0")
    form.sign_in("admin", password(demo))
    form.expect_says("cell [2] failed")
    form.expect_says("ZeroDivisionError")
    assert page.errors(1) == ["division by zero"]


def test_what_somebody_types_is_shown_as_text(open_notebook):
    page, form = waiting(open_notebook)
    typed = "<img src=x onerror=window.hit=1>"
    form.sign_in(typed, "guess")
    form.expect_says(f"Failed to authenticate user {typed}")
    assert page.tab.evaluate("window.hit") is None
    assert form.area.locator("img").count() == 0


# -- two factors -------------------------------------------------------------------------


def test_a_two_factor_user_gives_the_code_in_a_second_step(open_notebook, demo):
    page, form = waiting(open_notebook, "below = 1")
    form.sign_in("security", password(demo, "security"))
    expect(form.code).to_be_visible()
    expect(form.password).to_have_count(0)
    assert page.value("'zones' in globals()") == "False"
    page.screenshot("form-code")
    form.give(PIN)
    form.expect_folded("security (/)")
    form.expect_says("after 3")
    assert page.errors() == []
    page.screenshot("form-code-taken")


def test_a_wrong_code_leads_back_to_the_password(open_notebook, demo):
    page, form = waiting(open_notebook)
    form.sign_in("security", password(demo, "security"))
    form.give("000000")
    form.expect_says("two-factor authentication code provided is invalid")
    form.expect_shown()
    page.screenshot("form-code-refused")
    form.sign_in("security", password(demo, "security"))
    form.give(PIN)
    form.expect_folded("security (/)")
    form.expect_says("after 3")
    assert page.errors() == []


# -- more than one cell ------------------------------------------------------------------


def test_three_cells_that_wait_share_a_form_and_all_go_on_in_order(open_notebook, demo):
    cells = [f"n{i} = %cs -q listZones\norder.append({i})\nprint('done', {i})" for i in (1, 2, 3)]
    page = open_notebook(f"{LOAD}\norder = []", *cells, "")
    page.run(0, 1, 2, 3)
    form = Form(page, 1)
    form.expect_shown()
    assert page.tab.locator(".jp-OutputArea input[type=password]").count() == 1
    for cell in (2, 3):
        expect(page.outputs(cell)).to_contain_text("listZones waits")
    assert page.errors() == []
    page.screenshot("form-three-wait")
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("cell [2] is done; cell [3] is done; cell [4] is done")
    for cell in (1, 2, 3):
        expect(page.cell(cell)).to_contain_text(f"done {cell}")
        assert page.text(cell).count("done ") == 1
        assert "waits" not in page.text(cell)
    assert page.value("order, len(n1), len(n2), len(n3)") == "([1, 2, 3], 3, 3, 3)"
    page.screenshot("form-three-done")


def test_the_same_cell_run_twice_waits_once(open_notebook, demo):
    page, form = waiting(open_notebook, cell="zones = %cs -q listZones\nprint('on')")
    page.run(1)
    form.expect_shown()
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("is done")
    expect(page.outputs(1).get_by_text("on\n", exact=True)).to_have_count(1)


def test_a_password_sent_by_enter_while_another_cell_runs_arrives_whole(open_notebook, demo, gate):
    cell, let_go = gate
    whole = password(demo, "auditor")
    assert len(whole) == 16
    page, form = waiting(open_notebook, cell)
    busy = page.start_cell(2)
    page.wait_until_busy()
    form.type("auditor", whole)
    form.password.press("Enter")
    page.screenshot("form-busy")
    let_go()
    page.finish(busy)
    form.expect_folded("auditor (/)")
    form.expect_says("after 3")
    assert page.errors() == []


# -- sessions that end -------------------------------------------------------------------


def test_sign_out_ends_the_session_and_the_next_call_asks_again(open_notebook, demo):
    page, form = waiting(open_notebook, "again = %cs -q listZones")
    form.sign_in("admin", password(demo))
    form.expect_folded("admin (/)")
    form.expect_says("is done")
    assert sessions(demo, "admin")
    form.button("Sign out").click()
    form.expect_says("signed out")
    expect(form.button("Sign out")).to_have_count(0)
    assert sessions(demo, "admin") == []
    page.screenshot("form-signed-out")
    page.run(2)
    Form(page, 2).expect_shown()
    assert page.errors() == []


def test_after_expiry_run_all_asks_again_and_nothing_below_runs_on_old_rows(open_notebook, demo):
    page, form = waiting(open_notebook, "ran.append(len(zones))", cell=CALL)
    page.run(0)
    form.sign_in("admin", password(demo))
    form.expect_says("after 3")
    page.value("globals().update(ran=[], old=zones)")
    for session in sessions(demo, "admin"):
        demo.app.sessions.end(session)
    page.run_all()
    again = Form(page, 1)
    again.expect_shown()
    assert page.errors() == []
    assert page.value("zones is old, ran") == "(True, [])"
    page.screenshot("form-expired")
    again.sign_in("admin", password(demo))
    again.expect_folded("admin (/)")
    again.expect_says("after 3")
    assert page.value("zones is old, ran") == "(False, [])"
    page.run(2)
    assert page.value("ran") == "[3]"


def sessions(demo, username):
    """The live sessions of a user."""
    every = list(demo.app.sessions._sessions.values())
    return [one for one in every if one.account and one.account.user.username == username]
