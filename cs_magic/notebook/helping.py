"""Help in place: what a command does, takes and answers; and which commands a word finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from cs_magic.api.catalogue import Catalogue, Command, Field, Parameter, bundled
from cs_magic.api.checks import newer
from cs_magic.api.kinds import KINDS, why
from cs_magic.api.nearest import did_you_mean
from cs_magic.errors import CloudStackError, harmless
from cs_magic.notebook.arguments import text_of
from cs_magic.notebook.shown import frame_of, say, show_page, show_text
from cs_magic.notebook.statements import Statement, Value
from cs_magic.notebook.vocabulary import WORDS, help_text

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.connection import Connection

AskedOf = Callable[[], "Connection"]  # opens the connection that a statement is for
WIDTH = 100
Rows = list[tuple[str, ...]]
_COLUMNS = ["name", "kind", "async", "description", "required", "since"]
_OFFLINE = (
    "No descriptions here: no server's catalogue was read, and the bundled one has facts only."
    " https://cloudstack.apache.org/api has them."
)


def show_help(statement: Statement, names: Mapping[str, Any], asked_of: AskedOf) -> None:
    """Show the page of a command, or of one of our words; without either, all of them.

    Raises:
        CallError: there is no such command.
    """
    if statement.target:
        raise statement.wrong("help gives nothing that a variable could keep")
    asked = [text_of(statement, one, names) for one in statement.words]
    if not asked:
        return show_text(help_text())
    [name] = asked
    if name.lower() in WORDS:
        takes, does = WORDS[name.lower()]
        return show_text(f"%cs {' '.join(part for part in (name.lower(), takes) if part)}\n{does}")
    catalogue = _catalogue(statement, asked_of)
    command = catalogue.find(name) or bundled().find(name)
    if command is None:
        meant = did_you_mean(name, (*catalogue.names(), *WORDS), cutoff=0.75)
        message = f"{catalogue.where} has no command {name}{meant}"
        raise statement.wrong(message, column=statement.words[0].column)
    return show_page(text_page(command, catalogue), html_page(command, catalogue))


def apis(statement: Statement, names: Mapping[str, Any], asked_of: AskedOf) -> pd.DataFrame:
    """A frame of the commands that the words find, the likeliest first; all without a word.

    Columns: name, kind, async, description, required, since; with `--kind` also `why` a
    command is not of the kind that its name says. A kind behind it leaves out the others.

    Raises:
        CallError: there is no such kind.
    """
    words, asked, kind = _asked_for(statement, names)
    found = search(_catalogue(statement, asked_of), words)
    rows: list[dict[str, Any]] = [
        {
            "name": command.name,
            "kind": command.kind,
            "async": command.is_async,
            "description": harmless(command.description),
            "required": ", ".join(one.name for one in command.required),
            "since": command.since,
        }
        | ({"why": why(command.name)} if asked else {})
        for command in found
        if kind in {None, command.kind}
    ]
    return frame_of(rows, [*_COLUMNS, "why"] if asked else _COLUMNS)


def _asked_for(
    statement: Statement, names: Mapping[str, Any]
) -> tuple[list[str], bool, str | None]:
    """The words to search for, whether `--kind` stands among them, and the kind behind it."""
    words = list(_apart(statement.words))
    flag = next((one for one in words if one.bare and one.text == "--kind"), None)
    if flag is None:
        return [text_of(statement, one, names) for one in words], False, None
    at = words.index(flag)
    kind = text_of(statement, words[at + 1], names) if at + 1 < len(words) else None
    if kind not in {None, *KINDS}:
        message = f"--kind takes {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {kind}"
        raise statement.wrong(message, column=words[at + 1].column)
    rest = words[:at] + words[at + 2 :]
    return [text_of(statement, one, names) for one in rest], True, kind


def _apart(words: Sequence[Value]) -> Iterator[Value]:
    """The words, `--kind=write` as two."""
    for one in words:
        flag, equals, kind = one.text.partition("=")
        if one.bare and flag == "--kind" and equals:
            yield replace(one, text=flag)
            yield replace(one, text=kind, column=one.column + len(flag) + 1)
        else:
            yield one


def _catalogue(statement: Statement, asked_of: AskedOf) -> Catalogue:
    """That of the server in use, which is read now if need be; where there is none, ours."""
    try:
        connection = asked_of()
    except CloudStackError:
        if statement.has("profile"):
            raise
        return bundled()
    return connection.meet(tell=None if statement.has("quiet") else say)


def search(catalogue: Catalogue, words: Sequence[str]) -> list[Command]:
    """The commands in which every word is found, in the name or the description, best first."""
    wanted = [word.lower() for word in words if word]
    ranked = []
    for command in catalogue.commands.values():
        ranks = [_rank(command, word) for word in wanted]
        if all(rank is not None for rank in ranks):
            best = [rank for rank in ranks if rank is not None]
            ranked.append((sum(best), len(command.name) if wanted else 0, command.name, command))
    return [command for *_, command in sorted(ranked, key=lambda one: one[:3])]


def _rank(command: Command, word: str) -> int | None:
    """How well a word finds a command, 0 best: by its name, parts of it, or what it says.

    vm means VirtualMachine. A noun that the name ends in is what the command is about.
    """
    name = command.name.lower()
    for said in dict.fromkeys((word, re.sub("^vms?$", "virtualmachine", word))):
        noun = "".join(re.split("(?=[A-Z])", command.name)[1:]).lower()
        if said == name:
            return 0
        if noun in {said, f"{said}s", f"{said}es"}:
            return 1
        if name.startswith(said):
            return 2
        if noun.startswith(said):
            return 3
        if said in name:
            return 4
    text = command.description.lower()
    if re.search(rf"\b{re.escape(word)}", text):
        return 10
    return 11 if word in text else None


# -- a page --------------------------------------------------------------------------------


def text_page(command: Command, catalogue: Catalogue) -> str:
    """The page for a terminal."""
    lines = [_title(command, catalogue), *_notes(command, catalogue)]
    for heading, rows in _tables(command):
        lines += ["", heading, *(_text_table(rows) or ["  none"])]
    return "\n".join(lines)


def html_page(command: Command, catalogue: Catalogue) -> str:
    """The page for a notebook; the server's texts are escaped."""
    title, *notes = [_title(command, catalogue), *_notes(command, catalogue)]
    parts = [f"<h4>{escape(title)}</h4>", *(f"<p>{escape(note)}</p>" for note in notes)]
    for heading, rows in _tables(command):
        parts.append(f"<h5>{escape(heading)}</h5>{_html_table(rows)}")
    return f"<div>{''.join(parts)}</div>"


