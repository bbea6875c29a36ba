"""Parquet has one schema whatever the rows hold, and others read its types."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import duckdb
import pandas as pd
import polars
import pyarrow.parquet as pq
import pytest
from written import NOON, ODD, SCHEMA, WHOLE, made

from cs_magic.files import write


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (WHOLE,),
        ({"id": "i1"},),
        (WHOLE, ODD | {"id": "i2"}),
        (WHOLE | {"unheard": 1, "of": [2]},),
        (WHOLE, {"id": "i2", "cpunumber": 1.5, "created": "soon", "load": 2**60}),
    ],
)
def test_parquet_has_one_schema_whatever_the_rows_hold(tmp_path, rows):
    write(made(*rows), "parquet", tmp_path / "things.parquet")
    schema = pq.read_schema(tmp_path / "things.parquet")
    assert dict(zip(schema.names, schema.types, strict=True)) == SCHEMA


@pytest.mark.parametrize(
    ("field", "value", "held"),
    [
        ("name", "web", "web"),
        ("name", "", ""),
        ("name", 5, None),
        ("name", True, None),
        ("cpunumber", 5, 5),
        ("cpunumber", "5", 5),
        ("cpunumber", 5.0, 5),
        ("cpunumber", 5.5, None),
        ("cpunumber", 2**70, None),
        ("cpunumber", "many", None),
        ("load", 1, 1.0),
        ("load", "1.5", 1.5),
        ("load", 2**60, None),
        ("haenable", False, False),
        ("haenable", "true", True),
        ("haenable", "yes", None),
        ("haenable", 1, None),
        ("created", "2026-11-23T13:00:00+0100", NOON),
        ("created", "2024-05-01'T'00:00:00+00:00", datetime(2024, 5, 1, tzinfo=UTC)),
        ("created", "soon", None),
        ("created", "2026-11-23T13:00:00", None),
        ("created", 20261123, None),
        ("cpuused", "4.1%", 4.1),
        ("cpuused", "Unlimited", math.inf),
        ("cpuused", 4, 4.0),
        ("cpuused", "lots", None),
        ("publicport", "443", 443),
        ("publicport", 443, 443),
        ("publicport", "all", None),
        ("publicport", "9" * 30, None),
        ("nic", [], "[]"),
        ("nic", "text", '"text"'),
    ],
)
@pytest.mark.parametrize("among", [(), (WHOLE, ODD)])
def test_a_value_that_does_not_fit_is_in_other_and_nowhere_else(
    tmp_path, field, value, held, among
):
    rows = [row | {"id": f"i{n}"} for n, row in enumerate((*among, {field: value}))]
    write(made(*rows), "parquet", tmp_path / "things.parquet")
    row = pq.read_table(tmp_path / "things.parquet").to_pylist()[-1]
    assert row[field] == held
    assert row["_other"] == (None if held is not None else json.dumps({field: value}))


def test_what_is_not_documented_is_in_other(tmp_path):
    rows = (WHOLE | {"unheard": "Ü", "of": [1.5, {"x": None}]}, WHOLE | {"id": "i2"})
    written = write(made(*rows), "parquet", tmp_path / "things.parquet")
    other = pq.read_table(tmp_path / "things.parquet")["_other"].to_pylist()
    assert other == ['{"unheard": "Ü", "of": [1.5, {"x": null}]}', None]
    assert written.notes == ("_other holds what the documented types can't: of, unheard",)


def test_a_field_documented_without_a_type_is_in_other(tmp_path):
    write(
        made({"id": "i1", "x": 1}, kinds={"id": "text", "x": "unknown"}), "parquet", tmp_path / "y"
    )
    assert pq.read_table(tmp_path / "y").to_pylist() == [{"id": "i1", "_other": '{"x": 1}'}]


def test_where_nothing_is_documented_the_columns_are_as_they_came(tmp_path):
    row = {"id": "i1", "n": 1, "f": 1.5, "b": True, "x": [1]}
    write(made(row, kinds={}), "parquet", tmp_path / "things.parquet")
    assert pq.read_table(tmp_path / "things.parquet").to_pylist() == [
        row | {"x": "[1]", "_other": None}
    ]


def test_left_as_text_dates_and_numbers_are_text(tmp_path):
    write(made(WHOLE, text=True), "parquet", tmp_path / "things.parquet")
    (row,) = pq.read_table(tmp_path / "things.parquet").to_pylist()
    assert (row["created"], row["cpuused"]) == (WHOLE["created"], WHOLE["cpuused"])
    assert row["_other"] is None


@pytest.mark.parametrize("rows", [(), (WHOLE,), ({"id": "i1", "nic": [{"ipaddress": 5}]},)])
def test_columns_by_path_are_text_in_the_order_asked(tmp_path, rows):
    columns = ["nic.0.ipaddress", "cpunumber", "nope"]
    write(made(*rows), "parquet", tmp_path / "things.parquet", columns)
    schema = pq.read_schema(tmp_path / "things.parquet")
    assert schema.names == [*columns, "_other"]
    assert [str(one) for one in schema.types] == ["large_string", "int64", *["large_string"] * 2]


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (None, [*(name for name in SCHEMA if name not in {"nic", "_other"}), "nic.ipaddress"]),
        (["nic.ipaddress", "id"], ["nic.ipaddress", "id"]),
        (["nic", "id"], ["nic.ipaddress", "id"]),
        (["id"], ["id", "nic.ipaddress"]),
    ],
)
def test_the_fields_of_an_exploded_one_are_text(tmp_path, columns, names):
    row = WHOLE | {"nic": [{"ipaddress": "10.1.1.1"}, {"ipaddress": 5}]}
    write(made(row), "parquet", tmp_path / "things.parquet", columns, explode="nic")
    read = pq.read_table(tmp_path / "things.parquet")
    assert read.column_names == [*names, "_other"]
    assert read["nic.ipaddress"].to_pylist() == ["10.1.1.1", "5"]


def test_pandas_gives_back_its_types_and_the_provenance(tmp_path):
    result = made(WHOLE, ODD | {"id": "i2"})
    written = write(result, "parquet", tmp_path / "things.parquet")
    frame = pd.read_parquet(tmp_path / "things.parquet")
    dtypes = "str Int64 datetime64[us, UTC] str Float64 boolean Float64 Int64 str str"
    assert " ".join(map(str, frame.dtypes)) == dtypes
    assert frame.attrs == {"cs": result.provenance.as_json()}
    metadata = pq.read_schema(tmp_path / "things.parquet").metadata
    assert json.loads(metadata[b"PANDAS_ATTRS"]) == frame.attrs
    ours = json.loads(metadata[b"cs_magic"])
    assert ours["provenance"] == frame.attrs["cs"]
    assert ours["notes"] == list(written.notes)
    assert ours["json"] == ["nic", "_other"]


def test_duckdb_reads_the_types(tmp_path):
    write(made(WHOLE), "parquet", tmp_path / "one.parquet")
    write(made(ODD | {"id": "i2"}), "parquet", tmp_path / "two.parquet")
    found = duckdb.sql(f"from '{tmp_path}/*.parquet'")
    assert [str(type_) for type_ in found.types] == [
        "VARCHAR", "BIGINT", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "DOUBLE", "BOOLEAN",
        "DOUBLE", "BIGINT", "VARCHAR", "VARCHAR",
    ]  # fmt: skip
    assert len(found) == 2


def test_polars_reads_the_types(tmp_path):
    write(made(WHOLE), "parquet", tmp_path / "things.parquet")
    frame = polars.read_parquet(tmp_path / "things.parquet")
    assert frame.schema["created"] == polars.Datetime("us", "UTC")
    assert frame.row(0, named=True) == WHOLE | {
        "created": NOON,
        "cpuused": 4.1,
        "publicport": 443,
        "nic": '[{"ipaddress": "10.1.1.1"}]',
        "_other": None,
    }
