"""The wire: parameters as Jetty decodes them, documents as CloudStack prints them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

from cs_magic.demo.data.places import VERSION

FORM = "application/x-www-form-urlencoded"
LARGEST_FORM = 1 << 20
# A body shorter than this is not compressed.
WORTH_COMPRESSING = 512

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
}

SECURITY = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-XSS-Protection", "1;mode=block"),
    ("content-security-policy", "1"),
    ("content-security-policy", "default-src=none"),
    ("content-security-policy", "script-src=self"),
    ("content-security-policy", "connect-src=self"),
    ("content-security-policy", "img-src=self"),
    ("content-security-policy", "style-src=self"),
]


class BadRequest(Exception):
    """A request that the web server refuses before CloudStack sees it."""


@dataclass(slots=True)
class Reply:
    """An answer: a status, headers and a body."""

    status: int
    body: bytes = b""
    content_type: str = "application/json;charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The status line; a code of CloudStack's own has itself for a reason."""
        return f"{self.status} {REASONS.get(self.status, self.status)}"


def pairs(text: bytes) -> list[tuple[str, str]]:
    """Names and values of a query or a form; a name without `=` has an empty value."""
    found = []
    for piece in text.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            found.append((_decoded(name), _decoded(value)))
    return found


def _decoded(raw: bytes) -> str:
    """Percent signs and plus signs undone, as Jetty does it.

    A cut UTF-8 sequence at the end becomes U+FFFD, any other bad byte is refused.
    """
    for part in raw.split(b"%")[1:]:
        if len(part) < 2 or any(byte not in b"0123456789abcdefABCDEF" for byte in part[:2]):
            raise BadRequest
    octets = unquote_to_bytes(raw.replace(b"+", b" "))
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            raise BadRequest from error
        return octets.decode(errors="replace")


def merged(query: bytes, form: bytes) -> dict[str, str]:
    """The parameters: in the query the last of a name counts, in the form the first; query wins."""
    parameters = dict(pairs(query))
    for name, value in pairs(form):
        parameters.setdefault(name, value)
    return parameters


def cookies(header: str) -> dict[str, str]:
    """The cookies of a request."""
    found = (piece.strip().partition("=") for piece in header.split(";"))
    return {name: value.strip('"') for name, _, value in found if name}


def wants_json(parameters: Mapping[str, str]) -> bool:
    """Whether `response` says json, in any letter case; anything else is XML."""
    return parameters.get("response", "").lower() == "json"


def answer(wrapper: str | None, inner: Mapping[str, Any], as_json: bool) -> Reply:
    """A good answer in its envelope."""
    reply = _document(wrapper, inner, as_json, f' cloud-stack-version="{VERSION}"')
    reply.headers.append(("Vary", "Accept-Encoding, User-Agent"))
    return reply


def refusal(
    wrapper: str | None, status: int, text: str, as_json: bool, cserrorcode: int | None = None
) -> Reply:
    """An error document; one with a code of CloudStack's own repeats its text in a header."""
    inner: dict[str, Any] = {"uuidList": [], "errorcode": status}
    if cserrorcode is not None:
        inner["cserrorcode"] = cserrorcode
    inner["errortext"] = text
    reply = _document(wrapper, inner, as_json, "")
    reply.status = status
    if cserrorcode is not None:
        # A header holds no line break; it is ISO-8859-1, and what does not fit is a question mark.
        flat = text.replace("\r", " ").replace("\n", " ")
        reply.headers.append(("X-Description", flat.encode("latin-1", "replace").decode("latin-1")))
    return reply


def _document(
    wrapper: str | None, inner: Mapping[str, Any], as_json: bool, attribute: str
) -> Reply:
    if as_json:
        # Java's JSON of a wrapper that is null.
        text = json.dumps({wrapper or "null": inner}, ensure_ascii=False, separators=(",", ":"))
        return Reply(200, text.encode("utf-8", "replace"))
    name = wrapper or "errorresponse"
    text = f'<?xml version="1.0" encoding="UTF-8"?><{name}{attribute}>{_xml(inner)}</{name}>'
    return Reply(200, text.encode("utf-8", "replace"), "text/xml;charset=utf-8")


def _xml(fields: Mapping[str, Any]) -> str:
    """Fields as elements; a list is its elements one after the other."""
    parts = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            parts.append(f"<{name}>{_xml_value(one)}</{name}>")
    return "".join(parts)


def _xml_value(value: Any) -> str:
    if isinstance(value, dict):
        return _xml(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))


def blank() -> Reply:
    """What the servlet sends when it stumbled: 200, no body, XML by type."""
    return Reply(200, b"", "text/xml;charset=utf-8", [("Vary", "Accept-Encoding, User-Agent")])


def bare(status: int) -> Reply:
    """What the web server says to a method that it doesn't serve: nothing."""
    return Reply(status, b"", "")


def page(status: int) -> Reply:
    """An HTML page of the web server's own."""
    title = f"Error {status}"
    body = f"<html><head><title>{title}</title></head><body>{title}</body></html>".encode()
    return Reply(status, body, "text/html", [("Connection", "close")] if status == 400 else [])


def compress(reply: Reply, accepted: str) -> None:
    """Compress the body where the client takes gzip and it is worth it."""
    if "gzip" in accepted and reply.status == 200 and len(reply.body) >= WORTH_COMPRESSING:
        # The quickest level: the receiver is on the same machine.
        reply.body = gzip.compress(reply.body, compresslevel=1, mtime=0)
        reply.headers.append(("Content-Encoding", "gzip"))
