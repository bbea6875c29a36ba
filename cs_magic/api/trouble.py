"""What went wrong on the way, in words of ours: a library's text holds the URL and its key."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import requests
import urllib3

from cs_magic.api.profile import Profile
from cs_magic.api.proxies import wants_sign_in
from cs_magic.errors import TransportError

CONNECT = 10.0
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.URLSchemeUnknown,
)


def explained(error: Exception, profile: Profile) -> TransportError:
    """What happened in our words. The library's text holds the URL, so it is left behind."""
    host = profile.host
    chain = list(_causes(error))
    certificate = _first(chain, ssl.SSLCertVerificationError)
    if certificate is not None:
        return _unverified(host, certificate.verify_message)
    if isinstance(error, requests.exceptions.ProxyError):
        if any("Tunnel connection failed: 407" in str(one) for one in chain):
            return wants_sign_in(host)
        return TransportError(
            f"The proxy on the way to {host} refused or failed", _os_text(chain), sent=False
        )
    if isinstance(error, requests.exceptions.SSLError):
        return TransportError(f"No TLS with {host}", _os_text(chain), sent=False, passing=False)
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
            passing=_first(chain, socket.gaierror) is None,
        )
    if any(isinstance(one, _NO_ADDRESS) for one in chain):
        return TransportError(
            f"{host} is no address that can be connected to", sent=False, passing=False
        )
    if _first(chain, TimeoutError) is not None or isinstance(error, requests.Timeout):
        return TransportError(
            f"{host} was silent for {profile.timeout:g} s",
            "A profile's timeout sets how long.",
            passing=False,
        )
    return TransportError(f"The connection to {host} broke off", _os_text(chain))


def _unverified(host: str, reason: str) -> TransportError:
    return TransportError(
        f"The certificate of {host} is not trusted: {reason}",
        'A CA file of your own goes into the profile: verify = "/path/to/ca.pem"',
        sent=False,
        passing=False,
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
