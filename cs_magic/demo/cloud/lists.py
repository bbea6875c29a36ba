"""How a list command is answered: scope, filters, order, page, fields by role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cs_magic.demo.cloud.caller import Caller
from cs_magic.demo.cloud.filters import Predicate
from cs_magic.demo.cloud.parameters import Arguments, Parameter
from cs_magic.demo.cloud.refusals import INVALID, Refused
from cs_magic.demo.cloud.scopes import Scope, everything
from cs_magic.demo.cloud.served import SERVED
from cs_magic.demo.data.items import Item, Row
from cs_magic.demo.data.world import World

# `default.page.size`: what an unpaged list is cut at, and the largest page.
PAGE_SIZE = 500

EVERYBODY = "ARDU"

Render = Callable[[Item, Caller, Arguments], Row]
Source = Callable[[World, Caller, Arguments], Sequence[Item]]
Arrange = Callable[[Sequence[Item]], Sequence[Item]]


@dataclass(frozen=True, slots=True)
class Command:
    """What every command has: its listApis entry, and who may call it.

    `fields` names the fields of a row or object, in order; `nested` those of a
    field that holds rows itself; `types` are types that a field has here only.
    `wrapper` is the envelope's key where it is not the command's name; one that
    `isasync` answers with the id of a job.
    """

    name: str
    roles: str = EVERYBODY
    parameters: tuple[Parameter, ...] = ()
    fields: str = ""
    nested: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    since: str = ""
    wrapper: str = ""
    isasync: bool = False

    @property
    def description(self) -> str:
        """What it is for, from the written list."""
        return SERVED[self.name]


@dataclass(frozen=True, slots=True)
class ObjectCommand(Command):
    """A command that answers with one object, or with a document of its own making."""

    answer: Callable[[World, Caller, Arguments], Row] = lambda world, caller, arguments: {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCommand(Command):
    """A command that lists the items of a table.

    `hidden` are fields that only root admins are shown, `hidden_from_users`
    those that domain admins are shown too. `arrange`
    orders the rows within a page, where the server does not keep the order of
    the list. A list that is not `paged` ignores page and pagesize; one with
    `empty_past_end` answers `{}` there and not the count. `unpaged_with` names
    a parameter that, when given, makes page and pagesize ignored; where
    `page_count` says so, count is the number of rows of the page. A list that
    is not `remembered` is made anew for each page.
    """

    key: str
    table: str
    scope: Scope = everything
    source: Source | None = None
    render: Render | None = None
    hidden: frozenset[str] = frozenset()
    hidden_from_users: frozenset[str] = frozenset()
    newest_first: bool = False
    arrange: Arrange | None = None
    paged: bool = True
    unpaged_with: str = ""
    zero_is_all: bool = False
    empty_past_end: bool = False
    page_count: Callable[[Caller], bool] = lambda caller: False
    remembered: bool = True


def select(
    command: ListCommand, world: World, caller: Caller, arguments: Arguments
) -> Sequence[Item]:
    """The items that the caller may see and asked for, in the order of the list.

    A list that nothing narrows is left as it is: it may be one that makes its
    items when they are looked at.
    """
    if command.source:
        items = command.source(world, caller, arguments)
    else:
        items = world.table(command.table).items
    tests = _tests(command, world, caller, arguments)
    if tests:
        items = [item for item in items if all(test(item) for test in tests)]
    return items[::-1] if command.newest_first else items


def _tests(
    command: ListCommand, world: World, caller: Caller, arguments: Arguments
) -> list[Predicate]:
    scope = command.scope(world, caller, arguments, command.name)
    tests = [scope] if scope else []
    for parameter in command.parameters:
        if parameter.narrow and parameter.name in arguments:
            value = arguments[parameter.name]
            # An empty text filters nothing, as an absent one.
            if value != "":
                tests.append(parameter.narrow(value))
    return tests


def check_page(arguments: Arguments) -> None:
    """Refuse the page and pagesize that CloudStack refuses."""
    page, size = arguments.get("page"), arguments.get("pagesize")
    if size is not None and page is None and size != -1:
        raise Refused(431, '"page" parameter is required when "pagesize" is specified')
    if page is not None and size is None:
        raise Refused(431, '"pagesize" parameter is required when "page" is specified')
    if page is not None and size == -1:
        text = "Can't specify page parameter when pagesize is -1 (Unlimited)"
        raise Refused(431, text, INVALID)
    if size is not None and size > PAGE_SIZE:
        text = f"Page size can't exceed max allowed page size value: {PAGE_SIZE}"
        raise Refused(431, text, INVALID)
    if size is not None and size < -1:
        raise Refused(530, f"You have an error in your SQL syntax near '{size}'")


def cut(command: ListCommand, items: Sequence[Item], arguments: Arguments) -> Sequence[Item]:
    """The items of the page that was asked for; without one the first 500."""
    size = arguments.get("pagesize", PAGE_SIZE)
    paged = command.paged and command.unpaged_with not in arguments
    if not paged or size == -1 or (size == 0 and command.zero_is_all):
        return items
    start = max(arguments.get("page", 1) - 1, 0) * size
    page = items[start : start + size]
    return command.arrange(page) if command.arrange else page


def document(
    command: ListCommand, items: Sequence[Item], caller: Caller, arguments: Arguments
) -> dict[str, Any]:
    """The answer: count and rows; `{}` where there is nothing, the count alone past the end."""
    if arguments.get("retrieveonlyresourcecount"):
        return {"count": len(items)} if items else {}
    page = cut(command, items, arguments)
    if not items or (not page and command.empty_past_end):
        return {}
    count = len(page) if command.page_count(caller) else len(items)
    if not page:
        return {"count": count} if count else {}
    return {"count": count, command.key: [view(command, i, caller, arguments) for i in page]}


def view(command: ListCommand, item: Item, caller: Caller, arguments: Arguments) -> Row:
    """The item's row as this caller is shown it."""
    row = command.render(item, caller, arguments) if command.render else item.row()
    if caller.is_root:
        return row
    hidden = command.hidden | (command.hidden_from_users if caller.is_user else frozenset())
    return {name: value for name, value in row.items() if name not in hidden} if hidden else row
