"""How fast bytes become a DataFrame, beside what people do today; run by hand, by `make bench`.

Each figure is measured in processes of its own, all figures in turn, several times round; the
medians make Markdown tables. Over HTTP: `network.py`; what is short: `small.py`; a key press:
`completion.py`. `--long` measures instead the growth from 1,000 to 300,000 machines and ten
million usage records on their way to Parquet (`stream.py`). `--readme` puts the tables into
the README.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import completion
import data
import network
import small
import stream

HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"
MARKS = "<!-- {0} -->\n", "<!-- /{0} -->\n"
MACHINES, ROUNDS, OVER_HTTP = 100_000, 3, 20_000
GROWTH = (1_000, 10_000, 100_000, 300_000)
FLOOR, USUAL, WHOLE = "`orjson.loads`, dropped", "list of dicts → `pd.DataFrame`", "**cs_magic**"
# What the table says of a figure → its name, and the data that it is measured on.
TABLE = {
    FLOOR: ("orjson", "clean"),
    "the same, collector off": ("orjson, collector off", "clean"),
    "`msgspec.json.decode`, dropped": ("msgspec", "clean"),
    USUAL: ("dicts", "clean"),
    "the same, then column types": ("dicts, typed", "clean"),
    "`pd.json_normalize`": ("json_normalize", "clean"),
    "polars `read_json`": ("polars", "clean"),
    WHOLE: ("ours", "clean"),
    "cs_magic, columns: all that aren't nested": ("ours, flat", "clean"),
    "cs_magic, five columns": ("ours, few", "clean"),
    "cs_magic, a catalogue of another version": ("ours, another catalogue", "clean"),
    "cs_magic, 5 unknown fields, 1 % odd values in ten others": ("ours", "odd"),
    "cs_magic, 5 unknown fields, 1 % odd values in all others": ("ours", "mixed"),
}
LIBRARIES = "cs-magic cs ipython msgspec numpy orjson pandas polars pyarrow requests".split()
Measured = tuple[float, float]


def measured(name: str, folder: Path) -> Measured:
    """Seconds and MB of one run."""
    words = [sys.executable, str(HERE / "figures.py"), name, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return told["seconds"], told["peak"]


def medians(folder: Path) -> dict[str, Measured]:
    """Every figure of the table: seconds and MB, each the median of its own runs."""
    runs: dict[str, list[Measured]] = {label: [] for label in TABLE}
    for number in range(ROUNDS):
        for label, (name, variant) in TABLE.items():
            sys.stderr.write(f"round {number + 1} of {ROUNDS}: {name}, {variant}\n")
            runs[label].append(measured(name, folder / variant))
    return {
        label: (statistics.median(s for s, _ in each), statistics.median(mb for _, mb in each))
        for label, each in runs.items()
    }


def table(found: dict[str, Measured], size: int) -> str:
    """The figures as Markdown, ratios first."""
    floor, (usual, memory) = found[FLOOR][0], found[USUAL]
    lines = [
        f"{MACHINES:,} virtual machines of {data.FIELDS} fields, {size / 1e6:.0f} MB of JSON in"
        f" pages of {data.PAGE}, from bytes in memory; medians of {ROUNDS} runs, each in a"
        " process of its own; peak memory is above the start.\n",
        f"| path | × {FLOOR} | times faster than {USUAL} | × its memory | seconds | peak MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for label, (seconds, peak) in found.items():
        lines.append(
            f"| {label} | {seconds / floor:.2f} | {usual / seconds:.1f} | {peak / memory:.2f}"
            f" | {seconds:.2f} | {peak:.0f} |"
        )
    return "\n".join(lines) + "\n"


def versions() -> str:
    """What it was measured with."""
    found = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"\nPython {platform.python_version()}, {found}; {os.cpu_count()} cores.\n"


def growth(folder: Path) -> str:
    """What a machine costs, however many there are, clean and odd."""
    lines = [
        "| machines | seconds | µs a machine | peak MB | µs a machine, odd data |",
        "| --- | --- | --- | --- | --- |",
    ]
    for machines in GROWTH:
        data.make(folder / str(machines), machines)
        seconds, peak = _median("ours", folder / str(machines) / "clean")
        odd, _ = _median("ours", folder / str(machines) / "odd")
        each, odd_each = (value / machines * 1e6 for value in (seconds, odd))
        lines.append(f"| {machines:,} | {seconds:.2f} | {each:.1f} | {peak:.0f} | {odd_each:.1f} |")
        shutil.rmtree(folder / str(machines))
    return "\n".join(lines) + "\n"


def _median(name: str, folder: Path) -> Measured:
    runs = [measured(name, folder) for _ in range(ROUNDS)]
    seconds, peaks = zip(*runs, strict=True)
    return statistics.median(seconds), statistics.median(peaks)


def short(folder: Path) -> str:
    """All but what takes long."""
    data.make(folder / "machines", MACHINES)
    clean = folder / "machines" / "clean"
    size = sum(path.stat().st_size for path in clean.iterdir())
    text = table(medians(folder / "machines"), size)
    sys.stderr.write("over HTTP\n")
    data.make(folder / "some", OVER_HTTP)
    text += network.table(folder / "some", clean)
    shutil.rmtree(folder / "machines")
    return text + small.table() + completion.table() + versions()


def long(folder: Path) -> str:
    """How it grows, and the stream."""
    return growth(folder) + "\n" + stream.table() + versions()


def main(words: list[str]) -> None:
    name, make = ("bench-long", long) if "--long" in words else ("bench", short)
    with tempfile.TemporaryDirectory() as folder:
        text = make(Path(folder))
    sys.stdout.write(text)
    if "--readme" in words:
        begin, end = (mark.format(name) for mark in MARKS)
        before, _, rest = README.read_text().partition(begin)
        README.write_text(before + begin + text + end + rest.partition(end)[2])


if __name__ == "__main__":
    main(sys.argv[1:])
