"""All commands of the demo, by name: what it can do, and so what listApis promises."""

from __future__ import annotations

from cs_magic.demo.cloud import (
    accounts,
    addresses,
    admin,
    asking,
    disks,
    exposure,
    extras,
    infrastructure,
    keys,
    metrics,
    offerings,
    ownership,
    people,
    plant,
    special,
    tagging,
    usage,
    vm_changes,
    vm_life,
)
from cs_magic.demo.cloud.lists import Command, ObjectCommand
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.served import SERVED

# Answered where sessions are kept, in `protocol`; listed here so that listApis names them.
SESSIONS = (
    Command(
        "login",
        roles="A",
        parameters=(
            Parameter("username", "string", "the user's name", required=True),
            Parameter("password", "string", "the user's password", required=True),
            Parameter("domain", "string", "the path of the user's domain, / for ROOT"),
            Parameter("domainId", "long", "the id of the user's domain"),
        ),
        fields="username userid domainid timeout account firstname lastname type timezone "
        "timezoneoffset registered sessionkey is2faenabled is2faverified providerfor2fa "
        "issuerfor2fa managementserverid passwordchangerequired",
        types={"is2faenabled": "string", "passwordchangerequired": "boolean"},
    ),
    Command(
        "validateUserTwoFactorAuthenticationCode",
        since="4.18.0",
        parameters=(Parameter("codefor2fa", "string", "the code", required=True),),
        fields="success displaytext",
        types={"success": "boolean"},
    ),
    Command("logout", roles="A", fields="description"),
)

OBJECTS = (
    ObjectCommand(
        "listCapabilities",
        fields="securitygroupsenabled dynamicrolesenabled cloudstackversion "
        "userpublictemplateenabled supportELB projectinviterequired allowusercreateprojects "
        "customdiskofferingminsize customdiskofferingmaxsize regionsecondaryenabled "
        "apilimitinterval kvmsnapshotenabled snapshotshowchainsize apilimitmax "
        "allowuserviewdestroyedvm "
        "allowuserexpungerecovervm allowuserexpungerecovervolume allowuserviewalldomainaccounts "
        "allowuserforcestopvm kubernetesserviceenabled "
        "kubernetesclusterexperimentalfeaturesenabled customhypervisordisplayname "
        "defaultuipagesize instancesstatsretentiontime instancesstatsuseronly "
        "instancesdisksstatsretentionenabled instancesdisksstatsretentiontime "
        "sharedfsvmmincpucount sharedfsvmminramsize instanceleaseenabled extensionspath "
        "dynamicscalingenabled additionalconfigenabled",
        answer=special.capabilities,
    ),
    Command(
        "listApis",
        parameters=(Parameter("name", "string", "one command, by its exact name"),),
        fields="name description since isasync related params response httprequesttype",
        nested={
            "params": "name description type length required since related",
            "response": "name description type response",
        },
        since="4.1.0",
    ),
)


def commands() -> dict[str, Command]:
    """Every command by its name, in the order of the written list."""
    modules = (
        infrastructure,
        plant,
        metrics,
        usage,
        offerings,
        ownership,
        accounts,
        extras,
        exposure,
        people,
        asking,
        vm_life,
        vm_changes,
        tagging,
        disks,
        addresses,
        keys,
        admin,
    )
    made: dict[str, Command] = {command.name: command for command in (*OBJECTS, *SESSIONS)}
    for module in modules:
        made |= {command.name: command for command in module.COMMANDS}
    made["listRolePermissions"] = people.permissions(made)
    return {name: made[name] for name in SERVED}
