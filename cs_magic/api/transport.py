"""One HTTP exchange: Request → Response.

Nothing is ever sent twice here: no retries, no redirects, no `.netrc`, no cookie jar.
A write goes over a fresh connection, because the server drops idle ones after 30 s
(`ServerDaemon`) and a write that meets a dying one has an unknown fate.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, Protocol

import requests
import urllib3

from cs_magic.api import tls
from cs_magic.api.masks import secret_arguments
from cs_magic.api.profile import Profile
from cs_magic.api.proxies import proxies_for, wants_sign_in
from cs_magic.api.sockets import Adapter, Exchange, Session, here
from cs_magic.api.trouble import CONNECT, explained
from cs_magic.api.values import Request, Response, Secret
from cs_magic.errors import CallError, TransportError

WHOLE = 900.0
LARGEST = 2**30  # bytes of an answer, unpacked; a megabyte of gzip can hold a thousand
_PIECE = 2**20


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

    Connecting may take 10 s, silence `profile.timeout`, a whole reply 900 s; `largest` is
    how many bytes it may have.
    """

    def __init__(self, profile: Profile, whole: float = WHOLE, largest: int = LARGEST) -> None:
        self._profile = profile
        self._whole = whole
        self._largest = largest
        self._idle: list[requests.Session] = []
        self._live: dict[int, Exchange] = {}
        self._contexts = tls.contexts(profile)
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
            CallError: something in it can't be sent; nothing was.
            BaseException: any other, with no frame of what is below here.
        """
        try:
            return self._sent(request)
        except BaseException as error:  # noqa: BLE001 - raised again
            # An interrupt, mostly. What is below holds the form, as plain as it is sent.
            error.__context__ = None
            raise error.with_traceback(None) from None

    def _sent(self, request: Request) -> Response:
        _check(request)
        proxies = proxies_for(self._profile)
        fresh = not request.is_read
        http = self._new() if fresh else self._kept() or self._new()
        keep = False
        try:
            with self._watched() as exchange:
                response, problem = self._tried(http, request, proxies, close=fresh)
            if exchange.was_cut:  # It may end like a short answer: nobody may take it for whole.
                problem = _cut_off(self._profile, exchange)
            keep = problem is None and not fresh
        finally:
            self._idle.append(http) if keep else http.close()
        if response is None or problem is not None:
            raise problem or TransportError(f"{self._profile.host} gave nothing")
        return response

    def _tried(
        self, http: requests.Session, request: Request, proxies: dict[str, str], close: bool
    ) -> tuple[Response | None, TransportError | None]:
        try:
            return self._exchange(http, request, proxies, close), None
        except TransportError as error:
            return None, error
        except _FAILURES as error:
            return None, explained(error, self._profile)

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

    def _exchange(
        self, http: requests.Session, request: Request, proxies: dict[str, str], close: bool
    ) -> Response:
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
            proxies=proxies,
        )
        with reply:
            if reply.status_code == 407 and proxies:
                raise wants_sign_in(self._profile.host)
            return Response(
                status=reply.status_code,
                content_type=reply.headers.get("Content-Type", ""),
                body=self._body(reply.raw),
                retry_after=reply.headers.get("Retry-After"),
                location=reply.headers.get("Location"),
                cookies={name: Secret(one) for name, one in reply.cookies.get_dict().items()},
                secrets=_secrets(request),
            )

    def _body(self, raw: Any) -> bytes:
        """The answer's body, unpacked."""
        pieces: list[bytes] = []
        size = 0
        while piece := raw.read(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > self._largest:
                raise TransportError(
                    f"The answer of {self._profile.host} is larger than {_size(self._largest)}:"
                    " it was not read to its end",
                    "Ask for less at a time: a filter, or limit= with --columns.",
                    passing=False,
                )
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _kept(self) -> requests.Session | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _new(self) -> requests.Session:
        http = Session()
        http.trust_env = False  # no .netrc, no CA bundle from the environment
        http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        http.mount("http://", Adapter(None))
        http.mount("https://", Adapter(self._contexts()))
        return http

    @contextmanager
    def _watched(self) -> Iterator[Exchange]:
        exchange = Exchange()
        timer = threading.Timer(self._whole, exchange.expire)
        timer.daemon = True
        with suppress(RuntimeError):  # no new threads while Python ends: silence still counts
            timer.start()
        ident = threading.get_ident()
        self._live[ident] = here.exchange = exchange
        try:
            yield exchange
        finally:
            timer.cancel()
            del self._live[ident]
            here.exchange = None


# What a library raises over what comes: a number too large, a text that is none, no HTTP.
_FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
    ValueError,
    OverflowError,
)


def _check(request: Request) -> None:
    """Refuse what can't be sent as text, before anything is.

    Raises:
        CallError: it names the parameter.
    """
    odd = next((name for name, value in request.form if not _travels(name, value)), None)
    if odd is not None:
        raise CallError(
            f"{request.command} {odd}= holds half of a character (a lone surrogate),"
            " which can't be sent",
            name=odd,
        )
    if not all(one.isascii() and one.isprintable() for one in request.cookies.values()):
        raise CallError("The session's key or cookie holds a character that none of them has")


def _travels(*texts: str) -> bool:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _secrets(request: Request) -> frozenset[Secret]:
    """What an answer may repeat of the request, and nobody may be told."""
    hidden = secret_arguments(request.form)
    said = (value for name, value in request.form if isinstance(value, Secret) or name in hidden)
    return frozenset(Secret(value) for value in (*said, *request.cookies.values()))


def _size(number: int) -> str:
    return f"{number / 2**30:g} GiB" if number >= 2**30 else f"{number / 2**20:g} MiB"


def _cut_off(profile: Profile, exchange: Exchange) -> TransportError:
    if exchange.expired:
        return TransportError(f"{profile.host} did not finish its answer in time")
    return TransportError(f"The exchange with {profile.host} was interrupted")
