"""Names for ids: `zoneid=Zurich` is looked up in listZones before the call is sent.

The server drops what isn't an id from 138 filters without a word, so nothing is guessed:
one thing of exactly that name, in a list that is complete, or an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches

from cs_magic.api.catalogue import Command
from cs_magic.api.checks import is_uuid
from cs_magic.api.lookups import GIVE, OWNERS, TELLING, Found, Lists, Row
from cs_magic.api.named import FORCED, Ids, columns_of, filter_of, ids_of, names_nothing
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, CallError, CloudStackError

# Where a thing stands narrows what may be meant; whose it is decides between namesakes.
_PLACES = ("zoneid", "physicalnetworkid", "podid", "clusterid")
_FIRST = ("domainid", "projectid", *_PLACES)
# What is made belongs to the place and the owner that the call names; elsewhere those may be
# where something is to go (assignVirtualMachine, updateDiskOffering).
_MAKES = re.compile(r"(create|deploy|register|associate|upload|acquire|allocate|add)[A-Z]")
_EVERYWHERE = frozenset({"listImageStores"})  # one without a zone serves all of them
_MANY = 5  # that many names of one list are found in all of it
_SHOWN = 10  # namesakes that an error shows


def resolved(
    lists: Lists,
    call: Call,
    command: Command,
    forced_only: bool = False,
    leave: Collection[str] = (),
    many: bool = False,
) -> Call:
    """The call with ids in the place of names.

    Args:
        many: it is one of many calls: lists are read whole, and once for them all.
        forced_only: look up `name:VALUE` alone.
        leave: values that are left as they are.

    Raises:
        CallError: nothing is called so, or several are.
        CloudStackError: a look-up failed, or its list is not complete.
    """
    pairs = list(call.arguments)
    narrows = command.is_read or _MAKES.match(command.name) is not None
    for index in sorted(range(len(pairs)), key=lambda one: _rank(pairs[one][0])):
        argument, value = pairs[index]
        if value in leave:
            continue
        if names_nothing(command, argument, value):
            raise CallError(f"{argument}: no list has names for it", GIVE, name=argument)
        ids = ids_of(command, argument)
        if ids is not None:
            search = _Search(lists, argument, Call(command.name, tuple(pairs)), narrows, many)
            pairs[index] = (argument, search.value(value, ids, forced_only))
    return Call(call.command, tuple(pairs))


def name_of(lists: Lists, command: Command, argument: str, id_: str) -> str | None:
    """What the thing of that id is called that an argument names, or None where no list has it.

    Raises:
        CloudStackError: a list could not be read.
    """
    ids = ids_of(command, argument)
    for name in ids.lists if ids is not None else ():
        listed = lists.listing(name)
        if listed is None or listed.parameter("id") is None:
            continue
        given = {"id": id_, **lists.word(name)}
        if any(needed.name not in given for needed in listed.required):
            continue
        for row in lists.rows(Call(name, tuple(given.items()))):
            called = next((row[one] for one in columns_of(name) if row.get(one)), None)
            if called and str(row.get("id")) == id_:
                return str(called)
    return None


@dataclass(frozen=True, slots=True)
class _Hit:
    """What a list has of a name, and `near` where it has nothing: what else there is."""

    command: str
    rows: list[Row]
    again: bool
    near: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the names in one argument of a call, whose places are ids already."""

    lists: Lists
    argument: str
    call: Call
    narrows: bool
    many: bool = False

    def value(self, value: str, ids: Ids, forced_only: bool) -> str:
        """The value with ids in the place of its names."""
        pieces = ids.pieces(value)
        said = [ids.name_in(piece, forced_only) for piece in pieces]
        many = self.many or len(set(said) - {None}) > _MANY
        return ",".join(
            piece if name is None else self._id(name, ids.lists, many)
            for piece, name in zip(pieces, said, strict=True)
        )

    def _id(self, name: str, lists: Sequence[str], many: bool) -> str:
        try:
            if not name:
                raise CallError(f"{self.argument}={FORCED} says no name")
            hit = self._hit(name, lists, many)
            if len(hit.rows) != 1:
                raise self._several(name, hit) if hit.rows else self._none(name, hit)
        except CallError as error:
            error.name = error.name or self.argument
            raise
        except CloudStackError as error:
            asked = f"{self.argument}={name} was looked up in {lists[0]}: an id needs no look-up."
            error.hints = (*error.hints, asked)
            raise
        found = Found(self.argument, name, str(hit.rows[0]["id"]), hit.command, hit.again)
        self.lists.note(found)
        return found.id

    def _hit(self, name: str, lists: Sequence[str], many: bool) -> _Hit:
        """What the first list has of that name; the further ones count where it has nothing."""
        first = self._in(lists[0], name, many)
        for further in () if first.rows else lists[1:]:
            with suppress(ApiError, CallError):  # not everybody has it, and not by the call's words
                hit = self._in(further, name, many)
                if hit.rows:
                    return hit
        return first

    def _in(self, listed: str, name: str, many: bool) -> _Hit:
        """What one list has of that name: asked for that name alone where that can be done."""
        command, whole = self._asked(listed)
        again, by = self.lists.has(whole), filter_of(command)
        if again or many or by is None:
            rows = self.lists.rows(whole)
            return _Hit(listed, self._called(rows, listed, name), again, rows)
        last = name.rpartition("/")[2] if columns_of(listed)[0] == "path" else name
        one = whole.having(**{by: last or name})
        again = self.lists.has(one)
        found = self._called(self.lists.rows(one), listed, name)
        if found:
            return _Hit(listed, found, again)
        # Perhaps the server's filter takes a name for something else.
        near, complete = self.lists.some(whole)
        return _Hit(listed, self._called(near, listed, name) if complete else [], again, near)

    def _asked(self, listed: str) -> tuple[Command, Call]:
        """The list command, and the call of all that may be meant."""
        command = self.lists.listing(listed)
        if command is None:
            raise CallError(f"{self.argument} is looked up in {listed}, which you don't have", GIVE)
        given: dict[str, str] = dict(self.lists.word(listed))
        for place in _PLACES if self.narrows and listed not in _EVERYWHERE else ():
            value = self.call.given(place)
            if value is not None and is_uuid(value) and command.parameter(place):
                given[place] = value
        for needed in command.required:
            value = given.get(needed.name) or self.call.given(needed.name)
            if not value:
                raise CallError(
                    f"{self.argument} is looked up in {listed}, which needs {needed.name}", GIVE
                )
            given[needed.name] = value
        least = command.group("min")
        if least is not None and {"id", *columns_of(listed)} <= set(least.fills):
            given["details"] = "min"
        return command, Call(listed, tuple(given.items()))

    def _called(self, rows: Sequence[Row], listed: str, name: str) -> list[Row]:
        """The things of that name, one row each; of namesakes those of the call's owner."""
        found: list[Row] = []
        for column in columns_of(listed):
            ids = {row["id"]: row for row in rows if row.get("id") and row.get(column) == name}
            found = found or list(ids.values())
        for owner in OWNERS if self.narrows and len(found) > 1 else ():
            given = self.call.given(owner)
            found = [row for row in found if given and row.get(owner) == given] or found
        return found

    def _several(self, name: str, hit: _Hit) -> CallError:
        telling = (columns_of(hit.command)[0], *TELLING)
        differ = [one for one in telling if len({str(row.get(one)) for row in hit.rows}) > 1]
        if "domainpath" in differ and "domain" in differ:
            differ.remove("domain")
        told = [
            " ".join([str(row["id"]), *(f"{one}={row[one]}" for one in differ[:5] if row.get(one))])
            for row in hit.rows[:_SHOWN]
        ]
        more = len(hit.rows) - len(told)
        return CallError(
            f'{hit.command} has {len(hit.rows)} of the name "{name}": give the id of one',
            *told,
            f"and {more} more" if more else "",
        )

    def _none(self, name: str, hit: _Hit) -> CallError:
        column = columns_of(hit.command)[0]
        known = dict.fromkeys(str(row[column]) for row in hit.near if row.get(column))
        folded = {one.casefold(): one for one in known}
        near = get_close_matches(name.casefold(), folded, n=5)
        meant = f': did you mean "{folded[near[0]]}"?' if near else ""
        few, said = [folded[one] for one in near[1:]], "Also near:"
        if not near:
            few, said = list(known)[:5], "It has:" if len(known) <= 5 else "It has, among others:"
        where = [f"{place}={value}" for place, value in self._asked(hit.command)[1].arguments]
        places = [one for one in where if one.startswith(_PLACES)]
        return CallError(
            f'{hit.command} has nothing of the name "{name}"{meant}',
            f"{said} {', '.join(few)}" if few else "",
            f"Looked up with {' '.join(places)}." if places else "",
            "" if known else "It gave nothing at all.",
        )


def _rank(argument: str) -> int:
    """Places and owners first: they narrow what the others may mean."""
    name = argument.lower()
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
