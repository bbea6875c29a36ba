"""One fault at a time, met by the requests that are chosen: the network of the fault matrix."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from faults import NONE, Faulty, _answer, _reset, _whole

PAUSE = threading.Event()
UNVERIFIED = b'{"x":{"uuidList":[],"errorcode":401,"errortext":"unable to verify user credentials'
UNVERIFIED += b' and/or request signature"}}'
NO_JOB = b'{"x":{"uuidList":[],"errorcode":431,"cserrorcode":9999,"errortext":"Unable to find a job'
NO_JOB += b' by that id"}}'
FAILED = b'{"x":{"uuidList":[],"errorcode":530,"cserrorcode":9999,"errortext":"Internal error'
FAILED += b' executing command, please contact your system administrator"}}'
PAGE = b"<!DOCTYPE html><html><title>Elsewhere</title></html>"


@dataclass
class Planned(Faulty):
    """A proxy whose requests meet `fault` where `which`, told number (from 1) and text, says so.

    It keeps the form of every request that came, whole, whatever that met. `elsewhere` is the
    address that redirects point to; over TLS with a context.
    """

    fault: str = NONE
    which: Callable[[int, bytes], bool] = lambda number, request: True
    elsewhere: str = ""
    tls: ssl.SSLContext | None = None
    came: list[dict[str, str]] = field(default_factory=list)
    last: bytes = b"{}"  # the body of the last reply, and of the one before
    before: bytes = b"{}"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.over = threading.Event()
        if self.tls is not None:
            self.endpoint = self.endpoint.replace("http:", "https:")

    @property
    def sessions_lost(self) -> int:
        """1 where a request met the fault between two logins, and so called for the second."""
        logins = [at for at, form in enumerate(self.came) if form.get("command") == "login"]
        between = self.met[logins[0] + 1 : logins[1]] if len(logins) > 1 else []
        return int(any(met != NONE for met in between))

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
            super()._serve(client)

    def _pass_on(self, client: socket.socket) -> bool:
        request = _whole(client)
        with self._lock:
            self.came.append(_form(request))
            meets = self.which(len(self.met) + 1, request)
            self.met.append(self.fault if meets else NONE)
        if meets:
            return PLANS[self.fault](self, client, request)
        client.sendall(self.ask(request))
        return True

    def ask(self, request: bytes) -> bytes:
        """The server's whole reply."""
        reply = self._ask(request)
        if b"command=listConfigurations" not in request:  # it goes beside a first page
            self.before, self.last = self.last, reply.partition(b"\r\n\r\n")[2]
        return reply


Plan = Callable[[Planned, socket.socket, bytes], bool]


