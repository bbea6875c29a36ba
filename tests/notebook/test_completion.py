"""What completion reads, when, and what it does when the server fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from api.servers import Came, Reply, Server, listed, serving
from tabs import reading, second_tab, settled, tab

ZONES = [{"id": f"{n:08x}-0000-4000-8000-000000000000", "name": f"zone-{n}"} for n in range(3)]
NETWORKS = [
    {"id": "11111111-0000-4000-8000-000000000000", "name": "web"},
    {"id": "22222222-0000-4000-8000-000000000000", "name": "web"},
    {"id": "33333333-0000-4000-8000-000000000000", "name": "db"},
]
ZONEID = "%cs listVirtualMachines zoneid=▲"


class Cloud:
    """A server whose answers a test may change while it runs."""

    def __init__(self) -> None:
        self.rows = {
            "listZones": ("zone", ZONES),
            "listNetworks": ("network", NETWORKS),
        }
        self.total: int | None = None
        self.reply: Reply | None = None
        self.waits: threading.Event | None = None

    def answer(self, came: Came) -> Reply:
        if self.waits is not None:
            self.waits.wait(60)
        if self.reply is not None:
            return self.reply
        command = came.form["command"]
        if command == "login":
            return Reply(
                body=json.dumps({"loginresponse": {"sessionkey": "k", "username": "u"}}).encode(),
                headers={"Set-Cookie": "JSESSIONID=x; Path=/client"},
            )
        key, rows = self.rows.get(command, ("thing", []))
        total = len(rows) if self.total is None else self.total
        return Reply(body=listed(key, rows, total, wrapper=f"{command.lower()}response"))


@pytest.fixture
def answers() -> Cloud:
    return Cloud()


@pytest.fixture
def server(answers: Cloud, notebook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A small cloud as the environment's profile, with API keys; nothing was sent to it yet."""
    with serving(answers.answer) as server:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", server.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", "key")
        monkeypatch.setenv("CLOUDSTACK_SECRET", "secret")
        yield server
        if answers.waits is not None:
            answers.waits.set()
        settled()


@pytest.fixture
def called(notebook, server: Server):
    """A notebook with a first call made, and what came forgotten."""
    notebook.fine("%cs -q listPods")
    server.came.clear()
    return notebook


def commands(server: Server) -> list[str]:
    return [came.form["command"] for came in server.came]


# -- when something is read ---------------------------------------------------


def test_before_a_first_call_a_key_press_sends_nothing(notebook, server):
    assert second_tab(notebook, ZONEID) == ["="]
    assert server.came == []


def test_a_key_press_that_came_too_early_is_not_remembered(notebook, server):
    notebook.fine("%cs use env")
    second_tab(notebook, ZONEID)
    notebook.fine("%cs -q listPods")
    assert second_tab(notebook, ZONEID) == ["zone-0", "zone-1", "zone-2"]


def test_a_profile_in_use_is_not_yet_a_call(notebook, server):
    notebook.fine("%cs use env")
    assert second_tab(notebook, ZONEID) == ["="]
    assert server.came == []


def test_a_key_press_starts_no_demo_cloud(notebook):
    before = set(threading.enumerate())
    assert second_tab(notebook, "%cs -p demo listVirtualMachines zoneid=▲") == ["="]
    assert tab(notebook, "%cs use d▲") == ["demo"]
    assert set(threading.enumerate()) == before


def test_a_first_call_that_is_refused_is_none(notebook, server, answers):
    answers.reply = Reply(401, b'{"errorresponse":{"errorcode":401,"errortext":"no"}}')
    notebook.run("%cs listZones")
    server.came.clear()
    assert second_tab(notebook, ZONEID) == ["="]
    assert server.came == []


def test_a_planned_call_is_none(notebook, server):
    notebook.fine("%cs --dry-run listZones")
    assert second_tab(notebook, ZONEID) == ["="]
    assert server.came == []


def test_the_first_tab_asks_and_the_second_offers_names(called, server):
    assert tab(called, ZONEID) == ["="]
    settled()
    assert tab(called, ZONEID) == ["zone-0", "zone-1", "zone-2"]
    assert commands(server) == ["listZones"]


