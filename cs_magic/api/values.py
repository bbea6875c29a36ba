"""The values that travel through the client: data only, frozen, secrets never in a repr."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Self

from cs_magic.api.masks import MASK, masked_arguments
from cs_magic.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

Pairs = tuple[tuple[str, str], ...]


class Secret(str):
    """A text that tells nobody what it is: a traceback shows locals by their repr.

    A pickle or a deep copy (`dataclasses.asdict` makes one) has `••••` in its place. What is
    made of it (`strip`, `+`) is a plain text again, and has to be wrapped anew.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK

    def __reduce_ex__(self, protocol: object) -> tuple[type, tuple[str]]:
        return str, (MASK,)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> str:
        return MASK


class Unwritten:
    """A base of values that hold secrets: they never change, and no pickle is made of them."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise unwritten(type(self).__name__)


def unwritten(what: str) -> Refused:
    """The error of who pickles what holds secrets."""
    return Refused(
        f"A {what} is not pickled: it holds secrets",
        "Where it is needed, make it anew: cs_magic.connect(NAME)",
    )


@dataclass(frozen=True, slots=True)
class Call:
    """What the person meant: a command and its arguments as (name, value) pairs, unsigned."""

    command: str
    arguments: Pairs = ()

    def __repr__(self) -> str:
        return f"Call({self.command!r}, {masked_arguments(self.arguments)!r})"

    def given(self, name: str) -> str | None:
        """The value of an argument, its name in any letter case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.arguments if key.lower() == wanted), None)

    def names(self) -> frozenset[str]:
        """The names of the arguments in lower case; a map parameter `tags[0].key` is `tags`."""
        return frozenset(parameter_of(name) for name, _ in self.arguments)

    def having(self, **arguments: str | int) -> Call:
        """The same call with these arguments added, or replaced where they were there."""
        kept = tuple(pair for pair in self.arguments if pair[0] not in arguments)
        added = tuple((name, str(value)) for name, value in arguments.items())
        return Call(self.command, kept + added)


@dataclass(frozen=True, slots=True)
class Options:
    """How a call is made and what its answer becomes.

    `columns` are the columns wanted, in order; `limit` the most rows; `own` leaves the
    scope to the server; `check` holds the call against the catalogue; `text` leaves dates
    and numbers that travel as text as text; `raw` gives parsed JSON; `explode` is the
    nested field of which each element becomes a row; `reveal` shows secrets; `file` is the
    kind and the path of a file to write. A job is waited for where `wait` says so, so many
    seconds as `timeout`, else as the profile's `job_timeout`.
    """

    columns: tuple[str, ...] | None = None
    limit: int | None = None
    own: bool = False
    check: bool = True
    text: bool = False
    raw: bool = False
    explode: str | None = None
    reveal: bool = False
    file: tuple[str, str] | None = None
    wait: bool = True
    timeout: float | None = None


def parameter_of(name: str) -> str:
    """The parameter that a wire name belongs to: `Tags[0].key` → `tags`."""
    return name.partition("[")[0].lower()


@dataclass(frozen=True, slots=True)
class Request(Unwritten):
    """One HTTP exchange about to happen.

    `form` and `cookies` may hold passwords, signatures and session keys: each is a `Secret`.
    """

    command: str
    url: str
    form: Pairs = field(repr=False)
    method: str = "POST"
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: status, content type, headers that matter, the body as it came.

    `secrets` are those of the request: an answer that repeats them is not shown so.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: str | None = None
    location: str | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: frozenset[Secret] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: the rows are still the bytes of a JSON array.

    `key` is the inner key (`virtualmachine`), or None where the page is empty;
    `count` is the server's, or None where it gave none; `notes` say what had to
    be repaired in the reply's text. Rows that have an `again` were cut out at sight, and
    nobody has looked into them: where they can't be read, it reads the reply with care.
    """

    key: str | None
    count: int | None
    rows: bytes = field(default=b"[]", repr=False)
    notes: tuple[str, ...] = ()
    again: Callable[[], Page] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that is one object: `key` is its name, or None where its fields are inline."""

    key: str | None
    fields: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobReply:
    """The answer of an async command: the job's id, and the id of what it creates, if any."""

    jobid: str
    id: str | None = None


Payload = Page | Document | JobReply


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a result came from: what `df.attrs["cs"]` shows. No secret, JSON types only."""

    command: str
    arguments: Pairs = ()
    profile: str = ""
    host: str = ""
    scope: tuple[str, ...] = ()
    rows: int = 0
    count: int | None = None
    pages: int = 0
    duplicates: int = 0
    limit: int | None = None
    seconds: float = 0.0
    time: str = ""
    catalogue: str = ""
    complete: bool | None = True
    reason: str = ""
    jobid: str = ""

    def as_json(self) -> dict[str, Any]:
        """A dict of JSON types, long argument values cut so that the whole stays under 4 KB."""
        job = {"jobid": self.jobid} if self.jobid else {}
        return job | {
            "profile": self.profile,
            "host": self.host,
            "command": self.command,
            "parameters": dict(_shortened(self.arguments)),
            "scope": list(self.scope),
            "rows": self.rows,
            "count": self.count,
            "pages": self.pages,
            "duplicates": self.duplicates,
            "limit": self.limit,
            "seconds": round(self.seconds, 3),
            "time": self.time,
            "catalogue": self.catalogue[:100],
            "complete": self.complete,
            "reason": self.reason[:300],
        }


@dataclass(frozen=True, slots=True)
class Result:
    """A finished answer: Arrow columns, where they came from, and what there is to say.

    `key` is the reply's inner key (`virtualmachine`); `notes` tell of values that did
    not fit. Secrets are masked in the table; `secrets` has them by column and row. A result
    that is one object has one row.
    """

    table: pa.Table
    provenance: Provenance
    key: str | None = None
    notes: tuple[str, ...] = ()
    secrets: Mapping[str, Mapping[int, Any]] = field(default_factory=dict, repr=False)
    written: Mapping[str, Any] | None = None

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        """What a pickle holds: all but the secrets, which stay in this process."""
        return Result, (self.table, self.provenance, self.key, self.notes, {}, self.written)


def _shortened(arguments: Pairs, room: int = 2400) -> Iterable[tuple[str, str]]:
    share = max(24, room // max(1, len(arguments)))
    for index, (name, value) in enumerate(arguments):
        if index == 40:
            yield "…", f"and {len(arguments) - 40} more"
            return
        yield name[:60], value if len(value) <= share else value[: share - 1] + "…"
