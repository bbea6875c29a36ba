"""Who is let in: the lock-out, disabled and locked people, and what a test may watch and do."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from browser import Browser
from replay import Step, steps

from cs_magic.demo.data.items import Account
from cs_magic.demo.server import Demo, serving

LOCKOUT = steps("A-login/59-lockout")
DISABLED = steps("C-errors/35-disabled-user-key")
LOCKED = steps("C-errors/37-locked-account")
MUST_CHANGE = steps("A-login/67-login-passwordchange")


def refused(recording: tuple[Step, ...], command: str, text: str = "") -> Step:
    """The first recorded refusal of a command, of those whose body holds that text."""
    return next(
        s for s in recording if s.command == command and s.status != 200 and text.encode() in s.body
    )


def told_of(step: Step, account: Account, number: int) -> str:
    """A recorded body with this account in the place of the recorded one and its domain."""
    domain = account.domain
    path = domain.login_path.replace("/", "\\\\/")
    return (
        step.body.decode()
        .replace(f'"id\\":{number},', f'"id\\":{account.number},')
        .replace(step.account, account.name)
        .replace('"id\\":2,', f'"id\\":{domain.number},')
        .replace("in domain 2;", f"in domain {domain.number};")
        .replace('"D1\\"', f'"{domain.name}\\"')
        .replace("\\\\/D1", path)
        .replace("9ed5cca4-bcaf-47c9-926a-e75bd091dd02", domain.id)
    )


def held_against(answer: Any, step: Step, account: Account, number: int = 0) -> None:
    """The answer is the recorded one, said of another account."""
    assert answer.status == step.status
    assert answer.body.decode() == told_of(step, account, number)
    assert set(step.headers) <= set(answer.headers.keys())
    assert ("X-Description" in answer.headers) == ("X-Description" in step.headers)


def signed(demo: Demo, wire: Any, who: str, command: str, **parameters: str) -> Any:
    """A call with somebody's API key."""
    query = wire.signed(demo.accounts[who], {"command": command, **parameters})
    return wire.send(f"{demo.endpoint}?{query}")


def test_five_wrong_passwords_disable_the_user_as_recorded(
    visitor: Browser, own: Demo, wire: Any
) -> None:
    account, access = own.world.people.accounts["webshop"], own.accounts["webshop"]
    *wrong, right, by_key, _ = LOCKOUT
    assert len(wrong) == 5
    for number, step in enumerate(wrong):
        assert signed(own, wire, "webshop", "listCapabilities").status == 200
        held_against(visitor.enter(access, f"wrong{number}"), step, account)
    held_against(visitor.enter(access), right, account, number=13)
    refusal = signed(own, wire, "webshop", "listCapabilities")
    assert (refusal.status, refusal.body) == (by_key.status, by_key.body)


def test_who_was_locked_out_is_listed_as_disabled(visitor: Browser, own: Demo, wire: Any) -> None:
    access = own.accounts["webshop"]
    question = {"username": "webshop", "listall": "true"}
    for state in ("enabled", "disabled"):
        (row,) = signed(own, wire, "admin", "listUsers", **question).rows
        assert row["state"] == state
        for _ in range(5):
            visitor.enter(access, "wrong")
    (account,) = signed(own, wire, "admin", "listAccounts", name="webshop", listall="true").rows
    assert account["state"] == "enabled"
    assert account["user"][0]["state"] == "disabled"
    disabled = signed(own, wire, "admin", "listUsers", state="disabled", listall="true")
    assert [row["username"] for row in disabled.rows] == ["webshop", "azubi"]


def test_a_right_password_in_between_starts_the_count_again(visitor: Browser, own: Demo) -> None:
    access = own.accounts["webshop"]
    for _ in range(3):
        for _ in range(4):
            assert visitor.enter(access, "wrong").status == 531
        assert visitor.enter(access).status == 200


def test_a_login_without_a_password_is_not_counted(visitor: Browser, own: Demo) -> None:
    access = own.accounts["webshop"]
    for _ in range(6):
        assert visitor.enter(access, "").status == 531
    assert visitor.enter(access).status == 200


