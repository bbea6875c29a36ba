"""Signing in by prompts: a user name and its password, or the session of a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cs_magic.api.credentials import Asked, KeyPair, Password, Session
from cs_magic.api.values import Secret
from cs_magic.errors import CallError, harmless
from cs_magic.notebook.connections import name_and_host
from cs_magic.notebook.shown import asked

if TYPE_CHECKING:
    from cs_magic.api.login import SignedIn
    from cs_magic.connection import Connection


def by_password(connection: Connection) -> SignedIn:
    """Ask for user name, password and domain, the password hidden, and sign in.

    Raises:
        CallError: the profile has API keys, or something was not given.
        SignInNeeded: nobody can be asked. ApiError, TransportError: as the login says.
    """
    check_can_sign_in(connection)
    sessions, where = connection.client.access.sessions, name_and_host(connection)
    begun = begins_with(connection)
    username = asked(f"Username for {where}{_or(begun.username)}: ") or begun.username
    password = asked(f"Password of {username}: ", hidden=True)
    domain = asked(f"Domain{_or(begun.domain)}: ") or begun.domain
    if not username or not password:
        raise CallError("A user name and a password are needed; nothing was sent")
    came = sessions.sign_in(Password(username, password, domain))
    if came.wants_code:
        came = sessions.send_code(came, asked(f"Two-factor code of {came}: ", hidden=True))
    return came


def by_session(connection: Connection) -> SignedIn:
    """Ask for the halves of a browser's session, hidden, and use it. Errors as `by_password`."""
    check_can_sign_in(connection)
    jsessionid, session_key = _cookie("JSESSIONID"), _cookie("sessionkey")
    if not jsessionid or not session_key:
        raise CallError("JSESSIONID and sessionkey are both needed; nothing was sent")
    return connection.client.access.sessions.adopt(Session(session_key, jsessionid))


def check_can_sign_in(connection: Connection) -> None:
    """Refuse a profile with API keys; CallError."""
    if isinstance(connection.profile.credentials, KeyPair):
        raise CallError(
            f"{connection.profile.name} has API keys, and needs no sign-in",
            "A profile without keys is one that somebody signs in to.",
        )


def begins_with(connection: Connection) -> Asked:
    """What prompts and a form begin with: the profile's user name and domain."""
    given = connection.profile.credentials
    if isinstance(given, Password):
        return Asked(given.username, given.domain)
    return given if isinstance(given, Asked) else Asked()


def _or(value: str) -> str:
    return f" [{harmless(value)}]" if value else ""


def _cookie(name: str) -> str:
    """A cookie's value as a person pastes it, also with its name before it, or in quotes."""
    typed = Secret(asked(f"{name}, from the browser: ", hidden=True).strip())
    return Secret(typed.removeprefix(f"{name}=").removeprefix(f"{name}:").strip(" \"';"))