def test_what_is_known_is_not_asked_again(called, server):
    for marked in (ZONEID, "%cs listHosts zoneid=▲", "%%cs\nlistPods zoneid=zone▲"):
        assert second_tab(called, marked) == ["zone-0", "zone-1", "zone-2"]
    assert commands(server) == ["listZones"]


def test_a_name_that_is_nearly_typed_has_its_values_read(called, server):
    assert tab(called, "%cs listVirtualMachines zon▲") == ["zoneid="]
    settled()
    assert tab(called, ZONEID) == ["zone-0", "zone-1", "zone-2"]
    assert commands(server) == ["listZones"]


def test_refresh_forgets_what_was_read(called, server, answers):
    second_tab(called, ZONEID)
    answers.rows["listZones"] = ("zone", [{"id": "x", "name": "new"}])
    assert second_tab(called, ZONEID) == ["zone-0", "zone-1", "zone-2"]
    called.fine("%cs -q --refresh listPods")
    assert second_tab(called, ZONEID) == ["new"]


def test_a_call_that_changes_something_makes_what_was_read_be_read_again(called, server, answers):
    second_tab(called, ZONEID)
    answers.rows["listZones"] = ("zone", [{"id": "x", "name": "new"}])
    called.fine("%cs -q updateZone id=" + ZONES[0]["id"] + " name=new")
    assert second_tab(called, ZONEID) == ["new"]


def test_the_profile_of_the_line_is_the_one_that_is_asked(called, server, monkeypatch):
    with serving(lambda came: Reply(body=listed("zone", [{"id": "y", "name": "other"}]))) as two:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", two.endpoint)
        called.fine("%cs -q -p env listPods")
        assert second_tab(called, "%cs -p nobody listHosts zoneid=▲") == ["="]
        assert commands(server) == []


# -- with which filters -------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "sent"),
    [
        (
            "%cs listVirtualMachines zoneid=ZONE state=Running networkid=▲",
            {"zoneid": "ZONE", "listall": "true"},
        ),
        ("%cs listVirtualMachines domainid=ZONE account=web networkid=▲", {"account": "web"}),
        ("%cs listVirtualMachines zoneid=$zone networkid=▲", {"zoneid": "ZONE"}),
        ("%cs listVirtualMachines networkid=▲ zoneid=ZONE", {"zoneid": "ZONE"}),
        ("%%cs\nlistVirtualMachines zoneid=ZONE\n  networkid=▲", {"zoneid": "ZONE"}),
        ("%cs listNetworks type=isolated id=▲", {"type": "isolated"}),
    ],
)
def test_the_filters_of_the_line_go_along(called, server, marked, sent):
    zone = ZONES[0]["id"]
    called.names["zone"] = zone
    tab(called, marked.replace("ZONE", zone))
    settled()
    form = server.came[0].form
    assert form["command"] == "listNetworks"
    assert (
        sent.items() <= {name: value.replace(zone, "ZONE") for name, value in form.items()}.items()
    )
    assert not {"state", "keyword", "networkid", "id"} & set(form)


@pytest.mark.parametrize(
    ("marked", "left_out"),
    [
        ("%cs updateNetwork name=new displaynetwork=false id=▲", {"name", "displaynetwork"}),
        ("%cs listVirtualMachines account=web networkid=▲", {"account"}),  # needs its domain
        ("%cs listVirtualMachines zoneid=unheard-of networkid=▲", {"zoneid"}),
        ("%cs listVirtualMachines zoneid=$nothing networkid=▲", {"zoneid"}),
    ],
)
def test_what_would_empty_the_list_stays_at_home(called, server, marked, left_out):
    tab(called, marked)
    settled()
    forms = [came.form for came in server.came if came.form["command"] == "listNetworks"]
    assert forms
    assert not left_out & set(forms[0])


def test_a_zone_given_by_name_narrows_the_networks(called, server):
    second_tab(called, ZONEID)
    second_tab(called, "%cs listVirtualMachines zoneid=zone-2 networkid=▲")
    [*_, last] = server.came
    assert (last.form["command"], last.form["zoneid"]) == ("listNetworks", ZONES[2]["id"])


