"""What is refused before anything is sent, and what is left to the server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cs_magic.api.catalogue import Catalogue, Command, Parameter, bundled
from cs_magic.api.checking import check, doubt, ill_typed, knows
from cs_magic.api.checks import newer
from cs_magic.api.values import Call
from cs_magic.errors import CallError

UUID = "0b1e2d3c-4f5a-6b7c-8d9e-0f1a2b3c4d5e"
VALUES = {
    "boolean": "true",
    "date": "2026-09-01",
    "uuid": UUID,
    **dict.fromkeys(("integer", "long", "short", "double", "float"), "1"),
}
COMMANDS = tuple(bundled().commands.values())
NEEDS = [(command, needed) for command in COMMANDS for needed in command.required]


def minimal(command: Command, without: str = "") -> Call:
    given = (parameter.name for parameter in command.required if parameter.name != without)
    return Call(
        command.name, tuple((entry(command, name), fitting(command, name)) for name in given)
    )


def fitting(command: Command, name: str) -> str:
    """A value of the parameter's type."""
    known = command.parameter(name)
    return VALUES.get(known.type if known else "", "x")


def entry(command: Command, name: str) -> str:
    """The name as it is sent: a map's is that of its first entry."""
    known = command.parameter(name)
    return f"{name}[0].key" if known and known.type == "map" else name


def refusal(command: str, *arguments: tuple[str, str]) -> CallError:
    with pytest.raises(CallError) as caught:
        check(bundled(), Call(command, arguments))
    return caught.value


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_minimal_call_of_every_command_passes(command):
    assert command is check(bundled(), minimal(command))


@pytest.mark.parametrize(
    ("command", "needed"), NEEDS, ids=[f"{command.name}-{needed.name}" for command, needed in NEEDS]
)
def test_each_required_parameter_that_is_left_out_is_named(command, needed):
    error = refusal(command.name, *minimal(command, without=needed.name).arguments)
    assert f"{command.name} needs {needed.name}" == error.message
    assert command.name == error.name
    assert any("--no-check" in hint for hint in error.hints)


def test_all_that_is_missing_is_named_at_once():
    assert refusal("listUsageRecords").message == "listUsageRecords needs enddate and startdate"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_misspelt_parameter_of_every_command_is_caught(command):
    for parameter in command.parameters[:1] or (Parameter("whatever"),):
        wrong = f"{parameter.name}z"
        error = refusal(command.name, (wrong, "1"))
        assert error.message.startswith(f"{command.name} has no parameter {wrong}")
        assert error.name == wrong


# -- commands ------------------------------------------------------------------------------

SERVER = replace(
    Catalogue.of("4.20.1.0", "server", [c for c in COMMANDS if not newer(c.since, "4.20.1.0")]),
    host="cloud:8443",
    server="4.20.1.0",
)


def server_refusal(command: str, *arguments: tuple[str, str]) -> CallError:
    with pytest.raises(CallError) as caught:
        check(SERVER, Call(command, arguments))
    return caught.value


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("listVirtualMachine", "listVirtualMachines"),
        ("listVMs", "listVirtualMachines"),
        ("deployVM", "deployVirtualMachine"),
        ("LISTZONE", "listZones"),
        ("listVMSnapshots", "listVMSnapshot"),
        ("lsitZones", "listZones"),
        ("depoyVirtualMachine", "deployVirtualMachine"),
        ("listPublicIps", "listPublicIpAddresses"),
        ("getVirtualMachines", "listVirtualMachines"),
        ("listPortForwardRules", "listPortForwardingRules"),
    ],
)
def test_a_command_that_the_server_lacks_is_refused_with_the_nearest_name(typed, meant):
    error = server_refusal(typed)
    wanted = f"cloud:8443 (CloudStack 4.20.1.0) has no command {typed}: did you mean {meant}?"
    assert (error.message, error.name) == (wanted, typed)
    assert any("--no-check" in hint for hint in error.hints)


def test_nothing_is_suggested_where_nothing_is_near():
    assert server_refusal("xyzzy").message.endswith("has no command xyzzy")


def test_a_command_that_the_role_lacks_is_not_said_to_be_missing():
    user = replace(SERVER, commands={"listzones": bundled().command("listZones")})
    with pytest.raises(CallError) as caught:
        check(user, Call("createZone"))
    assert caught.value.message == "Your role may not use createZone on cloud:8443"
    assert "admins" in caught.value.hints[0]


def test_a_command_newer_than_the_server_says_so():
    newest = next(c for c in COMMANDS if c.since.startswith("4.21"))
    wanted = f"{newest.name} came with CloudStack {newest.since}, and cloud:8443 is 4.20.1.0"
    assert server_refusal(newest.name).message == wanted


