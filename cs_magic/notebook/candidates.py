"""What may stand where the cursor is: candidates with their kinds, the likeliest first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from cs_magic.api.catalogue import Catalogue, Command, Parameter
from cs_magic.api.named import FORCED
from cs_magic.notebook.enumerated import keys_for, words_for
from cs_magic.notebook.matching import (
    Candidate,
    fits,
    inserted,
    last,
    matching,
    opened,
    rank,
)
from cs_magic.notebook.paths import paths
from cs_magic.notebook.pieces import Place
from cs_magic.notebook.related import Listing, Things, listing_of
from cs_magic.notebook.statements import quoted
from cs_magic.notebook.variables import text_at, variables
from cs_magic.notebook.vocabulary import OPTIONS, WORDS, option

FEW = 200  # more are not shown, and not without the begin of a name


class Knows(Protocol):
    """What is known without asking anybody."""

    @property
    def catalogue(self) -> Catalogue:
        """The commands."""

    @property
    def names(self) -> Mapping[str, Any]:
        """The user's variables."""

    def profiles(self) -> Sequence[str]:
        """The names of the profiles."""

    def things(self, listing: Listing, typed: str) -> Things | None:
        """What is known of a list right now."""


def candidates(place: Place, knows: Knows) -> tuple[str, list[Candidate]]:
    """What is replaced before the cursor, and by what; nothing where nothing fits."""
    fragment, found = _By(place, knows).found()
    return fragment, [one for one in found if one.text][: 10 * FEW]


