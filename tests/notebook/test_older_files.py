"""A file or dataset that holds more than `--limit` gives is not replaced by accident."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from longlists import Long, machines, serve
from openpyxl import Workbook

from cs_magic.api.values import Call, Options
from cs_magic.errors import Refused
from cs_magic.older import cut_short
from cs_magic.streaming import HELD

LIST = "listVirtualMachines listall=true"
FILES = ["csv:vms.csv", "parquet:vms.parquet", "parquet:vms", "xlsx:vms.xlsx"]
MANY = 30


class Terminal(io.StringIO):
    """A terminal in which this is typed."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def cloud(monkeypatch):
    cloud = Long(machines=machines(MANY))
    with serve(cloud, monkeypatch):
        yield cloud


def rows(file: str) -> int:
    kind, _, path = file.partition(":")
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "xlsx": pd.read_excel}[kind]
    return len(read(path))


@pytest.fixture(params=FILES)
def whole(request, notebook, cloud) -> str:
    """A file that has the whole list."""
    notebook.fine(f"%cs -q -o {request.param} {LIST}")
    assert rows(request.param) == MANY
    cloud.asked.clear()
    return request.param


def test_a_whole_file_is_not_replaced_by_a_part_where_nobody_can_be_asked(notebook, cloud, whole):
    ran = notebook.run(f"x = %cs -n 7 -o {whole} {LIST}", x="old")
    path = whole.partition(":")[2]
    assert type(ran.error) is Refused
    assert ran.error_lines == [
        f"Refused: {path} has more rows than --limit 7 gives, and stays as it is; nothing was sent",
        "  Name another path for a part of the list; %cs -y … replaces the file.",
    ]
    assert (rows(whole), cloud.asked, notebook.names["x"]) == (MANY, [], "old")


@pytest.mark.parametrize(
    ("said", "left"), [("yes\n", 7), ("Y\n", 7), ("no\n", MANY), ("\n", MANY), ("", MANY)]
)
def test_whoever_can_be_asked_decides(notebook, cloud, whole, monkeypatch, said, left):
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    ran = notebook.run(f"%cs -q -n 7 -o {whole} {LIST}")
    path = whole.partition(":")[2]
    assert f"{path} has more rows than --limit 7 gives: replace it? yes/no: " in ran.printed
    assert rows(whole) == left
    assert (ran.error is None) is (left == 7)


def test_yes_beforehand_asks_nobody(notebook, whole):
    notebook.fine(f"%cs -q -y -n 7 -o {whole} {LIST}")
    assert rows(whole) == 7


def test_a_part_is_replaced_by_another_that_is_as_long(notebook, whole):
    notebook.fine(f"%cs -q -y -n 7 -o {whole} {LIST}")
    for number in (7, 9, MANY):
        notebook.fine(f"%cs -q -n {number} -o {whole} {LIST}")
        assert rows(whole) == number


def test_a_whole_list_replaces_a_longer_one_as_ever(notebook, cloud, whole):
    cloud.machines = machines(3)
    notebook.fine(f"%cs -q -o {whole} {LIST}")
    assert rows(whole) == 3


def test_it_is_refused_before_anything_of_its_cell_is_sent(notebook, cloud, whole):
    ran = notebook.run(f"%%cs\n{LIST}\n-n 7 -o {whole} {LIST}")
    assert type(ran.error) is Refused
    assert cloud.asked == []


def test_what_is_only_planned_asks_nobody(notebook, whole):
    notebook.fine(f"%cs --dry-run -n 7 -o {whole} {LIST}")
    assert rows(whole) == MANY


@pytest.mark.parametrize("page", ["pagesize=9", "pagesize=9 page=2"])
def test_a_page_is_a_part_too(notebook, cloud, page):
    notebook.fine(f"%cs -q -o csv:vms.csv {LIST}")
    ran = notebook.run(f"%cs -o csv:vms.csv {LIST} {page}")
    assert ran.error_lines[0].startswith("Refused: vms.csv has more rows than pagesize=9 gives")
    assert rows("csv:vms.csv") == MANY


