"""12-usage-and-chargeback: what it bills is what the demo's meters say, to the cent."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from replay import steps
from reports import GIB, owner, replayed, report, sheet, texts, world

from cs_magic.demo.data import meters
from cs_magic.demo.data.usage_rows import Options
from cs_magic.demo.data.volumes import Volume

NAME = "12-usage-and-chargeback"
AUGUST = int(datetime(2026, 8, 1, tzinfo=UTC).timestamp())
SEPTEMBER = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())

Line = tuple[str, str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of August."""
    where = tmp_path_factory.mktemp("chargeback")
    report(NAME, where)
    return where / "build"


@pytest.fixture(scope="module")
def lines(folder: Path) -> pd.DataFrame:
    """The lines of August's bill."""
    return pd.read_parquet(folder / "chargeback-2026-08.parquet")


def cents(amount: Fraction) -> Decimal:
    """An amount of money, rounded half up."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_each_line_is_the_price_of_what_the_meters_counted(lines: pd.DataFrame) -> None:
    usage = world().usage
    due: dict[Line, Fraction] = defaultdict(Fraction)
    for record in usage.records(usage.meters, AUGUST, SEPTEMBER, Options()):
        row = record.row()
        for item, price, factor in priced(row):
            due[*owner(record), item] += Fraction(row["rawusage"]) * factor * Fraction(price)
    billed = {(a.domain, a.owner, a.item): a.amount for a in lines.itertuples()}
    assert billed == {line: cents(amount) for line, amount in due.items()}


def priced(row: dict[str, object]) -> list[tuple[str, str, Fraction]]:
    """What a record is billed as: item, price, and by what its usage is multiplied."""
    size = Fraction(int(str(row.get("size", 0))), GIB)
    memory = Fraction(int(str(row.get("memory", 0))), 1024)
    return {
        1: [
            ("processors", "0.012", Fraction(int(str(row.get("cpunumber", 0))))),
            ("memory", "0.006", memory),
        ],
        2: [("machines kept", "0.001", Fraction(1))],
        3: [("public addresses", "0.004", Fraction(1))],
        4: [("traffic out", "0.020", Fraction(1, GIB))],
        5: [("traffic in", "0", Fraction(1, GIB))],
        6: [("volumes", "0.00015", size)],
        7: [("templates", "0.00005", size)],
        8: [("ISOs", "0.00005", size)],
        9: [("snapshots", "0.00005", size)],
        11: [("load balancers", "0.010", Fraction(1))],
        25: [("machine snapshots", "0.00005", size)],
    }[int(str(row["usagetype"]))]


def test_the_hours_are_those_between_beginning_and_end(lines: pd.DataFrame) -> None:
    gib_hours: dict[tuple[str, str], float] = defaultdict(float)
    for meter in world().usage.meters:
        seconds = min(meter.end, SEPTEMBER) - max(meter.begin, AUGUST)
        if meter.type == meters.VOLUME and seconds > 0:
            assert isinstance(meter.thing, Volume)
            gib_hours[owner(meter)] += seconds / 3600 * meter.thing.size / GIB
    volumes = lines[lines["item"] == "volumes"].set_index(["domain", "owner"])
    assert set(volumes.index) == set(gib_hours)
    for key, hours in gib_hours.items():
        assert float(volumes.loc[key, "quantity"]) == pytest.approx(hours, abs=0.1)


def test_a_bill_is_the_sum_of_its_lines(folder: Path, lines: pd.DataFrame) -> None:
    bill = sheet(folder / "chargeback-2026-08.xlsx", "bill").set_index(["domain", "owner"])
    sums = lines.groupby(["domain", "owner"])["amount"].sum()
    assert {key: f"{total:.2f}" for key, total in bill["total"].items()} == {
        key: str(amount) for key, amount in sums.items()
    }


def test_money_is_decimal_in_parquet_and_a_number_in_excel(folder: Path) -> None:
    schema = pq.read_schema(folder / "chargeback-2026-08.parquet")
    assert pa.types.is_decimal(schema.field("amount").type)
    assert sheet(folder / "chargeback-2026-08.xlsx", "lines")["amount"].dtype == float


def test_the_deleted_account_is_named_with_what_it_owes(folder: Path, lines: pd.DataFrame) -> None:
    (row,) = sheet(folder / "chargeback-2026-08.xlsx", "deleted owners").to_dict("records")
    assert (row["domain"], row["owner"]) == ("ROOT/Forschung", "altlast")
    due = lines[lines["owner"] == "altlast"]["amount"].sum()
    assert f"{row['total']:.2f}" == str(due)


def test_the_overlaps_are_the_nights_that_were_metered_twice(folder: Path) -> None:
    checks = sheet(folder / "chargeback-2026-08.xlsx", "checks").set_index("check")["how many"]
    # Until the 20th a night's record lies over the ends of two days: it overlaps the day before,
    # and the day after overlaps it.
    records = pq.read_table(folder / "usage-2026-08.parquet").to_pandas()
    nights = records[records["startdate"].dt.hour == 22]
    assert len(nights) == 20
    assert checks["records that overlap another"] == 39
    assert (
        checks.drop("records that overlap another")
        .drop("owners that were deleted, or that you may not see")
        .eq(0)
        .all()
    )


def test_a_record_over_the_month_s_end_is_billed_once_in_the_month_it_begins_in(
    folder: Path, tmp_path: Path
) -> None:
    notebook = report(NAME, tmp_path, month="2026-07")
    july = pq.read_table(tmp_path / "build" / "usage-2026-07.parquet").to_pandas()
    august = pq.read_table(folder / "usage-2026-08.parquet").to_pandas()
    over = july[july["enddate"] >= pd.Timestamp("2026-08-01", tz="UTC")]
    assert list(over["startdate"]) == [pd.Timestamp("2026-07-31 22:00", tz="UTC")]
    assert august["startdate"].min() == pd.Timestamp("2026-08-01", tz="UTC")
    assert "that start in it and end after it        1" in texts(notebook)
    usage = world().usage
    both = usage.records(usage.meters, AUGUST - 31 * 86_400, SEPTEMBER, Options())
    assert len(july) + len(august) == len(both)


def test_a_month_of_a_recorded_cloud(tmp_path: Path) -> None:
    given = steps("J-usage/01-month-of-an-account-paged")
    with replayed(*given) as server:
        notebook = report(NAME, tmp_path, profile="env", month="2026-10", timezone="Europe/Zurich")
    (form,) = {
        (form["startdate"], form["enddate"])
        for form in server.requests
        if form["command"] == "listUsageRecords"
    }
    assert [pd.Timestamp(date) for date in form] == [
        pd.Timestamp("2026-09-29 22:00", tz="UTC"),
        pd.Timestamp("2026-11-01 23:00", tz="UTC"),
    ]
    assert "2026-10: 745 hours" in texts(notebook)  # the clocks go back in it
    rows = [
        row
        for step in given
        for row in json.loads(step.body)["listusagerecordsresponse"].get("usagerecord", [])
    ]
    edge = pd.Timestamp("2026-10-01", tz="Europe/Zurich")
    end = pd.Timestamp("2026-11-01", tz="Europe/Zurich")
    inside = [row for row in rows if edge <= pd.Timestamp(row["startdate"]) < end]
    assert len(inside) > 0
    hours = sum(Decimal(row["rawusage"]) for row in inside if row["usagetype"] == 2)
    lines = pd.read_parquet(tmp_path / "build" / "chargeback-2026-10.parquet")
    assert lines[lines["item"] == "machines kept"]["quantity"].sum() == hours
