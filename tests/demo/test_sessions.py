"""Login sessions, as a real server keeps and loses them."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Browser

from cs_magic.demo.server import Demo
from cs_magic.demo.sessions import Sessions


def test_a_login_answers_with_the_recorded_facts_and_cookies(browser: Browser, demo: Demo) -> None:
    answer = browser.login(username=demo.username, password=demo.password)
    assert answer.status == 200
    assert list(answer.inner) == (
        "username userid domainid timeout account firstname lastname type timezone "
        "timezoneoffset registered sessionkey is2faenabled is2faverified issuerfor2fa "
        "managementserverid".split()
    )
    assert answer.inner["timeout"] == 1800
    assert answer.inner["type"] == "1"
    first, second = answer.headers.get_all("Set-Cookie")
    assert first.endswith(".node0; Path=/client")
    assert second == f"sessionkey={answer.inner['sessionkey']};HttpOnly;SameSite=Lax"
    assert answer.headers["Expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.mark.parametrize("domain", ["/Retail", "Retail", "/retail/"])
def test_a_domain_is_a_path_in_any_letter_case(browser: Browser, demo: Demo, domain: str) -> None:
    password = demo.accounts["webshop"].password
    assert browser.login(username="WebShop", password=password, domain=domain).status == 200


@pytest.mark.parametrize(
    ("form", "status", "text"),
    [
        (
            {"username": "webshop", "password": "wrong", "domain": "/Retail"},
            531,
            "Failed to authenticate user webshop in domain 2; please provide valid credentials",
        ),
        (
            {"username": "webshop", "domain": "/Retail"},
            531,
            "Failed to authenticate user webshop in domain 2; please provide valid credentials",
        ),
        (
            {"username": "webshop", "password": "x"},
            531,
            "Failed to authenticate user webshop in domain 1; please provide valid credentials",
        ),
        (
            {"username": "webshop", "password": "x", "domain": "ROOT/Retail"},
            531,
            "Unable to find the domain from the path /ROOT/Retail/",
        ),
        (
            {"username": "webshop", "password": "x", "domainid": "nonsense"},
            401,
            "Invalid domain id entered, please enter a valid one",
        ),
        (
            {"username": "", "password": "", "domain": "/"},
            531,
            "Failed to authenticate user  in domain 1; please provide valid credentials",
        ),
    ],
)
def test_a_refused_login_is_the_recorded_document_and_sets_a_cookie(
    browser: Browser, form: dict[str, str], status: int, text: str
) -> None:
    answer = browser.login(**form)
    assert answer.status == status
    assert answer.json == {
        "loginresponse": {"uuidList": [], "errorcode": status, "errortext": text}
    }
    assert answer.headers["Set-Cookie"].startswith("JSESSIONID=")
    assert answer.headers["X-Description"] is None


def test_a_login_without_username_is_531_and_null(browser: Browser) -> None:
    answer = browser.login(password="x")
    assert (answer.status, answer.body) == (531, b"null")


def test_a_login_by_get_is_405_and_poisons_the_next_call(browser: Browser, demo: Demo) -> None:
    answer = browser.login("GET", username=demo.username, password=demo.password)
    assert answer.status == 405
    assert answer.body == b"Please use HTTP POST to authenticate using this API"
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    poisoned = browser.call("listCapabilities")
    assert (poisoned.status, poisoned.body) == (200, b"")
    assert poisoned.headers["Content-Type"] == "text/xml;charset=utf-8"


def test_a_session_is_its_users(signed_in: Browser, call: Any) -> None:
    own = call("user", "listVirtualMachines")
    assert signed_in.call("listVirtualMachines").inner == own.inner


def test_without_the_node_suffix_the_cookie_is_taken_too(signed_in: Browser) -> None:
    signed_in.jsessionid = signed_in.jsessionid.removesuffix(".node0")
    assert signed_in.call("listZones").status == 200


@pytest.mark.parametrize("key", ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA"])
def test_one_call_with_a_wrong_session_key_destroys_the_session(
    signed_in: Browser, key: str
) -> None:
    assert signed_in.call("listZones").status == 200
    wrong = signed_in.call("listZones", key=key)
    assert wrong.json == {
        "listzonesresponse": {
            "uuidList": [],
            "errorcode": 401,
            "errortext": "unable to verify user credentials",
        }
    }
    after = signed_in.call("listZones")
    assert after.status == 401
    assert after.inner["errortext"].endswith("and/or request signature")


def test_an_unknown_cookie_leaves_the_real_session_alive(signed_in: Browser) -> None:
    own, signed_in.jsessionid = signed_in.jsessionid, "node0nobody.node0"
    assert signed_in.call("listZones").status == 401
    signed_in.jsessionid = own
    assert signed_in.call("listZones").status == 200


def test_a_refused_command_leaves_the_session_alive(signed_in: Browser) -> None:
    for command in ("listHosts", "listNothing"):
        answer = signed_in.call(command)
        assert answer.status == 432
        assert answer.json["errorresponse"]["errortext"] == (
            f"The API [{command}] does not exist or is not available for the account webshop."
        )
    assert signed_in.call("listZones").status == 200


def test_an_unknown_command_is_named_to_a_root_admin(browser: Browser, demo: Demo) -> None:
    browser.login(username=demo.username, password=demo.password)
    answer = browser.call("listNothing")
    assert answer.json["errorresponse"]["errortext"] == "Unknown API command: listNothing"


def test_a_session_call_without_a_command_is_blank_and_harmless(signed_in: Browser) -> None:
    blank = signed_in.call(None, listall="true")
    assert (blank.status, blank.body) == (200, b"")
    assert signed_in.call("listZones").status == 200


def test_a_logout_ends_the_session_and_a_second_one_is_431(signed_in: Browser) -> None:
    answer = signed_in.call("logout")
    assert answer.json == {"logoutresponse": {"description": "success"}}
    assert [cookie.partition("=")[0] for cookie in answer.headers.get_all("Set-Cookie")] == [
        "sessionkey",
        "JSESSIONID",
        "sessionkey",
    ]
    assert signed_in.call("listZones").status == 401
    again = signed_in.call("logout")
    assert again.status == 431
    assert again.inner["errortext"] == "Session not found for the logout process."


def test_a_session_lives_as_long_as_it_is_used(demo: Demo) -> None:
    now = [0.0]
    sessions = Sessions(demo.world, ticks=lambda: now[0])
    form = {"username": demo.username, "password": demo.password}
    reply = sessions.login("POST", form, {}, as_json=True)
    cookie = next(value for _, value in reply.headers if value.startswith("JSESSIONID="))
    cookies = {"JSESSIONID": cookie.partition("=")[2].partition(";")[0]}
    for now[0] in (1_700.0, 3_400.0, 5_100.0):
        assert sessions.find(cookies)
    now[0] += 1_801
    assert sessions.find(cookies) is None
