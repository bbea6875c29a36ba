"""What the bundled catalogue says of CloudStack's commands."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from cs_magic.api.catalogue import Field, Group, Parameter, bundled

COMMANDS = tuple(bundled().commands.values())

# -- what there is -------------------------------------------------------------------------


def test_all_973_commands_of_cloudstack_4_23_are_bundled():
    assert (len(bundled().names()), len(set(bundled().names()))) == (973, 973)
    assert (bundled().version, bundled().origin) == ("4.23", "bundled")


def test_it_is_read_once_per_process():
    assert bundled() is bundled()


def test_a_command_is_found_in_any_letter_case():
    assert bundled().command("LISTvirtualMACHINES").name == "listVirtualMachines"
    assert bundled().find("listVirtualMachine") is None


def test_387_commands_are_async_and_56_of_them_give_the_id_of_what_they_create():
    assert sum(command.is_async for command in COMMANDS) == 387
    assert sum(command.creates for command in COMMANDS) == 56


def test_a_parameter_has_its_type_and_the_lists_that_give_its_ids():
    deploy = bundled().command("deployVirtualMachine")
    assert Parameter("zoneid", "uuid", True, "", ("listZones",)) == deploy.parameter("zoneid")
    assert deploy.parameter("details").type == "map"


@pytest.mark.parametrize(
    ("command", "parameter", "first"),
    [
        ("attachIso", "id", "listIsos"),
        ("deployVirtualMachine", "templateid", "listTemplates"),
        ("deleteFirewallRule", "id", "listFirewallRules"),
        ("deleteEgressFirewallRule", "id", "listEgressFirewallRules"),
        ("assignToLoadBalancerRule", "id", "listLoadBalancerRules"),
        ("createLBStickinessPolicy", "lbruleid", "listLoadBalancerRules"),
        ("startInternalLoadBalancerVM", "id", "listInternalLoadBalancerVMs"),
        ("listRouters", "id", "listRouters"),
        ("listVirtualMachines", "isoid", "listIsos"),
        ("listWebhookDeliveries", "id", "listWebhookDeliveries"),
        ("acquirePodIpAddress", "podid", "listPods"),
        ("listVirtualMachines", "projectid", "listProjects"),
        ("replaceNetworkACLList", "aclid", "listNetworkACLLists"),
        ("listOsTypes", "oscategoryid", "listOsCategories"),
    ],
)
def test_the_first_related_list_is_the_one_a_person_would_look_in(command, parameter, first):
    assert first == bundled().command(command).parameter(parameter).related[0]


def test_a_name_is_not_taken_for_an_id_although_its_annotation_says_so():
    assert bundled().command("markDefaultZoneForAccount").parameter("account").related == ()


def test_every_related_list_is_itself_a_command():
    known = {parameter for command in COMMANDS for parameter in command.parameters}
    related = {name for parameter in known for name in parameter.related}
    assert related <= set(bundled().names())


@pytest.mark.parametrize("parameter", ["page", "pagesize", "keyword"])
def test_page_pagesize_and_keyword_are_known_only_where_listapis_says_so(parameter):
    assert bundled().command("listZones").parameter(parameter) is not None
    assert bundled().command("listCapabilities").parameter(parameter) is None


@pytest.mark.parametrize(
    ("command", "pages"), [("listHosts", True), ("listEventTypes", False), ("startRouter", False)]
)
def test_a_command_pages_where_it_takes_page(command, pages):
    assert pages is bundled().command(command).pages


def test_the_odd_wrappers_are_kept():
    assert bundled().command("activateProject").wrapper == "activaterojectresponse"
    assert bundled().command("listZones").wrapper == "listzonesresponse"


def test_a_command_that_was_not_recorded_has_the_fields_of_its_class():
    fields = bundled().command("ldapCreateAccount").fields
    assert len(fields) > 50
    assert fields == bundled().command("listAccounts").fields


def test_a_command_whose_class_was_never_recorded_has_no_fields():
    assert bundled().command("getVolumeiScsiName").fields == ()


def test_nobody_can_change_a_value_of_the_catalogue():
    with pytest.raises(dataclasses.FrozenInstanceError):
        bundled().command("listZones").name = "other"


# -- fields --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "field", "kind"),
    [
        ("listVirtualMachines", "name", "text"),
        ("listVirtualMachines", "cpunumber", "integer"),
        ("listVirtualMachines", "created", "date"),
        ("listVirtualMachines", "haenable", "boolean"),
        ("listVirtualMachines", "nic", "nested"),
        ("listVirtualMachines", "details", "nested"),
        ("listVirtualMachines", "icon", "nested"),
        ("listHosts", "state", "text"),
        ("listHosts", "hostha", "nested"),
        ("listAccounts", "secondarystoragetotal", "float"),
        ("listDbMetrics", "dbloadaverages", "nested"),
        ("listSnapshotPolicies", "intervaltype", "integer"),
        ("getUploadParamsForVolume", "postURL", "text"),
    ],
)
def test_a_field_has_a_kind(command, field, kind):
    assert kind == bundled().command(command).field(field).kind


def test_every_bundled_field_has_a_kind():
    fields = {known for command in COMMANDS for known in command.fields}
    fields |= {inner for known in fields for inner in known.fields}
    assert set() == {known.type for known in fields if known.kind is None}


def test_a_word_that_nobody_knows_has_no_kind():
    assert Field("x", "somethingnew").kind is None
    assert Field("x", "somethingnew", (Field("y"),)).kind == "nested"


def test_nested_fields_are_named():
    nic = bundled().command("listVirtualMachines").field("nic")
    assert {"ipaddress", "networkid", "macaddress"} < {inner.name for inner in nic.fields}


def test_details_says_what_each_word_fills_beyond_min():
    machines = bundled().command("listVirtualMachines")
    assert Group("nics", (), ("nic",)) == machines.group("nics")
    assert "nic" in machines.group("min").fills
    assert {"memory", "cpunumber"} < set(machines.group("stats").fills)
    assert machines.group("nonsense") is None


def test_what_details_fills_are_fields_of_the_command():
    filled = {
        (command.name, name)
        for command in COMMANDS
        for group in command.groups
        for name in group.fills + group.grows
        if command.field(name) is None
    }
    assert set() == filled


# -- scope ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "listVirtualMachines",
        "listVirtualMachinesMetrics",
        "listVolumes",
        "listVolumesMetrics",
        "listNetworks",
        "listPublicIpAddresses",
        "listSecurityGroups",
        "listRouters",
    ],
)
def test_a_second_list_is_asked_where_it_was_seen_to_add(command):
    assert bundled().command(command).scope == ("listall", "project")


def test_a_second_list_of_events_is_asked_because_the_cut_hid_what_it_adds():
    assert bundled().command("listEvents").scope == ("listall", "project")


@pytest.mark.parametrize(
    "command",
    ["listSnapshots", "listTags", "listKubernetesClusters", "listInternalLoadBalancerVMs"],
)
def test_a_second_list_is_asked_where_the_recorded_projects_owned_nothing(command):
    assert bundled().command(command).scope == ("listall", "project")


@pytest.mark.parametrize(
    "command",
    [
        "listTemplates",
        "listIsos",
        "listDomains",
        "listNetworkACLLists",
        "listNetworkACLs",
        "listHSMProfiles",
    ],
)
def test_no_second_list_is_asked_where_it_adds_nothing(command):
    assert bundled().command(command).scope == ("listall",)


@pytest.mark.parametrize(
    "command",
    ["listServiceOfferings", "listDiskOfferings", "listResourceLimits", "listVnfTemplates"],
)
def test_no_second_list_is_asked_where_the_server_refuses_it(command):
    assert bundled().command(command).scope == ("listall",)


@pytest.mark.parametrize(
    "command", ["listZones", "listHosts", "listUsageRecords", "listBgpPeers", "listSslCerts"]
)
def test_nothing_is_asked_beyond_what_was_typed_where_listall_is_not_taken(command):
    assert bundled().command(command).scope == ()


def test_a_listall_that_means_something_else_is_left_alone():
    assert bundled().command("quotaTariffList").scope == ()
    assert bundled().command("ldapConfig").scope == ()


def test_every_scope_can_be_asked():
    for command in COMMANDS:
        wanted = {"listall": "listall", "project": "projectid"}
        assert all(command.parameter(wanted[word]) for word in command.scope)
        assert command.is_read or not command.scope


# -- loading -------------------------------------------------------------------------------


def in_a_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_loading_it_imports_neither_pandas_nor_pyarrow_nor_requests():
    heavy = in_a_fresh_python(
        "import sys; from cs_magic.api.catalogue import bundled; bundled()\n"
        "sys.stdout.write(str({'pandas', 'pyarrow', 'requests', 'IPython'} & set(sys.modules)))"
    )
    assert heavy == "set()"


def test_importing_the_module_does_not_load_it():
    loaded = in_a_fresh_python(
        "import sys; from cs_magic.api.catalogue import bundled\n"
        "sys.stdout.write(str(bundled.cache_info().currsize))"
    )
    assert loaded == "0"
