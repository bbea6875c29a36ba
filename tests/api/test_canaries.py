"""Secrets that only a call by keys has, and that proxies, redirects and logs could tell."""

from __future__ import annotations

import faulthandler
import logging
import pickle
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import Reply, listed, serving

import cs_magic
from cs_magic.errors import CloudStackError

API_KEY, SECRET_KEY, PROXY = "canary-api-key", "canary-secret-key", "canary-proxy-password"
ELSEWHERE, DEEP = "canary-in-a-redirect", "canary-deep-in-a-reply"
CANARIES = (API_KEY, SECRET_KEY, PROXY, ELSEWHERE, DEEP, "signature=")


@contextmanager
def web_proxy() -> Iterator[str]:
    """A web proxy that refuses everybody; its address has a password."""

    def refuse() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                client.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse, daemon=True).start()
        yield f"http://somebody:{PROXY}@127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def told(error: BaseException) -> str:
    """Everything that an error says, keeps, and pickles."""
    parts = [str(error), repr(error), repr(vars(error)), pickle.dumps(error).decode("latin-1")]
    if isinstance(error, CloudStackError):
        parts += error.lines()
    for other in (error.__cause__, error.__context__):
        parts += [told(other)] if other is not None else []
    return "\n".join(parts)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in ("urllib3", "requests", "cs_magic", ""):
        caplog.set_level(logging.DEBUG, name or None)
    return caplog


def call(endpoint: str, **settings: object) -> str:
    """Make calls by keys; everything that came of it, as text."""
    keys = {"api_key": API_KEY, "secret_key": SECRET_KEY, "catalogue": "bundled", **settings}
    with cs_magic.connect(endpoint=endpoint, **keys) as cloud:
        texts = [repr(cloud), repr(cloud.profile), repr(vars(cloud)), repr(cloud.client)]
        for command in ("listZones", "listUsers"):
            try:
                frame = cloud.call(command)
                texts += [repr(frame), repr(frame.attrs), pickle.dumps(frame).decode("latin-1")]
            except CloudStackError as error:
                texts.append(told(error))
    return "\n".join(texts)


def found(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def test_the_search_finds_what_is_there() -> None:
    assert found(told(ValueError(f"the key is {API_KEY}"))) == [API_KEY]


@pytest.mark.parametrize("method", ["post", "get"])
def test_a_redirect_tells_nobody_what_was_sent_or_where_to(
    log: pytest.LogCaptureFixture, method: str
) -> None:
    where = f"https://evil.example/client/api?apikey={ELSEWHERE}"
    with serving(lambda came: Reply(302, b"", {"Location": where})) as server:
        text = call(server.endpoint, method=method)
    assert "evil.example" in text
    assert found(text + log.text) == []


def test_a_secret_at_any_depth_of_a_reply_is_hidden(log: pytest.LogCaptureFixture) -> None:
    row = {"id": "1", "apikey": DEEP, "details": {"a": [{"secretkey": DEEP, "password": DEEP}]}}
    bodies = {"listZones": listed("zone", [row], 1), "listUsers": listed("user", [row], 1)}
    with serving(lambda came: Reply(200, bodies[came.form["command"]])) as server:
        text = call(server.endpoint)
    assert "••••" in text
    assert found(text + log.text) == []


@pytest.mark.parametrize("method", ["post", "get"])
def test_the_password_of_a_proxy_is_told_to_the_proxy_alone(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    with web_proxy() as address:
        monkeypatch.setenv("https_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        text = call("https://cloud.example.com/client/api", method=method)
    assert "proxy" in text
    assert found(text + log.text) == []


@pytest.mark.parametrize("status", [200, 401, 431, 500])
def test_a_refusal_by_any_status_tells_no_key(log: pytest.LogCaptureFixture, status: int) -> None:
    body = b'{"errorresponse":{"uuidList":[],"errorcode":%d,"errortext":"no"}}' % status
    with serving(lambda came: Reply(status, body)) as server:
        text = call(server.endpoint, method="get")
    assert found(text + log.text) == []


def test_a_dump_of_all_threads_tells_no_secret(tmp_path: Path) -> None:
    def answer(came: object) -> Reply:
        with (tmp_path / "dump").open("a") as file:
            faulthandler.dump_traceback(file)
        return Reply()

    with serving(answer) as server:
        call(server.endpoint)
    dump = (tmp_path / "dump").read_text()
    assert "transport.py" in dump
    assert found(dump) == []
