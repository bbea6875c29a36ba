"""List commands of what can be ordered: offerings, templates and OS types."""

from __future__ import annotations

from cs_magic.demo.cloud import scopes, special, views
from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.words import OWNERS, PAGES, PROJECT, flag, keyword, many, of, one, word

NO_PROJECTS = scopes.no_projects("Unable to find project by id=-1")
SERVICE = "name provider"
DOWNLOAD = "downloadState datastore datastoreRole downloadPercent datastoreId"

COMMANDS = (
    ListCommand(
        "listServiceOfferings",
        key="serviceoffering",
        table="sizes",
        scope=NO_PROJECTS,
        parameters=(
            one("sizes"),
            word("name"),
            keyword("name", "displaytext"),
            word("state", since="4.19"),
            PROJECT,
            *PAGES,
        ),
        fields="id name state displaytext cpunumber cpuspeed memory created storagetype "
        "provisioningtype offerha limitcpuuse isvolatile issystem defaultuse iscustomized "
        "rootdisksize dynamicscalingenabled diskofferingstrictness diskofferingid "
        "diskofferingname diskofferingdisplaytext encryptroot hasannotations",
    ),
    ListCommand(
        "listDiskOfferings",
        key="diskoffering",
        table="disks",
        scope=NO_PROJECTS,
        parameters=(
            one("disks"),
            word("name"),
            keyword("name", "displaytext"),
            word("state", since="4.19"),
            PROJECT,
            *PAGES,
        ),
        fields="id name state displaytext disksize created iscustomized storagetype "
        "provisioningtype displayoffering disksizestrictness encrypt hasannotations",
    ),
    ListCommand(
        "listNetworkOfferings",
        key="networkoffering",
        table="networkofferings",
        zero_is_all=True,
        parameters=(
            one("networkofferings"),
            word("name"),
            keyword("name", "displaytext"),
            word("guestiptype"),
            word("state"),
            flag("isdefault"),
            *PAGES,
        ),
        fields="id name displaytext created traffictype isdefault specifyvlan conservemode "
        "specifyipranges availability networkrate state guestiptype serviceofferingid "
        "service forvpc fornsx "
        "fortungsten ispersistent egressdefaultpolicy supportsstrechedl2subnet "
        "supportspublicaccess supportsinternallb internetprotocol specifyasnumber "
        "hasannotations",
        nested={"service": SERVICE},
    ),
    ListCommand(
        "listTemplates",
        key="template",
        table="templates",
        scope=special.templates,
        parameters=(
            Parameter(
                "templatefilter",
                "string",
                "which templates: " + ", ".join(special.TEMPLATE_FILTERS),
                required=True,
            ),
            one("templates"),
            many("templates", since="4.9"),
            word("name"),
            keyword("name", "displaytext"),
            of("zoneid", "zones"),
            word("hypervisor"),
            word("templatetype", since="4.19.0"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        render=views.template,
        hidden_from_users=frozenset(("status", "url")),
        fields="id name displaytext ispublic created isready passwordenabled format isfeatured "
        "crossZones ostypeid ostypename account zoneid zonename status size physicalsize "
        "templatetype hypervisor domain domainpath domainid isextractable checksum details "
        "downloaddetails arch bits sshkeyenabled isdynamicallyscalable directdownload "
        "deployasis forcks requireshvm url tags hasannotations",
        nested={"downloaddetails": DOWNLOAD},
        types={"format": "imageformat"},
    ),
    ListCommand(
        "listIsos",
        key="iso",
        table="isos",
        scope=special.isos,
        parameters=(
            Parameter("isofilter", "string", "which ISOs; selfexecutable by default"),
            one("isos"),
            word("name"),
            keyword("name", "displaytext"),
            of("zoneid", "zones"),
            flag("bootable"),
            *OWNERS,
            PROJECT,
            *PAGES,
        ),
        hidden_from_users=frozenset(("status", "url")),
        fields="id name displaytext ispublic created isready passwordenabled bootable isfeatured "
        "crossZones ostypeid ostypename account zoneid zonename status size domain domainpath "
        "domainid isextractable checksum arch isdynamicallyscalable directdownload url tags "
        "hasannotations",
    ),
    ListCommand(
        "listVPCOfferings",
        key="vpcoffering",
        table="vpcofferings",
        zero_is_all=True,
        parameters=(
            one("vpcofferings"),
            word("name"),
            keyword("name", "displaytext"),
            word("state"),
            flag("isdefault"),
            *PAGES,
        ),
        fields="id name displaytext created isdefault state service distributedvpcrouter "
        "supportsregionLevelvpc fornsx internetprotocol specifyasnumber conservemode",
        nested={"service": SERVICE},
    ),
    ListCommand(
        "listOsTypes",
        key="ostype",
        table="ostypes",
        parameters=(
            one("ostypes"),
            word("description", since="3.0.1"),
            keyword("description"),
            of("oscategoryid", "oscategories"),
            *PAGES,
        ),
        fields="id oscategoryid oscategoryname name description isuserdefined fordisplay",
    ),
    ListCommand(
        "listOsCategories",
        key="oscategory",
        table="oscategories",
        parameters=(one("oscategories"), word("name", since="3.0.1"), keyword("name"), *PAGES),
        fields="id name isfeatured",
    ),
)
