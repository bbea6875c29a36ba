"""Whether a value is of its parameter's type: what the server would silently take for another.

`yes` and `1` are false to it; `2024-13-45` is the 14th of February 2025, and a time without
an offset is midnight (`ParamProcessWorker`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:?\d{2})")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def problem(kind: str, value: str) -> str:
    """What is wrong with a value of that type, said after it; empty where nothing is."""
    check = _CHECKS.get(kind)
    return check(value) if check is not None else ""


def is_uuid(value: str) -> bool:
    """Whether a value has the shape of a UUID."""
    return _UUID.fullmatch(value) is not None


def newer(since: str, version: str) -> bool:
    """Did something come after that version? False where either is not known."""
    ours, theirs = _numbers(since), _numbers(version)
    return bool(ours and theirs) and ours > theirs


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version.strip())
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _boolean(value: str) -> str:
    if value in {"true", "false"}:
        return ""
    meant = {"yes": "true", "1": "true", "on": "true", "no": "false", "0": "false", "off": "false"}
    right = value.lower() if value.lower() in {"true", "false"} else meant.get(value.lower())
    return "is neither true nor false" + (f": write {right}" if right else "")


def _whole(bits: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not _WHOLE.fullmatch(value):
            return "is no whole number"
        fits = -(1 << bits - 1) <= int(value) < 1 << bits - 1
        return "" if fits else f"is more than {bits} bits hold"

    return check


def _number(value: str) -> str:
    return "" if _NUMBER.fullmatch(value) else "is no number"


def _id(value: str) -> str:
    """An id is a UUID, the server's own number, or -1."""
    return "" if is_uuid(value) or _WHOLE.fullmatch(value) else "is no id"


def _date(value: str) -> str:
    if _DAY.fullmatch(value) or _MOMENT.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return "is no day of the calendar"
        return ""
    right = _right_date(value)
    return f"{_NO_DATE}: write {right or _HOW}"


_NO_DATE = "is neither a day nor a time with its zone"
_HOW = "2024-05-01, or 2024-05-01T10:00:00Z"


def _right_date(value: str) -> str:
    """The value as the server reads it rightly, where it can be told what was meant."""
    try:
        moment = datetime.fromisoformat(value.strip().replace(" ", "T", 1))
    except ValueError:
        return ""
    if not re.search(r"[:T]", value):
        return moment.date().isoformat()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


_CHECKS: dict[str, Callable[[str], str]] = {
    "boolean": _boolean,
    "date": _date,
    "tzdate": _date,  # CloudStack 4.17 and before
    "integer": _whole(32),
    "long": _whole(64),
    "short": _whole(16),
    "float": _number,
    "double": _number,
    "uuid": _id,
}
