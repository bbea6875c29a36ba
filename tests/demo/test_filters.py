"""What narrows a list, and how loosely the server compares."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def machines(call: Any) -> Any:
    """All machines of the root admin's sight, narrowed."""

    def listed(**parameters: str) -> list[dict[str, Any]]:
        asked = {"details": "min", "listall": "true", "pagesize": "-1", **parameters}
        return call("root", "listVirtualMachines", **asked).rows

    return listed


def test_a_name_is_exact_but_for_letter_case(machines: Any) -> None:
    name = machines()[0]["name"]
    assert {row["name"] for row in machines(name=name.upper())} == {name}
    assert machines(name=name[:-1]) == []
    assert machines(name="%") == []


def test_a_keyword_ignores_letter_case_and_accents(machines: Any) -> None:
    found = [row["id"] for row in machines(keyword="büro")]
    assert found
    assert found == [row["id"] for row in machines(keyword="BURO")]


def test_percent_and_underscore_are_wildcards_in_a_keyword(machines: Any) -> None:
    everything = len(machines())
    assert len(machines(keyword="%")) == len(machines(keyword="_")) == everything
    assert machines(keyword="\\") == []
    assert 0 < len(machines(keyword="web-prod-0_")) <= 9
    assert 0 < len(machines(keyword="w%b-prod")) < everything


def test_an_empty_keyword_filters_nothing(machines: Any) -> None:
    assert len(machines(keyword="")) == len(machines())


def test_states_are_compared_without_letter_case_and_unknown_ones_match_nothing(
    machines: Any,
) -> None:
    running = machines(state="running")
    assert {row["state"] for row in running} == {"Running"}
    assert machines(state="Bogus") == []
    present = machines(state="Present")
    assert {row["state"] for row in present} == {"Running", "Stopped", "Error"}


def test_several_tags_are_alternatives(machines: Any) -> None:
    def tagged(*pairs: tuple[str, str]) -> set[str]:
        parameters = {}
        for number, (key, value) in enumerate(pairs):
            parameters |= {f"tags[{number}].key": key, f"tags[{number}].value": value}
        return {row["id"] for row in machines(**parameters)}

    prod, cost = tagged(("env", "prod")), tagged(("cost", "4711"))
    assert prod
    assert cost - prod
    assert tagged(("env", "prod"), ("cost", "4711")) == prod | cost


def test_ids_are_a_list_without_blanks(call: Any, machines: Any) -> None:
    one, two, *_ = (row["id"] for row in machines())
    assert {row["id"] for row in machines(ids=f"{one},{two},")} == {one, two}
    assert call("root", "listVirtualMachines", ids=f"{one}, {two}").status == 431
    both = call("root", "listVirtualMachines", ids=one, id=two)
    assert both.inner["errortext"] == "Specify either id or ids but not both parameters"


def test_an_internal_number_is_taken_for_an_id(call: Any) -> None:
    assert call("user", "listZones", id="1").count == 1


@pytest.mark.parametrize("name", ["zoneid", "hostid", "serviceofferingid", "templateid"])
def test_machines_are_narrowed_by_what_they_belong_to(machines: Any, name: str) -> None:
    everything = machines(details="all")
    value = next(row[name] for row in everything if name in row)
    assert machines(details="all", **{name: value}) == [
        row for row in everything if row.get(name) == value
    ]


def test_machines_are_narrowed_by_cluster(call: Any, machines: Any) -> None:
    cluster = call("root", "listClusters").rows[0]["id"]
    hosts = {row["id"] for row in call("root", "listHosts", clusterid=cluster).rows}
    running = {row["hostid"] for row in machines(clusterid=cluster) if "hostid" in row}
    assert running
    assert running <= hosts


@pytest.mark.parametrize(
    ("text", "all_of_them"),
    [
        ("2026-09-01", False),
        ("2026-09-01T00:00:00Z", False),
        ("2026-09-01T02:00:00+0200", False),
        ("2026-09-01 00:00:00", False),
        ("2026-08-32", False),
        ("2020-01-01", True),
    ],
)
def test_dates_are_read_in_every_spelling(call: Any, text: str, all_of_them: bool) -> None:
    since = call("root", "listEvents", listall="true", startdate=text)
    everything = call("root", "listEvents", listall="true")
    if all_of_them:
        assert since.count == everything.count
    else:
        first = call("root", "listEvents", listall="true", startdate="2026-09-01T00:00:00+0000")
        assert 0 < since.count == first.count < everything.count


def test_booleans_are_true_or_anything_else(call: Any) -> None:
    own = call("root", "listVirtualMachines").count
    assert call("root", "listVirtualMachines", listall="TRUE").count > own
    for text in ("1", "yes", "false", ""):
        assert call("root", "listVirtualMachines", listall=text).count == own
