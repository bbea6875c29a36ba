"""In what the demo's answer to a recorded call differs from the recorded answer."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import looks
import meant
import recorded as real
from looks import Looks
from raw import Reply
from replay import Step

Shape = tuple[Any, ...]
# In what, the recorded, the demo's.
Difference = tuple[str, Any, Any]
ERROR = {"errorcode", "errortext"}
# What says how far a job is.
OUTCOME = ("jobprocstatus", "jobstatus", "jobresultcode", "jobresulttype")


def compared(step: Step, reply: Reply) -> Iterator[Difference]:
    """In what two answers differ, also where `meant` says that a field may."""
    theirs, ours = document(step.body), document(reply.body)
    pairs = {
        "status": (step.status, reply.status),
        "type": (step.content_type.lower(), reply.content_type.lower()),
        "shape": (shape(theirs), shape(ours)),
    }
    different = {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}
    if different.keys() == {"shape"} and holds_more_or_less(step, theirs, ours):
        return
    yield from ((what, *pair) for what, pair in different.items())
    if not different and step.status == 200 and isinstance(theirs, dict):
        yield from contents(step, theirs, ours)


def document(body: bytes) -> Any:
    """What a body says: of JSON or XML the document, of others the text."""
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    if body.startswith(b"<?xml"):
        root = ElementTree.fromstring(body)
        return {root.tag: _of_xml(root) or {}}
    try:
        found = json.loads(body, strict=False)
    except ValueError:
        return body.decode("utf-8", "replace")
    return found if isinstance(found, dict) else body.decode()


def _of_xml(element: ElementTree.Element) -> Any:
    """An element as JSON would have it, all values texts; a list is a list where it has a count."""
    if not len(element):
        return element.text or ""
    counted = element.find("count") is not None
    found: dict[str, Any] = {}
    for child in element:
        value = _of_xml(child)
        if child.tag in found:
            before = found[child.tag]
            found[child.tag] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[child.tag] = [value] if counted and len(child) else value
    return found


def shape(answer: Any) -> Shape:
    """What kind of answer it is: the envelope, and the key, the code or the fields within."""
    if isinstance(answer, str):
        if answer.startswith(("{", "[")):
            return ("JSON that can't be read",)
        return ("text", *re.findall(r"<(\w+)", answer)[:2]) if answer.strip() else ("empty",)
    ((wrapper, inner),) = answer.items()
    if inner is None or set(inner) >= ERROR:
        return (wrapper, *((inner or {}).get(name) for name in ("errorcode", "cserrorcode")))
    if "jobid" in inner and set(inner) <= {"jobid", "id"}:
        return wrapper, "job", tuple(inner)
    if "jobstatus" in inner:
        result = inner.get("jobresult", {})
        became = (*(inner.get(name) for name in OUTCOME), *result, result.get("errorcode"))
        return wrapper, "job", inner["cmd"], became
    return wrapper, tuple(inner) if set(inner) - {"count"} and len(inner) < 3 else len(inner) > 0


def holds_more_or_less(step: Step, one: Any, other: Any) -> bool:
    """Whether only one of two lists is empty, because one cloud has more of it than the other.

    That is so past the end, where the count alone is told, and of the lists that `meant` names.
    """
    if not isinstance(one, dict) or not isinstance(other, dict) or one.keys() != other.keys():
        return False
    (theirs,), (ours,) = one.values(), other.values()
    asked = {name.lower(): value for name, value in step.parameters}
    if theirs.keys() | ours.keys() >= ERROR:
        return False
    if not theirs and step.command in meant.FULLER:
        return cuts(step, len(listed(ours)), ours) != set()
    if "page" not in asked or ["count"] not in ([*theirs], [*ours]):
        return False
    before = (int(asked["page"]) - 1) * int(asked["pagesize"])
    return all((inner["count"] > before) == bool(listed(inner)) for inner in (theirs, ours))


def listed(inner: dict[str, Any]) -> list[Any]:
    """The rows of a list, none where it is empty."""
    return next((value for value in inner.values() if isinstance(value, list)), [])


def contents(step: Step, one: Any, other: Any) -> Iterator[Difference]:
    """In what the rows differ: their fields, how those are written, and how they are paged."""
    ((_, theirs),), ((_, ours),) = one.items(), other.items()
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return
    detail = dict(step.parameters).get("details", "all")
    there = looks.of(looks.asked(step.command, theirs), looks.role_here(step.account), detail)
    differing = Rows(looks.role_here(step.account), typed=not step.body.startswith(b"<"))
    yield from differing.at((), there if there.rows else Looks([theirs]), Looks([ours]))
    for key in theirs.keys() & ours.keys():
        if isinstance(theirs[key], list):
            ways, here = cuts(step, len(theirs[key]), theirs), cuts(step, len(ours[key]), ours)
            if not ways & here:
                yield "paging", sorted(ways), sorted(here)


@dataclass(frozen=True)
class Rows:
    """In what our rows are not as the recorded ones, which somebody of a role was shown.

    XML is not `typed`: its values are texts, and an empty list is not there.
    """

    role: str
    typed: bool = True

    def at(self, path: tuple[str, ...], there: Looks, here: Looks) -> Iterator[Difference]:
        """The differences at a path and below.

        What this command showed nobody of the role is judged by what other commands showed.
        """
        if not there:
            there = looks.alike(path, self.role) or looks.alike(path)
        if not here or not there:
            return
        if path or "count" not in there.fields:  # whether a list holds anything is seen before
            yield from self._fields(path, there, here)
        for name in sorted(there.fields & here.fields) if self.typed else ():
            odd = real.misspelled(here.spelled(name), there.spelled(name))
            if odd:
                yield (
                    "spelling",
                    (".".join((*path, name)), sorted(there.spelled(name))),
                    sorted(odd),
                )
        for name in sorted(there.nested & here.nested):
            yield from self.at((*path, name), there.within(name), here.within(name))

    def _fields(self, path: tuple[str, ...], there: Looks, here: Looks) -> Iterator[Difference]:
        missing = there.always - looks.sometimes(path) - here.always
        missing |= there.usual - here.fields if len(here) >= looks.MANY else set()
        if "projectid" in here.fields:  # what is a project's names that instead
            missing -= {"account"}
        if not self.typed:
            missing = {name for name in missing if "list" not in there.spelled(name)}
        for name in sorted(missing):
            yield "missing", ".".join((*path, name)), None
        for name in sorted(here.fields - there.fields):
            yield "new", None, ".".join((*path, name))


def cuts(step: Step, rows: int, inner: dict[str, Any]) -> set[str]:
    """In which ways a page of so many rows may have come of the page and the size asked for."""
    asked = {name.lower(): value for name, value in step.parameters}
    count = int(inner.get("count", 0))
    try:
        page, size = max(1, int(asked["page"])), int(asked["pagesize"])
    except (KeyError, ValueError):
        whole = {"whole"} if rows == count else set()
        return whole | ({"cut at 500"} if rows == min(count, 500) else set())
    ways = {"ignored"} if rows == count else set()
    ways |= {"counts the page"} if rows == count and rows <= size else set()
    ways |= {"cut"} if rows == min(size, max(0, count - (page - 1) * size)) else set()
    return ways
