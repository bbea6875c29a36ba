"""Names for ids over a socket: what is asked, what is sent, and that nothing is guessed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from uuid import UUID

import pytest
from servers import KEYS, Reply, listed, serving

from cs_magic.errors import ApiError, CallError, TransportError
from cs_magic.opening import connect

ZURICH, GENEVA = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
RETAIL, FINANCE = "22222222-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
OFFICE = [f"33333333-0000-4000-8000-00000000000{n}" for n in range(4)]
MACHINES = [f"55555555-0000-4000-8000-00000000000{n}" for n in range(8)]
ODD = "44444444-0000-4000-8000-000000000001"
UUID_NAME = "99999999-0000-4000-8000-000000000009"

ROWS = {
    "zone": [
        {"id": ZURICH, "name": "Zürich"},
        {"id": GENEVA, "name": "Geneva"},
        {"id": ODD, "name": 'Bob\'s "cost$center"  #1 = 50%'},
        {"id": OFFICE[3], "name": UUID_NAME},
    ],
    "domain": [
        {"id": RETAIL, "name": "Retail", "path": "ROOT/Retail"},
        {"id": FINANCE, "name": "Finance", "path": "ROOT/Finance"},
        {"id": ODD, "name": "Retail", "path": "ROOT/Finance/Retail"},
    ],
    "network": [
        {"id": OFFICE[0], "name": "Office", "account": "alice", "domainid": RETAIL,
         "domainpath": "ROOT/Retail", "zoneid": ZURICH, "zonename": "Zürich"},
        {"id": OFFICE[1], "name": "Office", "account": "bob", "domainid": FINANCE,
         "domainpath": "ROOT/Finance", "zoneid": ZURICH, "zonename": "Zürich"},
        {"id": OFFICE[2], "name": "Lab", "account": "bob", "domainid": FINANCE,
         "domainpath": "ROOT/Finance", "zoneid": GENEVA, "zonename": "Geneva"},
    ],
    "template": [
        {"id": ODD, "name": "debian", "zonename": "Zürich", "zoneid": ZURICH},
        {"id": ODD, "name": "debian", "zonename": "Geneva", "zoneid": GENEVA},
    ],
    "iso": [{"id": OFFICE[0], "name": "netboot"}],
    "user": [{"id": ODD, "username": "ada", "firstname": "Grace"}],
    "virtualmachine": [
        {"id": one, "name": f"web-{n}", "account": "bob", "password": "tell-tale"}
        for n, one in enumerate(MACHINES)
    ],
    "serviceoffering": [],
}  # fmt: skip
KEYS_OF = {"domain": "path", "user": "username"}


class Cloud:
    """Lists those rows, narrowed by name and zone; the `deaf` lists find nothing by a name."""

    def __init__(self):
        self.forms = []
        self.deaf = set()
        self.refusals = {}

    def answer(self, came):
        form = dict(came.form)
        self.forms.append(form)
        command = form["command"]
        if command in self.refusals:
            status, text = self.refusals[command](form) or (200, "")
            if text:
                error = {"errorcode": status, "errortext": text}
                return Reply(status, json.dumps({"x": error}).encode())
        key = command.removeprefix("list").lower().removesuffix("s")
        if key not in ROWS:
            return Reply(body=b'{"x":{"success":"true"}}')
        rows = ROWS[key] if form.get("projectid") != "-1" else []
        rows = rows if form.get("page", "1") == "1" else []
        for field in ("name", "username", "zoneid"):
            if field in form:
                rows = [row for row in rows if row.get(field) == form[field]]
                rows = [] if command in self.deaf else rows
        return Reply(body=listed(key, rows, len(rows)))

    def sent(self, command):
        """What came of one command, less what every call has."""
        ours = {"command", "response", "apiKey", "signature", "signatureVersion", "expires",
                "page", "pagesize"}  # fmt: skip
        return [
            {name: value for name, value in form.items() if name not in ours}
            for form in self.forms
            if form["command"] == command
        ]


@contextmanager
def connected(**settings):
    cloud = Cloud()
    with serving(cloud.answer) as server:
        keys = {"api_key": KEYS.api_key, "secret_key": KEYS.secret_key}
        with connect(endpoint=server.endpoint, **keys, **settings) as connection:
            yield cloud, connection


@pytest.fixture
def both():
    with connected() as both:
        yield both


def refused(call, **arguments):
    with pytest.raises(CallError) as caught:
        call(**arguments)
    return caught.value


def test_a_name_is_sent_as_the_id_that_its_list_has(both):
    cloud, connection = both
    frame = connection.listVirtualMachines(zoneid="Zürich")
    assert cloud.sent("listZones") == [{"name": "Zürich"}]
    assert cloud.sent("listVirtualMachines") == [
        {"zoneid": ZURICH, "listall": "true"},
        {"zoneid": ZURICH, "projectid": "-1"},
    ]
    assert frame.attrs["cs"]["parameters"] == {"zoneid": ZURICH}


@pytest.mark.parametrize("value", [ZURICH, ZURICH.upper(), "7"])
def test_an_id_is_sent_as_it_stands_and_looked_up_nowhere(both, value):
    cloud, connection = both
    connection.listVirtualMachines(zoneid=value)
    assert cloud.sent("listZones") == []
    assert cloud.sent("listVirtualMachines")[0]["zoneid"] == value


def test_a_name_with_blanks_quotes_and_signs_is_itself(both):
    cloud, connection = both
    connection.listHosts(zoneid=ROWS["zone"][2]["name"])
    assert cloud.sent("listHosts") == [{"zoneid": ODD}]


def test_a_name_of_the_shape_of_an_id_is_forced(both):
    cloud, connection = both
    connection.listHosts(zoneid=f"name:{UUID_NAME}")
    assert cloud.sent("listHosts") == [{"zoneid": OFFICE[3]}]


@pytest.mark.parametrize("typed", ["zürich", "ZÜRICH", "Zurich", "Zürich "])
def test_only_the_very_name_counts_and_the_near_one_is_offered(both, typed):
    cloud, connection = both
    error = refused(connection.listHosts, zoneid=typed)
    assert 'did you mean "Zürich"?' in error.message
    assert error.name == "zoneid"
    assert cloud.sent("listHosts") == []


def test_where_nothing_is_near_the_first_names_are_shown(both):
    _, connection = both
    error = refused(connection.listHosts, zoneid="Q")
    assert "did you mean" not in error.message
    assert any("Zürich" in hint and "Geneva" in hint for hint in error.hints)


def test_an_empty_list_is_said_to_be_empty(both):
    _, connection = both
    error = refused(connection.listVirtualMachines, serviceofferingid="Medium")
    assert "It gave nothing at all." in error.hints


def test_namesakes_are_told_apart_by_owner_and_neither_is_taken(both):
    cloud, connection = both
    error = refused(connection.listVirtualMachines, networkid="Office")
    assert 'listNetworks has 2 of the name "Office"' in error.message
    assert list(error.hints) == [
        f"{OFFICE[0]} domainpath=ROOT/Retail account=alice",
        f"{OFFICE[1]} domainpath=ROOT/Finance account=bob",
    ]
    assert cloud.sent("listVirtualMachines") == []


def test_the_owner_that_the_call_names_decides_between_namesakes(both):
    cloud, connection = both
    connection.listVirtualMachines(networkid="Office", account="bob", domainid="ROOT/Finance")
    (sent,) = cloud.sent("listVirtualMachines")
    assert sent == {"networkid": OFFICE[1], "account": "bob", "domainid": FINANCE}


def test_where_things_go_does_not_say_which_they_are(both):
    cloud, connection = both
    error = refused(connection.updateNetwork, id="Office", networkdomain="x", changecidr=True)
    assert error.name == "id"
    error = refused(
        connection.assignVirtualMachine,
        virtualmachineid="web-1",
        account="bob",
        domainid="ROOT/Finance",
        networkids=["Office"],
    )
    assert "2 of the name" in error.message
    assert cloud.sent("assignVirtualMachine") == []


@pytest.mark.parametrize("order", [["networkid", "zoneid"], ["zoneid", "networkid"]])
def test_a_place_is_resolved_first_and_narrows_the_others(both, order):
    cloud, connection = both
    given = {"networkid": "Lab", "zoneid": "Geneva"}
    connection.listVirtualMachines(**{name: given[name] for name in order})
    assert cloud.sent("listNetworks")[0]["zoneid"] == GENEVA
    error = refused(connection.listVirtualMachines, networkid="Lab", zoneid="Zürich")
    assert f"Looked up with zoneid={ZURICH}." in error.hints


def test_a_domain_is_found_by_its_path_then_by_a_name_that_only_one_has(both):
    cloud, connection = both
    connection.listVirtualMachines(domainid="ROOT/Retail")
    connection.listVirtualMachines(domainid="Finance")
    assert [form["domainid"] for form in cloud.sent("listVirtualMachines")] == [RETAIL, FINANCE]
    error = refused(connection.listVirtualMachines, domainid="Retail")
    assert [hint.split()[1] for hint in error.hints] == [
        "path=ROOT/Retail", "path=ROOT/Finance/Retail"
    ]  # fmt: skip


def test_users_are_called_by_their_username(both):
    cloud, connection = both
    connection.listVirtualMachines(userid="ada")
    assert cloud.sent("listUsers") == [{"username": "ada", "listall": "true"}]


def test_templates_are_looked_up_among_all_where_one_may(both):
    cloud, connection = both
    connection.listVirtualMachines(templateid="debian")
    assert cloud.sent("listTemplates") == [
        {"templatefilter": "all", "name": "debian", "listall": "true", "details": "min"}
    ]
    assert cloud.sent("listVirtualMachines")[0]["templateid"] == ODD


def test_and_among_those_one_may_use_where_all_is_refused(both):
    cloud, connection = both
    cloud.refusals["listTemplates"] = lambda form: (
        (431, "Filter all can be specified by admin only")
        if form["templatefilter"] == "all" else None
    )  # fmt: skip
    connection.listVirtualMachines(templateid="debian")
    filters = [form["templatefilter"] for form in cloud.sent("listTemplates")]
    assert filters == ["all", "executable"]


def test_what_no_template_is_called_may_be_an_iso(both):
    cloud, connection = both
    connection.listVirtualMachines(templateid="netboot")
    assert cloud.sent("listVirtualMachines")[0]["templateid"] == OFFICE[0]
    assert "listTemplates" in refused(connection.deleteTemplate, id="netboot").message
    assert cloud.sent("deleteTemplate") == []


def test_names_in_lists_and_maps_are_looked_up_too(both):
    cloud, connection = both
    connection.listVirtualMachines(ids=["web-1", MACHINES[3], "name:web-2"], listall=True)
    assert cloud.sent("listVirtualMachines")[-1]["ids"] == ",".join(
        (MACHINES[1], MACHINES[3], MACHINES[2])
    )
    connection.deployVirtualMachine(
        zoneid="Geneva",
        serviceofferingid=ODD,
        templateid="debian",
        iptonetworklist=[{"networkid": "Lab", "ip": "10.1.1.5"}],
    )
    (sent,) = cloud.sent("deployVirtualMachine")
    assert sent["iptonetworklist[0].networkid"] == OFFICE[2]
    assert sent["iptonetworklist[0].ip"] == "10.1.1.5"


def test_many_names_of_one_list_are_found_in_one_reading(both):
    cloud, connection = both
    connection.listVirtualMachines(ids=[f"web-{n}" for n in range(8)], listall=True)
    assert [form.get("ids") for form in cloud.sent("listVirtualMachines")] == [
        None,  # one list, its twin for projects, and the call itself
        None,
        ",".join(MACHINES),
    ]
    assert not any("name" in form for form in cloud.sent("listVirtualMachines"))


def test_a_filter_that_takes_a_name_for_something_else_is_not_believed(both):
    cloud, connection = both
    cloud.deaf.add("listZones")
    connection.listHosts(zoneid="Geneva")
    assert cloud.sent("listZones") == [{"name": "Geneva"}, {}]
    assert cloud.sent("listHosts") == [{"zoneid": GENEVA}]


def test_a_list_that_is_not_complete_finds_nothing():
    def answer(came):
        rows = [{"id": ZURICH, "name": "Zürich"}] if came.form.get("page") == "1" else []
        return Reply(body=listed("zone", rows, 3))

    with serving(answer) as server:
        keys = {"api_key": KEYS.api_key, "secret_key": KEYS.secret_key}
        connection = connect(endpoint=server.endpoint, **keys)
        error = refused(connection.listHosts, zoneid="Zürich")
        assert "listZones is not complete (the server counts 3 rows, 1 came)" in error.message
        assert {came.form["command"] for came in server.came} <= {"listZones", "listConfigurations"}


def test_a_list_that_one_may_not_see_is_an_error_that_asks_for_the_id(both):
    cloud, connection = both
    cloud.refusals["listHosts"] = lambda _: (432, "The API [listHosts] does not exist or …")
    with pytest.raises(ApiError) as caught:
        connection.listVirtualMachines(hostid="kvm-1")
    assert "hostid=kvm-1 was looked up in listHosts" in caught.value.hints[-1]
    assert cloud.sent("listVirtualMachines") == []


def test_where_no_cloudstack_answers_the_look_up_fails_and_nothing_is_sent():
    with serving(lambda _: Reply(404, b"<html>")) as server:
        keys = {"api_key": KEYS.api_key, "secret_key": KEYS.secret_key}
        connection = connect(endpoint=server.endpoint, **keys)
        with pytest.raises(TransportError) as caught:
            connection.stopVirtualMachine(id="web-1")
        assert "web-1" in caught.value.hints[-1]
        assert {came.form["command"] for came in server.came} <= {
            "listVirtualMachines",
            "listConfigurations",
        }


def test_what_changes_something_is_resolved_first_and_sent_once(both):
    cloud, connection = both
    connection.stopVirtualMachine(id="web-3", forced=True)
    (sent,) = cloud.sent("stopVirtualMachine")
    assert UUID(sent.pop("customjobid"))
    assert sent == {"id": MACHINES[3], "forced": "true"}
    assert cloud.forms[-1]["command"] == "stopVirtualMachine"


def test_a_profile_that_only_reads_looks_names_up_too():
    with connected(read_only=True) as (cloud, connection):
        connection.listHosts(zoneid="Geneva")
        assert cloud.sent("listHosts") == [{"zoneid": GENEVA}]


def test_a_profile_of_ones_own_looks_among_ones_own():
    with connected(scope="own") as (cloud, connection):
        connection.listNics(virtualmachineid="web-1")
        (sent,) = cloud.sent("listVirtualMachines")
        assert sent == {"name": "web-1", "details": "min"}


def test_a_name_where_no_list_has_names_is_refused(both):
    cloud, connection = both
    error = refused(connection.deleteFirewallRule, id="name:http")
    assert error.name == "id"
    assert cloud.forms == []


def test_an_empty_name_is_refused(both):
    assert "says no name" in refused(both[1].listHosts, zoneid="name:").message


def test_no_secret_of_a_list_is_kept_or_told(both):
    _, connection = both
    error = refused(connection.stopVirtualMachine, id="web")
    assert "tell-tale" not in repr(error.hints) + error.message
