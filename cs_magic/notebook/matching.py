"""How what was typed is held against what there is, and how a choice is written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cs_magic.errors import harmless
from cs_magic.notebook.related import Listing, Thing
from cs_magic.notebook.statements import quoted


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may take the place of what was typed, and what it is: a badge's text."""

    text: str
    kind: str


def inserted(
    one: Thing, listing: Listing, prefix: str, opened: str, several: bool, shared: bool
) -> tuple[str, str]:
    """What stands for an object, and its kind: its name, or its id where that says too little."""
    name, kind = one.name, listing.kind
    several = several or (listing.ids is not None and listing.ids.several)
    says = bool(name) and name.isprintable() and not (several and re.search(r"[\s,'\"$@{};]", name))
    if listing.ids is not None:
        says = says and not shared
        says = says and bool(prefix or listing.ids.name_in(name) == name)
        if not says:
            return one.id, f"{kind} {harmless(name)[:40]}".strip()
    if not says:
        return "", kind
    name = prefix + name
    if opened == "'" and "'" not in name:
        return f"'{name}'", kind
    if opened:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"', kind
    return quoted(name), kind


def fits(one: Thing, low: str) -> bool:
    """Whether a name holds what was typed, or an id begins with it."""
    return low in one.name.casefold() or low in one.name.lower() or one.id.startswith(low)


def opened(typed: str) -> tuple[str, str]:
    """The quote that a value begins with, and the rest of it."""
    return (typed[0], typed[1:]) if typed[:1] in ("'", '"') else ("", typed)


def last(typed: str) -> tuple[str, str]:
    """A comma list, and its last part."""
    head, _, part = typed.rpartition(",")
    return head, part


def matching(found: Iterable[Candidate], typed: str) -> list[Candidate]:
    """Those that hold what was typed, those that begin with it first."""
    low = typed.lower()
    kept = [one for one in found if low in one.text.lower()]
    return sorted(kept, key=lambda one: rank(one.text, low))


def rank(text: str, low: str) -> bool:
    """Sorts texts that begin with what was typed before those that only hold it."""
    return not text.lower().startswith(low)
