"""What a traceback shows of the frames that had the secrets."""

from __future__ import annotations

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
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Secret

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
    assert pickle.loads(pickle.dumps(secret)) == secret
    assert "tell-tale" not in f"{secret!r} {[secret]} {(secret,)} { ({'a': secret}) }"
