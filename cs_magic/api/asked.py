"""What is asked of an answer, the options and columns of a call, checked before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from numbers import Integral

from cs_magic.api.catalogue import Command
from cs_magic.api.values import Options
from cs_magic.errors import CallError

_AS_GIVEN = "With --no-check a column that is not documented may be asked for."


def check_options(options: Options) -> None:
    """Refuse what no command can be asked for."""
    if options.reveal and options.file is not None:
        raise CallError("--reveal and --output to a file: a secret is never written to a file")
    limit, columns = options.limit, options.columns
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, Integral)):
        raise CallError(f"limit is a whole number, not {limit!r}")
    if limit is not None and limit < 1:
        raise CallError(f"limit is a number of rows from 1 on, not {limit}")
    if columns is not None and not columns:
        raise CallError("columns names no column; without it there are all")
    for column in columns or ():
        if not isinstance(column, str) or not column:
            raise CallError(f"A column is a name, not {column!r}")
    if options.explode is not None and options.raw:
        raise CallError(
            "A row for each element is for a table; raw JSON has none", name=options.explode
        )


def check_explode(explode: str | None, command: Command) -> None:
    """Refuse to explode what is no nested field of the answer."""
    if explode is None:
        return
    check_columns((explode,), command)
    field = command.field(explode.partition(".")[0])
    if "." in explode:
        raise CallError("One field is exploded, without a path", name=explode)
    if field is not None and field.kind not in {"nested", None}:
        raise CallError(f"{explode} is not nested: there is nothing to explode", name=explode)


def check_columns(columns: Sequence[str], command: Command) -> None:
    """Refuse a column that is not documented, where any is."""
    known = [field.name for field in command.fields]
    for column in columns if known else ():
        field = column.partition(".")[0]
        if field not in known:
            near = [one for one in known if one.lower() == field.lower()]
            near = near or get_close_matches(field.lower(), known, 1)
            meant = f": did you mean {near[0]}?" if near else ""
            raise CallError(f"There is no column {field}{meant}", _AS_GIVEN, name=column)
