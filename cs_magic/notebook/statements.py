"""A call as typed: its parts, where each stands, and how it is written again. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cs_magic.api.masks import secret_arguments
from cs_magic.errors import CallError
from cs_magic.notebook.vocabulary import Option

# What word processors make of quotes; no value may begin with one by accident.
TYPOGRAPHIC = "“”„‘’‚«»"


@dataclass(frozen=True, slots=True)
class Value:
    """A value as typed: literal text, or the path of a Python value that is looked up.

    `path` is the name first, then attributes (`.id`) and items (`["key"]`, `[0]`);
    `typed` is the text as it was written; `bare` that it stood without quotes, so that
    `@file` is a file and `?` a question.
    """

    text: str
    path: tuple[str | int, ...] = ()
    typed: str = ""
    column: int = 0
    bare: bool = False

    def written(self) -> str:
        """The value so that it is read as the same again."""
        if self.path:
            return self.typed
        # A last ; behind it would be taken for the statement's.
        return self.text if self.bare and not self.text.endswith(";") else quoted(self.text)

    @property
    def file(self) -> str | None:
        """The path that `@path` names, or None."""
        found = self.bare and len(self.text) > 1 and self.text[0] == "@" != self.text[1]
        return self.text[1:] if found else None

    @property
    def asks(self) -> bool:
        """Whether it is a bare `?`: a secret to be asked for."""
        return self.bare and self.text == "?"


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
        # A map's entry may be typed `tags[0].key=…`, `tags.key=…`, or be in a value.
        forms = (wanted, re.sub(r"\[\d+\]", "", wanted), wanted.partition("[")[0])
        arguments = [(one.name.lower(), one.column) for one in self.arguments]
        found = [column for form in forms for typed, column in arguments if typed == form]
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
    text = without_secrets(text)
    start = text.rfind("\n", 0, column) + 1
    end = text.find("\n", column)
    line = text[start : len(text) if end < 0 else end]
    if "\n" in text.strip("\n"):
        number = text.count("\n", 0, start) + 1
        message = f"line {number}: {message}"
    if not line.strip():
        return CallError(message, *hints)
    return CallError(message, *hints, text=line, column=column - start)


def quoted(text: str) -> str:
    """The text in quotes where it needs them to be read as itself."""
    plain = text and not re.search(r"[\s'\"#$@{};?=<]", text)
    if plain and text.isprintable() and text[0] not in f"-{TYPOGRAPHIC}":
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _option_written(given: Option, value: Value | None) -> str:
    return f"--{given.name}" if value is None else f"--{given.name} {value.written()}"


def without_secrets(text: str) -> str:
    """The text with what may be a secret dotted out, everything at its place.

    That is the value of a secret parameter, also where blanks stand around its `=`, and
    the word that follows its name.
    """
    given = [(found[1] or found[2], found[3], found.start(3)) for found in _ASSIGNED.finditer(text)]
    secret = secret_arguments((name, value.strip("'\"")) for name, value, _ in given)
    for name, value, start in given:
        if name in secret and not _LOOKED_UP.fullmatch(value):
            text = text[:start] + re.sub(r"[^\n]", "•", value) + text[start + len(value) :]
    return text


_BLANK = r"[^\S\n]"
_WORD = r"[^\s=#;'\"$@{}<>?]+"
# The value is only looked at: it may be the next one's name, as in `createUser password word`.
_ASSIGNED = re.compile(
    rf"(?:({_WORD})(?:{_BLANK}*=)+{_BLANK}*|(?<!\S)({_WORD}){_BLANK}+)"
    r"(?=((?:\"(?:\\.|[^\"\\])*\"?|'[^']*'?)\S*|\S+))",
    re.DOTALL,
)
_LOOKED_UP = re.compile(r"\$[^\W\d][\w.\[\]]*;?|\{[^\W\d][\w.\[\]]*\};?")
