"""Reads one statement of `%cs` from a text, character by character. Pure.

Who completes unfinished text reads with the same scanner, so that both see the same parts.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from cs_magic.errors import CallError
from cs_magic.notebook.statements import (
    TYPOGRAPHIC,
    Argument,
    Statement,
    Value,
    without_secrets,
    wrong,
)
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

_NAME = re.compile(r"[^\W\d]\w*")
# What begins a statement that keeps its result, `vms <<`, an argument, `zoneid=`, and the rows
# of --each, `vm=$idle`.
TARGET = re.compile(r"([^\W\d]\w*)\s*<<")
PARAMETER = re.compile(r"([^\s=#;'\"$@{}<>?]+)(=?)")
ROWS = re.compile(r"([^\W\d]\w*)=(?=[${])")
_HELP = next(one for one in OPTIONS if one.name == "help")
_ASKS = re.compile(rf"(?:-{_HELP.letter}|--{_HELP.name})(?=\s|;?\s*$)")
_KEY = re.compile(r"\[\s*(?:(-?\d{1,18})|'([^'\n]*)'|\"([^\"\n]*)\")\s*\]")


class Scanner:
    """Reads one statement from a text, from `position` to `end`.

    Its methods without an underscore are for who reads unfinished text, too: each passes one
    part, from `at` on.
    """

    def __init__(self, text: str, position: int, end: int) -> None:
        self.text = text
        self.at = position
        self.end = end
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
        return replace(begun, options=begun.options + given, silent=self._semicolon(), **rest)

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

    def more(self) -> bool:
        """Whether anything but blanks, comments and a last `;` follows."""
        self.blanks()
        return self.at < self.end and not self._is_last_semicolon()

    # -- parts ---------------------------------------------------------------

    def _option(self) -> tuple[Option, Value | None]:
        column = self.at
        typed, equals, _ = self.until(lambda c: c.isspace() or c == ";").partition("=")
        known = option(typed)
        if known is None:
            raise self._wrong(
                f"There is no option {typed}{_option_meant(typed)}",
                "%cs -h lists them.",
                column=column,
            )
        if known.takes is None:
            if equals:
                raise self._wrong(f"--{known.name} takes no value", column=column)
            return known, None
        self.at = column + len(typed) + len(equals)
        if known.name == "each":
            return known, self._rows(equals)
        if self._at_a_blank() if equals else not self.more():
            raise self._wrong(f"--{known.name} needs {known.takes}", column=column)
        return known, self._value()

    def _rows(self, equals: str) -> Value | None:
        """The `NAME=$rows` behind --each, where it stands there: its text is the name."""
        if not equals:
            self.blanks()
        column = self.at
        found = ROWS.match(self.text, column, self.end)
        if found is None:
            if equals:
                raise self._wrong("--each takes NAME=$rows", column=column)
            return None
        self.at = found.end()
        path = self._path(self.text[self.at]) if self.at < self.end else ()
        if not path:
            raise self._wrong("--each takes NAME=$rows", column=column)
        return Value(found[1], path, self.text[column : self.at], column)

    def _target(self) -> str | None:
        found = TARGET.match(self.text, self.at, self.end)
        if found is None:
            return None
        if keyword.iskeyword(found[1]):
            raise self._wrong(f"{found[1]} can't be the name of a variable", column=self.at)
        self.at = found.end()
        return found[1]

    def _check_options(
        self, word: str, column: int, options: Sequence[tuple[Option, Value | None]]
    ) -> None:
        for given, _ in options:
            if given.name not in ANY_WORD | WORD_OPTIONS.get(word.lower(), frozenset()):
                raise self._wrong(f"{word} takes no --{given.name}", column=column)

    def _command(self) -> str:
        if not self.more():
            raise self._wrong("There is no command", "%cs -h shows how a call is written.")
        column = self.at
        word = self.until(lambda c: c.isspace() or c == ";")
        if "=" in word:
            rows = "--each" in self.text[:column] and ROWS.match(self.text, column, self.end)
            hint = "NAME=$rows goes right after --each." if rows else ""
            raise self._wrong("A command comes before its parameters", hint, column=column)
        if not _NAME.fullmatch(word):
            raise self._wrong(f"{word} can't be a command", column=column)
        return word

    def _values(self) -> Iterator[Value]:
        while self._more_than_help():
            yield self._value()

    def _arguments(self) -> Iterator[Argument]:
        seen: set[str] = set()
        while self._more_than_help():
            argument = self._argument()
            if argument.name.lower() in seen:
                raise self._wrong(f"{argument.name} is given twice", column=argument.column)
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
        if self._at_a_blank():
            return Argument(found[1], Value("", column=self.at), column)
        return Argument(found[1], self._value(), column)

    def _no_argument(self, column: int) -> CallError:
        word = self._shown(column)
        if option(word.partition("=")[0]) is not None:
            return self._wrong("Options come before the command", column=column)
        self.blanks()
        hint = "A value with blanks in it goes into quotes: name='two words'"
        if word.startswith("="):
            hint = "A result is kept by NAME << command, or NAME = %cs command."
        elif self.text.startswith("=", self.at):
            hint = "There is no blank beside the = of parameter=value."
        elif word == "\\":
            hint = "In a cell an indented line continues the call above it."
        return self._wrong(f"{word} is not parameter=value", hint, column=column)

    # -- values --------------------------------------------------------------

    def _value(self) -> Value:
        column = self.at
        first = self.text[column]
        if first in "'\"":
            value = Value(self.quoted(first), column=column)
            if not self._at_a_blank():
                raise self._wrong("After the closing quote comes a blank")
            return value
        if first in TYPOGRAPHIC:
            raise self._wrong(f"{first} is no quote here", "Values stand in ' or \".")
        if first in "${":
            path = self._path(first)
            if path:
                return Value("", path, self.text[column : self.at], column)
        text = self.until(str.isspace)
        if text.endswith(";") and self._at_the_end():
            text = text[:-1]
            self.at -= 1
        return Value(text, column=column, bare=True)

    def quoted(self, quote: str) -> str:
        """Pass a quoted value, and give what is in it; CallError where no quote closes it."""
        begin = self.at
        self.at += 1
        pieces: list[str] = []
        while self.at < self.end:
            character = self.text[self.at]
            self.at += 1
            if character == quote:
                return "".join(pieces)
            if (
                character == "\\"
                and quote == '"'
                and self.text[self.at : self.at + 1] in ('"', "\\")
            ):
                character = self.text[self.at]
                self.at += 1
            pieces.append(character)
        raise self._wrong("The quote is not closed", column=begin)

    def _path(self, first: str) -> tuple[str | int, ...]:
        """The path of `$idle.id`, `{zone}`, `$row["name"]`, `$ids[0]`; () where it is text.

        A name with more behind it is refused: sent as text it would match nothing, or
        CloudStack would drop it and list everything.
        """
        begin = self.at
        name = _NAME.match(self.text, begin + 1, self.end)
        if name is None:
            return ()
        path: list[str | int] = [name[0]]
        position = name.end()
        while (step := self._step(position)) is not None:
            path.append(step[0])
            position = step[1]
        if first == "{":
            closed = position < self.end and self.text[position] == "}"
            position += closed
        else:
            closed = True
        self.at = position
        if not closed or not self._at_a_blank():
            self.at = begin
            raise self._wrong(
                f"{self._shown(begin)} is more than a name",
                "Only $name, $name.attribute, $name[0] and {name} are looked up;"
                " quotes make it plain text.",
                column=begin,
            )
        return tuple(path)

    def _step(self, position: int) -> tuple[str | int, int] | None:
        if self.text.startswith(".", position):
            name = _NAME.match(self.text, position + 1, self.end)
            return None if name is None else (f".{name[0]}", name.end())
        key = _KEY.match(self.text, position, self.end)
        if key is None:
            return None
        if key[1] is not None:
            return int(key[1]), key.end()
        return f"[{key[2] if key[2] is not None else key[3]}", key.end()

    # -- characters ----------------------------------------------------------

    def blanks(self) -> None:
        """Skip blanks and comments; a `#` begins one at a line's start or after a blank."""
        while self.at < self.end:
            character = self.text[self.at]
            if character.isspace():
                self.at += 1
            elif character == "#" and (self.at == 0 or self.text[self.at - 1].isspace()):
                stop = self.text.find("\n", self.at, self.end)
                self.at = self.end if stop < 0 else stop
            else:
                return

    def until(self, ends: Callable[[str], bool]) -> str:
        """Pass, and give, what stands before the first character that ends it."""
        begin = self.at
        while self.at < self.end and not ends(self.text[self.at]):
            self.at += 1
        return self.text[begin : self.at]

    def _shown(self, begin: int) -> str:
        """The word that stands here, as an error may repeat it: a secret is dotted out."""
        return without_secrets(self.text)[begin : begin + len(self.until(str.isspace))]

    def _at_the_end(self) -> bool:
        """Whether nothing but blanks and comments follows; the place stays."""
        place = self.at
        self.blanks()
        last = self.at >= self.end
        self.at = place
        return last

    def _is_last_semicolon(self) -> bool:
        if not self.text.startswith(";", self.at) or self.at >= self.end:
            return False
        self.at += 1
        last = self._at_the_end()
        self.at -= 1
        return last

    def _at_a_blank(self) -> bool:
        """Whether nothing, a blank or the last `;` stands here."""
        if self.at >= self.end or self.text[self.at].isspace():
            return True
        return self._is_last_semicolon()

    def _semicolon(self) -> bool:
        return self.at < self.end and self._is_last_semicolon()

    def _wrong(self, message: str, *hints: str, column: int | None = None) -> CallError:
        return wrong(message, *hints, text=self.text, column=self.at if column is None else column)


def _option_meant(typed: str) -> str:
    """The end of a refusal: `--limt` is near --limit, and `-n5` is -n 5."""
    known = option(typed[:2])
    if known is not None and known.takes:
        return f": did you mean {typed[:2]} {typed[2:]}?"
    near = get_close_matches(typed, [f"--{one.name}" for one in OPTIONS], 1)
    return f": did you mean {near[0]}?" if near else ""
