"""What machines used lately: a sample each half hour of the last twelve, by the demo's clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cs_magic.demo.data.clock import Clock
from cs_magic.demo.data.items import Account, Row, Table, stamp
from cs_magic.demo.data.machines import Machine, machine_row

KEPT, INTERVAL = 12 * 3_600, 1_800
STATS = frozenset(("stats",))


@dataclass(slots=True, eq=False)
class History:
    """The samples of one machine; a machine that does not run has none."""

    machine: Machine
    clock: Clock

    @property
    def number(self) -> int:
        """The machine's internal number."""
        return self.machine.number

    @property
    def owner(self) -> Account | None:
        """The machine's owner."""
        return self.machine.owner

    def get(self, name: str) -> Any:
        """A field of the machine."""
        return self.machine.get(name)

    def row(self) -> Row:
        """The machine by its internal name, with its samples, oldest first."""
        return {
            "id": self.machine.id,
            "name": self.machine.instancename,
            "displayname": self.machine.displayname,
            "stats": list(self._samples()),
        }

    def _samples(self) -> Iterable[Row]:
        machine = self.machine
        if machine.state != "Running":
            return
        now = machine_row(machine, STATS)
        last = int(self.clock.now()) // INTERVAL
        for tick in range(last - KEPT // INTERVAL + 1, last + 1):
            if tick * INTERVAL >= machine.updated:
                yield _sample(machine, now, tick)


def _sample(machine: Machine, now: Row, tick: int) -> Row:
    # By day more than at night, and never twice the same.
    swing = 0.6 + 0.4 * ((tick % 48) / 48) + (machine.number * 7 + tick * 13) % 10 / 100
    read, write = int(now["networkkbsread"] * swing), int(now["networkkbswrite"] * swing)
    ios = int(now["diskioread"] * swing), int(now["diskiowrite"] * swing)
    return {
        "timestamp": stamp(tick * INTERVAL),
        "cpuused": f"{min(machine.used * swing, 100.0):.2f}".rstrip("0").rstrip(".") + "%",
        "diskioread": ios[0],
        "diskiowrite": ios[1],
        "diskiopstotal": sum(ios),
        "diskkbsread": int(now["diskkbsread"] * swing),
        "diskkbswrite": int(now["diskkbswrite"] * swing),
        "memoryintfreekbs": now["memoryintfreekbs"],
        "memorykbs": now["memorykbs"],
        "memorytargetkbs": now["memorytargetkbs"],
        "networkkbsread": read,
        "networkkbswrite": write,
        "networkread": f"{read / 1024:.2f} MiB",
        "networkwrite": f"{write / 1024:.2f} MiB",
    }


def histories_table(machines: Iterable[Machine], clock: Clock) -> Table:
    """The history of every machine."""
    return Table([History(machine, clock) for machine in machines])
