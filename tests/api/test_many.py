"""Many calls: each sent once, whatever becomes of the others; bounded, put off, interrupted."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from servers import Came, Reply, Server, serving

from cs_magic import CallError, StillRunning
from cs_magic.api.gate import Gate
from cs_magic.api.jobs import Watcher
from cs_magic.api.many import THREADS
from cs_magic.api.values import Call, Options, Result
from cs_magic.connection import Connection
from cs_magic.following import each
from cs_magic.opening import opened

Answer = Callable[[Came], Reply]


def body(key: str, **inner: Any) -> bytes:
    return json.dumps({f"{key}response": inner}).encode()


def refusal(code: int, text: str) -> Reply:
    return Reply(code, body("x", errorcode=code, errortext=text))


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def stops(count: int) -> list[Call]:
    return [Call("stopVirtualMachine", (("id", uuid(number)),)) for number in range(count)]


def job_of(came: Came) -> Reply:
    """A job for each call, whose id is the machine's; it is done when it is asked after."""
    if came.form["command"] != "queryAsyncJobResult":
        return Reply(body=body("stopvirtualmachine", jobid=f"job-{came.form['id']}"))
    fields = {"jobid": came.form["jobid"], "jobstatus": 1, "jobresult": {"success": True}}
    return Reply(body=body("queryasyncjobresult", **fields))


def running(came: Came) -> Reply:
    """A job that never ends."""
    if came.form["command"] != "queryAsyncJobResult":
        return job_of(came)
    return Reply(body=body("queryasyncjobresult", jobid=came.form["jobid"], jobstatus=0))


@contextmanager
def cloud(answer: Answer, **settings: Any) -> Iterator[tuple[Connection, Server]]:
    with serving(answer) as server, opened(server.profile(**settings)) as connection:
        yield connection, server


def rows(connection: Connection, result: Result) -> list[dict[str, Any]]:
    return list(connection.frame(result, Options()).to_dict("records"))


def sent(server: Server, command: str = "stopVirtualMachine") -> list[str]:
    return [came.form["id"] for came in server.came if came.form["command"] == command]


def test_each_call_is_one_row_in_the_order_given_and_is_sent_once() -> None:
    with cloud(job_of) as (connection, server):
        found = rows(connection, each(connection, stops(30), Options(), workers=8))
    assert [row["id"] for row in found] == [uuid(number) for number in range(30)]
    assert all(row["jobid"] == f"job-{row['id']}" for row in found)
    assert {row["outcome"] for row in found} == {"done"}
    assert all(row["seconds"] > 0 for row in found)
    assert sorted(sent(server)) == sorted(row["id"] for row in found)


def test_whatever_fails_is_told_in_its_row_and_stops_no_other() -> None:
    def answer(came: Came) -> Reply:
        number = int(came.form.get("id", came.form.get("jobid", "")).rpartition("-")[2])
        if came.form["command"] == "queryAsyncJobResult":
            if number == 3:
                failed = {"errorcode": 530, "errortext": "No host"}
                return Reply(
                    body=body("q", jobid=came.form["jobid"], jobstatus=2, jobresult=failed)
                )
            return refusal(431, "no such job") if number == 4 else job_of(came)
        if number == 1:
            return refusal(431, "It is running already")
        return Reply(drop=True) if number == 2 else job_of(came)

    with cloud(answer) as (connection, server):
        result = each(connection, stops(6), Options())
        found = rows(connection, result)
    lost = [came.form["customjobid"] for came in server.came if came.form.get("id") == uuid(2)]
    assert [found[2]["jobid"]] == lost
    assert len([note for note in result.notes if note.startswith("2 unknown: ")]) == 1
    outcomes = [(row["outcome"], row["error"]) for row in found]
    assert outcomes[1] == ("failed", "It is running already")
    assert outcomes[2][0] == "unknown"
    assert "may have been carried out" in outcomes[2][1]
    assert outcomes[3] == ("failed", "No host")
    assert outcomes[4][0] == "unknown"
    assert outcomes[4][1].startswith("the server doesn't know this job any more")
    assert [outcome for outcome, _ in outcomes] == [
        "done", "failed", "unknown", "failed", "unknown", "done",
    ]  # fmt: skip
    assert Counter(sent(server)) == Counter(uuid(number) for number in range(6))


