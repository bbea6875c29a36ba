"""Reads one statement of `%cs` from a text. Pure.

Who completes unfinished text knows its parts by the same patterns, so that both see the same.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from cs_magic.errors import CallError
from cs_magic.notebook.characters import NAME, Characters
from cs_magic.notebook.statements import Argument, Statement, Value
from cs_magic.notebook.vocabulary import (
    ANY_WORD,
    OPTIONS,
    WORD_OPTIONS,
    WORDS,
    Option,
    option,
)

# Refuses a command that does not exist, before anything is said of its parameters.
Check = Callable[[Statement], None]

# What begins a statement that keeps its result, `vms <<`, an argument, `zoneid=`, and the rows
# of --each, `vm=$idle`.
TARGET = re.compile(r"([^\W\d]\w*)\s*<<")
PARAMETER = re.compile(r"([^\s=#;'\"$@{}<>?]+)(=?)")
ROWS = re.compile(r"([^\W\d]\w*)=(?=[${])")
_HELP = next(one for one in OPTIONS if one.name == "help")
_ASKS = re.compile(rf"(?:-{_HELP.letter}|--{_HELP.name})(?=\s|;?\s*$)")


class Scanner(Characters):
    """Reads one statement from a text, from `position` to `end`."""

    def __init__(self, text: str, position: int, end: int) -> None:
        super().__init__(text, position, end)
        self._asks_help = False  # behind the command

    def statement(self, check: Check) -> Statement:
        options = list(self.options())
        target = self._target()
        options += self.options()
        self.blanks()
        column = self.at
        command = self._command()
        ours = command.lower() in WORDS
        self._check_options(command, column, options if ours else ())
        read = Statement(
            command, options=tuple(options), target=target, column=column, text=self.text
        )
        if ours:
            return self._read(read, words=tuple(self._values()))
        assigns = self.more() and self.text.startswith("=", self.at)
        try:
            arguments = tuple(self._arguments())
        except CallError as error:
            problem = error
        else:
            return self._read(read, arguments=arguments)
        if not assigns:  # in `vms = listZones` it is no command that is wrong
            check(read)
        raise problem

    def _read(self, begun: Statement, **rest: Any) -> Statement:
        """The statement to its end; `-h` behind its command is as before it."""
        given = ((_HELP, None),) if self._asks_help else ()
        return replace(
            begun, options=begun.options + given, silent=self.at_last_semicolon(), **rest
        )

    def options(self) -> tuple[tuple[Option, Value | None], ...]:
        return tuple(self.each_option())

    def each_option(self) -> Iterator[tuple[Option, Value | None]]:
        while self.more() and self.text.startswith("-", self.at):
            yield self._option()

    def command_meant(self) -> Value | None:
        """The command that follows the options, or None; nothing else is read."""
        self._target()
        if not self.more():
            return None
        column = self.at
        return Value(self.until(lambda c: c.isspace() or c == ";"), column=column, bare=True)

    # -- parts ---------------------------------------------------------------

    def _option(self) -> tuple[Option, Value | None]:
        column = self.at
        typed, equals, _ = self.until(lambda c: c.isspace() or c == ";").partition("=")
        known = option(typed)
        if known is None:
            raise self.wrong(
                f"There is no option {typed}{_option_meant(typed)}",
                "%cs -h lists them.",
                column=column,
            )
        if known.takes is None:
            if equals:
                raise self.wrong(f"--{known.name} takes no value", column=column)
            return known, None
        self.at = column + len(typed) + len(equals)
        if known.name == "each":
            return known, self._rows(equals)
        if self.at_a_blank() if equals else not self.more():
            raise self.wrong(f"--{known.name} needs {known.takes}", column=column)
        return known, self.value()

    def _rows(self, equals: str) -> Value | None:
        """The `NAME=$rows` behind --each, where it stands there: its text is the name."""
        if not equals:
            self.blanks()
        column = self.at
        found = ROWS.match(self.text, column, self.end)
        if found is None:
            if equals:
                raise self.wrong("--each takes NAME=$rows", column=column)
            return None
        self.at = found.end()
        path = self.path(self.text[self.at]) if self.at < self.end else ()
        if not path:
            raise self.wrong("--each takes NAME=$rows", column=column)
        return Value(found[1], path, self.text[column : self.at], column)

    def _target(self) -> str | None:
        found = TARGET.match(self.text, self.at, self.end)
        if found is None:
            return None
        if keyword.iskeyword(found[1]):
            raise self.wrong(f"{found[1]} can't be the name of a variable", column=self.at)
        self.at = found.end()
        return found[1]

    def _check_options(
        self, word: str, column: int, options: Sequence[tuple[Option, Value | None]]
    ) -> None:
        for given, _ in options:
            if given.name not in ANY_WORD | WORD_OPTIONS.get(word.lower(), frozenset()):
                raise self.wrong(f"{word} takes no --{given.name}", column=column)

    def _command(self) -> str:
        if not self.more():
            raise self.wrong("There is no command", "%cs -h shows how a call is written.")
        column = self.at
        word = self.until(lambda c: c.isspace() or c == ";")
        if "=" in word:
            rows = "--each" in self.text[:column] and ROWS.match(self.text, column, self.end)
            hint = "NAME=$rows goes right after --each." if rows else ""
            raise self.wrong("A command comes before its parameters", hint, column=column)
        if not NAME.fullmatch(word):
            raise self.wrong(f"{word} can't be a command", column=column)
        return word

    def _values(self) -> Iterator[Value]:
        while self._more_than_help():
            yield self.value()

    def _arguments(self) -> Iterator[Argument]:
        seen: set[str] = set()
        while self._more_than_help():
            argument = self._argument()
            if argument.name.lower() in seen:
                raise self.wrong(f"{argument.name} is given twice", column=argument.column)
            seen.add(argument.name.lower())
            yield argument

    def _more_than_help(self) -> bool:
        """Whether more follows, a `-h` passed: it asks for help wherever it stands."""
        while self.more() and (found := _ASKS.match(self.text, self.at, self.end)):
            self.at, self._asks_help = found.end(), True
        return self.more()

    def _argument(self) -> Argument:
        column = self.at
        found = PARAMETER.match(self.text, column, self.end)
        if found is None or not found[2] or found[1].startswith("-"):
            raise self._no_argument(column)
        self.at = found.end()
        if self.at_a_blank():
            return Argument(found[1], Value("", column=self.at), column)
        return Argument(found[1], self.value(), column)

    def _no_argument(self, column: int) -> CallError:
        word = self.shown_word()
        if option(word.partition("=")[0]) is not None:
            return self.wrong("Options come before the command", column=column)
        self.blanks()
        hint = "A value with blanks in it goes into quotes: name='two words'"
        if word.startswith("="):
            hint = "A result is kept by NAME << command, or NAME = %cs command."
        elif self.text.startswith("=", self.at):
            hint = "There is no blank beside the = of parameter=value."
        elif word == "\\":
            hint = "In a cell an indented line continues the call above it."
        return self.wrong(f"{word} is not parameter=value", hint, column=column)


def _option_meant(typed: str) -> str:
    """The end of a refusal: `--limt` is near --limit, and `-n5` is -n 5."""
    known = option(typed[:2])
    if known is not None and known.takes:
        return f": did you mean {typed[:2]} {typed[2:]}?"
    near = get_close_matches(typed, [f"--{one.name}" for one in OPTIONS], 1)
    return f": did you mean {near[0]}?" if near else ""
