"""The language of `%cs`: text → Statement, and Statement → text. Pure.

    [options] [NAME <<] command [parameter=value ...] [;]

One scanner serves the line, the cell and the completer; every part knows the column it
stands at, so that an error can point to it before anything is sent.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import pairwise

from cs_magic.api.masks import is_secret
from cs_magic.errors import CallError
from cs_magic.notebook.vocabulary import OPTIONS, WORDS, Option, option


@dataclass(frozen=True, slots=True)
class Value:
    """A value as typed: literal text, or the path of a Python value that is looked up.

    `path` is the name first, then attributes (`.id`) and items (`["key"]`, `[0]`);
    `typed` is the text as it was written.
    """

    text: str
    path: tuple[str | int, ...] = ()
    typed: str = ""
    column: int = 0

    def written(self) -> str:
        """The value so that it is read as the same again."""
        return self.typed if self.path else quoted(self.text)


@dataclass(frozen=True, slots=True)
class Argument:
    """`parameter=value`, with the column of the parameter."""

    name: str
    value: Value
    column: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """One call as typed: everything it says, nothing looked up yet.

    `command` is a CloudStack command or one of our words; `arguments` are its parameters,
    `words` what follows one of our words. `text` is the whole line or cell.
    """

    command: str
    arguments: tuple[Argument, ...] = ()
    words: tuple[Value, ...] = ()
    options: tuple[tuple[Option, Value | None], ...] = ()
    target: str | None = None
    silent: bool = False
    column: int = 0
    text: str = ""

    def has(self, name: str) -> bool:
        """Whether the option of that long name was given."""
        return any(given.name == name for given, _ in self.options)

    def wrong(self, message: str, *hints: str, column: int | None = None) -> CallError:
        """An error that points to a column of the text."""
        return wrong(
            message, *hints, text=self.text, column=self.column if column is None else column
        )

    def column_of(self, name: str | None) -> int:
        """Where the parameter of that name stands, or a name in an option; else the command."""
        wanted = (name or "").lower()
        found = [one.column for one in self.arguments if one.name.lower() == wanted]
        for _, value in self.options:
            if wanted and value is not None and wanted in value.text.lower():
                found.append(self.text.lower().find(wanted, value.column))
        return found[0] if found else self.column

    def __str__(self) -> str:
        options = " ".join(_option_written(given, value) for given, value in self.options)
        target = f"{self.target} <<" if self.target else ""
        rest = [value.written() for value in self.words]
        rest += [f"{one.name}={one.value.written()}" for one in self.arguments]
        parts = [options, target, self.command, *rest, ";" if self.silent else ""]
        return " ".join(part for part in parts if part)


def wrong(message: str, *hints: str, text: str, column: int) -> CallError:
    """An error that points to a column of a text; of several lines, it shows the one."""
    column = max(0, min(column, len(text)))
    text = _without_secrets(text)
    start = text.rfind("\n", 0, column) + 1
    end = text.find("\n", column)
    line = text[start : len(text) if end < 0 else end]
    if "\n" in text.strip("\n"):
        number = text.count("\n", 0, start) + 1
        message = f"line {number}: {message}"
    if not line.strip():
        return CallError(message, *hints)
    return CallError(message, *hints, text=line, column=column - start)


def parse(text: str, begin: int = 0, end: int | None = None) -> Statement:
    """The statement that stands in a text (or a part of it).

    Raises:
        CallError: it is none; the error points to the column.
    """
    return _Scanner(text, begin, len(text) if end is None else end).statement()


def parse_cell(line: str, body: str) -> list[Statement]:
    """The statements of a cell: what follows `%%cs` on its line, and its body.

    A command on the first line makes one statement, to which the body adds parameters.
    Without one, each line of the body is a statement, and an indented line continues the
    one above. Options on the first line go for all.
    """
    text = f"{line}\n{body}"
    scanner = _Scanner(text, 0, len(line))
    head = scanner.options()
    if scanner.more():
        return [parse(text)]
    statements = [parse(text, *span) for span in _spans(text, len(line) + 1)]
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


def holds_secret(parameter: str) -> bool:
    """Whether a parameter, or the key of a map parameter, is a secret: `details.password`."""
    return any(is_secret(part) for part in re.split(r"[\[\].]+", parameter))


def quoted(text: str) -> str:
    """The text in quotes where it needs them to be read as itself."""
    plain = text and not re.search(r"[\s'\"#$@{};?=<]", text)
    if plain and text.isprintable() and text[0] not in f"-{_TYPOGRAPHIC}":
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _option_written(given: Option, value: Value | None) -> str:
    return f"--{given.name}" if value is None else f"--{given.name} {value.written()}"


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


def _without_secrets(text: str) -> str:
    """The text with the values of secret parameters dotted out, everything at its place."""

    def dotted(found: re.Match[str]) -> str:
        name, value = found.groups()
        if not holds_secret(name) or _LOOKED_UP.fullmatch(value):
            return found[0]
        return f"{name}=" + re.sub(r"[^\n]", "•", value)

    return _ASSIGNED.sub(dotted, text)


_NAME = re.compile(r"[^\W\d]\w*")
_TARGET = re.compile(r"([^\W\d]\w*)\s*<<")
_PARAMETER = re.compile(r"([^\s=#;'\"$@{}<>?]+)(=?)")
_ASSIGNED = re.compile(r"([^\s=#;'\"$@{}<>?]+)=(\"(?:\\.|[^\"\\])*\"?|'[^']*'?|\S+)", re.DOTALL)
_LOOKED_UP = re.compile(r"\$[^\W\d][\w.\[\]]*;?|\{[^\W\d][\w.\[\]]*\};?")
_TYPOGRAPHIC = "“”„‘’‚«»"
_KEY = re.compile(r"\[\s*(?:(-?\d{1,18})|'([^'\n]*)'|\"([^\"\n]*)\")\s*\]")


class _Scanner:
    """Reads one statement from a text, from `position` to `end`."""

    def __init__(self, text: str, position: int, end: int) -> None:
        self._text = text
        self._at = position
        self._end = end

    def statement(self) -> Statement:
        options = list(self.options())
        target = self._target()
        options += self.options()
        self._blanks()
        column = self._at
        command = self._command()
        ours = command.lower() in WORDS
        self._check_options(command, column, options if ours else ())
        words = tuple(self._values()) if ours else ()
        arguments = () if ours else tuple(self._arguments())
        silent = self._semicolon()
        return Statement(
            command, arguments, words, tuple(options), target, silent, column, self._text
        )

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
        if self._at_a_blank() if equals else not self.more():
            raise self._wrong(f"--{known.name} needs {known.takes}", column=column)
        return known, self._value()

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
            if given.name not in {"quiet", "verbose", "tb", "help"}:
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
        word = self._until(str.isspace)
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
        if first in _TYPOGRAPHIC:
            raise self._wrong(f"{first} is no quote here", "Values stand in ' or \".")
        if first in "${":
            path = self._path(first)
            if path:
                return Value("", path, self._text[column : self._at], column)
        text = self._until(str.isspace)
        if text.endswith(";") and self._at_the_end():
            text = text[:-1]
            self._at -= 1
        return Value(text, column=column)

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
                f"{self._until(str.isspace)} is more than a name",
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