def test_nothing_is_sent_for_an_empty_list_and_the_table_has_its_columns() -> None:
    with cloud(job_of) as (connection, server):
        result = each(connection, [], Options(), like=Call("stopVirtualMachine", (("id", "$i"),)))
        frame = connection.frame(result, Options())
    assert (len(frame), server.came) == (0, [])
    assert set(frame.columns) == {"id", "outcome", "jobid", "error", "seconds"}


def test_one_wrong_call_among_many_is_refused_before_any_is_sent() -> None:
    calls = [*stops(5), Call("stopVirtualMachine", (("ids", "x"),))]
    with cloud(job_of) as (connection, server):
        with pytest.raises(CallError):
            each(connection, calls, Options())
        assert server.came == []


class Counting(Watcher):
    """Counts what is under way, and how many threads there are for it."""

    def __init__(self) -> None:
        self.most = self.threads = 0
        self.last: Mapping[str, int] = {}

    def counted(self, counts: Mapping[str, int]) -> None:
        self.last = counts
        self.most = max(self.most, counts["sending"] + counts["still running"])
        names = [thread.name for thread in threading.enumerate()]
        self.threads = max(self.threads, names.count("cs_magic calls"))


def test_no_more_than_the_workers_are_under_way_and_the_threads_are_few() -> None:
    under_way: set[str] = set()
    most: list[int] = []

    def answer(came: Came) -> Reply:
        if came.form["command"] == "queryAsyncJobResult":
            under_way.discard(came.form["jobid"].removeprefix("job-"))
        else:
            under_way.add(came.form["id"])
            most.append(len(under_way))
        return job_of(came)

    seen = Counting()
    with cloud(answer) as (connection, _):
        each(connection, stops(150), Options(), workers=50, watcher=seen)
    assert 8 < max(most) <= 50
    assert 0 < seen.threads <= THREADS
    assert seen.most <= 50
    assert seen.last["done"] == 150
    assert not [one for one in threading.enumerate() if one.name == "cs_magic calls"]


@pytest.mark.parametrize("told", ["retry after [40] ms", ""])
def test_a_call_that_is_put_off_holds_all_of_them_and_is_sent_again(told: str) -> None:
    turns: dict[str, int] = {}

    def answer(came: Came) -> Reply:
        number = turns[came.form.get("id", "")] = turns.get(came.form.get("id", ""), 0) + 1
        if came.form["command"] == "queryAsyncJobResult" or number > 1:
            return job_of(came)
        if told:
            return refusal(429, f"The given user has reached the limit, please {told}.")
        return Reply(429, b"", {"Retry-After": "0"})

    with cloud(answer) as (connection, server):
        found = rows(connection, each(connection, stops(3), Options(), workers=2))
    assert {row["outcome"] for row in found} == {"done"}
    assert set(Counter(sent(server)).values()) == {2}


def test_a_job_that_takes_too_long_is_still_running_and_makes_room() -> None:
    with cloud(running) as (connection, server):
        found = rows(connection, each(connection, stops(6), Options(timeout=0.05), workers=2))
    assert {row["outcome"] for row in found} == {"still running"}
    assert all("not over after" in row["error"] for row in found)
    assert len(sent(server)) == 6


def test_without_waiting_no_job_is_asked_after() -> None:
    with cloud(running) as (connection, server):
        found = rows(connection, each(connection, stops(6), Options(wait=False)))
    assert {row["outcome"] for row in found} == {"still running"}
    assert all(row["jobid"] for row in found)
    assert len(server.came) == 6


class Impatient(Counting):
    """Interrupts once so many are under way, as the stop button does."""

    def counted(self, counts: Mapping[str, int]) -> None:
        super().counted(counts)
        if counts["still running"] >= 3:
            raise KeyboardInterrupt


