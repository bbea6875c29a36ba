"""Which profiles a statement asks: none named, the one that `-p` names, or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cs_magic.errors import CallError
from cs_magic.notebook.arguments import option_text
from cs_magic.notebook.statements import Statement
from cs_magic.several import names_in


def profiles_of(statement: Statement, names: Mapping[str, Any]) -> tuple[str, ...]:
    """The profiles that `-p` names, in order; none without it.

    Raises:
        CallError: of several names one is empty, or stands there twice.
    """
    said = option_text(statement, "profile", names)
    if said is None:
        return ()
    try:
        return names_in(said)
    except CallError as error:
        problem = error
    raise statement.wrong(f"--profile: {problem}", column=_column(statement))


def one_profile(statement: Statement, names: Mapping[str, Any]) -> str | None:
    """The one profile that `-p` names, or None; CallError where it names several."""
    named = profiles_of(statement, names)
    if len(named) > 1:
        message = f"{statement.command} asks one profile, not {', '.join(named)}"
        raise statement.wrong(message, column=_column(statement))
    return named[0] if named else None


def _column(statement: Statement) -> int:
    """Where the profiles stand."""
    given = [value for option, value in statement.options if option.name == "profile" and value]
    return given[-1].column if given else statement.column
