"""Others read the folder that `-o parquet:` writes, as the README says."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from longlists import SIZE, Long, records, serve

from cs_magic.streaming import HELD

README = (Path(__file__).parent.parent / "README.md").read_text()
READERS = re.findall(r"```python\n(import (?:duckdb|polars|dask)[^`]+)```", README)
MANY = HELD * SIZE + 25


@pytest.fixture
def folder(notebook, monkeypatch):
    """A dataset of two parts in the working folder."""
    with serve(Long(usage=records(MANY)), monkeypatch):
        notebook.fine(
            "%cs -q -o parquet:usage listUsageRecords startdate=2026-10-01 enddate=2026-10-31"
        )


def pairs(found):
    """What each of them gives, as a list of pairs."""
    if isinstance(found, list):
        return found
    return found.rows() if hasattr(found, "rows") else list(found.items())


def test_the_readme_shows_three_readers():
    assert [code.split()[1].partition(".")[0] for code in READERS] == ["duckdb", "polars", "dask"]


@pytest.mark.parametrize("code", READERS, ids=["duckdb", "polars", "dask"])
def test_the_readmes_lines_read_the_folder(folder, code):
    names: dict[str, object] = {}
    exec(code, names)
    sums: dict[str, Decimal] = {}
    for record in records(MANY):
        sums.setdefault(record["account"], Decimal())
        sums[record["account"]] += Decimal(record["rawusage"])
    rows = pairs(names["used"])
    assert len(rows) == len(sums)
    for account, used in rows:
        if isinstance(used, Decimal):
            assert used == sums[account]
        else:
            assert float(used) == pytest.approx(float(sums[account]))
