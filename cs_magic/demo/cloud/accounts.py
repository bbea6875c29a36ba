"""List commands of domains, accounts, users, projects, roles and limits."""

from __future__ import annotations

from cs_magic.demo.cloud import scopes, special, views
from cs_magic.demo.cloud.filters import same
from cs_magic.demo.cloud.lists import ListCommand
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.words import (
    OWNERS,
    PAGES,
    PROJECT,
    details,
    keyword,
    one,
    word,
)

USER = (
    "id username firstname lastname email created state account accounttype usersource roleid "
    "roletype rolename domainid domain apikey accountid iscallerchilddomain isdefault "
    "is2faenabled is2famandated"
)


ACCOUNTS = ListCommand(
    "listAccounts",
    key="account",
    table="accounts",
    remembered=False,  # their state changes
    scope=scopes.owned,
    render=views.limited,
    hidden=frozenset(("apikeyaccess",)),
    parameters=(
        one("accounts"),
        word("name"),
        word("state"),
        keyword("name"),
        Parameter(
            "accounttype",
            "integer",
            "those of this type: 0 user, 1 root, 2 domain admin",
            same("accounttype"),
        ),
        details(*views.RESOURCE_GROUPS),
        *(p for p in OWNERS if p.name != "account"),
        *PAGES,
    ),
    types={"apikeyaccess": "apikeyaccess"},
    fields="id name accounttype roleid roletype rolename domainid domain domainpath "
    "receivedbytes sentbytes vmlimit vmtotal vmavailable iplimit iptotal ipavailable "
    "volumelimit volumetotal volumeavailable snapshotlimit snapshottotal "
    "snapshotavailable backuplimit backuptotal backupavailable backupstoragelimit "
    "backupstoragetotal backupstorageavailable templatelimit templatetotal "
    "templateavailable vmstopped vmrunning projectlimit projecttotal projectavailable "
    "networklimit networktotal networkavailable vpclimit vpctotal vpcavailable cpulimit "
    "cputotal cpuavailable memorylimit memorytotal memoryavailable gpulimit gputotal "
    "gpuavailable primarystoragelimit primarystoragetotal primarystorageavailable "
    "secondarystoragelimit secondarystoragetotal secondarystorageavailable bucketlimit "
    "buckettotal bucketavailable objectstoragelimit objectstoragetotal "
    "objectstorageavailable state created user isdefault groups apikeyaccess",
    nested={"user": USER},
)

USERS = ListCommand(
    "listUsers",
    key="user",
    table="users",
    remembered=False,  # as above
    scope=scopes.owned,
    hidden=frozenset(("apikeyaccess",)),
    parameters=(
        one("users"),
        word("username"),
        word("state"),
        keyword("username", "firstname", "lastname", "email"),
        Parameter("accounttype", "integer", "those of this type of account", same("accounttype")),
        *OWNERS,
        *PAGES,
    ),
    types={"apikeyaccess": "apikeyaccess"},
    fields="id username firstname lastname email created state account accounttype usersource "
    "roleid roletype rolename domainid domain apikey accountid iscallerchilddomain "
    "isdefault is2faenabled is2famandated apikeyaccess",
)

DOMAINS = ListCommand(
    "listDomains",
    key="domain",
    table="domains",
    roles="ARD",
    scope=scopes.domains,
    render=views.limited,
    parameters=(
        one("domains"),
        word("name"),
        keyword("name"),
        Parameter("level", "integer", "those at this depth; ROOT is 0", same("level")),
        Parameter("listall", "boolean", "and the domains below the caller's own"),
        details(*views.RESOURCE_GROUPS),
        *PAGES,
    ),
    types={"level": "integer"},
    fields="id name level parentdomainid parentdomainname haschild path state created vmlimit "
    "vmtotal vmavailable iplimit iptotal ipavailable volumelimit volumetotal "
    "volumeavailable snapshotlimit snapshottotal snapshotavailable backuplimit "
    "backuptotal backupavailable backupstoragelimit backupstoragetotal "
    "backupstorageavailable templatelimit templatetotal templateavailable projectlimit "
    "projecttotal projectavailable networklimit networktotal networkavailable vpclimit "
    "vpctotal vpcavailable cpulimit cputotal cpuavailable memorylimit memorytotal "
    "memoryavailable gpulimit gputotal gpuavailable primarystoragelimit "
    "primarystoragetotal primarystorageavailable secondarystoragelimit "
    "secondarystoragetotal secondarystorageavailable bucketlimit buckettotal "
    "bucketavailable objectstoragelimit objectstoragetotal objectstorageavailable "
    "domaindetails hasannotations",
)

PROJECTS = ListCommand(
    "listProjects",
    since="3.0.0",
    key="project",
    table="projects",
    scope=scopes.projects,
    render=views.limited,
    newest_first=True,
    parameters=(
        one("projects"),
        word("name"),
        keyword("name", "displaytext"),
        word("state"),
        details(*views.RESOURCE_GROUPS),
        *OWNERS,
        *PAGES,
    ),
    types={"tags": "list"},
    fields="id name displaytext domainid domain owner projectaccountname state tags "
    "networklimit networktotal networkavailable vpclimit vpctotal vpcavailable cpulimit "
    "cputotal cpuavailable memorylimit memorytotal memoryavailable gpulimit gputotal "
    "gpuavailable primarystoragelimit primarystoragetotal primarystorageavailable "
    "secondarystoragelimit secondarystoragetotal secondarystorageavailable bucketlimit "
    "buckettotal bucketavailable objectstoragelimit objectstoragetotal "
    "objectstorageavailable vmlimit vmtotal vmavailable iplimit iptotal ipavailable "
    "volumelimit volumetotal volumeavailable snapshotlimit snapshottotal "
    "snapshotavailable backuplimit backuptotal backupavailable backupstoragelimit "
    "backupstoragetotal backupstorageavailable templatelimit templatetotal "
    "templateavailable vmstopped vmrunning created",
    nested={"owner": "account"},
)

LIMITS = ListCommand(
    "listResourceLimits",
    key="resourcelimit",
    table="limits",
    source=special.limits,
    paged=False,
    remembered=False,
    parameters=(
        Parameter(
            "resourcetype",
            "integer",
            "one kind of resource, by its number",
            lambda value: lambda item: item.get("resourcetype") == str(value),
        ),
        word("resourcetypename"),
        *OWNERS,
        PROJECT,
        *PAGES,
    ),
    fields="account projectid project domainid domain domainpath resourcetype resourcetypename max",
)

ROLES = ListCommand(
    "listRoles",
    since="4.9.0",
    key="role",
    table="roles",
    roles="ARD",
    parameters=(one("roles"), word("name"), word("type"), keyword("name"), *PAGES),
    fields="type isdefault state id name description ispublic",
)

COMMANDS = (ACCOUNTS, USERS, DOMAINS, PROJECTS, LIMITS, ROLES)
