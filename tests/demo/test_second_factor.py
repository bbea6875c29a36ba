"""The code after the password: asked for, given, wrong, missing, or never set up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browser import Browser
from replay import Step, steps

from cs_magic.demo.server import Demo

VALIDATE = "validateUserTwoFactorAuthenticationCode"
CODE = "314159"
TWO_FACTOR = steps("A-login/60-two-factor")
NO_KEY = steps("A-login/61-two-factor-validate-without-sessionkey")
NO_FACTOR = steps("A-login/63-two-factor-first-setup-wrong")
MANDATED = steps("A-login/65-two-factor-mandated")


def first(recording: tuple[Step, ...], command: str, status: int) -> Step:
    """The first recorded answer to a command with that status."""
    return next(s for s in recording if (s.command, s.status) == (command, status))


def facts(login: bytes) -> dict[str, Any]:
    """What a login says about second factors."""
    ((_, held),) = json.loads(login).items()
    return {name: value for name, value in held.items() if "2fa" in name}


@pytest.fixture
def guard(browser: Browser, demo: Demo) -> Browser:
    """Signed in with the password alone, where a code is to follow."""
    browser.enter(demo.accounts["security"])
    return browser


def test_a_login_says_that_a_code_is_to_follow(browser: Browser, demo: Demo) -> None:
    answer = browser.enter(demo.accounts["security"])
    recorded = [s.body for s in TWO_FACTOR if s.command == "login" and b'"staticpin"' in s.body]
    assert facts(answer.body) == facts(recorded[0])
    assert answer.inner["is2faverified"] == "false"


def test_without_the_code_any_other_call_loses_the_session(guard: Browser) -> None:
    assert guard.call("listApis").status == 200
    answer = guard.call("listZones")
    assert (answer.status, answer.body) == (511, first(TWO_FACTOR, "listZones", 511).body)
    again = guard.call("listZones")
    assert (again.status, again.body) == (401, first(TWO_FACTOR, "listZones", 401).body)
    late = guard.call(VALIDATE, codefor2fa=CODE)
    assert (late.status, late.body) == (401, first(TWO_FACTOR, VALIDATE, 401).body)


def test_the_code_opens_the_session(guard: Browser) -> None:
    answer = guard.call(VALIDATE, codefor2fa=CODE)
    assert (answer.status, answer.body) == (200, first(TWO_FACTOR, VALIDATE, 200).body)
    assert guard.call("listZones").status == 200


def test_a_wrong_code_ends_the_session(guard: Browser) -> None:
    wrong, recorded = guard.call(VALIDATE, codefor2fa="000000"), first(TWO_FACTOR, VALIDATE, 511)
    assert (wrong.status, wrong.body) == (511, recorded.body)
    assert wrong.headers["X-Description"] == recorded.headers["X-Description"]
    after = guard.call(VALIDATE, codefor2fa=CODE)
    assert (after.status, after.body) == (401, first(TWO_FACTOR, VALIDATE, 401).body)


def test_a_missing_code_is_asked_for_and_the_session_goes_on(guard: Browser) -> None:
    missing = guard.call(VALIDATE)
    assert missing.status == 531
    assert missing.inner["errortext"] == "Code for two factor authentication is required"
    assert guard.call(VALIDATE, codefor2fa=CODE).status == 200


def test_a_right_code_without_session_key_is_two_documents_and_no_session(guard: Browser) -> None:
    _, both, after = NO_KEY
    answer = guard.call(VALIDATE, key="", codefor2fa=CODE)
    assert (answer.status, answer.body) == (both.status, both.body)
    answer = guard.call("listZones")
    assert (answer.status, answer.body) == (after.status, after.body)


def test_each_login_asks_for_the_code_again(guard: Browser, demo: Demo) -> None:
    assert guard.call(VALIDATE, codefor2fa=CODE).status == 200
    guard.enter(demo.accounts["security"])
    assert guard.call("listZones").status == 511


def test_a_code_where_none_is_set_up_is_answered_blankly(signed_in: Browser) -> None:
    blank, recorded = signed_in.call(VALIDATE, codefor2fa="123456"), NO_FACTOR[1]
    assert (blank.status, blank.body) == (recorded.status, recorded.body) == (200, b"")
    assert blank.headers["Content-Type"] == recorded.content_type


def test_a_domain_may_demand_a_second_factor_that_nobody_set_up(
    browser: Browser, demo: Demo
) -> None:
    access = demo.accounts["webshop-lab"]
    login = browser.enter(access)
    assert login.status == 200
    assert facts(login.body) == facts(MANDATED[0].body)
    assert "providerfor2fa" not in login.inner
    answer = browser.call("listZones")
    assert (answer.status, answer.body) == (511, MANDATED[1].body)
    assert browser.call("listApis").status == 401


def test_a_demanded_factor_that_is_not_set_up_cannot_be_validated(
    browser: Browser, demo: Demo
) -> None:
    browser.enter(demo.accounts["webshop-lab"])
    blank = browser.call(VALIDATE, codefor2fa="561327")
    recorded = next(s for s in MANDATED if s.command == VALIDATE)
    assert (blank.status, blank.body) == (recorded.status, recorded.body) == (200, b"")


@pytest.mark.parametrize("name", ["security", "webshop-lab"])
def test_a_key_is_never_asked_for_a_second_factor(call: Any, name: str) -> None:
    assert call(name, "listZones").status == 200


def test_a_list_of_users_says_who_has_and_who_needs_a_second_factor(call: Any) -> None:
    users = {row["username"]: row for row in call("root", "listUsers", listall="true").rows}
    assert [name for name, row in users.items() if row["is2faenabled"]] == ["security"]
    assert [name for name, row in users.items() if row["is2famandated"]] == ["webshop-lab"]
