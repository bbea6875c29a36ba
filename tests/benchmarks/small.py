"""What is short but often: loading, the first answer, a signature, a thousand jobs.

    small.py NAME ENDPOINT KEY SECRET     one figure, in milliseconds

Each runs in a process of its own, several times; part of `make bench`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

RUNS, JOBS, SIGNATURES = 5, 1_000, 10_000
TABLE = {
    "`import cs_magic`, ms": ("import", RUNS),
    "`%load_ext cs_magic` in a running shell, ms": ("load", RUNS),
    "`%cs listZones`, the first call of a kernel, ms": ("first", RUNS),
    "signing a call, µs": ("sign", RUNS),
    f"`--each` over {JOBS:,} jobs of 20 ms, 4 at a time, seconds": ("each", 1),
}


def _shell() -> object:
    import tempfile

    os.environ["HOME"] = os.environ["IPYTHONDIR"] = tempfile.mkdtemp()
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    return InteractiveShell.instance(config=config)


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def importing() -> float:
    return _timed(lambda: __import__("cs_magic"))


def loading() -> float:
    shell = _shell()
    return _timed(lambda: shell.run_line_magic("load_ext", "cs_magic"))  # type: ignore[attr-defined]


def first() -> float:
    shell = _shell()
    shell.run_line_magic("load_ext", "cs_magic")  # type: ignore[attr-defined]
    return _timed(lambda: shell.run_line_magic("cs", "-q listZones"))  # type: ignore[attr-defined]


def sign() -> float:
    """Microseconds a call."""
    from datetime import UTC, datetime

    from cs_magic.api.credentials import KeyPair
    from cs_magic.api.values import Call

    keys, now = KeyPair("key" * 20, "secret" * 10), datetime.now(UTC)
    call = Call("listVirtualMachines").having(listall="true", page=1, pagesize=500, state="Running")
    run = lambda: [keys.authorize(call, "https://cloud/api", now) for _ in range(SIGNATURES)]  # noqa: E731
    return _timed(run) / SIGNATURES * 1000


def each() -> float:
    """Seconds."""
    shell = _shell()
    run = shell.run_line_magic  # type: ignore[attr-defined]
    run("load_ext", "cs_magic")
    run("cs", "-q vms << listVirtualMachines details=min state=Running")
    vms = shell.user_ns["vms"]  # type: ignore[attr-defined]
    # The jobs of those hang, or fail, on purpose.
    shell.user_ns["vms"] = vms[~vms.name.str.startswith("print-")].head(JOBS)  # type: ignore[attr-defined]
    seconds = _timed(lambda: run("cs", "-q -y --each done << rebootVirtualMachine id=$vms.id"))
    done = shell.user_ns["done"]  # type: ignore[attr-defined]
    assert (len(done), set(done["outcome"])) == (JOBS, {"done"}), done["outcome"].value_counts()
    return seconds / 1000


FIGURES = {"import": importing, "load": loading, "first": first, "sign": sign, "each": each}


def table() -> str:
    """A Markdown table."""
    from cs_magic.demo.server import serving

    lines = ["\n| | |", "| --- | --- |"]
    with serving(machines=3_000, job_seconds=0.02) as demo:
        facts = {
            "CLOUDSTACK_ENDPOINT": demo.endpoint,
            "CLOUDSTACK_KEY": demo.api_key,
            "CLOUDSTACK_SECRET": demo.secret_key,
        }
        for label, (name, times) in TABLE.items():
            runs = [_run(name, facts) for _ in range(times)]
            lines.append(f"| {label} | {statistics.median(runs):,.1f} |")
    return "\n".join(lines) + "\n"


def _run(name: str, facts: dict[str, str]) -> float:
    words = [sys.executable, __file__, name]
    environment = {**os.environ, **facts}
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    sys.stdout.write(f"\n{FIGURES[sys.argv[1]]()}\n")
