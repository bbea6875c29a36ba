"""Which list a parameter's values are in, narrowed by what else the call says. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cs_magic.api.catalogue import Catalogue, Command, Parameter
from cs_magic.api.values import Call

# What tells one object from another, where it isn't its `name`.
_LABELS: Mapping[str, str] = {
    "listDomains": "path",
    "listUsers": "username",
    "listOsTypes": "description",
    "listPublicIpAddresses": "ipaddress",
}
# What a list needs to show what one may use.
_WITH: Mapping[str, tuple[str, str]] = {
    "listTemplates": ("templatefilter", "executable"),
    "listIsos": ("isofilter", "executable"),
    "listVnfTemplates": ("templatefilter", "executable"),
    "listHosts": ("type", "Routing"),
}
# Parameters that take a name, and say in no other way whose.
_BY_NAME: Mapping[str, str] = {
    "account": "listAccounts",
    "accounts": "listAccounts",
    "keypair": "listSSHKeyPairs",
    "keypairs": "listSSHKeyPairs",
}
# A filter of the user's that goes along says where something is, or whose.
_PLACES = frozenset({"account", "domainid", "projectid"})
_NEVER = frozenset({"id", "ids", "page", "pagesize", "keyword", "name", "details"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list whose rows are what a parameter takes: `label` is the field that names a row.

    `takes_ids` says that the parameter wants an id, so that a name stands for one.
    """

    command: Command
    call: Call
    label: str
    takes_ids: bool

    @property
    def kind(self) -> str:
        """What its rows are, in a word: `zone`, `network`."""
        noun = self.command.name.removeprefix("list").lower()
        return f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that a parameter can name."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Things:
    """What a list holds; `whole` says that it is all of it."""

    things: tuple[Thing, ...] = ()
    whole: bool = True
    until: float = 0.0


def is_id(text: str) -> bool:
    """Whether a text has the shape of an id."""
    return _UUID.fullmatch(text) is not None


def takes_ids(name: str) -> bool:
    """Whether a parameter of that name takes ids."""
    return name.lower().endswith(("id", "ids"))


def listing_of(
    catalogue: Catalogue,
    command: Command,
    parameter: Parameter,
    given: Mapping[str, str],
    id_of: Callable[[Parameter, str], str | None],
) -> Listing | None:
    """The list that holds a parameter's values, or None where none is known or can be read.

    Args:
        given: the other arguments of the call, by name in lower case.
        id_of: gives the id that a name stands for in a parameter, where that is known.
    """
    source = _source(catalogue, parameter)
    if source is None:
        return None
    arguments = dict(_narrowing(command, source, parameter, given, id_of))
    if source.name in _WITH:
        name, value = _WITH[source.name]
        arguments.setdefault(name, given.get(name, value))
    if source.group("min") is not None:
        arguments["details"] = "min"
    if any(one.name not in arguments for one in source.required):
        return None
    label = _LABELS.get(source.name, "name")
    if source.fields and source.field(label) is None:
        label = "id"
    call = Call(source.name, tuple(sorted(arguments.items())))
    return Listing(source, call, label, takes_ids(parameter.name))


def _source(catalogue: Catalogue, parameter: Parameter) -> Command | None:
    name = parameter.name.lower()
    names = [*parameter.related, _BY_NAME.get(name, "")]
    if takes_ids(name):
        stem = re.sub("ids?$", "", name)
        names += [f"list{stem}s", f"list{stem[:-1]}ies"] if stem else []
    found = (catalogue.find(one) for one in names if one)
    return next((one for one in found if one is not None and one.is_read), None)


def _narrowing(
    command: Command,
    source: Command,
    parameter: Parameter,
    given: Mapping[str, str],
    id_of: Callable[[Parameter, str], str | None],
) -> dict[str, str]:
    """The user's own arguments that the list takes as well.

    Of another command only those that say where something is, or whose: the name in
    `updateVirtualMachine name=new id=` is not the name of what is looked for.
    """
    arguments: dict[str, str] = {}
    for name, value in given.items():
        known, own = source.parameter(name), command.parameter(name)
        if known is None or own is None or not value or name in _NEVER or own == parameter:
            continue
        if source is not command and not (own.type == "uuid" or name in _PLACES):
            continue
        meant = value if not takes_ids(name) or is_id(value) else id_of(own, value)
        if meant is not None:
            arguments[known.name] = meant
    if "account" in arguments and not arguments.keys() & {"domainid", "projectid"}:
        del arguments["account"]
    return arguments
