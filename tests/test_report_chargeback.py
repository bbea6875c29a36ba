"""12-usage-and-chargeback: what it bills is what the demo's meters say, to the cent."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from replay import steps
from reports import FOLDER, GIB, owner, replayed, report, sheet, texts, world
from test_report_exposure import made

from cs_magic.demo.data import meters
from cs_magic.demo.data.usage_rows import Options
from cs_magic.demo.data.volumes import Volume

NAME = "12-usage-and-chargeback"
AUGUST = int(datetime(2026, 8, 1, tzinfo=UTC).timestamp())
SEPTEMBER = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())

BOOK = "chargeback-2026-08.xlsx"
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


def payer(item: Any) -> tuple[str, str]:
    """The path of the domain, and the id of the account or the project, that pays for a thing."""
    whose = item.owner
    return whose.domain.path, whose.project.id if whose.project else whose.id


def test_each_line_is_the_price_of_what_the_meters_counted(
    folder: Path, lines: pd.DataFrame
) -> None:
    usage = world().usage
    due: dict[Line, Fraction] = defaultdict(Fraction)
    used: dict[Line, Fraction] = defaultdict(Fraction)
    for record in usage.records(usage.meters, AUGUST, SEPTEMBER, Options()):
        row = record.row()
        for item, price, factor in priced(row):
            used[*payer(record), item] += Fraction(row["rawusage"]) * factor
            due[*payer(record), item] += Fraction(row["rawusage"]) * factor * Fraction(price)
    billed = {(a.domain, a.ownerid, a.item): a.amount for a in lines.itertuples()}
    assert billed == {line: cents(amount) for line, amount in due.items()}
    assert set(lines["month"]) == {"2026-08"}
    assert set(lines["currency"]) == {"CHF"}
    shown = sheet(folder / BOOK, "use").set_index(["domain", "ownerid"]).drop(columns="owner")
    table = shown.rename(columns=lambda column: column.partition(",")[0]).stack().dropna()
    assert {(*key, item): value for (*key, item), value in table.items()} == {
        line: pytest.approx(float(amount)) for line, amount in used.items()
    }


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


def bills(book: Path) -> pd.DataFrame:
    """The bills of a workbook, below its title, with their sum."""
    bill = pd.read_excel(book, sheet_name="bill", header=2).fillna({"owner": "", "ownerid": ""})
    return bill.set_index(["domain", "owner", "ownerid"])


def test_a_bill_is_the_sum_of_its_lines_and_the_last_row_of_all(
    folder: Path, lines: pd.DataFrame
) -> None:
    bill = pd.read_excel(folder / BOOK, sheet_name="bill", header=2)
    sums = lines.groupby(["domain", "ownerid"])["amount"].sum()
    owners, total = bill.iloc[:-1].set_index(["domain", "ownerid"])["total"], bill.iloc[-1]
    assert {key: f"{amount:.2f}" for key, amount in owners.items()} == {
        key: str(amount) for key, amount in sums.items()
    }
    assert total["domain"] == "total"
    assert f"{total['total']:.2f}" == str(sum(sums))
    assert f"{total['volumes']:.2f}" == str(lines[lines["item"] == "volumes"]["amount"].sum())


def test_the_workbook_says_of_which_month_and_money_and_writes_it_to_be_read(folder: Path) -> None:
    page = load_workbook(folder / BOOK)["bill"]
    assert page["A1"].value == "Bill for 2026-08 in CHF"
    last = next(cells for cells in page.iter_rows(min_row=4) if cells[0].value == "total")
    for cell in (*next(page.iter_rows(min_row=4))[3:], *last[3:]):
        style = cell.number_format
        if style == "General":  # the cell has none: the row's, or the column's
            style = page.column_dimensions[cell.column_letter].number_format
        assert style == "#,##0.00"


def test_money_is_decimal_in_parquet_and_a_number_in_excel(folder: Path) -> None:
    schema = pq.read_schema(folder / "chargeback-2026-08.parquet")
    assert pa.types.is_decimal(schema.field("amount").type)
    assert sheet(folder / BOOK, "lines")["amount"].dtype == float


def test_the_deleted_account_is_named_with_what_it_owes(folder: Path, lines: pd.DataFrame) -> None:
    (row,) = sheet(folder / BOOK, "deleted owners").to_dict("records")
    assert (row["domain"], row["owner"]) == ("ROOT/Forschung", "altlast (deleted)")
    due = lines[lines["ownerid"] == row["ownerid"]]["amount"].sum()
    assert due > 0
    assert f"{row['total']:.2f}" == str(due)


def test_the_overlaps_are_the_nights_that_were_metered_twice(folder: Path) -> None:
    checks = sheet(folder / BOOK, "checks").set_index("check")["how many"]
    # Until the 20th a night's record lies over the ends of two days: it overlaps the day before,
    # and the day after overlaps it.
    records = pq.read_table(folder / "usage-2026-08.parquet").to_pandas()
    nights = records[records["startdate"].dt.hour == 22]
    assert len(nights) == 20
    assert checks["records that overlap another"] == 39
    # Half of each night's 1.5 hours, and two of the 24 hours of 19 days; the last had 8 of use.
    (night,) = (meter for meter in world().usage.meters if meter.night)
    hours = 20 * Fraction("0.75") + 18 * 2 + Fraction(8 * 2, 24)
    size = night.thing.size
    price = size.cpus * Fraction("0.012") + Fraction(size.memory, 1024) * Fraction("0.006")
    (twice,) = sheet(folder / BOOK, "billed twice").to_dict("records")
    assert (twice["ownerid"], twice["records"]) == (night.owner.id, 39)
    assert f"{twice['billed twice']:.2f}" == str(cents(hours * price))
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
        zone = {"month": "2026-10", "timezone": "Europe/Zurich", "as_of": "2026-10-07"}
        notebook = report(NAME, tmp_path, profile="env", **zone)
    (form,) = {
        (form["startdate"], form["enddate"])
        for form in server.requests
        if form["command"] == "listUsageRecords"
    }
    assert [pd.Timestamp(date) for date in form] == [
        pd.Timestamp("2026-09-29 21:00", tz="UTC"),
        pd.Timestamp("2026-11-02 00:00", tz="UTC"),
    ]
    assert "2026-10: 31 days, 745 hours" in texts(notebook)  # the clocks go back in it
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
    checks = sheet(tmp_path / "build" / "chargeback-2026-10.xlsx", "checks").set_index("check")
    assert checks["how many"]["days that are not over yet"] == 25
    met = {pd.Timestamp(row["startdate"]).tz_convert("Europe/Zurich").day for row in inside}
    assert checks["how many"]["days without any record"] == len({*range(1, 7)} - met)


def kept(account: str, day: str, **fields: Any) -> dict[str, Any]:
    """A record of a machine that was there for a day in UTC."""
    row = {
        "account": "shop", "accountid": account, "domain": "Retail", "domainpath": "ROOT/Retail",
        "usagetype": 2, "usageid": f"machine of {account}", "zoneid": "z", "rawusage": "24000",
        "startdate": f"{day}T00:00:00+0000", "enddate": f"{day}T23:59:59+0000",
    }  # fmt: skip
    return row | fields


@pytest.fixture(scope="module")
def march(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The workbook of a made March that isn't over, and what its notebook shows.

    In Beirut the 29th has no midnight. An account was deleted and made again, one machine is
    metered twice, an hour of another too, and a record is as long as a week.
    """
    where = tmp_path_factory.mktemp("march")
    wide = {"startdate": "2026-02-25T00:00:00+0000", "enddate": "2026-03-03T23:59:59+0000"}
    late = {"startdate": "2026-03-04T23:00:00+0000", "enddate": "2026-03-05T02:59:59+0000"}
    usage = made(
        "listUsageRecords",
        kept("old", "2026-03-01"),
        kept("new", "2026-03-02", rawusage="1000"),
        kept("new", "2026-03-02", rawusage="1000"),
        kept("new", "2026-03-04", usageid="m", rawusage="1000"),
        kept("new", "2026-03-04", usageid="m", rawusage="4000", **late),
        kept("new", "2026-02-25", usageid="w", **wide),
        # A router that carries two networks isn't metered twice.
        kept("new", "2026-03-03", usagetype=4, usageid="r", networkid="one", rawusage="0"),
        kept("new", "2026-03-03", usagetype=4, usageid="r", networkid="two", rawusage="0"),
    )
    accounts = made("listAccounts", {"id": "new", "name": "shop"})
    zone = {"month": "2026-03", "timezone": "Asia/Beirut", "as_of": "2026-03-30"}
    with replayed(usage, accounts):
        notebook = report(NAME, where, profile="env", **zone)
    return where / "build" / "chargeback-2026-03.xlsx", texts(notebook)


