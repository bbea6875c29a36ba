"""Where the demo means to differ from the recordings, and why. This is the whole list."""

from __future__ import annotations

from typing import Any

SETUP = "the recorded cloud was set up so: no database, quota or setting of that kind is here"
UNSERVED = "needs what a command that the demo does not serve had done before"
ELSEWHERE = "a job of another recording, or of nobody's"
DATA = "one of the clouds has such a thing, and the other has none"

# Recording → why the demo answers otherwise, and in which steps. Those that name an id which
# such a step gave are left out with it, see BEYOND.
STEPS: dict[str, tuple[str | int, ...]] = {
    "A-login/63-two-factor-first-setup-wrong": (UNSERVED, 4),
    "A-login/64-two-factor-disable-by-admin": (UNSERVED, 3),
    "A-login/65-two-factor-mandated": (UNSERVED, 9, 10),
    "A-login/68-setting-sessionkey-cookie-or-parameter": (SETUP, 1, 2, 6),
    "B-signature/119-post-too-big": ("the body is cut in the recording", 0),
    "B-signature/121-paths": ("it has the API alone, no web pages", 2, 3, 4, 5, 6),
    "B-signature/67-char-zero-width-joiner": (SETUP, 0),
    "B-signature/68-char-all-get": (SETUP, 0),
    "B-signature/70-char-all-post-form": (SETUP, 0),
    "B-signature/81-wire-raw-utf8": ("its web server takes no bare bytes above 127 in a URL", 0),
    "C-errors/06-internal-id": (DATA, 1),
    "C-errors/19-insufficient-capacity": ("no offering or quota here is so", 2, 4),
    "C-errors/37-locked-account": (UNSERVED, 12, 13),
    "C-errors/38-api-key-access-off": ("the use of keys can't be switched off", 0, 2),
    "D-paging/14-empty-list": (DATA, 7),
    "D-paging/15-past-the-end": ("it has more events than 99 pages hold", 3),
    "D-paging/31-configurations-da": ("it has fewer settings", 1),
    "E-async/03-deploy-slow": (ELSEWHERE, 14),
    "E-async/15-update-vm-sync": ("it doesn't spoil a stored backslash", 4, 5),
    "E-async/16-update-vm-xml": ("it doesn't spoil a stored backslash", 2),
    "E-async/17-job-unknown": (ELSEWHERE, 5, 6, 7),
    "E-async/18-job-by-resource": (ELSEWHERE, 0, 1),
    "E-async/19-custom-job-id": ("the tag was there before the recording", 7),
    "E-async/22-many-at-once": (ELSEWHERE, 8),
    "E-async/24-domain-account-lifecycle": (UNSERVED, 4),
    "E-async/27-migrate": ("which host is free is another matter", 1, 2, 3),
    "F-shapes/100-user-keys": (UNSERVED, 12),
    "F-shapes/101-user-keys-rules": ("key pairs have no rules of their own", 3, 4, 5, 7, 10),
    "F-shapes/103-user-data-large": (UNSERVED, 1),
    "F-shapes/104-unicode-round-trip": (SETUP, 3),
    "F-shapes/77-shape-resource-details": (DATA, 0),
    "F-shapes/92-listtemplates-filters": (DATA, 10, 9),
    "F-shapes/95-listusage": (SETUP, 2),
    "I-enforce/01-enforce-v2": (SETUP, 0, 3, 4, 6),
    "I-enforce/02-enforce-get-change": (SETUP, 0, 2, 9),
    "I-enforce/03-enforce-session": (SETUP, 2),
    "J-usage/05-dates": (DATA, 4, 5),
}

# Lists that were empty there, asked for the whole, and hold something here.
FULLER = {
    "listAnnotations",
    "listEgressFirewallRules",
    "listIsos",
    "listLoadBalancerRules",
    "listVPCs",
}

# Recording → the steps of served commands that are left out because they name what an unserved
# command had made, or a step above.
BEYOND: dict[str, tuple[int, ...]] = {
    "C-errors/19-insufficient-capacity": (3,),
    "E-async/13-vm-snapshot": (1, 2),
    "E-async/23-network-lifecycle": (9, 10, 12, 13, 14, 16, 17, 19, 20),
    "E-async/24-domain-account-lifecycle": (3, 7, 8, 10, 11),
    "E-async/26-wrappers-odd": (3, 4, 8),
    "E-async/29-restore": (3, 4, 5, 6, 7, 9, 10),
    "F-shapes/100-user-keys": (11,),
    "K-exposure/01-load-balancer": (3, 5, 7, 8),
    "K-exposure/03-egress": (1, 3),
    "K-exposure/04-vpc": (1, 3, 5, 7, 12),
    "K-exposure/05-security-groups": (2, 4),
}

