"""What a server's listApis says → a Catalogue, united with the facts that only ours has.

The server decides which commands and parameters there are and what is required. The bundled
catalogue adds what listApis lacks: the list commands of a quarter of the ids (it loses them on
the way), the scope of a list, what `details` fills, the wrapper of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from cs_magic.api.catalogue import Catalogue, Command, Field, Parameter, bundled
from cs_magic.api.checks import newer


class ApiParameter(msgspec.Struct, omit_defaults=True):
    """A parameter as listApis writes it."""

    name: str = ""
    description: str | None = None
    type: str = "string"
    length: int | None = None
    required: bool = False
    since: str | None = None
    related: str | None = None


class ApiField(msgspec.Struct, omit_defaults=True):
    """A field of an answer; one without a name is an empty object and means nothing."""

    name: str = ""
    description: str | None = None
    type: str = "string"
    response: "list[ApiField] | None" = None  # noqa: UP037 - it is not defined yet


class Api(msgspec.Struct, omit_defaults=True):
    """A command as listApis, and cmk's cache of it, write it."""

    name: str = ""
    description: str | None = None
    since: str | None = None
    isasync: bool = False
    params: list[ApiParameter] = []
    response: list[ApiField] = []
    httprequesttype: str | None = None


# By role the server leaves these two out, although anybody may call them.
_ALWAYS = ("login", "logout")
_decoder = msgspec.json.Decoder(list[Api], strict=False)


def parsed(rows: bytes) -> list[Api]:
    """The commands in a JSON array; ValueError where it is none, or holds none."""
    try:
        found = [api for api in _decoder.decode(rows) if api.name]
    except msgspec.MsgspecError as error:
        problem = str(error)
    else:
        if found:
            return found
        problem = "no command"
    raise ValueError(problem)


def united(apis: Iterable[Api], version: str, origin: str, host: str, server: str) -> Catalogue:
    """The catalogue of a server that offers these commands."""
    listed = list(apis)
    offered = frozenset(api.name for api in listed)
    union = _Union(offered, _is_for_root(listed, version))
    commands = {api.name.lower(): union.command(api) for api in listed}
    for name in _ALWAYS:
        commands.setdefault(name, bundled().command(name))
    by_name = {name: commands[name] for name in sorted(commands)}
    return Catalogue(version, origin, by_name, host, server)


class _Union:
    """Puts a server's commands and ours together; equal parameters and fields are made once."""

    def __init__(self, offered: frozenset[str], for_root: bool) -> None:
        self._offered = offered
        self._for_root = for_root
        self._parameters: dict[tuple[object, ...], Parameter] = {}

    def command(self, api: Api) -> Command:
        ours = bundled().find(api.name)
        parameters = self._all(api.params, ours)
        names = frozenset(parameter.name.lower() for parameter in parameters)
        return Command(
            name=api.name,
            is_async=api.isasync,
            parameters=parameters,
            fields=_fields(api.response, ours.fields if ours else ()),
            scope=_scope(ours, names, api.name),
            since=api.since or (ours.since if ours else ""),
            wrapper=ours.wrapper if ours else f"{api.name.lower()}response",
            groups=ours.groups if ours else (),
            by_get=ours.by_get if ours else _reads_by_get(api),
            creates=ours is not None and ours.creates,
            description=api.description or "",
        )

    def _all(self, params: Sequence[ApiParameter], ours: Command | None) -> tuple[Parameter, ...]:
        """Every parameter once, by name: the server's own order changes with every start."""
        found: dict[str, ApiParameter] = {}
        for param in params:
            if param.name:
                kept = found.setdefault(param.name, param)
                kept.required = kept.required or param.required
        known = {one.name: one for one in ours.parameters} if ours else {}
        return tuple(
            self._parameter(found[name], known.get(name))
            for name in sorted(found, key=lambda name: (name.lower(), name))
            if self._for_root or name not in known or not known[name].root
        )

    def _parameter(self, param: ApiParameter, ours: Parameter | None) -> Parameter:
        usual = _usually_related().get(param.name, ()) if param.type == "uuid" else ()
        related = ours.related if ours else (_lists(param.related or "") or usual)
        length = ours.length if ours else 255
        if param.type == "string" and param.length is not None:
            length = param.length
        made = (
            param.name,
            param.type,
            param.required,
            param.since or (ours.since if ours else ""),
            tuple(name for name in related if name in self._offered),
            length,
            param.description or "",
            ours.root if ours else "",
        )
        if made not in self._parameters:
            self._parameters[made] = Parameter(*made)
        return self._parameters[made]


def _is_for_root(apis: Iterable[Api], version: str) -> bool:
    """Was that said to a root admin? It names something that is hidden from anybody else.

    True, too, where nothing tells.
    """
    told = []
    for api in apis:
        ours, names = bundled().find(api.name), {param.name for param in api.params}
        for parameter in ours.parameters if ours else ():
            if parameter.root == "hidden" and not newer(parameter.since, version):
                told.append(parameter.name in names)
    return any(told) or not told


def _lists(related: str) -> tuple[str, ...]:
    """The list commands among the related ones, each once, the shortest name first."""
    found = {name for name in related.split(",") if name.startswith("list")}
    return tuple(sorted(found, key=lambda name: (len(name), name)))


@cache
def _usually_related() -> dict[str, tuple[str, ...]]:
    """Parameter → the lists that give its ids, by what it means elsewhere: zoneid → listZones."""
    found: dict[str, tuple[str, ...]] = {}
    for command in bundled().commands.values():
        for parameter in command.parameters:
            if parameter.related and parameter.name not in {"id", "ids"}:
                found.setdefault(parameter.name, parameter.related)
    return found


def _fields(response: Sequence[ApiField], ours: Sequence[Field]) -> tuple[Field, ...]:
    """The server's fields by name, with what is nested in them; ours where it names none."""
    known = {field.name: field for field in ours}
    found: dict[str, Field] = {}
    for field in response:
        if field.name and field.name not in found:
            twin = known.get(field.name)
            inner = _fields(field.response or (), twin.fields if twin else ())
            found[field.name] = Field(field.name, field.type, inner, field.description or "")
    return tuple(found[name] for name in sorted(found)) or tuple(ours)


def _scope(ours: Command | None, names: frozenset[str], name: str) -> tuple[str, ...]:
    """How everything is asked for; of a list that was never measured, as for most."""
    if ours is None:
        most = name.startswith("list") and names >= {"listall", "account", "domainid"}
        return ("listall",) if most else ()
    needs = {"listall": "listall", "project": "projectid"}
    return tuple(word for word in ours.scope if needs[word] in names)


def _reads_by_get(api: Api) -> bool:
    """The server's annotation of a command nobody knows, where it isn't taken from the name."""
    by_name = api.name.startswith(("get", "list", "query", "find"))
    return api.httprequesttype == "GET" and not by_name
