"""Which arguments take names for ids: a table over every command of the catalogue."""

from __future__ import annotations

import pytest

from cs_magic.api.catalogue import bundled
from cs_magic.api.checks import is_uuid
from cs_magic.api.named import columns_of, filter_of, ids_of
from cs_magic.api.values import parameter_of

TYPED = [
    (command, parameter)
    for command in bundled().commands.values()
    for parameter in command.parameters
    if parameter.related and parameter.type in {"uuid", "list", "string"}
]
LISTS = sorted({name for _, parameter in TYPED for name in parameter.related})
# Lists whose things have no name that tells them apart, or whose answers nobody recorded.
NAMELESS = """
    listASNRanges listAlertTypes listAlerts listAsyncJobs listAutoScaleVmProfiles
    listBackupSchedule listBaremetalRct listBgpPeers listBigSwitchBcfDevices listBrocadeVcsDevices
    listCiscoAsa1000vResources listCiscoNexusVSMs listCiscoVnmcResources listClusterDrsPlan
    listConditions listConsoleSessions listDedicatedGuestVlanRanges listEgressFirewallRules
    listEvents listFirewallRules listGlobalLoadBalancerRules listGpuDevices
    listGuestNetworkIpv6Prefixes listGuestOsMapping listHypervisorCapabilities listImageTransfers
    listInternalLoadBalancerElements listIpForwardingRules listIpv4SubnetsForGuestNetwork
    listIpv4SubnetsForZone listIpv6FirewallRules listIsoPermissions listLBHealthCheckPolicies
    listLBStickinessPolicies listLdapConfigurations listLoadBalancerRuleInstances
    listNetrisProviders listNetscalerLoadBalancers listNetworkACLs listNiciraNvpDevices listNics
    listNsxControllers listOauthProvider listOpenDaylightControllers listOvsElements
    listPaloAltoFirewalls listPortForwardingRules listPortableIpRanges listPrivateGateways
    listProjectAccounts listProjectInvitations listProjectRolePermissions listRemoteAccessVpns
    listResourceSchedule listRolePermissions listRoutingFirewallRules listSnapshotPolicies
    listStaticRoutes listStorageNetworkIpRange listTemplateDirectDownloadCertificates
    listTemplatePermissions listTrafficTypes listTungstenFabricProviders listUcsBlades
    listUcsManagers listVMSchedule listVirtualRouterElements listVlanIpRanges listVmwareDcs
    listVpnConnections listVpnGateways listVsphereStoragePolicies listWebhookDeliveries
    listWebhookFilters
""".split()
# Asked of other lists, which have the same things.
INSTEAD = """
    listIsoPermissions listTemplatePermissions listLoadBalancerRuleInstances
""".split()


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_a_name_column_or_is_known_to_have_none(name):
    columns = columns_of(name)
    assert (columns == ()) == (name in NAMELESS), columns
    command = bundled().command(name)
    assert all(command.field(column) for column in columns)
    assert not columns or command.field("id")


def test_the_list_of_the_nameless_holds_no_other():
    assert set(NAMELESS) <= set(LISTS)


def test_every_parameter_that_takes_ids_says_where_its_names_are():
    left_alone = []
    for command, parameter in TYPED:
        ids = ids_of(command, parameter.name)
        if ids is None:
            left_alone.append((command.name, parameter.name, parameter.related))
        else:
            assert ids.lists != ()
            assert all(map(columns_of, ids.lists)), (command.name, parameter.name)
    new = {"createAccount", "createUser", "createDomain", "ldapCreateAccount"}
    for command, parameter, related in left_alone:
        explained = set(related) <= set(NAMELESS) - set(INSTEAD)
        explained = explained or parameter.endswith("names")  # these are names as they are
        explained = explained or (
            command in new and parameter in {"userid", "accountid", "domainid"}
        )
        assert explained, (command, parameter, related)
    assert len(TYPED) - len(left_alone) > 1500


def test_no_other_parameter_is_ever_looked_up():
    known = {(command.name, parameter.name) for command, parameter in TYPED}
    for command in bundled().commands.values():
        for parameter in command.parameters:
            if ids_of(command, parameter.name) is not None:
                assert (command.name, parameter.name) in known


