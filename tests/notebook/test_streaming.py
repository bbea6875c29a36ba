"""Long lists go to a file as they come: whole or not at all, and gone on with."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from api.servers import leaks
from longlists import SIZE, Long, machines, records, serve

from cs_magic import connect
from cs_magic.api.values import Call, Options
from cs_magic.errors import CallError, Incomplete
from cs_magic.notebook.streamed import Line
from cs_magic.streaming import HELD, run

DATES = "startdate=2026-10-01 enddate=2026-10-31"
USAGE = f"%cs -q -o parquet:usage listUsageRecords {DATES}"
VMS = "%cs -q -o parquet:vms listVirtualMachines listall=true"
MANY = HELD * SIZE * 2 + 25  # two parts and a bit


@pytest.fixture
def cloud(monkeypatch):
    cloud = Long(usage=records(MANY), machines=machines(MANY))
    with serve(cloud, monkeypatch):
        yield cloud


def beside() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def parts(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def table(folder: str) -> pa.Table:
    return pa.concat_tables(pq.read_table(Path(folder, name)) for name in parts(folder))


# -- what is written -------------------------------------------------------------------


def test_a_long_list_is_a_folder_of_parts_and_the_frame_says_so(notebook, cloud):
    ran = notebook.fine(USAGE)
    assert parts("usage") == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    [row] = ran.result.to_dict("records")
    assert row["path"] == str(Path("usage").resolve())
    assert (row["rows"], row["complete"]) == (MANY, True)
    assert row["bytes"] == sum(path.stat().st_size for path in Path("usage").iterdir())
    assert beside() == ["usage"]
    assert table("usage")["description"].to_pylist() == [f"record {n}" for n in range(MANY)]


def test_every_part_has_the_same_schema_and_row_groups_of_whole_pages(notebook, cloud):
    notebook.fine(USAGE)
    schemas = [pq.read_schema(Path("usage", name)) for name in parts("usage")]
    assert all(schema.equals(schemas[0]) for schema in schemas)
    assert schemas[0].field("startdate").type == pa.timestamp("us", "UTC")
    first = pq.read_metadata("usage/part-00000.parquet")
    assert {first.row_group(n).num_rows for n in range(first.num_row_groups)} == {16 * SIZE}


def test_the_first_part_tells_where_the_whole_came_from(notebook, cloud):
    notebook.fine(USAGE)
    came = pd.read_parquet("usage/part-00000.parquet").attrs["cs"]
    assert (came["rows"], came["count"], came["complete"]) == (MANY, MANY, True)
    assert pd.read_parquet("usage").attrs["cs"] == came
    assert json.loads(pq.read_schema("usage/part-00001.parquet").metadata[b"cs_magic"])


def test_a_path_with_an_ending_is_one_file_with_its_provenance(notebook, cloud):
    notebook.fine(USAGE.replace("parquet:usage", "parquet:usage.parquet"))
    assert beside() == ["usage.parquet"]
    frame = pd.read_parquet("usage.parquet")
    assert (len(frame), frame.attrs["cs"]["rows"]) == (MANY, MANY)


def test_amounts_keep_their_text_and_its_sum_is_exact(notebook, cloud):
    notebook.fine(USAGE.replace("-q", "-q -c rawusage,account"))
    kept = table("usage")
    assert kept.column_names == ["rawusage", "rawusage_text", "account", "_other"]
    exact = sum(Decimal(record["rawusage"]) for record in records(MANY))
    assert sum(map(Decimal, kept["rawusage_text"].to_pylist())) == exact
    assert kept["rawusage"].to_pylist()[1] == 1.001001


def test_a_short_list_has_the_schema_of_a_long_one(notebook, cloud):
    notebook.fine(USAGE)
    long = pq.read_schema("usage/part-00000.parquet")
    cloud.usage = records(3)
    notebook.fine(USAGE)
    assert parts("usage") == ["part-00000.parquet"]
    assert pq.read_schema("usage/part-00000.parquet").equals(long)
    cloud.usage = []
    assert notebook.fine(USAGE).result.rows[0] == 0
    assert pq.read_schema("usage/part-00000.parquet").equals(long)


def test_a_long_csv_has_the_rows_of_the_dataset(notebook, cloud):
    cloud.usage[MANY - 1]["description"] = "=1+1"
    notebook.fine(USAGE.replace("parquet:usage", "csv:usage.csv"))
    assert beside() == ["usage.csv"]
    with open("usage.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["description"] for row in rows[:2]] == ["record 0", "record 1"]
    assert (len(rows), rows[-1]["description"]) == (MANY, "'=1+1")
    assert rows[0]["startdate"] == "2026-10-01T00:00:00Z"
    assert json.loads(rows[0]["tags"]) == [{"key": "env", "value": "prod"}]


def test_a_field_that_only_a_late_page_has_is_in_other(notebook, cloud):
    cloud.machines[-1]["unheard"] = 5
    ran = notebook.fine(VMS.replace("-q ", ""))
    assert json.loads(table("vms")["_other"].to_pylist()[-1]) == {"unheard": 5}
    assert any("unheard" in line for line in ran.lines)


def test_no_part_holds_a_secret(notebook, cloud):
    notebook.fine(VMS)
    assert set(table("vms")["password"].to_pylist()) == {"••••"}
    assert all(b"pl4nted" not in path.read_bytes() for path in Path("vms").iterdir())


def test_paths_reach_inside_in_every_part(notebook, cloud):
    notebook.fine(USAGE.replace("-q", "-q -c tags.0.value,account"))
    assert set(table("usage")["tags.0.value"].to_pylist()) == {"prod"}


def test_a_limit_holds_over_the_parts(notebook, cloud):
    cut = HELD * SIZE + 5
    assert notebook.fine(USAGE.replace("-q", f"-q -n {cut}")).result.rows[0] == cut
    assert table("usage")["description"].to_pylist()[-1] == f"record {cut - 1}"


def test_what_is_held_does_not_grow_with_the_rows(notebook, cloud):
    cloud.usage = records(HELD * SIZE * 6)
    held = []
    with connect() as connection:
        call = Call("listUsageRecords", (("startdate", "2026-10-01"), ("enddate", "2026-10-31")))
        options = Options(file=("parquet", "usage"))
        before = pa.total_allocated_bytes()
        run(connection, call, options, told=lambda *_: held.append(pa.total_allocated_bytes()))
    early, late = max(held[: 2 * HELD]) - before, max(held[4 * HELD :]) - before
    assert len(held) == HELD * 6 + 1
    assert late < early * 1.2


# -- places ------------------------------------------------------------------------------


def test_an_older_dataset_is_replaced(notebook, cloud):
    notebook.fine(USAGE)
    cloud.usage = records(HELD * SIZE + 1)
    notebook.fine(USAGE)
    assert len(table("usage")) == HELD * SIZE + 1
    assert beside() == ["usage"]


def test_a_folder_with_other_things_is_refused_before_anything_is_sent(notebook, cloud):
    Path("usage").mkdir()
    Path("usage", "thesis.txt").write_text("years of work")
    ran = notebook.run(USAGE)
    assert type(ran.error) is CallError
    assert "it is a folder that holds other things" in ran.error_lines[0]
    assert (cloud.asked, parts("usage")) == ([], ["thesis.txt"])


# -- what comes twice --------------------------------------------------------------------


def test_a_row_is_dropped_that_one_of_the_last_pages_had(notebook, cloud):
    cloud.machines[MANY - 1] = cloud.machines[MANY - 101]
    cloud.machines[MANY - 2] = cloud.machines[0]
    notebook.fine(VMS)
    ids = table("vms")["id"].to_pylist()
    assert len(ids) == MANY - 1
    assert ids.count("i00000") == 2  # that one was too far away


def test_a_row_that_an_earlier_list_had_is_dropped_however_far_it_is(notebook, cloud):
    cloud.projects = [*machines(3), *machines(5, first=90_000)]
    notebook.fine(VMS.replace(" listall=true", ""))
    ids = table("vms")["id"].to_pylist()
    assert len(ids) == len(set(ids)) == MANY + 5


# -- interruptions -------------------------------------------------------------------------


def test_a_stable_list_is_gone_on_with_after_it_broke_off(notebook, cloud):
    cloud.breaks_at = HELD + 30
    ran = notebook.run(USAGE)
    assert type(ran.error) is Incomplete
    assert "The same call goes on from there." in ran.error_lines[-1]
    assert not Path("usage").exists()
    last = notebook.fine("%cs last").result
    assert last.complete[0] == False  # noqa: E712 - numpy's
    assert len(pq.read_table(last.path[0])) == last.rows[0] == (HELD + 29) * SIZE
    cloud.breaks_at, cloud.asked = 0, []
    ran = notebook.fine(USAGE.replace("-q ", ""))
    assert sorted(cloud.asked)[:2] == [1, HELD + 30]
    assert any(f"went on after page {HELD + 29}" in line for line in ran.lines)
    assert table("usage")["description"].to_pylist() == [f"record {n}" for n in range(MANY)]
    assert pd.read_parquet("usage").attrs["cs"]["complete"] is True
    assert beside() == ["usage"]


def test_it_begins_anew_where_the_first_page_is_another(notebook, cloud):
    cloud.breaks_at = HELD + 30
    notebook.run(USAGE)
    cloud.breaks_at, cloud.usage = 0, records(MANY)[1:]
    ran = notebook.fine(USAGE.replace("-q ", ""))
    assert any("begun anew" in line for line in ran.lines)
    assert table("usage")["description"].to_pylist()[0] == "record 1"
    assert len(table("usage")) == MANY - 1


def test_a_list_whose_pages_may_move_begins_anew_and_says_why(notebook, cloud):
    cloud.breaks_at = HELD + 2
    ran = notebook.run(VMS)
    assert "begins anew: the pages of listVirtualMachines may move" in ran.error_lines[-1]
    cloud.breaks_at, cloud.asked = 0, []
    notebook.fine(VMS)
    assert sorted(cloud.asked)[:2] == [1, 2]
    assert len(table("vms")) == MANY
    assert beside() == ["vms"]


def test_another_call_does_not_go_on_with_what_one_left(notebook, cloud):
    cloud.breaks_at = HELD + 30
    notebook.run(USAGE)
    cloud.breaks_at, cloud.asked = 0, []
    notebook.fine(USAGE.replace("2026-10-31", "2026-10-30"))
    assert sorted(cloud.asked)[:2] == [1, 2]
    assert len(table("usage")) == MANY


def test_the_stop_button_keeps_the_parts_that_came(notebook, cloud):
    cloud.stops_at = HELD + 30
    ran = notebook.run(USAGE)
    assert type(ran.error) is Incomplete
    assert leaks(ran.error) == []
    rows = notebook.fine("%cs last").result.rows[0]
    assert HELD * SIZE <= rows < MANY
    cloud.stops_at = 0
    notebook.fine(USAGE)
    assert table("usage")["description"].to_pylist() == [f"record {n}" for n in range(MANY)]


def test_the_stop_button_ends_a_list_and_last_has_what_came(notebook, cloud):
    cloud.stops_at = 40
    ran = notebook.run("vms = %cs listVirtualMachines listall=true", vms="old")
    assert type(ran.error) is Incomplete
    assert "it was stopped" in ran.error_lines[0]
    assert notebook.names["vms"] == "old"
    last = notebook.fine("%cs last").result
    assert 0 < len(last) < MANY
    assert list(last.id[:2]) == ["i00000", "i00001"]
    assert last.attrs["cs"]["complete"] is False


# -- the line that tells how far it is --------------------------------------------------------


def test_the_line_tells_pages_rows_rate_and_the_time_left(notebook, cloud, capsys):
    times = iter([0.0, 2.0, 4.0, 4.0])
    with connect() as connection:
        line = Line(connection, "listUsageRecords", quiet=False, clock=lambda: next(times))
        line.told(1, 500, 10_000)
        line.told(4, 2_000, 10_000)
        line.end(stays=True)
    assert (
        "listUsageRecords · 4 pages · 2,000 of 10,000 rows · 500 rows/s · 16 s left · env at"
        in capsys.readouterr().out
    )


def test_a_quick_list_has_no_line(notebook, cloud, capsys):
    with connect() as connection:
        line = Line(connection, "listUsageRecords", quiet=False, clock=lambda: 0.0)
        line.told(1, 500, 500)
        line.end(stays=True)
    assert capsys.readouterr().out == ""
