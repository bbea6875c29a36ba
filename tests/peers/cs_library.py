"""The Python library `cs`."""

from __future__ import annotations

import asyncio
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from peers.checks import equal, same
from peers.client import (
    ALL,
    MACHINES,
    Bench,
    Check,
    ClientError,
    DiffersError,
    NotAtHandError,
    Peer,
)
from peers.plain import PAGE, Arguments, Row, Target, ids, rows_of


class CsPeer(Peer):
    """Its `CloudStack` class, as its own README uses it."""

    name = "cs"

    def __init__(self, target: Target, **options: Any) -> None:
        from cs import CloudStack

        self._cloud = CloudStack(
            endpoint=target.endpoint,
            key=target.api_key,
            secret=target.secret_key,
            timeout=120,
            poll_interval=0.1,
            **options,
        )

    @classmethod
    def version(cls) -> str:
        try:
            return version("cs")
        except PackageNotFoundError:
            raise NotAtHandError("pip install 'cs[async]'") from None

    def call(self, command: str, arguments: Arguments) -> Row:
        return _row(self._ask(command, arguments))

    def job(self, command: str, arguments: Arguments) -> Row:
        return _row(self._ask(command, arguments, fetch_result=True))

    def everything(self, command: str, arguments: Arguments, pagesize: int | None) -> list[Row]:
        size = {} if pagesize is None else {"pagesize": pagesize}
        rows: list[Row] = self._ask(command, arguments, fetch_list=True, **size)
        return rows

    @classmethod
    def own_checks(cls) -> dict[str, Check]:
        return {
            "post": _post,
            "asyncio": _asyncio,
            "unlimited signature": _unlimited,
            "expired signature": _expired,
        }

    def _ask(self, command: str, arguments: Arguments, **options: Any) -> Any:
        from cs import CloudStackApiException

        pythonic = {
            name: value
            if isinstance(value, str)
            else [{"key": key, "value": item} for key, item in value.items()]
            for name, value in arguments.items()
        }
        try:
            return getattr(self._cloud, command)(**pythonic, **options)
        except CloudStackApiException as error:
            said = error.error if isinstance(error.error, dict) else {}
            code = said.get("errorcode", error.response.status_code)
            raise ClientError(
                said.get("errortext", str(error)), code, said.get("cserrorcode")
            ) from error


def _row(answer: Any) -> Row:
    return answer if isinstance(answer, dict) else {"value": answer}


def _post(bench: Bench) -> str:
    """The same list by POST."""
    rows = CsPeer(bench.target, method="post").everything(MACHINES, ALL, PAGE)
    same("ids", ids(rows), ids(bench.machines))
    return f"{len(rows)} machines"


def _asyncio(bench: Bench) -> str:
    """The library's other client, on aiohttp, with three lists under way at once."""
    from cs import AIOCloudStack

    states, target = ("Running", "Stopped", "Destroyed"), bench.target

    async def lists() -> list[list[Row]]:
        keys = (target.endpoint, target.api_key, target.secret_key)
        async with AIOCloudStack(*keys, timeout=120) as cloud:
            asked = {**ALL, "fetch_list": True, "pagesize": PAGE}
            calls = (cloud.listVirtualMachines(state=state, **asked) for state in states)
            found: list[list[Row]] = await asyncio.gather(*calls)
            return found

    rows = [row for one in asyncio.run(lists()) for row in one]
    same("ids", ids(rows), (one["id"] for one in bench.machines if one["state"] in states))
    return f"{len(rows)} machines in three lists"


def _unlimited(bench: Bench) -> str:
    """Without `expires` a signature is good for ever."""
    got = CsPeer(bench.target, expiration=-1).call("listZones", {})
    same("ids", ids(rows_of(got)), ids(bench.plain.rows("listZones")))
    return "taken"


def _expired(bench: Bench) -> str:
    """A signature that ran out is refused."""
    past = {"signatureVersion": "3", "expires": "2020-01-01T00:00:00+0000"}
    try:
        bench.peer.call("listZones", past)
    except ClientError as error:
        equal("code", error.code, 401)
        return f"shows {error.code}, {error.text!r}"
    raise DiffersError("taken")
