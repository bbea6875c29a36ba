"""The lists that names are looked up in: each read whole, and once for a cell."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cs_magic.api.catalogue import Catalogue, Command
from cs_magic.api.client import Client
from cs_magic.api.masks import masked_arguments
from cs_magic.api.named import ALL, FILTERED, USABLE, columns_of
from cs_magic.api.pages import Reader, Wish
from cs_magic.api.profile import Profile
from cs_magic.api.records import rows_of
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, CallError, Incomplete

Row = Mapping[str, Any]

GIVE = "Give the id itself."
OWNERS = ("projectid", "domainid", "account")
# What namesakes may differ in, as an error says it.
TELLING = (
    "domainpath", "domain", "account", "project", "zonename", "podname", "clustername",
    "vpcname", "networkname", "virtualmachinename", "volumename", "type", "state", "created",
)  # fmt: skip
_NEAR = 2000  # rows that are enough to say what may have been meant


@dataclass(frozen=True, slots=True)
class Found:
    """One name that was looked up; `again` where the cell had its list already."""

    argument: str
    name: str
    id: str
    command: str
    again: bool

    def __str__(self) -> str:
        again = ", read before" if self.again else ""
        ((_, name),) = masked_arguments([(self.argument, self.name)])
        return f"{self.argument}={name} is {self.id} ({self.command}{again})"


@dataclass(slots=True)
class Lookups:
    """What a cell has looked up so far. `told` gives what was found since it was last asked."""

    rows: dict[tuple[Profile, Call, bool], tuple[Row, ...]] = field(
        default_factory=dict, repr=False
    )
    # Lists of which the caller may not ask for all there is.
    restricted: set[tuple[Profile, str]] = field(default_factory=set, repr=False)
    found: list[Found] = field(default_factory=list)

    def forget(self) -> None:
        """Something was changed: names may mean others now."""
        self.rows.clear()

    def told(self) -> list[Found]:
        """What was found since the last time."""
        told, self.found = self.found, []
        return told


class Lists:
    """Reads lists with one connection's client and catalogue.

    Args:
        lookups: what is known already; more is added.
        own: read what the caller's account owns only.
        stop: given by a thread that works for the person's own; ends the reading once it is set.
    """

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        lookups: Lookups,
        own: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._lookups = lookups
        self._own = own
        self._stop = stop

    def listing(self, name: str) -> Command | None:
        """The list command of that name, or None where the catalogue has none."""
        return self._catalogue.find(name)

    def word(self, name: str) -> dict[str, str]:
        """The filter with which a list gives all that the caller may use."""
        if name not in FILTERED:
            return {}
        restricted = (self._client.profile, name) in self._lookups.restricted
        return {FILTERED[name]: USABLE if restricted else ALL}

    def has(self, call: Call) -> bool:
        """Was that list read before?"""
        return self._key(call) in self._lookups.rows

    def rows(self, call: Call) -> tuple[Row, ...]:
        """All rows of a list, read once.

        Raises:
            CloudStackError: the list can't be read, or not whole.
        """
        key = self._key(call)
        if key not in self._lookups.rows:
            rows, reason = self._read(call)
            if reason:
                raise CallError(f"{call.command} is not complete ({reason})", GIVE)
            self._lookups.rows[key] = rows
        return self._lookups.rows[key]

    def some(self, call: Call) -> tuple[tuple[Row, ...], bool]:
        """The first rows of a list, and whether they are all."""
        if self.has(call):
            return self.rows(call), True
        rows, reason = self._read(call, _NEAR)
        if not reason:
            self._lookups.rows[self._key(call)] = rows
        return rows, not reason

    def note(self, found: Found) -> None:
        """Remember what was found, to be told."""
        self._lookups.found.append(found)

    def _key(self, call: Call) -> tuple[Profile, Call, bool]:
        return self._client.profile, call, self._own

    def _read(self, call: Call, limit: int | None = None) -> tuple[tuple[Row, ...], str]:
        """The rows of a list, and why they may not be all; "" where they are."""
        command = self._catalogue.command(call.command)
        only = dict.fromkeys(("id", *columns_of(command.name), *OWNERS, *TELLING))
        wish = Wish(limit, tuple(only), text=True, own=self._own)
        try:
            result = Reader(self._client, command, {}, wish, stop=self._stop).read(call)
        except Incomplete as broken:
            problem = broken.reason
        except ApiError as error:
            less = self._less(call, error)
            if less is not None:
                return self._read(less, limit)
            raise
        else:
            came = result.provenance
            reason = "" if came.complete else came.reason or "nothing says so"
            return tuple(rows_of(result.table)), reason
        raise problem

    def _less(self, call: Call, error: ApiError) -> Call | None:
        """The call for what everybody may ask for, where all of it was refused."""
        name = FILTERED.get(call.command, "")
        if error.errorcode != 431 or call.given(name) != ALL:
            return None
        self._lookups.restricted.add((self._client.profile, call.command))
        return call.having(**{name: USABLE})
