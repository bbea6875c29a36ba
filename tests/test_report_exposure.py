"""13-exposure: what is open is what rules, forwardings and access lists together let in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from replay import Step, steps
from reports import cells, made, owner, replayed, report, sheet, texts, world

from cs_magic.demo.data.exposure import behind
from cs_magic.demo.data.world import World
from cs_magic.demo.server import serving
from cs_magic.errors import CloudStackError

NAME = "13-exposure"
FILE = "exposure-2026-09-14.xlsx"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run on the demo cloud."""
    where = tmp_path_factory.mktemp("exposure")
    report(NAME, where, key_days=1_120)
    return where / "build" / FILE


def ways(path: Path, which: Any = slice(None)) -> set[tuple[Any, ...]]:
    """What is open: address, protocol, first and last port, machine."""
    columns = ["ipaddress", "protocol", "first", "last", "machine"]
    rows = sheet(path, "ways in").loc[which]
    return set(rows[columns].itertuples(index=False, name=None))


def let_in(here: World) -> dict[str, list[tuple[str, int, int]]]:
    """By the id of an address what its firewall lets in from everywhere."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    for rule in here.table("firewalls"):
        if "0.0.0.0/0" in rule.get("cidrlist").split(","):
            ports = (rule.get("protocol"), rule.get("startport"), rule.get("endport"))
            found.setdefault(rule.get("ipaddressid"), []).append(ports)
    return found


def test_what_has_a_door_and_is_let_in_from_everywhere_is_open(book: Path) -> None:
    here = world()
    opened = let_in(here)
    tcp, udp = "tcp", "udp"
    expected: dict[str, set[tuple[Any, ...]]] = {
        "port forwarding": {
            (rule.get("ipaddress"), tcp, port, port, rule.get("virtualmachinename"))
            for rule in here.table("forwardings")
            for port in [int(rule.get("publicport"))]
            if (tcp, port, port) in opened.get(rule.get("ipaddressid"), [])
        },
        "static NAT": {
            (address.get("ipaddress"), *ports, address.get("virtualmachinename"))
            for address in here.table("addresses")
            if address.get("isstaticnat")
            for ports in opened.get(address.get("id"), [])
        },
        "load balancer": {
            (rule.get("publicip"), protocol, port, port, machine.name)
            for rule, (_, network) in zip(here.table("balancers"), here.balanced(), strict=True)
            for port in [int(rule.get("publicport"))]
            for protocol in [udp if port == 53 else tcp]
            if (protocol, port, port) in opened.get(rule.get("publicipid"), [])
            for machine in behind(network, here.fleet.machines)
        },
    }
    rows = sheet(book, "ways in")
    for door, open_ in expected.items():
        assert open_
        assert ways(book, rows["door"] == door) == open_
    assert {way[1] for way in expected["load balancer"]} == {tcp, udp}
    owners = {row.get("ipaddress"): owner(row) for row in here.table("addresses")}
    for row in rows.itertuples():
        assert (row.domain, row.owner) == owners[row.ipaddress]


def test_the_ways_in_are_told_by_owner_and_machine(book: Path) -> None:
    whose = sheet(book, "ways in")[["domain", "owner", "machine"]]
    assert list(whose.itertuples(index=False)) == sorted(whose.itertuples(index=False))


def test_what_lets_a_machine_be_managed_from_everywhere_is_counted(book: Path) -> None:
    ports = [
        (address, first, last)
        for address, ports in let_in(world()).items()
        for _, first, last in ports
        if any(first <= port <= last for port in (22, 23, 3389, 5900))
    ]
    short = sheet(book, "in short").set_index("what")["how many"]
    assert short["… that reach SSH, telnet, RDP or VNC"] == len(ports)


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


def balancer(number: int, address: str, port: str, **more: str) -> dict[str, Any]:
    """A load balancer rule as it is listed."""
    return {
        "id": f"00000000-0000-4000-8000-0000000000b{number}",
        "publicipid": address,
        "publicport": port,
        "privateport": port,
    } | more


def network(name: str) -> dict[str, Any]:
    """An isolated network as it is listed."""
    return {"id": name, "name": name, "type": "Isolated", "cidr": "10.1.1.0/24"}


# One address with static NAT, three with load balancers, one of a VPC.
MADE = (
    made("listVirtualMachines", {"id": "m1", "name": "one"}, {"id": "m2", "name": "two"}),
    made(
        "listPublicIpAddresses",
        {"id": "a1", "ipaddress": "192.0.2.1", "isstaticnat": True, "virtualmachineid": "m1"},
        {"id": "a2", "ipaddress": "192.0.2.2"},
        {"id": "a3", "ipaddress": "192.0.2.3"},
        {"id": "a4", "ipaddress": "192.0.2.4", "account": "x", "domain": "y"},
        {"id": "a5", "ipaddress": "192.0.2.5"},
        {"id": "a6", "ipaddress": "192.0.2.6"},
    ),
    made(
        "listFirewallRules",
        {"id": "f1", "ipaddressid": "a1", "protocol": "TCP", "startport": 22, "endport": 25}
        | {"cidrlist": "10.0.0.0/8,0.0.0.0/0"},
        {"id": "f2", "ipaddressid": "a1", "protocol": "udp", "startport": 53, "endport": 53}
        | {"cidrlist": "10.0.0.0/8"},
        {"id": "f3", "ipaddressid": "a2", "protocol": "all", "cidrlist": "::/0"},
        {"id": "f4", "ipaddressid": "a4", "protocol": "icmp", "cidrlist": "0.0.0.0/0"},
        {"id": "f5", "ipaddressid": "a5", "protocol": "udp", "startport": 53, "endport": 53}
        | {"cidrlist": "0.0.0.0/1,128.0.0.0/1"},
        {"id": "f6", "ipaddressid": "a6", "protocol": "tcp", "startport": 443, "endport": 444}
        | {"cidrlist": "0.0.0.0/0"},
    ),
    made(
        "listLoadBalancerRules",
        balancer(1, "a2", "80", protocol="tcp"),
        balancer(2, "a5", "53", protocol="udp"),
        balancer(3, "a6", "443", protocol="ssl"),
        balancer(4, "a6", "444", protocol="tcp", cidrlist="10.0.0.0/8"),
        balancer(5, "a5", "53"),
    ),
    made("listLoadBalancerRuleInstances", {"id": "m1"}, {"id": "m2"}),
    made(
        "listNetworks",
        {"id": "n1", "name": "tier", "aclid": "acl", "type": "Isolated"},
        {"id": "n2", "name": "tier, all out", "aclid": "out", "type": "Isolated"},
        {"id": "n3", "name": "tier, no egress rule", "aclid": "in", "type": "Isolated"},
        network("deny") | {"egressdefaultpolicy": False},
        network("deny, and a rule") | {"egressdefaultpolicy": False},
        network("allow") | {"egressdefaultpolicy": True},
        network("allow, but no web") | {"egressdefaultpolicy": True},
        network("allow, and a rule") | {"egressdefaultpolicy": True},
        network("allow, one host not") | {"egressdefaultpolicy": True},
        network("shared") | {"type": "Shared"},
        network("of an old server"),
    ),
    made(
        "listEgressFirewallRules",
        {"id": "e1", "networkid": "deny, and a rule", "protocol": "all", "cidrlist": ""},
        {"id": "e2", "networkid": "allow, and a rule", "protocol": "all"}
        | {"cidrlist": "10.1.0.0/16", "destcidrlist": "0.0.0.0/0"},
        {"id": "e3", "networkid": "allow, but no web", "protocol": "tcp"}
        | {"startport": 80, "endport": 80, "cidrlist": "10.1.1.0/24"},
        {"id": "e4", "networkid": "allow, one host not", "protocol": "all"}
        | {"cidrlist": "10.1.1.7/32"},
    ),
    made(
        "listSecurityGroups",
        {"id": "g1", "name": "open", "virtualmachineids": ["m1", "m2"]}
        | {"ingressrule": [{"protocol": "tcp", "startport": 22, "endport": 22, "cidr": "::/0"}]},
    ),
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
        {"id": "r1", "aclid": "acl", "number": 10, "action": "Deny", "protocol": "6"}
        | {"cidrlist": "0.0.0.0/0", "traffictype": "Ingress", "startport": "443", "endport": "443"},
        {"id": "r2", "aclid": "acl", "number": 5, "action": "Deny", "protocol": "all"}
        | {"cidrlist": "0.0.0.0/0", "traffictype": "Egress"},
        {"id": "r4", "aclid": "out", "number": 5, "action": "Allow", "protocol": "all"}
        | {"cidrlist": "0.0.0.0/0", "traffictype": "Egress"},
        {"id": "r5", "aclid": "in", "number": 5, "action": "Deny", "protocol": "all"}
        | {"cidrlist": "0.0.0.0/0", "traffictype": "Ingress"},
    ),
)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The file of a run on a cloud that was made up, and what it showed."""
    where = tmp_path_factory.mktemp("made")
    with replayed(*MADE):
        notebook = report(NAME, where, profile="env", as_of="2026-09-14")
    return where / "build" / FILE, texts(notebook)


