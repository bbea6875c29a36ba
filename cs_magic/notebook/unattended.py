"""What a run that nobody watches does with a list that is not complete."""

from __future__ import annotations

import os

from cs_magic.api.values import Result
from cs_magic.errors import CloudStackError, Incomplete, ProfileError
from cs_magic.several import failures

VARIABLE = "CS_MAGIC_INCOMPLETE"
ALLOW, FAIL = "allow", "fail"


def taken(broken: Incomplete, came: Result) -> Result:
    """What came of a list that broke off, where that is to be no error; else raises `broken`.

    ProfileError where CS_MAGIC_INCOMPLETE says neither `allow` nor `fail`.
    """
    if _said() != ALLOW:
        raise broken
    return came


def check_all_came(result: Result) -> None:
    """Refuse the rows of several clouds, one of which failed, where nobody would see the line.

    Raises:
        Incomplete: CS_MAGIC_INCOMPLETE is `fail`. ProfileError as above.
    """
    failed = failures(result)
    if failed and _said() == FAIL:
        first, *others = failed
        raise Incomplete(
            f"Not every profile's list came: {first}",
            *others,
            result=result,
            reason=CloudStackError(first),
        )


def _said() -> str:
    word = os.environ.get(VARIABLE, "").strip().lower()
    if word not in {"", ALLOW, FAIL}:
        raise ProfileError(f"{VARIABLE} is {ALLOW} or {FAIL}, not {word}")
    return word