def test_a_list_that_needs_what_is_missing_is_not_asked(called, server):
    assert second_tab(called, "%cs deleteProjectRole roleid=▲") == ["="]
    assert server.came == []


def test_of_a_long_list_those_with_the_typed_begin_are_asked_for(called, server, answers):
    answers.total = 5000
    assert second_tab(called, "%cs listVirtualMachines networkid=▲") == ["="]
    assert second_tab(called, "%cs listVirtualMachines networkid=D▲") == ["db"]
    assert [came.form.get("keyword") for came in server.came] == [None, None, "d", "d"]


def test_what_a_shorter_begin_gave_serves_the_longer_one(called, server, answers):
    answers.total = 5000
    second_tab(called, "%cs listVirtualMachines networkid=▲")
    answers.total = None
    second_tab(called, "%cs listVirtualMachines networkid=d▲")
    server.came.clear()
    assert second_tab(called, "%cs listVirtualMachines networkid=db▲") == ["db"]
    assert server.came == []


# -- what is inserted ---------------------------------------------------------


def test_of_two_with_one_name_the_ids_are_offered(called):
    offered = second_tab(called, "%cs listVirtualMachines networkid=▲")
    assert offered == ["db", NETWORKS[0]["id"], NETWORKS[1]["id"]]


AWKWARD = [
    "two words", "it's", 'say "yes"', "both ' and \"", "back\\slash", "$HOME", "{zone}", "ü",
    "@file", "?", "a;", "a;b", "-p", "#1", "a #b", "x=y", "„quoted“", "<<", "日本", "a,b",
]  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_name_is_inserted_so_that_it_is_read_as_itself(called, answers, name, quote):
    answers.rows["listZones"] = ("zone", [{"id": "x", "name": name}])
    called.fine("%cs -q --refresh listPods")
    [text] = second_tab(called, f"%cs listVirtualMachines zoneid={quote}▲")
    planned = called.fine(f"%cs -q --dry-run --no-check listPods zoneid={text}").result
    assert planned.parameters[0] == f"zoneid={name}"


@pytest.mark.parametrize("name", ["", "two\nlines", ZONES[0]["id"], "name:x", "2", "-1", None, 5])
def test_what_can_not_be_a_name_is_offered_by_its_id(called, answers, name):
    answers.rows["listZones"] = ("zone", [{"id": "the-id", "name": name}])
    assert second_tab(called, ZONEID) == ["the-id"]


def test_name_and_a_colon_offer_even_what_looks_like_an_id(called, answers):
    answers.rows["listZones"] = ("zone", [{"id": "the-id", "name": ZONES[0]["id"]}])
    offered = second_tab(called, "%cs listVirtualMachines zoneid=name:▲")
    assert offered == [f"name:{ZONES[0]['id']}"]


def test_in_a_list_names_with_commas_and_blanks_are_ids(called, answers):
    rows = [{"id": "1", "name": "plain"}, {"id": "2", "name": "a b"}, {"id": "3", "name": "a,b"}]
    answers.rows["listZones"] = ("zone", rows)
    assert second_tab(called, "%cs listZones ids=▲") == ["2", "3", "plain"]
    assert second_tab(called, "%cs listZones ids=plain,2,▲") == ["3"]


def test_a_row_without_an_id_has_its_name_and_one_without_both_is_passed_over(called, answers):
    answers.rows["listZones"] = ("zone", [{"name": "a"}, {}, {"id": 5}])
    assert second_tab(called, ZONEID) == ["a"]


# -- a server that fails ------------------------------------------------------


def test_while_the_server_hangs_everything_else_is_offered_at_once(called, server, answers):
    answers.waits = threading.Event()
    for _ in range(5):
        assert tab(called, ZONEID) == ["="]
    assert tab(called, "%cs VirtualMachinesM▲") == ["listVirtualMachinesMetrics"]
    assert tab(called, "%cs listZones av▲") == ["available="]
    assert len(reading()) == 1
    answers.waits.set()
    settled()
    assert tab(called, ZONEID) == ["zone-0", "zone-1", "zone-2"]
    assert commands(server) == ["listZones"]


