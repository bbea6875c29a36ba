"""What the server can do: commands, their parameters, the fields of their answers.

The bundled catalogue holds facts about CloudStack 4.23, read from the server's own
annotations and from listApis; `tests/tools/build_catalogue.py` wrote it. A catalogue of the
server one talks to is made of the same values.

https://cloudstack.apache.org/api/ has the descriptions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from cs_magic.api.kinds import CallKind, kind_of
from cs_magic.api.nearest import did_you_mean
from cs_magic.api.values import parameter_of
from cs_magic.errors import CallError

BUNDLED_VERSION = "4.23"

Kind = Literal["text", "integer", "float", "boolean", "date", "nested"]
Root = Literal["", "hidden", "shown"]

# The words that listApis uses for a field: the simple name of its Java class in lower case.
_WORDS: Mapping[Kind, str] = {
    "text": "string uuid url state status type action imageformat apikeyaccess powerstate"
    " scopetype clustertype zonetype devicetype recordtype intervaltype apicommandresourcetype"
    " resourceobjecttype routerhealthstatus storagepoolstatus validationstatus compressionstatus"
    " managedstate hastate apikeypairstate",
    "integer": "integer int long short",
    "float": "float double",
    "boolean": "boolean",
    "date": "date",
    "nested": "list set map responseobject",
}
_KINDS: Mapping[str, Kind] = {
    word: kind for kind, words in _WORDS.items() for word in words.split()
}

_JOB_ID = "customjobid"
AS_TYPED = "--no-check sends it as typed"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a command accepts.

    `related` names the list commands that give the ids it takes, the likeliest first.
    `length` is the greatest length of a text, 0 where it is not known. A `since` matters:
    the server drops a malformed id of such a parameter silently. `root` is not empty where
    only root admins have it, and the server ignores it silently from anybody else: listApis
    leaves it out for the others (hidden), or names it to everybody all the same (shown).
    """

    name: str
    type: str = "string"
    required: bool = False
    since: str = ""
    related: tuple[str, ...] = ()
    length: int = 255
    description: str = ""
    root: Root = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an answer; `type` is the server's word, `fields` what is nested in it."""

    name: str
    type: str = "string"
    fields: tuple[Field, ...] = ()
    description: str = ""

    @property
    def kind(self) -> Kind | None:
        """What sort of value it holds, or None where the server's word is not known."""
        if self.fields or self.type.endswith(("[]", "response")):
            return "nested"
        return _KINDS.get(self.type)


