"""The judge of the demo sees what it is to see: recorded answers that are spoiled a little."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from comparing import compared
from raw import Reply
from recorded import whole
from replay import Step, recorded
from test_as_recorded import is_served

Spoil = Callable[[Any], None]


def spoiled(step: Step, body: bytes) -> list[tuple[str, Any, Any]]:
    """In what the judge finds a step's answer with another body to differ."""
    return list(compared(step, Reply(step.status, {"Content-Type": step.content_type}, body)))


def answer_of(command: str, account: str = "admin", holds: bytes = b"") -> Step:
    """A good recorded answer."""
    steps = (s for s in recorded() if s.command == command and s.account == account)
    return next(s for s in steps if s.status == 200 and whole(s.body) and holds in s.body)


def rows_of(document: Any) -> list[Any]:
    (inner,) = document.values()
    return next(value for value in inner.values() if isinstance(value, list))


def put(name: str, value: Any) -> Spoil:
    """Give every row of a list, or the answer where it is none, such a field."""

    def spoil(document: Any) -> None:
        (inner,) = document.values()
        lists = [value for value in inner.values() if isinstance(value, list)]
        for row in lists[0] if lists else [inner]:
            row[name] = value

    return spoil


def take(*path: str) -> Spoil:
    """Take a field out of every row, or out of the rows within."""

    def out_of(value: Any, names: tuple[str, ...]) -> None:
        for row in value if isinstance(value, list) else [value]:
            if len(names) > 1:
                out_of(row.get(names[0], []), names[1:])
            else:
                row.pop(names[0], None)

    def spoil(document: Any) -> None:
        (inner,) = document.values()
        lists = [value for value in inner.values() if isinstance(value, list)]
        out_of(lists[0] if lists else inner, path)

    return spoil


OVER = b'"jobstatus":1'
SPOILED: dict[str, tuple[Step, Spoil, str]] = {
    "a login without its issuer": (answer_of("login"), take("issuerfor2fa"), "missing"),
    "a timeout as text": (answer_of("login"), put("timeout", "1800"), "spelling"),
    "a job that never ended": (
        answer_of("queryAsyncJobResult", holds=OVER),
        take("completed"),
        "missing",
    ),
    "a job of another result": (
        answer_of("queryAsyncJobResult", holds=b'"jobresultcode":530'),
        put("jobresult", {"success": True}),
        "shape",
    ),
    "a job of another code": (
        answer_of("queryAsyncJobResult", holds=b'"jobresultcode":530'),
        put("jobresultcode", 431),
        "shape",
    ),
    "a job that is pending": (
        answer_of("queryAsyncJobResult", holds=OVER),
        put("jobstatus", 0),
        "shape",
    ),
    "users with ids alone": (answer_of("listAccounts"), put("user", [{"id": 5}]), "missing"),
    "services without capability": (
        answer_of("listNetworks", holds=b'"service"'),
        take("service", "capability"),
        "missing",
    ),
    "storage that users aren't told": (
        answer_of("listTemplates", "u1", b'"datastore"'),
        put("downloaddetails", [{"datastore": "a", "datastoreRole": "Image"}]),
        "new",
    ),
    "storage without its id": (
        answer_of("listTemplates", holds=b'"datastoreId"'),
        take("downloaddetails", "datastoreId"),
        "missing",
    ),
    "a host that users aren't told": (
        answer_of("listVirtualMachines", "u1", b'"virtualmachine"'),
        put("hostid", "9b44710f-e74d-11f1-abe9-7469b44c5ef5"),
        "new",
    ),
    "a name that is a number": (
        answer_of("listVirtualMachines", holds=b'"virtualmachine"'),
        put("displayname", 7),
        "spelling",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_what_is_spoiled_is_seen(what: str) -> None:
    step, spoil, kind = SPOILED[what]
    document = json.loads(step.body, strict=False)
    spoil(document)
    assert kind in {found[0] for found in spoiled(step, json.dumps(document).encode())}


def test_another_code_in_xml_is_seen() -> None:
    step = next(s for s in recorded() if b"<errorcode>431</errorcode>" in s.body)
    assert spoiled(step, step.body) == []
    other = step.body.replace(b"<errorcode>431<", b"<errorcode>530<")
    assert [found[0] for found in spoiled(step, other)] == ["shape"]


def test_every_recorded_answer_is_as_recorded() -> None:
    # Who stands for x2fa is a root admin.
    asked = (s for s in recorded() if is_served(s) and s.account != "x2fa")
    found = {step.where: spoiled(step, step.body) for step in asked}
    assert {where: seen for where, seen in found.items() if seen} == {}
