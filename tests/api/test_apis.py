"""A real server's listApis as a catalogue: what it decides, and what ours adds."""

from __future__ import annotations

import json
from functools import cache

import pytest
from replay import Step, steps

from cs_magic.api import envelope
from cs_magic.api.apis import Api, parsed, united
from cs_magic.api.catalogue import Catalogue, bundled
from cs_magic.api.checking import check
from cs_magic.api.values import Call, Page, Response
from cs_magic.errors import CallError

WHERE = {
    "root": "F-shapes/01-listapis-root",
    "user": "F-shapes/02-listapis-u1",
    "domain admin": "F-shapes/03-listapis-da-names",
}


def page(step: Step) -> Page:
    read = envelope.read("listApis", Response(step.status, step.content_type, step.body))
    assert isinstance(read, Page)
    return read


@cache
def catalogue(who: str) -> Catalogue:
    apis = parsed(page(steps(WHERE[who])[0]).rows)
    return united(apis, "4.23.0.0-SNAPSHOT", "server", "cloud", "4.23.0.0-SNAPSHOT")


def api(**facts: object) -> Api:
    [found] = parsed(json.dumps([facts]).encode())
    return found


def alone(*apis: Api) -> Catalogue:
    return united(apis, "9", "server", "cloud", "9")


@pytest.mark.parametrize(("who", "number"), [("root", 786), ("user", 397), ("domain admin", 448)])
def test_the_commands_are_those_that_the_server_offers_to_the_caller(who, number):
    recorded = json.loads(steps(WHERE[who])[0].body)["listapisresponse"]["api"]
    names = set(catalogue(who).names())
    assert names == {one["name"] for one in recorded} | {"login", "logout"}
    assert len(names) == number


@pytest.mark.parametrize("who", WHERE)
def test_parameters_and_what_is_required_are_the_servers_each_once(who):
    for one in json.loads(steps(WHERE[who])[0].body)["listapisresponse"]["api"]:
        command = catalogue(who).command(one["name"])
        names = [parameter.name for parameter in command.parameters]
        assert sorted(names) == sorted({param["name"] for param in one["params"]})
        needed = {param["name"] for param in one["params"] if param["required"]}
        assert {parameter.name for parameter in command.required} == needed
        assert command.is_async is one["isasync"]


@pytest.mark.parametrize("who", WHERE)
def test_no_field_is_one_of_the_empty_objects(who):
    for command in catalogue(who).commands.values():
        assert all(field.name for field in command.fields)
        assert all(inner.name for field in command.fields for inner in field.fields)


def test_the_lists_that_the_server_has_lost_are_known_from_ours():
    root = catalogue("root")
    assert root.command("deployVirtualMachine").parameter("projectid").related[0] == "listProjects"
    assert root.command("listVirtualMachines").parameter("hostid").related[0] == "listHosts"
    ids = [
        parameter
        for command in root.commands.values()
        for parameter in command.parameters
        if parameter.type == "uuid"
    ]
    # 450 of 1,624 have none in the server's reply.
    assert sum(not parameter.related for parameter in ids) < 60


def test_a_list_that_the_role_lacks_is_not_one_to_look_in():
    assert "listHosts" not in catalogue("user").names()
    for command in catalogue("user").commands.values():
        for parameter in command.parameters:
            if command.name not in {"login", "logout"}:
                assert set(parameter.related) <= set(catalogue("user").names())


@pytest.mark.parametrize("name", ["listVirtualMachines", "listEvents", "activateProject"])
def test_scope_groups_and_wrapper_are_ours(name):
    ours, theirs = bundled().command(name), catalogue("root").command(name)
    for fact in ("scope", "groups", "wrapper", "creates", "by_get", "pages", "is_read"):
        assert getattr(theirs, fact) == getattr(ours, fact)


def test_of_root_nothing_is_read_otherwise_than_in_the_bundled_catalogue():
    for command in catalogue("root").commands.values():
        ours = bundled().command(command.name)
        assert (command.is_read, command.scope) == (ours.is_read, ours.scope)
        assert [f.name for f in command.fields] == [f.name for f in ours.fields]
        assert [f.kind for f in command.fields] == [f.kind for f in ours.fields]


@pytest.mark.parametrize("who", ["user", "domain admin"])
def test_what_only_admins_may_use_is_said_in_those_words(who):
    with pytest.raises(CallError) as caught:
        check(catalogue(who), Call("createZone"))
    assert caught.value.message == "Your role may not use createZone on cloud"
    assert check(catalogue(who), Call("logout"))


def test_a_parameter_that_a_session_hides_is_not_known_to_it():
    [*_, mine] = [s for s in steps("F-shapes/109-listapis-session-one") if s.account == "u1"]
    hidden = alone(*parsed(page(mine).rows)).command("deployVirtualMachine")
    # Three of the 58 that it names are of the root admin's class all the same.
    assert len(hidden.parameters) == 55
    assert len(catalogue("root").command("deployVirtualMachine").parameters) == 60


def test_descriptions_are_the_servers():
    known = alone(
        api(
            name="listThings",
            description="Lists things",
            params=[{"name": "zoneid", "type": "uuid", "description": "where"}, {}],
            response=[{"name": "id", "description": "the id", "type": "string"}, {}, {}],
        )
    ).command("listThings")
    assert (known.description, known.parameter("zoneid").description) == ("Lists things", "where")
    assert [(f.name, f.description) for f in known.fields] == [("id", "the id")]


def test_a_command_that_nobody_knows_is_read_by_what_the_server_says_of_it():
    scope = [{"name": name} for name in ("listall", "account", "domainid")]
    known = alone(
        api(name="listFutures", params=scope, related="x"),
        api(name="quotaFuture", httprequesttype="GET"),
        api(name="getUploadParamsForFuture", httprequesttype="GET"),
        api(name="makeFuture", httprequesttype="POST", isasync="true"),
        api(name="listZones"),
        api(name="useZone", params=[{"name": "zoneid", "type": "uuid"}]),
        api(
            name="useThing",
            params=[
                {"name": "xid", "type": "uuid", "related": "startX,listZones,listFutures,listZones"}
            ],
        ),
    )
    assert known.command("listFutures").scope == ("listall",)
    assert known.command("quotaFuture").is_read
    assert not known.command("getUploadParamsForFuture").is_read
    assert known.command("makeFuture").is_async
    assert known.command("useZone").parameter("zoneid").related == ("listZones",)
    assert known.command("useThing").parameter("xid").related == ("listZones", "listFutures")


def test_of_parameters_named_twice_the_stricter_counts():
    twice = [{"name": "id", "required": False}, {"name": "id", "required": True}]
    [parameter] = alone(api(name="useX", params=twice)).command("useX").parameters
    assert parameter.required


@pytest.mark.parametrize("rows", [b"", b"[]", b"{}", b"[1]", b'[{"name": 5}]', b"[{}]", b"[{"])
def test_what_is_no_list_of_commands_is_said_to_be_none(rows):
    with pytest.raises(ValueError, match=r"\w"):
        parsed(rows)
