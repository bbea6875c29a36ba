"""Passes over a text, character by character: its blanks, its words, the values in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from cs_magic.errors import CallError
from cs_magic.notebook.statements import TYPOGRAPHIC, Value, without_secrets, wrong

NAME = re.compile(r"[^\W\d]\w*")
_KEY = re.compile(r"\[\s*(?:(-?\d{1,18})|'([^'\n]*)'|\"([^\"\n]*)\")\s*\]")


class Characters:
    """A text that is read from `position` to `end`; `at` is the place where it is read now.

    Finished text and unfinished is passed over in the same way, so both see the same parts.
    """

    def __init__(self, text: str, position: int, end: int) -> None:
        self.text = text
        self.at = position
        self.end = end

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

    def more(self) -> bool:
        """Whether anything but blanks, comments and a last `;` follows."""
        self.blanks()
        return self.at < self.end and not self.at_last_semicolon()

    def shown_word(self) -> str:
        """Pass a word, and give it as an error may repeat it: a secret is dotted out."""
        begin = self.at
        return without_secrets(self.text)[begin : begin + len(self.until(str.isspace))]

    def at_the_end(self) -> bool:
        """Whether nothing but blanks and comments follows; the place stays."""
        place = self.at
        self.blanks()
        last = self.at >= self.end
        self.at = place
        return last

    def at_last_semicolon(self) -> bool:
        """Whether the `;` stands here that ends the statement; the place stays."""
        if not self.text.startswith(";", self.at) or self.at >= self.end:
            return False
        self.at += 1
        last = self.at_the_end()
        self.at -= 1
        return last

    def at_a_blank(self) -> bool:
        """Whether nothing, a blank or the last `;` stands here."""
        if self.at >= self.end or self.text[self.at].isspace():
            return True
        return self.at_last_semicolon()

    def wrong(self, message: str, *hints: str, column: int | None = None) -> CallError:
        """An error that points to a column, or to the place where the text is read now."""
        return wrong(message, *hints, text=self.text, column=self.at if column is None else column)

    # -- values --------------------------------------------------------------

    def value(self) -> Value:
        """Pass a value; CallError where it is none."""
        column = self.at
        first = self.text[column]
        if first in "'\"":
            value = Value(self.quoted(first), column=column)
            if not self.at_a_blank():
                raise self.wrong("After the closing quote comes a blank")
            return value
        if first in TYPOGRAPHIC:
            raise self.wrong(f"{first} is no quote here", "Values stand in ' or \".")
        if first in "${":
            path = self.path(first)
            if path:
                return Value("", path, self.text[column : self.at], column)
        text = self.until(str.isspace)
        if text.endswith(";") and self.at_the_end():
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
        raise self.wrong("The quote is not closed", column=begin)

    def path(self, first: str) -> tuple[str | int, ...]:
        """Pass `$idle.id`, `{zone}`, `$row["name"]`, `$ids[0]`, and give its path; () for text.

        A name with more behind it is refused: sent as text it would match nothing, or
        CloudStack would drop it and list everything.
        """
        begin = self.at
        name = NAME.match(self.text, begin + 1, self.end)
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
        if not closed or not self.at_a_blank():
            self.at = begin
            raise self.wrong(
                f"{self.shown_word()} is more than a name",
                "Only $name, $name.attribute, $name[0] and {name} are looked up;"
                " quotes make it plain text.",
                column=begin,
            )
        return tuple(path)

    def _step(self, position: int) -> tuple[str | int, int] | None:
        if self.text.startswith(".", position):
            name = NAME.match(self.text, position + 1, self.end)
            return None if name is None else (f".{name[0]}", name.end())
        key = _KEY.match(self.text, position, self.end)
        if key is None:
            return None
        if key[1] is not None:
            return int(key[1]), key.end()
        return f"[{key[2] if key[2] is not None else key[3]}", key.end()
