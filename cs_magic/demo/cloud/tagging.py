"""Tags of machines, put on and taken off by jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import INVALID, Refused, no_such_entity
from cs_magic.demo.cloud.writes import SUCCESS, SUCCESS_FIELDS, Deed, WriteCommand, check_owner
from cs_magic.demo.data.items import Row
from cs_magic.demo.data.machines import Machine

# What CloudStack calls a machine here; others may have no tags in the demo.
KINDS = ("uservm", "virtualmachine")
# Tag jobs are done almost at once.
SPAN = 0.1

Pairs = tuple[tuple[str, str], ...]


def _machines(deed: Deed) -> list[Machine]:
    if deed.arguments["resourcetype"].lower() not in KINDS:
        text = f"Invalid resource type: {deed.arguments['resourcetype']}"
        raise Refused(431, text, INVALID)
    found = []
    for id_ in deed.arguments["resourceids"]:
        machine = deed.world.table("machines").find(id_)
        if machine is None:
            raise no_such_entity(deed.command, "resourceids", id_)
        check_owner(deed.caller, machine.owner)
        found.append(cast(Machine, machine))
    return found


def _job(finish: Callable[[], Row]) -> Work:
    return Work(finish, span=SPAN, failure="Failed to change tags")


def create(deed: Deed) -> Work:
    """Put tags on machines: on all of them, or where one has such a key on none."""
    machines, kind = _machines(deed), deed.arguments["resourcetype"]
    pairs: Pairs = deed.arguments["tags"]

    def finish() -> Row:
        for machine in machines:
            for key, _ in pairs:
                if any(key == old for old, _ in machine.tags):
                    raise Refused(530, f"tag {key} already on {kind} with id {machine.id}")
        for machine in machines:
            machine.tags = (*machine.tags, *pairs)
        return SUCCESS

    return _job(finish)


def delete(deed: Deed) -> Work:
    """Take tags off machines: those named by key, or by key and value; without tags all."""
    machines = _machines(deed)
    pairs: Pairs | None = deed.arguments.get("tags")

    def finish() -> Row:
        for machine in machines:
            machine.tags = tuple(tag for tag in machine.tags if not _named(tag, pairs))
        return SUCCESS

    return _job(finish)


def _named(tag: tuple[str, str], pairs: Pairs | None) -> bool:
    return pairs is None or any(tag[0] == key and value in ("", tag[1]) for key, value in pairs)


def _command(
    name: str, java: str, act: Callable[[Deed], Work], required: bool, words: str
) -> WriteCommand:
    return WriteCommand(
        name,
        since="4.0.0",
        parameters=(
            Parameter("resourceids", "list", "the machines", required=True),
            Parameter("resourcetype", "string", "UserVm", required=True),
            Parameter("tags", "map", words, required=required),
        ),
        fields=SUCCESS_FIELDS,
        isasync=True,
        java=java,
        act=act,
    )


COMMANDS = (
    _command("createTags", "user.tag.CreateTagsCmd", create, True, "keys with their values"),
    _command("deleteTags", "user.tag.DeleteTagsCmd", delete, False, "these; all if left out"),
)