def test_no_more_than_four_lists_are_read_at_once(called, answers):
    answers.waits = threading.Event()
    for name in ("zoneid", "networkid", "hostid", "podid", "clusterid", "templateid", "vpcid"):
        tab(called, f"%cs listVirtualMachines {name}=▲")
    assert len(reading()) == 4


def test_unloading_does_not_wait_for_a_server_that_hangs(called, answers):
    answers.waits = threading.Event()
    tab(called, ZONEID)
    called.fine("%unload_ext cs_magic")
    settled()  # it was cut: the server has not answered yet
    assert not answers.waits.is_set()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(drop=True),
        Reply(200, b"<html>a proxy says hello</html>"),
        Reply(200, b'{"listzonesresponse":{"zone":[{"id":'),
        Reply(200, b'{"listzonesresponse":{"zone":7}}'),
        Reply(200, b""),
        Reply(200, b"[]"),
        Reply(200, b"\xff\xfe\x00"),
        Reply(401, b'{"listzonesresponse":{"errorcode":401,"errortext":"no"}}'),
        Reply(429, b'{"listzonesresponse":{"errorcode":429,"errortext":"retry after [5000] ms"}}'),
        Reply(503, b""),
        Reply(302, b"", {"Location": "https://elsewhere/"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:20]!r}",
)
def test_a_server_that_answers_rubbish_is_asked_once_and_costs_nothing(
    called, server, answers, reply
):
    answers.reply = reply
    for _ in range(3):
        assert second_tab(called, ZONEID) == ["="]
    assert commands(server) == ["listZones"]
    assert tab(called, "%cs listzon▲")[0] == "listZones"


def test_what_is_known_outlives_the_server(notebook, monkeypatch):
    def last(came: Came) -> Reply:
        reply = Cloud().answer(came)
        reply.headers["Connection"] = "close"
        return reply

    with serving(last) as server:
        for name, value in {"ENDPOINT": server.endpoint, "KEY": "k", "SECRET": "s"}.items():
            monkeypatch.setenv(f"CLOUDSTACK_{name}", value)
        notebook.fine("%cs -q listPods")
        second_tab(notebook, ZONEID)
    assert tab(notebook, ZONEID) == ["zone-0", "zone-1", "zone-2"]
    assert second_tab(notebook, "%cs listVirtualMachines networkid=▲") == ["="]
    assert tab(notebook, "%cs listzon▲")[0] == "listZones"


def test_names_that_only_python_can_make_do_no_harm(called):
    called.names[5] = "no identifier"
    try:
        tab(called, "%cs listZones name=$▲")
    finally:
        del called.names[5]


# -- sessions -----------------------------------------------------------------


@pytest.fixture
def by_password(notebook, server, monkeypatch):
    for name in ("KEY", "SECRET"):
        monkeypatch.delenv(f"CLOUDSTACK_{name}")
    monkeypatch.setenv("CLOUDSTACK_USERNAME", "u")
    monkeypatch.setenv("CLOUDSTACK_PASSWORD", "tell-tale")
    return notebook


def test_before_a_first_call_a_key_press_never_signs_in(by_password, server):
    by_password.fine("%cs use env")
    assert second_tab(by_password, ZONEID) == ["="]
    assert server.came == []


def test_values_are_read_within_the_session_of_the_first_call(by_password, server):
    by_password.fine("%cs -q listPods")
    assert second_tab(by_password, ZONEID) == ["zone-0", "zone-1", "zone-2"]
    assert commands(server).count("login") == 1
    assert server.came[-1].form["sessionkey"] == "k"


def test_a_dead_session_is_not_renewed_by_a_key_press(by_password, server, answers):
    by_password.fine("%cs -q listPods")
    answers.reply = Reply(401, b'{"listzonesresponse":{"errorcode":401,"errortext":"no session"}}')
    assert second_tab(by_password, ZONEID) == ["="]
    assert commands(server).count("login") == 1
