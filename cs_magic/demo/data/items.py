"""What everything in the demo's cloud is made of: rows, owners, ids and dates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Protocol

Row = dict[str, Any]

# The day the demo's clock starts on, so that "older than 30 days" and "last
# month" mean the same machines every time: Monday, 14 September 2026, 8 o'clock.
START = int(datetime(2026, 9, 14, 8, 0, tzinfo=UTC).timestamp())
DAY = 86_400
GIB = 1 << 30


def identifier(seed: int, kind: str, number: int) -> str:
    """The UUID of the number-th thing of a kind; the same for the same seed."""
    text = blake2b(f"{seed}/{kind}/{number}".encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def stamp(moment: float) -> str:
    """Seconds since 1970 as CloudStack prints a date."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(moment))


@dataclass(slots=True, eq=False)
class Domain:
    """A domain; `path` as replies print it, starting with ROOT.

    One that `mandates_2fa` lets nobody work who has not set up a second factor.
    """

    number: int
    id: str
    name: str
    path: str
    parent: Domain | None
    mandates_2fa: bool = False

    @property
    def login_path(self) -> str:
        """The path as a login takes it: `/` for ROOT, `/Retail` below it."""
        return self.path[len("ROOT") :] or "/"

    def within(self, other: Domain) -> bool:
        """Whether this is the other domain or lies below it."""
        return self is other or (self.parent is not None and self.parent.within(other))


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """A role; `kind` is the account type: 0 user, 1 root admin, 2 domain admin."""

    id: str
    name: str
    type: str
    kind: int
    letter: str


@dataclass(slots=True, eq=False)
class User:
    """A person who may sign in, with the keys of this throw-away cloud.

    `state` is enabled, disabled or locked, and may change while the cloud runs.
    """

    number: int
    id: str
    username: str
    firstname: str
    lastname: str
    created: int
    password: str = field(repr=False)
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    pin: str = field(default="", repr=False)
    state: str = "enabled"
    must_change_password: bool = False


@dataclass(slots=True, eq=False)
class Account:
    """An account: what owns things. `project` is set on a project's own account."""

    number: int
    id: str
    name: str
    domain: Domain
    role: Role
    created: int
    user: User
    project: Project | None = None
    state: str = "enabled"

    @property
    def enabled(self) -> bool:
        """Whether the account and its user are: else neither password nor keys open anything."""
        return self.state == self.user.state == "enabled"

    @property
    def wants_second_factor(self) -> bool:
        """Whether a code has to follow the password, be it set up or only demanded."""
        return bool(self.user.pin) or self.domain.mandates_2fa

    def fields(self) -> Row:
        """The owner as most rows name it."""
        named: Row = {"account": self.name}
        if self.project:
            named = {"projectid": self.project.id, "project": self.project.name}
        return named | {
            "domainid": self.domain.id,
            "domain": self.domain.name,
            "domainpath": self.domain.path,
        }


@dataclass(slots=True, eq=False)
class Project:
    """A project: an account of its own, and the accounts that take part."""

    number: int
    id: str
    name: str
    displaytext: str
    domain: Domain
    created: int
    members: Sequence[Account]


class Item(Protocol):
    """One thing of a table: what filters look at, and the row that is sent."""

    @property
    def number(self) -> int: ...
    @property
    def owner(self) -> Account | None: ...
    def get(self, name: str) -> Any: ...
    def row(self) -> Row: ...


@dataclass(slots=True, eq=False)
class Fixed:
    """An item whose row is written down."""

    number: int
    fields: Row
    owner: Account | None = None

    def get(self, name: str) -> Any:
        """The value of a field, None where there is none."""
        return self.fields.get(name)

    def row(self) -> Row:
        """The row as the root admin sees it."""
        return self.fields


@dataclass(slots=True, eq=False)
class Live:
    """An item whose row is made when it is looked at, because something in it changes."""

    number: int
    make: Callable[[], Row]
    owner: Account | None = None

    def get(self, name: str) -> Any:
        """The value of a field as it is now, None where there is none."""
        return self.make().get(name)

    def row(self) -> Row:
        """The row as the root admin sees it now."""
        return self.make()


class Table:
    """The items of one kind, in the order of their internal numbers.

    Whoever looks through `items` sees them as they were when it began: a change
    puts another list in their place. What was removed is still found by its id,
    as on the real server.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self._by_id = {item.get("id"): item for item in items}
        self._by_number = {item.number: item for item in items}
        self._last = max(self._by_number, default=0)

    def find(self, text: str) -> Item | None:
        """The item with this UUID or, as the server also accepts, this internal number."""
        if text.isascii() and text.isdigit():
            return self._by_number.get(int(text))
        return self._by_id.get(text.lower())

    def add(self, item: Item) -> None:
        """Put an item at the end."""
        self.items = [*self.items, item]
        self._by_id[item.get("id")] = item
        self._by_number[item.number] = item
        self._last = max(self._last, item.number)

    def remove(self, *gone: Item) -> None:
        """Take items away."""
        self.items = [item for item in self.items if all(item is not one for one in gone)]

    def drop(self, *gone: Item) -> None:
        """Take items away, and find them no more."""
        self.remove(*gone)
        for item in gone:
            self._by_id.pop(item.get("id"), None)
            self._by_number.pop(item.number, None)

    @property
    def next_number(self) -> int:
        """A number that no item has had."""
        return self._last + 1

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def table(rows: Sequence[tuple[Row, Account | None]] | Sequence[Row]) -> Table:
    """A table of written rows, numbered from 1, with or without owners."""
    items = []
    for number, entry in enumerate(rows, 1):
        row, owner = entry if isinstance(entry, tuple) else (entry, None)
        items.append(Fixed(number, row, owner))
    return Table(items)
