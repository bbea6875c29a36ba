"""The language of `%cs`: text → Statement. Pure.

    [options] [NAME <<] command [parameter=value ...] [;]

One scanner serves the line, the cell and the completer; every part knows the column it
stands at, so that an error can point to it before anything is sent.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise

from cs_magic.errors import CallError
from cs_magic.notebook.statements import (
    TYPOGRAPHIC,
    Argument,
    Statement,
    Value,
    without_secrets,
    wrong,
)
from cs_magic.notebook.vocabulary import OPTIONS, TAKES, WORDS, Option, option

# Refuses a command that does not exist, before anything is said of its parameters.
Check = Callable[[Statement], None]


def _any_command(statement: Statement) -> None:
    """The check of who knows no commands."""


def parse(
    text: str, begin: int = 0, end: int | None = None, check: Check = _any_command
) -> Statement:
    """The statement that stands in a text (or a part of it).

    Raises:
        CallError: it is none; the error points to the column.
    """
    return _Scanner(text, begin, len(text) if end is None else end).statement(check)


def parse_cell(line: str, body: str, check: Check = _any_command) -> list[Statement]:
    """The statements of a cell: what follows `%%cs` on its line, and its body.

    A command on the first line makes one statement, to which the body adds parameters.
    Without one, each line of the body is a statement, and an indented line continues the
    one above. Options on the first line go for all.
    """
    text = f"{line}\n{body}"
    scanner = _Scanner(text, 0, len(line))
    head = scanner.options()
    if scanner.more():
        return [parse(text, check=check)]

    def known(one: Statement) -> None:
        check(replace(one, options=(*head, *one.options)))

    statements = [parse(text, *span, known) for span in _spans(text, len(line) + 1)]
    if not statements:
        raise CallError("There is no call in this cell")
    return [replace(one, options=(*head, *one.options)) for one in statements]


def asks(line: str, name: str) -> bool:
    """Whether the option of that long name stands at the beginning of a line, right or wrong."""
    scanner = _Scanner(line, 0, len(line))
    try:
        return any(given.name == name for given, _ in scanner.each_option())
    except CallError:
        return False


def _option_meant(typed: str) -> str:
    """The end of a refusal: `--limt` is near --limit, and `-n5` is -n 5."""
    known = option(typed[:2])
    if known is not None and known.takes:
        return f": did you mean {typed[:2]} {typed[2:]}?"
    near = get_close_matches(typed, [f"--{one.name}" for one in OPTIONS], 1)
    return f": did you mean {near[0]}?" if near else ""


def _spans(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Where each statement of a body begins and ends."""
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


_NAME = re.compile(r"[^\W\d]\w*")
_TARGET = re.compile(r"([^\W\d]\w*)\s*<<")
_PARAMETER = re.compile(r"([^\s=#;'\"$@{}<>?]+)(=?)")
_ROWS = re.compile(r"([^\W\d]\w*)=(?=[${])")
_KEY = re.compile(r"\[\s*(?:(-?\d{1,18})|'([^'\n]*)'|\"([^\"\n]*)\")\s*\]")


