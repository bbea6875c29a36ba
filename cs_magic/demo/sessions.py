"""Login sessions: two cookies and a parameter, and how easily they are lost."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cs_magic.demo.data.items import Account, Domain
from cs_magic.demo.data.world import World
from cs_magic.demo.wire import Reply, answer, refusal

TIMEOUT = 1_800
EPOCH = ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
POST_ONLY = "Please use HTTP POST to authenticate using this API"
VALIDATION = "validateusertwofactorauthenticationcoderesponse"
NO_CODE = "Code for two factor authentication is required"
WRONG_CODE = "two-factor authentication code provided is invalid"
GENERAL, WRONG_FACTOR = 9999, 4295
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
    """The sessions of one server."""

    def __init__(self, world: World, ticks: Callable[[], float] = time.monotonic) -> None:
        self._world = world
        self._ticks = ticks
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def find(self, cookies: Mapping[str, str]) -> Session | None:
        """The live session of these cookies, if any; the server's own suffix may be missing."""
        id_ = cookies.get("JSESSIONID", "").removesuffix(".node0")
        with self._lock:
            session = self._sessions.get(id_)
            if session is None:
                return None
            if self._ticks() - session.seen > TIMEOUT:
                del self._sessions[id_]
                return None
            session.seen = self._ticks()
            return session

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

    def second_factor(self, session: Session, code: str | None, as_json: bool) -> Reply:
        """Take the code that follows the password; a wrong one ends the session."""
        if code is None:
            return refusal(VALIDATION, 531, NO_CODE, as_json, GENERAL)
        pin = session.account.user.pin if session.account else ""
        if hmac.compare_digest(code.encode(), pin.encode()):
            session.verified = True
            return answer(VALIDATION, {"success": True}, as_json)
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
            account, reply = self._authenticated(parameters, as_json)
        session = self._new(account)
        reply.headers += [("Set-Cookie", f"JSESSIONID={session.id}.node0; Path=/client"), EPOCH]
        if account:
            reply = answer("loginresponse", self._facts(session, account), as_json)
            reply.headers += [
                ("Set-Cookie", f"JSESSIONID={session.id}.node0; Path=/client"),
                ("Set-Cookie", f"sessionkey={session.key};HttpOnly;SameSite=Lax"),
                EPOCH,
            ]
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
            self._ticks(),
            verified=not (account and account.user.pin),
        )
        with self._lock:
            self._sessions[session.id] = session
        return session

    def _authenticated(
        self, parameters: Mapping[str, str], as_json: bool
    ) -> tuple[Account | None, Reply]:
        """The account that signs in, or the refusal."""
        name = parameters.get("username")
        if name is None:
            return None, Reply(531, b"null")
        domain, refused = self._domain(parameters, as_json)
        if domain is None:
            return None, refused
        account = self._world.account(name, domain.id)
        given = parameters.get("password", "").encode()
        if account and hmac.compare_digest(given, account.user.password.encode()):
            return account, Reply(200)
        text = (
            f"Failed to authenticate user {name} in domain {domain.number}; "
            "please provide valid credentials"
        )
        return None, refusal("loginresponse", 531, text, as_json)

    def _domain(self, parameters: Mapping[str, str], as_json: bool) -> tuple[Domain | None, Reply]:
        """The domain that is meant: by id, else by path, else ROOT."""
        id_ = parameters.get("domainid") or parameters.get("domainId")
        domains = self._world.people.domains.values()
        if id_:
            by_id = (d for d in domains if id_ in (d.id, str(d.number)))
            text = "Invalid domain id entered, please enter a valid one"
            return next(by_id, None), refusal("loginresponse", 401, text, as_json)
        path = "/" + parameters.get("domain", "").strip("/")
        by_path = (d for d in domains if d.login_path.lower() == path.lower())
        text = f"Unable to find the domain from the path {path.rstrip('/')}/"
        return next(by_path, None), refusal("loginresponse", 531, text, as_json)

    def _facts(self, session: Session, account: Account) -> dict[str, object]:
        user = account.user
        facts: dict[str, object] = {
            "username": user.username,
            "userid": user.id,
            "domainid": account.domain.id,
            "timeout": TIMEOUT,
            "account": account.name,
            "firstname": user.firstname,
            "lastname": user.lastname,
            "type": str(account.role.kind),
            "timezone": "UTC",
            "timezoneoffset": "0.0",
            "registered": "false",
            "sessionkey": session.key,
            "is2faenabled": "true" if user.pin else "false",
            "is2faverified": "false" if user.pin else "true",
            **({"providerfor2fa": "staticpin"} if user.pin else {}),
            "issuerfor2fa": "CloudStack",
        }
        if account.role.kind == 1:
            facts["managementserverid"] = self._world.places.manager_id
        return facts
