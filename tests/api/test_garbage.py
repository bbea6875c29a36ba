"""Whatever a server says or a disk holds: an answer, or one of our errors on one line."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from replay import recorded
from servers import KEYS, Scripted, Server, speaking, ticking

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.profile import Profile
from cs_magic.api.shelf import Shelf, from_cmk
from cs_magic.api.sources import Places
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Response
from cs_magic.connection import Connection
from cs_magic.errors import CloudStackError, FateUnknown, TransportError, harmless

ENDPOINT = "https://garbage.example/client/api"
ALL = "CS_MAGIC_TEST_EXAMPLES" in os.environ
MANY = int(os.environ.get("CS_MAGIC_TEST_EXAMPLES", "500"))
often = settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
COMMANDS = ("listZones", "listVirtualMachines", "createSSHKeyPair", "listApis", "getUser")

WORDS = st.sampled_from(
    "count errorcode errortext cserrorcode jobid id zone name api jobstatus uuidList".split()
) | st.text(max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
REPLIES = sorted({step.body for step in recorded() if 20 < len(step.body) < 3_000})


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A recorded reply, cut, doubled, or with bytes of it replaced."""
    body = bytearray(draw(st.sampled_from(REPLIES)))
    for _ in range(draw(st.integers(0, 4))):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    start, end = draw(st.integers(0, 5)), draw(st.integers(0, len(body)))
    return bytes(body[start:]) if draw(st.booleans()) else bytes(body[:end])


BODIES = (
    damaged()
    | st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps({"listzonesresponse": value}).encode())
    | JSON.map(lambda value: json.dumps(value).encode())
)
STATUSES = st.sampled_from([200, 200, 200, 201, 302, 400, 401, 404, 429, 430, 431, 500, 503, 530])
TYPES = st.sampled_from(["application/json;charset=utf-8", "text/html", "", "text/xml", "\x00"])


@often
@given(BODIES, STATUSES, TYPES, st.sampled_from(COMMANDS))
@example(b'{"":{"count":null}}', 200, "", "listZones")
@example(b'{"x":{"count":1,"configuration":[null]}}', 200, "", "listZones")
@example(b"[" * 100_000, 200, "application/json", "listZones")
@example(b'{"a":' * 50_000, 200, "application/json", "listZones")
@example(b'{"x":{"count":1,"zone":[{"id":"1","n":%s}]}}' % (b"1" * 6_000), 200, "", "listZones")
@example(b'{"x":{"count":1,"zone":[{"n":[%s]}]}}' % (b"1" * 6_000), 200, "", "listZones")
@example(b'{"listzonesresponse":{"count":1e999,"zone":[{"id":1}]}}', 200, "", "listZones")
def test_any_reply_is_a_frame_or_one_of_our_errors(
    body: bytes, status: int, kind: str, command: str
) -> None:
    transport = Scripted(lambda form: Response(status, kind, body))
    client = Client(Profile("test", ENDPOINT, KEYS), transport, ticking(), lambda *_: None)
    cloud = Connection(client, bundled())
    arguments = {"name": "mine"} if command == "createSSHKeyPair" else {}
    arguments |= {"userapikey": "x"} if command == "getUser" else {}
    problem: CloudStackError | None = None
    try:
        frame = cloud.call(command, wait=False, **arguments)
    except CloudStackError as error:
        problem = error
    if problem is None:
        assert frame.attrs["cs"]["command"] == command
        return
    assert_says_what_is_wrong(problem)


def assert_says_what_is_wrong(problem: CloudStackError) -> None:
    """One line that names the cause, with no secret in it."""
    assert problem.message.strip()
    assert [line for line in problem.lines() if line != harmless(line) or len(line) > 2_100] == []
    told = f"{problem!r} {vars(problem)} {problem.lines()}"
    assert "tell-tale" not in told


# -- through a real socket -------------------------------------------------------------------

