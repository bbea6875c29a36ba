"""How a state-changing call whose answer was lost can be found again."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from servers import Reply, Scripted, reply, serving

from cs_magic.api.catalogue import bundled
from cs_magic.api.checking import unknown
from cs_magic.api.client import Client
from cs_magic.api.traces import fate, listing, traceable
from cs_magic.api.values import Call
from cs_magic.connection import Connection
from cs_magic.errors import ApiError, FateUnknown, TransportError
from cs_magic.opening import opened

ID = "0f3d2c1b-1111-4222-8333-444455556666"
STOP = Call("stopVirtualMachine", (("id", ID),))
LOST = TransportError("The connection to cloud.example broke off")


def given(name: str, call: Call) -> str | None:
    return traceable(call, bundled().find(name)).given("customjobid")


# -- the id of its job ---------------------------------------------------------------------


def test_a_call_with_a_job_carries_an_id_for_it_that_is_new_each_time():
    first, second = given(STOP.command, STOP), given(STOP.command, STOP)
    assert first == str(UUID(first)) == first.lower()
    assert first != second


def test_an_id_that_was_typed_stays():
    assert given(STOP.command, STOP.having(customjobid="mine")) == "mine"


def test_a_call_without_a_job_and_one_nobody_knows_carry_none():
    assert given("updateVirtualMachine", Call("updateVirtualMachine", (("id", ID),))) is None
    assert traceable(Call("destroyFuture"), None) == Call("destroyFuture")
    assert unknown("destroyFuture").is_async


def sent(call: str, **arguments: str) -> list[dict[str, str]]:
    """The forms of a call whose job nobody waits for."""
    scripted = Scripted(lambda form: reply(b'{"x":{"jobid":"j"}}'))
    with serving() as server:
        profile = server.profile()
    Connection(Client(profile, scripted), bundled()).call(call, wait=False, **arguments)
    return scripted.forms


def test_a_script_sends_it_too():
    [form] = sent("stopVirtualMachine", id=ID)
    assert UUID(form["customjobid"])


def test_a_read_carries_none():
    assert not any("customjobid" in form for form in sent("listZones", id=ID))


# -- where to look -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("stopVirtualMachine", "listVirtualMachines"),
        ("deployVirtualMachine", "listVirtualMachines"),
        ("changeServiceForVirtualMachine", "listVirtualMachines"),
        ("addNicToVirtualMachine", "listVirtualMachines"),
        ("createSnapshotFromVMSnapshot", "listSnapshots"),
        ("deleteSnapshotPolicies", "listSnapshotPolicies"),
        ("createTags", "listTags"),
        ("updateConfiguration", "listConfigurations"),
        ("disableStaticNat", "listPublicIpAddresses"),
        ("registerUserData", "listUserData"),
        ("quotaUpdate", ""),
        ("nobodyKnowsThis", ""),
    ],
)
def test_what_a_command_changes_is_in_a_list(name, where):
    assert listing(name) == where


def test_nearly_every_write_has_a_list_to_look_at():
    writes = [one.name for one in bundled().commands.values() if not one.is_read]
    found = [listing(name) for name in writes]
    assert all(name == "" or bundled().command(name).is_read for name in found)
    assert len([name for name in found if name]) > 0.85 * len(writes)


def test_a_lost_call_says_its_job_and_the_list_of_its_very_machine():
    error = fate(STOP.having(customjobid="9" * 8), LOST)
    assert error.job == "99999999"
    assert "%cs job 99999999" in error.hints[1]
    assert f"%cs listVirtualMachines id={ID}" in error.hints[2]


def test_a_lost_call_without_a_job_says_the_list():
    error = fate(Call("createUser", (("username", "ann"), ("password", "tell-tale"))), LOST)
    assert error.job == ""
    assert "%cs listUsers" in error.hints[1]
    assert not any("tell-tale" in line or "ann" in line for line in error.lines())


def test_where_no_list_is_known_it_says_so_in_general():
    assert "Look at the list" in fate(Call("quotaUpdate"), LOST).hints[1]


# -- a write is sent once ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["importLdapUsers", "discoverGpuDevices", "removeVirtualMachinesFromKubernetesCluster"],
)
def test_a_command_that_changes_something_is_not_asked_for_page_after_page(name):
    rows = b'{"x":{"count":900,"user":[%s]}}' % b",".join([b'{"id":"%d"}' % n for n in range(500)])
    scripted = Scripted(lambda form: reply(rows))
    with serving() as server:
        profile = server.profile()
    command = bundled().command(name)
    assert command.pages
    arguments = {needed.name: ID for needed in command.required}
    Connection(Client(profile, scripted), bundled()).call(name, **arguments)
    assert [form["command"] for form in scripted.forms] == [name]
    assert not {"page", "pagesize", "listall"} & set(scripted.forms[0])


WRONG = b'{"stopvirtualmachineresponse":{"errorcode":%d,"cserrorcode":9999,"errortext":"no"}}'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, WRONG % 429, ApiError),
        (429, b"", TransportError),
        (429, b"<html>slow down</html>", TransportError),
        (429, b"Too many requests", TransportError),
        (503, WRONG % 503, ApiError),
        (530, WRONG % 530, ApiError),
        (502, b"Bad Gateway", FateUnknown),
        (502, b"<html></html>", FateUnknown),
        (503, b"", FateUnknown),
        (504, b"upstream timed out", FateUnknown),
        (500, b"Internal error", FateUnknown),
        (200, b"", FateUnknown),
        (200, b"<html>sign in to the WiFi</html>", FateUnknown),
        (302, b"", TransportError),
    ],
)
def test_what_an_answer_to_a_write_means(status, body, kind):
    client = client_of(lambda form: reply(body, status))
    with pytest.raises(kind) as caught:
        client.exchange(STOP, is_read=False)
    assert isinstance(caught.value, FateUnknown) == (kind is FateUnknown)
    assert len(client.transport.requests) == 1
    if kind is TransportError:
        assert not caught.value.sent


def client_of(answer):
    with serving() as server:
        return Client(server.profile(), Scripted(answer), pause=lambda event, seconds: None)


def test_after_a_429_the_next_write_waits_as_long_as_it_was_told():
    paused: list[float] = []
    answers = iter([reply(b"", 429, "7"), reply(b'{"x":{"jobid":"j"}}')])
    client = client_of(lambda form: next(answers))
    client.pause = lambda event, seconds: paused.append(seconds)
    with pytest.raises(TransportError, match="429"):
        client.exchange(STOP, is_read=False)
    client.exchange(STOP, is_read=False)
    [seconds] = paused
    assert 0 < seconds <= 7


def test_a_redirect_is_not_followed_with_a_write():
    elsewhere = Reply(307, b"", {"Location": "/client/api/elsewhere"})
    with serving(lambda came: elsewhere) as server:
        with opened(server.profile()) as cloud, pytest.raises(TransportError) as caught:
            cloud.call("stopVirtualMachine", id=ID)
        assert not caught.value.sent
        assert len(server.came) == 1


def test_no_secret_stands_in_the_hints_of_a_lost_call():
    call = Call("resetPassword", (("token", "tell-tale"), ("password", "tell-tale")))
    assert not re.search("tell-tale", " ".join(fate(call, LOST).lines()))
