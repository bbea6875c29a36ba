"""How long a key press keeps the kernel busy, with a full catalogue and 10,000 known machines.

Part of `make bench`. Each figure is the median and the slowest of many presses of Tab in a
process of its own; IPython's own part is in it. `completion.py NUMBER` prints those of one place.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

PRESSES = 200
MACHINES = 10_000
PLACES = (
    "%cs ▲",
    "%cs VirtualM▲",
    "%cs -c na▲ listVirtualMachines",
    "%cs -p ▲ listZones",
    "%cs deployVirtualMachine ▲",
    "%cs listVirtualMachines state=▲",
    "%cs listVolumes virtualmachineid=▲",
    "%cs listVolumes virtualmachineid=vm-9▲",
    "%cs listVolumes virtualmachineid=9▲",
    "%cs listVolumes virtualmachineid=$▲",
    "%%cs\n" + "a << listZones\n" * 50 + "listVirtualMachines ▲",
)


def shell() -> object:
    """A shell in which a first call was made, and 10,000 machines are known."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from cs_magic.api.values import Call
    from cs_magic.notebook.related import Thing, Things

    os.environ["HOME"] = os.environ["IPYTHONDIR"] = tempfile.mkdtemp()
    config = Config()
    config.HistoryManager.enabled = False
    made = InteractiveShell.instance(config=config)
    made.run_cell("%load_ext cs_magic\n%cs -q use demo\n%cs -q vms << listVirtualMachines")
    runner = made.magics_manager.registry["CloudStackMagics"].runner
    profile = runner.desk.connections.current().profile
    things = tuple(
        Thing(f"vm-{n:05}", f"{n:08x}-0000-4000-8000-000000000000") for n in range(MACHINES)
    )
    call = Call("listVirtualMachines", (("details", "min"),))
    runner.desk.known._lists[profile, call] = Things(things, True, float("inf"))
    return made


def presses(completer: object, marked: str) -> list[float]:
    """Milliseconds of each press."""
    from IPython.core.completer import provisionalcompleter

    text, cursor = marked.replace("▲", ""), marked.index("▲")
    times = []
    with provisionalcompleter():
        for _ in range(PRESSES):
            began = time.perf_counter()
            list(completer.completions(text, cursor))  # type: ignore[attr-defined]
            times.append((time.perf_counter() - began) * 1000)
    return times


def table() -> str:
    """A Markdown table."""
    lines = ["\n| Tab at | median, ms | slowest, ms |", "| --- | --- | --- |"]
    for number, marked in enumerate(PLACES):
        words = [sys.executable, __file__, str(number)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        times = json.loads(done.stdout.splitlines()[-1])
        last = marked.rpartition("\n")[2]
        lines.append(f"| `{last}` | {statistics.median(times):.1f} | {max(times):.1f} |")
    return "\n".join(lines) + "\n"


def main(number: str) -> None:
    completer = shell().Completer  # type: ignore[attr-defined]
    sys.stdout.write(f"\n{json.dumps(presses(completer, PLACES[int(number)]))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
