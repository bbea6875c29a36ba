"""The requests of CloudMonkey 6.4, as it was seen to send them, get what it needs.

Other than the rest here this runs without the program: it is no Python and often not at hand.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from cs_magic.demo.server import serving
from peers.__main__ import demo_target
from peers.plain import Target, signature


@dataclass
class Reply:
    """What came: status, cookies as the server wrote them, the one key and what it holds."""

    status: int
    cookies: list[str]
    wrapper: str
    inner: Any


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serving(machines=60) as demo:
        yield demo_target(demo)


def exchange(target: Target, method: str, query: str, form: str = "", cookies: str = "") -> Reply:
    """One request with exactly this text, as Go's client writes it."""
    where = urlsplit(target.endpoint)
    server = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    headers = {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "identity"}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if cookies:
        headers["Cookie"] = cookies
    path = where.path + (f"?{query}" if query else "")
    server.request(method, path, form or None, headers)
    answer = server.getresponse()
    ((wrapper, inner),) = json.loads(answer.read()).items()
    return Reply(answer.status, answer.headers.get_all("Set-Cookie") or [], wrapper, inner)


def signed(target: Target, command: str, **sent: str) -> Reply:
    """A call with keys: GET, names in order and unescaped, no `expires`."""
    pairs = {"apiKey": target.api_key, "command": command, "response": "json", **sent}
    pairs["signature"] = signature(pairs, target.secret_key)
    query = "&".join(f"{name}={quote(pairs[name], safe='')}" for name in sorted(pairs))
    return exchange(target, "GET", query)


def login(target: Target, username: str, password: str) -> Reply:
    """Its login: a POST whose form has the names in order."""
    form = {"command": "login", "domain": "/", "password": password}
    form |= {"response": "json", "username": username}
    return exchange(target, "POST", "", urlencode(form))


def jar(reply: Reply) -> dict[str, str]:
    """The cookies as a jar keeps them."""
    return dict(cookie.partition(";")[0].split("=", 1) for cookie in reply.cookies)


def test_a_call_with_keys_is_answered_without_an_expiry(target: Target) -> None:
    reply = signed(target, "listZones")
    assert (reply.status, reply.wrapper) == (200, "listzonesresponse")
    assert reply.inner["count"] == len(reply.inner["zone"])


def test_brackets_in_names_travel_bare(target: Target) -> None:
    machines = signed(target, "listVirtualMachines", listall="true").inner["virtualmachine"]
    tag = next(tag for machine in machines for tag in machine.get("tags", ()))
    wanted = [
        machine["id"]
        for machine in machines
        if any((one["key"], one["value"]) == (tag["key"], tag["value"]) for one in machine["tags"])
    ]
    names = {"tags[0].key": tag["key"], "tags[0].value": tag["value"], "listall": "true"}
    found = signed(target, "listVirtualMachines", **names).inner["virtualmachine"]
    assert sorted(one["id"] for one in found) == sorted(wanted)


def test_sync_gets_json_booleans_and_every_part_of_each_command(target: Target) -> None:
    apis = signed(target, "listApis", listall="true").inner["api"]
    for api in apis:
        assert isinstance(api["isasync"], bool), api["name"]
        assert {"name", "description", "params", "response"} <= set(api)
        assert all(isinstance(param["required"], bool) for param in api["params"])


def test_its_filter_is_signed_and_changes_nothing(target: Target) -> None:
    filtered = signed(target, "listZones", filter="id,name").inner["zone"]
    assert filtered == signed(target, "listZones").inner["zone"]


def test_the_login_with_nothing_that_follows_a_401_is_refused_with_531(target: Target) -> None:
    assert signed(replace(target, secret_key="wrong"), "listZones").status == 401
    refused = login(target, "", "")
    assert refused.status == 531
    assert refused.inner["errorcode"] == 531
    assert "JSESSIONID" in jar(refused)


def test_it_signs_in_and_finds_the_session_key_in_a_cookie(target: Target) -> None:
    reply = login(target, target.username, target.password)
    cookies = jar(reply)
    assert reply.status == 200
    assert cookies["sessionkey"] == reply.inner["sessionkey"]
    by_name = {cookie.partition("=")[0]: cookie for cookie in reply.cookies}
    assert "Path=/client" in by_name["JSESSIONID"]
    assert "Path" not in by_name["sessionkey"]
    sent = {"command": "listZones", "response": "json", "sessionkey": cookies["sessionkey"]}
    both = "; ".join(f"{name}={value}" for name, value in cookies.items())
    zones = exchange(target, "GET", urlencode(sent), cookies=both)
    assert (zones.status, zones.wrapper) == (200, "listzonesresponse")
    asked = sent | {"command": "listVirtualMachines", "page": "1", "pagesize": "10000"}
    assert exchange(target, "GET", urlencode(asked), cookies=both).inner["errorcode"] == 431


def test_a_wrong_password_is_refused_and_a_right_one_is_taken_after_it(target: Target) -> None:
    assert login(target, target.username, "wrong").status == 531
    assert login(target, target.username, target.password).status == 200
