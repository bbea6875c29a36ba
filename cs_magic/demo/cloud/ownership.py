"""List commands of what accounts own: machines, disks, networks, addresses, tags, events."""

from __future__ import annotations

from cs_magic.demo.cloud import scopes, special, views
from cs_magic.demo.cloud.filters import machine_state, same, since_date, until_date
from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.words import (
    COUNT_ONLY,
    OWNERS,
    PAGES,
    PROJECT,
    TAGS,
    details,
    flag,
    keyword,
    many,
    of,
    one,
    word,
)
from cs_magic.demo.data.machines import GROUPS

NIC = (
    "id networkid networkname netmask gateway ipaddress isolationuri broadcasturi traffictype "
    "type isdefault macaddress secondaryip extradhcpoption deviceid enabled"
)
TAG = "key value resourcetype resourceid account projectid project domainid domain"
MACHINES = ListCommand(
    "listVirtualMachines",
    key="virtualmachine",
    table="machines",
    scope=special.machines,
    render=views.machine,
    arrange=views.in_affinity_first,
    parameters=(
        one("machines"),
        many("machines"),
        word("name"),
        keyword("name", "displayname", "instancename", "state"),
        word("state", machine_state, "Running, Stopped, Error, Destroyed; Present: not destroyed"),
        of("zoneid", "zones"),
        of("podid", "pods", root_only=True),
        of("clusterid", "clusters", since="4.16.0", root_only=True),
        of("hostid", "hosts", root_only=True),
        of("serviceofferingid", "sizes", since="4.4"),
        of("templateid", "templates"),
        of("networkid", "networks"),
        of("groupid", "groups"),
        of("affinitygroupid", "affinitygroups"),
        of("userid", "users"),
        word("hypervisor"),
        word("arch", since="4.20.1"),
        flag("haenable", since="4.15"),
        Parameter(
            "displayvm",
            "boolean",
            "those that are shown to their users",
            same("displayvm"),
            root_only=True,
            since="4.4",
        ),
        TAGS,
        details(*GROUPS),
        COUNT_ONLY,
        *OWNERS,
        PROJECT,
        *PAGES,
    ),
    fields="id name displayname account userid username projectid project domainid domain "
    "domainpath created lastupdated state haenable groupid group zoneid zonename hostid "
    "hostname hostcontrolstate templateid templatename templatetype templateformat "
    "templatedisplaytext passwordenabled isos isomaxcount serviceofferingid "
    "serviceofferingname diskofferingid diskofferingname cpunumber cpuspeed memory "
    "cpuused networkkbsread networkkbswrite diskkbsread diskkbswrite memorykbs "
    "memoryintfreekbs memorytargetkbs diskioread diskiowrite guestosid rootdeviceid "
    "rootdevicetype securitygroup nic hypervisor ipaddress instancename details "
    "readonlydetails affinitygroup displayvm isdynamicallyscalable deleteprotection "
    "ostypeid osdisplayname bootmode boottype pooltype receivedbytes sentbytes arch "
    "tags hasannotations",
    nested={
        "nic": NIC,
        "tags": TAG,
        "affinitygroup": "id name description account",
        "securitygroup": "id name description account",
    },
)

VOLUMES = ListCommand(
    "listVolumes",
    key="volume",
    table="volumes",
    scope=scopes.owned,
    newest_first=True,
    arrange=views.backwards,
    hidden=frozenset(
        (
            "storagetype",
            "hypervisor",
            "displayvolume",
            "storage",
            "path",
            "storageid",
            "clusterid",
            "clustername",
            "podid",
            "podname",
        )
    ),
    parameters=(
        one("volumes"),
        many("volumes", since="4.9"),
        word("name"),
        keyword("name", "type"),
        word("type"),
        word("state"),
        of("zoneid", "zones"),
        of("virtualmachineid", "machines"),
        of("diskofferingid", "disks", since="4.4"),
        Parameter(
            "storageid",
            "string",
            "those in this storage pool",
            same("storageid"),
            root_only=True,
            since="4.3",
        ),
        of("clusterid", "clusters", root_only=True),
        TAGS,
        COUNT_ONLY,
        *OWNERS,
        PROJECT,
        *PAGES,
    ),
    fields="id name zoneid zonename type deviceid virtualmachineid templateid templatename "
    "templatedisplaytext vmname vmdisplayname vmstate vmtype provisioningtype size "
    "created state projectid project account domainid domain domainpath storagetype "
    "diskkbsread diskkbswrite diskioread diskiowrite hypervisor diskofferingid "
    "diskofferingname diskofferingdisplaytext storage attached destroyed "
    "serviceofferingid serviceofferingname serviceofferingdisplaytext isextractable "
    "displayvolume path storageid quiescevm supportsstoragesnapshot deleteprotection "
    "clusterid clustername podid podname tags hasannotations",
    nested={"tags": TAG},
)

