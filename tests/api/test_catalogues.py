"""Which catalogue a connection uses: the server's, the one on disk, cmk's, or the bundled one."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from replay import steps
from servers import KEYS, Came, Reply, Server, listed, serving

from cs_magic.api.credentials import Asked, KeyPair, Password
from cs_magic.api.profile import Profile
from cs_magic.api.shelf import Shelf
from cs_magic.connection import Connection
from cs_magic.demo.server import serving as demo_serving
from cs_magic.errors import ApiError, CallError, ProfileError, SignInNeeded, TransportError
from cs_magic.opening import opened

ZONES: dict[str, Any] = {
    "name": "listZones",
    "description": "Lists zones",
    "params": [{"name": "id", "type": "uuid"}, {"name": "newest", "type": "string"}],
}
NO = json.dumps({"x": {"errorcode": 432, "errortext": "not available"}}).encode()


@dataclass
class Cloud:
    """What the server says it can do, and of which version it is; None where it refuses."""

    apis: list[dict[str, Any]] | None = field(default_factory=lambda: [ZONES])
    version: str | None = "4.23.0.0"
    whole: Reply | None = None

    def __call__(self, came: Came) -> Reply:
        match came.form["command"]:
            case "listCapabilities":
                if self.version is None:
                    return Reply(432, NO)
                body = {"x": {"capability": {"cloudstackversion": self.version}}}
                return Reply(body=json.dumps(body).encode())
            case "listApis":
                if self.whole is not None:
                    return self.whole
                if self.apis is None:
                    return Reply(432, NO)
                return Reply(body=listed("api", self.apis, len(self.apis)))
        return Reply(body=listed("zone", [{"id": "1", "name": "a"}], 1))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A user without files of any kind."""
    monkeypatch.delenv("CS_MAGIC_CATALOGUE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def server(cloud) -> Iterator[Server]:
    with serving(cloud) as server:
        yield server


def commands(server: Server) -> list[str]:
    """What was sent; the page size is asked for, too, where there are pages."""
    sent = [came.form["command"] for came in server.came]
    return [command for command in sent if command != "listConfigurations"]


def first_call(server: Server, **settings: Any) -> tuple[str, list[str]]:
    """Which catalogue the first call of a new process uses, and what is sent for it."""
    server.came.clear()
    with opened(server.profile(**settings)) as connection:
        used = connection.listZones().attrs["cs"]["catalogue"]
    return used, commands(server)


READ = ["listCapabilities", "listApis", "listZones"]


def test_nothing_is_asked_before_the_first_call(server):
    with opened(server.profile()) as connection:
        assert connection.catalogue.origin == "bundled"
        assert hasattr(connection, "listZones")
        assert "listZones" in dir(connection)
    assert server.came == []


def test_the_first_call_reads_what_the_server_can_do_and_the_second_does_not(server):
    with opened(server.profile()) as connection:
        assert connection.listZones(newest="x").attrs["cs"]["catalogue"] == "server 4.23.0.0"
        connection.listZones()
        assert connection.catalogue.command("listZones").description == "Lists zones"
    assert commands(server) == [*READ, "listZones"]


def test_the_next_process_asks_for_the_version_only(server):
    assert first_call(server) == ("server 4.23.0.0", READ)
    assert first_call(server) == ("cached 4.23.0.0", ["listCapabilities", "listZones"])


def test_before_the_first_call_the_cached_one_is_known_without_asking(server):
    first_call(server)
    server.came.clear()
    with opened(server.profile()) as connection:
        assert connection.catalogue.command("listZones").description == "Lists zones"
    assert server.came == []


def test_another_version_is_read_anew(server, cloud):
    first_call(server)
    cloud.version = "4.24.0.0"
    assert first_call(server) == ("server 4.24.0.0", READ)


@pytest.mark.parametrize(
    "other", [KeyPair("another", "secret", "HmacSHA1"), KeyPair(KEYS.api_key + "x", "s")]
)
def test_another_user_has_a_catalogue_of_their_own(server, other):
    first_call(server)
    assert first_call(server, credentials=other) == ("server 4.23.0.0", READ)


def test_users_are_told_apart_by_domain_and_name(server):
    def path(*given: str) -> str:
        return Shelf(server.profile(credentials=Password(*given))).path.name

    assert path("u", "p", "/a") == path("u", "other", "a/")
    assert len({path("u", "p", "/a"), path("u", "p", "/b"), path("v", "p", "/a")}) == 3


def test_who_signs_in_next_has_a_catalogue_of_their_own(home):
    with demo_serving(machines=20) as demo:
        cloud = opened(Profile("people", demo.endpoint, Asked(), source="a test"))
        sessions = cloud.client.access.sessions
        with pytest.raises(SignInNeeded):
            cloud.listZones()
        for name, may in (("admin", True), ("webshop", False), ("admin", True)):
            who = demo.accounts[name]
            sessions.sign_in(Password(who.username, who.password, who.domain))
            assert len(cloud.listZones()) == 3
            assert (cloud.catalogue.find("listHosts") is not None) is may
        assert len(list((home / "cache/cs_magic/catalogues").iterdir())) == 2
        sessions.end()
        assert cloud.catalogue.origin == "bundled"
        cloud.close()


def test_the_file_is_for_its_owner_and_names_no_user_and_no_secret(server, home):
    first_call(server)
    [file] = (home / "cache/cs_magic/catalogues").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "tell-tale" not in file.name + file.read_text()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\0" * 100, b"[]", b'{"format": 1}', b"[" * 9999, None]
)
def test_a_damaged_file_is_thrown_away_and_read_anew(server, content):
    first_call(server)
    path = Shelf(server.profile()).path
    path.write_bytes(path.read_bytes()[:-9] if content is None else content)
    assert Shelf(server.profile()).load() is None
    assert not path.exists()
    assert first_call(server) == ("server 4.23.0.0", READ)
    assert first_call(server)[0] == "cached 4.23.0.0"


def test_a_disk_that_takes_nothing_fails_no_call(server, home):
    (home / "cache").write_text("a file where a folder should be")
    assert first_call(server) == ("server 4.23.0.0", READ)


def test_many_kernels_that_write_at_once_leave_one_whole_file(server):
    first_call(server)
    shelf = Shelf(server.profile())
    apis = shelf.load().apis
    together = threading.Barrier(8)
    whole: list[bool] = []

    def write() -> None:
        together.wait()
        for _ in range(20):
            kept = shelf.keep("4.23.0.0", apis * 50)
            whole.append(kept and shelf.load() is not None)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert whole == [True] * 160
    assert len(shelf.load().apis) == 50
    assert [file.name for file in shelf.path.parent.iterdir()] == [shelf.path.name]


def age(server: Server, seconds: float) -> None:
    """Make the file so much older."""
    path = Shelf(server.profile()).path
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"time": kept["time"] - seconds}))


