"""Who sees what: the relations of a real server's table of scopes (catalogue/scope.tsv)."""

from __future__ import annotations

from typing import Any

import pytest

OWNED = ["listVirtualMachines", "listVolumes", "listPublicIpAddresses", "listEvents", "listTags"]


def counts(call: Any, who: str, command: str) -> tuple[int, int, int, int]:
    """As typed, with listall, with projectid=-1, with both in one call."""
    return tuple(  # type: ignore[return-value]
        call(who, command, page="1", pagesize="1", **extra).count
        for extra in (
            {},
            {"listall": "true"},
            {"projectid": "-1"},
            {"listall": "true", "projectid": "-1"},
        )
    )


@pytest.mark.parametrize("command", OWNED)
def test_a_root_admin_has_its_own_as_typed_all_with_listall_and_projects_apart(
    call: Any, command: str
) -> None:
    own, everything, projects, both = counts(call, "root", command)
    assert 0 < own < everything
    assert projects > 0
    assert both == everything + projects


@pytest.mark.parametrize("command", OWNED)
def test_a_second_root_admin_sees_the_same_and_owns_next_to_nothing(
    call: Any, command: str
) -> None:
    own, *rest = counts(call, "second root", command)
    assert own < 20
    assert rest == list(counts(call, "root", command)[1:])


@pytest.mark.parametrize("command", OWNED)
def test_a_domain_admin_loses_rows_when_it_asks_for_both_at_once(call: Any, command: str) -> None:
    own, domain, projects, both = counts(call, "domain admin", command)
    assert own < domain < counts(call, "root", command)[1]
    assert both == own + projects < domain


@pytest.mark.parametrize("command", OWNED)
def test_a_user_sees_its_own_and_the_projects_it_takes_part_in(call: Any, command: str) -> None:
    own, everything, projects, both = counts(call, "user", command)
    assert own == everything > 0
    assert 0 < projects < counts(call, "root", command)[2]
    assert both == own + projects


def test_networks_as_typed_are_those_of_the_whole_domain_for_admins(call: Any) -> None:
    root = counts(call, "root", "listNetworks")
    assert root == counts(call, "second root", "listNetworks")
    own, everything, projects, both = root
    assert projects > own
    assert both == everything + projects - own
    own, everything, projects, both = counts(call, "domain admin", "listNetworks")
    assert (own, everything) == (projects, both)
    assert len(set(counts(call, "user", "listNetworks"))) == 1


@pytest.mark.parametrize("command", ["listUsers", "listAccounts"])
def test_accounts_as_typed_are_the_own_one(call: Any, command: str) -> None:
    seen = {who: counts(call, who, command)[:2] for who in ("root", "domain admin", "user")}
    assert seen == {"root": (1, 13), "domain admin": (1, 4), "user": (1, 1)}


def test_domains_are_all_for_root_and_the_own_tree_for_a_domain_admin(call: Any) -> None:
    assert counts(call, "root", "listDomains") == (5, 5, 5, 5)
    assert counts(call, "domain admin", "listDomains") == (1, 2, 1, 2)


def test_projects_as_typed_are_those_one_takes_part_in(call: Any) -> None:
    seen = {
        who: counts(call, who, "listProjects")[:2]
        for who in ("root", "second root", "domain admin", "user")
    }
    assert seen == {"root": (1, 3), "second root": (0, 3), "domain admin": (1, 2), "user": (1, 1)}


def test_a_project_is_read_by_its_members_and_the_admins_above_it(call: Any) -> None:
    ids = {row["name"]: row["id"] for row in call("root", "listProjects", listall="true").rows}
    lake = ids["Data Lake"]
    sees = {
        who: call(who, "listVirtualMachines", projectid=lake)
        for who in ("root", "domain admin", "stores", "user")
    }
    assert {who: answer.count for who, answer in sees.items() if who != "user"} == {
        "root": 8,
        "domain admin": 8,
        "stores": 8,
    }
    assert {row["project"] for row in sees["root"].rows} == {"Data Lake"}
    assert not any("account" in row for row in sees["root"].rows)
    assert sees["user"].status == 432
    assert sees["user"].inner["errortext"] == (
        "The API [listVirtualMachines] does not exist or is not available for this account/user "
        f"in project [{lake}]."
    )


def test_a_domain_is_listed_alone_or_with_those_below_it(call: Any) -> None:
    retail = next(r["id"] for r in call("root", "listDomains").rows if r["name"] == "Retail")
    alone = call("root", "listVirtualMachines", domainid=retail)
    deep = call("root", "listVirtualMachines", domainid=retail, isrecursive="true")
    assert {row["domainpath"] for row in alone.rows} == {"ROOT/Retail"}
    assert deep.count == call("domain admin", "listVirtualMachines", listall="true").count
    assert alone.count < deep.count


def test_an_account_is_listed_by_name_and_domain(call: Any) -> None:
    retail = next(r["id"] for r in call("root", "listDomains").rows if r["name"] == "Retail")
    named = call("root", "listVirtualMachines", account="WEBSHOP", domainid=retail)
    assert {row["account"] for row in named.rows} == {"webshop"}


def test_templates_are_offered_by_filter(call: Any) -> None:
    def names(who: str, word: str, **extra: str) -> set[str]:
        rows = call(who, "listTemplates", templatefilter=word, **extra).rows
        return {row["name"] for row in rows}

    assert names("stores", "self") == {"till-image"}
    assert names("stores", "executable") == names("user", "executable") | {"till-image"}
    assert names("user", "featured") & names("user", "community") == set()
    assert names("domain admin", "all") < names("root", "all")
    assert names("user", "executable", projectid="-1") == set()


