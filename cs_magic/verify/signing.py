"""Whether every character of a value is signed as the server signs it."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from cs_magic.api.client import Client
from cs_magic.api.credentials import KeyPair
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, CloudStackError, Unauthorized
from cs_magic.verify.findings import Finding, Section, said

_TEXTS = (
    "ü", "ß", "日本", "e\u0301", "€", "\u2028", "😀", "\n", " ", "a b", "a+b", "a&b=c", "100%",
    "%41", "a/b?c#d;e", "it's (x)!", "[a]", "{a}", "Zürich ~ Genève",
)  # fmt: skip


def signing(client: Client) -> Section:
    """Each special character through a keyword filter, then names that sort awkwardly."""
    cases = [Call("listZones").having(keyword=text) for text in (*string.punctuation, *_TEXTS)]
    cases.append(Call("listZones").having(keyword="ab" * 120))
    cases.append(Call("listZones").having(keyword=""))
    cases.append(Call("listZones", (("xB", "1"), ("xa", "2"), ("x_", "3"))))  # it ignores these
    found = [finding for call in cases for finding in _tried(client, call)]
    found += _forged(client)
    wrong = sum(finding.verdict == "problem" for finding in found)
    how = "signed" if isinstance(client.profile.credentials, KeyPair) else "sent in a session"
    taken = f"all {len(cases)} awkward calls were taken" if not wrong else f"{wrong} were refused"
    return Section("Signing", f"{how}: {taken}", tuple(found))


def _tried(client: Client, call: Call) -> Iterator[Finding]:
    about = _named(call)
    try:
        client.exchange(call, is_read=True)
    except Unauthorized as error:
        text = f"is refused as if it were signed wrongly: {said(error, client.profile)}"
        yield Finding("problem", about, text)
    except ApiError as error:  # the signature was taken, the value was not
        yield Finding("note", about, f"is not wanted: {said(error, client.profile)}")
    except CloudStackError as error:
        yield Finding("problem", about, said(error, client.profile))


def _named(call: Call) -> str:
    """What is special about a call."""
    text = call.given("keyword")
    if text is None:
        return "names in mixed case"
    if len(text) == 1 and text in string.punctuation:
        return f"`{text}`" if text != "`" else "a backtick"
    if len(text) == 1:
        return unicodedata.name(text, f"U+{ord(text):04X}")
    return f"{text!r}" if len(text) < 40 else f"{len(text)} characters"


def _forged(client: Client) -> Iterator[Finding]:
    """A server that takes a wrong signature tells nothing about ours."""
    keys = client.profile.credentials
    if not isinstance(keys, KeyPair):
        return
    # Only an algorithm that is named keeps the client from asking which one is wanted.
    algorithm = "HmacSHA1" if keys.algorithm == "auto" else keys.algorithm
    wrong = replace(keys, secret_key="no secret of anybody", algorithm=algorithm)
    forger = Client(replace(client.profile, credentials=wrong), client.transport, client.clock)
    try:
        forger.exchange(Call("listZones"), is_read=True)
    except CloudStackError:
        return
    yield Finding("problem", "a wrong signature", "is taken: this server checks none")
