"""User credentials: signing in, the session on every call, and never a second wrong password."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import pytest
from servers import reply

from cs_magic.api.access import Access
from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.credentials import Asked, Password
from cs_magic.api.profile import Profile
from cs_magic.api.profiles import Profiles
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Request, Response
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo, serving
from cs_magic.errors import ApiError, SignInNeeded, TransportError, Unauthorized
from cs_magic.opening import connect

ZONES = ["Zürich", "Genève", "Lugano"]


@pytest.fixture(scope="module")
def demo():
    with serving(machines=1100) as running:
        yield running


@dataclass
class Watched:
    """A real transport that remembers what it carried."""

    inner: HttpTransport
    requests: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self.inner.send(request)

    def interrupt(self, threads: set[int]) -> None:
        self.inner.interrupt(threads)

    def close(self) -> None:
        self.inner.close()

    def commands(self) -> list[str]:
        return [request.command for request in self.requests]


def signed_in_as(demo: Demo, password: str | None = None, **who: str) -> tuple[Connection, Watched]:
    """A connection with user credentials, and what it sends."""
    given = Password(
        who.get("username", demo.username),
        demo.password if password is None else password,
        who.get("domain", demo.domain),
    )
    profile = Profile("people", demo.endpoint, given)
    watched = Watched(HttpTransport(profile))
    return Connection(Client(profile, watched), bundled()), watched


def test_the_first_call_signs_in_by_post_and_the_session_travels_with_every_call(demo):
    cloud, watched = signed_in_as(demo)
    assert list(cloud.listZones()["name"]) == ZONES
    login, *calls = watched.requests
    assert (login.command, login.method, login.is_read) == ("login", "POST", False)
    assert demo.password in dict(login.form).values()
    for call in calls:
        form = dict(call.form)
        assert form["sessionkey"] == call.cookies["sessionkey"]
        assert call.cookies["JSESSIONID"]
        assert "signature" not in form
        assert demo.password not in form.values()


def test_a_list_of_many_pages_signs_in_once(demo):
    cloud, watched = signed_in_as(demo)
    assert len(cloud.listVirtualMachines()) > 1100
    assert watched.commands().count("login") == 1


def test_closing_signs_out(demo):
    cloud, watched = signed_in_as(demo)
    with cloud:
        cloud.listZones()
    ended = watched.requests[-1]
    with pytest.raises(Unauthorized):
        _ask(demo, ended)


def test_a_connection_that_never_signed_in_has_nothing_to_sign_out_of(demo):
    cloud, watched = signed_in_as(demo)
    cloud.close()
    assert watched.requests == []


# -- refused ----------------------------------------------------------------------------------


def test_twenty_calls_with_a_stale_password_make_one_login(demo):
    cloud, watched = signed_in_as(demo, password="stale")
    for _ in range(20):
        with pytest.raises(ApiError, match="Failed to authenticate user admin") as caught:
            cloud.listZones()
        assert caught.value.errorcode == 531
    assert watched.commands() == ["login"]
    assert "No other login is tried" in "\n".join(caught.value.hints)


@pytest.mark.parametrize(
    ("who", "text"),
    [
        ({"domain": "/nowhere"}, "Unable to find the domain from the path"),
        ({"username": "nobody"}, "Failed to authenticate user nobody"),
    ],
)
def test_a_refusal_is_told_in_cloudstacks_words(demo, who, text):
    cloud, _ = signed_in_as(demo, **who)
    with pytest.raises(ApiError, match=text):
        cloud.listZones()


def test_a_user_with_two_factors_is_told_that_keys_need_no_code(demo):
    account = demo.accounts["security"]
    cloud, watched = signed_in_as(
        demo, account.password, username=account.username, domain=account.domain
    )
    with pytest.raises(SignInNeeded, match="two-factor"):
        cloud.listZones()
    with pytest.raises(SignInNeeded):
        cloud.listZones()
    assert watched.commands() == ["login"]


def test_a_login_that_never_left_may_be_tried_again():
    profile = Profile("gone", "http://127.0.0.1:9/client/api", Password("u", "tell-tale"))
    watched = Watched(HttpTransport(profile))
    cloud = Connection(Client(profile, watched), bundled())
    for _ in range(2):
        with pytest.raises(TransportError, match="No connection"):
            cloud.listZones()
    assert watched.commands() == ["login", "login"]


# -- a session that dies ------------------------------------------------------------------------


def test_a_dead_session_is_renewed_once_and_silently(demo):
    cloud, watched = signed_in_as(demo)
    cloud.listZones()
    _end(demo, watched.requests[-1])
    assert list(cloud.listZones()["name"]) == ZONES
    assert watched.commands().count("login") == 2


def test_a_session_that_ends_in_the_middle_of_a_list_is_renewed_once_and_no_row_is_lost():
    with serving(machines=5_000) as own:
        cloud, watched = signed_in_as(own)
        every = set(cloud.listVirtualMachines()["id"])
        own.end_sessions(after=4)
        frame = cloud.listVirtualMachines()
        assert set(frame["id"]) == every
        assert frame["id"].is_unique
        assert frame.attrs["cs"]["complete"] is True
        assert watched.commands().count("login") == 2
        own.disable(own.username)
        with pytest.raises(ApiError, match="disabled/locked"):
            cloud.listVirtualMachines()
        with pytest.raises(ApiError, match="disabled/locked"):
            cloud.listVirtualMachines()
        assert watched.commands().count("login") == 3


class Denied(Watched):
    """The real thing, but for the server's page size: 401, as a static role is told."""

    def send(self, request: Request) -> Response:
        if request.command != "listConfigurations":
            return super().send(request)
        self.requests.append(request)
        return reply(b'{"x":{"errorcode":401,"errortext":"The given command does not exist"}}', 401)


