"""Every recorded call of a command that the demo serves, asked by the recorded account.

The demo answers with the same status, content type, envelope, shape, fields, spellings, codes
and paging. `meant.py` is the list of what may differ; `twin.py` puts the demo in the place of
the recorded server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import meant
import pytest
from comparing import compared
from counterparts import ID
from replay import Step, recorded
from twin import Twin

from cs_magic.demo.cloud.served import SERVED
from cs_magic.demo.server import Demo, serving

READS = re.compile("get|list|query|log|validate")
MINUTE = 60.0
RECORDINGS = {
    name: tuple(steps)
    for name, steps in groupby(recorded(), key=lambda step: step.where.rpartition("#")[0])
}
CALLED = {
    name: steps
    for name, steps in RECORDINGS.items()
    if any(step.auth != "integration-port" for step in steps)
}
# There is no second port that asks for no key.
ON_THE_OPEN_PORT = [step.where for step in recorded() if step.auth == "integration-port"]


def test_all_recordings_are_asked_but_those_of_the_open_port():
    assert len(RECORDINGS) == 377
    left = {where.rpartition("#")[0] for where in ON_THE_OPEN_PORT} - CALLED.keys()
    assert RECORDINGS.keys() - CALLED.keys() == left
    assert (len(ON_THE_OPEN_PORT), len(left)) == (29, 3)


def test_of_the_calls_of_served_commands_these_many_are_compared():
    served = [step for steps in CALLED.values() for step in steps if is_served(step)]
    compared_ = sum(len(judged(steps)) for steps in CALLED.values())
    left = sum(len(numbers) for numbers in meant.BEYOND.values())
    assert (len(served), compared_) == (1224, 1224 - 64 - left)


def test_the_steps_that_are_left_out_are_written_down():
    left: dict[str, tuple[int, ...]] = {}
    for name, steps in CALLED.items():
        kept = judged(steps)
        out = [one.where for one in steps if is_served(one) and one not in kept]
        numbers = [int(where.rpartition("#")[2]) for where in out if not meant.step(where)]
        left |= {name: tuple(numbers)} if numbers else {}
    assert left == meant.BEYOND


def test_the_recordings_of_which_nothing_is_judged_are_written_down():
    left = {name: [*map(is_served, steps)] for name, steps in CALLED.items() if not judged(steps)}
    assert sorted(name for name, served in left.items() if any(served)) == sorted(meant.ONLY_MEANT)
    assert [name for name, served in left.items() if not any(served)] == meant.NONE_SERVED


@pytest.fixture(scope="module")
def twin(demo: Demo) -> Twin:
    return Twin(demo)


@contextmanager
def cloud_for(name: str, twin: Twin) -> Iterator[Twin]:
    """The demo of all tests, or one of its own where something is changed or limited."""
    limited = name.startswith("H-")
    changes = (s.command in SERVED and not READS.match(s.command) for s in CALLED[name])
    if not (limited or any(changes) or "lockout" in name):
        yield twin
        return
    limit = (5, MINUTE) if limited else None
    with serving(machines=300, job_seconds=600, throttle=limit) as own:
        yield Twin(own)


@pytest.mark.parametrize("name", CALLED)
def test_it_answers_as_recorded(name: str, twin: Twin) -> None:
    with cloud_for(name, twin) as cloud:
        found = differences(CALLED[name], cloud)
    wheres = {step.where for step in judged(CALLED[name])}
    assert [one for one in found if one[0] in wheres] == []


@pytest.mark.parametrize("name", meant.STEPS)
def test_what_is_meant_to_differ_does(name: str, twin: Twin) -> None:
    with cloud_for(name, twin) as cloud:
        found = {one[0] for one in differences(CALLED[name], cloud)}
    assert {f"{name}#{number}" for number in meant.STEPS[name][1:]} - found == set()


RECORDED_FIELDS = [key for key, (_, where) in meant.FIELDS.items() if "#" in where]


@pytest.mark.parametrize("key", RECORDED_FIELDS)
def test_a_field_that_is_meant_to_differ_does(key: tuple[str, str], twin: Twin) -> None:
    (_, names), (_, where) = key, meant.FIELDS[key]
    name = where.rpartition("#")[0]
    with cloud_for(name, twin) as cloud:
        found = differences(CALLED[name], cloud, meant_too=True)
    fields = {f".{theirs or ours}" for at, _, theirs, ours in found if at == where}
    for one in names.split():
        assert any(field.endswith(f".{one}") for field in fields), one


def is_served(step: Step) -> bool:
    return step.auth != "integration-port" and (step.command in SERVED or not step.command)


def judged(steps: tuple[Step, ...]) -> list[Step]:
    """The steps that are held against the demo.

    Not those of commands that it doesn't serve, those that are meant to differ, and those that
    name an id which one of these gave.
    """
    beyond: set[str] = set()
    found = []
    for step in steps:
        asked = set(ID.findall(step.sent["target"] + (step.sent.get("body") or "")))
        if is_served(step) and not meant.step(step.where) and not beyond & asked:
            found.append(step)
        elif step.auth != "integration-port":
            beyond |= set(ID.findall(step.body.decode("utf-8", "replace"))) - asked
    return found


def differences(
    steps: tuple[Step, ...], twin: Twin, meant_too: bool = False
) -> list[tuple[str, str, Any, Any]]:
    """Where an answer is another one: the step, in what, the recorded, the demo's."""
    twin.begin()
    found = []
    before = 200
    for step in (one for one in steps if one.auth != "integration-port"):
        if before == 429 and step.status == 200:
            twin.demo.let_pass(MINUTE)
        reply, before = twin.ask(step), step.status
        found += [
            (step.where, *one)
            for one in compared(step, reply)
            if meant_too or not meant.difference(step.command, one)
        ]
    return found
