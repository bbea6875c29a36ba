"""A list that breaks off keeps what came, and an interrupt leaves nothing running."""

from __future__ import annotations

import copy
import pickle
import signal
import threading
import time

import pytest
from clouds import SCOPED, THINGS, Things, facts, names, things
from servers import Reply, Scripted, listed, reply, serving, ticking

from cs_magic.api.ahead import Ahead
from cs_magic.api.client import Client
from cs_magic.api.pages import Reader, Wish
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, Incomplete, TransportError

LONG = 20.0
REFUSAL = reply(b'{"x":{"errorcode":431,"errortext":"no page 4"}}', 431)


def pickled(error):
    return pickle.loads(pickle.dumps(error))


def broken(server: Things, **how) -> Incomplete:
    with pytest.raises(Incomplete) as caught:
        server.read(**how)
    return caught.value


@pytest.mark.parametrize("trouble", [REFUSAL, TransportError("The connection broke off")])
def test_a_list_that_breaks_off_carries_the_pages_that_came(trouble):
    error = broken(Things(things(95), failing={4: trouble}), workers=1)
    assert names(error.result) == [row["id"] for row in things(30)]
    assert facts(error.result, "rows", "pages", "complete") == (30, 3, False)
    assert error.result.provenance.reason.startswith("broken off: ")
    assert "listThings broke off after 3 pages, 30 rows" in error.message


def test_the_error_says_what_broke_it():
    error = broken(Things(things(95), failing={4: REFUSAL}))
    assert isinstance(error.reason, ApiError)
    assert error.reason.errorcode == 431
    assert "no page 4" in error.message
    assert error.__context__ is None
    assert "error.result" in error.hints[-1]


def test_later_pages_that_had_come_are_kept_too():
    """One worker hangs at page 2 until the other, having brought 3 and 4, asks for 5."""
    fifth_asked = threading.Event()
    whole = Things(things(60))

    def answer(form):
        if form.get("page") == "5":
            fifth_asked.set()
        if form.get("page") == "2":
            assert fifth_asked.wait(LONG)
            return REFUSAL
        return whole.answer(form)

    server = Things([])
    server.transport = Scripted(answer)
    error = broken(server, workers=2)
    kept = names(error.result)
    assert kept[:30] == [row["id"] for row in things(10) + things(20, first=20)]
    assert error.result.provenance.complete is False


def test_a_second_list_that_breaks_off_keeps_the_first():
    server = Things(things(25), project=things(5, first=50))
    whole = server.answer

    def answer(form):
        return REFUSAL if form.get("projectid") == "-1" else whole(form)

    server.transport = Scripted(answer)
    error = broken(server, command=SCOPED)
    assert names(error.result) == [row["id"] for row in things(25)]


@pytest.mark.parametrize("trouble", [REFUSAL, TransportError("The connection broke off")])
def test_where_nothing_came_the_error_is_the_error(trouble):
    with pytest.raises((ApiError, TransportError)):
        Things(things(95), failing={1: trouble}).read()


def test_a_limit_holds_for_what_came_of_a_broken_list():
    error = broken(Things(things(95), failing={2: REFUSAL}), wish=Wish(limit=15))
    assert len(names(error.result)) <= 15


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_an_incomplete_list_survives_copying(again):
    error = broken(Things(things(95), failing={4: REFUSAL}))
    other = again(error)
    assert (str(other), other.hints) == (str(error), error.hints)
    assert names(other.result) == names(error.result)
    assert str(other.reason) == str(error.reason)


# -- threads -------------------------------------------------------------------------------


def page_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "cs_magic pages"]


def all_ended() -> bool:
    """One whose start was interrupted can't be joined until it runs."""
    over = time.monotonic() + LONG
    while (threads := page_threads()) and time.monotonic() < over:
        running = [thread for thread in threads if thread.is_alive()]
        if running:
            running[0].join(0.1)
    return not page_threads()


@pytest.mark.parametrize("failing", [{}, {4: REFUSAL}])
def test_no_thread_is_left_when_a_list_ends(failing):
    server = Things(things(95), failing=failing)
    try:
        server.read()
    except Incomplete:
        assert failing
    assert all_ended()


def test_an_interrupt_while_waiting_leaves_no_thread_behind():
    """Pages 2 and later never come; the interrupt comes when they were asked for."""
    over, interrupted, main = threading.Event(), threading.Lock(), threading.main_thread()

    def answer(came):
        if came.form["command"] == "listConfigurations":
            return Reply(body=listed("configuration", [], 0))
        if came.form["page"] == "1":
            return Reply(body=listed("thing", things(500), 5000))
        if interrupted.acquire(blocking=False):
            signal.pthread_kill(main.ident or 0, signal.SIGINT)
        over.wait(LONG)
        return Reply(drop=True)

    began = time.monotonic()
    with serving(answer) as server:
        profile = server.profile(timeout=LONG)
        client = Client(profile, HttpTransport(profile), ticking(), lambda *_: None)
        with pytest.raises(Incomplete, match="1 pages, 500 rows: it was stopped") as caught:
            Reader(client, THINGS, {}, Wish()).read(Call("listThings"))
        ended = all_ended()
        over.set()
    assert ended
    assert time.monotonic() - began < LONG
    assert facts(caught.value.result, "rows", "complete") == (500, False)


def test_a_worker_that_waits_to_try_again_ends_at_once():
    waiting = threading.Event()

    def fetch(number, stop):
        waiting.set()
        assert stop.wait(LONG)

    with Ahead(fetch, 1, 3, 3, lambda threads: None):
        assert waiting.wait(LONG)
    assert all_ended()


def test_pages_beyond_the_known_last_are_fetched_only_when_they_are_wanted():
    fetched = []

    def fetch(number, stop):
        fetched.append(number)
        return number

    with Ahead(fetch, 2, 4, 4, lambda threads: None) as pages:
        came = iter(pages)
        assert [next(came) for _ in range(3)] == [(2, 2), (3, 3), (4, 4)]
        assert sorted(fetched) == [2, 3, 4]
        assert next(came) == (5, 5)
    assert all_ended()
    assert sorted(fetched) == [2, 3, 4, 5]


def test_who_waits_for_a_page_is_called_now_and_then():
    called = threading.Event()

    def fetch(number, stop):
        assert called.wait(LONG)
        return number

    with Ahead(fetch, 1, 1, 1, lambda threads: None, idle=called.set) as pages:
        assert next(iter(pages)) == (1, 1)
    assert all_ended()


def test_no_more_is_fetched_ahead_than_twice_the_workers():
    fetched, idle = [], threading.Event()

    def fetch(number, stop):
        fetched.append(number)
        if len(fetched) == 4:
            idle.set()
        return number

    with Ahead(fetch, 1, 100, 2, lambda threads: None):
        assert idle.wait(LONG)
    assert all_ended()
    assert sorted(fetched) == [1, 2, 3, 4]