@pytest.mark.parametrize("asked", [False, True])
def test_who_may_not_know_the_page_size_keeps_the_session(demo, asked):
    given = Password(demo.username, demo.password, demo.domain)
    profile = Profile("people", demo.endpoint, Asked() if asked else given)
    watched = Denied(HttpTransport(profile))
    cloud = Connection(Client(profile, watched), bundled())
    cloud.client.access.sessions.sign_in(given)
    for _ in range(2):
        frame = cloud.listVirtualMachines()
        assert (len(frame) > 1100, frame.attrs["cs"]["complete"]) == (True, True)
    assert "listConfigurations" in watched.commands()
    assert watched.commands().count("login") == 1


def test_a_session_that_ends_behind_the_first_page_is_renewed_whoever_meets_that_first():
    with serving(machines=1_100) as own:
        cloud, watched = signed_in_as(own)
        cloud.client.access.request(Call("listZones"), is_read=True)
        first, question, sent = threading.Event(), threading.Event(), watched.inner.send

        def send(request: Request) -> Response:
            if request.command == "listConfigurations":
                first.wait(30)
                own.end_sessions()
            response = sent(request)
            if request.command == "listConfigurations":
                question.set()
            elif not first.is_set():
                first.set()
                question.wait(30)
            return response

        watched.inner.send = send  # type: ignore[method-assign]
        frame = cloud.listVirtualMachines(own=True, listall="true")
        assert (len(frame) > 1000, frame.attrs["cs"]["complete"]) == (True, True)


def test_a_page_that_is_asked_for_again_behind_the_end_of_a_session_is_renewed_too():
    with serving(machines=1_600) as own:
        cloud, watched = signed_in_as(own)
        cloud.client.access.request(Call("listZones"), is_read=True)
        cloud.client.pagesize = 500
        cloud.client.pause = lambda stop, _: stop.wait(0.3)
        ended, sent = threading.Event(), watched.inner.send

        def send(request: Request) -> Response:
            page = dict(request.form).get("page")
            if page not in {"2", "3"} or ended.is_set():
                return sent(request)
            if page == "2":  # it comes late, and is asked for again
                ended.wait(30)
                return Response(503, "text/html", b"")
            own.end_sessions()
            try:
                return sent(request)
            finally:
                ended.set()

        watched.inner.send = send  # type: ignore[method-assign]
        frame = cloud.listVirtualMachines(own=True, listall="true")
        assert (len(frame) > 1500, frame.attrs["cs"]["complete"]) == (True, True)


