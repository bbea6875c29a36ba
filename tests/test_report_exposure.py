"""13-exposure: what is open is what rules, forwardings and access lists together let in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replay import Step, steps
from reports import owner, replayed, report, sheet, texts, world

from cs_magic.demo.server import serving

NAME = "13-exposure"
FILE = "exposure-2026-09-14.xlsx"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run on the demo cloud."""
    where = tmp_path_factory.mktemp("exposure")
    report(NAME, where, key_days=1_120)
    return where / "build" / FILE


def made(command: str, *rows: dict[str, Any]) -> Step:
    """A reply with these rows, in a recorded one's wrapping."""
    like = steps("G-counts/01-count-listZones")[0]
    key = command.removeprefix("list").removesuffix("s").lower()
    body = json.dumps({f"{command.lower()}response": {"count": len(rows), key: rows}})
    return replace(like, command=command, parameters=(), body=body.encode())


def ways(path: Path) -> set[tuple[Any, ...]]:
    """What is open: address, protocol, first and last port, machine."""
    columns = ["ipaddress", "protocol", "first", "last", "machine"]
    return set(sheet(path, "ways in")[columns].itertuples(index=False, name=None))


def test_what_is_forwarded_and_let_in_from_everywhere_is_open(book: Path) -> None:
    here = world()
    owners = {row.get("id"): owner(row) for row in here.table("addresses")}
    let_in = {
        (rule.get("ipaddressid"), rule.get("startport"))
        for rule in here.table("firewalls")
        if "0.0.0.0/0" in rule.get("cidrlist").split(",")
    }
    expected = {
        (rule.get("ipaddress"), int(rule.get("publicport")), *owners[rule.get("ipaddressid")])
        for rule in here.table("forwardings")
        if (rule.get("ipaddressid"), int(rule.get("publicport"))) in let_in
    }
    rows = sheet(book, "ways in")
    assert expected
    assert expected == set(
        rows[["ipaddress", "first", "domain", "owner"]].itertuples(index=False, name=None)
    )


def test_groups_networks_keys_and_admins_are_the_demo_s(book: Path) -> None:
    here = world()
    wide = {row.get("name") for row in here.table("securitygroups") if row.get("ingressrule")}
    assert wide == set(sheet(book, "security groups")["name"]) | {"monitoring"}
    people = here.people.accounts.values()
    admins = {a.user.username for a in people if a.role.kind and not a.user.pin and a.enabled}
    assert set(sheet(book, "no second factor")["username"]) == admins
    assert set(sheet(book, "unused accounts")["name"]) == {"azubi", "treuhand"}


def test_only_keys_older_than_asked_are_old(book: Path) -> None:
    rows = sheet(book, "old keys")
    assert len(rows)
    assert rows["days"].min() > 1_120
    assert rows["days"].is_monotonic_decreasing


