"""A plain signed request: what the answers of other people's clients are held against.

It is written from the server's own rules and imports nothing of cs_magic, so that neither our
client nor our demo is its own judge.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, build_opener

Row = dict[str, Any]
Arguments = Mapping[str, "str | Mapping[str, str]"]
PAGE = 50


@dataclass(frozen=True)
class Target:
    """An API endpoint, and who calls there; name and password only where a login is checked."""

    endpoint: str
    api_key: str
    secret_key: str = field(repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    domain: str = "/"


class RefusedError(Exception):
    """The server's answer is an error: HTTP status, its text, its finer code."""

    def __init__(self, status: int, text: str, finer: int | None) -> None:
        super().__init__(f"{status}: {text}")
        self.status, self.text, self.finer = status, text, finer


def spelt(arguments: Arguments) -> dict[str, str]:
    """The arguments as they travel: a map `tags` becomes `tags[0].key` and `tags[0].value`."""
    sent: dict[str, str] = {}
    for name, value in arguments.items():
        if isinstance(value, str):
            sent[name] = value
        else:
            for index, (key, item) in enumerate(value.items()):
                sent |= {f"{name}[{index}].key": key, f"{name}[{index}].value": item}
    return sent


def signature(sent: Mapping[str, str], secret_key: str) -> str:
    """What the server works out for these parameters, HMAC-SHA1."""
    # java.net.URLEncoder leaves letters, digits and .-*_ bare; the server makes %20 of its +.
    pairs = (
        (name, quote(sent[name], safe="*").replace("~", "%7E"))
        for name in sorted(sent)
        if name.lower() != "signature"
    )
    text = "&".join("=".join(pair) for pair in pairs).lower()
    digest = hmac.digest(secret_key.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def rows_of(inner: Row) -> list[Row]:
    """The rows of a list: its one array, or none."""
    arrays = [value for value in inner.values() if isinstance(value, list)]
    return arrays[0] if len(arrays) == 1 else []


def ids(rows: list[Row]) -> list[str]:
    """The ids of rows, in their order."""
    return [row["id"] for row in rows]


@dataclass(frozen=True)
class Plain:
    """Asks a target by signed GET requests; nothing is retried or interpreted."""

    target: Target

    def ask(self, command: str, arguments: Arguments | None = None) -> Row:
        """What the envelope holds; RefusedError where it is an error."""
        sent = spelt(arguments or {}) | {"command": command, "response": "json"}
        sent["apiKey"] = self.target.api_key
        sent["signature"] = signature(sent, self.target.secret_key)
        url = f"{self.target.endpoint}?{urlencode(sent)}"
        try:
            with build_opener(ProxyHandler({})).open(url, timeout=120) as reply:
                return _inner(reply.read())
        except HTTPError as error:
            with error:
                said = _inner(error.read())
            refused = (error.code, said.get("errortext", ""), said.get("cserrorcode"))
        raise RefusedError(*refused)

    def rows(self, command: str, arguments: Arguments | None = None) -> list[Row]:
        """The rows of one answer."""
        return rows_of(self.ask(command, arguments))

    def everything(self, command: str, arguments: Arguments) -> list[Row]:
        """All rows, page after page until one is not full."""
        found: list[Row] = []
        page = 0
        while len(found) == PAGE * page:
            page += 1
            paging = {"page": str(page), "pagesize": str(PAGE)}
            found += self.rows(command, {**arguments, **paging})
        return found

    def job(self, command: str, arguments: Arguments) -> Row:
        """The job of a call, once it is over."""
        started = self.ask(command, arguments)
        while True:
            job = self.ask("queryAsyncJobResult", {"jobid": started["jobid"]})
            if job["jobstatus"] != 0:
                return job
            time.sleep(0.05)


def _inner(body: bytes) -> Row:
    """What the one key of an answer holds."""
    (inner,) = json.loads(body, strict=False).values()
    return inner if isinstance(inner, dict) else {"value": inner}
