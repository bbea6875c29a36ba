"""What is tried again, and what never is: reads are, writes are sent once."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress

import pytest
from replay import steps
from servers import KEYS, Came, Reply, Scripted, leaks, reply, serving, ticking

from cs_magic.api.client import ATTEMPTS, LONGEST_PAUSE, Client
from cs_magic.api.gate import Gate
from cs_magic.api.profile import Profile
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, JobReply, Page
from cs_magic.errors import (
    ApiError,
    CloudStackError,
    FateUnknown,
    Refused,
    TransportError,
    Unauthorized,
)

READ = Call("listZones")
WRITE = Call("stopVirtualMachine", (("id", "1"),))
EMPTY = reply(b'{"listzonesresponse":{}}')
STARTED = reply(b'{"stopvirtualmachineresponse":{"jobid":"j"}}')
HTML = reply(b"<html>Bad Gateway</html>", 502)
LIMITED = steps("H-throttle/01-throttle-key")[2]
TOO_MANY = reply(LIMITED.body, 429)


def profile(**settings) -> Profile:
    return Profile(
        "test", **{"endpoint": "https://host/client/api", "credentials": KEYS} | settings
    )


class Told:
    """A client of scripted answers, and how long it waited between its attempts."""

    def __init__(self, *answers, **settings) -> None:
        left = list(answers)

        def answer(form):
            given = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(given, Exception):
                raise given
            return given

        self.transport = Scripted(answer)
        self.waited: list[float] = []
        self.client = Client(
            profile(**settings), self.transport, ticking(), lambda stop, s: self.waited.append(s)
        )

    def read(self):
        return self.client.exchange(READ, is_read=True)

    def write(self):
        return self.client.exchange(WRITE, is_read=False)

    def refusal(self, is_read: bool = True) -> CloudStackError:
        with pytest.raises(CloudStackError) as caught:
            self.read() if is_read else self.write()
        return caught.value


PASSING = {
    "refused": TransportError("No connection", sent=False),
    "broke off": TransportError("The connection broke off"),
    "blank 200": reply(b""),
    "502": HTML,
    "503": reply(b"", 503),
    "504": reply(b"", 504),
    "503 by CloudStack": reply(b'{"x":{"errorcode":503,"errortext":"maintenance"}}', 503),
    "429": TOO_MANY,
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
def test_a_read_is_tried_again_until_it_is_answered(trouble):
    told = Told(trouble, trouble, EMPTY)
    assert told.read() == Page(None, None)
    assert len(told.transport.requests) == 3


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
def test_a_read_is_tried_a_few_times_and_then_the_last_trouble_is_raised(trouble):
    told = Told(trouble)
    error = told.refusal()
    assert len(told.transport.requests) == ATTEMPTS
    assert type(error) is (
        ApiError if trouble in (TOO_MANY, PASSING["503 by CloudStack"]) else TransportError
    )
    assert error.__cause__ is None
    assert leaks(error) == []


def test_every_attempt_is_signed_anew():
    told = Told(HTML, HTML, EMPTY)
    told.read()
    assert len({form["expires"] for form in told.transport.forms}) == 3
    assert len({form["signature"] for form in told.transport.forms}) == 3


@pytest.mark.parametrize(
    "answer",
    [
        reply(b'{"x":{"errorcode":431,"errortext":"no"}}', 431),
        reply(b'{"x":{"errorcode":401,"errortext":"no"}}', 401),
        reply(b'{"x":{"errorcode":530,"errortext":"no"}}', 530),
        reply(b"<html>", 404),
        reply(b'{"x":{"count":1,"zone":[{"id":'),
        reply(b"", 302),
    ],
)
def test_a_refusal_is_not_tried_again(answer):
    told = Told(answer)
    told.refusal()
    assert len(told.transport.requests) == 1
    assert told.waited == []


def test_a_401_is_not_tried_again_as_it_may_lock_somebody_out():
    told = Told(reply(b"no", 401))
    assert isinstance(told.refusal(), Unauthorized)
    assert len(told.transport.requests) == 1


# -- how long it waits ---------------------------------------------------------------------


def test_the_pauses_between_attempts_are_bounded():
    told = Told(HTML)
    told.refusal()
    assert len(told.waited) == ATTEMPTS - 1
    assert all(0 <= seconds <= 16 for seconds in told.waited)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (TOO_MANY, 0.562),
        (reply(LIMITED.body, 429, "2"), 2.0),
        (reply(b"", 503, "3"), 3.0),
        (reply(LIMITED.body, 429, "86400"), LONGEST_PAUSE),
    ],
)
def test_the_server_says_how_long_to_wait(answer, seconds):
    told = Told(answer, EMPTY)
    told.read()
    assert seconds == told.waited[0]


def test_the_limit_of_an_account_holds_every_call_of_the_client():
    told = Told(reply(LIMITED.body, 429, "30"), EMPTY)
    told.read()
    told.waited.clear()
    told.read()
    assert [round(seconds) for seconds in told.waited] == [30]


def test_a_read_that_is_no_longer_wanted_is_not_sent_again():
    stop = threading.Event()

    def answer(form):
        stop.set()
        return HTML

    transport, waited = Scripted(answer), []
    client = Client(profile(), transport, ticking(), lambda stop, s: waited.append(s))
    with pytest.raises(TransportError, match="no longer wanted"):
        client.exchange(READ, is_read=True, stop=stop)
    assert (len(transport.requests), len(waited)) == (1, 1)


# -- writes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["broke off", "blank 200", "502", "503", "504"])
def test_a_write_is_sent_once_and_where_its_answer_is_lost_its_fate_is_unknown(name):
    told = Told(PASSING[name], STARTED)
    error = told.refusal(is_read=False)
    assert type(error) is FateUnknown
    assert "stopVirtualMachine was sent and its answer was lost" in error.message
    assert (len(told.transport.requests), told.waited) == (1, [])
    assert error.__context__ is None


def test_a_write_that_never_left_did_nothing():
    told = Told(PASSING["refused"], STARTED)
    assert type(told.refusal(is_read=False)) is TransportError
    assert len(told.transport.requests) == 1


@pytest.mark.parametrize("name", ["429", "503 by CloudStack"])
def test_a_write_that_was_refused_is_not_sent_again(name):
    told = Told(PASSING[name], STARTED)
    assert type(told.refusal(is_read=False)) is ApiError
    assert len(told.transport.requests) == 1


def test_the_job_that_a_lost_write_would_have_is_named():
    told = Told(PASSING["broke off"])
    with pytest.raises(FateUnknown) as caught:
        told.client.exchange(WRITE.having(customjobid="my-job"), is_read=False)
    assert any("my-job" in hint for hint in caught.value.hints)


def test_an_answered_write_is_a_job():
    assert Told(STARTED).write() == JobReply("j")


# -- methods and schemes -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "is_read", "sent"),
    [("post", True, "POST"), ("post", False, "POST"), ("get", True, "GET"), ("get", False, "POST")],
)
def test_only_reads_go_by_get_and_only_where_the_profile_says_so(method, is_read, sent):
    told = Told(STARTED, method=method)
    told.client.exchange(WRITE, is_read=is_read)
    assert sent == told.transport.requests[0].method


@pytest.mark.parametrize(
    ("endpoint", "allow_http", "sent"),
    [
        ("http://cloud.example.com/client/api", False, False),
        ("http://192.168.1.2/client/api", False, False),
        ("http://127.0.0.1.example.com/client/api", False, False),
        ("http://cloud.example.com/client/api", True, True),
        ("http://localhost:8080/client/api", False, True),
        ("http://127.0.0.1:8080/client/api", False, True),
        ("http://[::1]:8080/client/api", False, True),
        ("https://cloud.example.com/client/api", False, True),
    ],
)
@pytest.mark.parametrize("is_read", [True, False])
def test_plain_http_to_others_is_refused_before_anything_is_sent(
    endpoint, allow_http, sent, is_read
):
    told = Told(STARTED, endpoint=endpoint, allow_http=allow_http)
    if sent:
        told.client.exchange(WRITE, is_read=is_read)
    else:
        assert isinstance(told.refusal(is_read), Refused)
    assert len(told.transport.requests) == sent


def test_a_pause_that_begins_while_a_call_waits_for_its_turn_holds_it():
    queued, seen = threading.Event(), []

    class Queue(Gate):
        @contextmanager
        def turn(self, most, stop):
            seen.append("queued")
            if seen.count("queued") == 2:
                queued.set()
            with super().turn(most, stop):
                yield

    def answer(came: Came) -> Reply:
        seen.append("sent")
        queued.wait(30)
        return Reply(429, LIMITED.body) if seen.count("sent") == 1 else Reply(body=STARTED.body)

    def write() -> None:
        with suppress(ApiError):
            client.exchange(WRITE, is_read=False)

    with serving(answer) as server:
        settings = server.profile(workers=1)
        pause = lambda stop, seconds: seen.append("paused")  # noqa: E731
        client = Client(settings, HttpTransport(settings), ticking(), pause, gate=Queue())
        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [one for one in seen if one != "queued"] == ["sent", "paused", "sent"]


# -- over a real socket --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["post", "get"])
@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (Reply(drop=True), ATTEMPTS),
        (Reply(502, b""), ATTEMPTS),
        (Reply(401, b"no"), 1),
        (Reply(body=b"{"), 1),
        (Reply(302, b""), 1),
    ],
    ids=["dropped", "502", "401", "cut", "302"],
)
def test_no_error_of_any_kind_tells_a_secret(answer, tries, is_read, method):
    with serving(lambda _: answer) as server:
        settings = server.profile(method=method)
        client = Client(settings, HttpTransport(settings), ticking(), lambda *_: None)
        with pytest.raises(CloudStackError) as caught:
            client.exchange(READ, is_read=is_read)
    assert leaks(caught.value) == []
    assert "tell-tale" not in repr(client)
    assert len(server.came) == (tries if is_read else 1)


def test_a_connection_that_died_while_idle_costs_a_read_one_more_attempt():
    def answer(came: Came) -> Reply:
        return Reply(drop=came.connection == 1 and len(server.came) == 2)

    with serving(answer) as server:
        settings = server.profile()
        client = Client(settings, HttpTransport(settings), ticking(), lambda *_: None)
        for _ in range(2):
            assert client.exchange(READ, is_read=True) == Page(None, None)
    assert [came.connection for came in server.came] == [1, 1, 2]
