"""How the frame of a call is shown: the columns that matter, and one quiet line below them."""

from __future__ import annotations

import gc
import re
import weakref

import pandas as pd
import pytest


@pytest.fixture
def wide(notebook, cloud):
    """As in a notebook: pandas shows twenty columns there."""
    with pd.option_context("display.max_columns", 20):
        yield notebook


def heads(table: str) -> list[str]:
    """The names above the columns of a table's HTML."""
    return re.findall("<th>([a-z]+)</th>", table.partition("</thead>")[0])


def test_a_wide_list_shows_its_first_columns_that_say_something_and_how_many_there_are(wide):
    ran = wide.fine("%cs listVirtualMachines")
    names = heads(ran.tables[0])
    assert len(names) == 20
    assert names[:3] == ["name", "username", "state"]
    frame = ran.result[names]
    assert frame.notna().any().all()
    assert not any(isinstance(value, list | dict) for value in frame.iloc[0])
    assert ran.lines[0].endswith(f" · complete · 20 of {ran.result.shape[1]} columns: -c chooses")


def test_what_was_exploded_is_among_the_columns_that_are_shown(wide):
    ran = wide.fine("%cs -x nic listVirtualMachines")
    shown = re.findall(r"<th>([a-z.]+)</th>", ran.tables[0].partition("</thead>")[0])
    assert shown[:2] == ["name", "username"]
    assert "nic.ipaddress" in shown


def test_as_many_columns_as_pandas_is_told_to_show_are_shown(wide):
    with pd.option_context("display.max_columns", None):
        ran = wide.fine("%cs listVirtualMachines")
    assert heads(ran.tables[0]) == list(ran.result.columns)
    assert "columns" not in ran.lines[0]


def test_the_line_is_no_part_of_the_frame_nor_of_what_is_made_of_it(wide):
    ran = wide.fine("%cs -c name,state listVirtualMachines")
    assert list(ran.result.columns) == ["name", "state"]
    assert len(ran.result) == 226
    wide.fine("vms = _")
    for made in (
        "vms.head(3)",
        "vms[vms.state == 'Running']",
        "vms.copy()",
        "vms.sort_values('name')",
    ):
        shown = wide.fine(made)
        assert (shown.lines, len(shown.tables)) == ([], 1), made


def test_the_line_stays_with_the_frame_until_its_rows_change(wide):
    wide.fine("vms = %cs -c name,state listVirtualMachines")
    assert wide.fine("vms").lines[0].startswith("226 rows · ")
    wide.fine("vms.loc[226] = ['one more', 'Running']")
    assert wide.fine("vms").lines == ["227 rows · 2 columns"]


def test_the_lines_of_tables_that_nobody_shows_are_said_in_their_order(wide):
    ran = wide.fine(
        "for which in (1, 2):\n    %cs -n $which -c name listHosts\n%cs -c name listZones"
    )
    assert [line.partition(" ·")[0] for line in ran.lines] == ["1 row", "2 rows", "1 row"]
    assert len(ran.tables) == 1


def test_a_terminal_shows_as_many_columns_as_there_is_room_for(notebook, cloud, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    ran = notebook.fine("%cs listVirtualMachines")
    [shown], frame = ran.outputs, ran.result
    *table, line = shown["text/plain"].split("\n")
    assert max(map(len, table)) <= 70
    assert table[0].split()[:2] == ["name", "username"]
    assert f" of {len(frame.columns)} columns: -c chooses" in line


def test_an_extension_that_shows_every_frame_its_own_way_shows_ours(wide, monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "_repr_html_", lambda frame: f"<table>{frame.shape}</table>")
    ran = wide.fine("%cs listVirtualMachines")
    assert ran.tables[0].startswith(f"<table>{ran.result.shape}</table>")
    assert ran.lines[0].endswith("complete")


def test_a_frame_that_nobody_has_any_longer_is_gone_at_once(wide):
    wide.fine("vms = %cs -q listVirtualMachines")
    gone = weakref.ref(wide.names.pop("vms"))
    wide.fine("%cs -q listZones")  # the last result is another
    gc.disable()
    try:
        assert gone() is None
    finally:
        gc.enable()
