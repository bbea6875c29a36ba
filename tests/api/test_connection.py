"""`connect()`: where profiles come from, what a connection is, and what it never shows."""

from __future__ import annotations

import copy
import pickle

import pytest
from servers import EMPTY, KEYS, Reply, listed, serving

from cs_magic import errors
from cs_magic.api.profile import Profile, completed, is_loopback
from cs_magic.connection import connect
from cs_magic.errors import CallError, CloudStackError, ProfileError, Refused

CS = {
    "CLOUDSTACK_ENDPOINT": "https://one/client/api",
    "CLOUDSTACK_KEY": "tell-tale-1",
    "CLOUDSTACK_SECRET": "tell-tale-2",
}
TERRAFORM = {
    "CLOUDSTACK_API_URL": "https://two",
    "CLOUDSTACK_API_KEY": "tell-tale-3",
    "CLOUDSTACK_SECRET_KEY": "tell-tale-4",
}


def opened(server, **settings):
    keys = {"api_key": KEYS.api_key, "secret_key": KEYS.secret_key}
    return connect(endpoint=server.endpoint, **keys, **settings)


@pytest.mark.parametrize(
    "given", [{"endpoint": "https://x"}, {"api_key": "k"}, {"secret_key": "s"}]
)
def test_an_endpoint_given_never_goes_with_keys_found(given, monkeypatch):
    for name, value in CS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProfileError, match="go together"):
        connect(**given)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cloud.example.com", "https://cloud.example.com/client/api"),
        ("https://cloud.example.com/", "https://cloud.example.com/client/api"),
        ("https://cloud.example.com/client/", "https://cloud.example.com/client/api"),
        ("https://cloud.example.com:8443/client/api/", "https://cloud.example.com:8443/client/api"),
        (" http://localhost:8080 ", "http://localhost:8080/client/api"),
        ("https://host/other/path", "https://host/other/path"),
        ("https://host/client/api?apiKey=x#y", "https://host/client/api"),
    ],
)
def test_an_endpoint_is_completed(typed, meant):
    assert completed(typed) == meant


@pytest.mark.parametrize("typed", ["", "ftp://host", "https://", "https://host:port", "file:///x"])
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(ProfileError):
        completed(typed)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(host, loopback):
    assert is_loopback(host) is loopback


def test_plain_http_to_others_is_refused_at_once():
    with pytest.raises(Refused):
        connect(endpoint="http://cloud.example.com", api_key="k", secret_key="s")


def test_commands_are_methods_and_nothing_else_is():
    with serving() as server, opened(server) as cloud:
        assert cloud.listZones.__name__ == "listZones"
        assert cloud.LISTZONES.__name__ == "listZones"
        for name in ("_repr_html_", "_ipython_display_", "listZonez", "shape", "__len__"):
            assert not hasattr(cloud, name)
        assert "listZones" in dir(cloud)
    assert server.came == []


def test_a_call_gives_a_frame_and_its_provenance():
    body = listed("zone", [{"id": "1", "name": "a"}], 1)
    with serving(lambda _: Reply(body=body)) as server, opened(server) as cloud:
        frame = cloud.listZones(limit=5)
    assert list(frame["name"]) == ["a"]
    assert frame.attrs["cs"]["command"] == "listZones"
    assert frame.attrs["cs"]["complete"] is True
    assert "tell-tale" not in str(frame.attrs)


@pytest.mark.parametrize("wrong", [{"id": []}, {"id": None}, {"zonid": "x"}, {"signature": "x"}])
def test_a_wrong_call_is_refused_before_anything_is_sent(wrong):
    with serving() as server, opened(server) as cloud, pytest.raises(CallError):
        cloud.listZones(**wrong)
    assert server.came == []


def test_the_with_closes_the_connections():
    with serving() as server:
        with opened(server) as cloud:
            cloud.listZones(limit=1)
            cloud.listZones(limit=1)
        cloud.listZones(limit=1)
    assert [came.connection for came in server.came] == [1, 1, 2]


def test_no_secret_is_in_any_repr():
    with serving(lambda _: Reply(body=EMPTY)) as server, opened(server) as cloud:
        shown = f"{cloud!r} {cloud.client!r} {cloud.profile!r} {cloud.profile.credentials!r}"
    assert "tell-tale" not in shown
    assert "tell-tale" not in repr(Profile("p", "https://host", KEYS))


ERRORS: list[CloudStackError] = [
    errors.CallError("m", "h", name="n", text="t", column=3),
    errors.ProfileError("m", "h"),
    errors.TransportError("m", "h", sent=False),
    errors.FateUnknown("m", "h"),
    errors.ApiError("m", "h", command="c", errorcode=431, cserrorcode=4350),
    errors.Unauthorized("m", command="c", errorcode=401),
    errors.JobFailed("m", "h", command="c", errorcode=530),
    errors.Incomplete("m", "h", result=[1], reason=errors.TransportError("r")),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))]
)
def test_every_error_survives_copying_and_pickling(error, again):
    other = again(error)
    assert type(other) is type(error)
    assert other.lines() == error.lines()
    assert vars(other).keys() == vars(error).keys()
