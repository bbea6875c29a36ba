"""The checks that every client is put through, each held against the plain request."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace

from peers.client import (
    ALL,
    MACHINES,
    Bench,
    Check,
    ClientError,
    DiffersError,
    OwnLimitError,
)
from peers.plain import PAGE, Arguments, Plain, RefusedError, Target, ids, rows_of
from peers.tap import signs_well

FIELDS = "id name displayname state account zoneid memory cpunumber created".split()
CHARACTERS = (
    "two words", "ü", "日本", "*", "a*b", "a&b=c", "a+b", "%", "100%", "%41", "_", "it's (x)",
    "a/b?c#d", "x,y;z", '"q"<>', "\\", "a:b@c!$", "`^{|}", "two\nlines",
)  # fmt: skip


def same(what: str, got: Iterable[str], wanted: Iterable[str]) -> None:
    """DiffersError unless both hold the same texts as often, in whatever order."""
    left, right = sorted(got), sorted(wanted)
    if left != right:
        odd = f"missing {sorted(set(right) - set(left))[:3]}"
        odd += f", too much {sorted(set(left) - set(right))[:3]}"
        raise DiffersError(f"{what}: {len(left)} instead of {len(right)}; {odd}")


def equal(what: str, got: object, wanted: object) -> None:
    """DiffersError unless both are equal."""
    if got != wanted:
        raise DiffersError(f"{what}: {got!r} instead of {wanted!r}")


def _apis(bench: Bench) -> str:
    """listApis names what it names to everybody."""
    got = bench.peer.apis()
    same("names", got, (api["name"] for api in bench.plain.rows("listApis")))
    return f"{len(got)} names"


def _zones(bench: Bench) -> str:
    """The zones."""
    wanted = bench.plain.rows("listZones")
    same("ids", ids(rows_of(bench.peer.call("listZones", {}))), ids(wanted))
    return f"{len(wanted)} zones"


def _pages(bench: Bench) -> str:
    """Pages asked for one by one hold every machine once, and each gives the total."""
    got: list[str] = []
    page = 0
    while len(got) == PAGE * page:
        page += 1
        asked = {**ALL, "page": str(page), "pagesize": str(PAGE)}
        said = bench.peer.call(MACHINES, asked)
        if rows_of(said):
            equal(f"count on page {page}", said["count"], len(bench.machines))
        got += ids(rows_of(said))
    same("ids", got, ids(bench.machines))
    return f"{len(got)} machines on {page} pages"


def _own_paging(bench: Bench) -> str:
    """The client's own paging holds every machine once, whatever its page size."""
    for size in (PAGE, None):
        got = bench.peer.everything(MACHINES, ALL, size)
        same(f"ids at {size or 'its own number'} a page", ids(got), ids(bench.machines))
    return f"{len(bench.machines)} machines"


def _states(bench: Bench) -> str:
    """A filter: the machines of a state."""
    found = []
    for state in ("Running", "Stopped"):
        asked = {**ALL, "state": state, "page": "1", "pagesize": "500"}
        wanted = bench.plain.rows(MACHINES, asked)
        same(state, ids(rows_of(bench.peer.call(MACHINES, asked))), ids(wanted))
        found.append(f"{len(wanted)} {state}")
    return ", ".join(found)


def _fields(bench: Bench) -> str:
    """Text and numbers of a few machines arrive as they are, awkward names first."""
    plain, odd = [], []
    for machine in bench.machines:
        (plain if _is_plain(machine.get("displayname", "")) else odd).append(machine)
    for wanted in (odd[:3] + plain)[:5]:
        (got,) = rows_of(bench.peer.call(MACHINES, {"id": wanted["id"]}))
        for name in FIELDS:
            if name in wanted:
                equal(name, got.get(name), wanted[name])
    return "5 machines"


def _is_plain(name: str) -> bool:
    return name.replace("-", "").isalnum() and name.isascii()


def _id_list(bench: Bench) -> str:
    """A comma list of ids gives just these."""
    wanted = ids(bench.machines[:3])
    got = rows_of(bench.peer.call(MACHINES, {**ALL, "ids": ",".join(wanted)}))
    same("ids", ids(got), wanted)
    return f"{len(got)} ids"


def _tag_filter(bench: Bench) -> str:
    """A map parameter filters."""
    tags = [tag for machine in bench.machines for tag in machine.get("tags", ())]
    tag = tags[0] if tags else {"key": "env", "value": "prod"}
    asked: Arguments = {**ALL, "tags": {tag["key"]: tag["value"]}, "page": "1", "pagesize": "500"}
    wanted = bench.plain.rows(MACHINES, asked)
    same("ids", ids(rows_of(bench.peer.call(MACHINES, asked))), ids(wanted))
    return f"{len(wanted)} machines with {tag['key']}={tag['value']}"


def _empty_list(bench: Bench) -> str:
    """A list without rows is an empty list, no error."""
    said = bench.peer.call(MACHINES, {**ALL, "keyword": uuid.uuid4().hex})
    equal("rows", rows_of(said), [])
    return f"shows {said}"


def _past_the_end(bench: Bench) -> str:
    """A page after the last one has no rows."""
    said = bench.peer.call(MACHINES, {**ALL, "page": "999", "pagesize": str(PAGE)})
    equal("rows", rows_of(said), [])
    return "no rows"


