"""List commands of zones, hosts and what else stands in the data centre."""

from __future__ import annotations

from cs_magic.demo.cloud import views
from cs_magic.demo.cloud.filters import folded, like
from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.special import capacities, settings
from cs_magic.demo.cloud.words import PAGES, details, keyword, many, of, one, word

IP_RANGE = "startip endip forsystemvms vlanid"

COMMANDS = (
    ListCommand(
        "listZones",
        key="zone",
        table="zones",
        parameters=(
            one("zones"),
            many("zones", since="4.19.0"),
            word("name"),
            keyword("name"),
            word("networktype"),
            *PAGES,
        ),
        hidden_from_users=frozenset(("dns1", "internaldns1", "guestcidraddress")),
        fields="id name dns1 internaldns1 guestcidraddress networktype securitygroupsenabled "
        "gputotal gpuused allocationstate zonetoken dhcpprovider localstorageenabled tags "
        "allowuserspecifyvrmtu routerprivateinterfacemaxmtu routerpublicinterfacemaxmtu "
        "type isnsxenabled ismultiarch asnrange routedmodeenabled hasannotations",
    ),
    ListCommand(
        "listPods",
        key="pod",
        table="pods",
        roles="AR",
        parameters=(one("pods"), word("name"), keyword("name"), of("zoneid", "zones"), *PAGES),
        fields="id name zoneid zonename gateway netmask ipranges startip endip forsystemvms vlanid "
        "allocationstate hasannotations",
        nested={"ipranges": IP_RANGE},
        types={"startip": "list", "endip": "list", "forsystemvms": "list", "vlanid": "list"},
    ),
    ListCommand(
        "listClusters",
        key="cluster",
        table="clusters",
        roles="AR",
        parameters=(
            one("clusters"),
            word("name"),
            keyword("name", "hypervisortype"),
            of("zoneid", "zones"),
            of("podid", "pods"),
            *PAGES,
        ),
        fields="id name podid podname zoneid zonename hypervisortype clustertype allocationstate "
        "managedstate cpuovercommitratio memoryovercommitratio resourcedetails arch "
        "hasannotations",
    ),
    ListCommand(
        "listHosts",
        key="host",
        table="hosts",
        roles="AR",
        render=views.host,
        parameters=(
            one("hosts"),
            word("name"),
            keyword("name", "state", "type"),
            of("zoneid", "zones"),
            of("podid", "pods"),
            of("clusterid", "clusters"),
            word("state"),
            word("type"),
            word("hypervisor"),
            word("resourcestate"),
            details(*views.HOST_GROUPS),
            *PAGES,
        ),
        types={
            "cpuspeed": "long",
            "state": "status",
            "type": "type",
            "hostha": "hostharesponse",
            "outofbandmanagement": "outofbandmanagementresponse",
        },
        fields="id name state type ipaddress zoneid zonename podid podname version hypervisor "
        "cpunumber cpuspeed cpuallocated cpuallocatedvalue cpuallocatedpercentage "
        "cpuallocatedwithoverprovisioning cpuused cpuwithoverprovisioning cpuloadaverage "
        "networkkbsread networkkbswrite memorytotal memorywithoverprovisioning "
        "memoryallocated memoryallocatedpercentage memoryallocatedbytes memoryused "
        "capabilities lastpinged managementserverid managementservername clusterid "
        "clustername clustertype islocalstorageactive created events hostha "
        "outofbandmanagement resourcestate hypervisorversion hahost ueficapability arch "
        "hasannotations",
    ),
    ListCommand(
        "listStoragePools",
        key="storagepool",
        table="pools",
        roles="AR",
        parameters=(
            one("pools"),
            word("name"),
            keyword("name", "type"),
            of("zoneid", "zones"),
            of("podid", "pods"),
            of("clusterid", "clusters"),
            word("scope"),
            word("ipaddress"),
            word("path"),
            *PAGES,
        ),
        types={"state": "storagepoolstatus"},
        fields="id zoneid zonename podid podname name ipaddress path created type clusterid "
        "clustername capacitybytes disksizetotal disksizeallocated disksizeused "
        "capacityiops usediops istagarule state scope overprovisionfactor hypervisor "
        "provider storagecapabilities managed details hasannotations",
    ),
    ListCommand(
        "listCapacity",
        key="capacity",
        table="capacities",
        roles="AR",
        source=capacities,
        paged=False,
        remembered=False,
        parameters=(
            Parameter(
                "type",
                "integer",
                "one kind of capacity, by its number",
                lambda value: lambda item: item.get("type") == value,
            ),
            of("zoneid", "zones"),
            Parameter("sortby", "string", "usage: the fullest first", since="3.0.0"),
            *PAGES,
        ),
        types={"type": "short"},
        fields="type name zoneid zonename capacityallocated capacityused capacitytotal percentused",
    ),
    ListCommand(
        "listHypervisors",
        key="hypervisor",
        table="hypervisors",
        paged=False,
        fields="name",
    ),
    ListCommand(
        "listConfigurations",
        key="configuration",
        table="settings",
        roles="AD",
        scope=settings,
        parameters=(
            Parameter("name", "string", "settings that have this text in their name", like("name")),
            keyword("name", "group", "subgroup", "description"),
            word("category"),
            Parameter("group", "string", "those of this group", folded("group"), since="4.18.0"),
            *PAGES,
        ),
        empty_past_end=False,
        unpaged_with="group",
        page_count=lambda caller: caller.is_domain_admin,
        fields="category group subgroup name value defaultvalue description isdynamic component "
        "displaytext type",
    ),
)
