"""The language of `%cs`: text → Statement. Pure.

    [options] [NAME <<] command [parameter=value ...] [;]

One scanner serves the line, the cell and the completer; every part knows the column it
stands at, so that an error can point to it before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from cs_magic.errors import CallError
from cs_magic.notebook.scanner import Check, Scanner
from cs_magic.notebook.statements import Statement, Value
from cs_magic.notebook.vocabulary import WORD_OPTIONS, Option


def _any_command(statement: Statement) -> None:
    """The check of who knows no commands."""


def parse(
    text: str, begin: int = 0, end: int | None = None, check: Check = _any_command
) -> Statement:
    """The statement that stands in a text (or a part of it).

    Raises:
        CallError: it is none; the error points to the column.
    """
    return Scanner(text, begin, len(text) if end is None else end).statement(check)


def parse_cell(line: str, body: str, check: Check = _any_command) -> list[Statement]:
    """The statements of a cell: what follows `%%cs` on its line, and its body.

    A command on the first line makes one statement, to which the body adds parameters.
    Without one, each line of the body is a statement, and an indented line continues the
    one above. Options on the first line go for all.
    """
    text = f"{line}\n{body}"
    scanner = Scanner(text, 0, len(line))
    head = scanner.options()
    if scanner.more():
        return [parse(text, check=check)]

    def known(one: Statement) -> None:
        check(replace(one, options=(*head, *one.options)))

    statements = [parse(text, *span, known) for span in spans(text, len(line) + 1)]
    if not statements:
        raise CallError("There is no call in this cell")
    return [replace(one, options=(*head, *one.options)) for one in statements]


def help_asked(line: str) -> Statement | None:
    """What `-h` at the beginning of a line asks for, as a `help` statement; None without it.

    What is wrong with the rest of the line says nothing: it is help that is asked for.
    """
    scanner = Scanner(line, 0, len(line))
    given: list[tuple[Option, Value | None]] = []
    found = None
    with suppress(CallError):
        for one in scanner.each_option():
            given.append(one)  # what comes before a wrong one counts
        found = scanner.command_meant()
    if not any(one.name == "help" for one, _ in given):
        return None
    return _help(found, given, line)


def help_about(statement: Statement) -> Statement:
    """The `help` statement about a statement's command, asked of the same profile."""
    about = Value(statement.command, column=statement.column, bare=True)
    return _help(about, statement.options, statement.text)


def _help(
    about: Value | None, given: Sequence[tuple[Option, Value | None]], text: str
) -> Statement:
    kept = tuple(one for one in given if one[0].name in WORD_OPTIONS["help"])
    return Statement("help", words=(about,) if about else (), options=kept, text=text)


def asks(line: str, name: str) -> bool:
    """Whether the option of that long name stands at the beginning of a line, right or wrong."""
    scanner = Scanner(line, 0, len(line))
    try:
        return any(given.name == name for given, _ in scanner.each_option())
    except CallError:
        return False


def spans(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Where each statement of a cell's body begins and ends; the body begins at `begin`."""
    starts: list[int] = []
    position, margin = begin, None
    for line in text[begin:].split("\n"):
        bare = line.lstrip()
        indent = len(line) - len(bare)
        if bare and not bare.startswith("#"):
            margin = indent if margin is None else margin
            if indent <= margin:
                starts.append(position)
        position += len(line) + 1
    yield from pairwise([*starts, len(text)])