DIGITS = "9" * 5_000
FIRST_LINES = st.sampled_from(
    [
        *(f"HTTP/1.1 {status} x" for status in (100, 101, 199, 200, 204, 206, 302, 304, 401, 407)),
        *(f"HTTP/1.1 {status} x" for status in (429, 431, 500, 503, 530, 999, 1000, -1, DIGITS)),
        *("HTTP/1.0 200 OK", "HTTP/9.9 200 OK", "HTTP/1.1 200", "HTTP/1.1", "HTTP/1.1 abc x"),
        *("SSH-2.0-OpenSSH_9.6", "", "\x00\xff", "HTTP/1.1 200 " + "x" * 70_000),
    ]
) | st.just("HTTP/1.1 200 OK")
ECHO = "apiKey=tell-tale-api-key&signature=tell-tale"
HEADERS = st.sampled_from(
    [
        *(f"Location: {to}" for to in ("https://[bad/x", "https://a/\xe9\xff", "//", f"/x?{ECHO}")),
        *("Location: https://u:tell-tale@h/;jsessionid=tell-tale#tell-tale", "Location: a\x1b[2J"),
        *(f"Content-Length: {length}" for length in (0, 5, -5, "x", "", DIGITS, 10**20, "1, 2")),
        *(f"Transfer-Encoding: {how}" for how in ("chunked", "gzip, chunked", "x", "\xff")),
        *(f"Content-Encoding: {how}" for how in ("gzip", "br", "deflate", "zstd", "rot13", "")),
        "Content-Encoding: " + ", ".join(["gzip"] * 20),
        *(f"Retry-After: {when}" for when in (0, -1, "x", "²", "Wed, 99 Xxx 9999 99:99:99 GMT")),
        *(f"Content-Type: {kind}" for kind in ("application/json", "text/html", "\xff\x00", "")),
        *("Set-Cookie: JSESSIONID=\xff; Expires=x", "Set-Cookie: ;;==", "no colon", "\x00: x"),
        *("Connection: close", "X: " + "y" * 70_000, " folded", "Content-Length: 5"),
    ]
)
ODD = st.sampled_from(
    [
        ECHO.encode(),
        b"-5\r\nabc",
        b"zz\r\nabc",
        b"ffffffffffffffffffff\r\nabc",
        *(b'{"x":{"count":%s,"zone":[{"id":%s}]}}' % (n, n) for n in (DIGITS.encode(), b"NaN")),
        *(b'{"x":{"errorcode":%s,"errortext":"a"}}' % n for n in (DIGITS.encode(), b"NaN", b"{}")),
        *(
            b'{"x":{"jobstatus":%s,"jobresult":{"errorcode":%s,"n":%s}}}' % (state, n, n)
            for state in (b"1", b"2", b"Infinity", DIGITS.encode())
            for n in (DIGITS.encode(), b"NaN", b"1e999", b'"x"')
        ),
        b'{"x":{"jobid":{}}}',
        b'{"x":{"jobid":null}}',
        gzip.compress(b'{"x":{}}'),
        gzip.compress(b'{"x":{}}')[:12],
    ]
)


@st.composite
def raw_replies(draw: st.DrawFn) -> bytes:
    """What a server writes: a first line, headers, and a body, each of which may be wrong."""
    body = draw(ODD | BODIES)
    lines = [draw(FIRST_LINES), *draw(st.lists(HEADERS, max_size=4))]
    if draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@pytest.fixture(scope="module")
def raw() -> Iterator[tuple[Server, list[bytes]]]:
    """A server that writes what it is told, byte by byte, and a job's id where one begins."""
    told = [b""]

    def talk(connection: socket.socket, over: threading.Event) -> None:
        came = read_whole(connection)
        body = b'{"x":{"jobid":"j-1"}}'
        begun = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        connection.sendall(begun if b"command=rebootVirtualMachine" in came else told[0])
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with speaking(talk, reads=False) as server:
        yield server, told


def read_whole(connection: socket.socket) -> bytes:
    came = b""
    while b"\r\n\r\n" not in came:
        came += connection.recv(65536)
    head, _, body = came.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
    while len(body) < length:
        body += connection.recv(65536)
    return body


RAW_CALLS = {
    "listZones": {},
    "createSSHKeyPair": {"name": "mine"},
    "rebootVirtualMachine": {"id": "cbe28269-ac23-4d52-a8b0-a2ae8f78f9f6", "job_timeout": 0.01},
}


@settings(often, max_examples=2 * MANY if ALL else 300)
@given(raw_replies(), st.sampled_from(sorted(RAW_CALLS)))
@pytest.mark.timeout(1200)
def test_any_bytes_from_a_socket_are_a_frame_or_one_of_our_errors(
    raw: tuple[Server, list[bytes]], reply: bytes, command: str
) -> None:
    server, told = raw
    told[0] = reply
    profile = server.profile(timeout=20.0)
    client = Client(profile, HttpTransport(profile), ticking(), lambda *_: None)
    with Connection(client, bundled()) as cloud:
        try:
            frame = cloud.call(command, **RAW_CALLS[command])
        except CloudStackError as error:
            problem = error
        else:
            assert frame.attrs["cs"]["command"] == command
            return
    assert_says_what_is_wrong(problem)
    if command == "createSSHKeyPair" and isinstance(problem, TransportError):
        knows_its_job = any("%cs job " in hint for hint in problem.hints)
        assert isinstance(problem, FateUnknown) or not problem.sent or knows_its_job


# -- what lies on the disk ---------------------------------------------------------------------


@often
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@example(
    b'{"format":2,"endpoint":"' + ENDPOINT.encode() + b'","version":"","time":1e400,"apis":[]}'
)
@example(b'{"format":2,"endpoint":"' + ENDPOINT.encode() + b'","version":"","time":0,"apis":[{}]}')
@example(b"[" * 100_000)
def test_any_file_in_the_cache_is_a_catalogue_or_thrown_away(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    shelf = Shelf(Profile("test", ENDPOINT, KEYS), tmp_path_factory.getbasetemp() / "shelf")
    shelf.path.parent.mkdir(exist_ok=True)
    shelf.path.write_bytes(content)
    if shelf.load() is None:
        assert not shelf.path.exists()


@often
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_cache_of_cmk_is_a_catalogue_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    home = tmp_path_factory.getbasetemp() / "cmk"
    folder = home / ".cmk" / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    (home / ".cmk" / "config").write_text(
        f"[lab]\nurl = {ENDPOINT}\napikey = {KEYS.api_key}\nsecretkey = {KEYS.secret_key}\n"
    )
    (folder / "lab.cache").write_bytes(content)
    found = from_cmk(Profile("test", ENDPOINT, KEYS), Places(home, home / "none", home), {})
    assert found is None or isinstance(found[0], list)
