"""The web proxy on the way to an endpoint, as the environment names it, or why it can't be used."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from cs_magic.api.profile import Profile
from cs_magic.errors import TransportError

_SCHEMES = frozenset({"http", "https"})


def proxies_for(profile: Profile) -> dict[str, str]:
    """The proxy by the endpoint's scheme, as requests takes it; empty where there is none.

    Raises:
        TransportError: it can't be used; nothing was sent, and trying again can't help.
    """
    if profile.loopback:
        return {}
    # Its address may hold a password: no local has it while anything is raised.
    scheme = urlsplit(profile.endpoint).scheme
    if not _address(profile.endpoint):
        return {}
    problem = _problem(_address(profile.endpoint))
    if problem:
        raise _unusable(scheme, problem)
    return {scheme: _address(profile.endpoint)}


def wants_sign_in(host: str) -> TransportError:
    """The error of a proxy that lets nobody through without a password (407)."""
    return TransportError(
        f"The proxy on the way to {host} wants a user name and a password (HTTP 407)",
        "They stand in its address: HTTPS_PROXY=http://NAME:PASSWORD@PROXY:PORT",
        sent=False,
        passing=False,
    )


def _address(endpoint: str) -> str:
    found = select_proxy(endpoint, dict(get_environ_proxies(endpoint))) or ""
    return found if "://" in found or not found else f"http://{found}"


def _problem(address: str) -> str:
    """Why an address is none of a proxy, in words that hold none of it; empty where it is one."""
    try:
        parts = parse_url(address)
        (parts.host or "").strip("[]").encode("idna")
    except (LocationParseError, UnicodeError):
        return "it is no address"
    if (parts.scheme or "").lower() not in _SCHEMES:
        return "only http:// and https:// proxies are spoken to"
    return "" if parts.host else "it names no host"


def _unusable(scheme: str, problem: str) -> TransportError:
    name = next((name for name in _variables(scheme) if os.environ.get(name)), "")
    where = f"in {name}" if name else "of this machine's settings"
    return TransportError(
        f"The proxy {where} can't be used: {problem}",
        "It looks like http://proxy.example.com:3128",
        sent=False,
        passing=False,
    )


def _variables(scheme: str) -> list[str]:
    """The variables that may name it, the stronger first."""
    return [name for kind in (scheme, "all") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())]
