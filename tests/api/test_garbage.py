"""Whatever a server says or a disk holds: an answer, or one of our errors on one line."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from replay import recorded
from servers import KEYS, Scripted, ticking

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.profile import Profile
from cs_magic.api.shelf import Shelf, from_cmk
from cs_magic.api.sources import Places
from cs_magic.api.values import Response
from cs_magic.connection import Connection
from cs_magic.errors import CloudStackError, harmless

ENDPOINT = "https://garbage.example/client/api"
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
    assert problem.message.strip()
    assert [line for line in problem.lines() if line != harmless(line)] == []
    assert "tell-tale-secret" not in repr(problem) + str(vars(problem))


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
