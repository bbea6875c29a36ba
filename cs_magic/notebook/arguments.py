"""Statement and namespace → Call and Options: looks Python values up, never evaluates."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cs_magic.api.masks import secret_arguments
from cs_magic.api.values import Call, Options, Pairs
from cs_magic.api.wire import encoded, is_missing, text
from cs_magic.errors import CallError
from cs_magic.notebook.statements import Argument, Statement, Value

# Gets a secret that is to be typed, by its parameter's name.
Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Map:
    """The pairs of dotted map parameters so far: `tags.env=prod` is the first tag."""

    counts: dict[str, int]

    def pairs(self, name: str, value: str) -> Pairs:
        parameter, _, key = name.partition(".")
        if parameter.lower() != "tags":
            return ((f"{parameter}[0].{key}", value),)
        index = self.counts.get(parameter.lower(), 0)
        self.counts[parameter.lower()] = index + 1
        return ((f"{parameter}[{index}].key", key), (f"{parameter}[{index}].value", value))


def call_of(
    statement: Statement,
    names: Mapping[str, Any],
    later: Collection[str] = (),
    ask: Ask | None = None,
) -> Call:
    """The call that a statement means, its `$names` looked up.

    Args:
        later: names that have no value yet; what is typed stands for it.
        ask: gets a secret typed as `?`; without it the `?` stands for it.

    Raises:
        CallError: a name is not defined, or its value would make a filter vanish.
    """
    secret = _secret(statement, names, later)
    maps = _Map({})
    pairs: list[tuple[str, str]] = []
    for argument in statement.arguments:
        try:
            given = _asked(argument, ask) if argument.name in secret else argument
            added = _pairs(given, names, maps, later)
            _check_new(added, pairs)
            pairs += added
        except CallError as error:
            problem = error
        else:
            continue
        raise statement.wrong(problem.message, *problem.hints, column=argument.value.column)
    return Call(statement.command, tuple(pairs))


def _secret(
    statement: Statement, names: Mapping[str, Any], later: Collection[str]
) -> frozenset[str]:
    """The names of the parameters that hold a secret, some by what another one says."""

    def said(value: Value) -> object:
        if not value.path or value.path[0] in later:
            return value.text
        with suppress(CallError):
            return looked_up(value, names)
        return ""

    return secret_arguments(
        (one.name, said(one.value) if one.name.lower().endswith(("name", "key")) else "")
        for one in statement.arguments
    )


def _asked(argument: Argument, ask: Ask | None) -> Argument:
    """A secret parameter, asked for where it is typed as `?`; refused where it is typed."""
    name, value = argument.name, argument.value
    if value.asks:
        return argument if ask is None else replace(argument, value=Value(ask(name)))
    if value.text and value.file is None:
        raise CallError(
            f"{name} is a secret: typed here it would be saved in the notebook",
            f"Write {name}=? to be asked for it, or {name}=$variable.",
        )
    return argument


def options_of(
    statement: Statement, names: Mapping[str, Any], later: Collection[str] = ()
) -> Options:
    """The options of a statement with their values; CallError where one makes no sense.

    An option whose value is one of the `later` names is left out.
    """
    given: dict[str, Any] = {"check": True}
    for option, value in statement.options:
        if value is not None and value.path and value.path[0] in later:
            continue
        if option.name in {"each", "workers"}:
            continue  # they say how many calls there are, not how one is made
        said = None if value is None else text_of(statement, value, names, f"--{option.name}")
        match option.name:
            case "columns":
                given["columns"] = _columns(statement, said or "", value)
            case "limit":
                given["limit"] = _limit(statement, said or "", value)
            case "output":
                given |= _output(statement, said or "", value)
            case "explode":
                given["explode"] = said
            case "no-check":
                given["check"] = False
            case "no-wait":
                given["wait"] = False
            case "timeout":
                given["timeout"] = _seconds(statement, said or "", value)
            case "own" | "text" | "reveal":
                given[option.name] = True
    return Options(**given)


def text_of(
    statement: Statement, value: Value, names: Mapping[str, Any], taker: str | None = None
) -> str:
    """The one text that an option or a word takes, looked up where it is a `$name`.

    `taker` is who takes it, as an error says it; without it that is the word.
    """
    if not value.path:
        return value.text
    try:
        found = looked_up(value, names)
        if is_missing(found) or (isinstance(found, str) and not found):
            taker = taker or statement.command.lower()
            raise CallError(f"{taker} needs a value: {value.typed} is {found!r}")
        pairs = encoded("option", found, value.typed)
        if [name for name, _ in pairs] == ["option"]:
            return pairs[0][1]
        problem = CallError(f"{value.typed} is more than one value")
    except CallError as error:
        problem = error
    raise statement.wrong(problem.message, *problem.hints, column=value.column)


def looked_up(value: Value, names: Mapping[str, Any]) -> Any:
    """The Python value of `$name`, `$name.attr`, `$name["key"]`, `$name[0]`."""
    name, *steps = value.path
    if name not in names:
        near = get_close_matches(str(name), [one for one in names if not one.startswith("_")], 1)
        meant = f": did you mean ${near[0]}?" if near else ""
        raise CallError(f"{name} is not defined{meant}", "Quotes make it plain text.")
    found = names[str(name)]
    said = str(name)
    for step in steps:
        try:
            found = _stepped(found, step)
        except (AttributeError, LookupError, TypeError, ValueError):
            problem = CallError(f"{said} has no {_step_said(step)}")
        else:
            said += _step_said(step)
            continue
        raise problem
    return found


def _stepped(found: Any, step: str | int) -> Any:
    if isinstance(step, int):
        # A Series is counted from its start, whatever its index says.
        return found.iloc[step] if hasattr(found, "iloc") else found[step]
    if step.startswith("["):
        return found[step[1:]]
    name = step[1:]
    # A frame's column or a row's field, also where pandas has something of that name
    # ($vms.size, $vms[0].name).
    if hasattr(found, "iloc") and name in getattr(found, "columns", found.index):
        return found[name]
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(found, name)


def _step_said(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f'["{step[1:]}"]' if step.startswith("[") else step


def _check_new(added: Pairs, pairs: Sequence[tuple[str, str]]) -> None:
    """`tags.env=prod` and `tags[0].key=zone` are two ways to say the first tag."""
    before = {name.lower() for name, _ in pairs}
    for name, _ in added:
        if name.lower() in before:
            raise CallError(f"{name} is given twice")


def _pairs(
    argument: Argument,
    names: Mapping[str, Any],
    maps: _Map,
    later: Collection[str],
) -> Pairs:
    name, value = argument.name, argument.value
    if value.file is not None:
        return _entry(name, _content(name, value.file), maps)
    if not value.path:
        doubled = value.bare and value.text.startswith("@@")
        return _entry(name, value.text[1:] if doubled else value.text, maps)
    found = value.typed if value.path[0] in later else looked_up(value, names)
    if "." in name and "[" not in name:
        return maps.pairs(name, text(found, value.typed, name))
    return encoded(name, found, value.typed)


def _entry(name: str, value: str, maps: _Map) -> Pairs:
    if "." in name and "[" not in name:
        return maps.pairs(name, value)
    return ((name, value),)


def _content(name: str, path: str) -> str:
    """What a file holds, as its parameter wants it: userdata in Base64, all else as text."""
    try:
        content = Path(path).expanduser().read_bytes()
        return (
            base64.b64encode(content).decode() if name.lower() == "userdata" else content.decode()
        )
    except OSError as error:
        problem = CallError(f"{path} can't be read: {error.strerror}")
    except UnicodeDecodeError:
        problem = CallError(f"{path} is no text in UTF-8")
    raise problem


def option_text(statement: Statement, name: str, names: Mapping[str, Any]) -> str | None:
    """What an option says, looked up where it is a `$name`; None where it isn't given."""
    for option, value in reversed(statement.options):
        if option.name == name and value is not None:
            return text_of(statement, value, names, f"--{name}")
    return None


def _columns(statement: Statement, said: str, value: Value | None) -> tuple[str, ...]:
    columns = tuple(dict.fromkeys(name.strip() for name in said.split(",") if name.strip()))
    if not columns:
        raise statement.wrong("--columns names none", column=value.column if value else None)
    return columns


def _limit(statement: Statement, said: str, value: Value | None) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", said) or int(said) == 0:
        raise statement.wrong(
            f"--limit takes a number from 1, not {said or 'nothing'}",
            column=value.column if value else None,
        )
    return int(said)


def _seconds(statement: Statement, said: str, value: Value | None) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", said) or float(said) == 0:
        raise statement.wrong(
            f"--timeout takes a number of seconds, not {said or 'nothing'}",
            column=value.column if value else None,
        )
    return float(said)


def _output(statement: Statement, said: str, value: Value | None) -> dict[str, Any]:
    kind, _, path = said.partition(":")
    if kind in {"csv", "parquet", "xlsx"} and path:
        return {"file": (kind, path)}
    if said not in {"df", "raw"}:
        raise statement.wrong(
            "--output takes df, raw, csv:PATH, parquet:PATH or xlsx:PATH",
            column=value.column if value else None,
        )
    return {"raw": said == "raw"}
