"""`connect()`: the profile it takes, what a connection is, and what it never shows."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from servers import EMPTY, KEYS, Reply, listed, serving

from cs_magic import errors
from cs_magic.api.profile import Profile, completed, is_loopback
from cs_magic.api.profiles import places
from cs_magic.errors import CallError, CloudStackError, ProfileError, Refused
from cs_magic.opening import connect

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


PROD = """
[prod]
endpoint = "https://prod.example.com"
api_key = "tell-tale-5"
secret_key = "tell-tale-6"
timeout = 7
signature_algorithm = "HmacSHA512"
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user with one profile, in a folder of their own."""
    for name in (*CS, *TERRAFORM, "CS_MAGIC_PROFILE", "CLOUDSTACK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / ".config"))
    monkeypatch.chdir(tmp_path)
    config = places().config
    config.mkdir(parents=True)
    (config / "config.toml").write_text(PROD)
    return tmp_path


@pytest.mark.parametrize("given", [(), ("prod",), ("toml:prod",)])
def test_a_connection_is_to_the_profile_named_or_the_current_one(home, given):
    with connect(*given) as cloud:
        assert (cloud.profile.name, cloud.profile.host) == ("prod", "prod.example.com")
        assert (cloud.profile.timeout, cloud.profile.workers) == (7, 4)


def test_the_environments_profile_is_current_before_the_only_one_of_a_file(home, monkeypatch):
    for name, value in TERRAFORM.items():
        monkeypatch.setenv(name, value)
    with connect() as cloud, connect("prod") as other:
        assert (cloud.profile.host, other.profile.host) == ("two", "prod.example.com")


def test_a_working_folder_that_was_removed_takes_nothing_away(home, monkeypatch):
    gone = home / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with connect() as cloud:
        assert cloud.profile.name == "prod"


STRONGER = {
    "timeout": (5, 5.0),
    "job_timeout": (None, None),
    "workers": (1, 1),
    "method": ("GET", "get"),
    "scope": ("own", "own"),
    "read_only": (True, True),
}


@pytest.mark.parametrize("name", sorted(STRONGER))
def test_a_setting_given_is_stronger_than_the_profiles(home, name):
    value, meant = STRONGER[name]
    with connect("prod", **{name: value}) as cloud:
        assert getattr(cloud.profile, name) == meant
        assert cloud.profile.credentials.api_key == "tell-tale-5"


def test_the_signature_given_is_stronger_than_the_profiles(home):
    with connect("prod", signature_algorithm="hmacsha1", signature_version=2) as cloud:
        keys = cloud.profile.credentials
        assert (keys.algorithm, keys.signature_version) == ("HmacSHA1", 2)
        assert keys.secret_key == "tell-tale-6"


KEYS_GIVEN = {"endpoint": "https://host", "api_key": "k", "secret_key": "s"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timout": 5}, "unknown setting timout: did you mean timeout"),
        ({"keyring": True}, "unknown setting keyring"),
        ({"password": "tell-tale"}, "unknown setting password"),
        ({"credentials": KEYS}, "unknown setting credentials"),
        ({"name": "prod"}, "unknown setting name"),
        ({"timeout": "soon"}, "timeout is seconds from 1 to 3600"),
        ({"timeout": 10**400}, "timeout is seconds"),
        ({"timeout": None}, "timeout is seconds"),
        ({"workers": True}, "workers is"),
        ({"verify": "no"}, "verify is true, false"),
        ({"verify": b"x"}, "verify is"),
        ({"signature_algorithm": "md5"}, "signature_algorithm is"),
    ],
)
@pytest.mark.parametrize("keys", [{}, KEYS_GIVEN])
def test_a_wrong_setting_given_is_a_profile_error(home, given, said, keys):
    with pytest.raises(ProfileError, match=said) as caught:
        connect(**keys, **given)
    assert "connect()" in caught.value.message
    assert "tell-tale" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"endpoint": 5}, {"api_key": b"k"}, {"secret_key": ["s"]}])
def test_keys_given_are_checked_as_those_of_a_profile(wrong):
    with pytest.raises(ProfileError, match=r"connect\(\)"):
        connect(**KEYS_GIVEN | wrong)


def test_a_mistyped_profile_is_an_error_with_a_suggestion(home):
    with pytest.raises(ProfileError, match="did you mean prod"):
        connect("prdo")


WHOLE = "https://cloud.example.com/client/api"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cloud.example.com", WHOLE),
        ("https://cloud.example.com/", WHOLE),
        ("https://cloud.example.com//", WHOLE),
        ("https://cloud.example.com/client", WHOLE),
        ("https://cloud.example.com/client//", WHOLE),
        ("https://cloud.example.com/client/api///", WHOLE),
        ("HTTPS://Cloud.Example.COM/client/api", WHOLE),
        ("\thttps://cloud.example.com/client/api \n", WHOLE),
        ("https://cloud.example.com:8443/client/api/", "https://cloud.example.com:8443/client/api"),
        ("cloud:8443", "https://cloud:8443/client/api"),
        (" http://localhost:8080 ", "http://localhost:8080/client/api"),
        ("http://[::1]:8080/client", "http://[::1]:8080/client/api"),
        ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]/client/api"),
        ("https://wölke.example", "https://wölke.example/client/api"),
        ("https://host/other/path", "https://host/other/path"),
        ("https://host/client/api?apiKey=x#y", "https://host/client/api"),
    ],
)
def test_an_endpoint_is_completed(typed, meant):
    assert completed(typed) == meant
    assert completed(meant) == meant


# The last ones two libraries could read as two hosts.
NONE = """
    ftp://host https:// https://host:port file:///x javascript:alert(1) http: http:/host http:host
    //host https://[::1 https://[host] https://[::1]x:1 https://[fe80::1%25eth0] ::1 https://::1/x
    https://host: https://host:0 https://host:99999 https://host:-1 https://-host https://a..b
    https://.host https://ho%73t https://host\\@evil https://host\\.evil https://ℂ.example
    https://ｌocalhost https://host；evil https://host|evil
