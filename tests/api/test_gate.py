"""So many requests at a time to one endpoint, over the whole kernel; fewer where that is much."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, suppress

import pytest
from api.servers import KEYS, Reply, Scripted, listed, reply, serving, ticking

from cs_magic import connect
from cs_magic.api.client import Client
from cs_magic.api.gate import SLOW, Gate, gate_of
from cs_magic.api.profile import Profile
from cs_magic.api.values import Call, Response
from cs_magic.errors import CloudStackError, TransportError

LONG = 20.0
GO = threading.Event()


def told(*answers: float, most: int = 4) -> Gate:
    """A gate after answers that took so long, one after the other."""
    gate = Gate()
    for seconds in answers:
        with gate.turn(most, GO):
            gate.answered("list", seconds)
    return gate


def test_a_turn_is_waited_for_and_given_once_another_ends():
    gate, second = Gate(), threading.Event()

    def work():
        with gate.turn(1, GO):
            second.set()

    thread = threading.Thread(target=work, daemon=True)
    with gate.turn(1, GO):
        thread.start()
        assert not second.is_set()
    assert second.wait(LONG)
    thread.join(LONG)


def test_who_is_stopped_waits_no_longer():
    gate, stop, ended = Gate(), threading.Event(), threading.Event()

    def work():
        with gate.turn(1, stop):
            ended.set()

    with gate.turn(1, GO):
        threading.Thread(target=work, daemon=True).start()
        stop.set()
        assert ended.wait(LONG)


def test_a_server_that_has_too_much_to_do_gets_half():
    gate = told(0.1)
    assert gate.allowed == 4
    with gate.turn(4, GO), gate.turn(4, GO), gate.turn(4, GO), gate.turn(4, GO):
        gate.refused()
        gate.refused()  # sent before the first refusal: it tells nothing new
    assert gate.allowed == 2


def test_it_never_gets_less_than_one():
    gate = told(0.1)
    for _ in range(9):
        with gate.turn(4, GO):
            gate.refused()
    assert gate.allowed == 1


def test_what_is_refused_counts_from_what_was_sent_and_not_from_what_another_profile_may_send():
    gate = told(0.1, most=16)
    with ExitStack() as turns:
        for _ in range(4):
            turns.enter_context(gate.turn(4, GO))
        gate.refused()
    assert gate.allowed == 2


def test_so_does_what_is_slow():
    gate = told(0.1, most=16)
    with ExitStack() as turns:
        for _ in range(4):
            turns.enter_context(gate.turn(4, GO))
        gate.answered("list", 9.0)
    assert gate.allowed == 3


@pytest.mark.parametrize("quick", [0.05, 0.5])
def test_rising_latency_slows_it_down_and_falling_latency_lets_it_recover(quick):
    gate, at_once = told(quick), threading.Event()
    at_once.set()
    for _ in range(8):
        with gate.turn(4, at_once), gate.turn(4, at_once), gate.turn(4, at_once):
            gate.answered("list", quick * SLOW * 1.3)
    assert gate.allowed < 3
    for _ in range(20):
        with gate.turn(4, GO):
            gate.answered("list", quick)
    assert gate.allowed == 4


@pytest.mark.parametrize("slow", [0.01 * SLOW * 2, 0.25])
def test_what_is_quick_enough_is_no_burden(slow):
    assert told(0.01, *[slow] * 8).allowed == 4


def test_a_call_that_always_takes_long_is_no_burden():
    gate = told(0.01)
    for _ in range(8):
        with gate.turn(4, GO):
            gate.answered("another list", 30.0)
    assert gate.allowed == 4


def test_a_profile_may_send_more():
    assert told(*[0.1] * 3, most=16).allowed == 16


def test_an_endpoint_has_one_gate_and_another_another():
    here = gate_of("http://127.0.0.1:1/client/api")
    assert gate_of("http://127.0.0.1:1/client/api") is here
    assert gate_of("http://127.0.0.1:2/client/api") is not here


class Busy:
    """A server that knows how many requests it had at a time; the first wait for some others."""

    def __init__(self, at_once: int, readers: int = 1) -> None:
        self.now = self.most = 0
        self._begun, self._one_more = threading.Barrier(readers), threading.Event()
        self._lock = threading.Lock()
        self._at_once, self._full = at_once, threading.Event()

    def answer(self, came):
        rows = [{"id": f"{came.form.get('page')}-{n}"} for n in range(10)]
        if came.form["command"] == "listConfigurations":
            setting = {"name": "default.page.size", "value": "10"}
            return Reply(body=listed("configuration", [setting], 1))
        if came.form["page"] == "1":
            self._begun.wait(LONG)
            return Reply(body=listed("event", rows, 170))
        if came.form["page"] == "18":  # the one after the last
            return Reply(body=listed("event", [], 170))
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            full, more = self.now == self._at_once, self.now > self._at_once
        if more:
            self._one_more.set()
        if full and not self._full.is_set():  # is there one that should not be there?
            self._one_more.wait(0.3)
            self._full.set()
        self._full.wait(LONG)
        with self._lock:
            self.now -= 1
        return Reply(body=listed("event", rows, 170))


def test_two_connections_send_no_more_together_than_one_does():
    busy = Busy(at_once=4, readers=2)
    with serving(busy.answer) as server, ExitStack() as open_ones:
        reading = []
        for _ in range(2):
            cloud = open_ones.enter_context(
                connect(endpoint=server.endpoint, api_key=KEYS.api_key, secret_key=KEYS.secret_key)
            )
            one = threading.Thread(target=cloud.listEvents, kwargs={"listall": True}, daemon=True)
            reading.append(one)
            one.start()
        for one in reading:
            one.join(LONG)
    assert busy.most == 4


def test_a_profile_with_more_workers_has_more_under_way():
    busy = Busy(at_once=16)
    with (
        serving(busy.answer) as server,
        connect(
            endpoint=server.endpoint,
            api_key=KEYS.api_key,
            secret_key=KEYS.secret_key,
            workers=16,
        ) as cloud,
    ):
        frame = cloud.listEvents(listall=True)
    assert (len(frame), busy.most) == (170, 16)


def after(answer: Response | TransportError, gate: Gate) -> int:
    """How many a gate allows after a client had that answer, sent once."""

    def answered(form):
        if isinstance(answer, TransportError):
            raise answer
        return answer

    profile = Profile("lab", "https://host/client/api", KEYS, workers=4)
    client = Client(profile, Scripted(answered), ticking(), gate=gate)
    with suppress(CloudStackError):
        client.exchange(Call("listZones"), is_read=True, attempts=1)
    return gate.allowed


WHOLE = reply(listed("zone", [], 0))
SILENT = TransportError("No answer within 60 s")


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (reply(b"{}", 500), 1),
        (reply(b"{}", 502), 1),
        (reply(b"{}", 504), 1),
        (SILENT, 1),
        (WHOLE, 2),
    ],
)
def test_only_a_good_answer_gets_a_server_more(answer, allowed):
    gate = Gate()
    with gate.turn(4, GO):
        gate.refused()
    assert after(answer, gate) == allowed


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (reply(b"{}", 503), 2),
        (reply(b"{}", 504), 2),
        (SILENT, 2),
        (TransportError("Nobody listens", sent=False), 4),
        (reply(b"{}", 502), 4),
    ],
)
def test_a_server_that_gives_no_answer_in_time_gets_half(answer, allowed):
    gate = Gate()
    with gate.turn(4, GO), gate.turn(4, GO), gate.turn(4, GO):
        assert after(answer, gate) == allowed


def test_after_a_503_fewer_are_sent_and_the_list_is_whole():
    refused = threading.Lock()
    allowed: list[int] = []

    def answer(came):
        if came.form["command"] == "listConfigurations":
            setting = {"name": "default.page.size", "value": "10"}
            return Reply(body=listed("configuration", [setting], 1))
        if came.form["page"] == "6":
            if refused.acquire(blocking=False):
                return Reply(503, json.dumps({}).encode(), headers={"Retry-After": "0"})
            allowed.append(cloud.client.gate.allowed)
        page = int(came.form["page"])
        rows = [{"id": f"{page}-{n}"} for n in range(10)] if page <= 6 else []
        return Reply(body=listed("event", rows, 60))

    with (
        serving(answer) as server,
        connect(
            endpoint=server.endpoint, api_key=KEYS.api_key, secret_key=KEYS.secret_key
        ) as cloud,
    ):
        frame = cloud.listEvents(listall=True)
    assert len(allowed) == 1
    assert allowed[0] < 4
    assert (len(frame), frame.attrs["cs"]["complete"]) == (60, True)
