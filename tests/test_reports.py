"""Every report runs where there is nothing, says so, and leaves its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from papermill.iorw import load_notebook_node
from reports import FOLDER, REPORTS, replayed, report, texts

import cs_magic

SAYS = {
    "10-inventory": ("There are no virtual machines.", "Every address leads somewhere."),
    "11-capacity": ("There is no capacity.", "There are no storage pools."),
    "15-with-other-tools": ("There are no virtual machines.",),
    "12-usage-and-chargeback": (
        "There are no usage records for 2026-08.",
        "Nobody owes anything for 2026-08.",
    ),
    "14-what-changed": ("This is the first run", "Nothing changed."),
    "13-exposure": ("Nothing is open to everybody.", "No key is older than 365 days."),
}


def day_of(name: str) -> dict[str, str]:
    """The parameter that says the day; a new run of what changed is today's."""
    return {} if name == "14-what-changed" else {"as_of": "2026-09-14"}


@pytest.mark.parametrize("name", REPORTS)
def test_where_there_is_nothing_a_report_says_so(name: str, tmp_path: Path) -> None:
    with replayed():
        notebook = report(name, tmp_path, profile="env", **day_of(name))
    for words in SAYS[name]:
        assert words in texts(notebook)
    # Where nothing was checked nothing is well.
    assert "There are no gaps." not in texts(notebook)
    assert "Every owner is still there." not in texts(notebook)
    assert list((tmp_path / "build").iterdir())


@pytest.mark.parametrize("as_of", ["2026-02-30", "yesterday", 20260914])
def test_a_day_that_is_none_is_one_line(as_of: Any) -> None:
    cells = [
        cell.source
        for name in ("10-inventory", "11-capacity", "13-exposure", "15-with-other-tools")
        for cell in load_notebook_node(str(FOLDER / f"{name}.ipynb")).cells
        if cell.source.startswith("def day(")
    ]
    assert len(cells) == 4
    for source in cells:
        names = {"pd": pd, "cs_magic": cs_magic, "profile": "env", "as_of": as_of}
        with pytest.raises(cs_magic.CallError, match="which is no day: write it as 2026-09-14"):
            exec(source, names)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_writes_only_where_it_is_told(name: str, tmp_path: Path) -> None:
    with replayed():
        report(name, tmp_path, profile="env", folder="elsewhere/deep", **day_of(name))
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
    assert list((tmp_path / "elsewhere" / "deep").iterdir())