def test_a_command_that_only_the_bundled_catalogue_lacks_is_left_to_the_server():
    call = Call("listFutures", (("anything", "goes"),))
    command = check(bundled(), call)
    assert (command.name, command.pages, command.is_read) == ("listFutures", True, True)
    assert "4.23 has no command listFutures" in doubt(bundled(), "listFutures")
    assert check(bundled(), Call("makeFutures")).is_async


def test_of_a_command_that_is_known_nothing_is_doubted():
    assert doubt(bundled(), "listZones") == ""
    assert doubt(SERVER, "listFutures") == ""


@pytest.mark.parametrize(
    ("call", "known"),
    [
        (Call("listZones"), True),
        (Call("listFutures"), False),
        (Call("listZones", (("nme", "a"),)), False),
        (Call("stopVirtualMachine"), False),
        (Call("stopVirtualMachine", (("id", "1"), ("customjobid", "2"))), True),
        (Call("listVirtualMachines", (("tags[0].key", "env"),)), True),
    ],
)
def test_what_a_catalogue_knows_of_a_call(call, known):
    assert known is knows(bundled(), call)


# -- parameters ----------------------------------------------------------------------------


def test_a_misspelt_parameter_is_refused_with_the_nearest_name():
    error = refusal("listVirtualMachines", ("zonid", "1"))
    assert error.message == "listVirtualMachines has no parameter zonid: did you mean zoneid?"
    assert error.name == "zonid"
    assert any("--no-check" in hint for hint in error.hints)


def test_parameter_names_compare_in_any_letter_case():
    call = Call("listVirtualMachines", (("ZoneId", "1"), ("KEYWORD", "web")))
    assert check(bundled(), call).name == "listVirtualMachines"
    assert check(bundled(), Call("STOPvirtualmachine", (("ID", "1"),))).is_async


@pytest.mark.parametrize("name", ["tags[0].key", "Tags[0].value", "details[0].cpuNumber"])
def test_a_wire_name_belongs_to_its_map_parameter(name):
    assert check(bundled(), Call("listVirtualMachines", ((name, "x"),)))


def test_a_wire_name_finds_its_map_parameter():
    found = bundled().command("listVirtualMachines").parameter("Tags[0].key")
    assert (found.name, found.type) == ("tags", "map")


def test_the_name_at_fault_of_a_wire_name_is_its_map():
    assert refusal("listVirtualMachines", ("tgas[0].key", "x")).name == "tgas"


@pytest.mark.parametrize(
    "name",
    ["response", "apiKey", "signature", "signatureVersion", "expires", "sessionkey", "command"],
)
def test_what_the_client_sends_by_itself_is_refused(name):
    error = refusal("listZones", (name, "x"))
    assert f"{name} is set by cs_magic itself: leave it out" == error.message
    assert name == error.name


def test_no_command_declares_what_the_client_sends_by_itself():
    declared = {known.name.lower() for command in COMMANDS for known in command.parameters}
    assert set() == declared & {"response", "apikey", "signature", "expires", "sessionkey"}


def test_customjobid_is_known_on_async_commands_only():
    assert check(bundled(), Call("stopVirtualMachine", (("id", "1"), ("customjobid", "2"))))
    assert refusal("listZones", ("customjobid", "2")).name == "customjobid"


def test_a_catalogue_can_be_made_of_other_commands():
    needed = Parameter("Id", required=True)
    ours = Catalogue.of("9.9", "memory", [Command("listThings", parameters=(needed,))])
    assert check(ours, Call("LISTTHINGS", (("id", "1"),))).name == "listThings"
    with pytest.raises(CallError, match=r"CloudStack 9\.9 has no command listThing: did you"):
        ours.command("listThing")


def test_a_parameter_newer_than_the_server_is_refused_for_it_would_be_dropped():
    [name, since] = next(
        [p.name, p.since]
        for p in bundled().command("listZones").parameters
        if p.since.startswith("4.21")
    )
    older = replace(bundled(), host="cloud:8443", server="4.20.1.0")
    with pytest.raises(CallError) as caught:
        check(older, Call("listZones", ((name, "x"),)))
    wanted = f"listZones's {name} came with CloudStack {since}, and cloud:8443 is 4.20.1.0"
    assert caught.value.message == wanted
    assert check(replace(older, server="4.21.0.0"), Call("listZones", ((name, "x"),)))


def test_a_parameter_that_the_role_lacks_is_not_said_to_be_missing():
    zones = bundled().command("listZones")
    fewer = tuple(p for p in zones.parameters if p.name != "showcapacities")
    user = replace(SERVER, commands={"listzones": replace(zones, parameters=fewer)})
    with pytest.raises(CallError, match=r"takes no showcapacities for listZones.*your role"):
        check(user, Call("listZones", (("showcapacities", "true"),)))


