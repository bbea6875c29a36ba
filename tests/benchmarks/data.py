"""The machines that are measured: the demo cloud's, with every field that a real server sends.

A page file holds a reply, as CloudStack spells it: compact JSON in UTF-8.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from cs_magic.api.catalogue import bundled
from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.api.spelling import kinds
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call
from cs_magic.demo.server import serving

PAGE = 500
FIELDS = 84
Row = dict[str, Any]
# Of each kind: odd ones in 1 % of the values of these fields, in the mixed data.
ODD: dict[str, Any] = {
    "cpunumber": "8", "memory": 1.5, "cpuspeed": "fast", "displayname": 12, "hostname": True,
    "haenable": "true", "created": "soon", "cpuused": 4, "serviceofferingname": {"a": 1},
    "receivedbytes": 2**70,
}  # fmt: skip
MIXED: dict[type, Any] = {str: 7, int: "7", float: "7.5", bool: "true", list: "none", dict: 3}


def make(folder: Path, machines: int) -> None:
    """Write the pages into `clean`, and what is odd into `odd` and `mixed`, of the folder."""
    chance = random.Random(1)
    for variant in ("clean", "odd", "mixed"):
        (folder / variant).mkdir(parents=True)
    for number, rows in enumerate(_filled(_listed(machines))):
        _write(folder / "clean", number, rows, machines)
        more = [row | _unknown(row, number) for row in rows]
        _write(folder / "odd", number, [_odd(row, chance) for row in more], machines)
        _write(folder / "mixed", number, [_mixed(row, chance) for row in more], machines)


def pages(folder: Path) -> list[bytes]:
    """The replies of a folder, in order."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def _listed(machines: int) -> Iterator[list[Row]]:
    """The demo's own pages."""
    with serving(machines=machines) as demo:
        keys = KeyPair(demo.api_key, demo.secret_key)
        transport = HttpTransport(Profile("bench", demo.endpoint, keys))
        for number in range(1, machines // PAGE + 1):
            call = Call("listVirtualMachines").having(listall="true", page=number, pagesize=PAGE)
            body = transport.send(keys.authorize(call, demo.endpoint, _now())).body
            yield json.loads(body)["listvirtualmachinesresponse"]["virtualmachine"]


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _filled(listed: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """Every row with the same fields: those that the demo has, and more documented ones."""
    documented = kinds(bundled().command("listVirtualMachines"))
    names: list[str] = []
    for rows in listed:
        if not names:
            told = sorted(rows, key=len)[-1:] + rows
            names = list(dict.fromkeys(name for row in told for name in row))
            names += [name for name, kind in documented.items() if kind != "nested"]
            names = list(dict.fromkeys(name for name in names if name != "password"))[:FIELDS]
        yield [
            {name: row.get(name, _made(name, documented[name], row)) for name in names}
            for row in rows
        ]


def _made(name: str, kind: str, row: Row) -> Any:
    """A value for a field that the demo leaves out."""
    number = int(row["id"][:6], 16)
    if kind == "text":
        if name.endswith("id"):
            return str(UUID(int=number << 64 | len(name)))
        return f"{name} {number % 97}"
    made = {
        "integer": number,
        "boolean": number % 2 == 0,
        "date": f"2026-0{number % 9 + 1}-15T12:{number % 60:02}:00+0000",
        "number": f"{number % 100}.5%",
    }
    return made.get(kind, [])


def _unknown(row: Row, number: int) -> Row:
    """Five fields that no catalogue has."""
    return {
        "newtext": f"text {row['name']}", "newnumber": number, "newshare": number / 7,
        "newflag": number % 2 == 0, "newlist": [{"id": row["id"]}],
    }  # fmt: skip


def _odd(row: Row, chance: random.Random) -> Row:
    return row | {name: odd for name, odd in ODD.items() if name in row and chance.random() < 0.01}


def _mixed(row: Row, chance: random.Random) -> Row:
    """One value of a hundred is of another type, in every field but the id."""
    return {
        name: MIXED[type(value)] if name != "id" and chance.random() < 0.01 else value
        for name, value in row.items()
    }


def _write(folder: Path, number: int, rows: list[Row], machines: int) -> None:
    document = {"listvirtualmachinesresponse": {"count": machines, "virtualmachine": rows}}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    (folder / f"{number:05}.json").write_bytes(text.encode())
