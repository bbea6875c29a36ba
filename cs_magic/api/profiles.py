"""A profile: an endpoint, the keys for it, and how to talk to it; read from the environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from cs_magic.api.credentials import KeyPair
from cs_magic.errors import ProfileError, Refused

_FAMILIES = (
    ("CLOUDSTACK_ENDPOINT", "CLOUDSTACK_KEY", "CLOUDSTACK_SECRET"),
    ("CLOUDSTACK_API_URL", "CLOUDSTACK_API_KEY", "CLOUDSTACK_SECRET_KEY"),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """As configured; no behaviour but what follows from the endpoint.

    `verify` is True (the system's certificates), False, or the path of a CA file;
    `timeout` is the seconds of silence that are borne; `workers` is how many pages are
    asked for at a time.
    """

    name: str
    endpoint: str
    credentials: KeyPair = field(repr=False)
    source: str = ""
    verify: bool | str = True
    allow_http: bool = False
    method: str = "post"
    timeout: float = 300.0
    workers: int = 4
    scope: str = "all"

    @property
    def host(self) -> str:
        """The endpoint's host and port, as shown beside every result."""
        return urlsplit(self.endpoint).netloc.rpartition("@")[2]

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is this machine."""
        return is_loopback(urlsplit(self.endpoint).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, whatever DNS says."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def completed(endpoint: str) -> str:
    """The endpoint as the API's address: `https://host` becomes `https://host/client/api`.

    Raises:
        ProfileError: it is no http(s) address.
    """
    text = endpoint.strip()
    parts = urlsplit(text if "//" in text else f"https://{text}")
    try:
        valid = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1)
    except ValueError:
        valid = False
    if not valid:
        raise ProfileError(
            "The endpoint is no address", "It looks like https://cloud.example.com/client/api"
        )
    path = parts.path.rstrip("/")
    if path in {"", "/client"}:
        path = "/client/api"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


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


def from_environment(environment: Mapping[str, str]) -> Profile | None:
    """The profile that the environment holds, or None where it holds nothing of one.

    Either spelling serves (`CLOUDSTACK_ENDPOINT/KEY/SECRET` as the `cs` client has it,
    `CLOUDSTACK_API_URL/API_KEY/SECRET_KEY` as Terraform has it); halves of two are
    never mixed.

    Raises:
        ProfileError: a spelling is begun and incomplete.
    """
    for names in _FAMILIES:
        if all(environment.get(name) for name in names):
            endpoint, api_key, secret_key = (environment[name].strip() for name in names)
            keys = KeyPair(api_key, secret_key)
            return Profile("env", completed(endpoint), keys, source="the environment")
    for names in _FAMILIES:
        missing = [name for name in names if not environment.get(name)]
        if len(missing) < len(names):
            raise ProfileError(
                f"The environment's profile is incomplete: {' and '.join(missing)} not set"
            )
    return None