NETWORKS = ListCommand(
    "listNetworks",
    key="network",
    table="networks",
    scope=scopes.networks,
    hidden_from_users=frozenset(
        ("broadcasturi", "vlan", "details", "displaynetwork", "keepmacaddressonpublicnic")
    ),
    parameters=(
        one("networks"),
        keyword("name"),
        word("type"),
        word("traffictype"),
        of("zoneid", "zones"),
        of("networkofferingid", "networkofferings"),
        of("vpcid", "vpcs"),
        COUNT_ONLY,
        *OWNERS,
        PROJECT,
        *PAGES,
    ),
    types={"tags": "list"},
    fields="id name displaytext broadcastdomaintype traffictype gateway netmask cidr zoneid "
    "zonename networkofferingid networkofferingname networkofferingdisplaytext "
    "networkofferingconservemode networkofferingavailability issystem state related "
    "broadcasturi dns1 type vlan acltype projectid project account domainid domain "
    "domainpath service networkdomain physicalnetworkid restartrequired specifyvlan "
    "specifyipranges vpcid vpcname canusefordeploy ispersistent tags details displaynetwork "
    "aclid aclname strechedl2subnet redundantrouter supportsvmautoscaling created "
    "receivedbytes sentbytes egressdefaultpolicy publicmtu privatemtu keepmacaddressonpublicnic "
    "hasannotations",
    nested={"service": "name provider capability", "tags": TAG},
)

ADDRESSES = ListCommand(
    "listPublicIpAddresses",
    key="publicipaddress",
    table="addresses",
    scope=scopes.owned,
    newest_first=True,
    zero_is_all=True,
    hidden=frozenset(("vlanid", "vlanname", "fordisplay")),
    parameters=(
        one("addresses"),
        word("ipaddress"),
        keyword("ipaddress"),
        word("state"),
        of("zoneid", "zones"),
        of("associatednetworkid", "networks"),
        flag("issourcenat"),
        flag("isstaticnat"),
        COUNT_ONLY,
        *OWNERS,
        PROJECT,
        *PAGES,
    ),
    types={"tags": "list"},
    fields="id ipaddress allocated zoneid zonename issourcenat projectid project account "
    "domainid domain domainpath forvirtualnetwork vlanid vlanname isstaticnat issystem "
    "associatednetworkid associatednetworkname virtualmachineid virtualmachinetype vmipaddress "
    "virtualmachinename virtualmachinedisplayname networkid state physicalnetworkid tags "
    "isportable fordisplay hasrules forsystemvms forprovider hasannotations",
    nested={"tags": TAG},
)

EVENTS = ListCommand(
    "listEvents",
    key="event",
    table="events",
    scope=special.events,
    newest_first=True,
    arrange=views.backwards,
    empty_past_end=True,
    parameters=(
        one("events"),
        word("type"),
        word("level"),
        word("state", since="4.21.0"),
        keyword("type", "description", "level"),
        Parameter("startdate", "date", "those since then", since_date("created")),
        Parameter("enddate", "date", "those until then", until_date("created")),
        Parameter(
            "resourceid",
            "string",
            "those about the thing with this id",
            same("resourceid"),
            since="4.17.0",
        ),
        word("resourcetype", since="4.17.0"),
        *OWNERS,
        PROJECT,
        *PAGES,
    ),
    types={"state": "state"},
    fields="id username type level description projectid project account domainid domain "
    "domainpath resourceid resourcetype resourcename created state",
)

TAG_LIST = ListCommand(
    "listTags",
    since="4.0.0",
    key="tag",
    table="tags",
    scope=scopes.owned,
    parameters=(
        word("key"),
        word("value"),
        word("resourcetype"),
        Parameter("resourceid", "string", "those of the thing with this id", same("resourceid")),
        keyword("key", "value"),
        *OWNERS,
        PROJECT,
        *PAGES,
    ),
    fields="key value resourcetype resourceid projectid project account domainid domain domainpath",
)

GROUP_LISTS = (
    ListCommand(
        "listInstanceGroups",
        key="instancegroup",
        table="groups",
        scope=scopes.owned,
        parameters=(one("groups"), word("name"), keyword("name"), *OWNERS, PROJECT, *PAGES),
        fields="id name created account domainid domain domainpath hasannotations",
    ),
    ListCommand(
        "listAffinityGroups",
        key="affinitygroup",
        table="affinitygroups",
        scope=scopes.owned,
        parameters=(
            one("affinitygroups"),
            word("name"),
            word("type"),
            keyword("name", "type"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        fields="id name description account domainid domain domainpath type virtualmachineIds",
    ),
)

COMMANDS = (MACHINES, VOLUMES, NETWORKS, ADDRESSES, EVENTS, TAG_LIST, *GROUP_LISTS)