def test_an_interrupt_sends_nothing_more_and_tells_what_goes_on_and_what_was_not_sent() -> None:
    with cloud(running) as (connection, server):
        with pytest.raises(StillRunning) as left:
            each(connection, stops(20), Options(), workers=3, watcher=Impatient())
        found = rows(connection, left.value.result)
        came = len(server.came)
    assert Counter(row["outcome"] for row in found) == {"still running": 3, "not sent": 17}
    assert sorted(left.value.jobids) == sorted(f"job-{uuid(number)}" for number in range(3))
    assert "3 still running · 17 not sent" in str(left.value)
    assert sorted(sent(server)) == [uuid(number) for number in range(3)]
    assert left.value.result.provenance.complete is False
    assert len(server.came) == came


class Queued(Gate):
    """A gate that tells when so many have come to it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._left = number
        self.full = threading.Event()

    @contextmanager
    def turn(self, most: int, stop: threading.Event) -> Iterator[None]:
        with self._changed:
            self._left -= 1
            if self._left == 0:
                self.full.set()
        with super().turn(most, stop):
            yield


def ended(name: str = "cs_magic calls") -> bool:
    """Whether the threads of that name end."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(30)
    return name not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("workers", [4, 20])
def test_an_interrupt_sends_nothing_of_what_waits_for_its_turn(workers: int) -> None:
    go, arrived, gate = threading.Event(), threading.Event(), Queued(min(workers, THREADS))

    def answer(came: Came) -> Reply:
        arrived.set()
        go.wait(30)
        return job_of(came)

    class OnceAllCame(Counting):
        came = False

        def counted(self, counts: Mapping[str, int]) -> None:
            super().counted(counts)
            if self.came:
                raise KeyboardInterrupt
            self.came = gate.full.is_set() and arrived.is_set()

    seen = OnceAllCame()
    with cloud(answer, workers=1) as (connection, server):
        connection.client.gate = gate
        with pytest.raises(StillRunning) as left:
            each(connection, stops(30), Options(), workers=workers, watcher=seen)
        go.set()
        assert ended()
        found = rows(connection, left.value.result)
    assert (seen.last["sending"], seen.last["not sent"]) == (1, 29)
    assert Counter(row["outcome"] for row in found) == {"unknown": 1, "not sent": 29}
    assert {str(row["error"]) for row in found if row["outcome"] == "not sent"} == {"nan"}
    assert [row["jobid"] for row in found if row["outcome"] == "unknown"] == [
        came.form["customjobid"] for came in server.came
    ]


def test_an_interrupt_sends_nothing_of_what_waits_for_a_pause_to_end() -> None:
    gate = Queued(4)

    def answer(came: Came) -> Reply:
        gate.full.wait(30)
        return Reply(429, b"", {"Retry-After": "2"})

    class OncePaused(Watcher):
        def counted(self, counts: Mapping[str, int]) -> None:
            if gate.held > 0:
                raise KeyboardInterrupt

    with cloud(answer, workers=1) as (connection, server):
        connection.client.gate = gate
        with pytest.raises(StillRunning) as left:
            each(connection, stops(9), Options(), watcher=OncePaused())
        assert ended()
        found = rows(connection, left.value.result)
    assert {row["outcome"] for row in found} == {"not sent"}
    assert len(server.came) == 1


def test_many_took_as_long_as_the_clock_says_and_not_as_their_sum() -> None:
    together = threading.Barrier(4)

    def answer(came: Came) -> Reply:
        together.wait(30)
        GO.wait(0.2)
        return Reply(body=body("stopvirtualmachine", success=True))

    with cloud(answer) as (connection, _):
        began = time.monotonic()
        result = each(connection, stops(4), Options())
        took = time.monotonic() - began
    assert 0.2 < result.provenance.seconds <= took


GO = threading.Event()


def test_an_interrupt_while_the_threads_begin_is_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, begun = threading.Thread.start, []

    def interrupted(thread: threading.Thread) -> None:
        if thread.name == "cs_magic calls":
            begun.append(thread)
            if len(begun) == 2:
                raise KeyboardInterrupt
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with cloud(running) as (connection, server), pytest.raises(StillRunning) as stopped:
        each(connection, stops(8), Options(), workers=4)
    outcomes = Counter(row["outcome"] for row in rows(connection, stopped.value.result))
    assert outcomes["not sent"] + len(sent(server)) == 8


