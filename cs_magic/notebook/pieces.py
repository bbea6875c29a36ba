"""A text that may be unfinished: its parts, and in which of them the cursor stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cs_magic.errors import CallError
from cs_magic.notebook.characters import Characters
from cs_magic.notebook.grammar import spans
from cs_magic.notebook.scanner import PARAMETER, ROWS, TARGET
from cs_magic.notebook.vocabulary import WORDS, option

Kind = Literal["option", "taken", "target", "command", "word", "parameter", "value", "comment"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: `taken` is an option's value, `word` what follows one of our words.

    `of` is the long name of the option, or the parameter, whose value it is.
    """

    kind: Kind
    begin: int
    end: int
    text: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cursor stands, and what the call says elsewhere, before it and behind it.

    `fragment` is what stands before the cursor in its part; `options` and `arguments` are
    the values as typed by name, a parameter's in lower case; `words` what else follows a
    word of ours.
    """

    kind: Kind
    fragment: str = ""
    of: str = ""
    command: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed behind `%cs` or `%%cs`, and where in it the cursor stands.

    `first` is the length of the first line of a `%%cs` cell, None where it is a line.
    """

    text: str
    cursor: int
    first: int | None = None

    def place(self) -> Place | None:
        """In which part the cursor stands; None where no call is."""
        if self.first is None:
            return _place(self.text, self.cursor, 0, len(self.text))
        head = list(_pieces(self.text, 0, self.first))
        if any(one.kind in {"command", "target"} for one in head):
            return _place(self.text, self.cursor, 0, len(self.text))
        if self.cursor <= self.first:
            return _place(self.text, self.cursor, 0, self.first)
        # A letter at the cursor makes an empty line the begin of a call, or a continuation.
        marked = self.text[: self.cursor] + "x" + self.text[self.cursor :]
        for begin, end in spans(marked, self.first + 1):
            if begin <= self.cursor < end:
                place = _place(self.text, self.cursor, begin, end - 1)
                options = {one.of: one.text for one in head if one.of} | dict(place.options)
                return replace(place, options=options)
        return None


_CELL = re.compile(r"\s*%%cs(?=\s|$)")
_LINE = re.compile(r"(\s*|.*[\w\])]\s*=\s*)%cs(?=\s)")


def typed_at(cell: str, line: int, column: int) -> Typed | None:
    """What was typed of ours where the cursor stands in a cell, or None where nothing is."""
    lines = cell.split("\n")
    top = next((number for number, one in enumerate(lines) if one.strip()), 0)
    magic = _CELL.match(lines[top])
    if magic is not None:
        rest = [lines[top][magic.end() :], *lines[top + 1 :]]
        cursor = sum(len(one) + 1 for one in lines[top:line]) + column - magic.end()
        return Typed("\n".join(rest), cursor, len(rest[0])) if line >= top and cursor > 0 else None
    if lines[top].lstrip().startswith("%%"):
        return None
    return _in_line(lines, line, column)


def _in_line(lines: Sequence[str], line: int, column: int) -> Typed | None:
    """The same for a line magic, which a backslash at its end continues."""
    first, last = line, line
    while first and lines[first - 1].endswith("\\"):
        first -= 1
    while last + 1 < len(lines) and lines[last].endswith("\\"):
        last += 1
    whole = "  ".join([one[:-1] for one in lines[first:last]] + [lines[last]])
    cursor = sum(len(one) + 1 for one in lines[first:line]) + column
    magic = _LINE.match(whole)
    if magic is None or cursor <= magic.end() or not _is_code(magic[1]):
        return None
    return Typed(whole[magic.end() :], cursor - magic.end())


def _is_code(before: str) -> bool:
    """Whether an assignment's left side is whole, and not the inside of a text or a call."""
    pairs = (("(", ")"), ("[", "]"), ("{", "}"))
    whole = all(before.count(opened) == before.count(closed) for opened, closed in pairs)
    closed_text = all(before.count(quote) % 2 == 0 for quote in ("'", '"'))
    return whole and closed_text and "#" not in before


