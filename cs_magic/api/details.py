"""The fewest `details` that fill the columns asked for: what nobody shows isn't looked up.

A server spends most of a list on the groups of fields that `details` chooses. What each
group fills is in the catalogue, as measured; a field that nobody measured leaves the choice
to the server, which then gives everything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, combinations

from cs_magic.api.catalogue import Command, Group, Parameter
from cs_magic.api.values import Call

_WHOLE = frozenset({"all", "min"})
_STORAGE = {"secondarystoragetotal": "resource"}
# Fields that other groups fill too, but not in every row, or with a 0 that stands for nothing:
# an address only where the machine has tags or a data disk, a size only where it runs.
_ONLY_WITH: Mapping[str, Mapping[str, str]] = {
    "listVirtualMachines": {
        "ipaddress": "nics",
        "cpunumber": "servoff",
        "cpuspeed": "servoff",
        "memory": "servoff",
    },
    "listHosts": {"memoryallocated": "all"},
    "listAccounts": _STORAGE,
    "listDomains": _STORAGE,
    "listProjects": _STORAGE,
}


def lean(call: Call, command: Command, fields: Collection[str] | None) -> Call:
    """The call, asking for no more than these fields need; as it is where that isn't known.

    Args:
        fields: those of the answer that are wanted, or None for all.
    """
    parameter = command.parameter("details")
    if fields is None or parameter is None or "details" in call.names():
        return call
    groups = fewest(command, fields)
    if groups is None or not _takes(parameter, groups):
        return call
    return call.having(details=",".join(groups))


def fewest(command: Command, fields: Collection[str]) -> tuple[str, ...] | None:
    """The smallest set of groups that fills these fields in every row; None where none is known."""
    needs = [need for field in fields if (need := _filling(command, field)) is not None]
    if len(needs) < len(fields) or not command.groups:
        return None
    open_needs = [need for need in needs if need]
    choices = sorted(frozenset(chain.from_iterable(open_needs)))
    for number in range(1, len(choices) + 1):
        found = [
            chosen
            for chosen in combinations(choices, number)
            if all(need.intersection(chosen) for need in open_needs)
        ]
        if found:
            return min(found, key=lambda chosen: sum(1 for _ in _filled(command, chosen)))
    return None if open_needs else ("min",)


def _filling(command: Command, field: str) -> frozenset[str] | None:
    """The groups of which any fills a field: empty where none is needed, None where none is known.

    A field that only all groups together fill is left to the server.
    """
    only = _ONLY_WITH.get(command.name, {}).get(field)
    if only is not None:
        return None if only in _WHOLE else frozenset({only})
    groups = [group for group in command.groups if group.word not in _WHOLE]
    growing = frozenset(group.word for group in groups if field in group.grows)
    least = command.group("min")
    if growing or (least is not None and field in least.fills):
        return growing
    return frozenset(group.word for group in groups if field in group.fills) or None


def _filled(command: Command, words: Collection[str]) -> Iterator[str]:
    """The fields that these groups fill or grow: the more there are, the dearer they are."""
    groups: list[Group] = [group for group in command.groups if group.word in words]
    yield from chain.from_iterable((*group.fills, *group.grows) for group in groups)


def _takes(parameter: Parameter, groups: Collection[str]) -> bool:
    """Whether the server knows these words: an older one may have fewer, and names those it has."""
    listed = re.search(r"\[([\w\s,]+)\]", parameter.description)
    return listed is None or set(groups) <= set(re.findall(r"\w+", listed[1]))
