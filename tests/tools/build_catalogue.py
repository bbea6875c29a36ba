"""Writes the bundled catalogue: what CloudStack 4.23 itself says about its commands, facts only.

    python tests/tools/build_catalogue.py RECORDINGS_DIR CATALOGUE_DIR

`RECORDINGS_DIR` holds listApis as a real management server answered it (786 commands with
their response fields), `CATALOGUE_DIR` the tables read from CloudStack's Java annotations
(all 973 commands, no response fields) and measured on that server (scope, details).
Descriptions are left out. The same input gives the same bytes, one command a line.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

VERSION = "4.23"
TARGET = Path(__file__).parents[2] / "cs_magic/api/bundled" / f"catalogue-{VERSION}.json"
PAGE_CUT = 500

Row = dict[str, str]
Rows = list[Row]
Shape = tuple[tuple[Any, ...], ...]
"""The response fields of a class: (name, type, Shape of the nested ones), by name."""


def main(recordings: Path, tables: Path) -> None:
    """Read everything, write one file."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(document(Sources(recordings, tables)), encoding="utf-8")


# -- what is read --------------------------------------------------------------------------


@dataclass
class Sources:
    """The recorded listApis reply and the four tables, by command."""

    recordings: Path
    tables: Path

    @cached_property
    def commands(self) -> dict[str, Row]:
        """One row per command: where it has two classes, the one for the root admin."""
        found: dict[str, Row] = {}
        for row in table(self.commands_file):
            known = found.get(row["name"])
            if known is None or row["responseView"] == "Full":
                since = row["since"] or (known or row)["since"]
                found[row["name"]] = row | {"since": since}
            elif not known["since"]:
                known["since"] = row["since"]
        return found

    @cached_property
    def parameters(self) -> dict[str, dict[str, Row]]:
        """command → parameter → row; both classes of a command together."""
        found: dict[str, dict[str, Row]] = defaultdict(dict)
        for row in table(self.tables / "params.tsv"):
            found[row["command"]].setdefault(row["param"], row)
        return found

    @cached_property
    def hidden(self) -> set[tuple[str, str]]:
        """(command, parameter) that is annotated for root admins, and hidden from the others."""
        read = table(self.tables / "params.tsv")
        return {(row["command"], row["param"]) for row in read if row["authorized"] == "Admin"}

    @cached_property
    def shown(self) -> set[tuple[str, str]]:
        """(command, parameter) of the root admin's class alone, where the others have their own.

        listApis reads the root admin's class for everybody, so it shows them to everybody.
        """
        views = {row["javaClass"]: row["responseView"] for row in table(self.commands_file)}
        of: dict[str, set[tuple[str, str]]] = {"Full": set(), "Restricted": set()}
        for row in table(self.tables / "params.tsv"):
            of[views[row["javaClass"]]].add((row["command"], row["param"]))
        shared = {command for command, _ in of["Restricted"]}
        return {one for one in of["Full"] - of["Restricted"] if one[0] in shared}

    @property
    def commands_file(self) -> Path:
        """One row per class of a command."""
        return self.tables / "commands.tsv"

    @cached_property
    def recorded(self) -> dict[str, dict[str, Any]]:
        """What listApis said to the root admin, by command."""
        [path] = self.recordings.glob("F-shapes/01-*.json")
        body = json.loads(path.read_text("utf-8"))["steps"][0]["body"]
        return {api["name"]: api for api in json.loads(body)["listapisresponse"]["api"]}

    @cached_property
    def scopes(self) -> dict[str, Rows]:
        """The measured rows of scope.tsv, by command."""
        return by_command(table(self.tables / "scope.tsv"))

    @cached_property
    def details(self) -> dict[str, Rows]:
        """The measured rows of details.tsv, by command."""
        return by_command(table(self.tables / "details.tsv"))


def table(path: Path) -> Rows:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {key: value or "" for key, value in row.items()}
            for row in csv.DictReader(file, delimiter="\t")
        ]


