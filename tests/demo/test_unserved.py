"""What the demo doesn't serve it refuses, as the recorded server refuses it.

A command that this server has is refused as to an account that may not use it; one that it
doesn't have, of a plugin that is not enabled, as one that doesn't exist. unserved.txt holds
the names of both kinds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from conftest import ROLES, Call
from replay import Step, recorded

from cs_magic.api.catalogue import bundled
from cs_magic.demo.cloud.served import SERVED
from cs_magic.demo.server import Demo

STEPS = {step.where: step for step in recorded()}
# The command that was refused, the refusal of it by key, and in a session.
FORBIDDEN = "listHosts", STEPS["C-errors/14-u1-forbidden#1"]
NO_SUCH = "", STEPS["B-signature/103-unknown-command#0"]
UNAVAILABLE = "createZone", STEPS["A-login/45-session-forbidden-command#1"]
UNKNOWN = "listNothing", STEPS["A-login/43-session-unknown-command#1"]
UNSERVED = sorted(set(bundled().names()) - set(SERVED))


def held() -> tuple[list[str], list[str]]:
    """The refused commands by name: those that a role may not use, and those that don't exist."""
    lines = (Path(__file__).parent / "unserved.txt").read_text().splitlines()
    first, second = (number for number, line in enumerate(lines) if line.startswith("#"))
    return " ".join(lines[first + 1 : second]).split(), " ".join(lines[second + 1 :]).split()


@cache
def recorded_commands() -> set[str]:
    """What the recorded server's listApis told its admin."""
    replies = (s.body for s in recorded() if s.command == "listApis" and s.account == "admin")
    documents = (json.loads(body, strict=False) for body in replies if body.startswith(b"{"))
    lists = [inner.get("api", []) for d in documents for inner in d.values()]
    return {entry["name"] for entry in max(lists, key=len)}


def as_recorded(
    name: str, account: str, kinds: tuple[tuple[str, Step], ...] = (FORBIDDEN, NO_SUCH)
) -> tuple[int, str, bytes]:
    """Status, type and body of the recorded refusal, for another command and account."""
    asked, step = kinds[name not in recorded_commands()]
    body = step.body.decode().replace(asked, name) if asked else step.body.decode()
    body = body.replace("account u1.", f"account {account}.")
    return step.status, step.content_type.lower(), body.encode()


def refused_otherwise(who: str, ask: Callable[[str], Any], *kinds: tuple[str, Step]) -> Any:
    """The commands that are not refused as recorded, and the answers."""
    different = {}
    for name in UNSERVED:
        answer = ask(name)
        got = answer.status, answer.headers["Content-Type"].lower(), answer.body
        if got != as_recorded(name, ROLES[who], kinds or (FORBIDDEN, NO_SUCH)):
            different[name] = got
    return different


def test_every_served_command_is_cloudstacks() -> None:
    assert set(SERVED) <= set(bundled().names())
    assert (len(SERVED), len(UNSERVED), len(recorded_commands())) == (116, 857, 786)


@pytest.mark.parametrize("who", ["root", "domain admin", "user"])
def test_every_other_command_is_refused_as_recorded(call: Call, who: str) -> None:
    assert refused_otherwise(who, lambda name: call(who, name)) == {}


@pytest.mark.parametrize("who", ["root", "user"])
def test_in_a_session_every_other_command_is_refused_as_recorded(
    browser: Browser, demo: Demo, who: str
) -> None:
    browser.enter(demo.accounts[ROLES[who]])
    # What a user was told of a command that doesn't exist is not recorded.
    kinds = (UNAVAILABLE, UNKNOWN) if who == "root" else (UNAVAILABLE, UNAVAILABLE)
    assert refused_otherwise(who, browser.call, *kinds) == {}


def test_the_refused_commands_are_those_that_are_written_down() -> None:
    forbidden, unknown = held()
    assert sorted((*forbidden, *unknown)) == UNSERVED
    assert [name for name in UNSERVED if name in recorded_commands()] == forbidden
