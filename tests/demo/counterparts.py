"""What in the demo stands for a recorded thing: the most alike, by owner, zone, state and type.

Of those that are equally alike it is one that stands for nothing else yet.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from raw import exchange, signature
from recorded import whole
from replay import accounts, recorded

from cs_magic.demo.server import Demo

Row = dict[str, Any]
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
WHO = {
    "admin": "admin", "radmin": "auditor", "da": "retail-admin", "u1": "webshop", "u2": "stores",
    "u3": "webshop-lab", "x2fa": "security", "x2fb": "stores", "xdis": "stores",
    "xlock": "stores", "xkeys": "stores", "xfive": "stores",
}  # fmt: skip
DOMAINS = {"": "ROOT", "/": "ROOT", "/D1": "ROOT/Retail", "/D1/D2": "ROOT/Retail/Webshop"}
# What makes two things alike, the most telling first.
ALIKE = ("state", "type", "hypervisor", "templatetype")
NEEDED = {"listTemplates": {"templatefilter": "all"}, "listIsos": {"isofilter": "all"}}


@cache
def things() -> dict[str, tuple[str, Row]]:
    """Recorded id → the list command that shows it, and its row."""
    found: dict[str, tuple[str, Row]] = {}
    for step in recorded():
        if step.status == 200 and step.command.startswith("list") and whole(step.body):
            ((_, inner),) = json.loads(step.body, strict=False).items()
            for rows in inner.values() if isinstance(inner, dict) else ():
                for row in rows if isinstance(rows, list) else ():
                    if isinstance(row, dict) and "id" in row and len(row) > 2:
                        one = step.command, row
                        if _tells_more(one, found.get(str(row["id"]))):
                            found[str(row["id"])] = one
    return found


def _tells_more(one: tuple[str, Row], before: tuple[str, Row] | None) -> bool:
    """Whether a machine ran in this row; what was done to one was done to a running one."""
    if before is None:
        return True
    return one[0] == before[0] == "listVirtualMachines" and one[1].get("state") == "Running"


class Counterparts:
    """The things of one demo, as its root admin sees them when somebody first asks."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._lists: dict[str, list[Row]] = {}
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, theirs: str) -> str:
        """Our id of what is most like the recorded thing; the same where there was none."""
        if theirs not in self._known:
            found = things().get(theirs)
            self._known[theirs] = self._like(*found) if found else self._of_people(theirs)
            self._taken.add(self._known[theirs])
        return self._known[theirs]

    def machine(self, account: str) -> str:
        """A machine of ours that runs and is the recorded account's."""
        mine = (r for r in self.rows("listVirtualMachines") if r.get("account") == WHO[account])
        return next(str(row["id"]) for row in mine if row["state"] == "Running")

    def network(self, account: str) -> str:
        """A network of ours that the recorded account may put a machine into."""
        wanted = {"account": WHO[account], "zoneid": self.zone, "type": "Isolated"}
        for names in (("account", "zoneid", "type"), ("account", "zoneid")):
            for row in self.rows("listNetworks"):
                if "vpcid" not in row and all(row.get(name) == wanted[name] for name in names):
                    return str(row["id"])
        raise LookupError(f"{wanted} has no network")

    @property
    def zone(self) -> str:
        """The zone that stands for the recorded one."""
        return str(self.rows("listZones")[0]["id"])

    def _of_people(self, theirs: str) -> str:
        for name, who in accounts().items():
            for key, command in (("userid", "listUsers"), ("accountid", "listAccounts")):
                if who[key] == theirs:
                    mine = (
                        r
                        for r in self.rows(command)
                        if WHO[name] in (r.get("name"), r.get("username"))
                    )
                    return next((row["id"] for row in mine), theirs)
        return theirs

    def _like(self, command: str, row: Row) -> str:
        rows = [one for one in self.rows(command) if "id" in one]
        path = DOMAINS.get("/" + "/".join(str(row.get("path", "")).split("/")[1:]), "")
        owner = WHO.get(str(row.get("account", "")), row.get("account"))
        who = WHO.get(str(row.get("username", row.get("name", ""))))

        def likeness(one: Row) -> tuple[Any, ...]:
            return (
                bool(path) and one.get("path") == path,
                who is not None and who in (one.get("username"), one.get("name")),
                one.get("account") == owner,
                one.get("zoneid", self.zone if command != "listZones" else None) == self.zone,
                ("projectid" in one) == ("projectid" in row),
                *(one.get(name) == row.get(name) for name in ALIKE),
                str(one["id"]) not in self._taken,
            )

        best = max(rows, key=likeness, default=None)
        return str(best["id"]) if best else str(row["id"])

    def rows(self, command: str) -> list[Row]:
        """All that the root admin is shown by a list command."""
        if command not in self._lists:
            found = [
                row
                for scope in ("listall=true", "projectid=-1")
                for row in self._ask(command, scope)
            ]
            self._lists[command] = [row for row in found if isinstance(row, dict)]
        return self._lists[command]

    def _ask(self, command: str, scope: str) -> list[Any]:
        name, _, value = scope.partition("=")
        pairs = {"apikey": self._demo.api_key, "command": command, "pagesize": "-1"}
        pairs |= {"response": "json", name: value, **NEEDED.get(command, {})}
        text = "&".join(f"{n}={quote(v, safe='')}" for n, v in sorted(pairs.items())).lower()
        pairs["signature"] = signature(text, self._demo.secret_key)
        target = f"/client/api?{urlencode(pairs)}"
        ((_, inner),) = json.loads(exchange(self._demo.endpoint, "GET", target).body).items()
        return next((value for value in inner.values() if isinstance(value, list)), [])
