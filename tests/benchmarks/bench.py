"""How fast bytes become a DataFrame, beside what people do today; run by hand, by `make bench`.

Each figure is the median of several runs in a process of its own. The data is the demo
cloud's: 20,000 virtual machines in pages of 500, as they travel.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

MACHINES = 20_000
RUNS = 5
FIGURES = ("json.loads, dropped", "list of dicts + pd.DataFrame", "cs_magic", "cs_magic, 3 columns")


def pages() -> list[bytes]:
    """The pages of a first list, as the demo sends them."""
    import cs_magic
    from cs_magic.api.credentials import KeyPair
    from cs_magic.api.profile import Profile
    from cs_magic.api.transport import HttpTransport
    from cs_magic.api.values import Call
    from cs_magic.demo.server import serving

    with serving(machines=MACHINES) as demo:
        keys = KeyPair(demo.api_key, demo.secret_key)
        profile = Profile("bench", demo.endpoint, keys)
        client = cs_magic.connect(
            endpoint=demo.endpoint, api_key=demo.api_key, secret_key=demo.secret_key
        ).client
        transport = HttpTransport(profile)
        calls = (
            Call("listVirtualMachines").having(listall="true", page=number, pagesize=500)
            for number in range(1, MACHINES // 500 + 1)
        )
        return [
            transport.send(keys.authorize(call, demo.endpoint, client.clock())).body
            for call in calls
        ]


def figure(name: str, bodies: list[bytes]) -> Callable[[], object]:
    """What one figure does, ready to be timed; imports are done."""
    import pandas as pd

    from cs_magic.api.catalogue import bundled
    from cs_magic.api.columns import kind_of
    from cs_magic.api.envelope import read
    from cs_magic.api.records import Records
    from cs_magic.api.values import Provenance, Response, Result
    from cs_magic.frames import to_frame

    command = bundled().command("listVirtualMachines")
    kinds = {field.name: kind_of(field.name, field.kind or "unknown") for field in command.fields}

    def loads() -> None:
        for body in bodies:
            json.loads(body)

    def dicts() -> object:
        rows: list[object] = []
        for body in bodies:
            rows += json.loads(body)["listvirtualmachinesresponse"]["virtualmachine"]
        return pd.DataFrame(rows)

    def ours(columns: tuple[str, ...] | None) -> object:
        records = Records(kinds, columns)
        for body in bodies:
            page = read(command.name, Response(200, "application/json", body))
            records.add(page)  # type: ignore[arg-type]
        return to_frame(Result(records.table(), Provenance(command.name)), columns)

    few = ("name", "state", "memory")
    return {
        FIGURES[0]: loads,
        FIGURES[1]: dicts,
        FIGURES[2]: lambda: ours(None),
        FIGURES[3]: lambda: ours(few),
    }[name]


def timed(name: str) -> float:
    """Seconds, the median of several runs."""
    run = figure(name, pages())
    run()
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main(words: list[str]) -> None:
    if words:
        sys.stdout.write(f"{timed(words[0])}\n")
        return
    seconds = {
        name: float(
            subprocess.run(
                [sys.executable, __file__, name], capture_output=True, text=True, check=True
            ).stdout
        )
        for name in FIGURES
    }
    floor = seconds[FIGURES[0]]
    sys.stdout.write(f"{MACHINES:,} virtual machines, median of {RUNS}\n\n")
    sys.stdout.write("| path | seconds | × json.loads |\n| --- | --- | --- |\n")
    for name, took in seconds.items():
        sys.stdout.write(f"| {name} | {took:.2f} | {took / floor:.2f} |\n")


if __name__ == "__main__":
    main(sys.argv[1:])
