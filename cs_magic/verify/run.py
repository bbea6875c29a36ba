"""One run: everything that is held against a server, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from cs_magic.api.credentials import KeyPair
from cs_magic.api.values import Call
from cs_magic.connection import Connection
from cs_magic.errors import CloudStackError, Unauthorized
from cs_magic.verify.clocks import clock
from cs_magic.verify.findings import Finding, Section, said_whole
from cs_magic.verify.lists import Lists
from cs_magic.verify.report import Report
from cs_magic.verify.signing import signing
from cs_magic.verify.trip import trip

Tell = Callable[[str], None]


def verified(connection: Connection, write: bool = False, tell: Tell = lambda _: None) -> Report:
    """Hold our client against a connection's server, and report.

    Args:
        write: also make and remove a tag; everything else only reads.
        tell: is told what is being done, in a few words.

    Whatever the server does is in the report; nothing of it is raised.
    """
    began, when = time.monotonic(), datetime.now(UTC)
    tell("what the server can do")
    error = _first_call(connection)
    facts = _facts(connection)
    tell("the clock")
    if error is not None:
        found = tuple(_failed(connection, error))
        return Report(facts, found, when, time.monotonic() - began)
    timing, later = clock(connection.client)
    sections = [timing]
    tell("signing")
    sections.append(signing(connection.client))
    lists = Lists(connection, connection.catalogue)
    sections.append(lists.section(tell))
    sections.append(lists.dates.section(connection.client.clock(), later))
    if write:
        tell("writing")
        sections.append(trip(connection))
    return Report(facts, tuple(sections), when, time.monotonic() - began)


def _first_call(connection: Connection) -> CloudStackError | None:
    """What is wrong with the first call; it also reads what the server can do."""
    try:
        connection.client.exchange(Call("listCapabilities"), is_read=True)
        connection.sync() if connection.catalogue.origin == "cached" else connection.meet()
    except CloudStackError as error:
        return error
    return None


def _failed(connection: Connection, error: CloudStackError) -> Iterator[Section]:
    """What is told where the first call fails: a clock that is off may be why a key is refused."""
    problem = Finding("problem", "", said_whole(error, connection.profile))
    yield Section("First call", "failed, so little more was asked", (problem,))
    if isinstance(error, Unauthorized):
        yield clock(connection.client)[0]


def _facts(connection: Connection) -> tuple[tuple[str, str], ...]:
    """What the report is about, without saying whose it is."""
    profile, catalogue = connection.profile, connection.catalogue
    keys = connection.client.access.used() or profile.credentials
    how = f"API keys, {_algorithm(keys)}" if isinstance(keys, KeyPair) else "user credentials"
    lists = sum(name.startswith("list") for name in catalogue.names())
    known = f"{len(catalogue.names())} commands, {lists} of them lists ({catalogue.origin})"
    scheme = profile.endpoint.partition(":")[0]
    return (
        ("CloudStack", catalogue.server or "unknown"),
        ("what this role may", known),
        ("signed in by", f"{how}; {scheme}, {profile.method.upper()}"),
    )


def _algorithm(keys: KeyPair) -> str:
    """The one that is used: left open it is the first one, until the server wants another."""
    return "HmacSHA1" if keys.algorithm == "auto" else keys.algorithm
