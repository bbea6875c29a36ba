"""What goes wrong while a long list is written: nothing is lost that came, nothing said that isn't.

Two writers, a full disk, a folder that goes away, the stop button in the middle of anything.
"""

from __future__ import annotations

import csv
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from longlists import SIZE, Long, machines, records, serve, stopped_in

from cs_magic import connect, parquet
from cs_magic.alone import Alone
from cs_magic.api import settling
from cs_magic.api.values import Call, Options
from cs_magic.errors import CallError, CloudStackError, Incomplete
from cs_magic.notebook.streamed import Line
from cs_magic.parts import Parts
from cs_magic.streaming import HELD, run

ARGUMENTS = (("startdate", "2026-10-01"), ("enddate", "2026-10-31"))
DATES = " ".join(map("=".join, ARGUMENTS))
USAGE = f"%cs -q -o parquet:usage listUsageRecords {DATES}"
CSV = USAGE.replace("parquet:usage", "csv:usage.csv")
VMS = "%cs -q -o parquet:vms listVirtualMachines listall=true"
MANY = HELD * SIZE * 2 + 25  # two parts and a bit
PAGES = HELD * 2 + 3
HIDDEN = Path(".usage.cs-magic")


@pytest.fixture
def cloud(monkeypatch):
    cloud = Long(usage=records(MANY), machines=machines(MANY))
    with serve(cloud, monkeypatch):
        yield cloud


def beside() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def descriptions(folder: str | Path = "usage") -> list[str]:
    return [
        one
        for path in sorted(Path(folder).glob("part-*.parquet"))
        for one in pq.read_table(path)["description"].to_pylist()
    ]


