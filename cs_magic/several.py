"""One read asked of several clouds at once: one result, and a note on each that failed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from cs_magic.api.lookups import Lookups
from cs_magic.api.profile import Profile
from cs_magic.api.united import PROFILE, Part, Parts, united
from cs_magic.api.values import Call, Options, Result
from cs_magic.at_once import AtOnce, Outcome, check_read
from cs_magic.connection import Connection
from cs_magic.errors import CallError, CloudStackError, Incomplete


def names_in(said: str) -> tuple[str, ...]:
    """The profiles that `zurich,geneva` names, in order.

    Raises:
        CallError: a name is empty, or stands there twice.
    """
    names = tuple(name.strip() for name in said.split(","))
    if len(names) == 1:
        return names
    if not all(names):
        raise CallError(f"{said} has an empty name between its commas")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CallError(f"{twice} is named twice")
    return names


def check_different(connections: Mapping[str, Connection]) -> None:
    """Refuse two names of one profile, whose rows would come twice; CallError."""
    seen: dict[Profile, str] = {}
    for name, one in connections.items():
        if one.profile in seen:
            raise CallError(f"{seen[one.profile]} and {name} are the same profile")
        seen[one.profile] = name


def check_reads(connections: Mapping[str, Connection], command: str) -> None:
    """Refuse what changes something, by whichever cloud's catalogue; nothing is sent."""
    for one in connections.values():
        known = one.catalogue.find(command)
        if known is not None:
            check_read(known, connections)


def of_one(options: Options) -> Options:
    """The options for each cloud: `profile` is no column of theirs."""
    columns = tuple(name for name in options.columns or () if name != PROFILE)
    return replace(options, columns=columns or None)


def of_all(options: Options) -> Options:
    """The options for the whole: `profile` first, unless its place was typed."""
    if options.columns is None or PROFILE in options.columns:
        return options
    return replace(options, columns=(PROFILE, *options.columns))


def ask(
    connections: Mapping[str, Connection],
    call: Call,
    options: Options,
    lookups: Lookups | None = None,
    may_sign_in: bool = False,
) -> Result:
    """What the clouds answer to a read, all asked at once; its provenance is `Parts`.

    One that fails loses no other: the result is incomplete then, and a note has its error.
    The limit is each cloud's. Names are looked up at each.

    Args:
        lookups: the lists that are known already; what was found is added, by profile.
        may_sign_in: somebody can sign in: where that is needed, it is raised.

    Raises:
        Refused: the call changes something; nothing was sent.
        CloudStackError: all of them failed: the first one's error, the others in its hints.
        Incomplete: none came whole; `error.result` is such a Result.
        SignInNeeded: with `may_sign_in`, where somebody has to.
    """
    check_reads(connections, call.command)
    began = time.monotonic()
    asked = AtOnce(connections, call, of_one(options), lookups or Lookups(), may_sign_in)
    outcomes = asked.outcomes()
    came, failed = _sorted(outcomes)
    if not came:
        raise all_failed(failed)
    parts = [_part(name, connections[name], came.get(name), failed.get(name)) for name in outcomes]
    result = united(call, parts, came, time.monotonic() - began)
    result = replace(result, notes=(*failures(result), *result.notes))
    if failed.keys() >= came.keys():
        raise _none_whole(result, failed)
    return result


def all_failed(failed: Mapping[str, CloudStackError]) -> CloudStackError:
    """The first one's error, which says in its hints whose it is and what the others said."""
    (name, error), *others = failed.items()
    more = [f"{other}: {said(one)}" for other, one in others if str(one) != str(error)]
    if not more and isinstance(error, CallError):
        return error  # of the text alone
    whose = f"So said {name}." if more else f"So said {', '.join(failed)}."
    error.hints = (whose, *more, *error.hints)
    return error


def said(error: CloudStackError) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}"


def failures(result: Result) -> tuple[str, ...]:
    """What went wrong at the profiles that failed, a line for each."""
    came = result.provenance
    return (
        tuple(part.failed for part in came.parts if part.failed) if isinstance(came, Parts) else ()
    )


def _sorted(
    outcomes: Mapping[str, Outcome],
) -> tuple[dict[str, Result], dict[str, CloudStackError]]:
    """What came, and what failed; a list that broke off is in both."""
    came: dict[str, Result] = {}
    failed: dict[str, CloudStackError] = {}
    for name, outcome in outcomes.items():
        if isinstance(outcome, Result):
            came[name] = outcome
            continue
        failed[name] = outcome
        if isinstance(outcome, Incomplete):
            came[name] = outcome.result
    return came, failed


def _part(name: str, one: Connection, result: Result | None, error: CloudStackError | None) -> Part:
    host = one.profile.host
    failed = f"{name} at {host}: {said(error)}" if error else ""
    if result is None:
        return Part(name, host, reason=str(error), failed=failed)
    came = result.provenance
    return Part(name, host, came.rows, came.complete, came.reason, failed)


def _none_whole(result: Result, failed: Mapping[str, CloudStackError]) -> Incomplete:
    (name, first), *others = failed.items()
    reason = first.reason if isinstance(first, Incomplete) else first
    return Incomplete(
        f"No profile's list came whole: {result.provenance.rows:,} rows; {name}: {first}",
        *(f"{other}: {said(error)}" for other, error in others),
        "error.result holds the rows that came.",
        result=result,
        reason=reason,
    )
