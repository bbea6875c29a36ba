"""Login sessions: two cookies and a parameter, and how easily they are lost."""

from __future__ import annotations

import hmac
import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cs_magic.demo.data.items import Account
from cs_magic.demo.data.world import World
from cs_magic.demo.logins import Logins
from cs_magic.demo.wire import Reply, answer, blank, refusal

TIMEOUT = 1_800
EPOCH = ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
POST_ONLY = "Please use HTTP POST to authenticate using this API"
VALIDATION = "validateusertwofactorauthenticationcoderesponse"
NO_CODE = "Code for two factor authentication is required"
WRONG_CODE = "two-factor authentication code provided is invalid"
GENERAL, WRONG_FACTOR = 9999, 4295
LOST_SESSION = "unable to verify user credentials"
NO_SESSION = "Session not found for the logout process."


@dataclass(slots=True)
class Session:
    """A session; without an account it is one that a refused login left behind."""

    id: str
    account: Account | None
    key: str = field(repr=False)
    seen: float = 0.0
    verified: bool = True


class Sessions:
    """The sessions of one server. One ends that nobody used for `timeout` seconds."""

    def __init__(
        self,
        world: World,
        timeout: float = TIMEOUT,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        if timeout <= 0:
            raise ValueError(f"Sessions cannot end after {timeout} seconds")
        self.logins = Logins(world)
        self._world = world
        self._timeout = timeout
        self._ticks = ticks
        self._ahead = 0.0
        self._left: int | None = None
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def find(self, cookies: Mapping[str, str]) -> Session | None:
        """The live session of these cookies, if any; the server's own suffix may be missing."""
        with self._lock:
            return self._live(cookies)

    def admit(self, cookies: Mapping[str, str]) -> Session | None:
        """As `find`, for a call that is then answered: the last before `end_all` ends them all."""
        with self._lock:
            session = self._live(cookies)
            if session and self._left is not None:
                self._left -= 1
                if self._left == 0:
                    self._forget()
            return session

    def end_all(self, after: int = 0) -> None:
        """Forget every session, at once or with the `after`-th call of a session from now."""
        if after < 0:
            raise ValueError(f"Sessions cannot end {after} calls from now")
        with self._lock:
            self._left = after
            if not after:
                self._forget()

    def let_pass(self, seconds: float) -> None:
        """Set the clock of the sessions ahead: as if nobody had called for so long."""
        with self._lock:
            self._ahead += seconds

    def _live(self, cookies: Mapping[str, str]) -> Session | None:
        id_ = cookies.get("JSESSIONID", "").removesuffix(".node0")
        session = self._sessions.get(id_)
        if session is None:
            return None
        if self._now() - session.seen > self._timeout:
            del self._sessions[id_]
            return None
        session.seen = self._now()
        return session

    def _now(self) -> float:
        return self._ticks() + self._ahead

    def _forget(self) -> None:
        self._sessions.clear()
        self._left = None

    def end(self, session: Session) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(session.id, None)

    def proves(self, session: Session, parameter: str | None, cookie: str | None) -> bool:
        """Whether the session key came both as parameter and as cookie, and is right."""
        given = [text.encode() for text in (parameter, cookie) if text]
        return len(given) == 2 and all(
            hmac.compare_digest(text, session.key.encode()) for text in given
        )

    def second_factor(
        self, session: Session, code: str | None, proved: bool, as_json: bool
    ) -> Reply:
        """Take the code that follows the password; a wrong one ends the session.

        The session key is looked at last: without it the success is followed by
        an error, in the same body. Where nothing is set up, the answer is blank.
        """
        pin = session.account.user.pin if session.account else ""
        if not pin:
            return blank()
        if code is None:
            return refusal(VALIDATION, 531, NO_CODE, as_json, GENERAL)
        if hmac.compare_digest(code.encode(), pin.encode()):
            good = answer(VALIDATION, {"success": True}, as_json)
            if proved:
                session.verified = True
                return good
            self.end(session)
            lost = refusal(VALIDATION, 401, LOST_SESSION, as_json)
            lost.body = good.body + lost.body
            return lost
        self.end(session)
        # CloudStack puts the whole document into the text of another one.
        inner = refusal(VALIDATION, 511, WRONG_CODE, as_json=True).body.decode()
        return refusal(VALIDATION, 511, inner, as_json, WRONG_FACTOR)

    def login(
        self, method: str, parameters: Mapping[str, str], cookies: Mapping[str, str], as_json: bool
    ) -> Reply:
        """Sign a user in; also a refused login leaves a session cookie, of a dead session."""
        old = self.find(cookies)
        if old:
            self.end(old)
        account = None
        if method != "POST":
            reply = Reply(405, POST_ONLY.encode())
        else:
            account, reply = self.logins.authenticate(parameters, as_json)
        session = self._new(account)
        reply.headers += [("Set-Cookie", f"JSESSIONID={session.id}.node0; Path=/client"), EPOCH]
        if account:
            reply = answer("loginresponse", self._facts(session, account), as_json)
            reply.headers += [
                ("Set-Cookie", f"JSESSIONID={session.id}.node0; Path=/client"),
                ("Set-Cookie", f"sessionkey={session.key};HttpOnly;SameSite=Lax"),
                EPOCH,
            ]
        self.logins.remember(parameters, reply.status)
        return reply

    def logout(self, cookies: Mapping[str, str], as_json: bool) -> Reply:
        """End the session of these cookies; without one there is an error."""
        session = self.find(cookies)
        if session is None:
            return refusal("logoutresponse", 431, NO_SESSION, as_json, cserrorcode=9999)
        self.end(session)
        gone = "Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=0"
        reply = answer("logoutresponse", {"description": "success"}, as_json)
        reply.headers += [("Set-Cookie", f"sessionkey={session.key};HttpOnly;SameSite=Lax")]
        reply.headers += [("Set-Cookie", f"{name}=; {gone}") for name in cookies]
        reply.headers.append(EPOCH)
        return reply

    def _new(self, account: Account | None) -> Session:
        session = Session(
            f"node0{secrets.token_hex(12)}",
            account,
            secrets.token_urlsafe(20),
            verified=not (account and account.wants_second_factor),
        )
        with self._lock:
            session.seen = self._now()
            self._sessions[session.id] = session
        return session

    def _facts(self, session: Session, account: Account) -> dict[str, object]:
        user = account.user
        facts: dict[str, object] = {
            "username": user.username,
            "userid": user.id,
            "domainid": account.domain.id,
            "timeout": math.ceil(self._timeout),
            "account": account.name,
            "firstname": user.firstname,
            "lastname": user.lastname,
            "type": str(account.role.kind),
            "timezone": "UTC",
            "timezoneoffset": "0.0",
            "registered": "false",
            "sessionkey": session.key,
            "is2faenabled": "false" if session.verified else "true",
            "is2faverified": "true" if session.verified else "false",
            **({"providerfor2fa": "staticpin"} if user.pin else {}),
            "issuerfor2fa": "CloudStack",
        }
        if account.role.kind == 1:
            facts["managementserverid"] = self._world.places.manager_id
        if user.must_change_password:
            facts["passwordchangerequired"] = True
        return facts
