"""Line and cell mean the same: two hundred statements, each planned in four ways."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

COMMANDS = ("listVirtualMachines", "LISTVOLUMES", "listSnapshots", "listVirtualMachinesMetrics")
PARAMETERS = (
    "",
    "name=web",
    "name=",
    "name='two words'",
    'name="with \\" and \\\\"',
    "keyword=Zürich",
    "keyword='# no comment'",
    "keyword=a#b",
    "keyword=$tier",
    "keyword={tier}",
    "keyword='$tier'",
    "ids=$ids",
    "ids=$frame.id",
    "ids={frame.id}",
    "id=$frame.id[1]",
    'id=$row["the id"]',
    "id=$numbers[0]",
    "listall=$yes",
    "tags.env=prod tags.tier=$tier",
    "tags=$tags",
    "tags[0].key=env tags[0].value='a b'",
    "keyword=@@literal",
    "keyword=@word.txt",
    "NAME=web",
    "name=web # and a comment",
)
OPTIONS = ("", "--own -n 5")
STATEMENTS = [
    f"{options} {command} {parameters}".strip()
    for (place, parameters), options in product(enumerate(PARAMETERS), OPTIONS)
    for command in COMMANDS
]
IDS = [f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2)]
NAMES = {
    "tier": "db",
    "ids": IDS,
    "frame": pd.DataFrame({"id": IDS}),
    "row": {"the id": IDS[0]},
    "numbers": np.array([7, 8]),
    "yes": np.bool_(True),
    "tags": {"env": "prod"},
}


def test_there_are_two_hundred_of_them() -> None:
    assert len(set(STATEMENTS)) == 200


@pytest.mark.parametrize("statement", STATEMENTS)
def test_line_and_cell_plan_the_same_calls(notebook, monkeypatch, statement):
    for name, value in (("ENDPOINT", "https://cloud.example.com"), ("KEY", "k"), ("SECRET", "s")):
        monkeypatch.setenv(f"CLOUDSTACK_{name}", value)
    Path("word.txt").write_text("from a file")
    words = statement.split(" ")
    command = next(place for place, word in enumerate(words) if word.lower().startswith("list"))
    first, rest = " ".join(words[: command + 1]), " ".join(words[command + 1 :])
    frames = [
        notebook.fine(cell, **NAMES).result
        for cell in (
            f"%cs --dry-run {statement}",
            f"x = %cs --dry-run {statement}\nx",
            f"%%cs --dry-run\n{statement}",
            f"%%cs --dry-run {first}\n{rest}\n",
        )
    ]
    assert len(frames[0]) >= 1
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])
