"""`login` and `logout`: user credentials → a session, and its end.

A login is sent once, by POST, and never again by itself: five wrong passwords disable a
CloudStack user (`incorrect.login.attempts.allowed`).
"""

from __future__ import annotations

import json
from typing import Any

from cs_magic.api import envelope
from cs_magic.api.credentials import Password, Session
from cs_magic.api.transport import Transport
from cs_magic.api.values import Document, Request
from cs_magic.errors import ApiError, SignInNeeded, TransportError


def sign_in(transport: Transport, endpoint: str, given: Password) -> Session:
    """The session of these credentials.

    Raises:
        ApiError: CloudStack refused (531: a wrong password, an unknown domain, a user that
            is disabled or locked).
        SignInNeeded: a two-factor code is needed, which nobody can give here.
        TransportError: no usable answer; the login may have been counted.
    """
    form = (
        ("command", "login"),
        ("username", given.username),
        ("password", given.password),
        ("domain", given.domain),
        ("response", "json"),
    )
    response = transport.send(Request("login", endpoint, form))
    payload = envelope.read("login", response)
    facts = _facts(payload)
    key, cookie = facts.get("sessionkey"), response.cookies.get("JSESSIONID")
    if not key or not cookie:
        raise TransportError("The answer to login holds no session")
    # Both are texts in this answer (LoginCmdResponse).
    if facts.get("is2faenabled") == "true" and facts.get("is2faverified") != "true":
        raise SignInNeeded(
            f"{given.username} signs in with a two-factor code, which nobody can give here",
            "API keys need no code: they are for unattended runs.",
        )
    return Session(str(key), cookie)


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


def _facts(payload: object) -> dict[str, Any]:
    return dict(json.loads(payload.fields)) if isinstance(payload, Document) else {}
