"""What the demo doesn't serve it refuses, as the recorded server refuses it.

A command that this server has is refused as to an account that may not use it; one that it
doesn't have, of a plugin that is not enabled, as one that doesn't exist.
"""

from __future__ import annotations

import json
from functools import cache

import pytest
from conftest import ROLES, Call
from replay import recorded

from cs_magic.api.catalogue import bundled
from cs_magic.demo.cloud.served import SERVED

STEPS = {step.where: step for step in recorded()}
FORBIDDEN, NO_SUCH = STEPS["C-errors/14-u1-forbidden#1"], STEPS["B-signature/103-unknown-command#0"]
UNSERVED = sorted(set(bundled().names()) - set(SERVED))


@cache
def recorded_commands() -> set[str]:
    """What the recorded server's listApis told its admin."""
    replies = (s.body for s in recorded() if s.command == "listApis" and s.account == "admin")
    documents = (json.loads(body, strict=False) for body in replies if body.startswith(b"{"))
    lists = [inner.get("api", []) for d in documents for inner in d.values()]
    return {entry["name"] for entry in max(lists, key=len)}


def as_recorded(name: str, account: str) -> tuple[int, str, bytes]:
    """Status, type and body of the recorded refusal, for another command and account."""
    if name not in recorded_commands():
        return NO_SUCH.status, NO_SUCH.content_type.lower(), NO_SUCH.body
    body = FORBIDDEN.body.decode().replace("[listHosts]", f"[{name}]")
    body = body.replace("account u1.", f"account {account}.")
    return FORBIDDEN.status, FORBIDDEN.content_type.lower(), body.encode()


def test_every_served_command_is_cloudstacks() -> None:
    assert set(SERVED) <= set(bundled().names())
    assert (len(SERVED), len(UNSERVED), len(recorded_commands())) == (116, 857, 786)


@pytest.mark.parametrize("who", ["root", "domain admin", "user"])
def test_every_other_command_is_refused_as_recorded(call: Call, who: str) -> None:
    different = {}
    for name in UNSERVED:
        answer = call(who, name)
        got = answer.status, answer.headers["Content-Type"].lower(), answer.body
        if got != as_recorded(name, ROLES[who]):
            different[name] = got
    assert different == {}
