"""Certificates: who is believed, who is refused, and what is said."""

from __future__ import annotations

import socket
import ssl
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from servers import KEYS, leaks, serving

from cs_magic.api.profile import Profile
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Request
from cs_magic.errors import ProfileError, TransportError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AUTHORITY = trustme.CA()


def server_for(*names: str, authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


RIGHT = server_for("127.0.0.1", "localhost")
WRONG = server_for("other.example.com")


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


def request(endpoint: str, *, is_read: bool = True, method: str = "POST") -> Request:
    signed = KEYS.authorize(Call("listZones"), endpoint, NOW)
    return Request(signed.command, signed.url, signed.form, method, is_read=is_read)


def refusal(profile, method: str = "POST") -> TransportError:
    with pytest.raises(TransportError) as caught:
        HttpTransport(profile).send(request(profile.endpoint, method=method))
    return caught.value


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_authority_is_refused_before_anything_is_sent(method):
    with serving(tls=RIGHT) as server:
        error = refusal(server.profile(), method)
    assert error.message.startswith(f"The certificate of {server.profile().host} is not trusted")
    assert not error.sent
    assert 'verify = "' in error.hints[0]
    assert server.came == []
    assert leaks(error) == []


def test_the_profiles_ca_file_is_believed_and_the_connection_kept(ca_file):
    with serving(tls=RIGHT) as server:
        transport = HttpTransport(server.profile(verify=ca_file))
        for _ in range(2):
            assert transport.send(request(server.endpoint)).status == 200
    assert [came.connection for came in server.came] == [1, 1]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_certificate_of_another_name_is_refused(ca_file, method):
    with serving(tls=WRONG) as server:
        error = refusal(server.profile(verify=ca_file), method)
    assert "is not trusted" in error.message
    assert server.came == []
    assert leaks(error) == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_from_the_environment_of_requests_is_not_believed(name, ca_file, monkeypatch):
    monkeypatch.setenv(name, ca_file)
    with serving(tls=RIGHT) as server:
        assert "is not trusted" in refusal(server.profile()).message


def test_a_bundle_from_the_environment_does_not_override_the_profiles(ca_file, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with serving(tls=RIGHT) as server:
        transport = HttpTransport(server.profile(verify=ca_file))
        assert transport.send(request(server.endpoint)).status == 200


@pytest.mark.parametrize("tls", [RIGHT, WRONG])
def test_verify_false_takes_anything_and_warns_once_per_transport(tls):
    with serving(tls=tls) as server, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        transport = HttpTransport(server.profile(verify=False))
        for is_read in (True, True, False):
            assert transport.send(request(server.endpoint, is_read=is_read)).status == 200
    [warning] = told
    assert server.profile().host in str(warning.message)
    assert "not checked" in str(warning.message)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), ("no certificate", "there are no certificates in it")],
)
def test_a_ca_file_that_cant_be_read_is_a_profile_error(content, reason, tmp_path: Path):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with serving(tls=RIGHT) as server, pytest.raises(ProfileError, match=reason) as caught:
        HttpTransport(server.profile(verify=str(path)))
    assert str(path) in caught.value.message


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_where_tls_is_spoken_and_the_other_way_round_tell_no_secret(method, ca_file):
    with serving() as server:
        error = refusal(
            server.profile(endpoint=server.endpoint.replace("http:", "https:"), verify=ca_file),
            method,
        )
    assert not error.sent
    assert leaks(error) == []


def test_a_proxy_that_refuses_the_tunnel_tells_no_secret(monkeypatch, ca_file):
    with serving() as proxy:
        monkeypatch.setenv("https_proxy", proxy.endpoint)
        error = refusal(
            proxy.profile(endpoint="https://cloud.example.com/client/api", verify=ca_file), "GET"
        )
    assert "proxy" in error.message
    assert not error.sent
    assert leaks(error) == []


@pytest.mark.parametrize("first", [0, 1])
def test_connections_shake_hands_at_the_same_time(first, ca_file, monkeypatch):
    """Whichever of two the server turns to first: it doesn't wait for the other one."""
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}/client/api"
        transport = HttpTransport(Profile("test", endpoint, KEYS, timeout=5))
        with ThreadPoolExecutor() as threads:
            asked = request(endpoint, method="GET")
            sent = [threads.submit(transport.send, asked) for _ in range(2)]
            came = [listener.accept()[0] for _ in range(2)]
            for one in (came[first], came[1 - first]):
                with RIGHT.wrap_socket(one, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(answer)
            assert [one.result().status for one in sent] == [200, 200]