def test_after_a_day_it_is_read_in_the_background_for_the_next_process(server, cloud):
    first_call(server)
    age(server, 90_000)
    cloud.apis = [ZONES, ZONES | {"name": "listFutures"}]
    used, sent = first_call(server)
    assert (used, sorted(sent)) == ("cached 4.23.0.0", sorted(READ))
    kept = Shelf(server.profile()).load()
    assert [api.name for api in kept.apis] == ["listZones", "listFutures"]
    assert first_call(server)[1] == ["listCapabilities", "listZones"]


def test_a_background_read_that_hangs_holds_nobody_up_for_long(cloud):
    release = threading.Event()
    first = True

    def answer(came: Came) -> Reply:
        nonlocal first
        if came.form["command"] == "listApis" and not first:
            release.wait(30)
        first = first and came.form["command"] != "listApis"
        return cloud(came)

    with serving(answer) as server:
        first_call(server)
        age(server, 90_000)
        try:
            assert first_call(server)[0] == "cached 4.23.0.0"
        finally:
            release.set()
    assert not any(thread.name == "catalogue" for thread in threading.enumerate())


def test_before_a_cached_one_refuses_it_is_read_once_more(server, cloud):
    first_call(server)
    cloud.apis = [ZONES, ZONES | {"name": "listFutures"}]
    server.came.clear()
    with opened(server.profile()) as connection:
        assert connection.call("listFutures").attrs["cs"]["catalogue"] == "server 4.23.0.0"
    # Found in the cache, which lacks the command; then read, then sent.
    assert commands(server) == ["listCapabilities", "listCapabilities", "listApis", "listFutures"]


def test_what_the_server_lacks_too_is_then_refused_and_it_is_not_asked_a_third_time(server):
    first_call(server)
    server.came.clear()
    with opened(server.profile()) as connection:
        for _ in range(2):
            with pytest.raises(CallError, match="has no parameter nwest: did you mean newest"):
                connection.listZones(nwest="x")
    assert commands(server).count("listApis") == 1
    assert "listZones" not in commands(server)


def test_what_the_role_lacks_is_refused_in_those_words(server):
    with (
        opened(server.profile()) as connection,
        pytest.raises(CallError, match="Your role may not use createZone on 127"),
    ):
        connection.createZone(name="z")
    assert "createZone" not in commands(server)


