"""JSON as CloudStack writes it, and as it may come: read, or a ValueError, whatever it holds.

Raw control characters and invalid escapes are taken. A number that Python can't read without
changing it, of thousands of digits or 1e400, stays the text that it is, and NaN is nothing: so
all that comes can be written as JSON again.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

# Every escape that JSON knows, or a lone backslash: CloudStack turns a stored
# `\u0041` into `\A` (ApiResponseSerializer.unescape).
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|)')
_DIGITS = 4300  # Python reads no more of an integer


def loads(text: str | bytes) -> Any:
    """What a text of JSON says.

    Raises:
        ValueError: it is not JSON even so. RecursionError: it is nested too deeply.
    """
    try:
        return json.loads(text, strict=False, **_NUMBERS)
    except ValueError:
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return json.loads(repaired(text), strict=False, **_NUMBERS)


def strictly(text: str | bytes) -> Any:
    """What a text of JSON says, as `loads`, unless it has to be repaired.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(text, **_NUMBERS)


def repaired(text: str) -> str:
    """The text with each backslash that begins no escape doubled."""
    return _ESCAPE.sub(lambda m: m[0] if m[1] else r"\\", text)


def documents(text: str) -> list[Any]:
    """The JSON documents that stand one after another in a text; none where it is no JSON."""
    found: list[Any] = []
    rest = repaired(text).strip()
    while rest:
        try:
            document, end = _decoder.raw_decode(rest)
        except ValueError:
            return found
        found.append(document)
        rest = rest[end:].strip()
    return found


def _int(text: str) -> int | str:
    return int(text) if len(text) < _DIGITS else text


def _float(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text


def _constant(name: str) -> str | None:
    return None if name == "NaN" else name


_NUMBERS: Any = {"parse_int": _int, "parse_float": _float, "parse_constant": _constant}
_decoder = json.JSONDecoder(strict=False, **_NUMBERS)
