"""List commands of what stands behind the zones, and of alerts and notes."""

from __future__ import annotations

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate, same
from cs_magic.demo.cloud.lists import Command, ListCommand, ObjectCommand
from cs_magic.demo.cloud.ownership import NIC
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.words import OWNERS, PAGES, PROJECT, flag, keyword, of, one, word
from cs_magic.demo.data.items import Row
from cs_magic.demo.data.world import World

NO_PROJECTS = scopes.no_projects("Unable to find project by id -1")
# Of a router only those who run the cloud are told where it is.
PLACED = frozenset(
    "hostid hostname hostcontrolstate hypervisor podid podname linklocalip linklocalmacaddress "
    "linklocalnetmask linklocalnetworkid".split()
)


def infrastructure(world: World, caller: Caller, arguments: Arguments) -> Row:
    """How many there are of each."""
    counted = {
        "zones": "zones",
        "pods": "pods",
        "clusters": "clusters",
        "hosts": "hosts",
        "storagepools": "pools",
        "imagestores": "imagestores",
        "backuprepositories": "nothing",
        "objectstores": "nothing",
        "systemvms": "systems",
        "routers": "routers",
        "ilbvms": "nothing",
    }
    counts = {name: len(world.table(table)) for name, table in counted.items()}
    return {
        "infrastructure": {
            **counts,
            # Two in each host.
            "cpusockets": 2 * counts["hosts"],
            "managementservers": len(world.table("managers")),
            "alerts": len(world.table("alerts")),
        }
    }


def notes(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Notes that are meant for admins only are shown to root admins."""
    return lambda item: caller.is_root or not item.get("adminsonly")


COMMANDS: tuple[Command, ...] = (
    ListCommand(
        "listSystemVms",
        key="systemvm",
        table="systems",
        roles="AR",
        parameters=(
            one("systems"),
            word("name"),
            keyword("name", "state"),
            word("state"),
            word("systemvmtype"),
            of("zoneid", "zones"),
            of("podid", "pods"),
            of("hostid", "hosts"),
            *PAGES,
        ),
        fields="id systemvmtype zoneid zonename dns1 gateway name podid podname hostid hostname "
        "hostcontrolstate hypervisor privateip privatemacaddress privatenetmask linklocalip "
        "linklocalmacaddress linklocalnetmask publicip publicmacaddress publicnetmask templateid "
        "templatename created state activeviewersessions agentstate version "
        "isdynamicallyscalable serviceofferingid serviceofferingname arch hasannotations",
    ),
    ListCommand(
        "listRouters",
        types={"state": "state"},
        key="router",
        table="routers",
        roles="ARD",
        scope=scopes.owned,
        hidden=PLACED,
        parameters=(
            one("routers"),
            word("name"),
            keyword("name", "state"),
            word("state"),
            word("version"),
            of("zoneid", "zones"),
            of("podid", "pods"),
            of("hostid", "hosts"),
            Parameter(
                "networkid", "uuid", "that of this network", same("guestnetworkid"), "networks"
            ),
            flag("healthchecksfailed", since="4.16"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id zoneid zonename dns1 networkdomain gateway name podid podname hostid hostname "
        "hostcontrolstate hypervisor linklocalip linklocalmacaddress linklocalnetmask "
        "linklocalnetworkid publicip publicmacaddress publicnetmask publicnetworkid "
        "guestipaddress guestmacaddress guestnetmask guestnetworkid guestnetworkname templateid "
        "templatename created state projectid project account domainid domain domainpath "
        "serviceofferingid serviceofferingname isredundantrouter redundantstate version "
        "scriptsversion role nic requiresupgrade healthchecksfailed softwareversion arch "
        "hasannotations",
        nested={"nic": NIC + " mtu"},
    ),
    ListCommand(
        "listImageStores",
        since="4.2.0",
        types={"scope": "scopetype"},
        key="imagestore",
        table="imagestores",
        roles="A",
        parameters=(
            one("imagestores"),
            word("name"),
            keyword("name"),
            word("protocol"),
            of("zoneid", "zones"),
            *PAGES,
        ),
        fields="id zoneid zonename name url protocol providername scope readonly hasannotations",
    ),
    ListCommand(
        "listManagementServers",
        types={"state": "state"},
        key="managementserver",
        table="managers",
        roles="A",
        paged=False,
        parameters=(one("managers"), word("name"), keyword("name"), *PAGES),
        fields="id name state version javadistribution javaversion osdistribution "
        "lastserverstart lastserverstop lastboottime serviceip ipaddress lastagents agents "
        "agentscount pendingjobscount",
    ),
    ListCommand(
        "listPhysicalNetworks",
        since="3.0.0",
        key="physicalnetwork",
        table="physicals",
        roles="A",
        parameters=(one("physicals"), word("name"), keyword("name"), of("zoneid", "zones"), *PAGES),
        fields="id name broadcastdomainrange zoneid zonename state vlan isolationmethods",
    ),
    ListCommand(
        "listTrafficTypes",
        since="3.0.0",
        key="traffictype",
        table="traffics",
        roles="A",
        paged=False,
        parameters=(of("physicalnetworkid", "physicals", required=True), *PAGES),
        fields="id traffictype physicalnetworkid isolationmethods",
    ),
    ListCommand(
        "listVlanIpRanges",
        key="vlaniprange",
        table="ranges",
        roles="A",
        scope=NO_PROJECTS,
        parameters=(
            one("ranges"),
            of("zoneid", "zones"),
            of("physicalnetworkid", "physicals"),
            word("vlan"),
            flag("forvirtualnetwork"),
            PROJECT,
            *PAGES,
        ),
        fields="id forvirtualnetwork zoneid vlan gateway netmask cidr startip endip networkid "
        "physicalnetworkid forsystemvms",
    ),
    ListCommand(
        "listRegions",
        types={"id": "integer"},
        key="region",
        table="regions",
        paged=False,
        parameters=(
            Parameter("id", "integer", "the one with this number", same("id")),
            word("name"),
            *PAGES,
        ),
        fields="id name endpoint gslbserviceenabled portableipserviceenabled",
    ),
    ObjectCommand(
        "listInfrastructure",
        since="4.9.3",
        roles="A",
        fields="zones pods clusters hosts storagepools imagestores backuprepositories "
        "objectstores systemvms routers ilbvms cpusockets managementservers alerts",
        answer=infrastructure,
    ),
    ListCommand(
        "listAlerts",
        types={"type": "short"},
        key="alert",
        table="alerts",
        roles="AR",
        newest_first=True,
        parameters=(
            one("alerts"),
            word("name", since="4.3"),
            keyword("description"),
            Parameter(
                "type",
                "string",
                "those of this number",
                lambda value: lambda item: str(item.get("type")) == value,
            ),
            *PAGES,
        ),
        fields="id type name description sent",
    ),
    ListCommand(
        "listAnnotations",
        since="4.11",
        key="annotation",
        table="annotations",
        scope=notes,
        parameters=(
            Parameter("id", "string", "the one with this id", same("id")),
            word("entitytype"),
            Parameter("entityid", "string", "those on the thing with this id", same("entityid")),
            Parameter("userid", "string", "those of this user", same("userid"), since="4.16.0"),
            keyword("annotation"),
            *PAGES,
        ),
        fields="id entityid entityname entitytype annotation userid username adminsonly created",
    ),
)
