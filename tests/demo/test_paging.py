"""Pages with the real server's quirks."""

from __future__ import annotations

from typing import Any

import pytest
import recorded as real

from cs_magic.demo.cloud.served import SERVED


def test_the_first_list_has_three_pages_of_500_500_and_200(call: Any) -> None:
    pages = [
        call("root", "listVirtualMachines", listall="true", page=str(page), pagesize="500")
        for page in (1, 2, 3)
    ]
    assert [len(page.rows) for page in pages] == [500, 500, 200]
    assert [page.count for page in pages] == [1200, 1200, 1200]
    assert len({row["id"] for page in pages for row in page.rows}) == 1200


def test_an_unpaged_list_stops_at_500_and_counts_them_all(call: Any) -> None:
    answer = call("root", "listVirtualMachines", listall="true", details="min")
    assert (answer.count, len(answer.rows)) == (1200, 500)


@pytest.mark.parametrize("who", ["root", "user"])
def test_pagesize_minus_one_alone_is_everything(call: Any, who: str) -> None:
    answer = call(who, "listVolumes", pagesize="-1", listall="true")
    assert len(answer.rows) == answer.count


def test_page_zero_and_minus_one_are_page_one(call: Any) -> None:
    first = call("root", "listVirtualMachines", page="1", pagesize="2").inner
    assert call("root", "listVirtualMachines", page="0", pagesize="2").inner == first
    assert call("root", "listVirtualMachines", page="-1", pagesize="2").inner == first


def test_nothing_found_is_an_empty_object(call: Any) -> None:
    answer = call("root", "listVirtualMachines", listall="true", keyword="nothing-has-this")
    assert answer.body == b'{"listvirtualmachinesresponse":{}}'


@pytest.mark.parametrize(
    "command", ["listVirtualMachines", "listVolumes", "listZones", "listUsers", "listAccounts"]
)
def test_past_the_end_there_is_the_count_alone(call: Any, command: str) -> None:
    total = call("root", command, listall="true").count
    past = call("root", command, listall="true", page="99", pagesize="20")
    assert past.inner == {"count": total}


def test_past_the_end_events_are_an_empty_object(call: Any) -> None:
    assert call("root", "listEvents", listall="true", page="999", pagesize="20").inner == {}


def test_a_domain_admin_is_counted_the_settings_of_the_page(call: Any) -> None:
    assert call("domain admin", "listConfigurations", page="1", pagesize="2").count == 2
    assert call("domain admin", "listConfigurations", page="9", pagesize="2").inner == {}
    assert call("domain admin", "listConfigurations", name="default.page.size").inner == {}
    (row,) = call("root", "listConfigurations", name="default.page.size").rows
    assert row["value"] == "500"


@pytest.mark.parametrize("command", ["listCapacity", "listResourceLimits"])
def test_some_lists_ignore_the_page(call: Any, command: str) -> None:
    whole = call("root", command).inner
    assert call("root", command, page="99", pagesize="2").inner == whole


def test_settings_of_a_group_are_not_paged(call: Any) -> None:
    answer = call("root", "listConfigurations", group="Access", page="2", pagesize="1")
    assert len(answer.rows) == answer.count > 1


@pytest.mark.parametrize("command", ["listNetworkOfferings", "listPublicIpAddresses"])
def test_a_page_of_zero_rows_is_everything_where_pages_are_cut_in_memory(
    call: Any, command: str
) -> None:
    answer = call("root", command, listall="true", page="1", pagesize="0")
    assert len(answer.rows) == answer.count > 0


@pytest.mark.parametrize("command", ["listVirtualMachines", "listNetworks", "listUsers"])
def test_a_page_of_zero_rows_is_empty_elsewhere(call: Any, command: str) -> None:
    assert list(call("root", command, listall="true", page="1", pagesize="0").inner) == ["count"]


def test_the_count_alone_can_be_asked_for(call: Any) -> None:
    answer = call("root", "listVirtualMachines", listall="true", retrieveonlyresourcecount="true")
    assert answer.inner == {"count": 1200}


def test_newer_events_are_on_earlier_pages_and_in_a_page_the_oldest_is_first(call: Any) -> None:
    one, two = (
        [r["created"] for r in call("root", "listEvents", page=page, pagesize="20").rows]
        for page in ("1", "2")
    )
    assert one == sorted(one)
    assert two == sorted(two)
    assert min(one) >= max(two)


def counted() -> dict[str, list[real.Step]]:
    """Per served command that was not empty, the steps that asked for two pages of two."""
    found: dict[str, list[real.Step]] = {}
    for step in real.recorded():
        if step.where.startswith("G-counts/") and step.command in SERVED:
            pages = dict(step.parameters)
            asked = pages.get("pagesize") == "2" and pages.get("page") in ("1", "2")
            if asked and real.inner(step)[1]:
                found.setdefault(step.command, []).append(step)
    return {name: steps[:2] for name, steps in found.items() if len(steps) > 1}


COUNTED = counted()
# What their recorded parameters named is not in the demo.
NAMED = {"listNics": "virtualmachineid", "listTrafficTypes": "physicalnetworkid"}


def rows_of(inner: dict[str, Any]) -> list[Any]:
    """The rows of a list."""
    return next((value for value in inner.values() if isinstance(value, list)), [])


@pytest.mark.parametrize("name", sorted(COUNTED))
def test_pages_are_counted_and_cut_or_ignored_as_recorded(call: Any, name: str) -> None:
    one, two = (real.inner(step)[1] for step in COUNTED[name])
    parameters = dict(COUNTED[name][0].parameters)
    for extra in ("page", "pagesize", "response", "startdate", "enddate", "keyword"):
        parameters.pop(extra, None)
    if name in NAMED:
        source = {"listNics": "listVirtualMachines", "listTrafficTypes": "listPhysicalNetworks"}
        parameters[NAMED[name]] = call("root", source[name]).rows[0]["id"]
    first, second = (
        call("root", name, page=page, pagesize="2", **parameters).inner for page in ("1", "2")
    )
    if one == two:  # the page is ignored
        assert first == second
        assert first.get("count", 0) == len(rows_of(first))
        return
    assert len(rows_of(first)) <= 2
    if one["count"] == len(rows_of(one)) and two.get("count") == len(rows_of(two)):
        assert first["count"] == len(rows_of(first))  # the count of the page alone
    else:
        assert first["count"] == second["count"] >= len(rows_of(first)) + len(rows_of(second))


def test_the_history_of_machines_counts_the_page(call: Any) -> None:
    page = call("root", "listVirtualMachinesUsageHistory", page="1", pagesize="2")
    assert page.count == len(page.rows) == 2
    assert call("root", "listVirtualMachinesUsageHistory", page="999", pagesize="2").inner == {}
