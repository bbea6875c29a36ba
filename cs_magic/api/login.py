"""`login`, the two-factor code, and `logout`: user credentials → a session, and its end.

A login is sent once, by POST, and never again by itself: five wrong passwords disable a
CloudStack user (`incorrect.login.attempts.allowed`). The same goes for a code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cs_magic.api import envelope
from cs_magic.api.checks import is_uuid
from cs_magic.api.credentials import Password, Session
from cs_magic.api.transport import Transport
from cs_magic.api.values import Call, Document, Request, Secret
from cs_magic.errors import ApiError, CloudStackError, SignInNeeded, TransportError

_VALIDATE = "validateUserTwoFactorAuthenticationCode"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and whose it is; with `wants_code` it is good for nothing but the code yet."""

    session: Session = field(repr=False)
    username: str = ""
    domain: str = ""
    wants_code: bool = False

    def __str__(self) -> str:
        if not self.username:
            return "a browser's session"
        return f"{self.username} ({self.domain})"


def sign_in(transport: Transport, endpoint: str, given: Password) -> SignedIn:
    """The session of these credentials.

    Raises:
        ApiError: CloudStack refused (531: a wrong password, an unknown domain, a user that
            is disabled or locked; 401: an unknown domain id; 405: it wants something else).
        SignInNeeded: CloudStack wants two factors, and they are not set up.
        TransportError: no usable answer; the login may have been counted.
    """
    form = (
        ("command", "login"),
        ("username", given.username),
        ("password", given.password),
        _domain(given.domain),
        ("response", "json"),
    )
    response = transport.send(Request("login", endpoint, form))
    facts = _facts(envelope.read("login", response))
    key, cookie = facts.get("sessionkey"), response.cookies.get("JSESSIONID")
    if not key or not cookie:
        raise TransportError("The answer to login holds no session")
    session = Session(str(key), cookie)
    # Both are texts in this answer (LoginCmdResponse).
    wants_code = facts.get("is2faenabled") == "true" and facts.get("is2faverified") != "true"
    if wants_code and not facts.get("providerfor2fa"):
        raise _not_set_up(transport, endpoint, given, session)
    username = str(facts.get("username") or given.username)
    return SignedIn(session, username, given.domain or "/", wants_code)


def send_code(transport: Transport, endpoint: str, came: SignedIn, code: str) -> SignedIn:
    """The session once its two-factor code was taken.

    Raises:
        ApiError: CloudStack did not take it (511), and the session is gone.
        TransportError: no usable answer; nobody knows whether the session is good.
    """
    code = Secret(code)
    call = Call(_VALIDATE, (("codefor2fa", code),))
    request = came.session.authorize(call, endpoint, datetime.now(UTC))
    try:
        envelope.read(_VALIDATE, transport.send(request))
        return SignedIn(came.session, came.username, came.domain)
    except ApiError as error:
        refused = error
    raise ApiError(
        _inner_text(refused.errortext),
        command=_VALIDATE,
        errorcode=refused.errorcode,
        cserrorcode=refused.cserrorcode,
    )


def prove(transport: Transport, endpoint: str, session: Session) -> SignedIn:
    """A session that a browser has, proven with one harmless read.

    Raises:
        ApiError: CloudStack doesn't know it; a wrong session key ends the browser's session.
        TransportError: no usable answer.
    """
    request = session.authorize(Call("listCapabilities"), endpoint, datetime.now(UTC))
    envelope.read(request.command, transport.send(request))
    return SignedIn(session)


def sign_out(transport: Transport, endpoint: str, session: Session) -> None:
    """End a session on the server; a session that is gone already is no error."""
    form = (("command", "logout"), ("response", "json"), ("sessionkey", session.session_key))
    cookies = {"JSESSIONID": session.jsessionid, "sessionkey": session.session_key}
    response = transport.send(Request("logout", endpoint, form, cookies=cookies))
    try:
        envelope.read("logout", response)
    except ApiError as error:
        if error.errorcode not in {401, 431}:
            raise


def _domain(typed: str) -> tuple[str, str]:
    """A domain as `login` takes it: by id, or by path.

    CloudStack prints paths as `ROOT/Retail`, and takes them as `/Retail` only.
    """
    if is_uuid(typed):
        return "domainid", typed
    if typed == "ROOT" or typed.startswith("ROOT/"):
        return "domain", typed.removeprefix("ROOT") or "/"
    return "domain", typed or "/"


def _not_set_up(
    transport: Transport, endpoint: str, given: Password, session: Session
) -> SignInNeeded:
    with suppress(CloudStackError):  # it ends by itself
        sign_out(transport, endpoint, session)
    return SignInNeeded(
        f"{given.username} has to set up two-factor sign-in first: CloudStack wants it",
        "Sign in once to CloudStack's own web page, which leads through it.",
    )


def _inner_text(text: str) -> str:
    """CloudStack puts a whole error document into the text of a refused code."""
    with suppress(ValueError, AttributeError, TypeError):
        [inner] = json.loads(text).values()
        return str(inner["errortext"])
    return text


def _facts(payload: object) -> Mapping[str, Any]:
    """What the answer to `login` tells, its session key as a secret."""
    if not isinstance(payload, Document):
        return {}
    return {
        name: Secret(value) if name == "sessionkey" else value
        for name, value in json.loads(payload.fields).items()
    }
