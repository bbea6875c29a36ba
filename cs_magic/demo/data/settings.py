"""The few global settings that the demo shows."""

from __future__ import annotations

from cs_magic.demo.data.items import Row, Table, table

# group, subgroup, name, value, default (None: not printed), text, kind, for domain admins too
SETTINGS: tuple[tuple[str, str, str, str, str | None, str, str, bool], ...] = (
    (
        "Access",
        "Account",
        "allow.user.create.projects",
        "true",
        "true",
        "Whether users may open projects",
        "Boolean",
        True,
    ),
    (
        "Access",
        "Account",
        "incorrect.login.attempts.allowed",
        "5",
        "5",
        "Wrong passwords before a user is disabled",
        "Number",
        False,
    ),
    (
        "Access",
        "API",
        "api.throttling.enabled",
        "false",
        "false",
        "Whether the number of calls per account is limited",
        "Boolean",
        False,
    ),
    (
        "Access",
        "API",
        "enforce.post.requests.and.timestamps",
        "false",
        "false",
        "Whether changes must come by POST and signatures must expire",
        "Boolean",
        False,
    ),
    (
        "Compute",
        "Virtual Machine",
        "allow.user.expunge.recover.vm",
        "false",
        "false",
        "Whether users may expunge and recover machines",
        "Boolean",
        True,
    ),
    (
        "Compute",
        "Virtual Machine",
        "allow.user.view.destroyed.vm",
        "false",
        "false",
        "Whether users see destroyed machines",
        "Boolean",
        True,
    ),
    (
        "Hypervisor",
        "KVM",
        "cpu.overprovisioning.factor",
        "4.0",
        "1.0",
        "How often processors are given out",
        "Float",
        False,
    ),
    ("Miscellaneous", "Others", "default.page.size", "500", None, "", "Number", False),
    ("Miscellaneous", "Others", "default.ui.page.size", "20", None, "", "Number", False),
    (
        "Miscellaneous",
        "Others",
        "job.expire.minutes",
        "1440",
        "1440",
        "After how many minutes a finished job is forgotten",
        "Number",
        False,
    ),
    (
        "Usage Server",
        "Usage",
        "enable.usage.server",
        "true",
        "true",
        "Whether usage is recorded",
        "Boolean",
        False,
    ),
)


def settings_table() -> Table:
    """The settings by name; the domain admin's share has no default.page.size, as recorded."""
    return table([_setting_row(*setting) for setting in sorted(SETTINGS, key=lambda s: s[2])])


# The names that a domain admin is shown.
FOR_DOMAIN_ADMINS = frozenset(setting[2] for setting in SETTINGS if setting[-1])


def _setting_row(
    group: str,
    subgroup: str,
    name: str,
    value: str,
    default: str | None,
    text: str,
    kind: str,
    _: bool,
) -> Row:
    row: Row = {
        "category": "Advanced",
        "group": group,
        "subgroup": subgroup,
        "name": name,
        "value": value,
    }
    if default is not None:
        row["defaultvalue"] = default
    if text:
        row["description"] = text
    return row | {
        "isdynamic": False,
        "component": "management-server",
        "displaytext": name.replace(".", " ").capitalize(),
        "type": kind,
    }