def test_a_deleted_account_and_its_namesake_have_a_bill_each(march: tuple[Path, str]) -> None:
    bill = bills(march[0])["total"]
    assert dict(bill) == {
        ("ROOT/Retail", "shop (deleted)", "old"): 24,
        ("ROOT/Retail", "shop", "new"): 7,
        ("total", "", ""): 31,
    }
    (row,) = sheet(march[0], "deleted owners").to_dict("records")
    assert (row["owner"], row["total"]) == ("shop (deleted)", 24)


def test_what_is_metered_twice_says_what_that_is_worth(march: tuple[Path, str]) -> None:
    (row,) = sheet(march[0], "billed twice").to_dict("records")
    # A whole record, and of the four hours of another one.
    assert (row["ownerid"], row["records"], row["billed twice"]) == ("new", 2, 1 + 1)


def test_a_day_is_over_when_the_next_one_begins(march: tuple[Path, str]) -> None:
    book, shown = march
    checks = sheet(book, "checks").set_index("check")["how many"]
    assert "2026-03: 31 days, 743 hours" in shown
    assert checks["days that are not over yet"] == 2  # the 30th and the 31st
    assert checks["days without any record"] == 29 - 5  # the late one is the 5th's there
    assert "There are no gaps." in shown


def test_a_record_that_is_longer_than_expected_is_told(march: tuple[Path, str]) -> None:
    checks = sheet(march[0], "checks").set_index("check")["how many"]
    assert checks["records longer than expected"] == 1


