"""What makes the server believe a call: a signature, or a session that is signed in when needed.

What was found out about an endpoint is kept here: the algorithm it takes, the session, and
a login that was refused, which is never sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cs_magic.api import envelope
from cs_magic.api.credentials import Asked, KeyPair, Session
from cs_magic.api.profile import Profile
from cs_magic.api.sessions import Sessions
from cs_magic.api.transport import Transport
from cs_magic.api.values import Call, Request
from cs_magic.errors import ApiError, CloudStackError, TransportError

# What a call was authorized with; None is the API keys as the profile has them, or nothing yet.
Authorized = KeyPair | Session | None

# Signed as if it were so many minutes later, and what it means when that is accepted.
_CLOCKS = (
    (0, "right"),
    (20, "up to 20 minutes behind the server's"),
    (24 * 60, "far behind the server's"),
    (-20, "up to 20 minutes ahead of the server's"),
    (-24 * 60, "far ahead of the server's"),
)


@dataclass
class Access:
    """The access of one profile; safe to use from several threads."""

    profile: Profile
    transport: Transport
    clock: Callable[[], datetime]
    _settled: bool = False
    _met: bool = False
    _stronger: KeyPair | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.profile, self.transport)

    def request(self, call: Call, is_read: bool, *, foreground: bool = True) -> Request:
        """The call as a request that the server believes; signs in where there is no session.

        Args:
            foreground: this is the thread of the person: no other may sign in.

        Raises:
            ApiError, TransportError: the login was refused or lost, now or before.
            SignInNeeded: nobody signed in, and somebody has to.
        """
        keys = self.profile.credentials
        credentials = (
            self._stronger or keys
            if isinstance(keys, KeyPair)
            else self.sessions.session(foreground)
        )
        request = credentials.authorize(call, self.profile.endpoint, self.clock())
        method = "GET" if is_read and self.profile.method == "get" else "POST"
        return replace(request, method=method, is_read=is_read)

    def accepted(self) -> None:
        """A call was accepted: nothing is left to find out about the algorithm."""
        self._settled = self._met = True

    @property
    def stands(self) -> bool:
        """Whether a call of this kernel was accepted, and the next one takes no login."""
        keys = isinstance(self.profile.credentials, KeyPair)
        return self._met and (keys or self.sessions.signed_in is not None)

    @property
    def caller(self) -> Profile | None:
        """The profile as whoever calls now; None where nobody knows who that is."""
        now = self.sessions.signed_in
        if now is None:
            return None if isinstance(self.profile.credentials, Asked) else self.profile
        if not now.username:  # a browser's session
            return None
        return replace(self.profile, credentials=Asked(now.username, now.domain))

    def used(self) -> Authorized:
        """What calls are authorized with right now, to be given to `another_way`."""
        now = self.sessions.signed_in
        return self._stronger or (now.session if now else None)

    def another_way(self, used: Authorized, *, foreground: bool) -> bool:
        """Whether a read that was refused with 401 is worth one more attempt.

        A dead session is renewed, on the thread of the person only. With keys, one
        harmless read tells whether the server wants SHA-512.

        Args:
            used: what the refused read was authorized with.
        """
        keys = self.profile.credentials
        if isinstance(keys, KeyPair):
            with self._lock:
                return self._wants_sha512(keys, used)
        session = used if isinstance(used, Session) else None
        return self.sessions.renewed(session, foreground=foreground)

    def explained(self, refused: CloudStackError, used: Authorized) -> CloudStackError:
        """The error to raise for one: a session that ended is a matter of signing in."""
        return self.sessions.explained(refused, used if isinstance(used, Session) else None)

    def clock_probe(self) -> str:
        """Why signed calls may be refused: whether this machine's clock is the reason.

        CloudStack tells no time, so one harmless read is signed with a later and an
        earlier `expires`: an accepted one says which way the clock is off.
        """
        now = self.clock()
        shown = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        keys = self._stronger or self.profile.credentials
        if not isinstance(keys, KeyPair):
            return f"{shown} on this machine: of no matter where one signs in"
        for minutes, verdict in _CLOCKS:
            if self._takes(keys, now + timedelta(minutes=minutes)):
                return f"{shown} on this machine: {verdict}"
        return f"{shown} on this machine: not the reason, rather the key, its secret, or access"

    def close(self) -> None:
        """Sign out, if there is a session; the server may be gone."""
        self.sessions.end()

    def _wants_sha512(self, keys: KeyPair, used: Authorized) -> bool:
        """Asked once, and only where the profile leaves it open and nothing was accepted yet.

        A question that was lost may be asked again; who is refused meanwhile waits for it.
        """
        if not self._settled and keys.algorithm == "auto":
            self._settled = self._sha512_is_answered(replace(keys, algorithm="HmacSHA512"))
        return self._stronger is not used

    def _sha512_is_answered(self, stronger: KeyPair) -> bool:
        try:
            self._ask_capabilities(stronger, self.clock())
        except TransportError:
            return False
        except ApiError as error:
            return error.errorcode not in {429, 503}
        self._stronger = stronger
        return True

    def _takes(self, keys: KeyPair, now: datetime) -> bool:
        try:
            self._ask_capabilities(keys, now)
        except CloudStackError:
            return False
        return True

    def _ask_capabilities(self, keys: KeyPair, now: datetime) -> None:
        """One harmless read; raises where it isn't accepted."""
        request = keys.authorize(Call("listCapabilities"), self.profile.endpoint, now)
        envelope.read(request.command, self.transport.send(replace(request, is_read=True)))