@dataclass(frozen=True, slots=True)
class Group:
    """A word that `details` takes, as measured on a real server.

    `fills` are the fields it gives: for `min` all of them, for any other word those beyond
    `min`. `grows` are the fields whose nested value then holds more.
    """

    word: str
    fills: tuple[str, ...] = ()
    grows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the server knows it.

    `scope` says how everything is asked for: `("listall",)` is one list with `listall=true`,
    `("listall", "project")` a second one with `projectid=-1` beside it, `()` the bare call.
    `wrapper` is the only top-level key of its answer. `by_get` is the server's annotation
    that this is a read, whatever its name says; `creates` that it answers with the id of
    what its job makes.
    """

    name: str
    is_async: bool = False
    parameters: tuple[Parameter, ...] = ()
    fields: tuple[Field, ...] = ()
    scope: tuple[str, ...] = ()
    since: str = ""
    wrapper: str = ""
    groups: tuple[Group, ...] = ()
    by_get: bool = False
    creates: bool = False
    description: str = ""

    @property
    def pages(self) -> bool:
        """Does it take `page` and `pagesize`?"""
        return self.parameter("page") is not None

    @property
    def is_read(self) -> bool:
        """Does it change nothing, so that it may be repeated?"""
        return self.kind == "read"

    @property
    def kind(self) -> CallKind:
        """What a call of it does: "read", "write", or "destructive"."""
        return kind_of(self.name, self.is_async, self.by_get)

    @property
    def required(self) -> tuple[Parameter, ...]:
        """The parameters it cannot do without."""
        return tuple(parameter for parameter in self.parameters if parameter.required)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter that a wire name in any letter case belongs to, or None."""
        wanted = parameter_of(name)
        if wanted == _JOB_ID and self.is_async:
            return Parameter(_JOB_ID)
        return next((known for known in self.parameters if known.name.lower() == wanted), None)

    def field(self, name: str) -> Field | None:
        """The field of that name, as the server spells it, or None."""
        return next((known for known in self.fields if known.name == name), None)

    def group(self, word: str) -> Group | None:
        """What the word gives in `details`, or None where nobody measured it."""
        return next((known for known in self.groups if known.word == word), None)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The commands of one server.

    `origin` says where it was read (server, cached, cmk, bundled), `commands` is by lower
    case. `host` is the server it was read for, `server` that one's version; both are empty
    where there is none.
    """

    version: str
    origin: str
    commands: Mapping[str, Command]
    host: str = ""
    server: str = ""

    @classmethod
    def of(cls, version: str, origin: str, commands: Iterable[Command]) -> Catalogue:
        """A catalogue of these commands."""
        return cls(version, origin, {command.name.lower(): command for command in commands})

    @property
    def sure(self) -> bool:
        """Is it the server's own word, so that what it lacks is not there?"""
        return self.origin not in {"bundled", "cmk"}

    @property
    def where(self) -> str:
        """Whose commands these are, as a refusal names it."""
        if self.sure and self.host:
            return f"{self.host} (CloudStack {self.version})"
        return f"CloudStack {self.version}" if self.origin != "cmk" else "cmk's cache"

    def names(self) -> tuple[str, ...]:
        """The names of all commands, as the server spells them."""
        return tuple(command.name for command in self.commands.values())

    def find(self, name: str) -> Command | None:
        """The command of that name in any letter case, or None."""
        return self.commands.get(name.lower())

    def command(self, name: str, others: Iterable[str] = ()) -> Command:
        """The command of that name in any letter case; CallError where there is none.

        Args:
            others: words that are no commands, which may have been meant.
        """
        found = self.find(name)
        if found is None:
            meant = did_you_mean(name, (*self.names(), *others), cutoff=0.75)
            raise CallError(f"{self.where} has no command {name}{meant}", AS_TYPED, name=name)
        return found


@cache
def bundled() -> Catalogue:
    """The catalogue that comes with cs_magic, read once."""
    path = resources.files("cs_magic.api") / "bundled" / f"catalogue-{BUNDLED_VERSION}.json"
    document = json.loads(path.read_bytes())
    classes = _Classes(document["fields"])
    commands = (_command(entry, classes) for entry in document["commands"])
    return Catalogue.of(document["version"], "bundled", commands)


class _Classes:
    """The lists of fields in the bundled file: each is made once and shared."""

    def __init__(self, entries: Mapping[str, list[list[str]]]) -> None:
        self._entries = entries
        self._made: dict[str, tuple[Field, ...]] = {"": ()}

    def fields(self, name: str) -> tuple[Field, ...]:
        if name not in self._made:
            self._made[name] = tuple(self._field(*entry) for entry in self._entries[name])
        return self._made[name]

    def _field(self, name: str, word: str = "string", nested: str = "") -> Field:
        return Field(name, word, self.fields(nested))


def _command(entry: Mapping[str, Any], classes: _Classes) -> Command:
    name: str = entry["name"]
    return Command(
        name=name,
        is_async=entry.get("async", False),
        parameters=tuple(_parameter(*fact) for fact in entry.get("parameters", ())),
        fields=classes.fields(entry.get("fields", "")),
        scope=tuple(entry.get("scope", ())),
        since=entry.get("since", ""),
        wrapper=entry.get("wrapper", f"{name.lower()}response"),
        groups=tuple(_group(word, *facts) for word, facts in entry.get("details", {}).items()),
        by_get=entry.get("get", False),
        creates=entry.get("creates", False),
    )


def _group(word: str, fills: str, grows: str) -> Group:
    return Group(word, tuple(fills.split()), tuple(grows.split()))


@cache
def _parameter(
    name: str,
    word: str = "string",
    required: bool = False,
    since: str = "",
    related: str = "",
    length: int = 255,
    root: Root = "",
) -> Parameter:
    """Many commands have the same `page`, `zoneid` ...: each is made once and shared."""
    lists = tuple(related.split())
    return Parameter(name, word, required, since, lists, length, root=root)