def _place(text: str, cursor: int, begin: int, end: int) -> Place:
    before = list(_pieces(text, begin, cursor))
    here = before[-1] if before and before[-1].end == cursor else None
    if here is None or here.kind == "target":
        here = Piece(_next(_command(before)), cursor, cursor, "")
    else:
        before.pop()
    if here.kind == "comment":
        return Place("comment")
    # Where the command is being typed, parameters follow what there is of it.
    command = _command([*before, here]) if here.text else _command(before)
    others = [*before, *_pieces(text, _word_end(text, cursor, end), end, command)]
    return Place(
        here.kind,
        here.text,
        here.of,
        _command(before) or _command(others),
        {one.of or _long(one.text): one.text for one in others if one.kind in {"option", "taken"}},
        {one.of.lower(): one.text for one in others if one.kind == "value"},
        tuple(one.text for one in others if one.kind == "word"),
    )


def _command(pieces: Sequence[Piece]) -> str:
    return next((one.text for one in pieces if one.kind == "command"), "")


def _next(command: str) -> Kind:
    """What may begin where nothing stands yet."""
    if not command:
        return "command"
    return "word" if command.lower() in WORDS else "parameter"


def _long(typed: str) -> str:
    known = option(typed)
    return known.name if known else typed


def _word_end(text: str, cursor: int, end: int) -> int:
    blank = re.compile(r"\s").search(text, cursor, end)
    return blank.start() if blank else end


def _pieces(text: str, begin: int, end: int, command: str = "") -> Iterator[Piece]:
    return _Unfinished(text, begin, end).pieces(command)


class _Unfinished(Characters):
    """Reads what there is of a statement, and takes offence at nothing."""

    def pieces(self, command: str = "") -> Iterator[Piece]:
        """The parts in their order; `command` is the one that stands before the text."""
        while (kind := self._upcoming(command)) is not None:
            begin = self.at
            match kind:
                case "comment":
                    yield Piece("comment", begin, self.end, "")
                    return
                case "option":
                    yield from self._one_option()
                case "target":
                    self._target_end()
                    yield self._piece("target", begin)
                case "parameter":
                    yield from self._one_parameter()
                case _:
                    self._over_value()
                    yield self._piece(kind, begin)
                    command = command or self.text[begin : self.at]

    def _upcoming(self, command: str) -> Kind | None:
        """What stands next, once blanks and comments are passed; None at the end."""
        begin = self.at
        self.blanks()
        if self.at >= self.end:
            last = self.text[begin : self.at].rpartition("\n")[2]
            return "comment" if "#" in last and last else None
        if not command and self.text.startswith("-", self.at):
            return "option"
        if not command and TARGET.match(self.text, self.at, self.end):
            return "target"
        return _next(command)

    def _one_option(self) -> Iterator[Piece]:
        begin = self.at
        word = self.until(str.isspace)
        equals = "=" in word
        self.at = begin + len(word.partition("=")[0])
        yield self._piece("option", begin)
        known = option(self.text[begin : self.at])
        self.at += equals
        if known is None or not known.takes or (self.at >= self.end and not equals):
            return
        if not equals:
            self.blanks()
        begin = self.at
        if known.name == "each" and ROWS.match(self.text, begin, self.end) is None:
            return
        self._over_value()
        yield self._piece("taken", begin, known.name)

    def _one_parameter(self) -> Iterator[Piece]:
        begin = self.at
        found = PARAMETER.match(self.text, begin, self.end)
        if found is None or not found[2]:
            self.until(str.isspace)
            yield self._piece("parameter", begin)
            return
        self.at = found.end()
        self._over_value()
        yield self._piece("value", found.end(), found[1])

    def _over_value(self) -> None:
        """Pass a value; a quote that is not closed has everything behind it."""
        if self.text[self.at : self.at + 1] in ("'", '"') and self.at < self.end:
            try:
                self.quoted(self.text[self.at])
            except CallError:
                self.at = self.end
        self.until(str.isspace)

    def _target_end(self) -> None:
        found = TARGET.match(self.text, self.at, self.end)
        self.at = found.end() if found else self.end

    def _piece(self, kind: Kind, begin: int, of: str = "") -> Piece:
        return Piece(kind, begin, self.at, self.text[begin : self.at], of)
