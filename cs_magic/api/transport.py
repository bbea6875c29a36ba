"""One HTTP exchange: Request → Response; the only importer of requests.

Nothing is ever sent twice here: no retries, no redirects, no `.netrc`, no cookie jar.
A write goes over a fresh connection, because the server drops idle ones after 30 s
(`ServerDaemon`) and a write that meets a dying one has an unknown fate.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from cs_magic.api.profile import Profile
from cs_magic.api.values import Request, Response
from cs_magic.errors import ProfileError, TransportError

CONNECT = 10.0
WHOLE = 900.0


class Transport(Protocol):
    """What can carry a request; tests may pass in their own."""

    def send(self, request: Request) -> Response:
        """Send it once and give the whole answer. TransportError where there is none."""

    def interrupt(self, threads: set[int]) -> None:
        """Cut the exchanges that these threads (by ident) are in the middle of."""

    def close(self) -> None:
        """Close every connection."""


class HttpTransport:
    """Requests over HTTP(S) as a profile says, with deadlines that hold.

    Connecting may take 10 s, silence `profile.timeout`, a whole reply 900 s.
    """

    def __init__(self, profile: Profile, whole: float = WHOLE) -> None:
        self._profile = profile
        self._whole = whole
        self._idle: list[requests.Session] = []
        self._live: dict[int, _Exchange] = {}
        self._context = _tls(profile)
        self._headers = {
            "User-Agent": f"cs_magic/{version('cs-magic')}",
            "Accept": "application/json",
            # On loopback compressing costs more than it saves.
            "Accept-Encoding": "identity" if profile.loopback else "gzip",
        }

    def send(self, request: Request) -> Response:
        """Send the request once and give the whole answer.

        Raises:
            TransportError: no answer came; `sent` tells whether the request may have
                reached the server.
        """
        fresh = not request.is_read
        http = self._new() if fresh or not self._idle else self._idle.pop()
        with self._watched() as exchange:
            try:
                response = self._exchange(http, request, close=fresh)
                problem = None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                problem = _explained(error, self._profile)
        if exchange.was_cut:  # It may end like a short answer, and nobody may take it for whole.
            problem = _cut_off(self._profile, exchange)
        if problem is None and not fresh:
            self._idle.append(http)
            return response
        http.close()
        if problem is not None:
            raise problem
        return response

    def interrupt(self, threads: set[int]) -> None:
        """Cut the exchanges that these threads (by ident) are in the middle of."""
        for ident in threads:
            exchange = self._live.get(ident)
            if exchange is not None:
                exchange.cut()

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop().close()

    def _exchange(self, http: requests.Session, request: Request, close: bool) -> Response:
        get = request.method == "GET"
        reply = http.request(
            request.method,
            request.url,
            params=list(request.form) if get else None,
            data=None if get else list(request.form),
            headers=self._headers | ({"Connection": "close"} if close else {}),
            cookies=dict(request.cookies),
            timeout=(CONNECT, self._profile.timeout),
            allow_redirects=False,
            stream=True,
            proxies=self._proxies(),
        )
        with reply:
            return Response(
                status=reply.status_code,
                content_type=reply.headers.get("Content-Type", ""),
                body=reply.raw.read(decode_content=True),
                retry_after=reply.headers.get("Retry-After"),
                location=reply.headers.get("Location"),
                cookies=reply.cookies.get_dict(),
            )

    def _new(self) -> requests.Session:
        http = requests.Session()
        http.trust_env = False  # no .netrc, no CA bundle from the environment
        http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        http.mount("http://", _Adapter(None))
        http.mount("https://", _Adapter(self._context))
        return http

    def _proxies(self) -> dict[str, str]:
        if self._profile.loopback:
            return {}
        return dict(get_environ_proxies(self._profile.endpoint))

    @contextmanager
    def _watched(self) -> Iterator[_Exchange]:
        exchange = _Exchange()
        timer = threading.Timer(self._whole, exchange.expire)
        timer.daemon = True
        timer.start()
        ident = threading.get_ident()
        self._live[ident] = _here.exchange = exchange
        try:
            yield exchange
        finally:
            timer.cancel()
            del self._live[ident]
            _here.exchange = None


class _Exchange:
    """The socket of an exchange that is going on, so that it can be cut from outside."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self.expired = False
        self.was_cut = False

    def uses(self, used: socket.socket) -> None:
        self._socket = used
        if self.was_cut:
            self.cut()

    def expire(self) -> None:
        self.expired = True
        self.cut()

    def cut(self) -> None:
        self.was_cut = True
        if self._socket is not None:
            with suppress(OSError):
                # The plain socket's shutdown: TLS's own would take the reader's state away.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Here(threading.local):
    exchange: _Exchange | None = None