# One address with static NAT, one with a load balancer, one of a VPC.
MADE = (
    made("listVirtualMachines", {"id": "m1", "name": "one"}, {"id": "m2", "name": "two"}),
    made(
        "listPublicIpAddresses",
        {"id": "a1", "ipaddress": "192.0.2.1", "isstaticnat": True, "virtualmachineid": "m1"},
        {"id": "a2", "ipaddress": "192.0.2.2"},
        {"id": "a3", "ipaddress": "192.0.2.3"},
        {"id": "a4", "ipaddress": "192.0.2.4", "account": "x", "domain": "y"},
    ),
    made(
        "listFirewallRules",
        {"id": "f1", "ipaddressid": "a1", "protocol": "TCP", "startport": 22, "endport": 25}
        | {"cidrlist": "10.0.0.0/8,0.0.0.0/0"},
        {"id": "f2", "ipaddressid": "a1", "protocol": "udp", "startport": 53, "endport": 53}
        | {"cidrlist": "10.0.0.0/8"},
        {"id": "f3", "ipaddressid": "a2", "protocol": "all", "cidrlist": "::/0"},
        {"id": "f4", "ipaddressid": "a4", "protocol": "icmp", "cidrlist": "0.0.0.0/0"},
    ),
    made(
        "listLoadBalancerRules",
        {"id": "00000000-0000-4000-8000-0000000000b1", "publicipid": "a2"}
        | dict.fromkeys(("publicport", "privateport"), "80"),
    ),
    made("listLoadBalancerRuleInstances", {"id": "m1"}, {"id": "m2"}),
    made("listNetworks", {"id": "n1", "name": "tier", "aclid": "acl"}),
    made(
        "listPortForwardingRules",
        {"id": "p1", "ipaddressid": "a3", "networkid": "n1", "virtualmachineid": "m2"}
        | {"protocol": "tcp", "publicport": "2222", "publicendport": "2222"}
        | {"privateport": "22", "privateendport": "22"},
        {"id": "p2", "ipaddressid": "a3", "networkid": "n1", "virtualmachineid": "m2"}
        | {"protocol": "tcp", "publicport": "443", "publicendport": "443"}
        | {"privateport": "443", "privateendport": "443"},
    ),
    made(
        "listNetworkACLs",
        {"id": "r3", "aclid": "acl", "number": 30, "action": "Allow", "protocol": "all"}
        | {"cidrlist": "0.0.0.0/0", "traffictype": "Ingress"},
        {"id": "r1", "aclid": "acl", "number": 10, "action": "Deny", "protocol": "tcp"}
        | {"cidrlist": "0.0.0.0/0", "traffictype": "Ingress", "startport": "443", "endport": "443"},
        {"id": "r2", "aclid": "acl", "number": 5, "action": "Deny", "protocol": "all"}
        | {"cidrlist": "0.0.0.0/0", "traffictype": "Egress"},
    ),
)


def test_static_nat_load_balancers_and_access_lists_have_their_own_gates(tmp_path: Path) -> None:
    with replayed(*MADE):
        report(NAME, tmp_path, profile="env", as_of="2026-09-14")
    path = tmp_path / "build" / FILE
    assert ways(path) == {
        ("192.0.2.1", "tcp", 22, 25, "one"),
        ("192.0.2.2", "tcp", 80, 80, "one"),
        ("192.0.2.2", "tcp", 80, 80, "two"),
        ("192.0.2.3", "tcp", 2222, 2222, "two"),  # 443 is denied before all is allowed
    }
    assert list(sheet(path, "gates without a door")["ipaddress"]) == ["192.0.2.4"]


def test_a_recorded_account_has_its_ssh_open(tmp_path: Path) -> None:
    given = {step.command: step for step in steps("K-exposure/09-lists-as-u1")}
    given |= {step.command: step for step in steps("K-exposure/08-idle-and-owners")[2:5]}
    given |= {"listSecurityGroups": steps("K-exposure/05-security-groups")[5]}
    given |= {"listVirtualMachines": steps("D-paging/03-vms-pages-of-50")[0]}
    with replayed(*given.values()):
        notebook = report(NAME, tmp_path, profile="env", as_of="2026-11-24")
    path = tmp_path / "build" / "exposure-2026-11-24.xlsx"
    (way,) = sheet(path, "ways in").to_dict("records")
    assert (way["ipaddress"], way["first"], way["service"]) == ("192.168.2.16", 22, "SSH")
    assert (way["domain"], way["owner"]) == ("ROOT/D1", "u1")
    assert list(sheet(path, "security groups")["name"]) == ["sg-web"]
    assert "No key is older than 365 days." in texts(notebook)


def test_a_user_gets_the_report_on_what_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as demo:
        webshop = demo.accounts["webshop"]
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", webshop.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", webshop.secret_key)
        monkeypatch.setenv("CS_MAGIC_CATALOGUE", "fresh")
        report(NAME, tmp_path, profile="env", as_of="2026-09-14")
        report("10-inventory", tmp_path, profile="env", as_of="2026-09-14")
    rows = sheet(tmp_path / "build" / FILE, "ways in")
    assert set(rows["owner"]) <= {"webshop", "Black Friday (project)", "Data Lake (project)"}
    assert "webshop" in set(rows["owner"])
    owners = sheet(tmp_path / "build" / "inventory-2026-09-14.xlsx", "owners")
    assert "erp" not in set(owners["owner"])