def _awkward(bench: Bench, cases: Iterable[dict[str, str]]) -> str:
    """Calls that are hard to sign: those signed well are taken, the others must be refused."""
    taken, refused = 0, []
    for case in cases:
        asked = {**ALL, "details": "min", "page": "1", "pagesize": str(PAGE), **case}

        def send(target: Target, asked: Arguments = asked) -> object:
            return bench.kind(target).call(MACHINES, asked)

        well = signs_well(send, bench.target)
        try:
            got = bench.peer.call(MACHINES, asked)
        except ClientError as error:
            if well or error.code != 401:
                raise
            refused.append(str(case))
            continue
        if not well:
            raise DiffersError(f"{case}: taken, although the signature is wrong")
        same(str(case), ids(rows_of(got)), ids(bench.plain.rows(MACHINES, asked)))
        taken += 1
    if refused:
        raise OwnLimitError(f"signs otherwise than the server, so 401: {', '.join(refused)}")
    return f"{taken} calls"


def _characters(bench: Bench) -> str:
    """Every kind of character in a value, and the awkward names that machines have."""
    names = {machine.get("displayname", "") for machine in bench.machines}
    odd = sorted(name for name in names if not _is_plain(name) and "~" not in name)
    return _awkward(bench, [{"keyword": text} for text in (*CHARACTERS, *odd[:6])])


def refusal(
    bench: Bench, status: int, command: str, arguments: Arguments, target: Target | None = None
) -> str:
    """A call that is refused with a status; the client shows the server's text and codes."""
    plain = Plain(target or bench.target)
    peer = bench.kind(target) if target else bench.peer
    try:
        plain.ask(command, arguments)
    except RefusedError as error:
        wanted = error
    else:
        raise DiffersError("the server did not refuse it")
    equal("the server's status", wanted.status, status)
    try:
        peer.call(command, arguments)
    except ClientError as error:
        shown = error
    else:
        raise DiffersError("the client took an error for an answer")
    equal("the code shown", shown.code or status, status)
    equal("the finer code shown", shown.finer or wanted.finer, wanted.finer)
    if status != 401 and wanted.text not in shown.text:
        raise DiffersError(f"shows {shown.text!r} instead of {wanted.text!r}")
    return f"shows {shown.code or 'no code'}, {shown.text[:70]!r}"


def _bad_value(bench: Bench) -> str:
    """An id of nothing."""
    return refusal(bench, 431, MACHINES, {"zoneid": str(uuid.UUID(int=1, version=4))})


def _page_too_big(bench: Bench) -> str:
    """A page size beyond the server's."""
    return refusal(bench, 431, MACHINES, {"page": "1", "pagesize": "10000"})


def _tags(bench: Bench) -> str:
    """Jobs: a tag is made, found by the client, and removed again."""
    machine, key = _running(bench), f"peer-{bench.kind.name}-{uuid.uuid4().hex[:8]}"
    value = "prüf & co + 100% *'x'/=;"
    tag: Arguments = {"resourceids": machine, "resourcetype": "UserVm", "tags": {key: value}}
    equal("createTags", bench.peer.job("createTags", tag).get("success"), True)
    try:
        asked = {**ALL, "resourceid": machine, "resourcetype": "UserVm", "key": key}
        found = rows_of(bench.peer.call("listTags", asked))
        equal("its value", [one["value"] for one in found], [value])
        found = rows_of(bench.peer.call(MACHINES, {**ALL, "tags": {key: value}}))
        equal("machines that have it", ids(found), [machine])
    finally:
        gone = bench.peer.job("deleteTags", tag)
    equal("deleteTags", gone.get("success"), True)
    equal("tags left", bench.plain.rows("listTags", {**ALL, "key": key}), [])
    return "made, found, removed"


def _failed_job(bench: Bench) -> str:
    """A job that fails, as the removal of a tag that isn't there: its text is shown."""
    nothing = {uuid.uuid4().hex: "x"}
    tag: Arguments = {
        "resourceids": _running(bench),
        "resourcetype": "UserVm",
        "tags": nothing,
    }
    wanted = bench.plain.job("deleteTags", tag)
    equal("jobstatus", wanted["jobstatus"], 2)
    text, code = wanted["jobresult"]["errortext"], wanted["jobresult"]["errorcode"]
    try:
        bench.peer.job("deleteTags", tag)
    except ClientError as error:
        equal("text is shown", text in error.text, True)
        equal("the code shown", error.code or code, code)
        return f"shows {error.code or 'no code'}, {error.text[:70]!r}"
    raise DiffersError("the client took a failed job for a success")


def _running(bench: Bench) -> str:
    """The id of a running machine."""
    return next(one["id"] for one in bench.machines if one["state"] == "Running")


CHECKS: dict[str, Check] = {
    "apis": _apis,
    "zones": _zones,
    "pages": _pages,
    "own paging": _own_paging,
    "states": _states,
    "fields": _fields,
    "id list": _id_list,
    "tag filter": _tag_filter,
    "empty list": _empty_list,
    "past the end": _past_the_end,
    "empty value": lambda bench: _awkward(bench, [{"keyword": ""}]),
    "characters": _characters,
    "tilde": lambda bench: _awkward(bench, [{"keyword": "a~b"}]),
    "brackets": lambda bench: _awkward(bench, [{"keyword": "[a]"}]),
    "name order": lambda bench: _awkward(bench, [{"xB": "1", "xa": "2"}]),
    "bad value": _bad_value,
    "page too big": _page_too_big,
    "missing parameter": lambda bench: refusal(bench, 431, "listTemplates", {}),
    "unknown command": lambda bench: refusal(bench, 401, "listNoSuchThings", {}),
    "wrong secret": lambda bench: refusal(
        bench, 401, "listZones", {}, replace(bench.target, secret_key="wrong")
    ),
    "unknown key": lambda bench: refusal(
        bench, 401, "listZones", {}, replace(bench.target, api_key="unknown")
    ),
}
CHANGING: dict[str, Check] = {"tags": _tags, "failed job": _failed_job}
