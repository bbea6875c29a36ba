"""Time-outs are deadlines: neither silence nor a slow drip holds a call longer."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from servers import KEYS, Reply, leaks, serving, speaking

from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Request
from cs_magic.errors import TransportError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG = 20.0  # a broken deadline fails the test after this, a held one never comes near


def request(endpoint: str, is_read: bool = True) -> Request:
    signed = KEYS.authorize(Call("listZones"), endpoint, NOW)
    return Request(signed.command, signed.url, signed.form, is_read=is_read)


def drips(beginning: bytes, drop: bytes):
    """A server that says something every 20 ms and never ends."""

    def talk(connection, over):
        connection.sendall(beginning)
        while not over.wait(0.02):
            connection.sendall(drop)

    return talk


def says(text: bytes):
    """A server that says this much and then nothing."""

    def talk(connection, over):
        connection.sendall(text)
        over.wait(LONG)

    return talk


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "status line": (b"HTTP/1.1 2", b"0"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nX-Drip: ", b"1"),
    "body": (HEADERS + b"Content-Length: 99999\r\n\r\n", b" "),
    "body without a length": (HEADERS + b"\r\n", b" "),
    "chunks": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "gzip": (
        HEADERS + b"Content-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n\x1f\x8b\x08",
        b"\0",
    ),
}


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize(("beginning", "drop"), DRIPS.values(), ids=DRIPS)
def test_a_slow_drip_ends_at_the_deadline_for_the_whole(beginning, drop, is_read):
    with speaking(drips(beginning, drop)) as server:
        transport = HttpTransport(server.profile(timeout=LONG), whole=0.15)
        with pytest.raises(TransportError, match="did not finish its answer in time") as caught:
            transport.send(request(server.endpoint, is_read))
    assert caught.value.sent
    assert leaks(caught.value) == []


SILENT = {
    "at once": b"",
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-",
    "in the body": HEADERS + b"Content-Length: 100\r\n\r\n{",
    "in a chunk": HEADERS + b"Transfer-Encoding: chunked\r\n\r\n64\r\n{",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence_ends_at_the_profiles_timeout(text):
    with speaking(says(text)) as server:
        transport = HttpTransport(server.profile(timeout=0.15), whole=LONG)
        with pytest.raises(TransportError, match=r"was silent for 0\.15 s") as caught:
            transport.send(request(server.endpoint))
    assert caught.value.sent
    assert leaks(caught.value) == []


def test_an_exchange_can_be_cut_from_another_thread():
    waiting = threading.Event()

    def talk(connection, over):
        waiting.set()
        over.wait(LONG)

    with speaking(talk) as server:
        transport = HttpTransport(server.profile(timeout=LONG))
        ended: list[TransportError] = []

        def ask() -> None:
            with pytest.raises(TransportError) as caught:
                transport.send(request(server.endpoint))
            ended.append(caught.value)

        asking = threading.Thread(target=ask)
        asking.start()
        assert waiting.wait(LONG)
        transport.interrupt({asking.ident or 0})
        asking.join(LONG)
    assert len(ended) == 1


def test_cutting_a_thread_that_asks_nothing_does_nothing():
    with serving() as server:
        transport = HttpTransport(server.profile())
        transport.interrupt({threading.get_ident()})
        assert transport.send(request(server.endpoint)).status == 200
        transport.interrupt({threading.get_ident()})
        assert transport.send(request(server.endpoint)).status == 200


def test_no_timer_is_left_behind():
    def timers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]

    before = timers()
    with serving(lambda _: Reply()) as server:
        HttpTransport(server.profile()).send(request(server.endpoint))
    deadline = time.monotonic() + LONG
    while timers() != before and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    assert timers() == before