def _form(request: bytes) -> dict[str, str]:
    head, _, body = request.partition(b"\r\n\r\n")
    return dict(parse_qsl((body or head.partition(b"?")[2].partition(b" ")[0]).decode()))


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
    step = max(1, len(reply) // 8)
    for start in range(0, len(reply), step):
        client.sendall(reply[start : start + step])
        PAUSE.wait(0.02)
    return True


def _endless(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    """An answer that is never silent for long, and never over."""
    proxy.ask(request)
    client.sendall(b"HTTP/1.1 200 x\r\nContent-Type: application/json\r\n\r\n{")
    while not proxy.over.wait(0.05):
        client.sendall(b" ")
    return False


def _cut_unannounced(proxy: Planned, client: socket.socket, request: bytes) -> bool:
    """Half of an answer that says no length; over TLS without the goodbye that tells the end."""
    head, _, body = proxy.ask(request).partition(b"\r\n\r\n")
    head = re.sub(rb"(?i)\r\ncontent-length:[^\r]*", b"", head)
    client.sendall(head + b"\r\nConnection: close\r\n\r\n" + body[: len(body) // 2])
    return _ended(client)


def _zipped(damaged: Callable[[bytes], bytes]) -> Plan:
    """The server's reply, compressed, and damaged on the way."""

    def answer(proxy: Planned, client: socket.socket, request: bytes) -> bool:
        head, _, body = proxy.ask(request).partition(b"\r\n\r\n")
        body = damaged(gzip.compress(body))
        head = re.sub(rb"(?i)(\r\ncontent-length:)[^\r]*", rb"\1 %d" % len(body), head)
        client.sendall(head + b"\r\nContent-Encoding: gzip\r\n\r\n" + body)
        return True

    return answer


def _blotted(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes(8) + body[middle + 8 :]


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
        where = more.format(proxy.endpoint, proxy.elsewhere)
        head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\n{where}"
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


def _doubled(body: bytes) -> bytes:
    """The page with its first row twice, and its last one gone: as many rows as it says."""
    document = json.loads(body)
    rows = _rows(document)
    rows[1:] = [*rows[:1], *rows[1:-1]]
    return json.dumps(document).encode()


def _unended(body: bytes) -> bytes:
    return body.replace(b'"jobstatus":1', b'"jobstatus":0').replace(
        b'"jobstatus": 1', b'"jobstatus": 0'
    )


def _counted(body: bytes) -> bytes:
    return re.sub(rb'"count":(\d+)', lambda found: b'"count":%d' % (int(found[1]) + 7), body)


_THERE = "Location: {1}\r\n"
PLANS: dict[str, Plan] = {
    "reset before the request": lambda proxy, client, request: _reset(client),
    "reset in the request, half arrives": _half_arrives,
    "reset before the reply": _lost,
    "cut in the body": _cut,
    "cut in a chunk": _cut_in_a_chunk,
    "body shorter than its length": _short,
    "cut in the body, over TLS": _cut_unannounced,
    "gzip, damaged": _zipped(_blotted),
    "gzip, cut short": _zipped(lambda body: body[: len(body) // 2]),
    "slow drip": _drip,
    "slow drip that never ends": _endless,
    "stall beyond the time-out": _stall,
    "429, CloudStack's text": _instead("429 by CloudStack"),
    "429, Retry-After": _instead("429 by a proxy"),
    "429, Retry-After, waited for": _said(429, PAGE, "text/html", "Retry-After: 1\r\n"),
    "500 HTML": _said(500, PAGE, "text/html"),
    "500 by CloudStack": _said(500, FAILED.replace(b"530", b"500")),
    "530 by CloudStack": _said(530, FAILED),
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
    **{f"redirect {n}, other host": _said(n, b"", more=_THERE) for n in (301, 302, 303, 307)},
    "redirect, plain HTTP": _said(308, b"", more="Location: {}?again\r\n"),
    "truncated JSON": _changed(lambda body: body[: len(body) // 2]),
    "raw control characters": _changed(lambda body: body.replace(b'name":"', b'name":"\x01')),
    "wrong count": _changed(_counted),
    "a row of the page before": _repeated,
    "401": _said(401, UNVERIFIED),
    "session lost": _said(401, UNVERIFIED),
    "session lost in the middle of a list": _said(401, UNVERIFIED),
    "job lost at a restart": _said(431, NO_JOB),
    "job that never ends": _changed(_unended),
    "a row twice on a page": _changed(_doubled),
}
# What is met by the question after a job, not by what started it.
POLLED = ", where its job is asked after"
_POLLS = (
    "reset before the request",
    "reset before the reply",
    "cut in the body",
    "stall beyond the time-out",
    "429, CloudStack's text",
    "429, Retry-After",
    "502 HTML",
    "503",
    "HTML 200",
    "truncated JSON",
    "530 by CloudStack",
    "session lost",
)
PLANS |= {name + POLLED: PLANS[name] for name in _POLLS}


@contextmanager
def planned(
    target: str, fault: str, which: Callable[[int, bytes], bool], **more: Any
) -> Iterator[Planned]:
    """A network to the server at `target` in which the chosen requests meet the fault."""
    proxy = Planned(target, 0, fault=fault, which=which, **more)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.close()
