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
from cs_magic.api.credentials import KeyPair, Password, Session
from cs_magic.api.login import sign_in, sign_out
from cs_magic.api.profile import Profile
from cs_magic.api.transport import Transport
from cs_magic.api.values import Call, Request
from cs_magic.errors import ApiError, CloudStackError, SignInNeeded, TransportError

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
    _session: Session | None = None
    _refused: CloudStackError | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def request(self, call: Call, is_read: bool, may_sign_in: bool = True) -> Request:
        """The call as a request that the server believes; signs in where there is no session.

        Raises:
            ApiError, SignInNeeded, TransportError: the login was refused, now or before;
                or it is needed and may not be.
        """
        if not may_sign_in and not self.stands:
            raise SignInNeeded(f"There is no session at {self.profile.host}")
        credentials = self._session_or_keys()
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
        return self._met and (keys or self._session is not None)

    def used(self) -> object:
        """What calls are authorized with right now, to be given to `another_way`."""
        return self._stronger or self._session

    def another_way(self, used: object, *, foreground: bool) -> bool:
        """Whether a read that was refused with 401 is worth one more attempt.

        A dead session is renewed, on the thread of the person only. With keys, one
        harmless read tells whether the server wants SHA-512.

        Args:
            used: what the refused read was authorized with.
        """
        keys = self.profile.credentials
        with self._lock:
            if isinstance(keys, KeyPair):
                return self._wants_sha512(keys, used)
            if not foreground or used is None:
                return False
            if self._session is used:
                self._session = None
            return True

    def clock_probe(self) -> str:
        """Why signed calls may be refused: whether this machine's clock is the reason.

        CloudStack tells no time, so one harmless read is signed with a later and an
        earlier `expires`: an accepted one says which way the clock is off.
        """
        now = self.clock()
        shown = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        keys = self._stronger or self.profile.credentials
        if isinstance(keys, Password):
            return f"{shown} on this machine: of no matter where one signs in"
        for minutes, verdict in _CLOCKS:
            if self._takes(keys, now + timedelta(minutes=minutes)):
                return f"{shown} on this machine: {verdict}"
        return f"{shown} on this machine: not the reason, rather the key, its secret, or access"

    def close(self) -> None:
        """Sign out, if there is a session; the server may be gone."""
        session, self._session = self._session, None
        if session is not None:
            try:
                sign_out(self.transport, self.profile.endpoint, session)
            except TransportError:
                return  # it ends by itself, after the server's own time

    def _session_or_keys(self) -> KeyPair | Session:
        given = self.profile.credentials
        if isinstance(given, KeyPair):
            return self._stronger or given
        with self._lock:  # one login at a time
            if self._session is None:
                self._session = self._signed_in(given)
            return self._session

    def _signed_in(self, given: Password) -> Session:
        if self._refused is not None:
            raise self._refused
        try:
            return sign_in(self.transport, self.profile.endpoint, given)
        except CloudStackError as error:
            refused = error
        if not isinstance(refused, TransportError) or refused.sent:
            refused.hints = (*refused.hints, _NOT_AGAIN)
            self._refused = refused
        raise refused

    def _wants_sha512(self, keys: KeyPair, used: object) -> bool:
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


_NOT_AGAIN = (
    "No other login is tried in this kernel until the user name or password changes:"
    " five wrong ones disable a CloudStack user."
)
