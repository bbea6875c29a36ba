"""The round trip of a job: a tag that is made, found and removed again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

from cs_magic.api.records import rows_of
from cs_magic.api.values import Call, Options
from cs_magic.connection import Connection
from cs_magic.errors import CloudStackError
from cs_magic.verify.findings import Finding, Section, said

# What may be tagged, in the order in which it is looked for.
KINDS = {"listVirtualMachines": "UserVm", "listVolumes": "Volume", "listNetworks": "Network"}
VALUE = "prüf & co + 100% *'x'/=;~"


def trip(connection: Connection) -> Section:
    """Tag a thing of the caller's own, find the tag, remove it, and see it gone."""
    try:
        found = _something(connection)
    except CloudStackError as error:
        return _failed(connection, error)
    if found is None:
        text = "there is nothing of your own to tag: no machine, volume or network"
        return Section("Writing", text, (Finding("note", "", text),))
    began = time.monotonic()
    try:
        findings = tuple(_made_and_removed(connection, *found))
    except CloudStackError as error:
        return _failed(connection, error)
    seconds = time.monotonic() - began
    text = f"a tag on a {found[1]} was made, found and removed: two jobs in {seconds:.1f} s"
    return Section("Writing", "the tag was not as it should be" if findings else text, findings)


def _something(connection: Connection) -> tuple[str, str] | None:
    """The id of something that the caller owns, and its kind."""
    for command, kind in KINDS.items():
        options = Options(columns=("id",), limit=1, own=True)
        rows = rows_of(connection.run(Call(command), options).table)
        if rows:
            return rows[0]["id"], kind
    return None


def _made_and_removed(connection: Connection, id_: str, kind: str) -> Iterator[Finding]:
    key = f"cs-magic-verify-{uuid.uuid4().hex[:8]}"
    tagged = Call("createTags").having(resourceids=id_, resourcetype=kind)
    tag = tagged.having(**{"tags[0].key": key, "tags[0].value": VALUE})
    connection.run(tag, Options(timeout=120))
    try:
        values = [row.get("value") for row in _tags(connection, id_, key)]
        if values != [VALUE]:
            yield Finding("problem", "listTags", f"{len(values)} tags, or not with the value sent")
    finally:
        connection.run(Call("deleteTags", tag.arguments), Options(timeout=120))
    if _tags(connection, id_, key):
        yield Finding("problem", "deleteTags", f"the tag is still there: {key}")


def _tags(connection: Connection, id_: str, key: str) -> list[dict[str, object]]:
    call = Call("listTags").having(resourceid=id_, key=key)
    return rows_of(connection.run(call, Options()).table)


def _failed(connection: Connection, error: CloudStackError) -> Section:
    problem = Finding("problem", "", said(error, connection.profile))
    return Section("Writing", "the round trip broke off", (problem,))
