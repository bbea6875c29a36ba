"""What is known of a cloud's objects for completion: read in the background, kept for minutes.

Nothing is read before a call of the user's own was accepted, nothing signs in, nothing is
tried twice; who asks is answered at once with what there is.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cs_magic.api.pages import variants
from cs_magic.api.pagesize import PAGESIZE
from cs_magic.api.profile import Profile
from cs_magic.api.values import Call, Page
from cs_magic.notebook.related import Listing, Thing, Things

if TYPE_CHECKING:
    from cs_magic.connection import Connection

KEPT = 300.0  # seconds; older, they are shown once more while they are read again
AGAIN = 60.0  # a list that gave an error is not asked before
LONGEST = 20.0
_LISTS = 200  # kept at most
_AT_ONCE = 4
_CUTS, _PATIENCE = 25, 0.01  # a name that is being looked up can't be cut, and ends by itself

_Key = tuple[Profile, Call, Profile | None]  # the last is who called


class Known:
    """Everything that was read, by profile and call; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lists: dict[_Key, Things] = {}
        self._reading: dict[_Key, tuple[Connection, threading.Thread]] = {}
        self._lock = threading.Lock()

    def about(self, connection: Connection, listing: Listing, typed: str = "") -> Things | None:
        """What is known of a list right now; what isn't, or is old, is read meanwhile.

        Args:
            typed: the begin of a name: of a list that is too long to be read whole, the
                server is asked for those that hold it.
        """
        whole = self._known(connection, listing, listing.call)
        if whole is None or whole.whole or not typed or not listing.command.parameter("keyword"):
            return whole
        for end in range(1, len(typed)):
            found = self._lists.get(_key(connection, _with_keyword(listing, typed[:end])))
            if found is not None and found.whole and found.things:
                return found
        return self._known(connection, listing, _with_keyword(listing, typed)) or whole

    @property
    def reads(self) -> bool:
        """Whether something is being read right now."""
        return bool(self._reading)

    def forget(self, profile: Profile) -> None:
        """Forget what was read from a profile, and what is being read."""
        with self._lock:
            for lists in (self._lists, self._reading):
                for key in [key for key in lists if key[0] == profile]:
                    del lists[key]

    def close(self) -> None:
        """Forget everything, and cut what is being read."""
        with self._lock:
            reading = list(self._reading.values())
            self._reading.clear()
            self._lists.clear()
        # A thread may be just about to begin an exchange, so it is cut again until it ends.
        for _ in range(_CUTS):
            reading = [one for one in reading if one[1].is_alive()]
            for connection, thread in reading:
                connection.client.transport.interrupt({thread.ident or 0})
                thread.join(_PATIENCE)

    def _known(self, connection: Connection, listing: Listing, call: Call) -> Things | None:
        key = _key(connection, call)
        found = self._lists.get(key)
        if found is None or found.until < self._clock():
            self._read(key, connection, listing)
        return found

    def _read(self, key: _Key, connection: Connection, listing: Listing) -> None:
        """Read a list in a thread of its own, unless it is being read."""
        with self._lock:
            busy = key in self._reading or len(self._reading) >= _AT_ONCE
            if busy or not connection.client.access.stands:
                return
            thread = threading.Thread(
                target=self._reader,
                args=(key, connection, listing),
                name="cs_magic values",
                daemon=True,
            )
            self._reading[key] = (connection, thread)
        thread.start()

    def _reader(self, key: _Key, connection: Connection, listing: Listing) -> None:
        try:
            things, whole = _things(connection, listing, key[1])
            came = Things(things, whole, self._clock() + KEPT)
        except Exception:  # noqa: BLE001 - nobody waits: a traceback would stand in another's output
            old = self._lists.get(key, Things())
            came = Things(old.things, old.whole, self._clock() + AGAIN)
        with self._lock:
            wanted = self._reading.get(key)
            if wanted is not None and wanted[1] is threading.current_thread():
                del self._reading[key]
                self._lists.pop(key, None)
                self._lists[key] = came
                while len(self._lists) > _LISTS:
                    del self._lists[next(iter(self._lists))]


def _key(connection: Connection, call: Call) -> _Key:
    return connection.profile, call, connection.client.access.caller


def _with_keyword(listing: Listing, typed: str) -> Call:
    return listing.call.having(keyword=typed.lower())


def _things(connection: Connection, listing: Listing, call: Call) -> tuple[tuple[Thing, ...], bool]:
    """The rows of a list's first page, and whether that is all."""
    client, whole = connection.client, True
    found: dict[str, Thing] = {}
    for one in variants(call, listing.command, client.profile.scope == "own"):
        if listing.command.pages:
            one = one.having(page=1, pagesize=client.pagesize or PAGESIZE)
        page = _page(connection, one)
        rows = list(_rows(page))
        found |= {id_: Thing(name, id_) for name, id_ in _named(rows, listing.label)}
        whole = whole and (page is None or (page.count or 0) <= len(rows))
    return tuple(sorted(found.values(), key=lambda one: (one.name.casefold(), one.id))), whole


def _page(connection: Connection, call: Call) -> Page | None:
    """The answer, if it comes in time and is a list."""
    client, ident = connection.client, threading.get_ident()
    limit = threading.Timer(LONGEST, client.transport.interrupt, ({ident},))
    limit.daemon = True
    limit.start()
    try:
        payload = client.glance(call)
    finally:
        limit.cancel()
    return payload if isinstance(payload, Page) else None


def _rows(page: Page | None) -> Iterator[dict[str, Any]]:
    """The rows that are objects; what isn't JSON has none."""
    try:
        rows = [] if page is None else json.loads(page.rows)
    except ValueError:
        return
    yield from (row for row in rows if isinstance(row, dict))


def _named(rows: list[dict[str, Any]], label: str) -> Iterator[tuple[str, str]]:
    for row in rows:
        name, id_ = row.get(label), row.get("id")
        if isinstance(name, str) and name and label != "id":
            yield name, id_ if isinstance(id_, str) else name
        elif isinstance(id_, str):
            yield "", id_
