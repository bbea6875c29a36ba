"""Faults × what is asked: what came of it, and whether anything was lost, doubled, or hung.

    python tests/fault_matrix.py          prints the table, and what is not as it is to be
    python tests/fault_matrix.py --keep   keeps what it found as what is to be, also in the README

Each fault is met once, by one request, and then by every request; the table says both. What is
to be is `fault_outcomes.tsv`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fault_calls import ASKED, Found
from fault_places import CELLS, FAULTS, cell

from cs_magic.demo.server import Demo, serving

README = Path(__file__).parent.parent / "README.md"
OUTCOMES = Path(__file__).parent / "fault_outcomes.tsv"
BEGIN, END = "<!-- faults -->\n", "<!-- /faults -->\n"


def words(results: list[Found]) -> str:
    """What a cell says: the fault met once → always, where that differs."""
    return " → ".join(dict.fromkeys(one.said for one in results))


@contextmanager
def cloud() -> Iterator[Demo]:
    """The demo cloud of the matrix: three pages of machines, and jobs that take no time."""
    with serving(machines=1_200, job_seconds=0) as demo:
        yield demo


# -- the table -----------------------------------------------------------------------------


def expected() -> dict[tuple[str, str], str]:
    """What is to come of each cell."""
    first, *lines = (line.split("\t") for line in OUTCOMES.read_text("utf-8").splitlines())
    cells = {
        (fault, asked): word
        for fault, *said in lines
        for asked, word in zip(first[1:], said, strict=True)
    }
    return {cell: word for cell, word in cells.items() if word}


def markdown(outcomes: dict[tuple[str, str], str]) -> str:
    """The table as the README has it; what it counts is what `make faults` and the tests hold."""
    rows = [["fault", *ASKED], ["---"] * (1 + len(ASKED))]
    rows += [[fault, *(outcomes.get((fault, asked), "") for asked in ASKED)] for fault in FAULTS]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"{lines}\n{_totals([])}\n"


def _totals(wrong: list[str]) -> str:
    counts = {
        "rows lost silently": sum("lost silently" in one or "came twice" in one for one in wrong),
        "writes sent twice": sum(" times" in one for one in wrong),
        "hangs": sum("it took" in one for one in wrong),
    }
    return ", ".join(f"{name}: **{number}**" for name, number in counts.items()) + "."


def _keep(outcomes: dict[tuple[str, str], str]) -> None:
    rows = [["fault", *ASKED]]
    rows += [[fault, *(outcomes.get((fault, asked), "") for asked in ASKED)] for fault in FAULTS]
    OUTCOMES.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    text = before + BEGIN + markdown(outcomes) + END + rest.partition(END)[2]
    README.write_text(text, "utf-8")


def main(options: list[str]) -> int:
    outcomes: dict[tuple[str, str], str] = {}
    wrong: list[str] = []
    longest = (0.0, "")
    with cloud() as demo:
        for fault, asked in CELLS:
            results = cell(demo, fault, asked)
            outcomes[fault, asked] = words(results)
            wrong += [f"{fault}, {asked}: {why}" for one in results for why in one.wrong]
            longest = max(longest, *((one.seconds, f"{fault}, {asked}") for one in results))
    if "--keep" in options:
        _keep(outcomes)
    other = [
        f"{' × '.join(which)}: {word}, not {expected().get(which, '')}"
        for which, word in outcomes.items()
        if word != expected().get(which)
    ]
    text = markdown(outcomes).replace(_totals([]), _totals(wrong))
    text += f"\nThe longest took {longest[0]:.1f} s: {longest[1]}.\n"
    sys.stdout.write(text + "".join(f"{one}\n" for one in wrong + other))
    return 1 if wrong or other else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
