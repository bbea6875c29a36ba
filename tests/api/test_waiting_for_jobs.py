"""Jobs, held against small servers and the recorded answers: waited for, failed, left running."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from replay import recorded
from servers import Came, Reply, Server, serving

from cs_magic import ApiError, FateUnknown, JobFailed, SignInNeeded, StillRunning, TransportError
from cs_magic.api.envelope import read
from cs_magic.api.job import Job, answer
from cs_magic.api.jobs import LONGEST, SHORTEST, Watcher, ask, ended, interval
from cs_magic.api.values import Call, Document, JobReply, Options, Response
from cs_magic.connection import Connection
from cs_magic.following import each, job
from cs_magic.opening import opened

STARTED = b'{"stopvirtualmachineresponse":{"jobid":"j-1"}}'
ID = "cbe28269-ac23-4d52-a8b0-a2ae8f78f9f6"


def asked(**fields: Any) -> bytes:
    """What the server says of a job."""
    return json.dumps({"queryasyncjobresultresponse": {"cmd": "x.StopVMCmd", **fields}}).encode()


def done(result: Any = None, **fields: Any) -> bytes:
    result = {"virtualmachine": {"id": ID, "name": "web-1"}} if result is None else result
    return asked(jobid="j-1", jobstatus=1, jobresultcode=0, jobresult=result, **fields)


RUNNING = asked(jobid="j-1", jobstatus=0)


class Seen(Watcher):
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def began(self, call: Any, jobid: str) -> None:
        self.told.append(f"{call.command} began {jobid}")

    def looked(self, job: Job) -> None:
        self.told.append(f"{job.jobid} {job.status}")

    def ended(self, job: Job, error: Exception | None) -> None:
        self.told.append(f"{job.jobid} ended: {error}")

    def sends(self, call: Any) -> None:
        self.told.append(f"{call.command} is sent")


@contextmanager
def cloud(*replies: bytes, **settings: Any) -> Iterator[tuple[Connection, Server, list[float]]]:
    """A connection whose pauses take no time, to a server whose jobs answer so, one by one."""
    left = list(replies)

    def answers(came: Came) -> Reply:
        if came.form["command"] != "queryAsyncJobResult":
            return Reply(body=STARTED)
        return Reply(body=left.pop(0) if len(left) > 1 else left[0])

    with serving(answers) as server, opened(server.profile(**settings)) as connection:
        pauses: list[float] = []
        connection.client.pause = lambda _, seconds: pauses.append(seconds)
        yield connection, server, pauses


def commands(server: Server) -> list[str]:
    return [came.form["command"] for came in server.came]


def test_a_call_gives_what_its_job_made_as_one_typed_row() -> None:
    made = {
        "virtualmachine": {
            "id": ID,
            "name": "a",
            "memory": 512,
            "created": "2026-11-23T15:07:55+0000",
        }
    }
    with cloud(RUNNING, RUNNING, done(made)) as (connection, server, _):
        frame = connection.stopVirtualMachine(id=ID)
    assert (len(frame), frame.name[0], frame.memory[0]) == (1, "a", 512)
    assert str(frame.created.dtype) == "datetime64[us, UTC]"
    assert frame.attrs["cs"]["jobid"] == "j-1"
    assert commands(server) == ["stopVirtualMachine", *["queryAsyncJobResult"] * 3]


LONG = b"1" * 5_000


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b"[1e999]", LONG])
def test_a_result_with_a_number_that_is_none_is_still_the_jobs_result(value: bytes) -> None:
    said = b'{"x":{"jobstatus":1,"odd":%s,"jobresult":{"virtualmachine":{"id":"a","n":%s}}}}'
    with cloud(said % (value, value)) as (connection, *_):
        frame = connection.stopVirtualMachine(id=ID)
    assert (len(frame), frame.id[0]) == (1, "a")


@pytest.mark.parametrize("code", [LONG, b"NaN", b'"\xd9\xa2"', b'"x"', b"[]"])
def test_a_failed_job_is_one_whatever_its_code_is(code: bytes) -> None:
    said = b'{"x":{"jobstatus":2,"jobresult":{"errorcode":%s,"errortext":"no room"}}}' % code
    with cloud(said) as (connection, *_), pytest.raises(JobFailed) as caught:
        connection.stopVirtualMachine(id=ID)
    assert (caught.value.errortext, caught.value.errorcode) == ("no room", 530)


def test_a_failed_jobs_text_tells_no_secret() -> None:
    text = "Cannot run /x?apiKey=tell-tale&a=1 with password=tell-tale"
    failed = asked(jobid="j-1", jobstatus=2, jobresult={"errorcode": 530, "errortext": text})
    with cloud(failed) as (connection, *_), pytest.raises(JobFailed) as caught:
        connection.stopVirtualMachine(id=ID)
    assert "tell-tale" not in f"{caught.value!r} {vars(caught.value)}"


@pytest.mark.parametrize("status", [LONG, b"NaN", '"٢"'.encode(), '"²"'.encode(), b"-1", b"null"])
def test_a_job_whose_state_is_no_number_is_no_job(status: bytes) -> None:
    with (
        cloud(b'{"x":{"jobstatus":%s,"jobresult":{"a":1}}}' % status) as (connection, *_),
        pytest.raises(TransportError) as caught,
    ):
        connection.stopVirtualMachine(id=ID)
    assert "is no job" in caught.value.message
    assert "%cs job j-1" in caught.value.hints[-1]


@pytest.mark.parametrize("jobid", [None, "", {"a": 1}])
def test_a_write_that_was_answered_with_no_job_may_have_been_carried_out(jobid: Any) -> None:
    body = json.dumps({"x": {"jobid": jobid}}).encode()
    with (
        serving(lambda _: Reply(body=body)) as server,
        opened(server.profile()) as connection,
        pytest.raises(FateUnknown) as caught,
    ):
        connection.stopVirtualMachine(id=ID)
    assert "names no job" in caught.value.hints[0]


def test_a_job_that_is_not_waited_for_is_one_row_with_its_id() -> None:
    with cloud(RUNNING) as (connection, server, _):
        frame = connection.call("stopVirtualMachine", id=ID, wait=False)
    assert (list(frame.columns), frame.jobid[0]) == (["jobid", "id"], "j-1")
    assert commands(server) == ["stopVirtualMachine"]


def test_the_pauses_begin_short_and_grow_to_a_few_seconds() -> None:
    with cloud(*[RUNNING] * 20, done()) as (connection, _, pauses):
        connection.stopVirtualMachine(id=ID)
    assert SHORTEST * 0.8 <= pauses[0] <= SHORTEST * 1.2
    # A pause is told of each second, so that the line on the screen goes on.
    assert max(pauses) <= 1.0
    assert sum(pauses) > 50
    assert interval(0) < 0.4
    assert LONGEST * 0.8 <= interval(1_000_000) <= LONGEST * 1.2
    assert interval(0, together=500) > 4


def test_the_watcher_has_the_id_before_the_job_is_asked_after_and_is_told_its_end() -> None:
    seen = Seen()
    with cloud(RUNNING, done()) as (connection, _, _pauses):
        connection.run(Call("stopVirtualMachine", (("id", ID),)), Options(), None, seen)
    assert seen.told[:3] == [
        "stopVirtualMachine is sent", "stopVirtualMachine began j-1", "j-1 0",
    ]  # fmt: skip
    assert seen.told[-2:] == ["j-1 1", "j-1 ended: None"]


FAILED = {"errorcode": 533, "errortext": "No host has room"}


def test_a_job_that_failed_is_an_error_in_its_own_words() -> None:
    body = asked(jobid="j-1", jobstatus=2, jobresultcode=530, jobresult=FAILED)
    with cloud(RUNNING, body) as (connection, _, _pauses), pytest.raises(JobFailed) as failed:
        connection.stopVirtualMachine(id=ID)
    error = failed.value
    assert (str(error), error.errorcode, error.jobid) == ("No host has room", 533, "j-1")
    assert error.lines()[1] == "  stopVirtualMachine: errorcode 533, job j-1"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "The job failed, and the server doesn't say why"),
        ({"jobresult": "java.lang.NullPointerException"}, "java.lang.NullPointerException"),
        ({"jobresult": '{"errorcode":530,"errortext":"so \\u0041 it is"}'}, "so A it is"),
    ],
)
def test_a_failure_without_json_in_its_result_says_what_there_is(fields: Any, said: str) -> None:
    body = asked(jobid="j-1", jobstatus=2, jobresultcode=530, **fields)
    with cloud(body) as (connection, _, _pauses), pytest.raises(JobFailed) as failed:
        connection.stopVirtualMachine(id=ID)
    assert failed.value.errortext == said
    restarted = any("restarted" in hint for hint in failed.value.hints)
    assert restarted == (not fields)


@pytest.mark.parametrize("fields", [{}, {"jobresult": "it is done"}])
def test_a_job_that_is_done_without_an_object_gives_its_own_row_and_says_so(fields: Any) -> None:
    with cloud(asked(jobid="j-1", jobstatus=1, **fields)) as (connection, _, _pauses):
        result = connection.run(Call("stopVirtualMachine", (("id", ID),)), Options())
        frame = connection.frame(result, Options())
    assert (frame.jobid[0], frame.jobstatus[0]) == ("j-1", 1)
    assert any("has no result" in note for note in result.notes)


def test_success_and_lists_and_a_nameless_object_are_rows() -> None:
    def came(result: Any) -> Any:
        return answer(Job("j-1", 1, json.dumps({"jobresult": result}).encode()), "x")

    assert came({"success": True}) == Document(None, b'{"success":true}')
    assert came({"null": {"id": 5}}).key is None
    assert came({"template": [{"id": "a"}, {"id": "b"}]}).rows == b'[{"id": "a"}, {"id": "b"}]'


def test_broken_json_in_a_result_is_repaired_and_told() -> None:
    body = done({"virtualmachine": {"id": ID, "name": "PLACE"}}).replace(b"PLACE", b"a\\Ab")
    with cloud(body) as (connection, _, _pauses):
        result = connection.run(Call("stopVirtualMachine", (("id", ID),)), Options())
    assert result.table["name"].to_pylist() == ["a\\Ab"]
    assert "invalid JSON was repaired" in result.notes


def test_secrets_that_a_job_gives_are_masked_and_kept_for_reveal() -> None:
    with cloud(done({"userkeys": {"apikey": "tell-k", "secretkey": "tell-s"}})) as (
        connection,
        _,
        _p,
    ):
        frame = connection.call("registerUserKeys", id=ID)
    assert "tell-" not in frame.to_string()


def test_waiting_no_longer_is_an_error_that_says_how_to_go_on_and_nothing_is_sent_twice() -> None:
    with cloud(RUNNING) as (connection, server, _), pytest.raises(StillRunning) as left:
        connection.call("stopVirtualMachine", id=ID, job_timeout=0.02)
    assert left.value.jobids == ("j-1",)
    assert "%cs job j-1" in left.value.hints[0]
    assert commands(server).count("stopVirtualMachine") == 1


def test_the_profile_says_how_long_jobs_are_waited_for() -> None:
    with cloud(RUNNING, job_timeout=0.01) as (connection, _, _pauses), pytest.raises(StillRunning):
        connection.stopVirtualMachine(id=ID)


def test_a_poll_that_fails_is_tried_again_and_the_call_is_not() -> None:
    polls = iter([Reply(503, b""), Reply(drop=True), Reply(body=RUNNING), Reply(body=done())])

    def answers(came: Came) -> Reply:
        return Reply(body=STARTED) if came.form["command"] != "queryAsyncJobResult" else next(polls)

    with serving(answers) as server, opened(server.profile()) as connection:
        connection.client.pause = lambda *_: None
        assert len(connection.stopVirtualMachine(id=ID)) == 1
    assert commands(server).count("stopVirtualMachine") == 1


def test_who_interrupts_the_waiting_is_told_the_id() -> None:
    with cloud(RUNNING) as (connection, _, _pauses):

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        connection.client.pause = stop
        with pytest.raises(KeyboardInterrupt) as stopped:
            connection.stopVirtualMachine(id=ID)
    assert "%cs job j-1" in stopped.value.__notes__[0]


def refused(code: int, text: str) -> Callable[[Came], Reply]:
    inner = {"uuidList": [], "errorcode": code, "cserrorcode": 4350, "errortext": text}
    body = json.dumps({"queryasyncjobresultresponse": inner}).encode()
    return lambda _: Reply(code, body)


@pytest.mark.parametrize(("code", "hint"), [(431, "doesn't know that job"), (531, "may not see")])
def test_a_job_that_is_unknown_or_anothers_says_which(code: int, hint: str) -> None:
    with (
        serving(refused(code, "no")) as server,
        opened(server.profile()) as connection,
        pytest.raises(ApiError) as error,
    ):
        job(connection, "j-9", Options(), Watcher())
    assert str(error.value) == "no"
    assert any(hint in one for one in error.value.hints)


@pytest.mark.parametrize("code", [431, 531, 401])
def test_a_job_that_was_taken_and_cannot_be_asked_after_is_told_with_its_command(code: int) -> None:
    def answers(came: Came) -> Reply:
        if came.form["command"] != "queryAsyncJobResult":
            return Reply(body=STARTED)
        return refused(code, "CloudStack's own text")(came)

    with serving(answers) as server, opened(server.profile()) as connection:
        connection.client.pause = lambda *_: None
        with pytest.raises(ApiError) as error:
            connection.stopVirtualMachine(id=ID)
    assert error.value.message.startswith("stopVirtualMachine was taken as job j-1")
    assert error.value.jobid == "j-1"
    assert "CloudStack's own text" in "\n".join(error.value.lines())
    assert ("%cs job j-1" in str(error.value.hints)) == (code == 401)
    assert ("it goes on" in error.value.message) == (code != 431)


def test_the_time_that_is_waited_is_held_while_the_job_is_asked_after() -> None:
    hold = threading.Event()

    def answers(came: Came) -> Reply:
        if came.form["command"] != "queryAsyncJobResult":
            return Reply(body=STARTED)
        hold.wait(30)
        return Reply(body=RUNNING)

    with serving(answers) as server, opened(server.profile()) as connection:
        with pytest.raises(StillRunning, match="is not over after"):
            connection.call("stopVirtualMachine", id=ID, job_timeout=0.5)
        assert not hold.is_set()
        with pytest.raises(StillRunning, match="is not over after"):
            job(connection, "j-1", Options(timeout=0.1), Watcher())
        stops = [Call("stopVirtualMachine", (("id", ID),))]
        frame = connection.frame(each(connection, stops, Options(timeout=0.5)), Options())
        hold.set()
        assert commands(server).count("stopVirtualMachine") == 2
    assert (frame.outcome[0], frame.error[0]) == ("still running", "not over after 0.5 s")


def test_who_interrupts_a_call_under_way_is_told_how_to_find_its_job() -> None:
    with cloud(RUNNING) as (connection, _, _pauses):

        def stop(request: object) -> None:
            raise KeyboardInterrupt

        connection.client.transport.send = stop  # type: ignore[assignment,method-assign]
        with pytest.raises(KeyboardInterrupt) as stopped:
            connection.call("stopVirtualMachine", id=ID, customjobid="j-9")
    assert "it may have been carried out" in stopped.value.__notes__[0]
    assert "%cs job j-9" in stopped.value.__notes__[0]


def test_a_job_takes_as_long_as_the_server_says() -> None:
    times = {"created": "2026-11-23T15:09:51+0000", "completed": "2026-11-23T16:09:58+0100"}
    assert Job("j", 1, json.dumps(times).encode()).seconds == 7
    assert Job("j", 0, json.dumps({"created": times["created"]}).encode()).seconds is None
    assert Job("j", 1, b"{}").seconds is None
    assert Job("j", 1, b'{"created": "2026-11-23T15:09:51", "completed": 5}').seconds is None


def test_a_job_of_another_kernel_is_typed_by_what_it_made() -> None:
    made = {"virtualmachine": {"id": ID, "created": "2026-11-23T15:07:55+0000"}}
    with cloud(done(made)) as (connection, _, _pauses):
        frame = connection.frame(job(connection, "j-1", Options(), Watcher()), Options())
    assert str(frame.created.dtype) == "datetime64[us, UTC]"


def test_a_job_as_it_stands_is_one_row_that_nobody_waits_for() -> None:
    with cloud(RUNNING) as (connection, server, pauses):
        options = Options(wait=False)
        frame = connection.frame(job(connection, "j-1", options, Watcher()), options)
    assert (frame.jobstatus[0], pauses, len(server.came)) == (0, [], 1)


def test_a_session_that_ends_while_a_job_is_waited_for_is_no_reason_to_send_it_again() -> None:
    with cloud(RUNNING) as (connection, _, _pauses):

        def nobody(*_: object, **__: object) -> None:
            raise SignInNeeded("nobody")

        connection.client.exchange = nobody  # type: ignore[assignment,method-assign]
        with pytest.raises(StillRunning, match="it goes on"):
            ended(connection.client, Call("stopVirtualMachine"), Watcher())(JobReply("j-1"))


def test_a_reply_that_was_lost_is_not_waited_for() -> None:
    with (
        serving(lambda _: Reply(drop=True)) as server,
        opened(server.profile()) as connection,
        pytest.raises(FateUnknown),
    ):
        connection.stopVirtualMachine(id=ID)
    assert len(server.came) == 1


POLLS = [
    step
    for step in recorded()
    if step.command == "queryAsyncJobResult"
    and step.status == 200
    and b"jobstatus" in step.body
    and step.where.startswith("E-async")
    and "json" in step.content_type
]


def test_every_recorded_job_is_read_and_every_failure_says_what_the_server_said() -> None:
    ends = {"running": 0, "done": 0, "failed": 0}
    for step in POLLS:
        payload = read(step.command, Response(step.status, step.content_type, step.body))
        assert isinstance(payload, Document), step.where
        said = json.loads(payload.fields)
        one = Job("j", said["jobstatus"], payload.fields)
        if not one.over:
            ends["running"] += 1
        elif one.status == 1:
            ends["done"] += 1
            made = answer(one, "x")
            [value] = said["jobresult"].values()
            expected = value if isinstance(value, dict) else said["jobresult"]
            assert json.loads(made.fields) == expected, step.where  # type: ignore[union-attr]
        else:
            ends["failed"] += 1
            with pytest.raises(JobFailed) as failed:
                answer(one, "x")
            assert failed.value.errortext == said["jobresult"]["errortext"], step.where
            assert failed.value.errorcode == said["jobresult"]["errorcode"], step.where
    assert min(ends.values()) >= 5, ends


def test_a_thread_that_polls_ends_with_the_event() -> None:
    stop = threading.Event()
    stop.set()
    with (
        cloud(RUNNING) as (connection, server, _),
        pytest.raises(Exception, match="no longer wanted"),
    ):
        ask(connection.client, "j-1", stop)
    assert server.came == []
