"""A profile: an endpoint, the keys for it, and how to talk to it."""

from __future__ import annotations

import ipaddress
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from cs_magic.api.credentials import Asked, KeyPair, Password
from cs_magic.api.signing import ALGORITHMS
from cs_magic.api.values import Unwritten
from cs_magic.errors import ProfileError, Refused

# Setting → variable, in the two spellings that other clients have; halves are never mixed.
ENVIRONMENT = (
    {
        "endpoint": "CLOUDSTACK_ENDPOINT",
        "api_key": "CLOUDSTACK_KEY",
        "secret_key": "CLOUDSTACK_SECRET",
    },
    {
        "endpoint": "CLOUDSTACK_API_URL",
        "api_key": "CLOUDSTACK_API_KEY",
        "secret_key": "CLOUDSTACK_SECRET_KEY",
    },
)


# Finds a secret in the system's keyring: (service, name) → secret, or None.
Keyring = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Profile(Unwritten):
    """As configured; no behaviour but what follows from the endpoint.

    `verify` is True (the system's certificates), False, or the path of a CA file;
    `timeout` is the seconds of silence that are borne, `job_timeout` how long a job is
    waited for (None: as long as it takes); `workers` is how many pages are asked for at a
    time; `read_only` refuses everything that is not a read. `catalogue` says where what
    the server can do comes from: from the server, `cached` on disk or `fresh` in each
    process, or `bundled`, so that the server is never asked.
    """

    name: str
    endpoint: str
    credentials: KeyPair | Password | Asked = field(repr=False)
    source: str = ""
    verify: bool | str = True
    allow_http: bool = False
    method: str = "post"
    timeout: float = 300.0
    job_timeout: float | None = None
    workers: int = 4
    scope: str = "all"
    read_only: bool = False
    catalogue: str = "cached"

    @property
    def told(self) -> str:
        """What it is called in a text: name, source and host, no secret."""
        return f"{self.name} ({self.source}) at {self.host}"

    @property
    def host(self) -> str:
        """The endpoint's host and port, as shown beside every result."""
        return host_of(self.endpoint)

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is this machine."""
        return is_loopback(urlsplit(self.endpoint).hostname or "")


# -- the secret and the endpoint -------------------------------------------------------


def keyring_secret(service: str, name: str) -> str | None:
    """A secret from the system's keyring.

    Raises:
        ProfileError: the keyring library isn't installed, or the keyring is locked.
    """
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        problem = ProfileError("The keyring library is not installed", "pip install keyring")
    else:
        try:
            secret: str | None = keyring.get_password(service, name)
            return secret
        except KeyringError as error:
            problem = ProfileError(f"The keyring gave nothing: {type(error).__name__}")
    raise problem


def host_of(endpoint: str) -> str:
    """The host and port of an endpoint, without whatever stands before an @."""
    return urlsplit(endpoint).netloc.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, whatever DNS says."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def completed(endpoint: str) -> str:
    """The endpoint as the API's address: `https://host` becomes `https://host/client/api`.

    Raises:
        ProfileError: it is no http(s) address, or it holds a user name or a password.
    """
    text = endpoint.strip()
    parts = _split(text if "://" in text else f"https://{text}")
    if parts is not None and "@" in parts.netloc:
        raise ProfileError(
            "The endpoint holds a user name or password, and would show it in every URL",
            "Leave out everything up to the @.",
        )
    place = _place(parts) if parts is not None and text.isprintable() else None
    if parts is None or place is None:
        raise ProfileError(
            "The endpoint is no address", "It looks like https://cloud.example.com/client/api"
        )
    path = parts.path.rstrip("/")
    if path in {"", "/client"}:
        path = "/client/api"
    return urlunsplit((parts.scheme, place, path, "", ""))


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:  # a bracket that isn't closed, or letters that stand for a / or an @
        return None


def _place(parts: SplitResult) -> str | None:
    """Host and port; None where two libraries could take them for different ones."""
    name = parts.hostname or ""
    bracketed = parts.netloc.startswith("[")
    try:
        port = "" if parts.port is None else f":{parts.port}"
        host = f"[{ipaddress.IPv6Address(name)}]" if bracketed else name
    except ValueError:
        return None
    whole = parts.netloc.lower() == (f"[{name}]" if bracketed else name) + port
    plain = "%" not in name and (bracketed or (_HOST.fullmatch(name) and _is_normal(name)))
    known = parts.scheme in {"http", "https"} and port != ":0" and " " not in parts.path
    return f"{host}{port}" if whole and plain and known else None


_LABEL = r"\w(?:[\w-]{0,61}\w)?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


def _is_normal(host: str) -> bool:
    return unicodedata.normalize("NFKC", host) == host


def check_scheme(profile: Profile) -> None:
    """Refuse plain HTTP off this machine, before anything is sent.

    Raises:
        Refused: the endpoint is http, isn't loopback, and the profile doesn't allow it.
    """
    if urlsplit(profile.endpoint).scheme == "http" and not (profile.loopback or profile.allow_http):
        raise Refused(
            f"Plain HTTP to {profile.host}: keys and answers could be read on the way",
            "Use https://, or say allow_http = true in a profile of your own.",
        )


# -- the other settings ----------------------------------------------------------------

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1", "t", "y"), True),
    **dict.fromkeys(("false", "no", "off", "0", "f", "n"), False),
}


def ca_path(text: str, folder: Path) -> str:
    """Where a CA file is: a relative path starts at the folder of the file that names it.

    Were it the working folder, somebody else's repository could bring the file along.
    """
    if not text or text.lower() in BOOLEANS:
        return text
    return str(folder / os.path.expanduser(text))


def checked(name: str, value: Any) -> Any:
    """A setting's value as a Profile has it.

    Raises:
        ValueError: the value is wrong; the text says what it has to be.
    """
    wanted, check = CHECKS[name]
    try:
        return check(value)
    except (ValueError, TypeError, OverflowError):
        problem = ValueError(wanted)
    raise problem


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip().isprintable():
        raise ValueError
    return value.strip()


def _exact(value: Any) -> str:
    """A password keeps its blanks."""
    if not isinstance(value, str):
        raise ValueError
    return value


def _number(least: float, most: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        number = float(value)
        if not least <= number <= most or isinstance(value, bool):
            raise ValueError
        return number

    return check


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = _number(least, most)(value)
        if number != int(number):
            raise ValueError
        return int(number)

    return check


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _word(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        given = value.lower() if isinstance(value, str) else None
        word = next((word for word in allowed if word.lower() == given), None)
        if word is None:
            raise ValueError
        return word

    return check


def _verify(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    path = os.fspath(value)
    if not isinstance(path, str) or not path or not path.isprintable() or path.lower() in BOOLEANS:
        raise ValueError
    return os.path.expanduser(path)


# Setting → what it has to be, in words and as a function that gives the value or raises.
CHECKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "endpoint": ("an address in quotes", _text),
    "api_key": ("text in quotes", _text),
    "secret_key": ("text in quotes", _text),
    "username": ("text in quotes", _text),
    "password": ("text in quotes", _exact),
    "domain": ('a path in quotes, such as "/Retail"', _text),
    "keyring": ("true or false", _boolean),
    "verify": ("true, false, or the path of a CA file", _verify),
    "allow_http": ("true or false", _boolean),
    "read_only": ("true or false", _boolean),
    "method": ('"post" or "get"', _word("post", "get")),
    "timeout": ("seconds from 1 to 3600", _number(1, 3600)),
    "job_timeout": (
        "seconds from 1 to 10000000",
        lambda value: None if value is None else _number(1, 10**7)(value),
    ),
    "workers": ("a whole number from 1 to 16", _whole(1, 16)),
    "scope": ('"all" or "own"', _word("all", "own")),
    "catalogue": ('"cached", "fresh" or "bundled"', _word("cached", "fresh", "bundled")),
    "signature_version": ("2 or 3", _whole(2, 3)),
    "signature_algorithm": ('"auto", "HmacSHA1" or "HmacSHA512"', _word("auto", *ALGORITHMS)),
}