class _By:
    """The candidates by what stands at the cursor."""

    def __init__(self, place: Place, knows: Knows) -> None:
        self._place = place
        self._knows = knows
        self._fragment = place.fragment

    def found(self) -> tuple[str, Iterable[Candidate]]:
        match self._place.kind:
            case "command":
                return self._fragment, self._commands(WORDS)
            case "option":
                return self._fragment, self._options()
            case "taken":
                return self._taken()
            case "word":
                return self._fragment, self._words()
            case "parameter":
                return self._parameters()
            case "value":
                return self._values()
        return self._fragment, ()

    # -- words, options, commands --------------------------------------------

    def _commands(self, words: Iterable[str] = ()) -> list[Candidate]:
        low = self._fragment.lower()
        ours = [Candidate(word, "word") for word in words if word.startswith(low)]
        known = [one for one in self._knows.catalogue.commands.values() if low in one.name.lower()]
        known.sort(key=lambda one: (rank(one.name, low), *_order(one)))
        return ours + [Candidate(one.name, "command") for one in known]

    def _options(self) -> list[Candidate]:
        given = self._place.options
        return [
            Candidate(f"--{one.name}", "option")
            for one in OPTIONS
            if f"--{one.name}".startswith(self._fragment) and one.name not in given
        ]

    def _words(self) -> list[Candidate]:
        """What our own word takes, as its line in the vocabulary says."""
        takes, _ = WORDS[self._place.command.lower()]
        found = [
            Candidate(flag, "option")
            for flag in re.findall(r"--?[a-z][\w-]*", takes)
            if flag.startswith(self._fragment) and flag not in self._place.words
        ]
        named = [word for word in self._place.words if not word.startswith("-")]
        if "COMMAND" in takes and not named:
            return self._commands()
        if "NAME" in takes and not named:
            found = [*self._profiles(), *found]
        if self._fragment.startswith(("$", "{")):
            return self._variables("string")
        return matching(found, self._fragment)

    def _profiles(self) -> list[Candidate]:
        return [Candidate(quoted(name), "profile") for name in self._knows.profiles()]

    def _taken(self) -> tuple[str, Iterable[Candidate]]:
        """The values of an option."""
        if self._fragment.startswith(("$", "{")):
            return self._fragment, self._variables("integer" if self._of == "limit" else "string")
        known = option(f"--{self._of}")
        several = known is not None and known.takes is not None and "," in known.takes
        head, part = last(self._fragment) if several else ("", self._fragment)
        match self._of:
            case "profile":
                found = self._profiles()
            case "columns":
                found = self._columns(part)
            case "explode":
                found = [Candidate(one.name, "column") for one in self._fields() if one.fields]
            case "output":
                return self._output()
            case _:
                found = []
        taken = set(head.split(","))
        return part, matching([one for one in found if one.text not in taken], part)

    def _output(self) -> tuple[str, Iterable[Candidate]]:
        kind, colon, path = self._fragment.partition(":")
        if colon and kind in {"csv", "parquet", "xlsx"}:
            return path, [Candidate(one, kind) for one, kind in paths(path)]
        kinds = ("df", "raw", "csv:", "parquet:", "xlsx:")
        return self._fragment, matching([Candidate(one, "output") for one in kinds], kind)

    def _columns(self, part: str) -> list[Candidate]:
        inside = re.match(r"(\w+)\.(\d*\.?)", part)
        if inside is None:
            return [Candidate(one.name, "column") for one in self._fields()]
        field = next((one for one in self._fields() if one.name == inside[1]), None)
        number = inside[2].rstrip(".") or "0"
        nested = field.fields if field else ()
        return [Candidate(f"{inside[1]}.{number}.{one.name}", "column") for one in nested]

    def _fields(self) -> Sequence[Any]:
        command = self._command
        return command.fields if command else ()

    # -- parameters ----------------------------------------------------------

    def _parameters(self) -> tuple[str, Iterable[Candidate]]:
        command, typed = self._command, self._fragment
        if command is None:
            return typed, ()
        name, dot, key = typed.partition(".")
        known = command.parameter(name)
        if dot and known is not None and known.type == "map":
            keys = [Candidate(one, "key") for one in keys_for(command.name, known.name)]
            given = self._place.arguments
            free = [one for one in keys if f"{name}.{one.text}".lower() not in given]
            return key, [Candidate(f"{one.text}=", one.kind) for one in matching(free, key)]
        free_ones = [
            one
            for one in command.parameters
            if one.type == "map" or one.name.lower() not in self._place.arguments
        ]
        free_ones.sort(key=lambda one: not one.required)
        low = typed.lower()
        found = [one for one in free_ones if low in one.name.lower()]
        found.sort(key=lambda one: rank(one.name, low))
        self._expect(command, found)
        return typed, [
            Candidate(
                f"{one.name}." if one.type == "map" else f"{one.name}=",
                "required" if one.required else "parameter",
            )
            for one in found
        ]

    def _expect(self, command: Command, found: Sequence[Parameter]) -> None:
        """Have the values read that will be asked for next, while the name is being typed."""
        for one in found[:1] if len(found) == 1 or (found and found[0].required) else ():
            listing = self._listing(command, one)
            if listing is not None:
                self._knows.things(listing, "")

    # -- values --------------------------------------------------------------

    def _values(self) -> tuple[str, Iterable[Candidate]]:
        typed, command = self._fragment, self._command
        known = command.parameter(self._of.partition(".")[0]) if command else None
        type_ = known.type if known else "string"
        if typed.startswith(("$", "{")):
            return typed, self._variables("string" if "." in self._of else type_)
        if typed.startswith("@") and not typed.startswith("@@"):
            return typed[1:], [Candidate(one, kind) for one, kind in paths(typed[1:])]
        if command is None or known is None or "." in self._of:
            return typed, ()
        several = type_ == "list" and typed[:1] not in ("'", '"')
        head, part = last(typed) if several else ("", typed)
        listing = None
        fixed = list(_fixed(command, known))
        if not fixed:
            listing = self._listing(command, known)
        if listing is None:
            taken = set(head.split(","))
            return part, matching([one for one in fixed if one.text not in taken], part)
        return part, self._things(listing, head, part, several)

    def _things(self, listing: Listing, head: str, part: str, several: bool) -> Iterator[Candidate]:
        quote, bare = opened(part)
        forced = listing.ids is not None and bare.startswith(FORCED)
        prefix = FORCED if forced else ""
        bare = bare.removeprefix(prefix)
        known = self._knows.things(listing, bare)
        if known is None or (not bare and (not known.whole or len(known.things) > FEW)):
            return
        taken = set(head.split(","))
        low = bare.lower()
        fitting = [one for one in known.things if fits(one, low)]
        fitting.sort(key=lambda one: rank(one.name, low))
        names: dict[str, int] = {}
        for one in known.things:
            names[one.name] = names.get(one.name, 0) + 1
        for one in fitting[:FEW]:
            text, kind = inserted(one, listing, prefix, quote, several, names[one.name] > 1)
            if text not in taken:
                yield Candidate(text, kind)

    def _listing(self, command: Command, parameter: Parameter) -> Listing | None:
        """The list of a parameter's values, narrowed by the arguments that were typed."""
        given = {name: self._said(value) for name, value in self._place.arguments.items()}
        return listing_of(self._knows.catalogue, command, parameter, given, self._id_of(command))

    def _id_of(self, command: Command) -> Any:
        """Gives the id of a name that was typed, as far as its list is known."""

        def id_of(parameter: Parameter, name: str) -> str | None:
            listing = listing_of(self._knows.catalogue, command, parameter, {}, lambda *_: None)
            known = self._knows.things(listing, "") if listing else None
            name = name.removeprefix(FORCED)
            ids = {one.id for one in known.things if one.name == name} if known else set()
            return ids.pop() if len(ids) == 1 else None

        return id_of

    def _said(self, value: str) -> str:
        """The text of an argument; empty where it is none, or one that isn't at hand."""
        if value.startswith(("$", "{")):
            return text_at(self._knows.names, value) or ""
        if value.startswith("@") or value == "?":
            return ""
        quote, bare = opened(value)
        return bare.removesuffix(quote) if quote else bare

    def _variables(self, type_: str) -> list[Candidate]:
        found = variables(self._knows.names, self._fragment, type_)
        return [Candidate(text, kind) for text, kind in found]

    @property
    def _of(self) -> str:
        return self._place.of

    @property
    def _command(self) -> Command | None:
        return self._knows.catalogue.find(self._place.command)


def _order(command: Command) -> tuple[bool, bool, str]:
    """What is asked for most comes first: lists, other reads, the rest."""
    return not command.name.startswith("list"), not command.is_read, command.name.lower()


def _fixed(command: Command, parameter: Parameter) -> Iterator[Candidate]:
    """Values that are the same on every cloud."""
    if parameter.type == "boolean":
        yield from (Candidate(one, "boolean") for one in ("true", "false"))
    elif parameter.name == "details" and parameter.type == "list":
        yield from (Candidate(one.word, "details") for one in command.groups)
    else:
        words = words_for(command.name, parameter.name)
        yield from (Candidate(one, "value") for one in words)
