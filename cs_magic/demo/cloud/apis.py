"""listApis: made from the registry, so that it cannot promise what the cloud cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.lists import Command, ListCommand
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import Refused
from cs_magic.demo.cloud.vocabulary import describe, type_of

NOT_FOUND = "Api Discovery plugin was unable to find an api by that name or process any apis"
# By API key the server stumbles over its own empty answer.
NULL_POINTER = (
    'Cannot invoke "org.apache.cloudstack.api.ResponseObject.getObjectName()" because the '
    'return value of "java.util.List.get(int)" is null'
)
# All that a session is told of whose user must change the password.
NEW_PASSWORD = ("login", "logout", "updateUser", "listApis")
# How the names of commands begin that may be sent by GET where POST is enforced.
READS = ("list", "get", "query", "find")
# Tables whose list command the real server has lost from every `related`.
LOST = frozenset({"clusters", "projects", "ostypes"})


def apis(commands: Mapping[str, Command], caller: Caller, name: str | None) -> dict[str, Any]:
    """The commands that the caller's role has, or the one asked for.

    By API key the server answers a command it knows and the caller may not use
    with all that he may, and shows parameters that his role does not have.
    """
    if caller.account.user.must_change_password and not caller.by_key:
        allowed = [c for c in commands.values() if c.name in NEW_PASSWORD]
    else:
        allowed = [c for c in commands.values() if caller.account.role.letter in c.roles]
    if name:
        found = [command for command in allowed if command.name == name]
        if not found and not (caller.by_key and name in commands):
            raise Refused(530, NULL_POINTER if caller.by_key else NOT_FOUND)
        allowed = found or allowed
    related = _related(commands)
    entries = [_entry(command, caller, related) for command in allowed]
    return {"count": len(entries), "api": entries}


def _related(commands: Mapping[str, Command]) -> dict[str, str]:
    """Per table, the commands that list it."""
    names: dict[str, list[str]] = {}
    for command in commands.values():
        if isinstance(command, ListCommand):
            names.setdefault(command.table, []).append(command.name)
    return {table: ",".join(found) for table, found in names.items()}


def _entry(command: Command, caller: Caller, related: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": command.name, "description": command.description}
    if command.since:
        entry["since"] = command.since
    table = command.table if isinstance(command, ListCommand) else ""
    return entry | {
        "isasync": command.isasync,
        "related": related.get(table, ""),
        "params": [
            _parameter(parameter, related)
            for parameter in command.parameters
            if caller.by_key or caller.is_root or not parameter.root_only
        ],
        # Two empty objects at the end, as the real server has them everywhere.
        "response": [*_fields(command), {}, {}],
        "httprequesttype": "GET" if command.name.startswith(READS) else "POST",
    }


def _parameter(parameter: Parameter, related: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": parameter.name,
        "description": parameter.description,
        "type": parameter.type,
        "length": parameter.length,
        "required": parameter.required,
    }
    if parameter.since:
        entry["since"] = parameter.since
    if parameter.entity:
        lost = parameter.entity in LOST
        entry["related"] = "" if lost else related.get(parameter.entity, "")
    return entry


def _fields(command: Command) -> list[dict[str, Any]]:
    names = [*command.fields.split(), "jobid", "jobstatus"]
    return [
        _field(name, command.types.get(name) or type_of(name), command.nested.get(name, ""))
        for name in names
    ]


def _field(name: str, kind: str, nested: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "description": describe(name), "type": kind}
    if nested:
        inner = [_field(inner, type_of(inner), "") for inner in nested.split()]
        entry["response"] = [*inner, {}]
    return entry