@pytest.mark.parametrize(("number", "why"), [(500, ""), (501, "page=1")])
def test_a_page_has_500_rows_at_most(tmp_path, number, why):
    file = tmp_path / "vms.csv"
    file.write_text("name\n" + "vm\n" * number)
    call = Call("listVirtualMachines", (("page", "1"),))
    assert cut_short(call, Options(file=("csv", str(file)))) == why


def test_a_dataset_of_several_parts_counts_as_one(notebook, cloud):
    cloud.machines = machines(HELD * 10 + 50)
    notebook.fine(f"%cs -q -o parquet:vms {LIST}")
    assert len([*Path("vms").iterdir()]) == 2
    assert type(notebook.run(f"%cs -n {HELD * 10 + 49} -o parquet:vms {LIST}").error) is Refused
    notebook.fine(f"%cs -q -n {HELD * 10 + 50} -o parquet:vms {LIST}")


def test_a_text_of_several_lines_is_one_row(notebook, cloud):
    cloud.machines = [one | {"name": 'two "\nlines"'} for one in machines(4)]
    notebook.fine(f"%cs -q -o csv:vms.csv {LIST}")
    assert Path("vms.csv").read_text().count("\n") > 5
    notebook.fine(f"%cs -q -n 4 -o csv:vms.csv {LIST}")
    assert type(notebook.run(f"%cs -n 3 -o csv:vms.csv {LIST}").error) is Refused


@pytest.mark.parametrize("file", ["parquet:x.parquet", "xlsx:x.xlsx"])
def test_what_is_no_such_file_has_no_rows_to_lose(notebook, cloud, file):
    Path(file.partition(":")[2]).write_text("no sense")
    notebook.fine(f"%cs -q -n 7 -o {file} {LIST}")
    assert rows(file) == 7


@pytest.mark.parametrize(
    "part", ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"]
)
@pytest.mark.parametrize("broken", [b"", b"<a/>", b"<a", None])
def test_a_broken_workbook_has_no_rows_to_lose(tmp_path, part, broken):
    whole, file = tmp_path / "whole.xlsx", tmp_path / "vms.xlsx"
    pd.DataFrame({"name": ["vm"] * 30}).to_excel(whole)
    with ZipFile(whole) as old, ZipFile(file, "w") as new:
        for name in old.namelist():
            content = broken if name == part else old.read(name)
            if content is not None:
                new.writestr(name, content)
    for path, why in ((file, ""), (whole, "--limit 7")):
        options = Options(limit=7, file=("xlsx", str(path)))
        assert cut_short(Call("listVirtualMachines"), options) == why


def test_a_workbook_of_a_chart_alone_has_no_rows_to_lose(tmp_path):
    book, file = Workbook(), tmp_path / "vms.xlsx"
    book.remove(book.active)
    book.create_chartsheet("chart")
    book.save(file)
    options = Options(limit=7, file=("xlsx", str(file)))
    assert cut_short(Call("listVirtualMachines"), options) == ""


def test_the_limit_goes_for_each_of_several_clouds(notebook, cloud, monkeypatch):
    config, endpoint = Path("cs_magic.toml"), os.environ["CLOUDSTACK_ENDPOINT"]
    config.touch(0o600)
    config.write_text(f'[here]\nendpoint = "{endpoint}"\napi_key = "k"\nsecret_key = "s"\n')
    call = f"%cs -q -p env,here -o csv:vms.csv {LIST}"
    notebook.fine(call)
    assert rows("csv:vms.csv") == 2 * MANY
    ran = notebook.run(call.replace("-q", f"-n {MANY - 1}"))
    assert type(ran.error) is Refused
    notebook.fine(call.replace("-q", f"-q -n {MANY}"))
    assert rows("csv:vms.csv") == 2 * MANY
