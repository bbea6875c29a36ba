"""One exchange over a real socket: what is sent, over which connection, and what never is."""

from __future__ import annotations

import gzip
import http.client
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from servers import EMPTY, KEYS, Reply, leaks, serving, speaking

from cs_magic.api.credentials import Session
from cs_magic.api.profile import Profile
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Request
from cs_magic.errors import CallError, TransportError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CALL = Call("listZones", (("keyword", "a~b *+/é😀&="),))


def request(endpoint: str, *, is_read: bool = True, method: str = "POST") -> Request:
    signed = KEYS.authorize(CALL, endpoint, NOW)
    return Request(
        signed.command, signed.url, signed.form, method, cookies=signed.cookies, is_read=is_read
    )


def failure(transport: HttpTransport, asked: Request) -> TransportError:
    with pytest.raises(TransportError) as caught:
        transport.send(asked)
    return caught.value


# -- what is sent --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_parameter_arrives_as_it_was_signed(method):
    with serving() as server:
        asked = request(server.endpoint, method=method)
        HttpTransport(server.profile()).send(asked)
    assert server.came[0].method == method
    assert dict(asked.form) == server.came[0].form


def test_a_form_leaves_nothing_in_the_url():
    with serving() as server:
        HttpTransport(server.profile()).send(request(server.endpoint))
    assert server.came[0].target == "/client/api"
    assert server.came[0].headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_the_user_agent_names_us():
    with serving() as server:
        HttpTransport(server.profile()).send(request(server.endpoint))
    assert server.came[0].headers["User-Agent"].startswith("cs_magic/")


@pytest.mark.parametrize(
    ("host", "encoding"),
    [("cloud.example.com", "gzip"), ("localhost", "identity"), ("127.0.0.1", "identity")],
)
def test_answers_are_compressed_only_off_loopback(host, encoding, monkeypatch):
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        port = proxy.endpoint.split(":")[2]
        endpoint = f"http://{host}:{port}"
        HttpTransport(proxy.profile(endpoint=endpoint)).send(request(endpoint))
    assert encoding == proxy.came[0].headers["Accept-Encoding"]


def test_an_answer_comes_with_its_status_headers_and_body():
    given = {"Retry-After": "7", "Location": "/x", "Set-Cookie": "JSESSIONID=abc; Path=/client"}
    with serving(lambda _: Reply(429, b'{"x":{}}', given)) as server:
        answer = HttpTransport(server.profile()).send(request(server.endpoint))
    assert (answer.status, answer.body) == (429, b'{"x":{}}')
    assert (answer.retry_after, answer.location) == ("7", "/x")
    assert answer.content_type == "application/json;charset=utf-8"
    assert answer.cookies == {"JSESSIONID": "abc"}


def test_a_compressed_answer_is_read():
    packed = Reply(body=gzip.compress(EMPTY), headers={"Content-Encoding": "gzip"})
    with serving(lambda _: packed) as server:
        assert HttpTransport(server.profile()).send(request(server.endpoint)).body == EMPTY


# -- connections ---------------------------------------------------------------------------


def test_reads_share_a_connection():
    with serving() as server:
        transport = HttpTransport(server.profile())
        for _ in range(3):
            transport.send(request(server.endpoint))
    assert [came.connection for came in server.came] == [1, 1, 1]


def test_a_write_goes_over_a_connection_of_its_own():
    with serving() as server:
        transport = HttpTransport(server.profile())
        for is_read in (True, False, True, False):
            transport.send(request(server.endpoint, is_read=is_read))
    assert [came.connection for came in server.came] == [1, 2, 1, 3]
    assert server.came[1].headers["Connection"] == "close"


def test_nothing_is_sent_twice_where_the_server_drops_the_connection():
    with serving(lambda _: Reply(drop=True)) as server:
        error = failure(HttpTransport(server.profile()), request(server.endpoint))
    assert len(server.came) == 1
    assert error.sent


def test_a_closed_transport_connects_again():
    with serving() as server:
        transport = HttpTransport(server.profile())
        for _ in range(2):
            transport.send(request(server.endpoint))
            transport.close()
    assert [came.connection for came in server.came] == [1, 2]


# -- what never is -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_never_followed(status, method):
    with serving() as other:
        away = Reply(status, b"", {"Location": other.endpoint})
        with serving(lambda _: away) as server:
            answer = HttpTransport(server.profile()).send(request(server.endpoint, method=method))
    assert answer.status == status
    assert (len(server.came), other.came) == (1, [])


