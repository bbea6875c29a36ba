"""`signature_algorithm = "auto"`: SHA-1, and SHA-512 where one harmless read shows the need."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from servers import KEYS, Scripted, reply, ticking

from cs_magic.api.client import Client
from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.api.values import Call
from cs_magic.demo.server import serving
from cs_magic.errors import ApiError, TransportError, Unauthorized
from cs_magic.opening import connect

READ = Call("listZones")
WRITE = Call("deleteZone", (("id", "1"),))
FINE = reply(b'{"x":{}}')
REFUSED = reply(b'{"x":{"errorcode":401,"errortext":"unable to verify"}}', 401)
WRONG = reply(b'{"x":{"errorcode":431,"errortext":"no such zone"}}', 431)
BUSY = reply(b'{"x":{"errorcode":429,"errortext":"too many"}}', 429)
PROBE = ("listCapabilities", "SHA-512")
OLD, NEW = ("listZones", "SHA-1"), ("listZones", "SHA-512")


class Server:
    """Answers by what was asked and how it was signed; `sent` has both, in order.

    Args:
        answers: (command, algorithm) → its answers in order, the last for good; what isn't
            there is refused.
    """

    def __init__(self, answers, algorithm="auto", **settings):
        self._answers = {key: list(value) for key, value in answers.items()}
        self.sent: list[tuple[str, str]] = []
        self.transport = Scripted(self._answer)
        keys = KeyPair(KEYS.api_key, KEYS.secret_key, algorithm)
        profile = Profile("p", "https://host/client/api", keys, **settings)
        self.client = Client(profile, self.transport, ticking(), lambda stop, seconds: None)

    def _answer(self, form):
        # Base64 of 20 and of 64 bytes.
        key = form["command"], {28: "SHA-1", 88: "SHA-512"}[len(form["signature"])]
        self.sent.append(key)
        answers = self._answers.get(key, [REFUSED])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def read(self):
        return self.client.exchange(READ, is_read=True)

    def refused(self, call=READ, error=Unauthorized):
        with pytest.raises(error):
            self.client.exchange(call, is_read=call is READ)


NEWER = {PROBE: [FINE], NEW: [FINE]}


def test_a_read_that_is_refused_shows_what_the_server_wants_and_it_is_remembered():
    server = Server(NEWER)
    server.read()
    server.read()
    assert server.sent == [OLD, PROBE, NEW, NEW]


def test_writes_are_signed_with_what_was_found():
    server = Server({**NEWER, ("deleteZone", "SHA-512"): [FINE]})
    server.read()
    server.client.exchange(WRITE, is_read=False)
    assert server.sent[-1] == ("deleteZone", "SHA-512")


def test_a_write_is_never_used_to_find_out():
    server = Server(NEWER)
    server.refused(WRITE)
    assert server.sent == [("deleteZone", "SHA-1")]


@pytest.mark.parametrize(
    ("accepted", "is_read"), [(OLD, True), (("deleteZone", "SHA-1"), False)], ids=["read", "write"]
)
def test_once_a_call_was_accepted_nothing_is_asked(accepted, is_read):
    server = Server({accepted: [FINE, REFUSED], PROBE: [FINE]})
    server.client.exchange(READ if is_read else WRITE, is_read=is_read)
    server.refused()
    assert server.sent == [accepted, OLD]


@pytest.mark.parametrize("answer", [REFUSED, WRONG], ids=["401", "431"])
def test_it_is_asked_at_most_once(answer):
    server = Server({PROBE: [answer]})
    for _ in range(3):
        server.refused()
    assert server.sent == [OLD, PROBE, OLD, OLD]


@pytest.mark.parametrize("lost", [TransportError("The connection broke off"), BUSY])
def test_a_question_that_was_lost_is_asked_again(lost):
    server = Server({**NEWER, PROBE: [lost, FINE]})
    server.refused()
    server.read()
    assert server.sent == [OLD, PROBE, OLD, PROBE, NEW]


@pytest.mark.parametrize("algorithm", ["HmacSHA1", "HmacSHA512"])
def test_where_the_profile_says_which_nothing_is_asked(algorithm):
    server = Server({PROBE: [FINE]}, algorithm)
    server.refused()
    assert len(server.sent) == 1


def test_another_refusal_than_401_asks_nothing():
    server = Server({OLD: [WRONG], PROBE: [FINE]})
    server.refused(error=ApiError)
    assert server.sent == [OLD]


def test_a_server_that_takes_both_refuses_the_read_all_the_same():
    server = Server({PROBE: [FINE]})
    server.refused()
    server.refused()
    assert server.sent == [OLD, PROBE, NEW, NEW]


def test_reads_at_the_same_time_are_all_signed_anew_after_one_question():
    meet, second = threading.Barrier(4, timeout=30), threading.Barrier(2, timeout=0.2)
    server = Server(NEWER)
    answer = server.transport._answer

    def together(form):
        if form["command"] == "listZones" and len(form["signature"]) == 28:
            meet.wait()
        if form["command"] == "listCapabilities":
            with suppress(threading.BrokenBarrierError):  # nobody else asks meanwhile
                second.wait()
        return answer(form)

    server.transport._answer = together
    done = []
    threads = [threading.Thread(target=lambda: done.append(server.read())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert sorted(server.sent) == [PROBE, *[OLD] * 4, *[NEW] * 4]


# -- over the socket ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def newer():
    """A demo cloud that takes SHA-512 only."""
    with serving(machines=5, signature_algorithm="HmacSHA512") as demo:
        yield demo


def opened(demo, **settings):
    keys = {"api_key": demo.api_key, "secret_key": demo.secret_key}
    return connect(endpoint=demo.endpoint, **keys, **settings)


@pytest.mark.parametrize("settings", [{}, {"signature_algorithm": "HmacSHA512"}, {"method": "get"}])
def test_a_server_of_sha512_answers(newer, settings):
    with opened(newer, **settings) as cloud:
        assert len(cloud.listZones()) > 0
        assert len(cloud.listVirtualMachines()) > 0


def test_a_server_of_sha512_refuses_sha1(newer):
    with opened(newer, signature_algorithm="HmacSHA1") as cloud, pytest.raises(Unauthorized):
        cloud.listZones()


def test_a_wrong_secret_is_refused_after_one_question(newer):
    keys = {"api_key": newer.api_key, "secret_key": "wrong"}
    with connect(endpoint=newer.endpoint, **keys) as cloud, pytest.raises(Unauthorized):
        cloud.listZones()


def test_a_server_of_sha1_is_asked_nothing():
    with serving(machines=5) as demo, opened(demo) as cloud:
        assert len(cloud.listZones()) > 0
        assert cloud.client.access.used() is None
