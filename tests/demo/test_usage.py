"""Usage records: dates, scopes and refusals as recorded in J-usage, and millions of them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import recorded as real

from cs_magic.demo.data.meters import RUNNING
from cs_magic.demo.data.usage import BEGIN, END, Slots
from cs_magic.demo.data.usage_rows import Options
from cs_magic.demo.data.world import World

DAY = {"startdate": "2026-08-05", "enddate": "2026-08-05"}


def usage(call: Any, who: str = "root", **parameters: str) -> Any:
    """A list of records."""
    return call(who, "listUsageRecords", **{**DAY, **parameters})


def domain(call: Any, name: str) -> str:
    """The id of a domain."""
    return next(row["id"] for row in call("root", "listDomains").rows if row["name"] == name)


SAMPLES = real.answers()["listUsageRecords"]["usagerecord"]["root"]
TYPES = sorted({row["usagetype"] for row in SAMPLES} & set(range(1, 12)) - {10} | {25})


@pytest.mark.parametrize("kind", TYPES)
def test_a_record_of_a_type_has_the_recorded_fields_in_their_order(call: Any, kind: int) -> None:
    recorded = [row for row in SAMPLES if row["usagetype"] == kind and "account" in row]
    rows = usage(call, type=str(kind)).rows
    assert rows
    for row in rows:
        if "account" in row:
            fields = [name for name in recorded[0] if name in row or name != "templateid"]
            assert [name for name in row if name != "templateid"] == [
                name for name in fields if name != "templateid"
            ]


@pytest.mark.parametrize("kind", TYPES)
def test_a_description_is_worded_as_the_recorded_one(call: Any, kind: int) -> None:
    def words(text: str) -> list[str]:
        """The words that are the same in every description of a kind."""
        known = (
            r"\b(?:usage|using|for|service|offering|template|and|size|with|disk|IPAddress|Bytes|"
            r"sent|received|by|network|router|virtual|Running|Allocated|VM|Volume|Template|"
            r"Snapshot|VMSnapshot|Id|Loadbalancer|policy)\b"
        )
        inside = re.sub(r"for .*? \(|with disk offering .*? \(|template .*? \(", "( (", text)
        return re.findall(known, inside)

    recorded = {tuple(words(r["description"])) for r in SAMPLES if r["usagetype"] == kind}
    here = {tuple(words(row["description"])) for row in usage(call, type=str(kind)).rows[:50]}
    # A detached volume was made from no template; the recorded ones all were.
    assert recorded & here or kind == 25


def test_usage_and_rawusage_are_texts_that_agree(call: Any) -> None:
    for row in usage(call).rows:
        amount, _, unit = row["usage"].partition(" ")
        assert amount == row["rawusage"]
        assert unit in ("Hrs", "bytes sent", "bytes received")


def test_the_end_day_is_inclusive_and_a_day_is_a_record(call: Any) -> None:
    one = usage(call, type="2")
    assert {(r["startdate"], r["enddate"]) for r in one.rows} == {
        ("2026-08-05T00:00:00+0000", "2026-08-05T23:59:59+0000")
    }
    same = usage(call, type="2", startdate="2026-08-05 00:00:00", enddate="2026-08-05 23:59:59")
    zoned = usage(
        call, type="2", startdate="2026-08-05T00:00:00Z", enddate="2026-08-05T23:59:59+0000"
    )
    assert same.inner == zoned.inner == one.inner
    assert usage(call, type="2", startdate="2026-08-05T00:00:01Z").inner == {}


def test_a_record_over_midnight_is_given_only_where_it_lies_wholly_inside(call: Any) -> None:
    def over_midnight(**dates: str) -> int:
        rows = usage(call, type="1", accountid=deleted, **dates).rows
        return sum(row["startdate"][:10] != row["enddate"][:10] for row in rows)

    row = next(r for r in usage(call, pagesize="-1").rows if r.get("account") == "altlast")
    deleted = row["accountid"]
    assert over_midnight(startdate="2026-08-05", enddate="2026-08-05") == 0
    assert over_midnight(startdate="2026-08-05", enddate="2026-08-06") == 1
    night = {"startdate": "2026-08-05T22:00:00Z", "enddate": "2026-08-06T02:00:00Z"}
    (row,) = usage(call, type="1", accountid=deleted, **night).rows
    assert (row["usage"], row["rawusage"]) == ("1.5 Hrs", "1.5")


def test_past_the_end_there_is_the_count_alone_and_nothing_is_an_empty_object(call: Any) -> None:
    total = usage(call, page="1", pagesize="500").count
    assert usage(call, page="999", pagesize="500").inner == {"count": total}
    assert usage(call, startdate="2025-01-01", enddate="2025-01-31").inner == {}


def test_two_whole_months_are_there_up_to_yesterday(call: Any) -> None:
    for first, last in (("2026-07-01", "2026-07-31"), ("2026-08-01", "2026-08-31")):
        answer = usage(call, startdate=first, enddate=last, type="3", pagesize="-1")
        assert {row["startdate"][:10] for row in answer.rows} >= {first, last}
    assert usage(call, startdate="2026-09-13", enddate="2026-09-13").count > 0
    assert usage(call, startdate="2026-09-14", enddate="2026-09-30").inner == {}


def test_a_months_running_hours_are_those_between_its_start_and_stop(call: Any) -> None:
    machine = next(
        m
        for m in call("root", "listVirtualMachines", listall="true", state="Running").rows
        if m["created"] < "2026-07"
    )
    rows = usage(
        call, startdate="2026-08-01", enddate="2026-08-31", type="1", usageid=machine["id"]
    ).rows
    assert sum(float(row["rawusage"]) for row in rows) == 31 * 24


def test_who_sees_what(call: Any) -> None:
    accounts = {
        who: {row.get("account") for row in usage(call, who, pagesize="-1").rows}
        for who in ("root", "second root", "domain admin")
    }
    assert accounts["root"] == accounts["second root"]
    assert {"admin", "webshop", "altlast", None} <= accounts["root"]
    assert accounts["domain admin"] >= {"webshop", "stores"}
    assert "webshop-lab" not in accounts["domain admin"]
    assert "erp" not in accounts["domain admin"]
    assert usage(call, "user").status == 432
    deep = usage(call, "domain admin", isrecursive="true", pagesize="-1").rows
    assert "webshop-lab" in {row.get("account") for row in deep}


def test_a_domain_alone_is_that_domain_and_isrecursive_those_below(call: Any) -> None:
    retail = domain(call, "Retail")
    alone = usage(call, domainid=retail)
    assert alone.count == usage(call, domainid=retail, isrecursive="false").count
    assert alone.count < usage(call, domainid=retail, isrecursive="true").count
    named = usage(call, account="webshop", domainid=retail)
    assert {row["account"] for row in named.rows} == {"webshop"}
    # Without its domain an account is not heard.
    assert usage(call, account="webshop").count == usage(call).count


def test_a_project_has_records_without_an_account(call: Any) -> None:
    project = call("root", "listProjects", listall="true").rows[0]
    rows = usage(call, projectid=project["id"]).rows
    assert {row["project"] for row in rows} == {project["name"]}
    assert not any("account" in row or "accountid" in row for row in rows)


def test_the_deleted_account_is_in_the_records_and_nowhere_else(call: Any) -> None:
    names = {row["name"] for row in call("root", "listAccounts", listall="true").rows}
    july = usage(call, pagesize="-1", type="1").rows
    september = usage(
        call, pagesize="-1", type="1", startdate="2026-09-01", enddate="2026-09-01"
    ).rows
    assert "altlast" in {row.get("account") for row in july}
    assert "altlast" not in {row.get("account") for row in september}
    assert "altlast" not in names


def test_tags_and_the_older_wording_can_be_asked_for(call: Any) -> None:
    assert not any(row["tags"] for row in usage(call).rows)
    tagged = [row["tags"] for row in usage(call, includetags="true").rows if row["tags"]]
    assert list(tagged[0][0]) == ["key", "value"]
    old = usage(call, oldformat="true", type="1").rows[0]["description"]
    assert re.fullmatch(r".+ running time \(ServiceOffering: \d+\) \(Template: \d+\)", old)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (
            {"startdate": "2026-08-06"},
            "Incorrect Date Range. Start date: Thu Aug 06 00:00:00 UTC 2026 is after end "
            "date:Wed Aug 05 23:59:59 UTC 2026",
        ),
        ({"projectid": "-1"}, "Unable to find project by id -1"),
        ({"usageid": "x"}, "Usageid must be specified together with usageType"),
        ({"enddate": "", "startdate": ""}, "Invalid value provided for API arg: enddate"),
    ],
)
def test_refusals(call: Any, parameters: dict[str, str], text: str) -> None:
    answer = usage(call, **parameters)
    assert (answer.status, answer.inner["cserrorcode"]) == (431, 4350)
    assert answer.inner["errortext"] == text


def test_without_dates_the_end_is_missed_first(call: Any) -> None:
    (step,) = (s for s in real.recorded() if s.command == "listUsageRecords" and s.status == 431)
    assert call("root", "listUsageRecords").body == step.body


def test_the_types_are_the_recorded_ones(call: Any) -> None:
    recorded = real.answers()["listUsageTypes"]["usagetype"]["root"]
    assert call("root", "listUsageTypes").rows == recorded


@pytest.fixture(scope="module")
def many() -> World:
    """A small cloud with a great many records."""
    return World(machines=300, usage_rows=2_000_000)


def test_ten_million_records_need_no_room(many: World) -> None:
    records = many.usage.records(many.usage.meters, BEGIN, END, Options())
    assert len(records) >= 2_000_000
    whole = World(usage_rows=10_000_000).usage
    assert len(whole.records(whole.meters, BEGIN, END, Options())) >= 10_000_000


def test_pages_hold_every_record_once_in_the_order_of_time(many: World) -> None:
    meters = [m for m in many.usage.meters if m.type == RUNNING][:20]
    records = many.usage.records(meters, BEGIN, BEGIN + 3 * 86_400, Options())
    pages = [records[start : start + 500] for start in range(0, len(records), 500)]
    numbers = [item.number for page in pages for item in page]
    assert numbers == list(range(1, len(records) + 1))
    starts = [item.row()["startdate"] for page in pages for item in page]
    assert starts == sorted(starts)
    seen = Counter((item.get("usageid"), item.get("startdate")) for p in pages for item in p)
    assert max(seen.values()) == 1
    assert records[7].row() == pages[0][7].row()


def test_finer_records_say_the_same_in_all() -> None:
    def hours(world: World) -> float:
        meters = [m for m in world.usage.meters if m.type == RUNNING and not m.night][:40]
        records = world.usage.records(meters, BEGIN, BEGIN + 86_400, Options())
        return sum(float(item.get("rawusage")) for item in records)

    daily, finer = World(machines=100), World(machines=100, usage_rows=300_000)
    assert finer.usage.slots.length < daily.usage.slots.length
    assert hours(finer) == pytest.approx(hours(daily))


def test_slots_cover_the_time_without_a_gap() -> None:
    for a_day in (1, 6, 144):
        slots = Slots(a_day)
        assert BEGIN + slots.count * slots.length == END