@pytest.mark.parametrize("where", [b"https://[bad/x", b"https://a/\xe9\xff", b"https://a:port/"])
def test_where_a_redirect_leads_is_not_even_looked_at(where):
    text = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + where + b"\r\n\r\n"
    with speaking(answered(text)) as server:
        answer = HttpTransport(server.profile()).send(request(server.endpoint, is_read=False))
    assert answer.status == 302


def test_a_cookie_that_was_set_is_not_sent_back():
    baked = Reply(headers={"Set-Cookie": "JSESSIONID=abc; Path=/"})
    with serving(lambda _: baked) as server:
        transport = HttpTransport(server.profile())
        for is_read in (True, True, False):
            transport.send(request(server.endpoint, is_read=is_read))
    assert [came.headers.get("Cookie") for came in server.came] == [None, None, None]


def test_netrc_is_not_read(tmp_path: Path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password tell-tale\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving() as server:
        HttpTransport(server.profile()).send(request(server.endpoint))
    assert "Authorization" not in server.came[0].headers


def test_a_proxy_from_the_environment_is_used(monkeypatch):
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        endpoint = "http://cloud.example.com/client/api"
        HttpTransport(proxy.profile(endpoint=endpoint)).send(request(endpoint))
    assert proxy.came[0].target == endpoint


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_proxy_is_never_used_for_loopback(name, host, monkeypatch):
    for other in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(other, raising=False)
    with serving() as proxy, serving() as server:
        monkeypatch.setenv(name, proxy.endpoint)
        endpoint = server.endpoint.replace("127.0.0.1", host)
        HttpTransport(server.profile(endpoint=endpoint)).send(request(endpoint))
    assert (len(server.came), proxy.came) == (1, [])


def test_no_proxy_is_obeyed(monkeypatch):
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        monkeypatch.setenv("no_proxy", "cloud.invalid")
        endpoint = "http://cloud.invalid/client/api"
        error = failure(HttpTransport(proxy.profile(endpoint=endpoint)), request(endpoint))
    assert proxy.came == []
    assert "cloud.invalid" in error.message


HALF = "\ud800"


@pytest.mark.parametrize("pair", [("name", HALF), (f"tags[0].{HALF}", "a"), ("jobid", f"a{HALF}")])
def test_half_of_a_character_is_refused_before_anything_is_sent(pair):
    with serving() as server, pytest.raises(CallError) as caught:
        HttpTransport(server.profile()).send(Request("listZones", server.endpoint, (pair,)))
    assert server.came == []
    assert pair[0].replace(HALF, "\\ud800") in str(caught.value)
    assert caught.value.__context__ is None


def test_a_cookie_that_no_server_gave_is_refused_before_anything_is_sent():
    session = Session("tell-tale-key", "tell-tale-\u2603")
    with serving() as server, pytest.raises(CallError) as caught:
        HttpTransport(server.profile()).send(session.authorize(CALL, server.endpoint, NOW))
    assert server.came == []
    assert leaks(caught.value) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_printed_where_http_client_prints_what_it_sends(method, capfd, monkeypatch):
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with serving() as server:
        requests.get(f"{server.endpoint}/somebody-elses")
        HttpTransport(server.profile()).send(request(server.endpoint, method=method))
    printed = capfd.readouterr().out
    assert "somebody-elses" in printed
    assert "apiKey" not in printed


# -- proxies -------------------------------------------------------------------------------

UNUSABLE = [
    "http://u:tell-tale@[::1",
    "http://u:tell-tale@127.0.0.1:notaport",
    "http://u:tell-tale@127.0.0.1:99999",
    "http://u:tell-tale#x@127.0.0.1:1",
    "http://u:tell-tale@.bad..host:1",
    "socks5://u:tell-tale@127.0.0.1:1",
    "ftp://u:tell-tale@127.0.0.1:1",
    ":::",
    "http://",
]


@pytest.fixture
def without_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("without_proxies")
@pytest.mark.parametrize("address", UNUSABLE)
@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_named_and_nothing_was_sent(name, address, monkeypatch):
    monkeypatch.setenv(name, address)
    endpoint = "https://cloud.example.com/client/api"
    profile = Profile("test", endpoint, KEYS)
    error = failure(HttpTransport(profile), request(endpoint, is_read=False))
    assert f"The proxy in {name} can't be used: " in error.message
    assert (error.sent, error.passing) == (False, False)
    assert leaks(error) == []


@pytest.mark.usefixtures("without_proxies")
def test_a_proxy_needs_no_scheme(monkeypatch):
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", f"u:p@{proxy.endpoint.split('/')[2]}")
        endpoint = "http://cloud.example.com/client/api"
        HttpTransport(proxy.profile(endpoint=endpoint)).send(request(endpoint))
    assert proxy.came[0].headers["Proxy-Authorization"].startswith("Basic ")


@pytest.mark.usefixtures("without_proxies")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_asks_for_a_password_is_named_as_such(scheme, monkeypatch):
    with speaking(answered(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.endpoint)
        endpoint = f"{scheme}://cloud.example.com/client/api"
        error = failure(HttpTransport(proxy.profile(endpoint=endpoint)), request(endpoint))
    assert "The proxy on the way to cloud.example.com wants a user name" in error.message
    assert (error.sent, error.passing) == (False, False)


# -- failing -------------------------------------------------------------------------------


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/client/api"


def answered(text: bytes):
    def talk(connection, over):
        connection.sendall(text)

    return talk


BROKEN = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf",
    "a negative chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhalf",
    "no such length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhalf",
    "bad gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf",
}
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + b'{"x":{}}'


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_tells_no_secret_and_that_it_was_sent(text, is_read, method):
    with speaking(answered(text)) as server:
        error = failure(
            HttpTransport(server.profile()),
            request(server.endpoint, is_read=is_read, method=method),
        )
    assert error.sent
    assert error.__cause__ is error.__context__ is None
    assert leaks(error) == []


HALF_A_HEADER = b"HTTP/1.1 200 OK\r\nContent-Le"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("text", [*BROKEN.values(), HALF_A_HEADER, WHOLE], ids=repr)
def test_nothing_is_logged_that_holds_a_url(text, method, caplog):
    caplog.set_level("DEBUG")
    with speaking(answered(text)) as server, suppress(TransportError):
        HttpTransport(server.profile()).send(request(server.endpoint, method=method))
    assert "/client/api" not in caplog.text


def test_the_log_of_other_users_of_the_library_is_left_alone(caplog):
    caplog.set_level("DEBUG")
    with serving() as server:
        HttpTransport(server.profile()).send(request(server.endpoint))
        requests.get(f"{server.endpoint}/somebody-elses")
    assert "/client/api/somebody-elses" in caplog.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "endpoint", [closed_port(), "http://nowhere.invalid/client/api"], ids=["refused", "no name"]
)
def test_a_server_that_is_not_there_got_nothing_and_no_secret_is_told(endpoint, method):
    with serving() as server:
        profile = server.profile(endpoint=endpoint)
    error = failure(HttpTransport(profile), request(endpoint, method=method))
    assert not error.sent
    assert profile.host in error.message
    assert error.hints
    assert leaks(error) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_proxy_that_is_not_there_is_named_as_such_and_no_secret_is_told(method, monkeypatch):
    monkeypatch.setenv("http_proxy", closed_port())
    endpoint = "http://cloud.example.com/client/api"
    with serving() as server:
        profile = server.profile(endpoint=endpoint)
    error = failure(HttpTransport(profile), request(endpoint, method=method))
    assert "proxy" in error.message
    assert not error.sent
    assert leaks(error) == []


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_answer_that_is_larger_than_anything_sensible_is_not_read_to_its_end(encoding):
    body = b"a" * 2**23
    packed = gzip.compress(body) if encoding == "gzip" else body
    answer = Reply(200, packed, {"Content-Encoding": encoding})
    with serving(lambda _: answer) as server:
        whole = HttpTransport(server.profile(), largest=2**23)
        assert whole.send(request(server.endpoint)).body == body
        error = failure(HttpTransport(server.profile(), largest=2**22), request(server.endpoint))
    assert "larger than 4 MiB" in error.message
    assert (error.sent, error.passing) == (True, False)


def test_the_leak_finder_finds_a_leak_in_a_chained_error():
    error = TransportError("broken")
    error.__context__ = ValueError("http://host/?apiKey=tell-tale")
    assert leaks(error)