""".split()


@pytest.mark.parametrize(
    "typed", [*NONE, "", " ", "https://a b", "https://ho\nst", "https://host/a b", "https://h\0"]
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(ProfileError):
        completed(typed)


@pytest.mark.parametrize(
    "typed", ["https://tell-tale@host", "tell-tale:x@host", "https://u:tell-tale@[::1]:1/client"]
)
def test_a_password_in_an_endpoint_is_refused_and_not_repeated(typed):
    with pytest.raises(ProfileError, match="user name or password") as caught:
        completed(typed)
    assert "tell-tale" not in str(caught.value.lines())


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


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_traceback_ends_with_what_a_notebook_shows(error):
    shown = "".join(traceback.format_exception(error)).splitlines()
    assert shown == [f"cs_magic.errors.{error.lines()[0]}", *error.lines()[1:]]
    assert "\n" not in str(error)


def test_a_hint_that_is_added_later_is_shown_and_a_note_of_others_stays():
    error = errors.ProfileError("m", "h")
    error.add_note("of a script")
    error.hints = (*error.hints, "a line\nbreak \x1b[2J")
    other = pickle.loads(pickle.dumps(error))
    error.add_note("one more")
    assert other.__notes__ == ["  h", "  a line break \\u001b[2J", "of a script"]
    assert error.__notes__ == [*other.__notes__, "one more"]
    with pytest.raises(TypeError, match="must be a str"):
        error.add_note(5)


def test_notes_that_are_taken_from_another_error_are_shown_once():
    error, new = errors.ProfileError("m", "h"), errors.ProfileError("m", "h")
    error.add_note("of a script")
    new.__notes__ = error.__notes__  # tblib does so with what comes from another process
    assert new.__notes__ == error.__notes__ == ["  h", "of a script"]
