"""What a connection does beside single calls: follow a job, make many calls of one command."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial

from cs_magic.api.asked import check_options
from cs_magic.api.catalogue import Command
from cs_magic.api.client import Sending
from cs_magic.api.jobs import Watcher, answered, ask, wait
from cs_magic.api.lookups import Lookups
from cs_magic.api.many import Many
from cs_magic.api.outcomes import interrupted, page_of, result_of, secrets_of, waited, whole
from cs_magic.api.pages import Reader
from cs_magic.api.records import revealed
from cs_magic.api.spelling import kinds, spelt
from cs_magic.api.traces import traceable
from cs_magic.api.values import Call, Document, Options, Page, Payload, Result
from cs_magic.connection import Connection

_NOTHING = Command("")
_FEW = 5  # the names of so many calls are asked for one by one


def job(
    connection: Connection,
    jobid: str,
    options: Options,
    watcher: Watcher,
    command: str | None = None,
) -> Result:
    """What a job gave, once it is over; where `options` don't wait, the job as it stands now.

    Args:
        command: the command whose job it is, where that is known; its fields give the types.

    Raises:
        JobFailed: it failed. StillRunning: it was waited for long enough.
        ApiError: the server doesn't know the job, or it is another account's.
    """
    check_options(options)
    client, catalogue = connection.client, connection.catalogue
    asked = catalogue.find("queryAsyncJobResult") or Command("queryAsyncJobResult")
    payload: Payload
    if options.wait:
        timeout = connection.patience(options)
        found = wait(client, jobid, timeout=timeout, watcher=watcher)
        payload = answered(found, command or asked.name, watcher)
        makes = (catalogue.find(command) if command else None) or _listing(connection, payload)
    else:
        found = ask(client, jobid)
        watcher.looked(found)
        payload, makes = Document("job", found.fields, found.notes), asked
    call = Call(asked.name, (("jobid", jobid),))
    reader = Reader(client, asked, kinds(makes), connection.wish(options))
    result = connection.named(reader.of(call, payload))
    return replace(result, provenance=replace(result.provenance, jobid=jobid))


def _listing(connection: Connection, payload: Payload) -> Command:
    """The list of what an object is one of: a `virtualmachine` is listed by its plural."""
    key = payload.key if isinstance(payload, Page | Document) else None
    return (connection.catalogue.find(f"list{key}s") if key else None) or _NOTHING


def each(
    connection: Connection,
    calls: Sequence[Call],
    options: Options,
    *,
    like: Call | None = None,
    workers: int = 4,
    lookups: Lookups | None = None,
    watcher: Watcher | None = None,
) -> Result:
    """What came of many calls of one command, one row each; one that fails stops no other.

    Args:
        calls: each of them is checked, and its names are looked up, before the first is sent.
        like: what they are like, where there may be none: it has the names of the columns.
        workers: how many are under way at a time, their jobs included.

    Returns:
        The arguments of each call, its `outcome` (done, failed, still running, unknown,
        not sent), `jobid`, `error` and `seconds`; where something was made its id as
        `created`; and as `result` what a read answered, or the secrets that a write did.

    Raises:
        CallError: a call is wrong; none was sent. SignInNeeded: nobody is signed in.
        StillRunning: somebody interrupted; `error.result` is such a Result.
    """
    lookups = lookups or Lookups()
    commands = [connection.command(call, of_one(options)) for call in calls]
    command = commands[0] if commands else _NOTHING
    sent = [spelt(call, command) for call in with_ids(connection, calls, options, lookups)]
    if not command.is_read:
        known = connection.catalogue.find(command.name)
        sent = [traceable(call, known) for call in sent]
    if sent:  # Threads don't sign in.
        connection.client.access.request(sent[0], is_read=command.is_read)
    if sent and not command.is_read:
        lookups.forget()
    many = Many(
        connection.client,
        sent,
        partial(_send, connection, command, options),
        whole if command.is_read else secrets_of,
        workers,
        connection.patience(options) if options.wait else 0.0,
        watcher,
    )
    began = time.monotonic()
    stopped = waited(many)
    took = time.monotonic() - began
    if stopped and watcher is not None:
        watcher.left(many.counts())
    result = connection.named(result_of(connection.client, calls, many.outcomes, took, like))
    if stopped:
        raise interrupted(result, many.outcomes)
    return result


def with_ids(
    connection: Connection,
    calls: Sequence[Call],
    options: Options,
    lookups: Lookups,
    leave: Collection[str] = (),
) -> list[Call]:
    """The calls with ids where they say names, but for the values to `leave`.

    Of more than a few the lists of names are read whole. Errors as in `Connection.with_ids`.
    """
    many = len(calls) > _FEW
    return [connection.with_ids(call, options, lookups, leave, many) for call in calls]


def planned(
    connection: Connection,
    calls: Sequence[Call],
    options: Options,
    lookups: Lookups,
    leave: Collection[str] = (),
) -> Iterator[Call]:
    """The calls that `each` would send, but for the values to `leave`; errors as there."""
    one = of_one(options)
    for call in with_ids(connection, calls, one, lookups, leave):
        yield from connection.planned(call, replace(one, check=one.check and not leave))


def of_one(options: Options) -> Options:
    """The options for one of many calls: columns, rows for each element and a file are of all."""
    return replace(options, columns=None, explode=None, file=None)


def _send(
    connection: Connection,
    command: Command,
    options: Options,
    call: Call,
    stop: threading.Event,
    sending: Sending,
) -> Payload:
    """The answer to one of many calls, a list whole."""
    client = connection.client
    if not command.is_read:
        return client.exchange(call, is_read=False, stop=stop, sending=sending)
    sending(call)
    wish = connection.wish(of_one(options))
    result = Reader(client, command, kinds(command), wish, stop=stop).read(call)
    return page_of(revealed(result))  # masked where they become a table
