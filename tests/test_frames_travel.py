"""What of a frame's types and provenance survives what people do with frames, and what doesn't.

pandas 3 keeps `attrs` through most methods. What it loses or spoils is tested too, because the
README says so; `%cs -o` is the way round each of these.
"""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from written import LIVELY, made, named, read_csv

from cs_magic.api.values import Call, Options
from cs_magic.connection import Connection
from cs_magic.demo.server import serving
from cs_magic.files import KINDS, write
from cs_magic.frames import to_frame
from cs_magic.opening import connect

LISTS = {
    "listVirtualMachines": {},
    "listHosts": {},
    "listNetworks": {},
    "listTemplates": {"templatefilter": "all"},
    "listZones": {},
    "listEvents": {},
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Connection]:
    """The demo's root admin, of a cloud of two hundred machines."""
    with serving(machines=200) as demo:
        keys = {"api_key": demo.api_key, "secret_key": demo.secret_key}
        with connect(endpoint=demo.endpoint, **keys) as connection:
            yield connection


@pytest.fixture(scope="module")
def machines(cloud: Connection) -> pd.DataFrame:
    return cloud.listVirtualMachines()


@pytest.fixture(scope="module")
def zones(cloud: Connection) -> pd.DataFrame:
    return cloud.listZones()


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns without nested values."""
    return frame.drop(columns=[name for name in frame if frame[name].dtype == "object"])


KEPT: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "copy": lambda frame: frame.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda frame: pickle.loads(pickle.dumps(frame)),
    "rows": lambda frame: frame[frame["state"] == "Running"],
    "query": lambda frame: frame.query("state == 'Running'"),
    "iloc": lambda frame: frame.iloc[3:5],
    "head": lambda frame: frame.head(),
    "none": lambda frame: frame.head(0),
    "sorted": lambda frame: frame.sort_values("name"),
    "columns": lambda frame: frame[["name", "memory", "created", "haenable"]],
    "dropna": lambda frame: frame.dropna(subset=["hostname"]),
    "drop_duplicates": lambda frame: frame.drop_duplicates("id"),
    "halves": lambda frame: pd.concat([frame.iloc[:9], frame.iloc[9:]]),
    "with itself": lambda frame: frame.merge(frame[["id"]], on="id"),
}


@pytest.mark.parametrize("way", KEPT)
def test_types_and_provenance_are_kept(machines, way):
    moved = KEPT[way](machines)
    assert moved.attrs == machines.attrs
    assert dict(moved.dtypes) == {name: machines[name].dtype for name in moved}


def test_the_provenance_of_a_copy_is_its_own(machines):
    moved = machines[["name"]]
    moved.attrs["cs"]["parameters"]["mine"] = "1"
    assert "mine" not in machines.attrs["cs"]["parameters"]


LOST: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]] = {
    "concat of two calls": lambda frame, other: pd.concat([frame, other]),
    "merge": lambda frame, other: frame.merge(other, left_on="zoneid", right_on="id"),
    "join": lambda frame, other: frame[["name"]].join(other[["id"]]),
    "counts": lambda frame, _: frame["state"].value_counts().to_frame(),
    "sizes": lambda frame, _: frame.groupby("zonename").size().to_frame(),
}


@pytest.mark.parametrize("way", LOST)
def test_what_comes_of_several_calls_or_of_counting_has_no_provenance(machines, zones, way):
    assert LOST[way](machines, zones).attrs == {}


def test_sums_keep_the_provenance_of_the_rows_they_were_made_from(machines):
    sums = machines.groupby("zonename")[["memory"]].sum()
    assert sums.attrs == machines.attrs
    assert sums["memory"].dtype == "Int64"


def test_two_calls_are_concatenated_with_their_types(cloud, machines):
    stopped = cloud.listVirtualMachines(state="Stopped")
    running = cloud.listVirtualMachines(state="Running")
    both = pd.concat([stopped, running], ignore_index=True)
    assert len(both) == len(stopped) + len(running) > 100
    assert {name: both[name].dtype for name in flat(machines)} == dict(flat(machines).dtypes)


def test_a_merge_keeps_the_types(machines, zones):
    merged = machines.merge(
        zones[["id", "name"]], left_on="zoneid", right_on="id", suffixes=("", "2")
    )
    assert len(merged) == len(machines)
    assert {name: merged[name].dtype for name in machines} == dict(machines.dtypes)
    assert (merged["name2"] == merged["zonename"]).all()


# -- through pandas' own files -------------------------------------------------------


def test_flat_columns_come_back_from_parquet_with_types_and_provenance(machines, tmp_path):
    sent = flat(machines)
    sent.to_parquet(tmp_path / "machines.parquet")
    read = pd.read_parquet(tmp_path / "machines.parquet")
    pd.testing.assert_frame_equal(read, sent)
    assert read.attrs == machines.attrs


def test_pandas_cannot_write_an_empty_object_to_parquet(tmp_path):
    frame = to_frame(made({"id": "i1", "nic": {}}))
    with pytest.raises(pa.ArrowNotImplementedError, match="no child field"):
        frame.to_parquet(tmp_path / "things.parquet")


def test_pandas_gives_nested_values_keys_that_they_did_not_have_in_parquet(tmp_path):
    frame = to_frame(made({"id": "i1", "nic": {"a": "1"}}, {"id": "i2", "nic": {"b": "2"}}))
    frame.to_parquet(tmp_path / "things.parquet")
    read = pd.read_parquet(tmp_path / "things.parquet")
    assert list(read["nic"]) == [{"a": "1", "b": None}, {"a": None, "b": "2"}]


def test_csv_of_pandas_brings_back_text_and_floats(machines):
    sent = machines[["name", "created", "diskioread", "haenable"]]
    read = pd.read_csv(io.StringIO(sent.to_csv(index=False)))
    assert [str(read[name].dtype) for name in read] == ["str", "str", "float64", "bool"]
    assert read.attrs == {}
    dtypes = {name: dtype for name, dtype in sent.dtypes.items() if name != "created"}
    read = pd.read_csv(io.StringIO(sent.to_csv(index=False)), dtype=dtypes, parse_dates=["created"])
    pd.testing.assert_frame_equal(read, sent)


def test_pandas_cannot_write_dates_with_a_zone_to_xlsx(machines, tmp_path):
    with pytest.raises(ValueError, match="timezone"):
        machines.to_excel(tmp_path / "machines.xlsx")


def test_pandas_makes_formulas_of_names_where_our_files_do_not(tmp_path):
    result = named('=HYPERLINK("http://x","y")')
    to_frame(result)[["name"]].to_excel(tmp_path / "theirs.xlsx", index=False)
    write(result, "xlsx", tmp_path / "ours.xlsx", ["name"])
    kinds = [
        openpyxl.load_workbook(tmp_path / name).worksheets[0]["A2"].data_type
        for name in ("theirs.xlsx", "ours.xlsx")
    ]
    assert kinds == ["f", "s"]


# -- through ours --------------------------------------------------------------------


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_list_of_the_demo_goes_into_every_kind(cloud, tmp_path, command, kind):
    result = cloud.run(Call(command, tuple(LISTS[command].items())), Options())
    written = write(result, kind, tmp_path / f"out.{kind}")
    assert written.rows == result.table.num_rows > 0
    assert written.complete is True


def test_our_parquet_comes_back_with_types_and_provenance(cloud, machines, tmp_path):
    result = cloud.run(Call("listVirtualMachines"), Options())
    write(result, "parquet", tmp_path / "machines.parquet")
    read = pd.read_parquet(tmp_path / "machines.parquet")
    assert read.attrs["cs"] == result.provenance.as_json()
    same = [name for name in flat(machines) if name in read]
    assert len(same) > 60
    pd.testing.assert_frame_equal(read[same], machines[same], check_like=True)


def test_our_csv_and_xlsx_come_back_with_the_values(cloud, machines, tmp_path):
    columns = ["name", "memory", "created", "haenable", "nic.0.ipaddress"]
    result = cloud.run(Call("listVirtualMachines"), Options(columns=tuple(columns)))
    write(result, "csv", tmp_path / "machines.csv", columns)
    write(result, "xlsx", tmp_path / "machines.xlsx", columns)
    from_csv = pd.read_csv(tmp_path / "machines.csv", parse_dates=["created"])
    from_xlsx = pd.read_excel(tmp_path / "machines.xlsx")
    assert list(from_csv) == columns
    assert list(from_xlsx["created (UTC)"]) == list(machines["created"].dt.tz_localize(None))
    assert list(from_csv["created"]) == list(machines["created"])
    for name in ("memory", "haenable"):
        assert list(from_csv[name]) == list(from_xlsx[name]) == list(machines[name])
    assert list(from_xlsx["name"]) == list(machines["name"])
    unguarded = machines["name"].str.match(r"\w")
    assert list(from_csv["name"][unguarded]) == list(machines["name"][unguarded])


# -- text that would do something ----------------------------------------------------

HTML = ("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "<b>&amp;</b>")


@pytest.mark.parametrize("way", ["to_html", "_repr_html_"])
def test_no_name_is_html_in_a_table(way):
    frame = to_frame(named(*HTML))
    whole = getattr(frame, way)()
    assert "<img" not in whole
    assert "<script>" not in whole
    assert "&lt;img src=x onerror=alert(1)&gt;" in whole
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in whole


def test_no_column_is_html_in_a_table():
    assert "<img" not in to_frame(made({"id": "i1", HTML[0]: HTML[0], "nic": [HTML[0]]})).to_html()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_control_character_is_in_a_file_for_people(tmp_path, kind):
    path = tmp_path / f"things.{kind}"
    write(named("\x1b[31mred", "\x9b31m", "\x00", "\x07", *LIVELY), kind, path)
    if kind == "csv":
        names = [row["name"] for row in read_csv(path)]
    else:
        names = list(pd.read_excel(path, keep_default_na=False)["name"])
    assert names[0] == r"\u001b[31mred"
    assert not any(ord(letter) < 32 and letter not in "\n\t" for name in names for letter in name)
