"""The CloudStack SDK for Go, by the small program in `gosdk/`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from peers.checks import equal
from peers.client import (
    ALL,
    Bench,
    BrokenError,
    Check,
    ClientError,
    DiffersError,
    NotAtHandError,
    NotOfferedError,
    OwnLimitError,
    Peer,
)
from peers.plain import Arguments, RefusedError, Row, Target, rows_of

SOURCE = Path(__file__).parent / "gosdk"
REFUSED = re.compile(r"CloudStack API error (\d+) \(CSExceptionErrorCode: (\d+)\): (.*)", re.S)
FAILED_JOB, NO_WAY = "Undefined error: ", "no way: "
OWNED = """
    listAccounts listAffinityGroups listAsyncJobs listDomains listEvents listFirewallRules
    listNetworks listProjects listPublicIpAddresses listResourceLimits listRouters
    listSecurityGroups listSnapshots listSSHKeyPairs listTags listUsers listVirtualMachines
    listVirtualMachinesMetrics listVolumes listVPCs
""".split()
SHARED = """
    listAlerts listApis listCapabilities listCapacity listClusters listClustersMetrics
    listConfigurations listDiskOfferings listEventTypes listHosts listHostsMetrics
    listHypervisors listImageStores listInfrastructure listManagementServers
    listNetworkOfferings listOsCategories listOsTypes listPhysicalNetworks listPods listRoles
    listServiceOfferings listStoragePools listStoragePoolsMetrics listSystemVms listUsageTypes
    listVlanIpRanges listVPCOfferings listZones listZonesMetrics
""".split()
LISTS: dict[str, Arguments] = {
    **{command: ALL for command in OWNED},
    **{command: {} for command in SHARED},
    "listTemplates": {"templatefilter": "all"},
    "listIsos": {"isofilter": "all", **ALL},
}
# It looks for `zonesmetric` and so on, where the server says `zone`.
UNFIT = {"listClustersMetrics", "listHostsMetrics", "listZonesMetrics"}


class GoSdkPeer(Peer):
    """The SDK's client that waits for jobs; the program is run once for each call."""

    name = "gosdk"

    def __init__(self, target: Target) -> None:
        self._program = _program()
        self._target = target

    @classmethod
    def version(cls) -> str:
        try:
            done = subprocess.run([_program(), "version"], capture_output=True, text=True)
        except OSError as error:
            raise BrokenError(f"the program can't be started: {error.strerror}") from error
        if done.returncode != 0 or not done.stdout.strip():
            raise BrokenError(f"the program tells no version, its status is {done.returncode}")
        return done.stdout.strip()

    def call(self, command: str, arguments: Arguments) -> Row:
        asked = {
            "endpoint": self._target.endpoint,
            "key": self._target.api_key,
            "secret": self._target.secret_key,
            "command": command,
            "arguments": dict(arguments),
        }
        done = subprocess.run(
            [self._program], input=json.dumps(asked).encode(), capture_output=True, timeout=300
        )
        if done.returncode != 0:
            raise ClientError(f"the SDK broke down: {done.stderr.decode()[:200]}")
        said = json.loads(done.stdout)
        if said.get("error"):
            raise _problem(said["error"])
        result: Row = said.get("result") or {}
        return result

    def job(self, command: str, arguments: Arguments) -> Row:
        return self.call(command, arguments)

    @classmethod
    def own_checks(cls) -> dict[str, Check]:
        return {"typed answers": _typed, "zone id by name": _zone_by_name}


def _problem(text: str) -> Exception:
    """The SDK's error as ours."""
    if text.startswith(NO_WAY):
        return NotOfferedError(text.removeprefix(NO_WAY))
    if text.startswith(FAILED_JOB):
        said = json.loads(text.removeprefix(FAILED_JOB))
        return ClientError(said.get("errortext", text), said.get("errorcode"))
    found = REFUSED.match(text)
    return (
        ClientError(found[3], int(found[1]), int(found[2]) or None) if found else ClientError(text)
    )


@cache
def _program() -> str:
    """The program, built where GOSDK doesn't name a built one."""
    built = os.environ.get("GOSDK")
    if built:
        return built
    go = shutil.which("go")
    if go is None:
        raise NotAtHandError("not run: Go isn't installed, or isn't on the PATH (1.23 or newer)")
    program = Path(tempfile.gettempdir()) / f"cs_magic-gosdk-{os.getuid()}" / "gosdk"
    program.parent.mkdir(mode=0o700, exist_ok=True)
    words = [go, "build", "-buildvcs=false", "-o", str(program), "."]
    done = subprocess.run(words, cwd=SOURCE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BrokenError(f"go build failed: {done.stderr.strip()[-200:]}")
    return str(program)


def _typed(bench: Bench) -> str:
    """Its Go types take the answers of many lists, and no element is lost."""
    read, closed, own, wrong = 0, 0, [], []
    for command, arguments in LISTS.items():
        try:
            wanted = len(bench.plain.rows(command, arguments))
        except RefusedError:
            closed += 1
            continue
        try:
            got = len(rows_of(bench.peer.call(command, arguments)))
            equal(command, got, wanted)
        except (ClientError, DiffersError) as error:
            (own if command in UNFIT else wrong).append(str(error))
            continue
        if command in UNFIT and wanted:
            wrong.append(f"{command}: read, though no server names its rows so")
        read += 1
    if wrong:
        raise DiffersError(f"{read} lists read; not {'; '.join(wrong)}")
    if own:
        raise OwnLimitError(
            f"{read} lists read; other names than the server's in {', '.join(sorted(UNFIT))}"
        )
    return f"{read} lists read, {closed} closed to this account"


def _zone_by_name(bench: Bench) -> str:
    """GetZoneID, which Terraform's provider relies on."""
    zones = bench.plain.rows("listZones")
    for zone in zones:
        equal("id", bench.peer.call("zone id by name", {"name": zone["name"]})["id"], zone["id"])
    return f"{len(zones)} zones"