_here = _Here()


def _not_ours(record: logging.LogRecord) -> bool:
    """Whether a line of urllib3's log is about somebody else's exchange: ours hold the URL."""
    return _here.exchange is None


for _name in ("connection", "connectionpool", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_not_ours)


class _Watched:
    """A connection that tells the exchange of its thread which socket it uses."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._tell()

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        self._tell()
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def _tell(self) -> None:
        if _here.exchange is not None and self.sock is not None:
            _here.exchange.uses(self.sock)


class _PlainConnection(_Watched, urllib3.connection.HTTPConnection):
    pass


class _TlsConnection(_Watched, urllib3.connection.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.is_verified = True  # or we said so ourselves: urllib3 would warn at every call


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """An adapter with our TLS settings and watched connections; it never retries."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        _watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=self._context)
        _watch(manager)
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave it to the context: requests would add its own bundle of authorities."""

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context} if self._context else {}


def _watch(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def _tls(profile: Profile) -> ssl.SSLContext | None:
    if urlsplit(profile.endpoint).scheme != "https":
        return None
    if profile.verify is False:
        warnings.warn(
            f"The certificate of {profile.host} is not checked (verify = false):"
            " anybody in between can read keys and answers",
            stacklevel=2,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if isinstance(profile.verify, str):
        return _with_authorities(profile.verify)
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _with_authorities(path: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        unread = not isinstance(error, ssl.SSLError)
        reason = error.strerror if unread else "there are no certificates in it"
    raise ProfileError(f"The CA file {path} can't be used: {reason}")


def _cut_off(profile: Profile, exchange: _Exchange) -> TransportError:
    if exchange.expired:
        return TransportError(f"{profile.host} did not finish its answer in time")
    return TransportError(f"The exchange with {profile.host} was interrupted")


def _explained(error: Exception, profile: Profile) -> TransportError:
    """What happened in our words. The library's text holds the URL, so it is left behind."""
    host = profile.host
    chain = list(_causes(error))
    certificate = _first(chain, ssl.SSLCertVerificationError)
    if certificate is not None:
        return _unverified(host, certificate.verify_message)
    if isinstance(error, requests.exceptions.ProxyError):
        return TransportError(
            f"The proxy on the way to {host} refused or failed", _os_text(chain), sent=False
        )
    if isinstance(error, requests.exceptions.SSLError):
        return TransportError(f"No TLS with {host}", _os_text(chain), sent=False)
    if isinstance(error, requests.ConnectTimeout):
        return TransportError(
            f"{host} did not take a connection within {CONNECT:g} s",
            "Is it the right address, and reachable from here (VPN, firewall)?",
            sent=False,
        )
    if _first(chain, urllib3.exceptions.NewConnectionError) is not None:
        return TransportError(
            f"No connection to {host}: {_os_text(chain) or 'refused'}",
            "Is it the right address, and reachable from here?",
            sent=False,
        )
    if _first(chain, TimeoutError) is not None or isinstance(error, requests.Timeout):
        return TransportError(
            f"{host} was silent for {profile.timeout:g} s", "A profile's timeout sets how long."
        )
    return TransportError(f"The connection to {host} broke off", _os_text(chain))


def _unverified(host: str, reason: str) -> TransportError:
    return TransportError(
        f"The certificate of {host} is not trusted: {reason}",
        'A CA file of your own goes into the profile: verify = "/path/to/ca.pem"',
        sent=False,
    )


def _first(chain: list[BaseException], kind: type[Any]) -> Any:
    return next((error for error in chain if isinstance(error, kind)), None)


def _os_text(chain: list[BaseException]) -> str:
    """The operating system's own words: they hold no address and no key."""
    texts = [error.strerror for error in chain if isinstance(error, OSError) and error.strerror]
    return str(texts[-1]) if texts else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    todo: list[Any] = [error]
    while todo:
        one = todo.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
