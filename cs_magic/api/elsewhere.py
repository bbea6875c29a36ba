"""Answers that are none of CloudStack's (web pages, redirects, proxies), and the error of each."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cs_magic.api.values import Response
from cs_magic.errors import TransportError

REPLACED = "characters that are not valid text were replaced by U+FFFD"


def text_of(body: bytes) -> tuple[str, list[str]]:
    try:
        return body.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return body.decode("utf-8-sig", "replace"), [REPLACED]


def is_html(response: Response) -> bool:
    start = response.body[:200].lstrip().lower()
    return "html" in response.content_type.lower() or start.startswith((b"<!doctype", b"<html"))


def html(response: Response) -> TransportError:
    hint = {
        200: "A web page, not the API: is the endpoint right? It usually ends in /client/api.",
        404: "Is the endpoint right? It usually ends in /client/api.",
        414: 'The call is too long for a URL: leave method = "get" out of the profile.',
        431: "The request's headers are too long.",
    }.get(response.status, "The answer came from a web server or proxy in front of CloudStack.")
    # What a web server refuses by itself never reached CloudStack.
    reached = response.status not in {404, 414, 431}
    return TransportError(
        f"HTTP {response.status} with a web page, not CloudStack's API", hint, sent=reached
    )


def redirected(response: Response) -> TransportError:
    where = _place(response.location or "") or "another address"
    return TransportError(
        f"HTTP {response.status}: the endpoint redirects to {where}",
        "Redirects are not followed with credentials: put the address itself into the profile.",
        sent=False,
    )


def by_a_proxy() -> TransportError:
    """The error of a proxy nobody knew of, which lets nobody through."""
    return TransportError(
        "A proxy on the way wants a user name and a password (HTTP 407)", sent=False, passing=False
    )


def _place(location: str) -> str:
    """What may be shown of where a redirect leads: scheme, host, and how its path begins.

    All else may hold a secret: a user before the @, a path, `;jsessionid=`, a query, a fragment.
    """
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    if parts.scheme not in {"", "http", "https"} or "\\" in parts.netloc:
        return ""
    host = parts.netloc.rpartition("@")[2]
    if not re.fullmatch(r"[\w.:\[\]-]{0,255}", host, re.ASCII) or bool(host) != bool(parts.scheme):
        return ""
    first, slash, more = parts.path.removeprefix("/").partition("/")
    if not re.fullmatch("[A-Za-z_-]{0,20}", first):
        first, slash, more = "…", "", ""
    site = f"{parts.scheme}://{host}" if host else ""
    return site + ("/" if parts.path else "") + first + slash + ("…" if more else "")


def not_cloudstack(what: str, body: bytes) -> TransportError:
    text, _ = text_of(body)
    shown = "" if may_tell(text) else text[:80]
    return TransportError(f"{what[0].upper()}{what[1:]}", f"It begins: {shown}" if shown else "")


def may_tell(text: str) -> bool:
    """Whether a text that can't be read is a piece of JSON: it may hold a secret."""
    return text.lstrip().startswith(("{", "["))
