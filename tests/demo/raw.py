"""A request to the demo as it is written, character by character, over a socket."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

FORM = "application/x-www-form-urlencoded"


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def content_type(self) -> str:
        return str(self.headers.get("Content-Type") or "")


def exchange(
    endpoint: str, method: str, target: str, body: str = "", headers: dict[str, str] | None = None
) -> Reply:
    """The answer to a request with just this target, body and these headers."""
    host = endpoint.split("/")[2]
    data = body.encode()
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(data)}"] if data or method == "POST" else []
    address, _, port = host.partition(":")
    with socket.create_connection((address, int(port)), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        response = HTTPResponse(connection, method=method)
        response.begin()
        return Reply(response.status, response.headers, response.read())


def signature(text: str, secret: str) -> str:
    """HMAC-SHA1 of a text that is ready to be signed."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha1)).decode()