def calendar(**parameters: Any) -> dict[str, Any]:
    """What the notebook's first cells make of these parameters."""
    cells = nbformat.read(FOLDER / f"{NAME}.ipynb", 4).cells
    codes = [cell.source for cell in cells if cell.cell_type == "code"]
    names: dict[str, Any] = {}
    for code in codes[: 1 + next(at for at, code in enumerate(codes) if "period =" in code)]:
        # Neither magics nor the looks of tables and pictures, which all tests share.
        exec(re.sub(r"(?m)^(%|pd\.options|plt\.).*", "", code), names)
        if "as_of = " in code:
            names |= parameters
        names["say"] = str
    return names


@pytest.mark.parametrize(
    ("zone", "month", "hours", "begin"),
    [
        ("Europe/Zurich", "2026-03", 743, "2026-03-01T00:00+01:00"),
        ("America/Havana", "2026-11", 721, "2026-11-01T00:00-04:00"),  # two midnights: the first
        ("America/Asuncion", "2017-10", 743, "2017-10-01T01:00-03:00"),  # no midnight
        ("Asia/Beirut", "2026-03", 743, "2026-03-01T00:00+02:00"),
        ("UTC", "2024-02", 696, "2024-02-01T00:00+00:00"),
    ],
)
def test_a_month_begins_with_its_first_moment_wherever_it_is(
    zone: str, month: str, hours: int, begin: str
) -> None:
    names = calendar(timezone=zone, month=month)
    assert names["hours"] == hours
    assert names["begin"] == pd.Timestamp(begin)
    assert len(names["days"]) == pd.Period(month).days_in_month


@pytest.mark.parametrize(
    ("as_of", "zone", "month"),
    [
        ("2026-09-01", "America/Havana", "2026-08"),
        ("2026-09-01T01:00+00:00", "America/Havana", "2026-07"),
        (20260914, "UTC", "2026-08"),  # what papermill makes of the digits
        ("", "UTC", "2026-08"),
    ],
)
def test_the_day_of_a_report_is_one_where_midnight_is(as_of: Any, zone: str, month: str) -> None:
    assert str(calendar(as_of=as_of, timezone=zone)["period"]) == month


@pytest.mark.parametrize(
    ("name", "value"),
    [("as_of", "tomorrow"), ("as_of", "14.9.2026"), ("month", "2026"), ("month", 202608)],
)
def test_what_is_no_day_and_no_month_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is \w+( \w+)? such as 2026-.*, not {value}$"):
        calendar(**{name: value})


def test_an_item_that_is_priced_twice_is_refused() -> None:
    cells = nbformat.read(FOLDER / f"{NAME}.ipynb", 4).cells
    (code,) = (cell.source for cell in cells if cell.source.startswith("prices = "))
    names = calendar()
    exec(code, names)
    with pytest.raises(ValueError, match="same item"):
        exec(code.replace('"memory", 1', '"processors", 1'), names)