class _Scanner:
    """Reads one statement from a text, from `position` to `end`."""

    def __init__(self, text: str, position: int, end: int) -> None:
        self._text = text
        self._at = position
        self._end = end

    def statement(self, check: Check) -> Statement:
        options = list(self.options())
        target = self._target()
        options += self.options()
        self._blanks()
        column = self._at
        command = self._command()
        ours = command.lower() in WORDS
        self._check_options(command, column, options if ours else ())
        read = Statement(
            command, options=tuple(options), target=target, column=column, text=self._text
        )
        if ours:
            return replace(read, words=tuple(self._values()), silent=self._semicolon())
        assigns = self.more() and self._text.startswith("=", self._at)
        try:
            arguments = tuple(self._arguments())
        except CallError as error:
            problem = error
        else:
            return replace(read, arguments=arguments, silent=self._semicolon())
        if not assigns:  # in `vms = listZones` it is no command that is wrong
            check(read)
        raise problem

    def options(self) -> tuple[tuple[Option, Value | None], ...]:
        return tuple(self.each_option())

    def each_option(self) -> Iterator[tuple[Option, Value | None]]:
        while self.more() and self._text.startswith("-", self._at):
            yield self._option()

    def more(self) -> bool:
        """Whether anything but blanks, comments and a last `;` follows."""
        self._blanks()
        return self._at < self._end and not self._is_last_semicolon()

    # -- parts ---------------------------------------------------------------

    def _option(self) -> tuple[Option, Value | None]:
        column = self._at
        typed, equals, _ = self._until(lambda c: c.isspace() or c == ";").partition("=")
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
        self._at = column + len(typed) + len(equals)
        if known.name == "each":
            return known, self._rows(equals)
        if self._at_a_blank() if equals else not self.more():
            raise self._wrong(f"--{known.name} needs {known.takes}", column=column)
        return known, self._value()

    def _rows(self, equals: str) -> Value | None:
        """The `NAME=$rows` behind --each, where it stands there: its text is the name."""
        if not equals:
            self._blanks()
        column = self._at
        found = _ROWS.match(self._text, column, self._end)
        if found is None:
            if equals:
                raise self._wrong("--each takes NAME=$rows", column=column)
            return None
        self._at = found.end()
        path = self._path(self._text[self._at]) if self._at < self._end else ()
        if not path:
            raise self._wrong("--each takes NAME=$rows", column=column)
        return Value(found[1], path, self._text[column : self._at], column)

    def _target(self) -> str | None:
        found = _TARGET.match(self._text, self._at, self._end)
        if found is None:
            return None
        if keyword.iskeyword(found[1]):
            raise self._wrong(f"{found[1]} can't be the name of a variable", column=self._at)
        self._at = found.end()
        return found[1]

    def _check_options(
        self, word: str, column: int, options: Sequence[tuple[Option, Value | None]]
    ) -> None:
        for given, _ in options:
            if given.name not in {"quiet", "verbose", "tb", "help", *TAKES.get(word.lower(), ())}:
                raise self._wrong(f"{word} takes no --{given.name}", column=column)

    def _command(self) -> str:
        if not self.more():
            raise self._wrong("There is no command", "%cs -h shows how a call is written.")
        column = self._at
        word = self._until(lambda c: c.isspace() or c == ";")
        if "=" in word:
            raise self._wrong("A command comes before its parameters", column=column)
        if not _NAME.fullmatch(word):
            raise self._wrong(f"{word} can't be a command", column=column)
        return word

    def _values(self) -> Iterator[Value]:
        while self.more():
            yield self._value()

    def _arguments(self) -> Iterator[Argument]:
        seen: set[str] = set()
        while self.more():
            argument = self._argument()
            if argument.name.lower() in seen:
                raise self._wrong(f"{argument.name} is given twice", column=argument.column)
            seen.add(argument.name.lower())
            yield argument

    def _argument(self) -> Argument:
        column = self._at
        found = _PARAMETER.match(self._text, column, self._end)
        if found is None or not found[2] or found[1].startswith("-"):
            raise self._no_argument(column)
        self._at = found.end()
        if self._at_a_blank():
            return Argument(found[1], Value("", column=self._at), column)
        return Argument(found[1], self._value(), column)

    def _no_argument(self, column: int) -> CallError:
        word = self._shown(column)
        if option(word.partition("=")[0]) is not None:
            return self._wrong("Options come before the command", column=column)
        self._blanks()
        hint = "A value with blanks in it goes into quotes: name='two words'"
        if word.startswith("="):
            hint = "A result is kept by NAME << command, or NAME = %cs command."
        elif self._text.startswith("=", self._at):
            hint = "There is no blank beside the = of parameter=value."
        elif word == "\\":
            hint = "In a cell an indented line continues the call above it."
        return self._wrong(f"{word} is not parameter=value", hint, column=column)

    # -- values --------------------------------------------------------------

    def _value(self) -> Value:
        column = self._at
        first = self._text[column]
        if first in "'\"":
            value = Value(self._quoted(first), column=column)
            if not self._at_a_blank():
                raise self._wrong("After the closing quote comes a blank")
            return value
        if first in TYPOGRAPHIC:
            raise self._wrong(f"{first} is no quote here", "Values stand in ' or \".")
        if first in "${":
            path = self._path(first)
            if path:
                return Value("", path, self._text[column : self._at], column)
        text = self._until(str.isspace)
        if text.endswith(";") and self._at_the_end():
            text = text[:-1]
            self._at -= 1
        return Value(text, column=column, bare=True)

    def _quoted(self, quote: str) -> str:
        begin = self._at
        self._at += 1
        pieces: list[str] = []
        while self._at < self._end:
            character = self._text[self._at]
            self._at += 1
            if character == quote:
                return "".join(pieces)
            if (
                character == "\\"
                and quote == '"'
                and self._text[self._at : self._at + 1] in ('"', "\\")
            ):
                character = self._text[self._at]
                self._at += 1
            pieces.append(character)
        raise self._wrong("The quote is not closed", column=begin)

    def _path(self, first: str) -> tuple[str | int, ...]:
        """The path of `$idle.id`, `{zone}`, `$row["name"]`, `$ids[0]`; () where it is text.

        A name with more behind it is refused: sent as text it would match nothing, or
        CloudStack would drop it and list everything.
        """
        begin = self._at
        name = _NAME.match(self._text, begin + 1, self._end)
        if name is None:
            return ()
        path: list[str | int] = [name[0]]
        position = name.end()
        while (step := self._step(position)) is not None:
            path.append(step[0])
            position = step[1]
        if first == "{":
            closed = position < self._end and self._text[position] == "}"
            position += closed
        else:
            closed = True
        self._at = position
        if not closed or not self._at_a_blank():
            self._at = begin
            raise self._wrong(
                f"{self._shown(begin)} is more than a name",
                "Only $name, $name.attribute, $name[0] and {name} are looked up;"
                " quotes make it plain text.",
                column=begin,
            )
        return tuple(path)

    def _step(self, position: int) -> tuple[str | int, int] | None:
        if self._text.startswith(".", position):
            name = _NAME.match(self._text, position + 1, self._end)
            return None if name is None else (f".{name[0]}", name.end())
        key = _KEY.match(self._text, position, self._end)
        if key is None:
            return None
        if key[1] is not None:
            return int(key[1]), key.end()
        return f"[{key[2] if key[2] is not None else key[3]}", key.end()

    # -- characters ----------------------------------------------------------

    def _blanks(self) -> None:
        """Skip blanks and comments; a `#` begins one at a line's start or after a blank."""
        while self._at < self._end:
            character = self._text[self._at]
            if character.isspace():
                self._at += 1
            elif character == "#" and (self._at == 0 or self._text[self._at - 1].isspace()):
                stop = self._text.find("\n", self._at, self._end)
                self._at = self._end if stop < 0 else stop
            else:
                return

    def _until(self, ends: Callable[[str], bool]) -> str:
        begin = self._at
        while self._at < self._end and not ends(self._text[self._at]):
            self._at += 1
        return self._text[begin : self._at]

    def _shown(self, begin: int) -> str:
        """The word that stands here, as an error may repeat it: a secret is dotted out."""
        return without_secrets(self._text)[begin : begin + len(self._until(str.isspace))]

    def _at_the_end(self) -> bool:
        """Whether nothing but blanks and comments follows; the place stays."""
        place = self._at
        self._blanks()
        last = self._at >= self._end
        self._at = place
        return last

    def _is_last_semicolon(self) -> bool:
        if not self._text.startswith(";", self._at) or self._at >= self._end:
            return False
        self._at += 1
        last = self._at_the_end()
        self._at -= 1
        return last

    def _at_a_blank(self) -> bool:
        """Whether nothing, a blank or the last `;` stands here."""
        if self._at >= self._end or self._text[self._at].isspace():
            return True
        return self._is_last_semicolon()

    def _semicolon(self) -> bool:
        return self._at < self._end and self._is_last_semicolon()

    def _wrong(self, message: str, *hints: str, column: int | None = None) -> CallError:
        return wrong(
            message, *hints, text=self._text, column=self._at if column is None else column
        )
