"""Recorded replies of a real management server, and a small server that gives them again."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

FOLDER = Path(__file__).parent / "recordings"


# The variables that may hold a profile, the first three of them one whole.
VARIABLES = """
    CLOUDSTACK_ENDPOINT CLOUDSTACK_KEY CLOUDSTACK_SECRET
    CLOUDSTACK_API_URL CLOUDSTACK_API_KEY CLOUDSTACK_SECRET_KEY CLOUDSTACK_CONFIG CS_MAGIC_PROFILE
    CLOUDSTACK_USERNAME CLOUDSTACK_PASSWORD CLOUDSTACK_DOMAIN
""".split()


@dataclass(frozen=True)
class Step:
    """One recorded exchange."""

    where: str
    account: str
    auth: str
    method: str
    command: str
    parameters: tuple[tuple[str, str], ...]
    status: int
    headers: dict[str, Any]
    body: bytes
    sent: dict[str, Any] = field(repr=False, default_factory=dict)
    signed: str | None = None

    @property
    def content_type(self) -> str:
        return str(next((v for k, v in self.headers.items() if k.lower() == "content-type"), ""))


@cache
def recorded() -> tuple[Step, ...]:
    """Every recorded step, in order."""
    return tuple(_all())


def steps(where: str) -> tuple[Step, ...]:
    """The steps of one recording: `steps("D-paging/03-vms-pages-of-50")`."""
    found = tuple(step for step in recorded() if step.where.rpartition("#")[0] == where)
    assert found, f"no recording {where}"
    return found


@cache
def accounts() -> dict[str, dict[str, Any]]:
    """The recorded accounts: name → apikey, secretkey, password, domain …"""
    return dict(json.loads((FOLDER / "accounts.json").read_text()))


def _all() -> Iterator[Step]:
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text().rstrip("\n").split("\n"):
            entry = json.loads(line)
            for index, step in enumerate(entry["steps"]):
                yield _step(f"{path.stem}/{entry['file']}#{index}", step)


def _step(where: str, step: dict[str, Any]) -> Step:
    return Step(
        where=where,
        account=step.get("as") or "",
        auth=step["auth"],
        method=step["method"],
        command=step["call"].get("command") or "",
        parameters=tuple((name, value) for name, value in step["call"].get("params", ())),
        status=step["status"],
        headers=step["headers"],
        body=_body(step),
        sent=step.get("sent", {}),
        signed=step.get("signed"),
    )


def _body(step: dict[str, Any]) -> bytes:
    body = step.get("body") or ""
    match step.get("bodyencoding"):
        case "gzip+base64":
            return gzip.decompress(base64.b64decode(body))
        case "base64":
            return base64.b64decode(body)
    return str(body).encode()


class Replay:
    """A server on a free port that answers each command with the steps it was given.

    Page N of a command gets its N-th step; a page beyond, or a second list with
    `projectid=-1`, gets the empty list that CloudStack would send; a command without
    steps is refused as an unknown one (listConfigurations as one that users don't have). A
    larger `pagesize` than `largest` is refused as recorded. `requests` are the forms that came.
    """

    def __init__(self, *given: Step | Sequence[Step], largest: int = 500) -> None:
        self._largest = largest
        self.requests: list[dict[str, str]] = []
        self._steps: dict[str, list[Step]] = {}
        for item in given:
            for step in [item] if isinstance(item, Step) else item:
                self._steps.setdefault(step.command, []).append(step)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/client/api"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> Replay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, Any], bytes]:
        """Status, headers and body for a request."""
        self.requests.append(form)
        given = self._steps.get(form.get("command", ""))
        if given is None and form.get("command") == "listConfigurations":
            return 432, JSON, _NOT_FOR_USERS
        if given is None:
            return 401, JSON, _UNKNOWN
        if int(form.get("pagesize", "0")) > self._largest:
            too_big = steps("D-paging/08-pagesize-501")[0]
            body = too_big.body.replace(b"value: 500", b"value: %d" % self._largest)
            return too_big.status, too_big.headers, body
        page = int(form.get("page", "1"))
        second = form.get("projectid") == "-1" and not any(
            ("projectid", "-1") in step.parameters for step in given
        )
        if second or page > len(given):
            wrapper = next(iter(json.loads(given[0].body, strict=False)))
            return 200, JSON, json.dumps({wrapper: {}}).encode()
        step = given[page - 1]
        return step.status, step.headers, step.body

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                self._reply(self.rfile.read(length).decode())

            def do_GET(self) -> None:
                self._reply(urlsplit(self.path).query)

            def _reply(self, form: str) -> None:
                pairs = dict(parse_qsl(form, keep_blank_values=True))
                status, headers, body = replay.answer(pairs)
                self.send_response_only(status, str(status))
                for name, value in headers.items():
                    if name.lower() in {"content-length", "transfer-encoding", "connection"}:
                        continue
                    for one in value if isinstance(value, list) else [value]:
                        self.send_header(name, one)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


def environment(replay: Replay, account: str = "radmin") -> dict[str, str]:
    """The variables of a profile that leads to a replay server."""
    keys = accounts()[account]
    values = (replay.endpoint, keys["apikey"], keys["secretkey"])
    return dict(zip(VARIABLES, values, strict=False))


JSON = {"Content-Type": "application/json;charset=utf-8"}
_UNKNOWN = (
    b'{"errorresponse":{"uuidList":[],"errorcode":401,"errortext":'
    b'"unable to verify user credentials and/or request signature"}}'
)
_NOT_FOR_USERS = (
    b'{"errorresponse":{"uuidList":[],"errorcode":432,"cserrorcode":9999,"errortext":'
    b'"The API [listConfigurations] does not exist or is not available for the account u1."}}'
)
