"""What it takes to drive one client, and how a check of it may end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from peers.plain import Arguments, Plain, Row, Target, rows_of

MACHINES = "listVirtualMachines"
ALL = {"listall": "true"}


class NotAtHandError(Exception):
    """The client, or what it needs, is not on this machine."""


class BrokenError(NotAtHandError):
    """The client is here and can't be built or started, in words."""


class NotOfferedError(Exception):
    """The client has no way to do this: `n/a`."""


class OwnLimitError(Exception):
    """The client fails by its own doing, and fails so at a real server: `known`."""


class DiffersError(Exception):
    """The client did not get what the plain request gets: `failed`."""


class ClientError(Exception):
    """An error as the client shows it; a code is None where it shows none."""

    def __init__(self, text: str, code: int | None = None, finer: int | None = None) -> None:
        super().__init__(text)
        self.text, self.code, self.finer = text, code, finer


class Peer(ABC):
    """One client, unmodified, connected to one target by its API keys."""

    name: ClassVar[str]

    @abstractmethod
    def __init__(self, target: Target) -> None: ...

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """The version that is installed; NotAtHandError where there is none."""

    @abstractmethod
    def call(self, command: str, arguments: Arguments) -> Row:
        """What the client gives for one call: the inside of the envelope."""

    def job(self, command: str, arguments: Arguments) -> Row:
        """What the client gives for an asynchronous call, which it waits for."""
        raise NotOfferedError("does not wait for jobs")

    def everything(self, command: str, arguments: Arguments, pagesize: int | None) -> list[Row]:
        """A whole list by the client's own paging; None is its own page size."""
        raise NotOfferedError("has no paging of its own")

    def apis(self) -> set[str]:
        """The names that the client learns from listApis."""
        return {api["name"] for api in rows_of(self.call("listApis", {}))}

    @classmethod
    def own_checks(cls) -> dict[str, Check]:
        """The checks of what only this client does, by name."""
        return {}


@dataclass(frozen=True)
class Bench:
    """What a check works with: a client on a target, and the plain request beside it."""

    target: Target
    kind: type[Peer]

    @cached_property
    def plain(self) -> Plain:
        """The judge."""
        return Plain(self.target)

    @cached_property
    def peer(self) -> Peer:
        """The client, connected."""
        return self.kind(self.target)

    @cached_property
    def machines(self) -> list[Row]:
        """Every machine, as the plain request gives them; read once."""
        return self.plain.everything(MACHINES, ALL)


Check = Callable[[Bench], str]


@dataclass(frozen=True)
class Outcome:
    """How one check of one client ended: ok, known, n/a or failed, and in which words."""

    client: str
    check: str
    result: str
    detail: str


def outcome(bench: Bench, name: str, check: Check) -> Outcome:
    """Put the client through one check; whatever it raises is an outcome."""
    try:
        result, detail = "ok", check(bench)
    except NotOfferedError as why:
        result, detail = "n/a", str(why)
    except OwnLimitError as why:
        result, detail = "known", str(why)
    except Exception as error:  # noqa: BLE001 - whatever a client throws is what came of it
        result, detail = "failed", f"{type(error).__name__}: {error}"
    return Outcome(bench.kind.name, name, result, detail)
