"""List commands of rules on public addresses, snapshots, SSH keys and single machines' NICs."""

from __future__ import annotations

from collections.abc import Sequence

from cs_magic.demo.cloud import scopes
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate, folded, same
from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.special import machines
from cs_magic.demo.cloud.words import OWNERS, PAGES, PROJECT, TAGS, keyword, many, of, one, word
from cs_magic.demo.data.items import Fixed, Item, Row
from cs_magic.demo.data.world import World


def details_of(world: World, caller: Caller, arguments: Arguments, command: str) -> Predicate:
    """Details: with the id of a thing those of whatever one may see."""
    if "resourceid" in arguments:
        arguments = {"id": arguments["resourceid"]}
    return scopes.owned(world, caller, arguments, command)


# Of NICs as a list of their own these are left out or put in.
NIC = (
    "id networkid networkname netmask gateway ipaddress isolationuri broadcasturi traffictype "
    "type isdefault macaddress extradhcpoption deviceid virtualmachineid enabled"
)


def nics(world: World, caller: Caller, arguments: Arguments) -> Sequence[Item]:
    """The NICs of one machine that the caller may see."""
    id_ = arguments["virtualmachineid"]
    visible = machines(world, caller, {"id": id_}, "listNics")
    found = world.table("machines").find(id_)
    if found is None or not visible(found):
        return []
    rows = [nic | {"virtualmachineid": id_} for nic in found.row()["nic"]]
    ordered: list[Row] = [{name: row[name] for name in NIC.split()} for row in rows]
    return [Fixed(number, row, found.owner) for number, row in enumerate(ordered, 1)]


COMMANDS = (
    ListCommand(
        "listPortForwardingRules",
        key="portforwardingrule",
        table="forwardings",
        scope=scopes.owned,
        hidden=frozenset(("fordisplay",)),
        parameters=(
            one("forwardings"),
            of("ipaddressid", "addresses"),
            of("networkid", "networks", since="4.3"),
            keyword("publicport", "ipaddress"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id privateport privateendport protocol publicport publicendport virtualmachineid "
        "virtualmachinename virtualmachinedisplayname ipaddressid ipaddress state cidrlist tags "
        "vmguestip networkid networkname fordisplay",
        types={"tags": "list"},
    ),
    ListCommand(
        "listFirewallRules",
        key="firewallrule",
        table="firewalls",
        scope=scopes.owned,
        hidden=frozenset(("fordisplay",)),
        parameters=(
            one("firewalls"),
            of("ipaddressid", "addresses"),
            of("networkid", "networks", since="4.3"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id protocol startport endport ipaddressid networkid ipaddress state cidrlist "
        "tags fordisplay destcidrlist traffictype",
        types={"tags": "list", "startport": "integer", "endport": "integer"},
    ),
    ListCommand(
        "listIpForwardingRules",
        key="ipforwardingrule",
        table="nothing",
        scope=scopes.owned,
        parameters=(
            of("ipaddressid", "addresses"),
            of("virtualmachineid", "machines"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id",
    ),
    ListCommand(
        "listSnapshots",
        key="snapshot",
        table="snapshots",
        scope=scopes.owned,
        newest_first=True,
        parameters=(
            one("snapshots"),
            many("snapshots", since="4.9"),
            word("name"),
            keyword("name"),
            of("volumeid", "volumes"),
            of("zoneid", "zones"),
            word("intervaltype"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id account projectid project domainid domain domainpath volumeid volumename "
        "volumetype volumestate created name intervaltype state physicalsize zoneid zonename "
        "revertable ostypeid virtualsize tags hasannotations",
        types={"revertable": "boolean", "state": "state"},
    ),
    ListCommand(
        "listVMSnapshot",
        since="4.2.0",
        types={"state": "state"},
        key="vmSnapshot",
        table="vmsnapshots",
        scope=scopes.owned,
        parameters=(
            Parameter("vmsnapshotid", "uuid", "the one with this id", same("id"), "vmsnapshots"),
            word("name"),
            keyword("name", "displayname"),
            word("state"),
            of("virtualmachineid", "machines"),
            TAGS,
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id name state displayname zoneid zonename virtualmachineid virtualmachinename "
        "current type created projectid project account domainid domain domainpath hypervisor "
        "tags hasannotations",
    ),
    ListCommand(
        "listUserData",
        since="4.18",
        key="userdata",
        table="userdata",
        scope=scopes.owned,
        parameters=(one("userdata"), word("name"), keyword("name"), *OWNERS, PROJECT, *PAGES),
        fields="id name projectid project account domainid domain domainpath userdata "
        "hasannotations",
    ),
    ListCommand(
        "listResourceDetails",
        since="4.2",
        key="resourcedetail",
        table="details",
        scope=details_of,
        paged=False,
        parameters=(
            Parameter(
                "resourcetype",
                "string",
                "details of this kind of thing",
                folded("resourcetype"),
                required=True,
            ),
            Parameter(
                "resourceid", "string", "those of the thing with this id", same("resourceid")
            ),
            word("key"),
            word("value", since="4.4"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="resourceid resourcetype key value fordisplay",
    ),
    ListCommand(
        "listAffinityGroupTypes",
        key="affinityGroupType",
        table="affinitytypes",
        paged=False,
        parameters=PAGES,
        fields="type",
    ),
    ListCommand(
        "listEventTypes",
        key="eventtype",
        table="eventtypes",
        paged=False,
        fields="name",
    ),
    ListCommand(
        "listSSHKeyPairs",
        key="sshkeypair",
        table="sshkeys",
        scope=scopes.owned,
        parameters=(
            one("sshkeys"),
            word("name"),
            word("fingerprint"),
            keyword("name"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id name account domainid domain fingerprint hasannotations",
    ),
    ListCommand(
        "listNics",
        key="nic",
        table="nics",
        source=nics,
        paged=False,
        remembered=False,
        parameters=(
            of("virtualmachineid", "machines", required=True),
            of("networkid", "networks"),
            *PAGES,
        ),
        fields=NIC,
        types={"deviceid": "string"},
    ),
)