def test_static_nat_load_balancers_and_access_lists_have_their_own_gates(
    other: tuple[Path, str],
) -> None:
    path, _ = other
    assert ways(path) == {
        ("192.0.2.1", "tcp", 22, 25, "one"),
        ("192.0.2.2", "tcp", 80, 80, "one"),
        ("192.0.2.2", "tcp", 80, 80, "two"),
        ("192.0.2.3", "tcp", 2222, 2222, "two"),  # 443 is denied before all is allowed
        ("192.0.2.5", "udp", 53, 53, "one"),
        ("192.0.2.5", "udp", 53, 53, "two"),
        ("192.0.2.6", "tcp", 443, 443, "one"),  # its port 444 is for 10.0.0.0/8 alone
        ("192.0.2.6", "tcp", 443, 443, "two"),
    }
    assert list(sheet(path, "gates without a door")["ipaddress"]) == ["192.0.2.4"]
    assert list(sheet(path, "security groups")["machines"]) == [2]


def test_the_way_out_is_open_by_the_default_or_by_a_rule(other: tuple[Path, str]) -> None:
    path, shown = other
    rows = sheet(path, "everything out")
    assert dict(zip(rows["name"], rows["by"], strict=True)) == {
        "tier, all out": "the ACL",
        "tier, no egress rule": "an ACL without egress rules",
        "deny, and a rule": "a rule",
        "allow": "the default",
        "allow, but no web": "the default",
        "allow, one host not": "the default",
    }
    assert "Of 1 networks it is not known" in shown