def test_a_template_is_one_row_for_each_zone(call: Any) -> None:
    rows = call("root", "listTemplates", templatefilter="featured").rows
    assert len({(row["id"], row["zoneid"]) for row in rows}) == len(rows)
    assert len(rows) == 3 * len({row["id"] for row in rows})


def test_destroyed_machines_are_shown_to_admins_only(call: Any) -> None:
    assert call("root", "listVirtualMachines", listall="true", state="Destroyed").count > 0
    for who in ("user", "stores", "erp"):
        assert call(who, "listVirtualMachines", state="Destroyed").inner == {}


# Whose rows add up as those of machines do, in the recorded table too.
ADDING = [
    "listRouters",
    "listFirewallRules",
    "listEgressFirewallRules",
    "listPortForwardingRules",
    "listLoadBalancerRules",
    "listSecurityGroups",
    "listSnapshots",
    "listVMSnapshot",
    "listVirtualMachinesMetrics",
    "listVolumesMetrics",
]


@pytest.mark.parametrize("command", ADDING)
def test_rules_snapshots_and_metrics_are_scoped_as_machines_are(call: Any, command: str) -> None:
    own, everything, projects, both = counts(call, "root", command)
    assert own <= everything
    assert both == everything + projects
    assert counts(call, "second root", command)[1:] == (everything, projects, both)
    own, domain, projects, both = counts(call, "domain admin", command)
    assert own <= domain < everything
    assert both == own + projects


@pytest.mark.parametrize(
    ("command", "shared"), [("listNetworkACLLists", 2), ("listNetworkACLs", 4)]
)
def test_the_default_access_lists_are_everybodys(call: Any, command: str, shared: int) -> None:
    assert counts(call, "second root", command)[0] == shared
    assert counts(call, "domain admin", command)[0] == shared
    assert counts(call, "erp", command) == (shared, shared, shared, shared)
    own, everything, *_ = counts(call, "webshop", command)
    assert own == everything > shared
    assert counts(call, "root", command)[1] > shared


def test_keys_as_typed_are_ones_own_and_a_users_by_its_id(call: Any) -> None:
    seen = {who: counts(call, who, "listUserKeys")[:2] for who in ("root", "domain admin", "user")}
    assert seen == {"root": (1, 12), "domain admin": (1, 4), "user": (1, 1)}
    ids = {row["username"]: row["id"] for row in call("root", "listUsers", listall="true").rows}
    (row,) = call("domain admin", "listUserKeys", userid=ids["webshop"]).rows
    assert (
        row["apikey"] == call("root", "getUserKeys", id=ids["webshop"]).inner["userkeys"]["apikey"]
    )
    assert call("domain admin", "listUserKeys", userid=ids["erp"]).inner == {}
    refused = call("user", "getUserKeys", id=ids["erp"])
    assert (refused.status, refused.inner["cserrorcode"]) == (531, 4365)
    assert call("root", "getUserKeys", id=ids["azubi"]).inner == {
        "userkeys": {"apikeyaccess": True}
    }


def test_domain_children_are_direct_ones_unless_an_id_is_named(call: Any) -> None:
    ids = {row["name"]: row["id"] for row in call("root", "listDomains").rows}

    def names(**parameters: str) -> set[str]:
        rows = call("root", "listDomainChildren", **parameters).rows
        return {row["name"] for row in rows}

    assert names(isrecursive="true", listall="true") == {"Retail", "Forschung", "Finance"}
    assert "Webshop" in names(id=ids["ROOT"], isrecursive="true")
    assert names(id=ids["Retail"]) == {"Webshop"}


def test_isos_are_ones_own_until_a_filter_says_otherwise(call: Any) -> None:
    def names(who: str, **parameters: str) -> set[str]:
        return {row["name"] for row in call(who, "listIsos", **parameters).rows}

    assert names("user") == set()
    assert names("user", isofilter="executable") == {"rocky-9-installer"}
    assert names("forschung") == {"rettung"}
    assert len(names("root", isofilter="all")) == 3
    assert call("user", "listIsos", isofilter="all").status == 431


def test_a_projects_members_are_listed_for_those_who_may_look_into_it(call: Any) -> None:
    ids = {row["name"]: row["id"] for row in call("root", "listProjects", listall="true").rows}
    rows = call("user", "listProjectAccounts", projectid=ids["Black Friday"]).rows
    assert {(row["account"], row["role"]) for row in rows} == {
        ("webshop", "Admin"),
        ("retail-admin", "Regular"),
    }
    assert call("user", "listProjectAccounts", projectid=ids["Data Lake"]).status == 432
    refused = call("root", "listProjectAccounts", projectid="-1")
    assert refused.inner["errortext"] == "Unable to find the project id=-1"


@pytest.mark.parametrize("command", ["listVlanIpRanges", "listUsageRecords"])
def test_some_lists_refuse_all_projects_at_once(call: Any, command: str) -> None:
    dates = {"startdate": "2026-08-01", "enddate": "2026-08-01"}
    refused = call("root", command, projectid="-1", **dates)
    assert (refused.status, refused.inner["errortext"]) == (
        431,
        "Unable to find project by id -1",
    )
