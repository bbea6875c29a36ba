"""The session of one profile: signed in when needed, ended when told, never twice by itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from cs_magic.api import login
from cs_magic.api.credentials import Password, Session
from cs_magic.api.login import SignedIn
from cs_magic.api.profile import ENVIRONMENT, Profile
from cs_magic.api.transport import HttpTransport, Transport
from cs_magic.errors import ApiError, CloudStackError, SignInNeeded, TransportError

# A call by session is answered so once the session is gone (`ApiServlet`): 511 ends it.
_ENDED = frozenset({401, 511})
GOODBYE = 3.0  # seconds that an end waits for the server


@dataclass
class Sessions:
    """The session of one profile; safe to use from several threads."""

    profile: Profile
    transport: Transport
    _now: SignedIn | None = None
    _refused: CloudStackError | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    mark: object = field(default_factory=object, repr=False)  # what its errors are known by

    @property
    def signed_in(self) -> SignedIn | None:
        """Whose session there is, or None."""
        return self._now

    def session(self, foreground: bool) -> Session:
        """The session that calls travel with; signs in where a password is at hand.

        Raises:
            ApiError, TransportError: the login was refused or lost, now or before.
            SignInNeeded: nobody signed in, and somebody has to.
        """
        with self._lock:  # one login at a time
            if self._now is None:
                given = self.profile.credentials
                if not isinstance(given, Password) or not foreground:
                    raise self.needed()
                self._now = self._with_stored(given)
            return self._now.session

    def sign_in(self, given: Password) -> SignedIn:
        """Sign in with what a person typed; where it `wants_code`, `send_code` comes next.

        Raises:
            ApiError, TransportError, SignInNeeded: as `login.sign_in`; nothing has changed.
        """
        with self._lock:
            came = login.sign_in(self.transport, self.profile.endpoint, given)
            return came if came.wants_code else self._take(came)

    def send_code(self, came: SignedIn, code: str) -> SignedIn:
        """Finish a sign-in with its code. Errors as `login.send_code`: sign in anew then."""
        with self._lock:
            return self._take(login.send_code(self.transport, self.profile.endpoint, came, code))

    def adopt(self, session: Session) -> SignedIn:
        """Use a browser's session. Errors as `login.prove`; nothing has changed then."""
        with self._lock:
            return self._take(login.prove(self.transport, self.profile.endpoint, session))

    def renewed(self, used: Session | None, *, foreground: bool) -> bool:
        """Forget a session that the server no longer takes; whether there is another now.

        That is for the thread of the person only, who renews it where a password is at hand:
        another that found it out first would let the rest ask for somebody to sign in.
        Errors as in `session`.
        """
        if used is None or not foreground:
            return False
        with self._lock:
            self._forget(used)
            stored = isinstance(self.profile.credentials, Password) and self._refused is None
            if self._now is None and stored:
                self.session(foreground)
            return self._now is not None

    def explained(self, refused: CloudStackError, used: Session | None) -> CloudStackError:
        """The error to raise for one: a session that ended is a matter of signing in."""
        ended = isinstance(refused, ApiError) and refused.errorcode in _ENDED
        if used is None or not ended or isinstance(self.profile.credentials, Password):
            return refused
        self._forget(used)
        needed = self.needed()
        needed.message = f"The session has ended ({refused}); {needed.message}"
        return needed

    def end(self) -> SignedIn | None:
        """Sign out; whose session it was. The server may be gone, and is not waited for long."""
        with self._lock:
            came, self._now = self._now, None
        if came is not None:
            hasty = HttpTransport(replace(self.profile, timeout=GOODBYE), whole=GOODBYE)
            try:
                login.sign_out(hasty, self.profile.endpoint, came.session)
            except (TransportError, ApiError):
                return came  # it ends by itself, after the server's own time
            finally:
                hasty.close()
        return came

    def needed(self) -> SignInNeeded:
        """The error that says who has to sign in where, and what does without anybody."""
        profile = self.profile
        one, other = ENVIRONMENT[0]["api_key"], ENVIRONMENT[0]["secret_key"]
        endpoint = "" if profile.source == "the environment" else ENVIRONMENT[0]["endpoint"] + ", "
        file = "" if profile.source in ("", "the environment") else _IN_FILE.format(profile=profile)
        return SignInNeeded(
            f"{profile.name} needs somebody to sign in."
            f" Unattended, set {endpoint}{one} and {other}{file}",
            f"or {endpoint}CLOUDSTACK_USERNAME, CLOUDSTACK_PASSWORD and CLOUDSTACK_DOMAIN.",
            "%cs login asks, where somebody can answer.",
            profile=profile.told,
            mark=self.mark,
        )

    def _forget(self, used: Session) -> None:
        with self._lock:
            if self._now is not None and self._now.session is used:
                self._now = None

    def _take(self, came: SignedIn) -> SignedIn:
        self.end()
        self._now, self._refused = came, None
        return came

    def _with_stored(self, given: Password) -> SignedIn:
        if self._refused is not None:
            raise self._refused
        try:
            came = login.sign_in(self.transport, self.profile.endpoint, given)
            if not came.wants_code:
                return came
            refused: CloudStackError = SignInNeeded(
                f"{given.username} signs in with a two-factor code, which nobody can give here",
                "API keys need no code: they are for unattended runs.",
                "%cs login asks for the code.",
                profile=self.profile.told,
                mark=self.mark,
            )
        except CloudStackError as error:
            refused = error
        if not isinstance(refused, TransportError) or refused.sent:
            refused.hints = (*refused.hints, _NOT_AGAIN)
            self._refused = refused
        raise refused


_IN_FILE = ", or write api_key and secret_key into [{profile.name}] of {profile.source}"
_NOT_AGAIN = (
    "No other login is tried in this kernel until the user name or password changes:"
    " five wrong ones disable a CloudStack user."
)
