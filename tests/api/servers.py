"""Small servers for the tests: they answer as they are told, and keep what came."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.api.values import Request, Response

KEYS = KeyPair("tell-tale-api-key", "tell-tale-secret-key", "HmacSHA1")
JSON = {"Content-Type": "application/json;charset=utf-8"}
EMPTY = b'{"listzonesresponse":{}}'


@dataclass(frozen=True)
class Came:
    """One request as it came: over which connection (from 1), and what it held."""

    connection: int
    method: str
    target: str
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass
class Reply:
    """What to answer. `drop` closes the connection instead."""

    status: int = 200
    body: bytes = EMPTY
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


Answer = Callable[[Came], Reply]


@dataclass
class Server:
    """A running server: its endpoint, and the requests that came."""

    endpoint: str
    came: list[Came]

    def profile(self, **settings: Any) -> Profile:
        """A profile for this server."""
        return Profile("test", **{"endpoint": self.endpoint, "credentials": KEYS} | settings)


@contextmanager
def serving(answer: Answer | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on a loopback port that answers as told; over TLS where a context is given."""
    came: list[Came] = []
    connections: dict[Any, int] = {}
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), _handler(answer or (lambda _: Reply()), came, connections)
    )
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Server(f"{scheme}://127.0.0.1:{server.server_port}/client/api", came)
    finally:
        server.shutdown()
        server.server_close()


def _handler(answer: Answer, came: list[Came], connections: dict[Any, int]) -> type:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            form = self.rfile.read(length)
            if len(form) == length:
                self._reply(form.decode())
            else:  # it was cut on its way
                self.close_connection = True

        def do_GET(self) -> None:
            self._reply(urlsplit(self.path).query)

        def _reply(self, form: str) -> None:
            number = connections.setdefault(self.client_address, len(connections) + 1)
            pairs = dict(parse_qsl(form, keep_blank_values=True))
            request = Came(number, self.command, self.path, dict(self.headers), pairs)
            came.append(request)
            reply = answer(request)
            if reply.drop:
                self.close_connection = True
                return
            self.send_response_only(reply.status, "It is so")
            for name, value in (JSON | reply.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

    return Handler


@contextmanager
def speaking(
    talk: Callable[[socket.socket, threading.Event], None], reads: bool = True
) -> Iterator[Server]:
    """A raw server: `talk` has each connection after its request came, until the event is set.

    It reads the request itself where the server does not.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            if reads:
                connection.recv(65536)
            try:
                talk(connection, over)
            except OSError:
                return

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}/client/api", [])
    finally:
        over.set()
        listener.close()


def listed(key: str, items: list[Any], total: int | None = None, wrapper: str = "x") -> bytes:
    """A list reply: `{"x":{"count":…,key:[…]}}`, in CloudStack's shapes for an empty one."""
    inner: dict[str, Any] = {} if total is None else {"count": total}
    return json.dumps({wrapper: inner | ({key: items} if items else {})}).encode()


def leaks(error: BaseException) -> list[str]:
    """Everything that an exception and its causes, contexts and arguments tell of secrets."""
    told: list[str] = []
    seen: set[int] = set()
    todo: list[Any] = [error]
    while todo:
        one = todo.pop()
        if id(one) in seen or one is None:
            continue
        seen.add(id(one))
        told += [str(one), repr(one)]
        if isinstance(one, BaseException):
            todo += [one.__cause__, one.__context__, *one.args, *vars(one).values()]
            told += getattr(one, "__notes__", [])
    words = ("tell-tale", "signature=", "apiKey=", "expires=")
    return [text for text in told if any(word in text for word in words)]


class Scripted:
    """A transport that answers from a function, in this process; it keeps what was sent.

    The function gets the form and gives a Response, or raises a TransportError.
    """

    def __init__(self, answer: Callable[[dict[str, str]], Response]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.requests: list[Request] = []

    @property
    def forms(self) -> list[dict[str, str]]:
        """What was sent, as dicts."""
        return [dict(request.form) for request in self.requests]

    def send(self, request: Request) -> Response:
        """The answer of the function."""
        with self._lock:
            self.requests.append(request)
        return self._answer(dict(request.form))

    def interrupt(self, threads: set[int]) -> None:
        """Nothing is on the way."""

    def close(self) -> None:
        """Nothing is open."""


def reply(body: bytes, status: int = 200, retry_after: str | None = None) -> Response:
    """A JSON response."""
    return Response(status, JSON["Content-Type"], body, retry_after)


def ticking() -> Callable[[], datetime]:
    """A clock that is a second later each time it is asked."""
    seconds = count()
    return lambda: datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(seconds=next(seconds))
