"""A profile: an endpoint, the keys for it, and how to talk to it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from cs_magic.api.credentials import KeyPair
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


@dataclass(frozen=True, slots=True)
class Profile:
    """As configured; no behaviour but what follows from the endpoint.

    `verify` is True (the system's certificates), False, or the path of a CA file;
    `timeout` is the seconds of silence that are borne, `job_timeout` how long a job is
    waited for (None: as long as it takes); `workers` is how many pages are asked for at a
    time; `read_only` refuses everything that is not a read.
    """

    name: str
    endpoint: str
    credentials: KeyPair = field(repr=False)
    source: str = ""
    verify: bool | str = True
    allow_http: bool = False
    method: str = "post"
    timeout: float = 300.0
    job_timeout: float | None = None
    workers: int = 4
    scope: str = "all"
    read_only: bool = False

    @property
    def host(self) -> str:
        """The endpoint's host and port, as shown beside every result."""
        return host_of(self.endpoint)

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is this machine."""
        return is_loopback(urlsplit(self.endpoint).hostname or "")


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
