"""Secrets in calls and answers: which they are, and the text that stands in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "••••"
_NAMES = frozenset(
    "apikey secretkey accesskey sessionkey privatekey secretcode password passwd passphrase"
    " presharedkey ipsecpsk psk token bindpass truststorepass dnsapikey userapikey"
    " jsessionid clientsecret configdata".split()
)
_ENDINGS = ("password", "passwd", "secretkey", "privatekey", "passphrase", "secret", "psk", "token")
_PUBLIC = frozenset({"zonetoken"})  # a zone's number, in older releases
# Settings and details are rows of a name and a value: `security.singlesignon.key`.
_SETTING_ENDINGS = (".key", ".token", ".privatekey", ".bindpass", *_ENDINGS)
NEEDLES = (
    b"pass", b"secret", b"apikey", b"accesskey", b"sessionkey", b"privatekey", b"sharedkey",
    b"psk", b"token", b"jsessionid", b"configdata", b"signature=", b'.key"', b"\\u",
)  # fmt: skip


def is_secret(name: str) -> bool:
    """Whether a field or parameter of this name holds a secret, in any letter case."""
    lower = name.lower()
    return lower in _NAMES or (lower.endswith(_ENDINGS) and lower not in _PUBLIC)


def holds_secret(parameter: str) -> bool:
    """Whether a parameter, or the key of a map parameter, is a secret: `details.password`."""
    return any(is_secret(part) for part in re.split(r"[\[\].]+", parameter))


def names_a_secret(name: object) -> bool:
    """Whether the value beside this name (a setting, a detail, a tag) is a secret."""
    return isinstance(name, str) and (is_secret(name) or name.lower().endswith(_SETTING_ENDINGS))


def secret_arguments(pairs: Iterable[tuple[str, object]]) -> frozenset[str]:
    """The names of those pairs of a call that hold a secret.

    Also the `value` beside the `name` of a secret setting, and `tags[0].value` beside such
    a `tags[0].key`.
    """
    given = [(name, name.lower().rpartition("."), value) for name, value in pairs]
    beside = {
        where for _, (where, _, last), value in given
        if last in {"name", "key"} and names_a_secret(value)
    }  # fmt: skip
    return frozenset(
        name
        for name, (where, _, last), _ in given
        if holds_secret(name) or (last == "value" and where in beside)
    )


def masked_arguments(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The pairs of a call as they may be shown and saved: every secret is `••••`."""
    given = tuple(pairs)
    secret = secret_arguments(given)
    return tuple((name, MASK if name in secret else masked_text(value)) for name, value in given)


def masked_text(text: str) -> str:
    """The text with the secrets in its URLs (`…?token=…`) replaced; itself where it has none."""
    return _IN_URL.sub(_masked_part, text) if "=" in text else text


def masked_message(text: str, secrets: Iterable[str] = ()) -> str:
    """A message as it may be shown: what it says of `secrets`, or after a secret's name, hidden.

    It may repeat a request (`…: command=listZones&apiKey=…`), also escaped as in a URL.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            for spelt in {secret, quote_plus(secret), quote(secret, safe="")}:
                text = text.replace(spelt, MASK)
    return _SAID.sub(_masked_said, text)


_SHORTEST = 4  # of a shorter one each letter would be hidden everywhere
# name=value, also escaped, and "name": "value" as JSON has it.
_SAID = re.compile(
    r"""(?:(?<=%26)|(?<![\w.%-]))([\w.[\]-]{1,200})(?:((?:=|%3[dD])\\?["']?)((?:(?!%26)[^\s&#"'<>])+)"""
    r"""|(\\?["']\s*:\s*\\?["'])((?:[^"'\\]|\\[^"'])+))"""
)


def _masked_said(found: re.Match[str]) -> str:
    name, equals, _, colon, _ = found.groups()
    secret = holds_secret(name) or name.lower().endswith("signature")
    return f"{name}{equals or colon}{MASK}" if secret else found[0]


_IN_URL = re.compile(r"([?&;]([\w.-]+)=)([^\s&#\"'<>]+)")


def _masked_part(found: re.Match[str]) -> str:
    secret = is_secret(found[2]) or found[2].lower().endswith("signature")
    return found[1] + MASK if secret else found[0]


def masked(value: Any) -> Any:
    """A copy in which every secret, at any depth, is `••••`; all else as it was."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, list):
        return [masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    pair = names_a_secret(value.get("name")) or names_a_secret(value.get("key"))
    return {name: _masked_item(name, item, pair) for name, item in value.items()}


def _masked_item(name: str, item: Any, pair: bool) -> Any:
    if isinstance(item, list):
        return [_masked_item(name, one, pair) for one in item]
    return MASK if _hidden(name, item, pair) else masked(item)


def _hidden(name: str, item: Any, pair: bool) -> bool:
    if item is None or item == "" or isinstance(item, dict | bool):
        return False
    return is_secret(name) or (pair and name in {"value", "defaultvalue"})


def may_hold_secret(cells: Sequence[bytes | str | None]) -> bool:
    """Whether any of these JSON texts could hold a secret: quick, and never wrongly no."""
    texts = (cell.encode() if isinstance(cell, str) else cell for cell in cells if cell)
    whole = b",".join(texts).lower()
    return any(needle in whole for needle in NEEDLES)
