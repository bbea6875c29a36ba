"""The WSGI app: who is asking, may he, and the cloud's answer in CloudStack's envelope."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cs_magic.api.signing import signature
from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.cloud import Cloud
from cs_magic.demo.cloud.parameters import offset_moment
from cs_magic.demo.cloud.refusals import Refused
from cs_magic.demo.cloud.throttle import Throttle
from cs_magic.demo.sessions import LOST_SESSION, TIMEOUT, Session, Sessions
from cs_magic.demo.wire import (
    FORM,
    LARGEST_FORM,
    SECURITY,
    BadRequest,
    Reply,
    answer,
    bare,
    blank,
    compress,
    cookies,
    merged,
    page,
    refusal,
    wants_json,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

UNVERIFIED = "unable to verify user credentials and/or request signature"
NO_SECOND_FACTOR = (
    "Unable to process the API request due to :Two factor authentication 2FA is enabled but not "
    "verified, please verify 2FA using validateUserTwoFactorAuthenticationCode API before calling "
    "other APIs. Existing session is invalidated."
)
NO_SET_UP = (
    "Unable to process the API request due to :Two factor authentication is mandated by admin, "
    "user needs to setup 2FA using setupUserTwoFactorAuthentication API and then verify 2FA using "
    "validateUserTwoFactorAuthenticationCode API before calling other APIs. Existing session is "
    "invalidated."
)
SECOND_FACTOR = "validateUserTwoFactorAuthenticationCode"
# What a session may do before its second factor.
BEFORE_SECOND_FACTOR = (
    "listApis",
    "listIdps",
    "listUserTwoFactorAuthenticatorProviders",
    "setupUserTwoFactorAuthentication",
    SECOND_FACTOR,
)


class Unverified(Exception):
    """A request that is not who it says it is; the reply does not say why."""


class App:
    """The demo's API as a WSGI callable.

    `algorithms` are the signatures it accepts; `latency` is waited before each
    page of a list. `wall_clock` judges `expires`, which clients set by theirs.
    A session ends that nobody used for `session_timeout` seconds. `throttle` limits
    how many calls an account may make.
    """

    def __init__(
        self,
        cloud: Cloud,
        algorithms: tuple[str, ...] = ("HmacSHA1",),
        latency: float = 0.0,
        session_timeout: float = TIMEOUT,
        throttle: Throttle | None = None,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.cloud = cloud
        self.sessions = Sessions(cloud.world, session_timeout)
        self._algorithms = algorithms
        self._latency = latency
        self.throttle = throttle or Throttle()
        self._wall_clock = wall_clock
        self._sleep = sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One exchange."""
        reply = self._reply(environ)
        compress(reply, environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers = [("Content-Type", reply.content_type)] if reply.content_type else []
        headers += reply.headers
        if not reply.content_type.startswith("text/html"):
            headers += SECURITY
        headers.append(("Content-Length", str(len(reply.body))))
        start_response(reply.line, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def _reply(self, environ: WSGIEnvironment) -> Reply:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if path != "/client/api" and not path.startswith("/client/api/"):
            return page(404)
        if method == "OPTIONS":
            return Reply(200, b"", "", [("Allow", "GET, HEAD, POST, TRACE, OPTIONS")])
        if method not in ("GET", "POST", "HEAD"):
            return bare(405 if method in ("PUT", "DELETE") else 501)
        try:
            parameters = _parameters(environ)
        except BadRequest:
            return page(400)
        return self._command(method, parameters, cookies(environ.get("HTTP_COOKIE", "")))

    def _command(
        self, method: str, parameters: Mapping[str, str], sent_cookies: Mapping[str, str]
    ) -> Reply:
        as_json = wants_json(parameters)
        name = parameters.get("command")
        # Only these two are found in any letter case.
        if name and name.lower() == "login":
            return self.sessions.login(method, parameters, sent_cookies, as_json)
        if name and name.lower() == "logout":
            return self.sessions.logout(sent_cookies, as_json)
        session = self.sessions.admit(sent_cookies)
        try:
            if session:
                return self._by_session(session, name, parameters, sent_cookies)
            return self._by_signature(name, parameters)
        except Unverified:
            wrapper = self.cloud.wrapper(name) if name and self.cloud.known(name) else None
            return refusal(
                wrapper if wrapper or not name else "errorresponse", 401, UNVERIFIED, as_json
            )
        except Refused as refused:
            forbidden = refused.errorcode == 432
            wrapper = "errorresponse" if forbidden else self.cloud.wrapper(name or "")
            return refusal(
                wrapper, refused.errorcode, refused.errortext, as_json, refused.cserrorcode
            )

    def _by_session(
        self,
        session: Session,
        name: str | None,
        parameters: Mapping[str, str],
        sent_cookies: Mapping[str, str],
    ) -> Reply:
        """A call with cookies; without the right session key the session is gone."""
        account, as_json = session.account, wants_json(parameters)
        if account is None or name is None:
            return blank()
        key, cookie = parameters.get("sessionkey"), sent_cookies.get("sessionkey")
        proved = account.enabled and self.sessions.proves(session, key, cookie)
        if name == SECOND_FACTOR:
            code = parameters.get("codefor2fa")
            return self.sessions.second_factor(session, code, proved, as_json)
        if not session.verified and name not in BEFORE_SECOND_FACTOR:
            self.sessions.end(session)
            text = NO_SECOND_FACTOR if account.user.pin else NO_SET_UP
            return refusal(self.cloud.wrapper(name), 511, text, as_json)
        if not proved:
            self.sessions.end(session)
            return refusal(self.cloud.wrapper(name), 401, LOST_SESSION, as_json)
        if not self.cloud.known(name) and account.role.kind == 1:
            raise Refused(432, f"Unknown API command: {name}")
        self.cloud.allow(name, account)
        self.throttle.count(account)
        return self._answer(name, parameters, Caller(account, by_key=False))

    def _by_signature(self, name: str | None, parameters: Mapping[str, str]) -> Reply:
        """A signed call, checked in the server's order: the role before the signature."""
        lower = {key.lower(): value for key, value in parameters.items()}
        if not name or not self.cloud.known(name):
            raise Unverified
        if "apikey" not in lower or "signature" not in lower:
            raise Unverified
        if lower.get("signatureversion") == "3":
            self._check_expiry(lower.get("expires", ""))
        account, secret = self.cloud.world.key_pairs.get(lower["apikey"].lower(), (None, ""))
        if account is None or not account.enabled:
            raise Unverified
        self.cloud.allow(name, account)
        self.throttle.count(account)
        self._check_signature(parameters, lower["signature"], secret)
        self.throttle.count(account)
        return self._answer(name, parameters, Caller(account, by_key="apiKey" in parameters))

    def _check_expiry(self, expires: str) -> None:
        moment = offset_moment(expires)
        if moment is None or moment <= self._wall_clock():
            raise Unverified

    def _check_signature(self, parameters: Mapping[str, str], given: str, secret: str) -> None:
        for algorithm in self._algorithms:
            right = signature(parameters.items(), secret, algorithm)
            if hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
                return
        raise Unverified

    def _answer(self, name: str, parameters: Mapping[str, str], caller: Caller) -> Reply:
        inner: dict[str, Any] = self.cloud.answer(name, parameters, caller)
        if self._latency and self.cloud.is_list(name):
            self._sleep(self._latency)
        return answer(self.cloud.wrapper(name), inner, wants_json(parameters))


def _parameters(environ: WSGIEnvironment) -> dict[str, str]:
    """The parameters of query and form; a body of another type is not read."""
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    form = b""
    if environ["REQUEST_METHOD"] == "POST" and length:
        if length > LARGEST_FORM:
            raise BadRequest
        body = environ["wsgi.input"].read(length)
        if environ.get("CONTENT_TYPE", "").split(";")[0].strip().lower() == FORM:
            form = body
    return merged(query, form)