ONE_OF_EACH = "F-shapes/109-listapis-session-one"  # a user, a domain admin, a root admin


def recorded_machines(account: str) -> list[dict[str, Any]]:
    """What listApis says of listVirtualMachines to that account, each as for a session."""
    [step] = [
        step
        for step in steps(ONE_OF_EACH)
        if step.account == account and ("name", "listVirtualMachines") in step.parameters
    ]
    return json.loads(step.body)["listapisresponse"]["api"]


@pytest.mark.parametrize("account", ["u1", "da"])
@pytest.mark.parametrize("name", ["hostid", "podid", "clusterid", "storageid", "displayvm"])
def test_a_filter_of_root_admins_is_refused_to_others_for_the_server_would_ignore_it(
    server, cloud, account, name
):
    cloud.apis = recorded_machines(account)
    value = "true" if name == "displayvm" else "5cdb49fd-0000-4000-8000-000000000000"
    for _ in ("server", "cached"):
        with opened(server.profile()) as connection:
            with pytest.raises(CallError) as caught:
                connection.call("listVirtualMachines", **{name: value})
            wanted = f"Only root admins may filter by {name}: the server would ignore it"
            assert caught.value.message == wanted
    assert "listVirtualMachines" not in commands(server)


def test_root_admins_may_filter_by_all_that_the_server_names(server, cloud):
    cloud.apis = recorded_machines("admin")
    with opened(server.profile()) as connection:
        connection.listVirtualMachines(
            hostid="5cdb49fd-0000-4000-8000-000000000000", displayvm=True
        )
    assert "hostid" in server.came[-1].form


def test_by_api_key_list_apis_is_asked_as_a_session_would_and_nothing_else_is(server):
    first_call(server)
    spelled = {
        came.form["command"]: sorted({"apikey", "apiKey"} & set(came.form)) for came in server.came
    }
    assert spelled["listApis"] == ["apikey"]
    assert spelled["listZones"] == spelled["listCapabilities"] == ["apiKey"]


@pytest.mark.parametrize("account", ["webshop", "admin"])
def test_by_api_key_a_role_is_refused_the_filters_it_does_not_have(account):
    with demo_serving(machines=20) as demo:
        who = demo.accounts[account]
        keys = KeyPair(who.api_key, who.secret_key)
        with opened(Profile("keys", demo.endpoint, keys, source="a test")) as connection:
            host = {"hostid": "5cdb49fd-0000-4000-8000-000000000000"}
            if account == "admin":
                with pytest.raises(ApiError, match="Invalid parameter hostid"):
                    connection.listVirtualMachines(**host)
                return
            with pytest.raises(CallError, match="Only root admins may filter by hostid"):
                connection.listVirtualMachines(**host)


GARBAGE = (
    Reply(432, NO),
    Reply(401, json.dumps({"x": {"errorcode": 401, "errortext": "no"}}).encode()),
    Reply(body=b'{"listapisresponse":{}}'),
    Reply(body=b'{"listapisresponse":{"count":1,"api":[{"name":5}]}}'),
)


@pytest.mark.parametrize("reply", GARBAGE)
def test_where_it_can_not_be_read_the_bundled_one_serves_and_says_so(server, cloud, reply):
    cloud.whole = reply
    with opened(server.profile()) as connection:
        for _ in range(2):
            assert connection.listZones().attrs["cs"]["catalogue"] == "bundled 4.23"
        with pytest.raises(CallError, match="no parameter nme: did you mean name"):
            connection.listZones(nme="a")
    assert commands(server).count("listApis") == 1


def test_the_bundled_one_refuses_what_is_newer_than_the_server(server, cloud):
    cloud.apis, cloud.version = None, "4.20.0.0"
    with (
        opened(server.profile()) as connection,
        pytest.raises(CallError, match=r"came with CloudStack 4\.21.*is 4\.20\.0\.0"),
    ):
        connection.listZones(storageaccessgroup="x")


def test_from_the_bundled_one_an_unknown_command_is_sent_with_a_warning(server, cloud):
    cloud.apis = None
    with (
        opened(server.profile()) as connection,
        pytest.warns(UserWarning, match="no command listFutures"),
    ):
        assert len(connection.call("listFutures", anything="x")) == 1
    forms = [came.form for came in server.came if came.form["command"] == "listFutures"]
    assert forms[-1]["anything"] == "x"


def test_a_version_that_may_not_be_asked_for_is_done_without(server, cloud):
    cloud.version = None
    assert first_call(server) == ("server unknown", READ)
    assert first_call(server) == ("server unknown", READ)


