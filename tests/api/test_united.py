"""Results of several clouds under each other: types, notes, secrets, and what each gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_magic import files, parquet
from cs_magic.api.records import Records, kinds_of, revealed, rows_of
from cs_magic.api.united import Part, united
from cs_magic.api.values import Call, Page, Provenance, Result
from cs_magic.frames import to_frame

KINDS = {"id": "text", "size": "integer", "load": "number", "created": "date", "nic": "nested"}
DAY = "2024-05-01T10:00:00+0000"


def came(rows: list[dict[str, Any]], kinds: dict[str, str] | None = None, **facts: Any) -> Result:
    """A result as it is read from a page of these rows."""
    records = Records(KINDS if kinds is None else kinds)
    records.add(Page("thing", len(rows), json.dumps(rows).encode()))
    table = records.table()
    provenance = Provenance("listThings", rows=len(rows), count=len(rows), **facts)
    return Result(table, provenance, "thing", tuple(records.notes), records.secrets)


def together(*results: Result, **failed: str) -> Result:
    """The results of one, two … and of those that failed."""
    names = dict(zip(("one", "two", "three"), results, strict=False))
    parts = [
        Part(name, f"{name}.example.com", *_facts(result.provenance))
        for name, result in names.items()
    ]
    parts += [
        Part(name, "down.example.com", reason=text, failed=text) for name, text in failed.items()
    ]
    return united(Call("listThings", (("zoneid", "Zürich"),)), parts, names, 0.5)


def _facts(provenance: Provenance) -> tuple[int, bool | None, str]:
    return provenance.rows, provenance.complete, provenance.reason


def column(name: str, *results: Result) -> pd.Series:
    return to_frame(together(*results))[name]


@pytest.mark.parametrize(
    ("first", "second", "dtype"),
    [
        ({"size": 1}, {"size": 2}, "Int64"),
        ({"size": 1}, {}, "Int64"),
        ({}, {"size": 2}, "Int64"),
        ({"load": "4.1%"}, {"load": "Unlimited"}, "Float64"),
        ({"load": "4.1%"}, {}, "Float64"),
        ({"created": DAY}, {"created": "2024-05-02T10:00:00+0200"}, "datetime64[us, UTC]"),
        ({"created": DAY}, {}, "datetime64[us, UTC]"),
        ({"nic": [{"ip": "1"}]}, {}, "object"),
        ({"new": 1}, {"new": 1.5}, "Float64"),
        ({"new": True}, {"id": "x"}, "boolean"),
        ({"new": "text"}, {"id": "x"}, "str"),
    ],
)
def test_a_column_has_the_type_that_holds_every_clouds_values(first, second, dtype):
    name = next(iter({**first, **second}))
    for one, two in ((first, second), (second, first)):
        series = column(name, came([one]), came([two]))
        assert series.dtype == dtype
        assert series.isna().tolist() == [name not in one, name not in two]
        assert not together(came([one]), came([two])).notes


def test_a_cloud_without_rows_changes_no_type():
    frame = to_frame(together(came([{"id": "a", "size": 3, "extra": 1.5}]), came([])))
    assert frame.dtypes.astype(str).to_dict() == {
        "profile": "str",
        "id": "str",
        "size": "Int64",
        "extra": "Float64",
        "load": "Float64",
        "created": "datetime64[us, UTC]",
        "nic": "object",
    }
    assert frame.profile.tolist() == ["one"]


@pytest.mark.parametrize(
    ("first", "second", "values", "said"),
    [
        ({"new": 7}, {"new": "seven"}, [7, "seven"], "an integer in one, text in two"),
        ({"new": 2**60 + 1}, {"new": 0.5}, [2**60 + 1, 0.5], "an integer in one, a number in two"),
        ({"new": True}, {"new": [1]}, [True, [1]], "true or false in one, an object in two"),
        (
            {"created": DAY},
            {"created": "soon"},
            ["2024-05-01T10:00:00+00:00", "soon"],
            "a date in one, text in two",
        ),
    ],
)
def test_where_no_type_holds_them_all_every_value_is_kept_and_a_note_says_so(
    first, second, values, said
):
    whole = together(came([first]), came([second]))
    name = next(iter(first))
    assert to_frame(whole)[name].tolist() == values
    assert f"{name}: {said}; the column keeps every value as it is" in whole.notes


def test_a_map_column_keeps_its_objects_in_every_row():
    nics = [{"ip": "1"}], [{"ip": "2"}, {"ip": "3"}]
    assert column("nic", came([{"nic": nics[0]}, {}]), came([{"nic": nics[1]}])).tolist() == [
        nics[0],
        None,
        nics[1],
    ]


def test_a_column_of_the_servers_own_that_is_called_profile_stays_beside_ours():
    frame = to_frame(together(came([{"profile": "theirs"}]), came([{"id": "x"}])))
    assert frame.profile.tolist() == ["one", "two"]
    assert frame["profile_"].tolist()[0] == "theirs"


def test_secrets_stay_masked_and_with_their_rows():
    rows = [{"id": "a", "password": "tell-tale-1"}], [{"id": "b"}, {"id": "c", "password": "t-2"}]
    whole = together(*map(came, rows))
    assert "tell-tale" not in repr(rows_of(whole.table)) + repr(whole)
    shown = [row.get("password") for row in rows_of(revealed(whole).table)]
    assert shown == ["tell-tale-1", None, "t-2"]


def test_each_clouds_notes_say_whose_they_are():
    whole = together(came([{"size": "big"}]), came([{"size": 1}]))
    assert whole.notes[0].startswith('one: size: "big" is not integer')


@pytest.mark.parametrize(
    ("one", "two", "failed", "complete"),
    [
        (True, True, {}, True),
        (True, None, {}, None),
        (None, False, {}, False),
        (True, True, {"three": "down"}, False),
    ],
)
def test_the_whole_is_complete_where_every_cloud_is(one, two, failed, complete):
    results = [came([{"id": "a"}], complete=verdict) for verdict in (one, two)]
    whole = together(*results, **failed)
    assert whole.provenance.complete is complete
    assert whole.provenance.count == (None if failed else 2)
    assert whole.provenance.as_json()["parameters"] == {"zoneid": "Zürich"}


def test_the_provenance_stays_under_4_kb_whatever_it_holds():
    parts = [Part(f"profile-{n}", f"host-{n}.example.com", reason="x" * 500) for n in range(60)]
    results = {part.profile: came([{"id": "a"}], reason="ü" * 500) for part in parts}
    call = Call("listThings", tuple((f"name{n}", "y" * 900) for n in range(30)))
    attrs = united(call, parts, results, 1.0).provenance.as_json()
    assert len(json.dumps(attrs)) < 4096
    assert attrs["profiles"][0]["profile"] == "profile-0"
    assert attrs["complete"] is False


def test_its_parquet_has_the_schema_of_one_cloud_and_a_profile(tmp_path: Path):
    path = tmp_path / "things.parquet"
    files.write(together(came([{"id": "a", "size": 1}]), came([{"new": 1}])), "parquet", path)
    files.write(together(came([]), came([])), "parquet", tmp_path / "empty.parquet")
    back, empty = pd.read_parquet(path), pd.read_parquet(tmp_path / "empty.parquet")
    assert list(back.columns) == list(empty.columns)
    assert (back.columns[0], back.columns[-1]) == ("profile", parquet.OTHER)
    assert back.profile.tolist() == ["one", "two"]
    assert json.loads(back[parquet.OTHER][1]) == {"new": 1}
    assert back.attrs["cs"]["profiles"][1]["profile"] == "two"


def test_where_nothing_is_documented_the_file_has_the_columns_as_they_came(tmp_path: Path):
    whole = together(came([{"a": 1}], {}), came([{"b": "x"}], {}))
    assert kinds_of(whole.table) == {}
    files.write(whole, "parquet", tmp_path / "t.parquet")
    assert list(pd.read_parquet(tmp_path / "t.parquet").columns)[:3] == ["profile", "a", "b"]
