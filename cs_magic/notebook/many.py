"""`--each`: one statement, a call for each element of a list or each row of a table."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cs_magic.api.lookups import Lookups
from cs_magic.api.values import Call, Options
from cs_magic.errors import CallError
from cs_magic.following import planned
from cs_magic.notebook.arguments import Ask, call_of, looked_up, text_of
from cs_magic.notebook.shown import dry_run, frame_of
from cs_magic.notebook.statements import Argument, Statement, Value

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.connection import Connection

WORKERS, MOST_WORKERS = 4, 64
_ELEMENT = "one element"  # no name that anybody can type


def calls_of(
    statement: Statement,
    names: MutableMapping[str, Any],
    later: Collection[str] = (),
    ask: Ask | None = None,
) -> list[Call]:
    """The call of each element; of a list that is yet to come, the call as typed.

    Raises:
        CallError: nothing is a list, or several things are; or an element can't be sent.
    """
    asked: dict[str, str] = {}

    def once(name: str) -> str:
        if name not in asked and ask is not None:
            asked[name] = ask(name)
        return asked[name]

    return [
        call_of(one, known, unknown, once if ask else None)
        for one, known, unknown in _each(statement, names, later)
    ]


def one_of(
    statement: Statement, names: MutableMapping[str, Any], later: Collection[str]
) -> tuple[Statement, MutableMapping[str, Any], Collection[str]]:
    """The statement of the first element, to be checked; every element can be sent.

    Where there is none yet, what is typed stands for it. A statement without --each is its own.
    """
    if not statement.has("each"):
        return statement, names, later
    calls_of(statement, names, later)
    first = next(_each(statement, names, later), None)
    return first or _typed(statement, names, later)


def plans(
    connection: Connection,
    statement: Statement,
    names: MutableMapping[str, Any],
    later: Collection[str],
    options: Options,
    lookups: Lookups,
) -> pd.DataFrame:
    """A frame of the calls that --each would send; errors as in `calls_of`, and of a wrong call."""
    calls = calls_of(statement, names, later)
    typed = {one.value.typed for one in statement.arguments if one.value.path}
    leave = typed & {value for call in calls for _, value in call.arguments} if later else ()
    rows = dry_run(tuple(planned(connection, calls, options, lookups, leave)), connection.profile)
    return frame_of(rows, ["profile", "host", "command", "parameters"])


def workers_of(statement: Statement, names: MutableMapping[str, Any]) -> int:
    """How many calls are under way at a time."""
    value = _option(statement, "workers")
    said = str(WORKERS) if value is None else text_of(statement, value, names, "--workers")
    if not said.isdecimal() or not 1 <= int(said) <= MOST_WORKERS:
        raise _wrong(statement, "workers", f"takes a number from 1 to {MOST_WORKERS}, not {said}")
    return int(said)


def _each(
    statement: Statement, names: MutableMapping[str, Any], later: Collection[str]
) -> Iterator[tuple[Statement, MutableMapping[str, Any], Collection[str]]]:
    """For each element the statement, the names and the names to come that make its call."""
    rows = _option(statement, "each")
    if rows is not None:
        yield from _of_rows(statement, rows, names, later)
        return
    index, elements = _the_list(statement, names, later)
    if elements is None:
        yield _typed(statement, names, later)
        return
    argument = statement.arguments[index]
    for number, element in enumerate(elements):
        value = replace(argument.value, path=(_ELEMENT,), typed=f"{argument.value.typed}[{number}]")
        yield _with(statement, index, value), ChainMap({_ELEMENT: element}, names), later


def _of_rows(
    statement: Statement, rows: Value, names: MutableMapping[str, Any], later: Collection[str]
) -> Iterator[tuple[Statement, MutableMapping[str, Any], Collection[str]]]:
    if rows.path[0] in later:
        yield _typed(statement, names, later)
        return
    if not any(rows.text in one.value.path[:1] for one in statement.arguments):
        raise statement.wrong(f"--each: no parameter uses ${rows.text}", column=rows.column)
    try:
        found = list(_rows(looked_up(replace(rows, typed=f"${rows.path[0]}"), names)))
    except CallError as error:
        problem = error
    else:
        for number, row in enumerate(found):
            named = (_at_row(one, rows.text, number) for one in statement.arguments)
            yield (
                replace(statement, arguments=tuple(named)),
                ChainMap({rows.text: row}, names),
                later,
            )
        return
    raise statement.wrong(problem.message, *problem.hints, column=rows.column)


def _rows(found: Any) -> Iterator[Any]:
    """The rows of a table, or the elements of a list."""
    if hasattr(found, "iloc") and hasattr(found, "columns"):
        # As objects: a row of whole and broken numbers would make them all broken ones.
        objects = found.astype(object)
        yield from (objects.iloc[number] for number in range(len(objects)))
        return
    if not _is_list(found):
        raise CallError(f"--each takes a table or a list, not a {type(found).__name__}")
    yield from _elements(found)


def _at_row(argument: Argument, name: str, number: int) -> Argument:
    """The argument, whose value says in an error which row it is of."""
    value = argument.value
    if name not in value.path[:1]:
        return argument
    return replace(argument, value=replace(value, typed=f"row {number}: {value.typed}"))


def _the_list(
    statement: Statement, names: MutableMapping[str, Any], later: Collection[str]
) -> tuple[int, Sequence[Any] | None]:
    """Which parameter is the list, and its elements; None for one that is yet to come."""
    lists: list[tuple[int, Sequence[Any] | None]] = []
    for index, argument in enumerate(statement.arguments):
        path = argument.value.path
        if path and path[0] in later:
            lists.append((index, None))
        elif path:
            found = _found(statement, argument.value, names)
            if _is_list(found):
                lists.append((index, _elements(found)))
    if len(lists) == 1:
        return lists[0]
    if any(elements is None for _, elements in lists):
        return lists[0][0], None
    raise _which(statement, [statement.arguments[index] for index, _ in lists])


def _which(statement: Statement, lists: Sequence[Argument]) -> CallError:
    hint = "--each NAME=$rows names a table, and each parameter takes of its row: id=$NAME.id"
    if lists:
        both = " and ".join(one.name for one in lists)
        return statement.wrong(f"--each: {both} are lists", hint, column=lists[1].column)
    return statement.wrong("--each: no parameter is a list", "Write id=$idle.id.", hint)


def _found(statement: Statement, value: Value, names: MutableMapping[str, Any]) -> Any:
    try:
        return looked_up(value, names)
    except CallError as error:
        problem = error
    raise statement.wrong(problem.message, *problem.hints, column=value.column)


def _typed(
    statement: Statement, names: MutableMapping[str, Any], later: Collection[str]
) -> tuple[Statement, MutableMapping[str, Any], Collection[str]]:
    """The statement where no element is known: what is typed stands for it."""
    rows = _option(statement, "each")
    if rows is not None:
        return statement, names, {*later, rows.text}
    roots = {
        str(one.value.path[0])
        for one in statement.arguments
        if one.value.path
        and (one.value.path[0] in later or _is_list(_found(statement, one.value, names)))
    }
    return statement, names, {*later, *roots}


def _with(statement: Statement, index: int, value: Value) -> Statement:
    arguments = list(statement.arguments)
    arguments[index] = replace(arguments[index], value=value)
    return replace(statement, arguments=tuple(arguments))


def _is_list(found: Any) -> bool:
    if isinstance(found, str | bytes | Mapping) or hasattr(found, "columns"):
        return False
    return isinstance(found, list | tuple | set | frozenset | range) or (
        hasattr(found, "tolist") and hasattr(found, "__len__") and getattr(found, "ndim", 1) == 1
    )


def _elements(found: Any) -> Sequence[Any]:
    if isinstance(found, set | frozenset):
        return sorted(found, key=str)
    return found.tolist() if hasattr(found, "tolist") else list(found)


def _option(statement: Statement, name: str) -> Value | None:
    given = [value for option, value in statement.options if option.name == name]
    return given[-1] if given else None


def _wrong(statement: Statement, name: str, message: str) -> CallError:
    value = _option(statement, name)
    return statement.wrong(f"--{name} {message}", column=value.column if value else None)