def test_a_server_that_is_gone_is_said_by_the_call_itself(server):
    first_call(server)
    gone = server.profile(endpoint="http://127.0.0.1:9/client/api", timeout=1)
    with Connection(opened(gone).client, opened(gone).catalogue) as fixed:
        fixed.client.pause = lambda *_: None
        with pytest.raises(TransportError, match="127"):
            fixed.listZones()


# -- settings, sync, cmk -------------------------------------------------------------------


def test_fresh_keeps_nothing_on_disk(server, home):
    for _ in range(2):
        assert first_call(server, catalogue="fresh") == ("server 4.23.0.0", READ)
    assert not (home / "cache").exists()


def test_bundled_never_asks(server):
    assert first_call(server, catalogue="bundled") == ("bundled 4.23", ["listZones"])


def test_the_environment_is_stronger_than_the_profile(server, monkeypatch):
    monkeypatch.setenv("CS_MAGIC_CATALOGUE", "Bundled")
    assert first_call(server) == ("bundled 4.23", ["listZones"])
    monkeypatch.setenv("CS_MAGIC_CATALOGUE", "none")
    with pytest.raises(ProfileError, match='CS_MAGIC_CATALOGUE is "cached"'):
        opened(server.profile())


def test_sync_reads_and_keeps_it_whatever_was_cached(server, cloud):
    first_call(server)
    cloud.apis = [ZONES, ZONES | {"name": "listFutures"}]
    with opened(server.profile()) as connection:
        assert connection.sync().find("listFutures")
        assert connection.catalogue.find("listFutures")
    assert "listFutures" in [api.name for api in Shelf(server.profile()).load().apis]


def test_a_sync_that_is_refused_says_why_and_keeps_what_was_known(server, cloud):
    first_call(server)
    cloud.apis = None
    with opened(server.profile()) as connection:
        with pytest.raises(ApiError, match="not available"):
            connection.sync()
        assert connection.catalogue.origin == "cached"


def cmk(home: Any, server: Server, **settings: str) -> None:
    folder = home / ".cmk"
    (folder / "profiles").mkdir(parents=True)
    given = {"url": server.endpoint, "apikey": KEYS.api_key, "secretkey": "s"} | settings
    lines = "".join(f"{name} = {value}\n" for name, value in given.items())
    (folder / "config").write_text(f"profile = lab\n\n[lab]\n{lines}")
    file = folder / "profiles" / "lab.cache"
    file.write_text(json.dumps({"count": 1, "api": [ZONES]}))
    os.utime(file, (1_790_000_000, 1_790_000_000))


def test_cmks_cache_serves_where_the_server_does_not_say(server, cloud, home):
    cmk(home, server)
    cloud.apis = None
    with opened(server.profile()) as connection:
        assert connection.catalogue.command("listZones").description == "Lists zones"
        assert connection.listZones().attrs["cs"]["catalogue"] == "cmk 2026-09-21"


def test_cmks_cache_stands_behind_the_servers_word(server, home):
    cmk(home, server)
    assert first_call(server) == ("server 4.23.0.0", READ)


@pytest.mark.parametrize(
    "other", [{"apikey": "another"}, {"url": "https://other.example.com/client/api"}]
)
def test_cmks_cache_of_another_user_or_server_is_not_taken(server, cloud, home, other):
    cmk(home, server, **other)
    cloud.apis = None
    assert first_call(server)[0] == "bundled 4.23"


def test_a_damaged_cache_of_cmks_is_left_alone_and_not_used(server, cloud, home):
    cmk(home, server)
    file = home / ".cmk/profiles/lab.cache"
    file.write_text('{"count": 1, "api": [')
    cloud.apis = None
    assert first_call(server)[0] == "bundled 4.23"
    assert file.exists()


def test_a_pipe_in_the_place_of_the_cache_is_not_waited_for(server):
    shelf = Shelf(server.profile())
    shelf.path.parent.mkdir(parents=True)
    os.mkfifo(shelf.path)
    with opened(server.profile()) as connection:
        assert len(connection.call("listZones")) == 1
    assert shelf.path.is_file()


def test_a_version_is_a_short_line_whatever_the_server_says(cloud, server):
    cloud.version = "4.23\x1b[31m\n" + "9" * 100_000
    with opened(server.profile()) as connection:
        told = connection.call("listZones").attrs["cs"]["catalogue"]
    assert told.isprintable()
    assert "4.23\\u001b[31m " in told
    assert len(told) < 100
    with opened(server.profile()) as connection:
        assert connection.call("listZones").attrs["cs"]["catalogue"] == told.replace(
            "server", "cached"
        )
