"""Which list a parameter's values are in, narrowed by what else the call says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cs_magic.api.catalogue import Catalogue, Command, Parameter
from cs_magic.api.named import FILTERED, USABLE, Ids, columns_of, ids_of
from cs_magic.api.values import Call

# Parameters that take a name, and say in no other way whose.
_BY_NAME: Mapping[str, str] = {
    "account": "listAccounts",
    "accounts": "listAccounts",
    "keypair": "listSSHKeyPairs",
    "keypairs": "listSSHKeyPairs",
}
# Of hosts those that run machines: nobody moves anything to a console proxy.
_ONLY: Mapping[str, tuple[str, str]] = {"listHosts": ("type", "Routing")}
# A filter of the user's that goes along says where something is, or whose.
_PLACES = frozenset({"account", "domainid", "projectid"})
_NEVER = frozenset({"id", "ids", "page", "pagesize", "keyword", "name", "details"})


@dataclass(frozen=True, slots=True)
class Listing:
    """A list whose rows are what a parameter takes: `label` is the field that names a row.

    `ids` says which names stand for an id in the parameter; None where it wants the name.
    """

    command: Command
    call: Call
    label: str
    ids: Ids | None

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
    ids = ids_of(command, parameter.name)
    names = ids.lists if ids else (_BY_NAME.get(parameter.name.lower(), ""),)
    source = next((one for one in map(catalogue.find, names) if one is not None), None)
    if source is None or not source.is_read:
        return None
    arguments = dict(_narrowing(command, source, parameter, given, id_of))
    if source.name in FILTERED:
        arguments.setdefault(FILTERED[source.name], given.get(FILTERED[source.name], USABLE))
    if source.name in _ONLY:
        arguments.setdefault(*_ONLY[source.name])
    label = (columns_of(source.name) or ("name",))[0]
    least = source.group("min")
    if least is not None and {"id", label} <= set(least.fills):
        arguments["details"] = "min"
    if any(one.name not in arguments for one in source.required):
        return None
    return Listing(source, Call(source.name, tuple(sorted(arguments.items()))), label, ids)


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
        ids = ids_of(command, name)
        meant = value if ids is None or ids.name_in(value) is None else id_of(own, value)
        if meant is not None:
            arguments[known.name] = meant
    if "account" in arguments and not arguments.keys() & {"domainid", "projectid"}:
        del arguments["account"]
    return arguments
