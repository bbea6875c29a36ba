"""API keys and sessions: each turns a call into a request; and what `login` takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cs_magic.api.signing import signature
from cs_magic.api.values import Call, Pairs, Request, Secret, Unwritten

VALID_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class KeyPair(Unwritten):
    """An API key with its secret key; every call is signed and stands alone.

    With `signature_version` 3 a request expires ten minutes after it was signed (at
    most fifteen are allowed: `enforce.post.requests.and.timestamps`); 2 is for servers
    that don't know `expires`, and such a request is good for ever. `algorithm` is
    HmacSHA1, HmacSHA512, or auto: SHA-1 until the server is known to want the other.
    """

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    algorithm: str = "auto"
    signature_version: int = 3

    def __post_init__(self) -> None:
        _hide(self, "api_key", "secret_key")

    def authorize(self, call: Call, endpoint: str, now: datetime) -> Request:
        """The signed request.

        `apiKey` is spelled so: with another spelling CloudStack 4.23 acts as it would for a
        session. Of listApis that is wanted: by `apiKey` it shows every role the parameters of
        root admins, which the server then ignores.
        """
        spelled = "apikey" if call.command.lower() == "listapis" else "apiKey"
        form: Pairs = (
            ("command", call.command),
            *call.arguments,
            ("response", "json"),
            (spelled, self.api_key),
            *self._expiry(now),
        )
        algorithm = "HmacSHA1" if self.algorithm == "auto" else self.algorithm
        signed = Secret(signature(form, self.secret_key, algorithm))
        return Request(call.command, endpoint, (*form, ("signature", signed)))

    def _expiry(self, now: datetime) -> Pairs:
        if self.signature_version != 3:
            return ()
        # "+0000" is the one spelling that every version since 4.11 reads.
        expires = (now.astimezone(UTC) + VALID_FOR).strftime("%Y-%m-%dT%H:%M:%S+0000")
        return (("signatureVersion", "3"), ("expires", expires))


@dataclass(frozen=True, slots=True)
class Session(Unwritten):
    """A session that `login` gave: its key travels with every call, in the form and as a cookie.

    A call without the key, or with a wrong one, ends the session (`ApiServlet`).
    """

    session_key: str = field(repr=False)
    jsessionid: str = field(repr=False)

    def __post_init__(self) -> None:
        _hide(self, "session_key", "jsessionid")

    def authorize(self, call: Call, endpoint: str, now: datetime) -> Request:
        """The request with the session key in both places."""
        form: Pairs = (
            ("command", call.command),
            *call.arguments,
            ("response", "json"),
            ("sessionkey", self.session_key),
        )
        cookies = {"JSESSIONID": self.jsessionid, "sessionkey": self.session_key}
        return Request(call.command, endpoint, form, cookies=cookies)


@dataclass(frozen=True, slots=True)
class Password(Unwritten):
    """User credentials: what `login` takes. `domain` is a path such as `/Retail`, or an id."""

    username: str
    password: str = field(repr=False)
    domain: str = "/"

    def __post_init__(self) -> None:
        _hide(self, "password")


@dataclass(frozen=True, slots=True)
class Asked:
    """User credentials that a person types when they are needed; kept nowhere.

    `username` and `domain` are what the form begins with.
    """

    username: str = ""
    domain: str = "/"


def _hide(frozen: KeyPair | Session | Password, *names: str) -> None:
    """Make these fields secrets, whatever they were given as."""
    for name in names:
        object.__setattr__(frozen, name, Secret(getattr(frozen, name)))
