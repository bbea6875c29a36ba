"""A listener that keeps what a client sends: did the client sign otherwise, or the server err?"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from peers.plain import Target, signature


def signs_well(send: Callable[[Target], object], target: Target) -> bool:
    """Whether what `send` sends to a target carries the signature a server works out for it."""
    came: dict[str, str] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(came))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        send(replace(target, endpoint=f"http://127.0.0.1:{server.server_port}/client/api"))
    finally:
        server.shutdown()
        server.server_close()
    return came.get("signature") == signature(came, target.secret_key)


def _handler(came: dict[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._keep("")

        def do_POST(self) -> None:
            self._keep(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

        def _keep(self, form: str) -> None:
            """Keep the parameters, and answer an empty list."""
            came.clear()
            for text in (urlsplit(self.path).query, form):
                came.update(parse_qsl(text, keep_blank_values=True))
            body = json.dumps({f"{came.get('command', '').lower()}response": {}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json;charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    return Handler