# Recordings of which no step is held against the demo: all of their served ones are above …
ONLY_MEANT = """
    B-signature/119-post-too-big B-signature/67-char-zero-width-joiner
    B-signature/68-char-all-get B-signature/70-char-all-post-form B-signature/81-wire-raw-utf8
    E-async/24-domain-account-lifecycle E-async/27-migrate F-shapes/103-user-data-large
    F-shapes/77-shape-resource-details
""".split()
# … or it serves none of their commands. (test_unserved.py has how it refuses those.)
NONE_SERVED = """
    A-login/28-login-upper-case-command A-login/54-no-credentials-guithemes
    A-login/55-no-credentials-preauth-commands
    B-signature/103-unknown-command B-signature/105-forbidden-command
    C-errors/13-too-long C-errors/40-feature-off
    F-shapes/44-shape-management-servers-metrics F-shapes/48-shape-usage-server-metrics
    F-shapes/54-shape-network-providers F-shapes/56-shape-storage-providers
    F-shapes/68-shape-deployment-planners F-shapes/70-shape-gui-themes F-shapes/73-shape-backups
    F-shapes/74-shape-webhooks F-shapes/76-shape-detail-options F-shapes/78-shape-project-roles
    F-shapes/86-shape-system-vms-usage-history F-shapes/88-shape-quota-tariffs
    F-shapes/89-shape-object-stores F-shapes/90-shape-extensions
    G-counts/44-count-listNetworkServiceProviders
    G-counts/45-count-listSupportedNetworkServices G-counts/48-count-listHypervisorCapabilities
    G-counts/55-count-listVolumesUsageHistory G-counts/56-count-listDeploymentPlanners
    G-counts/60-count-listAlertTypes
""".split()

FORGETS = "there a machine forgets it when it is stopped"
NO_DISK = "the recorded machines had no disk offering"
NO_TRAFFIC = "the recorded account had no machines"

# Command, fields → why one that every recorded row has may be missing, or one may be new, and
# where that is so: in a recorded step, or in the whole list as a role is shown it.
FIELDS: dict[tuple[str, str], tuple[str, str]] = {
    ("listApis", "description"): ("taken out", "A-login/58-session-listapis-u1#1"),
    ("listVirtualMachines", "tags.projectid tags.project"): (
        "the recorded machines of projects had no tags",
        "D-paging/19-scope-project#0",
    ),
    ("listEvents", "parentid"): (
        "no event here is part of another",
        "D-paging/26-events-pages-while-jobs-run#0",
    ),
    ("listTemplates", "sourcetemplateid"): (
        "no template here was made of another",
        "F-shapes/92-listtemplates-filters#0",
    ),
    ("listAffinityGroups", "virtualmachineIds"): ("the recorded groups were empty", "user"),
    ("listSnapshots", "ostypeid"): ("those of data disks have none", "root"),
    ("listUsers", "apikey"): ("one user never had a key", "root"),
    ("listAccounts", "user.apikey"): ("one user never had a key", "F-shapes/28-shape-accounts#0"),
    ("listNetworks", "vpcid vpcname aclid aclname"): ("users here have a VPC", "user"),
    (
        "listPublicIpAddresses",
        "virtualmachineid virtualmachinetype virtualmachinename virtualmachinedisplayname"
        " vmipaddress",
    ): ("some addresses here are a machine's own", "K-exposure/10-lists-as-da#4"),
    ("listLoadBalancerRules", "protocol"): (
        "the recorded rule was made without one",
        "K-exposure/01-load-balancer#6",
    ),
    ("listNetworkACLs", "startport endport"): ("users here have a VPC", "user"),
    ("listVirtualMachinesMetrics", "group groupid"): ("those machines were in no group", "user"),
    ("listVirtualMachinesMetrics", "hostid hostname"): ("those machines all ran", "root"),
    ("login", "providerfor2fa"): (
        "who has a second factor here is a root admin",
        "A-login/60-two-factor#0",
    ),
    ("enableAccount", "receivedbytes sentbytes"): (
        NO_TRAFFIC,
        "C-errors/37-locked-account#10",
    ),
    ("queryAsyncJobResult", "receivedbytes sentbytes"): (
        NO_TRAFFIC,
        "C-errors/37-locked-account#3",
    ),
    ("queryAsyncJobResult", "bootmode boottype"): (FORGETS, "C-errors/21-destroy-twice#2"),
    ("queryAsyncJobResult", "pooltype"): (FORGETS, "E-async/10-destroy-u1#2"),
    ("queryAsyncJobResult", "broadcasturi isolationuri"): (
        FORGETS,
        "E-async/08-stop-start-u1#3",
    ),
    ("queryAsyncJobResult", "diskofferingid diskofferingname"): (
        NO_DISK,
        "C-errors/21-destroy-twice#2",
    ),
    ("recoverVirtualMachine", "bootmode boottype broadcasturi isolationuri"): (
        FORGETS,
        "E-async/09-destroy-recover-expunge#4",
    ),
    ("recoverVirtualMachine", "diskofferingid diskofferingname"): (
        NO_DISK,
        "E-async/09-destroy-recover-expunge#4",
    ),
    ("updateVirtualMachine", "bootmode boottype"): (FORGETS, "E-async/15-update-vm-sync#0"),
    ("updateVirtualMachine", "diskofferingid diskofferingname"): (
        NO_DISK,
        "E-async/15-update-vm-sync#0",
    ),
}


def field(command: str, name: str) -> bool:
    """Whether a difference in a field is written down."""
    asked = f".{name}"
    names = " ".join(names for one, names in FIELDS if one == command)
    return any(asked.endswith(f".{one}") for one in names.split())


def difference(command: str, found: tuple[str, Any, Any]) -> bool:
    """Whether a difference is a field that is written down."""
    what, theirs, ours = found
    return what in ("missing", "new") and field(command, str(theirs or ours))


def step(where: str) -> bool:
    """Whether a step is written down."""
    recording, _, number = where.rpartition("#")
    return int(number) in STEPS.get(recording, ())