@pytest.mark.parametrize(
    ("command", "argument", "lists"),
    [
        ("listVirtualMachines", "zoneid", ["listZones"]),
        ("listVirtualMachines", "ZoneId", ["listZones"]),
        ("listVirtualMachines", "ids", ["listVirtualMachines"]),
        ("startVirtualMachine", "id", ["listVirtualMachines"]),
        ("deployVirtualMachine", "templateid", ["listTemplates", "listIsos"]),
        ("deployVirtualMachine", "networkids", ["listNetworks"]),
        ("deployVirtualMachine", "iptonetworklist[0].networkid", ["listNetworks"]),
        ("migrateVirtualMachineWithVolume", "migrateto[1].pool", ["listStoragePools"]),
        ("deleteTemplate", "id", ["listTemplates"]),
        ("listTemplatePermissions", "id", ["listTemplates"]),
        ("listSystemVmsUsageHistory", "id", ["listSystemVms"]),
        ("addNodesToKubernetesCluster", "nodeids", ["listVnfAppliances", "listVirtualMachines"]),
        ("destroyRouter", "id", ["listRouters"]),
        ("listUsers", "id", ["listUsers"]),
        ("listVirtualMachines", "hostid", ["listHosts"]),
        ("queryAsyncJobResult", "jobid", None),
        ("listVirtualMachines", "name", None),
        ("listVirtualMachines", "tags[0].value", None),
        ("listTags", "resourceid", None),
        ("deployVirtualMachine", "customid", None),
        ("deployVirtualMachine", "securitygroupnames", None),
        ("deployVirtualMachine", "iptonetworklist[0].ip", None),
        ("createUser", "userid", None),
        ("createDomain", "domainid", None),
        ("createDomain", "parentdomainid", ["listDomains"]),
        ("deleteFirewallRule", "id", None),
    ],
)
def test_the_lists_are_those_a_person_would_look_in(command, argument, lists):
    known = bundled().command(command)
    assert known.parameter(argument) is not None
    ids = ids_of(known, argument)
    assert (None if ids is None else list(ids.lists)) == lists


@pytest.mark.parametrize(
    ("command", "argument", "value", "names"),
    [
        ("listVirtualMachines", "zoneid", "Zurich", ["Zurich"]),
        ("listVirtualMachines", "zoneid", "4F52BA6A-5983-4cb8-a37d-c6921d42196e", [None]),
        ("listVirtualMachines", "zoneid", "name:4f52ba6a-5983-4cb8-a37d-c6921d42196e",
         ["4f52ba6a-5983-4cb8-a37d-c6921d42196e"]),
        ("listVirtualMachines", "zoneid", "7", [None]),  # the server's own number for it
        ("listVirtualMachines", "zoneid", "name:7", ["7"]),
        ("listVirtualMachines", "zoneid", "٧", ["٧"]),  # no number to the server
        ("listVirtualMachines", "zoneid", "", [None]),
        ("listVirtualMachines", "projectid", "-1", [None]),
        # The server drops a number from a parameter that has a `since`, so it can be a name alone.
        ("listVirtualMachines", "serviceofferingid", "7", ["7"]),
        ("listVirtualMachines", "ids", "7,web-01,,name:8", ["7", "web-01", None, "8"]),
        ("deployVirtualMachine", "networkids", "7,web,,name:8", [None, "web", None, "8"]),
        ("listVirtualMachines", "zoneid", "a,b", ["a,b"]),  # one id, so one name
        ("updateDiskOffering", "zoneid", "all", [None]),
        ("updateDiskOffering", "zoneid", "Zurich,Geneva", ["Zurich", "Geneva"]),
        ("updateDiskOffering", "domainid", "public", [None]),
        ("listVirtualMachines", "zoneid", "all", ["all"]),
    ],
)  # fmt: skip
def test_what_of_a_value_is_a_name(command, argument, value, names):
    ids = ids_of(bundled().command(command), argument)
    assert [ids.name_in(piece) for piece in ids.pieces(value)] == names


def test_a_list_that_takes_a_name_is_asked_for_it():
    filters = {name: filter_of(bundled().command(name)) for name in LISTS if columns_of(name)}
    assert filters["listZones"] == filters["listDomains"] == "name"
    assert filters["listUsers"] == "username"
    assert filters["listOsTypes"] == "description"
    assert filters["listPublicIpAddresses"] == "ipaddress"
    assert filters["listSecurityGroups"] == "securitygroupname"
    assert filters["listBackupOfferings"] is None
    assert sum(one is not None for one in filters.values()) > 50


def test_a_uuid_is_one_from_end_to_end():
    assert is_uuid("4f52ba6a-5983-4cb8-a37d-c6921d42196e")
    for other in (
        "4f52ba6a-5983-4cb8-a37d-c6921d42196e\n",
        "4f52ba6a59834cb8a37dc6921d42196e",
        "x4f52ba6a-5983-4cb8-a37d-c6921d42196e",
    ):
        assert not is_uuid(other)


def test_map_parameters_with_ids_are_ones_of_the_catalogue():
    from cs_magic.api import named

    maps = {
        parameter_of(parameter.name)
        for command in bundled().commands.values()
        for parameter in command.parameters
        if parameter.type == "map"
    }
    assert set(named._MAPS) <= maps
    assert all(columns_of(name) for keys in named._MAPS.values() for name in keys.values())
