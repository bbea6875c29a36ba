"""What was found out, and the texts of it that name nothing of anybody's cloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cs_magic.api.profile import Profile
from cs_magic.errors import ApiError, CloudStackError, harmless

Verdict = Literal["ok", "note", "problem"]
_WORST_FIRST: tuple[Verdict, ...] = ("problem", "note", "ok")

_PRIVATE = (
    (re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "an-id"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "an-address"),
    (re.compile(r"(?<![\w:])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){3,7}(?![\w:])"), "an-address"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "a-mail"),
    (re.compile(r"\w+://\S+"), "a-url"),
    # Hosts; settings look like them, Java's classes are not anybody's.
    (
        re.compile(
            r"(?<![\w.-])(?!org\.apache|com\.cloud|java)[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"
        ),
        "a-host",
    ),
    (re.compile(r"[{\[].*[}\]]", re.S), "…"),  # CloudStack's dumps of what it stumbled over
    (re.compile(r'"[^"]*"'), "…"),
    (re.compile(r"(?<!\w)'.*?'(?!\w)", re.S), "…"),  # but not what isn't quoted by apostrophes
    # Who it is, but not "user credentials" or "the given user has".
    (
        re.compile(
            r"\b((?:account|user|path|group with)(?: name)?(?: =)? )"
            r"(?!(?:account|and|api|cre|data|does|has|limit|needs|resource|to|useraccount|…)\w*\b)"
            r"[^\s;,]+",
            re.I,
        ),
        r"\1…",
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the server; `about` is a command, a field or a character, or empty."""

    verdict: Verdict
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What one part found. `summary` says it in a line; `listed` are rows of a table, if any."""

    title: str
    summary: str
    findings: tuple[Finding, ...] = ()
    listed: tuple[tuple[str, ...], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of its findings."""
        return worst_of(self.findings)


def worst_of(findings: Iterable[Finding]) -> Verdict:
    """The worst verdict among findings; ok where there are none."""
    verdicts = {finding.verdict for finding in findings}
    return next((one for one in _WORST_FIRST if one in verdicts), "ok")


def those(findings: Iterable[Finding], verdict: Verdict) -> Iterator[Finding]:
    """The findings of that verdict."""
    return (finding for finding in findings if finding.verdict == verdict)


def said(error: CloudStackError, profile: Profile) -> str:
    """An error as a report has it: its kind, its codes, its text without what is private."""
    codes = f" {error.errorcode}" if isinstance(error, ApiError) else ""
    return f"{type(error).__name__}{codes}: {without_private(str(error), profile)}"


def said_whole(error: CloudStackError, profile: Profile) -> str:
    """An error as a report has it, with what to try."""
    hints = (without_private(hint, profile) for hint in error.hints)
    return "; ".join((said(error, profile), *hints))


def without_private(text: str, profile: Profile) -> str:
    """A text without the host, the profile's name, ids, addresses, URLs and whatever it quotes."""
    text = harmless(text)
    if profile.name:
        text = re.sub(rf"(?<![\w-]){re.escape(profile.name)}(?![\w-])", "the-profile", text)
    if "/" in profile.source:
        text = text.replace(profile.source, "a-file")
    for word in (profile.endpoint, profile.host, profile.host.partition(":")[0]):
        text = text.replace(word, "the-host")
    for pattern, word in _PRIVATE:
        text = pattern.sub(word, text)
    return text[:200]


def shape(value: object) -> str:
    """What a value looks like, without the value: `"3 Ghz"` is text like `9 Aaa`."""
    if not isinstance(value, str):
        return type(value).__name__
    bare = re.sub(r"[A-Z]", "A", re.sub(r"[^\W\d_A-Z]", "a", re.sub(r"\d", "9", value)))
    return f"text like {bare[:24]!r}" if bare else "an empty text"
