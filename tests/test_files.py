"""A result in a file: what was written is told, whole or not at all, no secret in it."""

from __future__ import annotations

import os
import resource
import stat
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from nobody import without_rights
from written import WHOLE, beside, cells, first_sheet, made, named, read_csv

from cs_magic.api.records import Records
from cs_magic.api.values import Page, Provenance, Result
from cs_magic.errors import CallError
from cs_magic.files import KINDS, check, write


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_told(tmp_path, kind):
    result = made(WHOLE, {"id": "i2", "load": "heavy"})
    written = write(result, kind, tmp_path / "things.any", ["id", "load"])
    path = tmp_path / "things.any"
    columns = 3 if kind == "parquet" else 2
    assert written.row() == {
        "path": str(path),
        "rows": 2,
        "columns": columns,
        "bytes": path.stat().st_size,
        "complete": True,
    }
    assert written.notes[: len(result.notes)] == result.notes != ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_is_in_no_file(tmp_path, kind):
    planted = "pl4nted"
    row = WHOLE | {
        "password": planted,
        "nic": [{"secretkey": planted, "deep": {"apikey": planted}}],
        "details": {"name": "root.password", "value": planted},
        "token": {"odd": planted},
    }
    result = made(row, {"id": "i2", "name": "ldap.bind.password", "value": planted})
    assert result.secrets is not None
    path = tmp_path / "things.any"
    write(result, kind, path)
    whole = path.read_bytes()
    if kind == "xlsx":
        with zipfile.ZipFile(path) as parts:
            whole = b"".join(parts.read(name) for name in parts.namelist())
    elif kind == "parquet":
        table = pq.read_table(path)
        whole += str(table.to_pylist()).encode() + str(table.schema.metadata).encode()
    assert planted.encode() not in whole
    assert "••••".encode() in whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path, kind):
    path = tmp_path / "things.any"
    path.write_text("old")
    path.chmod(0o600)
    with path.open() as reading:
        write(made(WHOLE), kind, path)
        assert reading.read() == "old"
    assert path.read_bytes() != b"old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert beside(path) == ["things.any"]


@contextmanager
def little_room(most: int = 2_000):
    """No file of this process gets larger than this: a full disk, as far as a writer sees it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("old", ["old", None])
@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(tmp_path, kind, old):
    path = tmp_path / "things.any"
    if old:
        path.write_text(old)
    many = named(*(os.urandom(20).hex() for _ in range(2_000)))
    with little_room(), pytest.raises(CallError, match="can't be written") as caught:
        write(many, kind, path)
    assert len(caught.value.lines()) == 1
    assert caught.value.__suppress_context__
    assert beside(path) == (["things.any"] if old else [])
    assert not old or path.read_text() == old


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere/things.csv", "there is no folder"),
        (".", "it is a folder"),
        ("pipe", "it is not a file"),
        ("~nobody-of-this-name/things.csv", "home"),
        ("loop", "link"),
        ("nul\0", "null"),
        ("x" * 300, "name too long"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_place_that_is_none_is_refused_in_one_line(tmp_path, monkeypatch, kind, path, said):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    with pytest.raises(CallError, match=rf"(?i)can't be written: .*{said}") as caught:
        write(made(WHOLE), kind, path)
    assert len(caught.value.lines()) == 1
    assert beside(tmp_path / "x") == ["loop", "pipe"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_ours_to_write_is_refused(tmp_path, kind):
    (tmp_path / "closed").mkdir(mode=0o500)
    (tmp_path / "kept.any").write_text("old")
    (tmp_path / "kept.any").chmod(0o400)
    tmp_path.chmod(0o755)
    for path, said in (("closed/things", "not yours to write"), ("kept.any", "read-only")):
        with without_rights(tmp_path / path), pytest.raises(CallError, match=said):
            write(made(WHOLE), kind, tmp_path / path)


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(CallError, match="csv, parquet or xlsx, not as json"):
        check("json", "things.json")


def test_xlsx_without_openpyxl_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(CallError) as caught:
        write(made(WHOLE), "xlsx", tmp_path / "things.xlsx")
    assert caught.value.hints == ("pip install openpyxl",)


def test_the_home_folder_and_a_link_are_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere" / "things.csv")
    written = write(made(WHOLE), "csv", "~/link.csv")
    assert written.path == str(tmp_path / "elsewhere" / "things.csv")
    assert (tmp_path / "link.csv").is_symlink()


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_without_rows_has_its_columns(tmp_path, kind):
    path = tmp_path / "things.any"
    assert write(made(), kind, path).rows == 0
    if kind == "csv":
        assert (
            path.read_text() == "name,cpunumber,created,id,load,haenable,cpuused,publicport,nic\n"
        )
    elif kind == "xlsx":
        assert [cell.value for cell in first_sheet(path)[1]][:3:2] == ["name", "created (UTC)"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_with_no_columns_at_all_is_written(tmp_path, kind):
    assert write(made(kinds={}), kind, tmp_path / "things.any").rows == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_exploded_field_has_a_row_for_each_element(tmp_path, kind):
    row = WHOLE | {"nic": [{"ipaddress": "10.1.1.1"}, {"ipaddress": "10.1.1.2"}]}
    path = tmp_path / "things.any"
    assert write(made(row), kind, path, ["name", "nic"], explode="nic").rows == 2
    read = {"csv": read_csv, "xlsx": cells}.get(kind, lambda path: pq.read_table(path).to_pylist())
    found = [(row["name"], row["nic.ipaddress"]) for row in read(path)]
    assert found == [("web", "10.1.1.1"), ("web", "10.1.1.2")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", ["%s", "[%s]", '{"a": %s, "password": %s}'])
def test_a_number_that_python_does_not_read_is_written(tmp_path, kind, cell):
    cell = cell.replace("%s", "1" * 6_000)
    records = Records({"id": "text"})
    records.add(Page("thing", 1, f'[{{"id":"1","n":{cell}}},{{"id":"2","n":"a"}}]'.encode()))
    path = tmp_path / f"a.{kind}"
    write(Result(records.table(), Provenance("listThings")), kind, str(path))
    assert path.stat().st_size > 0
