"""Parameters that many commands share, one line each."""

from __future__ import annotations

from cs_magic.demo.cloud.filters import Filter, among, folded, like, same, tagged
from cs_magic.demo.cloud.parameters import Parameter

PAGES = (
    Parameter("page", "integer", "which page, from 1; only together with pagesize"),
    Parameter("pagesize", "integer", "how many rows a page has; -1 alone is all of them"),
)

OWNERS = (
    Parameter("account", "string", "what this account has; the domain is named by domainid"),
    Parameter("domainid", "uuid", "what this domain has", entity="domains"),
    Parameter("isrecursive", "boolean", "with domainid: and the domains below it"),
    Parameter("listall", "boolean", "all that one may see, not only what is one's own"),
)

PROJECT = Parameter(
    "projectid", "uuid", "what this project has; -1 for all projects", entity="projects"
)

COUNT_ONLY = Parameter("retrieveonlyresourcecount", "boolean", "the count alone, without rows")


def one(entity: str) -> Parameter:
    """`id`, of that table."""
    return Parameter("id", "uuid", "the one with this id", same("id"), entity)


def many(entity: str, since: str = "4.4") -> Parameter:
    """`ids`, of that table."""
    return Parameter("ids", "list", "those with these ids", among("id"), entity, since=since)


def of(
    name: str, entity: str, since: str = "", root_only: bool = False, required: bool = False
) -> Parameter:
    """What belongs to something else, by its id."""
    what = name.removesuffix("id")
    return Parameter(
        name,
        "uuid",
        f"those of this {what}",
        same(name),
        entity,
        since=since,
        root_only=root_only,
        required=required,
    )


def word(
    name: str, narrow: Filter | None = None, description: str = "", since: str = ""
) -> Parameter:
    """A text that the field of the same name is compared with."""
    return Parameter(
        name,
        "string",
        description or f"those with this {name}",
        narrow or folded(name),
        since=since,
    )


def flag(name: str, since: str = "") -> Parameter:
    """Yes or no."""
    return Parameter(name, "boolean", f"those where {name} is so", same(name), since=since)


def keyword(*fields: str) -> Parameter:
    """`keyword`, looked for in these fields."""
    text = f"those that have this text in {', '.join(fields)}; % and _ are wildcards"
    return Parameter("keyword", "string", text, like(*fields))


def details(*words: str) -> Parameter:
    """`details`, a list of these words."""
    return Parameter("details", "list", f"which fields: {', '.join(words)}", words=words)


TAGS = Parameter("tags", "map", "those with one of these tags", tagged)
