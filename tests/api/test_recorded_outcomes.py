"""Every recorded reply becomes what is written out in tests/recordings/expected/.

The outcomes were written by tests/tools/expect_recordings.py, which knows nothing of cs_magic.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pandas as pd
import pytest
from reference import cell
from replay import FOLDER, Step, recorded
from servers import KEYS, Scripted, reply, ticking

from cs_magic.api import envelope
from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.profile import Profile
from cs_magic.api.values import Call, JobReply, Options, Response
from cs_magic.connection import Connection
from cs_magic.errors import ApiError, FateUnknown, JobFailed, TransportError

Told = dict[str, Any]
ENDPOINT = "https://recorded.example/client/api"
AS_IT_CAME = Options(check=False, own=True, wait=False)
PAGE = {"page": 1, "pagesize": 500}  # typed, so that one page is asked for
KINDS = ("list", "object", "job", "error", "unusable")


@cache
def outcomes() -> dict[str, Told]:
    """Step → what must come of its reply."""
    found = {}
    for path in sorted((FOLDER / "expected").glob("[A-Z]*.jsonl")):
        for line in path.read_text().rstrip("\n").split("\n"):
            entry = json.loads(line)
            for index, told in enumerate(entry["steps"]):
                found[f"{path.stem}/{entry['file']}#{index}"] = told
    return found


@cache
def columns() -> list[dict[str, str]]:
    """The dtypes that outcomes point to."""
    lines = (FOLDER / "expected" / "columns.jsonl").read_text().rstrip("\n").split("\n")
    return [json.loads(line) for line in lines]


BY_NAME = {step.where: step for step in recorded()}
OF_KIND = {kind: [w for w, told in outcomes().items() if kind in told] for kind in KINDS}
LISTS, OBJECTS, JOBS, ERRORS, UNUSABLE = (OF_KIND[kind] for kind in KINDS)
ENDED = [where for where in OBJECTS if outcomes()[where].keys() & {"done", "failed"}]


def answered(*responses: Response) -> Connection:
    """A connection that gets these replies, the last one for ever."""
    rest = list(responses)
    transport = Scripted(lambda form: rest.pop(0) if len(rest) > 1 else rest[0])
    profile = Profile("recorded", ENDPOINT, KEYS)
    client = Client(profile, transport, ticking(), pause=lambda stop, seconds: None, pagesize=500)
    return Connection(client, bundled())


def response(step: Step) -> Response:
    location = next((v for k, v in step.headers.items() if k.lower() == "location"), None)
    return Response(step.status, step.content_type, step.body, location=location)


def frame(where: str) -> pd.DataFrame:
    """What a person gets for a recorded reply."""
    cloud = answered(response(BY_NAME[where]))
    call = Call(BY_NAME[where].command).having(**PAGE)
    return cloud.frame(cloud.run(call, AS_IT_CAME), AS_IT_CAME)


def check_rows(got: pd.DataFrame, told: Told) -> None:
    """The rows are the told ones, in their order, and every column has its dtype."""
    rows = told["rows"]
    if told.get("by"):
        assert rows == [cell(value) for value in got[told["by"]].astype(object)]
    else:
        assert len(got) == (len(rows) if isinstance(rows, list) else rows)
    types = columns()[told["columns"]] if "columns" in told else {}
    assert {name: str(got[name].dtype) for name in types} == types


def test_every_recorded_step_has_its_outcome_and_every_outcome_its_step():
    assert [step.where for step in recorded()] == list(outcomes())
    assert sorted([*LISTS, *OBJECTS, *JOBS, *ERRORS, *UNUSABLE]) == sorted(outcomes())
    used = {told["columns"] for told in outcomes().values() if "columns" in told}
    assert used == set(range(len(columns())))


def test_the_outcomes_are_of_these_kinds():
    numbers = {kind: len(wheres) for kind, wheres in OF_KIND.items()}
    assert numbers == {"list": 714, "object": 273, "job": 77, "error": 284, "unusable": 31}
    failed = [where for where in ENDED if "failed" in outcomes()[where]]
    assert (len(ENDED), len(failed)) == (73, 14)


@pytest.mark.parametrize("where", LISTS)
def test_a_recorded_list_is_read_to_the_rows_written_out(where):
    told, got = outcomes()[where], frame(where)
    check_rows(got, told)
    assert got.attrs["cs"]["count"] == told["count"]


@pytest.mark.parametrize("where", OBJECTS)
def test_a_recorded_object_is_read_to_the_row_written_out(where):
    got = frame(where)
    assert len(got) == 1
    check_rows(got, outcomes()[where])


@pytest.mark.parametrize("where", JOBS)
def test_a_recorded_job_is_read_to_its_ids(where):
    told, got = outcomes()[where], frame(where)
    step = BY_NAME[where]
    assert isinstance(envelope.read(step.command, response(step)), JobReply)
    assert list(got["jobid"]) == [told["job"]]
    assert [cell(value) for value in got.get("id", [None])] == [told["id"]]


@pytest.mark.parametrize("where", ERRORS)
def test_a_recorded_refusal_is_the_error_written_out(where):
    with pytest.raises(ApiError) as caught:
        frame(where)
    error, told = caught.value, outcomes()[where]
    got = (type(error).__name__, error.errorcode, error.cserrorcode, error.errortext)
    assert got == (told["error"], told["code"], told["cs"], told["text"])


@pytest.mark.parametrize("where", UNUSABLE)
def test_what_is_no_answer_is_said_as_written_out(where):
    with pytest.raises(TransportError) as caught:
        frame(where)
    error, told = caught.value, outcomes()[where]
    assert any(told["unusable"] in said for said in (error.message, *error.hints))
    assert type(error) is (FateUnknown if "fate" in told else TransportError)


@pytest.mark.parametrize("where", ENDED)
def test_who_waited_for_a_recorded_job_gets_what_came_of_it(where):
    told = outcomes()[where]
    began = reply(b'{"startvirtualmachineresponse":{"jobid":"j-1"}}')
    cloud = answered(began, response(BY_NAME[where]))
    call, waiting = Call("startVirtualMachine", (("id", "x"),)), Options(check=False)
    if "failed" in told:
        with pytest.raises(JobFailed) as caught:
            cloud.run(call, waiting)
        assert [caught.value.errorcode, caught.value.errortext] == told["failed"]
        return
    result = cloud.run(call, waiting)
    assert result.key == told["done"]
    got = cloud.frame(result, waiting)
    assert len(got) == 1
    if told.get("made"):
        assert list(got["id"]) == [told["made"]]
