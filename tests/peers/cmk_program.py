"""CloudMonkey, CloudStack's own command line program, where one is on the PATH."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from peers.checks import equal, same
from peers.client import (
    ALL,
    MACHINES,
    Bench,
    Check,
    ClientError,
    DiffersError,
    NotAtHandError,
    NotOfferedError,
    Peer,
)
from peers.plain import PAGE, Arguments, Row, Target, ids, rows_of, spelt

CONFIG = """\
prompt = #
asyncblock = true
timeout = 120
output = json
verifycert = true
profile = peer
autocomplete = true

[peer]
url = {endpoint}
username = {username}
password = {password}
domain = {domain}
apikey = {api_key}
secretkey = {secret_key}
"""
ERROR = "🙈 Error: "
REFUSED = re.compile(r"\(HTTP (\d+), error code ([^)]*)\) (.*)", re.S)


class CmkPeer(Peer):
    """The program, with a home of its own: nobody's profiles have a say here."""

    name = "cmk"

    def __init__(self, target: Target) -> None:
        if target.api_key:  # it would sign in wherever it has a password
            target = replace(target, username="", password="")
        self._home = TemporaryDirectory(prefix="cmk-")
        self._config = Path(self._home.name) / "config"
        self._config.write_text(CONFIG.format(**vars(target)), encoding="utf-8")
        self._config.chmod(0o600)

    @classmethod
    def version(cls) -> str:
        with TemporaryDirectory(prefix="cmk-") as home:
            done = subprocess.run(
                [_program(), "-v"], capture_output=True, env=_at(home), check=True, text=True
            )
        found = re.search(r"\d+\.\d+\.\d+\S*", done.stdout)
        return found[0] if found else "unknown"

    def call(self, command: str, arguments: Arguments) -> Row:
        return _parsed(self.run(command, spelt(arguments)))

    def job(self, command: str, arguments: Arguments) -> Row:
        return self.call(command, arguments)

    def apis(self) -> set[str]:
        """`cmk sync`, and what it keeps for its completion and help."""
        shown = self.run("sync", {})
        kept = Path(self._home.name, ".cmk", "profiles", "peer.cache").read_text("utf-8")
        found = json.loads(kept)["api"]
        equal("said by sync", shown.strip(), f"Discovered {len(found)} APIs")
        return {api["name"] for api in found}

    @classmethod
    def own_checks(cls) -> dict[str, Check]:
        return {"filter and csv": _filter, "login": _login, "wrong password": _wrong_password}

    def run(self, command: str, sent: dict[str, str], options: Iterable[str] = ()) -> str:
        """What the program prints."""
        words = [_program(), "-c", str(self._config), *options, command]
        words += [f"{name}={value}" for name, value in sent.items()]
        done = subprocess.run(
            words, capture_output=True, env=_at(self._home.name), timeout=300, check=False
        )
        shown = done.stdout.decode()
        if done.returncode == 0:
            return shown
        before, found, message = shown.partition(ERROR)
        if not found:
            raise DiffersError(f"broke down: {(done.stderr.decode() or shown)[:300]}")
        raise _problem(before, message.strip())


def _problem(before: str, message: str) -> Exception:
    """The program's error as ours."""
    if "unknown command or API requested" in message:
        return NotOfferedError("knows commands from its own list, and asks no server")
    refused = REFUSED.match(message)
    if refused:
        finer = int(refused[2]) if refused[2].isdigit() else None
        return ClientError(refused[3], int(refused[1]), finer)
    if "async API failed" in message:
        result = _parsed(before).get("jobresult", {})
        return ClientError(result.get("errortext", message), result.get("errorcode"))
    return ClientError(message, 401 if "please check the credentials" in message else None)


def _parsed(shown: str) -> Row:
    if "Missing required parameters" in shown:
        raise NotOfferedError("checks required parameters itself, and asks no server")
    answer: Row = json.loads(shown) if shown.strip() else {}
    return answer


def _program() -> str:
    found = shutil.which(os.environ.get("CMK", "cmk"))
    if found is None:
        raise NotAtHandError("needs an official cmk on the PATH, or its path in CMK")
    return found


def _at(home: str) -> dict[str, str]:
    return {**os.environ, "HOME": home}


def _filter(bench: Bench) -> str:
    """Its own `filter=`, which it sends along, and CSV."""
    assert isinstance(bench.peer, CmkPeer)
    asked = {**ALL, "page": "1", "pagesize": str(PAGE)}
    shown = bench.peer.run(MACHINES, {**asked, "filter": "id,name"}, ["-o", "csv"])
    wanted = [f"{one['id']},{one['name']}" for one in bench.plain.rows(MACHINES, asked)]
    same("lines", shown.splitlines(), ["id,name", *wanted])
    return f"{len(wanted)} lines"


def _with_password(bench: Bench) -> Target:
    if not bench.target.username:
        raise NotOfferedError("no user name and password were given")
    return replace(bench.target, api_key="", secret_key="")


def _login(bench: Bench) -> str:
    """A login by name and password, as each run of it makes one without keys."""
    peer = CmkPeer(_with_password(bench))
    zones = rows_of(peer.call("listZones", {}))
    same("zones", ids(zones), ids(bench.plain.rows("listZones")))
    same("names", peer.apis(), (api["name"] for api in bench.plain.rows("listApis")))
    try:
        peer.call(MACHINES, {"page": "1", "pagesize": "10000"})
    except ClientError as error:
        equal("code of an error in a session", error.code, 431)
        return f"{len(zones)} zones, sync, an error of 431"
    raise DiffersError("no error in a session")


def _wrong_password(bench: Bench) -> str:
    """A wrong password is refused; a right one follows, so that nobody is locked out."""
    target = _with_password(bench)
    try:
        CmkPeer(replace(target, password="wrong")).call("listZones", {})
    except ClientError as error:
        CmkPeer(target).call("listZones", {})
        return f"shows {error.text!r}"
    raise DiffersError("taken")
