"""Connections that are watched and tell nothing: requests' sessions with ours below them."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter


class Session(requests.Session):
    """One that looks at no redirect: requests reads where it leads even where it isn't followed."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


class Exchange:
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
    exchange: Exchange | None = None


here = _Here()


def _not_ours(record: logging.LogRecord) -> bool:
    """Whether a line of urllib3's log is about somebody else's exchange: ours hold the URL."""
    return here.exchange is None


for _name in ("connection", "connectionpool", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_not_ours)


class _Watched:
    """A connection that tells the exchange of its thread which socket it uses."""

    sock: Any
    debuglevel = 0  # http.client would print each request, its keys in it

    def set_debuglevel(self, level: int) -> None:
        """It stays: what is sent is not printed."""

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._tell()

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        self._tell()
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def _tell(self) -> None:
        if here.exchange is not None and self.sock is not None:
            here.exchange.uses(self.sock)


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


class Adapter(HTTPAdapter):
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