def test_an_interrupt_does_not_cut_a_call_that_is_being_sent_nor_calls_it_unsent() -> None:
    hold, arrived = threading.Event(), threading.Event()

    def answer(came: Came) -> Reply:
        arrived.set()
        hold.wait(30)
        return job_of(came)

    class Now(Watcher):
        def counted(self, counts: Mapping[str, int]) -> None:
            if arrived.is_set():
                raise KeyboardInterrupt

    class Late(Now):
        def __init__(self) -> None:
            self.jobids: list[str] = []
            self.came = threading.Event()

        def began(self, call: Call, jobid: str) -> None:
            self.jobids.append(jobid)
            self.came.set()

    late = Late()
    with cloud(answer) as (connection, _):
        with pytest.raises(StillRunning) as left:
            each(connection, stops(5), Options(), workers=1, watcher=late)
        found = rows(connection, left.value.result)
        hold.set()
        assert late.came.wait(30)  # it was not cut: its job is known after all
    assert [row["outcome"] for row in found] == ["unknown", *["not sent"] * 4]
    assert "not waited for" in found[0]["error"]
    assert late.jobids == [f"job-{uuid(0)}"]


def test_a_refused_connection_is_not_sent() -> None:
    with cloud(job_of) as (connection, server):
        pass
    found = rows(connection, each(connection, stops(2), Options()))
    assert {row["outcome"] for row in found} == {"not sent"}
    assert server.came == []


def test_what_a_read_answers_is_in_its_row() -> None:
    def answer(came: Came) -> Reply:
        if came.form["command"] == "listConfigurations":
            return refusal(432, "not for you")
        volume = {"id": f"v-{came.form['virtualmachineid']}", "name": "root"}
        return Reply(body=body("listvolumes", count=1, volume=[volume]))

    calls = [Call("listVolumes", (("virtualmachineid", uuid(number)),)) for number in range(4)]
    with cloud(answer) as (connection, _):
        result = each(connection, calls, Options(own=True))
        frame = connection.frame(result, Options(explode="result"))
    assert list(frame["result.id"]) == [f"v-{uuid(number)}" for number in range(4)]


def test_secrets_in_the_answers_are_masked_and_can_be_shown_once() -> None:
    def answer(came: Came) -> Reply:
        if came.form["command"] != "queryAsyncJobResult":
            return job_of(came)
        made = {"virtualmachine": {"id": "x", "password": "tell-tale-password"}}
        fields = {"jobid": came.form["jobid"], "jobstatus": 1, "jobresult": made}
        return Reply(body=body("queryasyncjobresult", **fields))

    with cloud(answer) as (connection, _):
        calls = [Call("resetPasswordForVirtualMachine", call.arguments) for call in stops(2)]
        result = each(connection, calls, Options())
    assert "tell-tale" not in str(rows(connection, result)) + repr(result)
    shown = connection.frame(result, Options(reveal=True))
    assert shown.result[0] == {"password": "tell-tale-password"}


def test_a_thousand_calls_with_some_that_fail_all_have_their_outcome() -> None:
    def answer(came: Came) -> Reply:
        number = int(came.form.get("id", came.form.get("jobid", "")).rpartition("-")[2])
        if came.form["command"] == "stopVirtualMachine" and number % 20 == 0:
            return refusal(431, "no")
        return Reply(body=body("stopvirtualmachine", success=True))

    with cloud(answer) as (connection, server):
        found = rows(connection, each(connection, stops(1_000), Options(), workers=8))
    assert Counter(row["outcome"] for row in found) == {"done": 950, "failed": 50}
    failed = [index for index, row in enumerate(found) if row["outcome"] == "failed"]
    assert failed == list(range(0, 1_000, 20))
    assert len(set(sent(server))) == len(sent(server)) == 1_000
