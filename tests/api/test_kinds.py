"""Which commands read, change, or destroy: the table against what the server says of itself."""

from __future__ import annotations

import pytest

from cs_magic.api.catalogue import Command, bundled
from cs_magic.api.checking import unknown
from cs_magic.api.kinds import KINDS, by_rule, grave_arguments, kind_of, reads_by_name, table, why

COMMANDS = tuple(bundled().commands.values())

# What README promises to ask about, by the beginnings of names and by whole names.
ASKED = """
    destroy delete expunge remove purge archive stop reboot restart unmanage migrate scale reset
    disable lock revoke
""".split()
ASKED_NAMES = """
    restoreVirtualMachine restoreBackup revertSnapshot revertToVMSnapshot releaseIpAddress
    disassociateIpAddress detachVolume resizeVolume changeOfferingForVolume
    changeServiceForVirtualMachine suspendProject prepareHostForMaintenance prepareForMaintenance
    prepareForShutdown assignVirtualMachine assignVolume replaceNetworkACLList
    updateConfiguration patchSystemVm declareHostAsDegraded
""".split()
BY_NAME_ONLY = """
    getUploadParamsForVolume getUploadParamsForTemplate getUploadParamsForIso
    getUploadParamsForKubernetesSupportedVersion getDiagnosticsData getHypervisorGuestOsNames
    listAndSwitchSamlAccount verifyOAuthCodeAndGetUser
""".split()

# -- the table -----------------------------------------------------------------------------


def test_every_command_of_the_catalogue_is_in_the_table_once_and_nothing_else_is():
    assert sorted(table()) == sorted(bundled().commands)
    assert len(table()) == 973


def test_every_command_is_a_read_or_a_write_or_destructive():
    assert {kind for kind, _ in table().values()} == set(KINDS)


def test_no_command_with_a_job_is_a_read():
    asynchronous = [command for command in COMMANDS if command.is_async]
    assert len(asynchronous) == 387
    assert not [command.name for command in asynchronous if command.is_read]


@pytest.mark.parametrize("beginning", ASKED)
def test_what_destroys_or_interrupts_by_its_name_is_destructive(beginning):
    found = [command for command in COMMANDS if command.name.startswith(beginning)]
    assert found
    assert {command.kind for command in found} == {"destructive"}


@pytest.mark.parametrize("name", ASKED_NAMES)
def test_what_is_said_to_ask_first_is_destructive(name):
    assert bundled().command(name).kind == "destructive"


def test_what_is_not_as_name_and_annotation_say_has_a_reason():
    for command in COMMANDS:
        rule = by_rule(command.name, command.is_async, command.by_get)
        assert command.kind == rule or why(command.name), command.name


def test_whatever_reads_by_its_name_and_changes_something_has_a_reason():
    writes = [one.name for one in COMMANDS if one.name.startswith(("get", "list", "query", "find"))]
    writes = [name for name in writes if not bundled().command(name).is_read]
    assert sorted(writes) == sorted(set(BY_NAME_ONLY) - {"verifyOAuthCodeAndGetUser"})
    assert all(why(name) for name in writes)


@pytest.mark.parametrize("name", BY_NAME_ONLY)
def test_what_reads_by_name_or_annotation_only_is_a_write(name):
    assert bundled().command(name).kind == kind_of(name.lower()) == "write"


@pytest.mark.parametrize(
    "name",
    "listZones getUser queryAsyncJobResult findHostsForMigration quotaSummary searchLdap".split(),
)
def test_what_changes_nothing_is_a_read(name):
    assert bundled().command(name).is_read


def test_a_read_that_is_not_called_so_is_one_by_the_servers_annotation_or_has_a_reason():
    others = [one for one in COMMANDS if one.is_read and not reads_by_name(one.name)]
    assert others
    assert [one.name for one in others if not one.by_get and not why(one.name)] == []


def test_a_reason_is_one_line_of_words():
    for _, reason in table().values():
        assert reason == reason.strip()
        assert len(reason) < 100


# -- what the table lacks ------------------------------------------------------------------