def test_five_wrong_passwords_at_once_are_five(own: Demo, wire: Any) -> None:
    access = own.accounts["webshop"]
    for many, status in ((4, 200), (5, 531)):
        threads = [
            threading.Thread(target=Browser(wire, own.endpoint).enter, args=(access, "wrong"))
            for _ in range(many)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Browser(wire, own.endpoint).enter(access).status == status


def test_an_admin_lets_a_locked_out_user_in_again(visitor: Browser, own: Demo, wire: Any) -> None:
    access = own.accounts["webshop"]
    for _ in range(5):
        visitor.enter(access, "wrong")
    assert visitor.enter(access).status == 531
    own.enable("webshop")
    assert signed(own, wire, "webshop", "listZones").status == 200
    for _ in range(4):
        visitor.enter(access, "wrong")
    assert visitor.enter(access).status == 200


def test_a_disabled_user_is_told_so_only_after_the_right_password(
    browser: Browser, demo: Demo
) -> None:
    account, access = demo.world.people.accounts["azubi"], demo.accounts["azubi"]
    told = refused(DISABLED, "login", "is disabled")
    held_against(browser.enter(access), told, account, number=8)
    failed = refused(DISABLED, "login", "Failed to authenticate")
    held_against(browser.enter(access, "wrong"), failed, account)


def test_a_locked_account_is_refused_by_password_and_by_key(
    browser: Browser, demo: Demo, call: Any
) -> None:
    account, access = demo.world.people.accounts["treuhand"], demo.accounts["treuhand"]
    held_against(browser.enter(access), refused(LOCKED, "login"), account, number=9)
    answer, step = call("treuhand", "listCapabilities"), refused(LOCKED, "listCapabilities")
    assert (answer.status, answer.body) == (step.status, step.body)
    (row,) = call("root", "listAccounts", name="treuhand", listall="true").rows
    assert row["state"] == "locked"


def test_a_user_who_is_disabled_meanwhile_loses_the_session(visitor: Browser, own: Demo) -> None:
    visitor.enter(own.accounts["webshop"])
    assert visitor.call("listZones").status == 200
    own.disable("webshop")
    answer = visitor.call("listZones")
    assert (answer.status, answer.inner["errortext"]) == (401, "unable to verify user credentials")
    own.enable("webshop")
    assert visitor.call("listZones").status == 401
    assert visitor.enter(own.accounts["webshop"]).status == 200


def test_who_must_change_the_password_is_told_and_shown_four_commands(
    browser: Browser, demo: Demo, call: Any
) -> None:
    _, login, _, listed, *_ = MUST_CHANGE
    answer = browser.enter(demo.accounts["payroll"])
    assert b'"passwordchangerequired":true' in login.body
    assert answer.inner["passwordchangerequired"] is True
    assert list(answer.inner)[-1] == "passwordchangerequired"
    assert browser.call("listZones").status == 200
    names = {row["name"] for row in browser.call("listApis").rows}
    for name in names:
        assert f'"name":"{name}"'.encode() in listed.body
    assert names == {"login", "logout", "listApis", "updateUser"}
    assert call("payroll", "listApis").count > len(names)


# -- what a test may watch and do -------------------------------------------------------------


def test_login_requests_are_remembered_without_their_passwords(visitor: Browser, own: Demo) -> None:
    assert own.logins == ()
    visitor.enter(own.accounts["webshop"], "tell-tale")
    visitor.enter(own.accounts["webshop"])
    visitor.login(password="tell-tale")
    visitor.login("GET", username="admin", password="tell-tale")
    visitor.login(username="admin", password="tell-tale", domainid="nonsense")
    assert [(one.username, one.domain, one.status) for one in own.logins] == [
        ("webshop", "/Retail", 531),
        ("webshop", "/Retail", 200),
        ("", "", 531),
        ("admin", "", 405),
        ("admin", "nonsense", 401),
    ]
    assert "tell-tale" not in repr(own.logins)
    assert own.accounts["webshop"].password not in repr(own.logins)


def test_nobody_may_be_enabled_or_disabled(own: Demo) -> None:
    for change in (own.enable, own.disable):
        with pytest.raises(KeyError, match="nobody"):
            change("nobody")


def test_sessions_are_forgotten_as_by_a_restart(visitor: Browser, own: Demo, wire: Any) -> None:
    other = Browser(wire, own.endpoint)
    visitor.enter(own.accounts["webshop"])
    other.enter(own.accounts["admin"])
    own.end_sessions()
    for one in (visitor, other):
        answer = one.call("listZones")
        assert answer.status == 401
        assert answer.inner["errortext"].endswith("and/or request signature")
    assert visitor.enter(own.accounts["webshop"]).status == 200
    assert visitor.call("listZones").status == 200


def test_sessions_end_after_so_many_calls_and_once(visitor: Browser, own: Demo, wire: Any) -> None:
    visitor.enter(own.accounts["webshop"])
    own.end_sessions(after=3)
    statuses = []
    for _ in range(5):
        statuses.append(visitor.call("listZones").status)
        assert signed(own, wire, "webshop", "listZones").status == 200
    assert statuses == [200, 200, 200, 401, 401]
    visitor.enter(own.accounts["webshop"])
    assert [visitor.call("listZones").status for _ in range(4)] == [200] * 4


def test_of_calls_at_once_exactly_so_many_are_answered(
    visitor: Browser, own: Demo, wire: Any
) -> None:
    visitor.enter(own.accounts["webshop"])
    own.end_sessions(after=7)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(visitor.call("listZones").status))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [401] * 5


def test_a_planned_end_may_be_called_off_by_ending_them_now(visitor: Browser, own: Demo) -> None:
    own.end_sessions(after=1)
    own.end_sessions()
    visitor.enter(own.accounts["webshop"])
    assert [visitor.call("listZones").status for _ in range(2)] == [200, 200]
    with pytest.raises(ValueError, match="-1"):
        own.end_sessions(after=-1)


def test_a_short_time_out_is_told_and_kept(wire: Any) -> None:
    with serving(machines=0, session_timeout=20) as demo:
        browser = Browser(wire, demo.endpoint)
        assert browser.enter(demo.accounts["webshop"]).inner["timeout"] == 20
        for _ in range(3):
            demo.let_pass(15)
            assert browser.call("listZones").status == 200
        demo.let_pass(21)
        assert browser.call("listZones").status == 401


def test_sessions_that_last_no_time_are_refused() -> None:
    with pytest.raises(ValueError, match="0 seconds"):
        Demo(machines=0, session_timeout=0)
