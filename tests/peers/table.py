"""The table of outcomes: as Markdown, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from peers.client import Outcome

HERE = Path(__file__).parent
COMMITTED = HERE / "outcomes.md"
REAL = HERE / "real-4.23.json"
Cells = dict[tuple[str, str], str]  # (client, check) -> result

HEAD = """\
# Other people's clients, against the demo cloud

`make peers-go` wrote this. What each client did with a real 4.23 server is in
`real-4.23.json`; {verdict}

- `ok`: the client gets what the plain signed request gets.
- `known`: it fails by its own doing, and at a real server just so.
- `n/a`: it has no way to do this; `-` is another client's check.
"""


def real() -> Cells:
    """What each check of each client gave at a real 4.23 management server."""
    lines = json.loads(REAL.read_text("utf-8"))
    return {(line["client"], line["check"]): line["result"] for line in lines}


def committed() -> Cells:
    """The results in the committed table."""
    lines = [line for line in COMMITTED.read_text("utf-8").splitlines() if line.startswith("| ")]
    (_, *heads), *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    clients = [head.split()[0] for head in heads]
    return {
        (client, row[0]): cell
        for row in rows
        if not row[0].startswith("-")
        for client, cell in zip(clients, row[1:], strict=True)
        if cell not in {"-", ABSENT}
    }


ABSENT = "not at hand"


def differences(outcomes: Iterable[Outcome]) -> list[str]:
    """What is otherwise than at the real server, in words."""
    wanted = real()
    return [
        f"{one.client}, {one.check}: {one.result} instead of {known} ({one.detail})"
        for one in outcomes
        if (known := wanted.get((one.client, one.check))) != one.result
    ]


def markdown(
    outcomes: Sequence[Outcome], versions: Mapping[str, str], absent: Mapping[str, str]
) -> str:
    """The outcomes as a page; `absent` are the clients that could not be run, and why."""
    otherwise = differences(outcomes)
    verdict = "here it is the same." if not otherwise else "here some of it is not the same."
    if absent and not otherwise:
        verdict = f"here it is the same, but for {', '.join(absent)}, not run."
    cells = {(one.client, one.check): one.result for one in outcomes}
    clients = [*versions, *absent]
    heads = [f"{name} {versions[name]}" if name in versions else name for name in clients]
    lines = [HEAD.format(verdict=verdict), f"| check | {' | '.join(heads)} |"]
    lines.append("| --- |" + " --- |" * len(clients))
    for check in dict.fromkeys(one.check for one in outcomes):
        row = (ABSENT if name in absent else cells.get((name, check), "-") for name in clients)
        lines.append(f"| {check} | {' | '.join(row)} |")
    notes = [f"- {name}: {ABSENT}, {why}" for name, why in absent.items()]
    notes += [
        f"- {one.client}, {one.check}: {one.result}, {one.detail}"
        for one in outcomes
        if one.result != "ok"
    ]
    notes += [f"- not as at the real server: {one}" for one in otherwise]
    return "\n".join([*lines, "", *notes, ""])
