"""One small demo cloud for all tests of the demo, spoken to through its socket."""

from __future__ import annotations

import functools
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from browser import Browser

from cs_magic.api.signing import signature
from cs_magic.demo.server import Access, Demo, serving

ROLES = {
    "root": "admin",
    "second root": "auditor",
    "domain admin": "retail-admin",
    "user": "webshop",
}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """The whole document."""
        return json.loads(self.body)

    @property
    def inner(self) -> Any:
        """What the envelope holds."""
        (inner,) = self.json.values()
        return inner

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a list."""
        return next((value for value in self.inner.values() if isinstance(value, list)), [])

    @property
    def count(self) -> int:
        """The count of a list, 0 where there is none."""
        return self.inner.get("count", 0)


class Wire:
    """A client that adds nothing of its own."""

    def send(
        self,
        url: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        method: str | None = None,
    ) -> Answer:
        """The answer, also where it is an error."""
        data = None if body is None else body.encode()
        request = urllib.request.Request(url, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return Answer(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def signed(self, access: Access, pairs: dict[str, str], algorithm: str = "HmacSHA1") -> str:
        """The pairs with key and signature, as a query or form."""
        if not any(name.lower() == "apikey" for name in pairs):
            pairs = {"apiKey": access.api_key, **pairs}
        pairs = {"response": "json", **pairs}
        pairs["signature"] = signature(pairs.items(), access.secret_key, algorithm)
        return urllib.parse.urlencode(pairs)


Call = Callable[..., Answer]
Everything = Callable[[str, str], Answer]


@pytest.fixture(scope="session")
def wire() -> Wire:
    """For requests that are not simply signed calls."""
    return Wire()


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """A cloud of the default size."""
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def call(demo: Demo, wire: Wire) -> Call:
    """A signed call as one of ROLES, or as the account of that name."""

    def make(who: str, command: str, **parameters: str) -> Answer:
        access = demo.accounts[ROLES.get(who, who)]
        query = wire.signed(access, {"command": command, **parameters})
        return wire.send(f"{demo.endpoint}?{query}")

    return make


@pytest.fixture(scope="session")
def everything(call: Call) -> Everything:
    """All that a role is shown by a list command, asked once."""
    needed: dict[str, dict[str, str]] = {
        "listTemplates": {"templatefilter": "executable"},
        "listIsos": {"isofilter": "executable"},
        "listUsageRecords": {"startdate": "2026-08-19", "enddate": "2026-08-19"},
        "listResourceDetails": {"resourcetype": "UserVm"},
    }
    (machine, *_) = call("user", "listVirtualMachines", details="min").rows
    (network, *_) = call("root", "listPhysicalNetworks").rows
    (project, *_) = call("root", "listProjects", listall="true").rows
    needed["listNics"] = {"virtualmachineid": machine["id"]}
    needed["listTrafficTypes"] = {"physicalnetworkid": network["id"]}
    needed["listProjectAccounts"] = {"projectid": project["id"]}

    @functools.cache
    def ask(who: str, name: str) -> Answer:
        return call(who, name, pagesize="-1", listall="true", **needed.get(name, {}))

    return ask


@pytest.fixture
def browser(demo: Demo, wire: Wire) -> Browser:
    """Nobody yet, at the cloud of all tests."""
    return Browser(wire, demo.endpoint)


@pytest.fixture
def signed_in(browser: Browser, demo: Demo) -> Browser:
    """Signed in as the user."""
    access = demo.accounts["webshop"]
    browser.login(username=access.username, password=access.password, domain=access.domain)
    return browser


@pytest.fixture
def own() -> Iterator[Demo]:
    """A cloud of the test's own, which may lock people out of it."""
    with serving(machines=5) as running:
        yield running


@dataclass
class Worker:
    """Somebody who changes things at a cloud of the test's own, and lets jobs end at will."""

    demo: Demo
    wire: Wire
    who: str = "admin"

    def call(self, command: str, **parameters: str) -> Answer:
        """A signed POST."""
        query = self.wire.signed(self.demo.accounts[self.who], {"command": command, **parameters})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.wire.send(self.demo.endpoint, query, form)

    def job(self, id_: str) -> dict[str, Any]:
        """The job as it stands."""
        found: dict[str, Any] = self.call("queryAsyncJobResult", jobid=id_).inner
        return found

    def done(self, command: str, **parameters: str) -> dict[str, Any]:
        """The job of a call, when it is over."""
        started = self.call(command, **parameters)
        assert started.status == 200, started.body
        self.demo.finish_jobs()
        return self.job(started.inner["jobid"])

    def machine(self, **parameters: str) -> dict[str, Any]:
        """The first machine that is listed so; none is an empty row."""
        rows = self.call("listVirtualMachines", listall="true", **parameters).rows
        return rows[0] if rows else {}

    def as_(self, who: str) -> Worker:
        """Somebody else, at the same cloud."""
        return Worker(self.demo, self.wire, who)


@pytest.fixture
def worker(wire: Wire) -> Iterator[Worker]:
    """The main root admin, at a cloud where a job takes a minute unless the test ends it."""
    with serving(machines=1_200, job_seconds=60) as running:
        yield Worker(running, wire)


@pytest.fixture
def visitor(own: Demo, wire: Wire) -> Browser:
    """Nobody yet, at the test's own cloud."""
    return Browser(wire, own.endpoint)