def test_somebody_who_signed_in_is_asked_again_when_the_session_ended(demo):
    profile = Profile("people", demo.endpoint, Asked(), source="a test")
    watched = Watched(HttpTransport(profile))
    cloud = Connection(Client(profile, watched), bundled())
    with pytest.raises(SignInNeeded, match="people needs somebody to sign in"):
        cloud.listZones()
    assert watched.commands() == []
    sessions = cloud.client.access.sessions
    assert str(sessions.sign_in(Password(demo.username, demo.password))) == "admin (/)"
    assert list(cloud.listZones()["name"]) == ZONES
    _end(demo, watched.requests[-1])
    for _ in range(2):
        with pytest.raises(SignInNeeded) as caught:
            cloud.listZones()
        assert caught.value.profile == profile.told
    assert watched.commands().count("login") == 1
    assert sessions.signed_in is None


def test_a_write_is_not_sent_again_when_its_session_is_dead(demo):
    cloud, watched = signed_in_as(demo)
    cloud.listZones()
    _end(demo, watched.requests[-1])
    with pytest.raises(Unauthorized):
        cloud.call("deleteZone", id="1")
    assert watched.commands().count("deleteZone") == 1


def test_a_thread_that_fetches_pages_never_signs_in(demo):
    cloud, _ = signed_in_as(demo)
    access: Access = cloud.client.access
    access.request(Call("listZones"), is_read=True)
    assert access.another_way(access.used(), foreground=False) is False


# -- where they come from -----------------------------------------------------------------------


def test_the_environment_may_hold_user_credentials(demo, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("KEY", "SECRET"):
        monkeypatch.delenv(f"CLOUDSTACK_{name}", raising=False)
    monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
    monkeypatch.setenv("CLOUDSTACK_USERNAME", demo.username)
    monkeypatch.setenv("CLOUDSTACK_PASSWORD", demo.password)
    monkeypatch.setenv("CLOUDSTACK_DOMAIN", demo.domain)
    with connect() as cloud:
        assert cloud.listZones().attrs["cs"]["profile"] == "env"
    [row] = Profiles().rows()
    assert (row.keys, row.state) == ("password", "")


def test_keys_are_stronger_than_a_password(demo, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
    monkeypatch.setenv("CLOUDSTACK_KEY", demo.api_key)
    monkeypatch.setenv("CLOUDSTACK_SECRET", demo.secret_key)
    monkeypatch.setenv("CLOUDSTACK_USERNAME", "somebody")
    monkeypatch.setenv("CLOUDSTACK_PASSWORD", "else")
    with connect() as cloud:
        assert list(cloud.listZones()["name"]) == ZONES


def test_no_repr_and_no_error_tells_the_password_or_the_session(demo):
    cloud, watched = signed_in_as(demo)
    cloud.listZones()
    session = watched.requests[-1].cookies
    shown = [repr(cloud), repr(cloud.client), repr(cloud.profile), repr(watched.requests)]
    for secret in (demo.password, *session.values()):
        assert not any(secret in text for text in shown)


def _ask(demo: Demo, request: Request) -> None:
    """Send a request as it was, by other hands."""
    from cs_magic.api import envelope

    profile = Profile("other", demo.endpoint, Password("x", "y"))
    envelope.read(request.command, HttpTransport(profile).send(request))


def _end(demo: Demo, request: Request) -> None:
    """A wrong session key ends the session that it is sent with."""
    form = tuple((name, "wrong" if name == "sessionkey" else value) for name, value in request.form)
    with pytest.raises(Unauthorized):
        _ask(demo, replace(request, form=form))