def by_command(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[row["command"]].append(row)
    return found


# -- response fields -----------------------------------------------------------------------


@dataclass
class Shapes:
    """Lists of response fields, each kept once under the name of its Java class.

    A nested list has no class name on the wire: it is called after the field it was first
    met in, unless a class has the same fields.
    """

    by_name: dict[str, Shape] = field(default_factory=dict)
    names: dict[Shape, str] = field(default_factory=dict)

    def keep(self, name: str, shape: Shape) -> None:
        self.by_name[name] = shape
        self.names.setdefault(shape, name)

    def name(self, shape: Shape, fallback: str) -> str:
        if shape not in self.names:
            self.keep(fallback, shape)
        return self.names[shape]

    def lines(self) -> dict[str, list[list[str]]]:
        """Class → its fields as [name, type, nested list], defaults left out."""
        waiting, done = sorted(self.by_name), {}
        while waiting:
            owner = waiting.pop(0)
            known = set(self.by_name)
            done[owner] = [self._line(owner, *entry) for entry in self.by_name[owner]]
            waiting += sorted(set(self.by_name) - known)
        return dict(sorted(done.items()))

    def _line(self, owner: str, name: str, kind: str, nested: Shape) -> list[str]:
        inner = self.name(nested, f"{owner}.{name}") if nested else ""
        return shortened([name, kind, inner], ["", "string", ""])


def shapes(sources: Sources) -> Shapes:
    """The fields of every class that a recorded command answers with."""
    found = Shapes()
    for name in sorted(sources.recorded):
        found.keep(sources.commands[name]["responseObject"], shape(sources.recorded[name]))
    return found


def shape(owner: Mapping[str, Any]) -> Shape:
    """The named fields of a listApis entry; its empty objects are skipped."""
    named = (entry for entry in owner.get("response", ()) if entry.get("name"))
    return tuple(sorted((entry["name"], entry["type"], shape(entry)) for entry in named))


# -- the list commands of an id ------------------------------------------------------------


class Lists:
    """Which list commands give the ids that a parameter takes.

    listApis says this in `related`, but loses a quarter on the way; the classes behind it
    are in the tables. The list whose name the parameter (or, for `id`, the command) says
    comes first: `isoid` → listIsos before listTemplates, both of which give templates.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.entities = usual_entities(sources)
        self.giving: dict[str, set[str]] = defaultdict(set)
        self.taking: dict[str, set[str]] = defaultdict(set)
        for name, row in sources.commands.items():
            if name.startswith("list"):
                self.giving[row["responseObject"]].add(name)
                own = sources.parameters[name].get("id")
                self.taking[own["entityType"] if own else ""].add(name)

    def of(self, parameter: Row) -> list[str]:
        entity = self._entity(parameter)
        if not entity:
            return []
        text = self._text(parameter)
        giving = sorted(self.giving[entity], key=lambda name: self._rank(name, text, entity))
        if any(noun(name) in text for name in giving):
            return giving
        # Firewall and load balancer rules share one class that few lists answer with, so the
        # list that takes such an id itself is the better witness.
        named = [name for name in self.taking[entity] if noun(name) in text]
        return sorted(named, key=lambda name: (-len(name), name)) or giving or self._called(text)

    def _called(self, text: str) -> list[str]:
        """For a class that no list answers with, the list that the name says: isoid → listIsos."""
        return [name for name in sorted(self.sources.commands) if text == f"{noun(name)}id"]

    def _entity(self, parameter: Row) -> str:
        if parameter["type"] in {"uuid", "list"}:
            return parameter["entityType"]
        if parameter["type"] == "string":
            return self.entities.get(parameter["param"], "")
        return ""

    def _text(self, parameter: Row) -> str:
        own = parameter["param"] in {"id", "ids"}
        return spelt_out(parameter["command" if own else "param"])

    def _rank(self, name: str, text: str, entity: str) -> tuple[Any, ...]:
        said = noun(name)
        return (
            -len(said) if said in text else 0,
            said != entity.removesuffix("Response").lower(),
            name not in self.sources.recorded,
            len(self.sources.commands[name]["requiredParams"]),
            len(name),
            name,
        )


def usual_entities(sources: Sources) -> dict[str, str]:
    """The class that a parameter of this name nearly always means: `zoneid` → ZoneResponse."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for parameters in sources.parameters.values():
        for name, row in parameters.items():
            seen[name][row["entityType"] if row["type"] == "uuid" else ""] += 1
    found = {}
    for name in sorted(set(seen) - {"id", "ids"}):
        [(entity, count)] = seen[name].most_common(1)
        if entity and count >= 0.8 * seen[name].total():
            found[name] = entity
    return found


def noun(list_command: str) -> str:
    """What a list command lists, in the singular: listVPCs → vpc."""
    return spelt_out(list_command.removeprefix("list")).removesuffix("s")


def spelt_out(text: str) -> str:
    """Lower case, policies → policy, lb → loadbalancer: so that a noun is found in a text."""
    singular = re.sub("ies$", "y", text.lower())
    return re.sub("^lb|(?<=list)lb", "loadbalancer", singular)


# -- scope ---------------------------------------------------------------------------------


def scope(name: str, sources: Sources) -> list[str]:
    """The lists to ask for everything: one with listall=true, one with projectid=-1."""
    accepted = set(sources.parameters[name])
    measured = sources.scopes.get(name)
    if measured is None:
        return ["listall"] if accepted >= {"listall", "account", "domainid"} else []
    if "listall" not in accepted or loses(measured):
        return []
    return ["listall", "project"] if projects_add(measured, accepted) else ["listall"]


def loses(measured: Rows) -> bool:
    """Did listall=true fail, or give less, where the bare call did not?"""
    return any(
        is_error(row["with listall=true"]) or rows(row["with listall=true"]) < rows(row["as typed"])
        for row in measured
        if row["with listall=true"] and not is_error(row["as typed"])
    )


def projects_add(measured: Rows, accepted: set[str]) -> bool:
    """Does projectid=-1 give rows that listall=true leaves out, or could it?

    It could where the recorded projects owned nothing of that kind, and where the server's
    cut hides what was added. Where it gave only rows that listall=true had too, it adds none.
    """
    if "projectid" not in accepted or any(is_error(row["with projectid=-1"]) for row in measured):
        return False
    if not any(rows(row["with projectid=-1"]) for row in measured):
        return True
    return any(
        rows(row["with both"]) > rows(row["with listall=true"])
        or (rows(row["with projectid=-1"]) > 0 and rows(row["with both"]) >= PAGE_CUT)
        for row in measured
        if row["account"] == "admin"
    )


def is_error(cell: str) -> bool:
    return bool(cell) and not cell.isdigit()


def rows(cell: str) -> int:
    return int(cell) if cell.isdigit() else 0


# -- what is written -----------------------------------------------------------------------


def document(sources: Sources) -> str:
    """The whole catalogue as JSON: one class, one command a line."""
    found, lists = shapes(sources), Lists(sources)
    classes = found.lines()
    commands = [
        command(sources.commands[name], sources, lists, classes)
        for name in sorted(sources.commands, key=lambda name: (name.lower(), name))
    ]
    fields = ",\n".join(f"{compact(name)}: {compact(line)}" for name, line in classes.items())
    lines = ",\n".join(map(compact, commands))
    return (
        f'{{"version": {compact(VERSION)},\n"fields": {{\n{fields}\n}},\n'
        f'"commands": [\n{lines}\n]}}\n'
    )


def command(
    row: Row, sources: Sources, lists: Lists, classes: Mapping[str, object]
) -> dict[str, Any]:
    """One command, what is usual left out."""
    name, reply, wrapper = row["name"], row["responseObject"], row["responseWrapper"]
    facts = {
        "name": name,
        "since": row["since"],
        "async": row["isAsync"] == "True",
        "creates": row["isAsyncCreate"] == "True",
        "get": row["httpMethod"] == "GET",
        "wrapper": wrapper if wrapper != f"{name.lower()}response" else "",
        "fields": reply if reply in classes else "",
        "scope": scope(name, sources),
        "details": dict(details(sources.details.get(name, []))),
        "parameters": list(parameters(name, sources, lists)),
    }
    return {key: value for key, value in facts.items() if value}


def details(measured: Rows) -> Iterator[tuple[str, list[str]]]:
    """Word → the fields it fills (beyond `min`), and those whose nested value grows."""
    for row in measured:
        fills = row["fields filled (min), or filled beyond min"]
        yield row["details"], [fills, row["fields whose nested value grows"]]


def parameters(name: str, sources: Sources, lists: Lists) -> Iterator[list[Any]]:
    """Each as [name, type, required, since, list commands, greatest length, root], by name."""
    for row in sorted(sources.parameters[name].values(), key=lambda row: row["param"].lower()):
        related = " ".join(lists.of(row))
        entry = [row["param"], row["type"], row["required"] == "True", row["since"], related]
        entry += [length(row, sources), root((name, row["param"]), sources)]
        yield shortened(entry, ["", "string", False, "", "", 255, ""])


def root(parameter: tuple[str, str], sources: Sources) -> str:
    """How listApis treats a parameter of root admins before the others; "" where all have it."""
    if parameter in sources.hidden:
        return "hidden"
    return "shown" if parameter in sources.shown else ""


def length(parameter: Row, sources: Sources) -> int:
    """The greatest length of a text; 0 where it is not known or does not apply."""
    if parameter["type"] != "string":
        return 255
    api = sources.recorded.get(parameter["command"], {"params": ()})
    said = (entry for entry in api["params"] if entry["name"] == parameter["param"])
    return next((int(entry["length"]) for entry in said), 0)


def shortened(entry: list[Any], usual: list[Any]) -> list[Any]:
    """The entry without the usual values at its end."""
    while entry and len(entry) > 1 and entry[-1] == usual[len(entry) - 1]:
        entry = entry[:-1]
    return entry


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def arguments(given: Iterable[str]) -> tuple[Path, Path]:
    recordings, tables = given
    return Path(recordings), Path(tables)


if __name__ == "__main__":
    main(*arguments(sys.argv[1:]))