@pytest.mark.parametrize(
    ("since", "version", "later"),
    [
        ("4.21", "4.20.1.0", True),
        ("4.21.0", "4.21.0.0-SNAPSHOT", False),
        ("4.9", "4.20", False),
        ("4.20.1", "4.20.0.0", True),
        ("", "4.20", False),
        ("4.21", "", False),
        ("4.20.0.0", "4.20", False),
        ("next", "4.20", False),
    ],
)
def test_versions_are_compared_by_their_numbers(since, version, later):
    assert later is newer(since, version)


# -- values --------------------------------------------------------------------------------

PLAIN = Parameter("id", "uuid")
SINCE = Parameter("id", "uuid", since="4.19")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (PLAIN, UUID),
        (PLAIN, UUID.upper()),
        (PLAIN, "42"),
        (PLAIN, "-1"),
        (SINCE, UUID),
        (SINCE, "-1"),
        (Parameter("n", "integer"), "-1"),
        (Parameter("n", "integer"), "2147483647"),
        (Parameter("n", "long"), "2147483648"),
        (Parameter("n", "double"), "1.5e3"),
        (Parameter("n", "float"), ".5"),
        (Parameter("b", "boolean"), "false"),
        (Parameter("d", "date"), "2026-02-28"),
        (Parameter("s"), "x" * 255),
        (Parameter("s", length=0), "x" * 9999),
        (Parameter("l", "list"), "x" * 9999),
        (Parameter("o", "object"), "anything"),
        (Parameter("o", "somethingnew"), "anything"),
    ],
)
def test_a_value_of_the_parameters_type_passes(parameter, value):
    assert ill_typed(parameter, value) == ""


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        (PLAIN, "Zurich", "is no id"),
        (PLAIN, UUID[:-1], "is no id"),
        (PLAIN, f"{UUID} ", "is no id"),
        (SINCE, "42", "is no UUID: the server would drop it"),
        (SINCE, "Zurich", "is no UUID"),
        (Parameter("n", "integer"), "many", "is no whole number"),
        (Parameter("n", "integer"), "1.0", "is no whole number"),
        (Parameter("n", "integer"), "٣", "is no whole number"),
        (Parameter("n", "integer"), "2147483648", "is more than 32 bits hold"),
        (Parameter("n", "long"), "9" * 25, "is more than 64 bits hold"),
        (Parameter("n", "double"), "NaN", "is no number"),
        (Parameter("n", "float"), "1_000", "is no number"),
        (Parameter("b", "boolean"), "yes", "is neither true nor false: write true"),
        (Parameter("d", "date"), "2026-02-30", "is no day"),
        (Parameter("d", "tzdate"), "tomorrow", "is neither a day"),
        (Parameter("s"), "x" * 256, "is too long: at most 255 characters, not 256"),
        (Parameter("s", length=4), "😀😀😀", "at most 4 characters, not 6"),
    ],
)
def test_a_value_of_another_type_is_named(parameter, value, said):
    assert ill_typed(parameter, value).startswith(said) or said in ill_typed(parameter, value)


def test_a_name_for_an_id_says_which_list_has_the_ids():
    error = refusal("listVirtualMachines", ("zoneid", "Zurich"))
    assert error.message == "zoneid=Zurich is no id"
    assert error.hints[0] == "%cs listZones lists the ids."


@pytest.mark.parametrize("name", ["tags", "tags[0]", "tags[a].key", "tags[0]key", "tags[0][1].key"])
def test_a_map_is_written_with_its_keys(name):
    error = refusal("listVirtualMachines", (name, "prod"))
    assert (error.message, error.name) == ("tags is a map: write tags.KEY=VALUE", "tags")


def test_a_text_that_is_too_long_is_not_repeated_for_it_may_be_a_secret():
    needed = {"username": "u", "email": "e", "firstname": "f", "lastname": "l", "account": "a"}
    error = refusal("createUser", *needed.items(), ("password", "tell-tale" * 99))
    assert error.message.startswith("password is too long")
    assert "tell-tale" not in str(error.lines())


def test_an_empty_value_is_left_to_the_server():
    assert check(bundled(), Call("listZones", (("id", ""), ("available", ""))))


@pytest.mark.parametrize("value", [",", " ", " , ", "a,,b", "a,"])
def test_a_list_with_an_empty_element_is_refused_for_the_filter_would_vanish(value):
    error = refusal("listVirtualMachines", ("ids", value))
    assert error.message == "ids has an empty element: the filter would vanish"