def test_lists_under_an_old_date_are_said_to_be_today_s(other: tuple[Path, str]) -> None:
    path, shown = other
    assert "; ages are counted to 2026-09-14." in shown
    about = sheet(path, "about").set_index("what")["is"]
    assert (about["ages to"], about["lists of"]) == ("2026-09-14", f"{datetime.now(UTC):%Y-%m-%d}")


def refused(command: str, code: int) -> Step:
    """A reply that says no."""
    body = {f"{command.lower()}response": {"errorcode": code, "errortext": f"no {command}"}}
    return replace(made(command), status=code, body=json.dumps(body).encode())


def given(**instead: Step) -> list[Step]:
    """A cloud with one open load balancer, of which nothing is known but what is given."""
    steps_ = [
        made("listPublicIpAddresses", {"id": "a1", "ipaddress": "192.0.2.1"}),
        made(
            "listFirewallRules",
            {"id": "f1", "ipaddressid": "a1", "protocol": "tcp", "cidrlist": "0.0.0.0/0"},
        ),
        made("listLoadBalancerRules", balancer(1, "a1", "22")),
    ]
    return [*steps_, *instead.values()]


def test_what_could_not_be_asked_is_not_known_rather_than_none(bare_shell: Any) -> None:
    no_keys = refused("listUserKeys", 432)
    nobody_behind = refused("listLoadBalancerRuleInstances", 530)
    with replayed(*given(keys=no_keys, members=nobody_behind)):
        ran = list(cells(bare_shell, NAME, profile="env", as_of="2026-09-14"))
    assert ran[-1].error is None
    path = Path("build", FILE)
    assert ways(path) == {("192.0.2.1", "tcp", 22, 22, "not known")}
    short = sheet(path, "in short").set_index("what")["how many"]
    assert short["API keys older than 365 days"] == "not known"
    assert short["load balancers whose machines are not known"] == 1
    assert list(sheet(path, "old keys")["API keys"]) == ["not known"]
    shown = "\n".join(output["text/plain"] for cell in ran for output in cell.outputs)
    assert "The age of the API keys is not known: no listUserKeys" in shown
    assert "What is behind 1 of 1 load balancers is not known: no listLoad" in shown
    assert "No key is older" not in shown


def test_a_load_balancer_without_machines_is_a_way_in_to_none(bare_shell: Any) -> None:
    with replayed(*given(members=made("listLoadBalancerRuleInstances"))):
        ran = list(cells(bare_shell, NAME, profile="env", as_of="2026-09-14"))
    assert ran[-1].error is None
    assert ways(Path("build", FILE)) == {("192.0.2.1", "tcp", 22, 22, "no machine")}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("listUserKeys", "no listUserKeys"),
        ("listLoadBalancerRuleInstances", "What is behind 1 of 1 load balancers is not known"),
    ],
)
def test_where_nobody_watches_what_failed_ends_the_report(
    command: str, message: str, bare_shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_MAGIC_INCOMPLETE", "fail")
    with replayed(*given(failed=refused(command, 530))):
        *_, last = cells(bare_shell, NAME, profile="env", as_of="2026-09-14")
    assert isinstance(last.error, CloudStackError)
    assert message in str(last.error)


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
