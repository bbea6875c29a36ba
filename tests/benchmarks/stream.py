"""Usage records from the demo to a Parquet dataset: is memory flat, and the sum exact?

Part of `make bench-long`; `stream.py NUMBER` is for so many records (10,000,000). The demo runs
in a process of its own, and so does the reading, so that what is measured is cs_magic alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

RECORDS = 10_000_000
DATES = {"startdate": "2020-01-01", "enddate": "2030-01-01"}


def resident() -> float:
    """The megabytes that this process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


class Peak:
    """The most memory above the start, by the share of the rows that had come."""

    def __init__(self) -> None:
        self.start = resident()
        self.by_rows: list[tuple[int, float]] = []
        self.rows = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.by_rows.append((self.rows, resident() - self.start))

    def most(self, since: float = 0.0, until: float = 1.0) -> float:
        """The peak while this share of the rows came."""
        first, last = since * self.rows, until * self.rows
        return max((mb for rows, mb in self.by_rows if first <= rows <= last), default=0.0)


def demo(records: int) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """The demo with at least so many usage records, and how to reach it."""
    command = [sys.executable, "-m", "cs_magic.demo", "--json", "--usage-rows", str(records)]
    if records > 2_000_000:  # days can't be cut finely enough for so few machines
        command += ["--machines", "20000"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    return running, json.loads(running.stdout.readline())


def stream(facts: dict[str, Any], folder: Path) -> tuple[dict[str, Any], Peak, float, float]:
    """Stream every record into the folder."""
    import cs_magic
    from cs_magic.api.values import Call, Options
    from cs_magic.streaming import run

    names = ("endpoint", "api_key", "secret_key")
    with cs_magic.connect(**{name: facts[name] for name in names}) as cloud:
        call = Call("listUsageRecords", tuple(DATES.items()))
        run(cloud, call, Options(limit=1, file=("csv", str(folder) + ".csv")))  # imports are done
        began, cpu = time.monotonic(), time.process_time()
        with Peak() as peak:

            def told(pages: int, rows: int, count: int | None) -> None:
                peak.rows = rows
                if pages % 1_000 == 0:
                    taken = time.monotonic() - began
                    line = f"{rows:,} of {count:,}, {rows / taken:,.0f}/s, {peak.most():.0f} MB"
                    sys.stderr.write(f"{line}\n")

            result = run(cloud, call, Options(file=("parquet", str(folder))), told=told)
        assert result.written is not None
        assert result.provenance.complete is True, result.provenance.reason
        return (
            dict(result.written),
            peak,
            time.monotonic() - began,
            time.process_time() - cpu,
        )


def sums(folder: Path) -> dict[str, Decimal]:
    """The sum of `rawusage` by those who read the folder, and of its texts as decimals."""
    import duckdb
    import polars

    exact = f"select sum(cast(rawusage_text as decimal(38, 6))) from '{folder}/*.parquet'"
    [(text,)] = duckdb.sql(exact).fetchall()
    lazy = polars.scan_parquet(folder)
    by_text = lazy.group_by("rawusage_text").len().collect()
    ours = sum((Decimal(one) * times for one, times in by_text.iter_rows()), Decimal())
    number = lazy.select(polars.col("rawusage").sum()).collect().item()
    assert text == ours, (text, ours)
    return {"DuckDB, text as decimals": text, "Polars, text": ours, "as floats": Decimal(number)}


def main(records: int) -> None:
    """Print a Markdown table."""
    running, facts = demo(records)
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "usage"
            written, peak, seconds, cpu = stream(facts, folder)
            found = sums(folder)
    finally:
        running.terminate()
        running.wait()
    rows = [
        ("records", f"{written['rows']:,}"),
        ("MB on disk", f"{written['bytes'] / 1e6:,.0f}"),
        ("seconds", f"{seconds:,.0f}"),
        ("seconds of ours (CPU)", f"{cpu:,.0f}"),
        ("peak MB above the start", f"{peak.most():.0f}"),
        ("… while the first fifth came", f"{peak.most(until=0.2):.0f}"),
        ("… while the last fifth came", f"{peak.most(since=0.8):.0f}"),
        *((f"sum of rawusage, {name}", f"{value:,}") for name, value in found.items()),
    ]
    lines = ["| usage records to Parquet | |", "| --- | --- |"]
    lines += (f"| {name} | {value} |" for name, value in rows)
    sys.stdout.write("\n".join(lines) + "\n")


def table(records: int = RECORDS) -> str:
    """The Markdown table, made in a process of its own."""
    words = [sys.executable, __file__, str(records)]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS)
