"""CSV and xlsx hold the values as far as they can, and nothing in them comes alive."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from written import (
    LIVELY,
    ODD,
    WHOLE,
    beside,
    cells,
    first_sheet,
    made,
    named,
    one_line_end,
    opened,
    read_csv,
)

from cs_magic.api.values import Provenance, Result
from cs_magic.errors import CallError
from cs_magic.files import write
from cs_magic.sheets import MOST_ROWS, inert


def test_csv_is_plain(tmp_path):
    rows = (WHOLE, {"id": "i2", "name": "Zürich, Bär", "cpuused": "Unlimited", "haenable": False})
    write(made(*rows), "csv", tmp_path / "things")
    assert (tmp_path / "things").read_bytes().decode() == (
        "name,cpunumber,created,id,load,haenable,cpuused,publicport,nic\n"
        'web,2,2026-11-23T12:00:00Z,i1,0.5,true,4.1,443,"[{""ipaddress"": ""10.1.1.1""}]"\n'
        '"Zürich, Bär",,,i2,,false,inf,,\n'
    )


@pytest.mark.parametrize("text", ["-5", "+4.1%", "-0.5", "+41", "-1e5", "web", "", "a = b; c", "ü"])
def test_a_plain_number_or_text_stays_as_it_is(text):
    assert inert(text) == text


@pytest.mark.parametrize("text", LIVELY)
def test_lively_text_begins_with_an_apostrophe_or_has_one_where_it_comes_alive(text):
    found = inert(text)
    assert found != text
    assert found.replace("'", "") == one_line_end(text).replace("'", "")
    assert alive(text) or text.startswith("'")
    assert not alive(found)


def alive(text: str) -> list[str]:
    """The cells that a spreadsheet would take for a formula, whatever it splits at."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(["x", text, "y"])
    split = [
        cell
        for delimiter in ",;\t"
        for row in csv.reader(io.StringIO(line.getvalue(), newline=""), delimiter=delimiter)
        for cell in row
    ]
    split += [cell for row in re.split(r"[\r\n]", text) for cell in re.split(r"[;\t]", row)]
    bare = [cell.strip(' \t\r\n\ufeff"') for cell in split]
    return [
        cell
        for cell in bare
        if re.match("[=+@＝＋－＠-]", cell) and not re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?%?", cell)
    ]


LETTERS = st.sampled_from("=+-@＝＋－＠;,\t\r\n\"' \ufeff1a%.")


@settings(max_examples=500, deadline=None)
@given(st.text(LETTERS, max_size=12))
def test_no_text_at_all_comes_alive_in_csv(text):
    assert not alive(inert(text))


@settings(max_examples=500, deadline=None)
@given(st.text(LETTERS, max_size=8), st.text(LETTERS, max_size=8))
def test_two_texts_are_never_one_in_csv(one, other):
    assume(one_line_end(one) != one_line_end(other))
    assert inert(one) != inert(other)
    assert inert(one) != inert("'" + one)


def test_a_long_text_of_blanks_takes_no_time():
    assert inert("\n" * 200_000 + "x").endswith("x")
    assert inert(" ;" * 200_000 + "=").endswith("'=")


@pytest.mark.parametrize("name", ["=1+1", "@x", "a;=b"])
def test_a_header_does_not_come_alive(tmp_path, name):
    result = made(WHOLE | {name: "x"})
    write(result, "csv", tmp_path / "things.csv")
    write(result, "xlsx", tmp_path / "things.xlsx")
    assert inert(name) in next(csv.reader((tmp_path / "things.csv").open()))
    (cell,) = [cell for cell in first_sheet(tmp_path / "things.xlsx")[1] if cell.value == name]
    assert cell.data_type == "s"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_control_characters_are_shown(tmp_path, kind):
    path = tmp_path / "things"
    write(named("\x1b[31mred\x9b0m\x00\x7f", "two\nlines\tand a tab"), kind, path)
    found = [row["name"] for row in (read_csv if kind == "csv" else cells)(path)]
    assert found == [r"\u001b[31mred\u009b0m\u0000\u007f", "two\nlines\tand a tab"]


