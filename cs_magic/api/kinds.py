"""Whether a command reads, changes, or destroys: one table, reviewed command by command.

The table (`bundled/kinds-4.23.tsv`) has every command of CloudStack 4.23. The name and the
server's own annotation are where it starts; where it says something else, its third column
says why. What it lacks, a newer server's command or a plug-in's, is judged by its name,
cautiously: what is neither a read nor sounds harmless asks first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Literal, cast, get_args

CallKind = Literal["read", "write", "destructive"]
KINDS: tuple[CallKind, ...] = get_args(CallKind)

TABLE_VERSION = "4.23"

# Names that destroy or interrupt. The first ones are beginnings.
_BEGINNINGS = (
    "archive", "delete", "destroy", "disable", "expunge", "lock", "migrate", "purge", "reboot",
    "remove", "reset", "restart", "revoke", "scale", "stop", "unmanage",
)  # fmt: skip
_WHOLE = frozenset(
    """
    assignVirtualMachine assignVolume changeOfferingForVolume changeServiceForVirtualMachine
    declareHostAsDegraded detachVolume disassociateIpAddress patchSystemVm prepareForMaintenance
    prepareForShutdown prepareHostForMaintenance releaseIpAddress replaceNetworkACLList
    resizeVolume restoreBackup restoreVirtualMachine revertSnapshot revertToVMSnapshot
    suspendProject updateConfiguration
    """.lower().split()
)
# The beginnings of what a command may do that no table knows, without asking first.
_HARMLESS = (
    "acquire", "activate", "add", "allocate", "associate", "attach", "authorize", "check", "clone",
    "copy", "create", "deploy", "download", "enable", "extract", "find", "generate", "get",
    "import", "issue", "list", "login", "logout", "query", "recover", "register", "reserve",
    "search", "start", "sync", "test", "upload", "validate", "verify",
)  # fmt: skip
# What makes a write grave: command, parameter and value; of several values one, `!` all but it.
_SWITCHES = """
    *                       expunge            true
    *                       forced             true
    *                       cleanup*           true
    *                       leaseexpiryaction  destroy|stop
    *                       repair             *
    *                       quota_enforce      true
    create*schedule         action             !start
    *networkacl*            action             deny
    update*                 allocationstate    disable*
    update*                 apikeyaccess       disable*
    update*                 changecidr         true
    update*                 managedstate       !managed
    update*                 permission         deny
    update*                 purgeresources     true
    update*                 readonly           true
    update*                 sourcenatipaddress *
    update*                 state              disable*|inactive|shutdown
    update*                 user*key           *
    update*permissions      op                 remove|reset
    updateautoscalevmgroup  maxmembers         *
    updatebackupschedule    maxbackups         *
    updatenetwork           guestvmcidr        *
    updatenetwork           networkofferingid  *
    updatevolume            chaininfo          *
    updatevolume            path               *
    updatevolume            state              *
    updatevolume            storageid          *
    authorize*              enable             false
    configure*              enabled            false
    setup*                  enable             false
    update*                 enabled            false
"""


def kind_of(name: str, is_async: bool = False, by_get: bool = False) -> CallKind:
    """The kind of a command: what the table says of it, else what `by_rule` makes of it.

    A command with a job is never a read, whatever the table of another release says.
    """
    known = table().get(name.lower())
    kind = known[0] if known else _guessed(name, is_async, by_get)
    return "write" if kind == "read" and is_async else kind


def _guessed(name: str, is_async: bool, by_get: bool) -> CallKind:
    """What a command is taken for that no table knows."""
    kind = by_rule(name, is_async, by_get)
    doubtful = kind == "write" and not name.lower().startswith(_HARMLESS)
    return "destructive" if doubtful else kind


def why(name: str) -> str:
    """Why the table says something else than the rule; empty where it doesn't."""
    return table().get(name.lower(), ("", ""))[1]


def by_rule(name: str, is_async: bool = False, by_get: bool = False) -> CallKind:
    """What a name says of a command, and the server's annotation that a GET is enough."""
    lower = name.lower()
    if lower.startswith(_BEGINNINGS) or lower in _WHOLE:
        return "destructive"
    read = not is_async and (by_get or reads_by_name(name))
    return "read" if read else "write"


def reads_by_name(name: str) -> bool:
    """Does a command of this name change nothing, as far as a name can say?

    The server's own rule, less what only sounds like it: an upload's URL makes the thing
    that is to be uploaded.
    """
    if name.lower().startswith("getuploadparamsfor"):
        return False
    return re.match(r"(get|list|query|find)\w", name) is not None


def grave_arguments(command: str, arguments: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Which of these arguments make a call of the command graver, as typed."""
    may = [(name, value) for of, name, value in _switches() if fnmatchcase(command.lower(), of)]
    return tuple(
        name
        for name, value in arguments
        if any(fnmatchcase(name.lower(), one) and _is(value.lower(), grave) for one, grave in may)
    )


def _is(value: str, grave: str) -> bool:
    if grave.startswith("!"):
        return value != grave[1:]
    return any(fnmatchcase(value, one) for one in grave.split("|"))


@cache
def _switches() -> tuple[tuple[str, str, str], ...]:
    lines = (line.split() for line in _SWITCHES.strip().splitlines())
    return tuple((command, parameter, value) for command, parameter, value in lines)


@cache
def table() -> Mapping[str, tuple[CallKind, str]]:
    """CallKind and reason of every command of the table, by its name in lower case; read once."""
    path = resources.files("cs_magic.api") / "bundled" / f"kinds-{TABLE_VERSION}.tsv"
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:])
    return {name.lower(): (cast(CallKind, kind), reason) for name, kind, reason in rows}
