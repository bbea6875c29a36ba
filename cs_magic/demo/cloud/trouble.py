"""Which jobs fail, are slow or hang, and how that is asked for: by a machine's name."""

from __future__ import annotations

import threading
from hashlib import blake2b

from cs_magic.demo.data.machines import Machine

FAILS, SLOW, HANGS = "fails", "slow", "hangs"
# A slow job takes so many times as long as a usual one; one that hangs does not end.
SLOWNESS = 10.0
# Print servers are like that. Any machine will do whose name, or shown name, ends so.
BY_NAME = {
    "print-prod-01": FAILS,
    "print-test-01": SLOW,
    "print-dev-01": HANGS,
}


def trouble_of(machine: Machine | None) -> str:
    """What jobs on this machine do: "fails", "slow", "hangs", or "" for the usual."""
    if machine is None:
        return ""
    if machine.name in BY_NAME and not machine.owner.project:
        return BY_NAME[machine.name]
    for name in (machine.displayname, machine.name):
        for trouble in (FAILS, SLOW, HANGS):
            if name.endswith(f"-{trouble}"):
                return trouble
    return ""


class Failures:
    """Shares of a command's calls that fail. Which ones depends on what they are about alone."""

    def __init__(self) -> None:
        self._shares: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def set(self, command: str, share: float, seed: int) -> None:
        """Let this share of the command's calls fail from now on; ValueError outside 0 to 1."""
        if not 0 <= share <= 1:
            raise ValueError(f"{share} is no share: it is less than 0 or more than 1")
        with self._lock:
            self._shares[command] = share, seed

    def hit(self, command: str, what: str) -> bool:
        """Whether the call about this thing fails."""
        with self._lock:
            share, seed = self._shares.get(command, (0.0, 0))
        if not share:
            return False
        drawn = blake2b(f"{seed}/{command}/{what}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn) < share * (1 << 64)
