"""Where the demo means to differ from the recordings, and why. This is the whole list."""

from __future__ import annotations

SETUP = "the recorded cloud was set up so: no database, quota or setting of that kind is here"
UNSERVED = "needs what a command that the demo does not serve had done before"
ELSEWHERE = "a job of another recording, or of nobody's"
DATA = "one of the clouds has such a thing, and the other has none"

# Recording → why the demo answers otherwise, and in which steps. Those that name an id which
# such a step gave are left out with it.
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
    "C-errors/19-insufficient-capacity": (SETUP, 4),
    "C-errors/20-duplicates": (SETUP, 4),
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

# Command, field → why a field that every recorded row has may be missing, or one may be new.
FIELDS = {
    ("listApis", "description"): "the recorded ones were taken out",
    ("*", "projectid"): "what belongs to a project names it; few recorded rows do",
    ("*", "project"): "as above",
    ("*", "account"): "as above, instead of the account",
    ("listVirtualMachines", "virtualmachineIds"): "the recorded groups of users held no machine",
    ("listAffinityGroups", "virtualmachineIds"): "as above",
    ("listSnapshots", "ostypeid"): "those of data disks have none",
    ("listUsers", "apikey"): "one user never had a key",
    ("listUsageRecords", "accountid"): "as account: projects have none",
    ("listAccounts", "created"): "only the system's own account has none",
    ("listNetworks", "egressdefaultpolicy"): "tiers of a VPC have none",
    ("listNetworks", "vpcid"): "users here have a VPC",
    ("listNetworks", "vpcname"): "as above",
    ("listNetworks", "aclid"): "as above",
    ("listNetworks", "aclname"): "as above",
    ("listNetworkACLs", "startport"): "as above",
    ("listNetworkACLs", "endport"): "as above",
    ("listPublicIpAddresses", "virtualmachineid"): "some addresses here are a machine's own",
    ("listPublicIpAddresses", "virtualmachinetype"): "as above",
    ("listPublicIpAddresses", "vmipaddress"): "as above",
    ("listPublicIpAddresses", "virtualmachinename"): "as above",
    ("listPublicIpAddresses", "virtualmachinedisplayname"): "as above",
    ("listLoadBalancerRules", "protocol"): "the recorded rule was made without one",
    ("listVirtualMachinesMetrics", "group"): "the recorded machines were in no group",
    ("listVirtualMachinesMetrics", "groupid"): "as above",
    ("listVirtualMachinesMetrics", "hostid"): "the recorded machines ran on a host, all of them",
    ("listVirtualMachinesMetrics", "hostname"): "as above",
    ("listTemplates", "sourcetemplateid"): "no template here was made from another",
}


def field(name: str, field_: str) -> bool:
    """Whether a difference in a field is written down."""
    return ("*", field_) in FIELDS or (name, field_) in FIELDS


def step(where: str) -> bool:
    """Whether a step is written down."""
    recording, _, number = where.rpartition("#")
    return int(number) in STEPS.get(recording, ())
