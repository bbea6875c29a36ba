"""A network that fails as networks do, the same way for the same seed.

It stands between a client and a server. Each request meets a fault, or none: the connection
is cut at some stage, an idle one turns out to be dead, or somebody on the way answers.
"""

from __future__ import annotations

import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LIMIT = b'{"x":{"errorcode":429,"cserrorcode":9999,"errortext":"The given user has reached his/her'
LIMIT += b' account api limit, please retry after [5] ms."}}'

# What is answered in the place of the server, which may have had the request all the same.
ANSWERS = {
    "429 by CloudStack": (429, "application/json", LIMIT, ""),
    "429 by a proxy": (429, "text/html", b"<html>Slow down</html>", "Retry-After: 0\r\n"),
    "502": (502, "text/html", b"<html>Bad Gateway</html>", ""),
    "502 in plain text": (502, "text/plain", b"Bad Gateway", ""),
    "503": (503, "text/html", b"<html>Service Unavailable</html>", ""),
    "503 with nothing in it": (503, "text/plain", b"", ""),
    "504": (504, "text/plain", b"upstream timed out", ""),
    "blank 200": (200, "text/xml", b"", ""),
}
CUTS = (
    "cut before the request",
    "cut in the request",
    "cut in the request, half of it arrives",
    "cut before the reply",
    "cut in the reply",
    "cut when idle",
)
# These were the server's own, or a proxy's behind which the server worked on.
LATE = ("502", "502 in plain text", "503", "503 with nothing in it", "504", "blank 200")
FAULTS = (*CUTS, *ANSWERS, *(f"{name}, but done" for name in LATE))
NONE, DEAD = "none", "the connection was dead"


@dataclass
class Faulty:
    """A running proxy: its endpoint, and what each request met, in order.

    `faults` is the share of requests that meet one; 0 makes it a good network. With
    `idle_dies` every connection is dead after its first request.
    """

    target: str
    seed: int
    faults: float = 0.6
    idle_dies: bool = False
    met: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}{urlsplit(self.target).path}"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while self._pass_on(client):
                if self.idle_dies and client.recv(1, socket.MSG_PEEK):
                    self.met.append(DEAD)
                    _reset(client)
                    return

    def _pass_on(self, client: socket.socket) -> bool:
        """Take one request; False where the connection is over."""
        if not client.recv(1, socket.MSG_PEEK):
            return False
        fault, at = self._draw()
        if fault in {"cut before the request", "cut when idle"}:
            return _reset(client)
        if fault.startswith("cut in the request"):
            half = _part(client, at)
            if "arrives" in fault:
                self._half(half)
            return _reset(client)
        request = _whole(client)
        if fault in ANSWERS:
            return _answer(client, fault)
        reply = self._ask(request)
        if fault.endswith(", but done"):
            return _answer(client, fault.removesuffix(", but done"))
        if fault == "cut before the reply":
            return _reset(client)
        if fault == "cut in the reply":
            client.sendall(reply[: int(at * len(reply))])
            client.shutdown(socket.SHUT_WR)
            return False
        client.sendall(reply)
        return True

    def _draw(self) -> tuple[str, float]:
        with self._lock:
            fault = self._random.choice(FAULTS) if self._random.random() < self.faults else NONE
            self.met.append(fault)
            return fault, self._random.random()

    def _upstream(self) -> socket.socket:
        where = urlsplit(self.target)
        return socket.create_connection((where.hostname or "", where.port or 80), timeout=30)

    def _ask(self, request: bytes) -> bytes:
        """The server's whole reply to a whole request, as one that keeps the connection."""
        head, blank, body = request.partition(b"\r\n\r\n")
        head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head) + b"\r\nConnection: close"
        with self._upstream() as server:
            server.sendall(head + blank + body)
            reply = b"".join(iter(lambda: server.recv(65536), b""))
        head, blank, body = reply.partition(b"\r\n\r\n")
        return re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head) + blank + body

    def _half(self, half: bytes) -> None:
        with self._upstream() as server:
            server.sendall(half)
            _reset(server)


def _reset(connection: socket.socket) -> bool:
    """End a connection as a dying machine does: what was not read is refused."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def _answer(client: socket.socket, name: str) -> bool:
    status, kind, body, more = ANSWERS[name]
    head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n"
    client.sendall(head.encode() + b"\r\n" + body)
    return True


def _whole(client: socket.socket) -> bytes:
    """A whole request: its head, and as much body as that says."""
    came = b""
    while b"\r\n\r\n" not in came:
        came += _some(client)
    head, _, body = came.partition(b"\r\n\r\n")
    said = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while len(body) < (int(said[1]) if said else 0):
        body += _some(client)
    return head + b"\r\n\r\n" + body


def _part(client: socket.socket, share: float) -> bytes:
    """The beginning of a request, never all of it."""
    whole = _whole(client)
    return whole[: int(share * (len(whole) - 1))]


def _some(client: socket.socket) -> bytes:
    some = client.recv(65536)
    if not some:
        raise ConnectionError("it ended in the middle")
    return some


@contextmanager
def faulty(
    target: str, seed: int, faults: float = 0.6, idle_dies: bool = False
) -> Iterator[Faulty]:
    """A network to the server at `target` whose faults are those of the seed."""
    proxy = Faulty(target, seed, faults, idle_dies)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