def expected(number: int = MANY) -> list[str]:
    return [f"record {n}" for n in range(number)]


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """A disk that is full beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# -- two writers -----------------------------------------------------------------------------


def test_a_second_writer_is_refused_in_one_line_and_the_first_one_loses_nothing(notebook, cloud):
    refused: list[CloudStackError] = []

    call = Call("listUsageRecords", (*ARGUMENTS, ("type", "1")))

    def second():
        with connect() as connection, pytest.raises(CallError) as caught:
            run(connection, call, Options(file=("parquet", "usage")))
        refused.append(caught.value)

    cloud.meanwhile = {HELD + 9: second}
    notebook.fine(USAGE)
    assert "usage is being written by process" in str(refused[0])
    assert descriptions() == expected()
    assert beside() == ["usage"]


def test_who_was_killed_is_in_nobodys_way(tmp_path):
    lock = tmp_path / "lock"
    code = (
        "import os, pathlib, sys; from cs_magic.alone import Alone\n"
        "Alone(pathlib.Path(sys.argv[1])).take(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(lock)], check=False)
    assert lock.read_text().startswith("process ")
    one, other = Alone(lock), Alone(lock)
    assert one.take() == ""
    assert other.take().startswith("process ")
    one.free()
    assert other.take() == ""
    other.free()
    assert not lock.exists()


# -- parts that are not there ------------------------------------------------------------------


def test_a_dataset_that_lacks_a_part_is_none_and_the_next_call_begins_anew(notebook, cloud):
    cloud.meanwhile = {PAGES: (HIDDEN / "part-00000.parquet").unlink}
    ran = notebook.run(USAGE)
    assert type(ran.error) is Incomplete
    assert "are not whole" in ran.error_lines[0]
    assert not Path("usage").exists()
    ran = notebook.fine(USAGE.replace("-q ", ""))
    assert any("begun anew" in line and "not there any more" in line for line in ran.lines)
    assert descriptions() == expected()


@pytest.mark.parametrize("call", [USAGE, CSV], ids=["parquet", "csv"])
def test_a_full_disk_at_the_end_costs_nothing_and_the_next_call_goes_on(notebook, cloud, call):
    place = Path("usage.csv" if call is CSV else "usage")
    hidden = Path(f".{place}.cs-magic")
    full = []

    def fills_up():  # beyond what the last part takes, below what the end takes
        size = next(hidden.glob("part-00000.*")).stat().st_size
        full.append(no_file_longer_than(size + 50 if call is USAGE else size * 3 // 2))
        full[0].__enter__()

    cloud.usage = records(HELD * SIZE * 2)
    cloud.meanwhile = {HELD * 2 + 1: fills_up}
    try:
        ran = notebook.run(call)
    finally:
        for limit in full:
            limit.__exit__(None, None, None)
    assert type(ran.error) is Incomplete
    assert "is no file yet" in ran.error_lines[0]
    assert "The same call goes on from there." in ran.error_lines[-1]
    assert len(notebook.fine("%cs last").result) == 1
    cloud.asked = []
    ran = notebook.fine(call.replace("-q ", ""))
    assert max(cloud.asked) == HELD * 2 + 1
    assert len(cloud.asked) < 5
    assert any("went on after page 128" in line for line in ran.lines)
    frame = pd.read_csv(place) if call is CSV else pd.read_parquet(place)
    assert frame["description"].tolist() == expected(HELD * SIZE * 2)
    assert beside() == [place.name]


# -- places that go away --------------------------------------------------------------------------


def test_a_place_where_nothing_can_be_written_is_said_before_the_second_page(notebook, cloud):
    ran = notebook.run(f"%cs -o csv:/proc/x.csv listUsageRecords {DATES}")
    assert type(ran.error) is CallError
    assert "/proc/x.csv can't be written" in ran.error_lines[0]
    assert set(cloud.asked) <= {1}


@pytest.mark.parametrize("kind", ["csv:there/usage.csv", "parquet:there/usage"])
def test_rows_that_could_not_be_written_are_the_last_result(notebook, cloud, kind):
    Path("there").mkdir()
    cloud.meanwhile = {HELD - 1: lambda: shutil.rmtree("there")}
    ran = notebook.run(f"%cs -q -o {kind} listUsageRecords {DATES}")
    assert type(ran.error) is Incomplete
    assert "can't be written" in ran.error_lines[0]
    last = notebook.fine("%cs last").result
    assert last.description.tolist() == expected(HELD * SIZE)
    assert ran.error.result.description.tolist() == expected(HELD * SIZE)


# -- the stop button ------------------------------------------------------------------------------


def test_the_stop_button_ends_the_writing_of_a_part_and_its_rows_are_kept(notebook, cloud):
    with stopped_in(parquet.conformed):
        ran = notebook.run(USAGE)
    assert type(ran.error) is Incomplete
    assert not HIDDEN.joinpath("_state.json").exists()
    assert "the same call begins anew" in ran.error_lines[-1]
    assert notebook.fine("%cs last").result.description.tolist() == expected(HELD * SIZE)
    notebook.fine(USAGE)
    assert descriptions() == expected()
    assert beside() == ["usage"]


def test_it_says_which_rows_are_in_no_part(notebook, cloud):
    cloud.stops_at = HELD + 30
    ran = notebook.run(USAGE)
    assert type(ran.error) is Incomplete
    assert len(descriptions(HIDDEN)) == HELD * SIZE
    [where] = [line for line in ran.error_lines if "holds" in line]
    came = notebook.fine("%cs last").result.attrs["cs"]["rows"]
    assert f"holds the {HELD * SIZE} rows that came first. The {came - HELD * SIZE} rows" in where


@pytest.mark.parametrize("where", [Parts.finish, Parts._join, parquet.joined])
def test_the_stop_button_at_the_very_end_loses_nothing(notebook, cloud, where):
    call = USAGE.replace("parquet:usage", "parquet:usage.parquet")
    cloud.usage = records(HELD * SIZE * 2)
    with stopped_in(where):
        ran = notebook.run(call)
    assert type(ran.error) is Incomplete
    assert "it was stopped" in ran.error_lines[0]
    assert notebook.fine("%cs last").result.complete[0] == False  # noqa: E712 - numpy's
    cloud.asked = []
    notebook.fine(call)
    assert max(cloud.asked) - min(set(cloud.asked) - {1}) < 3
    assert pd.read_parquet("usage.parquet").description.tolist() == expected(HELD * SIZE * 2)
    assert beside() == ["usage.parquet"]


def test_a_stop_after_the_last_page_keeps_the_rows_of_a_frame(notebook, cloud):
    with stopped_in(settling.settled):
        ran = notebook.run("vms = %cs listVirtualMachines listall=true", vms="old")
    assert type(ran.error) is Incomplete
    assert notebook.names["vms"] == "old"
    assert len(notebook.fine("%cs last").result) == MANY


def test_a_stop_at_the_first_page_is_one_line(notebook, cloud):
    cloud.stops_at = 1
    ran = notebook.run("vms = %cs listVirtualMachines listall=true", vms="old")
    assert ran.error_lines == [
        "CloudStackError: listVirtualMachines was stopped before anything came"
    ]
    assert ran.error.__context__ is None


def test_a_stop_before_anything_is_written_says_that_the_next_call_begins_anew(notebook, cloud):
    cloud.stops_at = 9
    ran = notebook.run(CSV)
    assert type(ran.error) is Incomplete
    assert "Nothing is written to" in ran.error_lines[-1]
    assert beside() == []


# -- pages that were not full -------------------------------------------------------------------


def test_rows_that_a_short_page_got_meanwhile_are_not_passed_over(notebook, cloud):
    with stopped_in(Parts.finish):
        notebook.run(USAGE)
    cloud.usage = records(MANY + 8)
    notebook.fine(USAGE)
    assert descriptions() == expected(MANY + 8)
    assert pd.read_parquet("usage").attrs["cs"]["complete"] is True


@pytest.mark.parametrize("number", [3, MANY])
def test_it_is_said_where_a_list_that_is_not_complete_replaces_an_older_file(
    notebook, cloud, number
):
    notebook.fine(VMS)
    cloud.besides, cloud.machines = 7, machines(number)
    ran = notebook.fine(VMS)
    assert any("an older vms was replaced by a list that is not complete" in x for x in ran.lines)


# -- what is said and what is written -------------------------------------------------------------


def test_one_csv_has_one_spelling_of_dates(notebook, cloud):
    cloud.usage[SIZE * HELD + 3]["startdate"] = "2026-10-01T00:00:00.250+0000"
    cloud.usage[3]["description"] = 'a "Z", and\na second line' + "x" * 200_000
    notebook.fine(CSV)
    with open("usage.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file)) if csv.field_size_limit(2**31 - 1) else []
    dates = [row["startdate"] for row in rows]
    assert set(dates) == {"2026-10-01T00:00:00.000000Z", "2026-10-01T00:00:00.250000Z"}
    assert dates.index("2026-10-01T00:00:00.250000Z") == SIZE * HELD + 3
    assert rows[3]["description"] == cloud.usage[3]["description"]


def test_notes_do_not_contradict_the_file(notebook, cloud):
    cloud.usage[25]["rawusage"] = 12.5
    cloud.usage[SIZE * HELD + 3]["rawusage"] = "abc"
    ran = notebook.fine(USAGE.replace("-q ", ""))
    assert [line for line in ran.lines if "keeps every value" in line] == []
    assert any("_other holds what the documented types can't: rawusage" in x for x in ran.lines)


def test_a_list_into_a_frame_tells_how_far_it_is_too(notebook, cloud):
    told = []
    with connect() as connection:
        call = Call("listVirtualMachines", (("listall", "true"),))
        run(connection, call, Options(), told=lambda *how_far: told.append(how_far))
    assert told[0] == (1, SIZE, MANY)
    assert told[-1] == (PAGES, MANY, MANY)


def test_a_slow_list_of_one_page_has_no_line(notebook, cloud, capsys):
    with connect() as connection:
        line = Line(connection, "listZones", quiet=False, clock=iter([0.0, 9.0, 9.0]).__next__)
        line.told(1, 3, 3)
        line.end(stays=True)
    assert capsys.readouterr().out == ""


def test_the_line_of_a_frame_is_taken_away_at_its_end(notebook, cloud, capsys):
    with connect() as connection:
        line = Line(connection, "listUsageRecords", quiet=False, clock=iter([0.0, 2.0]).__next__)
        line.told(2, 20, 30)
        assert "20 of 30 rows" in capsys.readouterr().err
        line.end(stays=False)
    assert capsys.readouterr() == ("", "")
