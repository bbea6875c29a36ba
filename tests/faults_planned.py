"""One fault at a time, met by the requests that are chosen: the network of the fault matrix."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from faults import NONE, Faulty, _answer, _reset, _whole

PAUSE = threading.Event()
UNVERIFIED = b'{"x":{"uuidList":[],"errorcode":401,"errortext":"unable to verify user credentials'
UNVERIFIED += b' and/or request signature"}}'
NO_JOB = b'{"x":{"uuidList":[],"errorcode":431,"cserrorcode":9999,"errortext":"Unable to find a job'
NO_JOB += b' by that id"}}'
PAGE = b"<!DOCTYPE html><html><title>Elsewhere</title></html>"


@dataclass
class Planned(Faulty):
    """A proxy whose requests meet `fault` where `which`, told number (from 1) and text, says so."""

    fault: str = NONE
    which: Callable[[int, bytes], bool] = lambda number, request: True
    sent_on: list[str] = field(default_factory=list)  # the commands that reached the server
    last: bytes = b"{}"  # the body of the last reply, and of the one before
    before: bytes = b"{}"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.over = threading.Event()

    def _pass_on(self, client: socket.socket) -> bool:
        if not client.recv(1, socket.MSG_PEEK):
            return False
        request = _whole(client)
        with self._lock:
            meets = self.which(len(self.met) + 1, request)
            self.met.append(self.fault if meets else NONE)
        if meets:
            return PLANS[self.fault](self, client, request)
        client.sendall(self.ask(request))
        return True

    def ask(self, request: bytes) -> bytes:
        """The server's whole reply."""
        head, _, body = request.partition(b"\r\n\r\n")
        form = parse_qs((body or head.partition(b"?")[2].partition(b" ")[0]).decode())
        self.sent_on.append(form.get("command", [""])[0])
        reply = self._ask(request)
        before, self.last = self.last, reply.partition(b"\r\n\r\n")[2]
        self.before = before
        return reply


Plan = Callable[[Planned, socket.socket, bytes], bool]


def _half_arrives(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    proxy._half(request[: len(request) // 2])
    return _reset(client)


def _lost(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    proxy.ask(request)
    return _reset(client)


def _cut(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    reply = proxy.ask(request)
    client.sendall(reply[: len(reply) - 40])
    return _ended(client)


def _cut_in_a_chunk(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    head, _, body = proxy.ask(request).partition(b"\r\n\r\n")
    head = re.sub(rb"(?i)\r\ncontent-length:[^\r]*", b"", head)
    client.sendall(head + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.sendall(f"{len(body):x}\r\n".encode() + body[: len(body) // 2])
    return _ended(client)


def _drip(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    reply = proxy.ask(request)
    step = max(1, len(reply) // 20)
    for start in range(0, len(reply), step):
        client.sendall(reply[start : start + step])
        PAUSE.wait(0.02)
    return True


def _stall(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    proxy.ask(request)
    proxy.over.wait(20)
    return False


def _ended(client: socket.socket) -> bool:
    client.shutdown(socket.SHUT_WR)
    return False


def _said(status: int, body: bytes, kind: str = "application/json", more: str = "") -> Plan:
    """Somebody on the way answers; the server has nothing of it."""

    def answer(proxy: Planned, client: socket.socket, request: bytes) -> bool:
        head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\n{more.format(proxy.endpoint)}"
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    return answer


def _instead(name: str) -> Plan:
    return lambda proxy, client, request: _answer(client, name)


def _late(name: str) -> Plan:
    """The server works, and somebody on the way answers."""

    def answer(proxy: Planned, client: socket.socket, request: bytes) -> bool:
        proxy.ask(request)
        return _answer(client, name)

    return answer


def _changed(change: Callable[[bytes], bytes], ask: Callable[[bytes], bytes] | None = None) -> Plan:
    """The server's reply with another body."""

    def answer(proxy: Planned, client: socket.socket, request: bytes) -> bool:
        head, _, body = (ask or proxy.ask)(request).partition(b"\r\n\r\n")
        body = change(body)
        head = re.sub(rb"(?i)(\r\ncontent-length:)[^\r]*", rb"\1 %d" % len(body), head)
        client.sendall(head + b"\r\n\r\n" + body)
        return True

    return answer


def _short(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    head, _, body = proxy.ask(request).partition(b"\r\n\r\n")
    head = re.sub(rb"(?i)(\r\ncontent-length:)[^\r]*", rb"\1 %d" % (len(body) + 100), head)
    client.sendall(head + b"\r\n\r\n" + body)
    return _ended(client)


def _repeated(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    """The server's page, with a row in it that the page before had."""
    reply = proxy.ask(request)
    rows = _rows(json.loads(proxy.before))
    return _changed(lambda body: _with(body, rows[:1]), lambda _: reply)(proxy, client, request)


def _with(body: bytes, more: list[Any]) -> bytes:
    document = json.loads(body)
    _rows(document).extend(more)
    return json.dumps(document).encode()


def _rows(document: dict[str, Any]) -> list[Any]:
    inners = (inner for inner in document.values() if isinstance(inner, dict))
    lists = (value for inner in inners for value in inner.values() if isinstance(value, list))
    return next(lists, [])


def _counted(body: bytes) -> bytes:
    return re.sub(rb'"count":(\d+)', lambda found: b'"count":%d' % (int(found[1]) + 7), body)


PLANS: dict[str, Plan] = {
    "reset before the request": lambda proxy, client, request: _reset(client),
    "reset in the request, half arrives": _half_arrives,
    "reset before the reply": _lost,
    "cut in the body": _cut,
    "cut in a chunk": _cut_in_a_chunk,
    "body shorter than its length": _short,
    "slow drip": _drip,
    "stall beyond the time-out": _stall,
    "429, CloudStack's text": _instead("429 by CloudStack"),
    "429, Retry-After": _instead("429 by a proxy"),
    "500 HTML": _said(500, PAGE, "text/html"),
    "502 HTML": _instead("502"),
    "502 HTML, but done": _late("502"),
    "503": _instead("503"),
    "503, but done": _late("503"),
    "504": _instead("504"),
    "504, but done": _late("504"),
    "blank 200": _instead("blank 200"),
    "blank 200, but done": _late("blank 200"),
    "HTML 200": _said(200, PAGE, "text/html"),
    "HTML 404": _said(404, PAGE, "text/html"),
    "HTML 414": _said(414, PAGE, "text/html"),
    "HTML 431": _said(431, PAGE, "text/html"),
    "redirect, same host": _said(302, b"", "text/html", "Location: /client/\r\n"),
    "redirect, other host": _said(307, b"", more="Location: https://evil.example/client/api\r\n"),
    "redirect, plain HTTP": _said(308, b"", more="Location: {}?again\r\n"),
    "truncated JSON": _changed(lambda body: body[: len(body) // 2]),
    "raw control characters": _changed(lambda body: body.replace(b'name":"', b'name":"\x01')),
    "wrong count": _changed(_counted),
    "a row of the page before": _repeated,
    "401": _said(401, UNVERIFIED),
    "session lost in the middle of a list": _said(401, UNVERIFIED),
    "job lost at a restart": _said(431, NO_JOB),
}


@contextmanager
def planned(target: str, fault: str, which: Callable[[int, bytes], bool]) -> Iterator[Planned]:
    """A network to the server at `target` in which the chosen requests meet the fault."""
    proxy = Planned(target, 0, fault=fault, which=which)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.close()