def _title(command: Command, catalogue: Catalogue) -> str:
    kind = {"write": "changes something", "destructive": "destroys or interrupts: asks first"}.get(
        command.kind, command.kind
    )
    if command.is_async:
        kind += " · async: a job does it"
    since = f" · since {command.since}" if command.since else ""
    origin = f"{catalogue.origin} {catalogue.version}"
    return harmless(f"{command.name} · {kind}{since} · {origin}")


def _notes(command: Command, catalogue: Catalogue) -> Iterator[str]:
    if command.description:
        yield harmless(command.description)
    if catalogue.sure and catalogue.find(command.name) is None:
        if newer(command.since, catalogue.server):
            yield f"{catalogue.host} is {catalogue.server}, and does not have it yet."
        else:
            yield f"Your role may not use it on {catalogue.host}, or its plug-in is off there."
    elif not any((command.description, *(one.description for one in command.parameters))):
        yield _OFFLINE


def _tables(command: Command) -> Iterator[tuple[str, Rows]]:
    needed = command.required
    rest = [one for one in command.parameters if not one.required]
    yield "Required parameters", [_of_parameter(one) for one in needed]
    yield "Other parameters", [_of_parameter(one) for one in rest]
    yield "Fields of the answer", [_of_field(one) for one in command.fields]


def _of_parameter(parameter: Parameter) -> tuple[str, ...]:
    facts = [f"since {parameter.since}"] if parameter.since else []
    facts += [f"ids: {parameter.related[0]}"] if parameter.related else []
    said = [parameter.description.strip(), f"({', '.join(facts)})" if facts else ""]
    return tuple(map(harmless, (parameter.name, parameter.type, " ".join(filter(None, said)))))


def _of_field(field: Field) -> tuple[str, ...]:
    inner = ", ".join(one.name for one in field.fields)
    said = [field.description.strip(), f"[{inner}]" if inner else ""]
    return tuple(map(harmless, (field.name, field.type, " ".join(filter(None, said)))))


def _text_table(rows: Rows) -> list[str]:
    if not rows:
        return []
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    indent = " " * (first + second + 6)
    lines = []
    for name, kind, said in rows:
        head = f"  {name:{first}}  {kind:{second}}  "
        begin, *more = wrap(said, max(40, WIDTH - len(indent))) or [""]
        lines += [f"{head}{begin}".rstrip(), *(f"{indent}{line}" for line in more)]
    return lines


def _html_table(rows: Rows) -> str:
    if not rows:
        return "<p>none</p>"
    left = ' style="text-align:left"'
    body = "".join(
        f"<tr><td{left}><code>{escape(name)}</code></td><td{left}>{escape(kind)}</td>"
        f"<td{left}>{escape(said)}</td></tr>"
        for name, kind, said in rows
    )
    return f"<table><tbody>{body}</tbody></table>"
