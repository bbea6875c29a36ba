"""The signature of an API-key request, by the server's own steps.

The order and the escapes are those of `ApiServer.verifyRequest` (CloudStack's
source), not of the developer's guide, which sorts names in lower case: that is
refused as soon as names of mixed case share a prefix.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from urllib.parse import quote

ALGORITHMS = {"HmacSHA1": "sha1", "HmacSHA512": "sha512"}


def canonical(parameters: Iterable[tuple[str, str]]) -> str:
    """The text that is signed.

    Names as they are sent and unescaped, sorted by UTF-16 code units (Java's
    `String.compareTo`); values as Java's `URLEncoder` writes them, with `%20`
    for a blank; all of it in lower case. A parameter called `signature`, in any
    letter case, is left out.
    """
    kept = [(name, value) for name, value in parameters if name.lower() != "signature"]
    kept.sort(key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
    return "&".join(f"{name}={escaped(value)}" for name, value in kept).lower()


def escaped(value: str) -> str:
    """The value as Java's `URLEncoder` writes it in UTF-8, with `%20` for a blank.

    Letters, digits and `.-*_` stay; `~` does not, unlike in Python's `quote`.
    An unpaired surrogate is `?`, as Java encodes it.
    """
    return quote(value, safe="*", encoding="utf-8", errors="replace").replace("~", "%7E")


def signature(
    parameters: Iterable[tuple[str, str]], secret_key: str, algorithm: str = "HmacSHA1"
) -> str:
    """The signature of decoded (name, value) pairs, in any order: standard Base64 with padding.

    `algorithm` is HmacSHA1, or HmacSHA512 for servers that want it.
    Source: `ApiServer.verifyRequest`.
    """
    # No local holds the text, which has the API key in it: a traceback may show locals.
    return base64.b64encode(
        hmac.digest(
            secret_key.encode(),
            canonical(parameters).encode("utf-8", "replace"),
            ALGORITHMS[algorithm],
        )
    ).decode()
