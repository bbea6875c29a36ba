"""What a traceback shows of the frames that had the secrets."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import signal
import socket
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers import KEYS, Server, speaking

import cs_magic
from cs_magic.api import login
from cs_magic.api.credentials import KeyPair, Password, Session
from cs_magic.api.profile import Profile
from cs_magic.api.records import Records
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Page, Provenance, Result, Secret
from cs_magic.errors import ProfileError, Refused
from cs_magic.opening import opened

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS = {str(Path(cs_magic.__file__).parent), str(Path(__file__).parent)}
GIVEN = [KEYS, Session("tell-tale-key", "tell-tale-id"), Password("u", "tell-tale-password")]


def interrupt(connection: socket.socket, over: threading.Event) -> None:
    """Interrupt the main thread, which waits for an answer, and give none."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    over.wait()


def call(server: Server, given: KeyPair | Session | Password) -> None:
    transport = HttpTransport(server.profile())
    if isinstance(given, Password):
        login.sign_in(transport, server.endpoint, given)
    else:
        transport.send(given.authorize(Call("listZones"), server.endpoint, NOON))


def shown(error: BaseException) -> str:
    """The frames of an exception with the locals of each."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(told.format())


@pytest.mark.parametrize("given", GIVEN, ids=lambda one: type(one).__name__)
def test_an_interrupt_shows_our_frames_only_and_no_secret_in_them(given):
    planted = "a plain local"
    with speaking(interrupt) as server, pytest.raises(KeyboardInterrupt) as caught:
        call(server, given)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "send"
    assert all(any(one.filename.startswith(folder) for folder in OURS) for one in frames)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    told = shown(caught.value)
    assert planted in told
    assert "tell-tale" not in told


@pytest.mark.parametrize("given", GIVEN[:2], ids=lambda one: type(one).__name__)
def test_each_secret_of_a_request_is_hidden_in_its_form_and_its_cookies(given):
    request = given.authorize(Call("listZones"), "http://127.0.0.1/client/api", NOON)
    told = f"{request.form!r} {request.cookies!r}"
    assert "listZones" in told
    assert "tell-tale" not in told
    assert dict(request.form).get("signature", "none") not in told


def test_a_secret_is_the_text_that_it_holds_and_tells_nobody():
    secret = Secret("tell-tale")
    assert secret == "tell-tale"
    assert {"tell-tale": 1}[secret] == 1
    assert "tell-tale" not in f"{secret!r} {[secret]} {(secret,)} { ({'a': secret}) }"


PROFILE = Profile("test", "https://host/client/api", KEYS)


@pytest.mark.parametrize("holder", [PROFILE, *GIVEN], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_holds_secrets_is_not_pickled(holder, protocol):
    with pytest.raises(Refused) as caught:
        pickle.dumps(holder, protocol)
    assert "is not pickled" in caught.value.message


def test_a_connection_is_not_pickled():
    with opened(PROFILE) as connection, pytest.raises(Refused, match="Connection is not pickled"):
        pickle.dumps(connection)


@pytest.mark.parametrize("holder", [PROFILE, *GIVEN], ids=lambda one: type(one).__name__)
def test_as_a_dict_a_holder_of_secrets_tells_none_and_a_copy_works(holder):
    assert "tell-tale" not in json.dumps(dataclasses.asdict(holder))
    assert copy.copy(holder) == copy.deepcopy(holder) == dataclasses.replace(holder) == holder


def test_a_pickled_secret_is_its_mask():
    assert pickle.loads(pickle.dumps([Secret("tell-tale")])) == ["••••"]


def test_a_pickled_result_has_left_its_secrets_behind():
    records = Records({"id": "text", "apikey": "text"})
    records.add(Page("user", 1, b'[{"id":"1","apikey":"tell-tale"}]'))
    result = Result(records.table(), Provenance("listUsers"), "user", secrets=records.secrets)
    text = pickle.dumps(result)
    assert b"tell-tale" in json.dumps(result.secrets).encode()
    assert b"tell-tale" not in text
    assert pickle.loads(text).table.equals(result.table)


WRONG = [
    {"endpoint": "http://[bad"},
    {"timeout": "x"},
    {"nosuch": 1},
    {"profile": "prod"},
    {"endpoint": "https://u:tell-tale@host/"},
    {"password": "tell-tale"},
    {"secret_key": b"tell-tale"},
    {"secret_key": None},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_connection_that_cannot_be_made_shows_no_key_in_its_frames(wrong):
    keys = {"api_key": KEYS.api_key, "secret_key": KEYS.secret_key}
    given = Secrets({"endpoint": "https://host/client/api", **keys} | wrong)
    del keys
    with pytest.raises(ProfileError) as caught:
        cs_magic.connect(**given)
    del wrong  # a local of this frame
    told = shown(caught.value)
    assert "opening.py" in told
    assert "tell-tale" not in told


class Secrets(dict):
    """What is given, and not shown as a local of the test."""

    def __repr__(self) -> str:
        return "given"