DOUBTFUL = """
    detach release revert restore unlink disassociate replace suspend upgrade shutdown terminate
    wipe evict rollback cleanup pause update quotaWipe
""".split()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("listFutures", "read"),
        ("queryFuture", "read"),
        ("createFuture", "write"),
        ("getUploadParamsForFuture", "write"),
        ("list", "write"),
        ("LISTFUTURES", "write"),
        ("destroyWorld", "destructive"),
        ("DestroyWorld", "destructive"),
        ("unmanageFuture", "destructive"),
        ("registerFuture", "write"),
        ("enableFuture", "write"),
        *((f"{verb}Future", "destructive") for verb in DOUBTFUL),
    ],
)
def test_an_unknown_command_is_judged_by_its_name_with_caution(name, kind):
    assert kind_of(name) == kind
    assert unknown(name).kind == kind


def test_an_unknown_command_with_a_job_is_no_read_and_one_by_get_is():
    assert Command("listFutures", is_async=True).kind == "write"
    assert Command("futureSummary", by_get=True).kind == "read"


def test_a_server_that_gives_a_job_for_a_read_is_believed():
    assert Command("listZones", is_async=True).kind == "write"


# -- arguments -----------------------------------------------------------------------------


def test_arguments_that_make_a_call_graver_are_named():
    given = [("id", "1"), ("Expunge", "true"), ("forced", "TRUE"), ("cleanup", "false")]
    assert grave_arguments("updateFuture", given) == ("Expunge", "forced")


GRAVE = """
    updateVirtualMachine cleanupdetails=true
    updateVirtualMachine cleanupextraconfig=true
    updateCustomAction cleanupparameters=true
    updateVnfTemplate cleanupvnfnics=true
    updateVnfTemplate cleanupvnfdetails=true
    updateHost cleanupexternaldetails=true
    updateNetwork forced=true
    updateVmNic enabled=false
    updateStoragePool enabled=false
    updateKMSKey enabled=false
    configureVirtualRouterElement enabled=false
    authorizeSamlSso enable=false
    setupUserTwoFactorAuthentication enable=false
    updateZone allocationstate=Disabled
    updateHost allocationstate=Disable
    updateNetworkOffering state=Disabled
    updateDiskOffering state=Inactive
    updateNetworkServiceProvider state=Shutdown
    updateVolume state=Ready
    updateVolume path=elsewhere
    updateCluster managedstate=Unmanaged
    createVMSchedule action=STOP
    createVMSchedule action=FORCE_REBOOT
    createResourceSchedule action=FORCE_STOP
    deployVirtualMachine leaseexpiryaction=DESTROY
    updateVirtualMachine leaseexpiryaction=STOP
    updateTemplatePermissions op=reset
    updateIsoPermissions op=remove
    updateNetwork networkofferingid=1
    updateNetwork sourcenatipaddress=10.0.0.1
    updateNetwork changecidr=true
    updateVPC sourcenatipaddress=10.0.0.1
    updateUser apikeyaccess=disabled
    updateUser usersecretkey=x
    updateRolePermission permission=deny
    updateNetworkACLItem action=deny
    updateServiceOffering purgeresources=true
    updateImageStore readonly=true
    updateAutoScaleVmGroup maxmembers=1
    updateBackupSchedule maxbackups=1
    checkVolume repair=leaks
"""
PLAIN = """
    updateVirtualMachine displayname=x
    updateVmNic enabled=true
    createNetworkOffering enable=false
    createVMSchedule enabled=false
    addCustomAction enabled=false
    createPod allocationstate=Disabled
    createNetwork networkofferingid=1
    createVPC sourcenatipaddress=10.0.0.1
    createVMSchedule action=START
    updateCluster managedstate=Managed
    updateTemplatePermissions op=add
    updateNetworkACLItem action=allow
    updateHost allocationstate=Enable
    updateDiskOffering state=Active
    createNetworkACL cidrlist=10.0.0.0/8
"""


def calls(text):
    return [tuple(line.replace("=", " ", 1).split()) for line in text.strip().splitlines()]


@pytest.mark.parametrize(("command", "name", "value"), calls(GRAVE))
def test_a_write_that_interrupts_or_takes_away_by_an_argument_asks_first(command, name, value):
    known = bundled().command(command)
    assert (known.kind, known.parameter(name) is not None) == ("write", True)
    assert grave_arguments(command, [(name, value)]) == (name,)


@pytest.mark.parametrize(("command", "name", "value"), calls(PLAIN))
def test_a_write_that_takes_nothing_away_does_not_ask(command, name, value):
    assert bundled().command(command).parameter(name) is not None
    assert grave_arguments(command, [(name, value)]) == ()


def test_an_argument_that_is_given_twice_is_as_grave_as_its_graver_value():
    assert grave_arguments("updateNetwork", [("forced", "true"), ("forced", "false")])