@pytest.mark.parametrize(
    ("field", "value", "cell"),
    [
        ("name", "web", "web"),
        ("name", "-5", "-5"),
        ("name", "#N/A", "#N/A"),
        ("name", "a\r\nb", "a\nb"),
        ("cpunumber", 10**15 - 1, 10**15 - 1),
        ("cpunumber", -(10**15), "-1000000000000000"),
        ("cpunumber", 2**70, str(2**70)),
        ("load", 0.25, 0.25),
        ("haenable", False, False),
        ("created", "2026-11-23T13:00:00+0100", datetime(2026, 11, 23, 12)),
        ("created", "1899-12-31T00:00:00+0000", "1899-12-31T00:00:00Z"),
        ("cpuused", "Unlimited", "Unlimited"),
        ("publicport", "443", 443),
        ("nic", [{"a": True}], '[{"a": true}]'),
        ("nic", "text", "text"),
        ("nic", True, True),
        ("nic", None, None),
    ],
)
def test_a_cell_is_what_excel_can_hold(tmp_path, field, value, cell):
    write(made(WHOLE | {field: value}), "xlsx", tmp_path / "things")
    (row,) = cells(tmp_path / "things")
    found = row["created (UTC)" if field == "created" else field]
    assert found == cell
    assert type(found) is type(cell)


def test_no_cell_of_a_workbook_is_a_formula(tmp_path):
    path = tmp_path / "things.xlsx"
    texts = [*LIVELY, "http://x", "mailto:a@b", "#REF!", "=", "=1"]
    write(named(*texts), "xlsx", path)
    sheet = first_sheet(path)
    written = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in written] == [one_line_end(text) for text in texts]
    assert {cell.data_type for cell in written} == {"s"}
    assert [cell.quotePrefix for cell in written][:3] == [True] * 3
    with zipfile.ZipFile(path) as parts:
        whole = b"".join(parts.read(name) for name in parts.namelist())
    assert b"<f>" not in whole
    assert b"<f " not in whole
    assert b"<hyperlink" not in whole


def test_text_that_excel_would_decode_is_escaped(tmp_path):
    write(named("_x001B_"), "xlsx", tmp_path / "things")
    assert [row["name"] for row in cells(tmp_path / "things")] == ["_x005F_x001B_"]


def test_a_workbook_has_a_bold_header_that_stays_a_filter_and_widths(tmp_path):
    write(named("a name of some length", "b"), "xlsx", tmp_path / "things", ["name", "cpunumber"])
    sheet = first_sheet(tmp_path / "things")
    assert sheet.title == "listThings"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B3"
    assert all(cell.font.bold for cell in sheet[1])
    assert sheet.column_dimensions["A"].width == 23


def test_a_second_sheet_says_where_the_rows_came_from(tmp_path):
    written = write(made(ODD | {"id": "i1"}), "xlsx", tmp_path / "things")
    about = opened(tmp_path / "things")["About"]
    lines = list(about.iter_rows(values_only=True))
    assert ("host", "cloud") in lines
    assert ("complete", True) in lines
    assert [said for name, said in lines if name == "note"] == list(written.notes)


def test_a_text_that_is_too_long_is_cut_and_told_once(tmp_path):
    long = made(
        *({"id": f"i{n}", "name": "x" * 40_000, "nic": ["😀" * 20_000]} for n in range(2)),
        {"id": "i2", "name": "x" * 32_767},
    )
    written = write(long, "xlsx", tmp_path / "things")
    first, _, last = cells(tmp_path / "things")
    assert first["name"] == "x" * 32_766 + "…"
    assert first["nic"] == '["' + "😀" * 16_382 + "…"
    assert last["name"] == "x" * 32_767
    (note,) = written.notes
    assert note.startswith("name, nic: 4 cells were longer than Excel's 32,767 characters")


@pytest.mark.parametrize("shape", [(MOST_ROWS + 1, 1), (1, 16_385)])
def test_more_than_excel_takes_is_refused_before_anything_is_written(tmp_path, shape):
    rows, columns = shape
    table = pa.table({f"c{n}": pa.nulls(rows, pa.int64()) for n in range(columns)})
    (tmp_path / "things").write_text("old")
    with pytest.raises(CallError, match="more than Excel takes"):
        write(Result(table, Provenance("listThings")), "xlsx", tmp_path / "things")
    assert (tmp_path / "things").read_text() == "old"
    assert beside(tmp_path / "things") == ["things"]
