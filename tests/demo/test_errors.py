"""Refusals, to the byte as a real 4.23 server made them."""

from __future__ import annotations

import json
import re
from typing import Any

import meant
import pytest
import recorded as real

from cs_magic.demo.cloud.served import SERVED
from cs_magic.demo.server import Demo

MISSING_ID = "12345678-1234-1234-1234-123456789abc"
BAD_ID = (
    "Unable to execute API command listvirtualmachines due to invalid value. Invalid parameter "
    "{} value={} due to incorrect long value format, or entity does not exist or due to incorrect "
    "parameter annotation for the field in api cmd class."
)
BAD_MAP = (
    "Unable to decode parameter {}; if specifying an object array, please use "
    "parameter[index].field=XXX, e.g. userGroupList[0].group=httpGroup"
)
NO_DATE = (
    "Unable to parse date {} for command listevents, please pass dates in the format mentioned "
    "in the api documentation"
)
DETAILS = (
    "The details parameter contains a non permitted value. The allowed values are [all, group, "
    "nics, stats, secgrp, tmpl, servoff, diskoff, backoff, iso, volume, min, affgrp, vnfnics]"
)

# who, command, parameters, code, CloudStack's own code, text
RECORDED: list[tuple[str, str, dict[str, str], int, int, str]] = [
    (
        "root",
        "listTemplates",
        {},
        431,
        9999,
        "Unable to execute API command listtemplates due to missing parameter templatefilter",
    ),
    (
        "root",
        "listTemplates",
        {"templatefilter": ""},
        431,
        4350,
        "Invalid value provided for API arg: templatefilter",
    ),
    (
        "root",
        "listTemplates",
        {"templatefilter": "bogus"},
        431,
        9999,
        "No enum constant com.cloud.template.VirtualMachineTemplate.TemplateFilter.bogus",
    ),
    (
        "user",
        "listTemplates",
        {"templatefilter": "all"},
        431,
        4350,
        "Filter all can be specified by admin only",
    ),
    (
        "root",
        "listVirtualMachines",
        {"id": "not-a-uuid"},
        431,
        9999,
        BAD_ID.format("id", "not-a-uuid"),
    ),
    (
        "user",
        "listVirtualMachines",
        {"id": "not-a-uuid"},
        431,
        9999,
        BAD_ID.format("id", "not-a-uuid"),
    ),
    (
        "root",
        "listVirtualMachines",
        {"hostid": "nonsense"},
        431,
        9999,
        BAD_ID.format("hostid", "nonsense"),
    ),
    (
        "root",
        "listVirtualMachines",
        {"serviceofferingid": MISSING_ID},
        431,
        9999,
        BAD_ID.format("serviceofferingid", MISSING_ID),
    ),
    (
        "root",
        "listVirtualMachines",
        {"ids": f"{MISSING_ID},x"},
        431,
        9999,
        BAD_ID.format("ids", MISSING_ID),
    ),
    (
        "root",
        "listVirtualMachines",
        {"page": "abc", "pagesize": "5"},
        431,
        9999,
        "Unable to execute API command listvirtualmachines due to invalid value abc for parameter "
        "page",
    ),
    (
        "root",
        "listVirtualMachines",
        {"page": "1", "pagesize": "5.5"},
        431,
        9999,
        "Unable to execute API command listvirtualmachines due to invalid value 5.5 for parameter "
        "pagesize",
    ),
    (
        "root",
        "listVirtualMachines",
        {"page": "1", "pagesize": "99999999999"},
        431,
        9999,
        "Unable to execute API command listvirtualmachines due to invalid value 99999999999 for "
        "parameter pagesize",
    ),
    ("root", "listZones", {"page": "", "pagesize": ""}, 431, 9999, 'For input string: ""'),
    (
        "root",
        "listVirtualMachines",
        {"page": "1"},
        431,
        9999,
        '"pagesize" parameter is required when "page" is specified',
    ),
    (
        "root",
        "listVirtualMachines",
        {"pagesize": "5"},
        431,
        9999,
        '"page" parameter is required when "pagesize" is specified',
    ),
    (
        "root",
        "listServiceOfferings",
        {"pagesize": "501"},
        431,
        9999,
        '"page" parameter is required when "pagesize" is specified',
    ),
    (
        "root",
        "listServiceOfferings",
        {"page": "1", "pagesize": "501"},
        431,
        4350,
        "Page size can't exceed max allowed page size value: 500",
    ),
    (
        "root",
        "listServiceOfferings",
        {"page": "1", "pagesize": "-1"},
        431,
        4350,
        "Can't specify page parameter when pagesize is -1 (Unlimited)",
    ),
    (
        "root",
        "listServiceOfferings",
        {"projectid": "-1"},
        431,
        4350,
        "Unable to find project by id=-1",
    ),
    ("root", "listResourceLimits", {"projectid": "-1"}, 431, 4350, "Unable to find project by id"),
    ("root", "listVirtualMachines", {"tags[0]": "x"}, 430, 9999, BAD_MAP.format("tags[0]")),
    ("root", "listVirtualMachines", {"tags[0]key": "x"}, 430, 9999, BAD_MAP.format("tags[0]key")),
    (
        "root",
        "listVirtualMachines",
        {"tags[0][1].key": "x"},
        430,
        9999,
        BAD_MAP.format("tags[0][1].key"),
    ),
    (
        "root",
        "listVirtualMachines",
        {"tags": "foo"},
        431,
        9999,
        "Unable to execute API command listvirtualmachines due to invalid value foo for parameter "
        "tags",
    ),
    (
        "root",
        "listVirtualMachines",
        {"tags[0].key": "env"},
        431,
        4350,
        "No value is passed in for key env",
    ),
    (
        "root",
        "listVirtualMachines",
        {
            "tags[0].key": "env",
            "tags[0].value": "prod",
            "tags[1].key": "env",
            "tags[1].value": "test",
        },
        530,
        9999,
        "Duplicate key env (attempted merging values prod and test)",
    ),
    ("root", "listVirtualMachines", {"details": "bogus"}, 431, 4350, DETAILS),
    ("root", "listVirtualMachines", {"details": "MIN"}, 431, 4350, DETAILS),
    ("root", "listVirtualMachines", {"details": "min, nics"}, 431, 4350, DETAILS),
    (
        "root",
        "listHosts",
        {"details": "bogus"},
        431,
        4350,
        "The details parameter contains a non permitted value. The allowed values are [all, "
        "capacity, core, events, stats, min]",
    ),
    ("root", "listEvents", {"startdate": "1764000000"}, 431, 9999, NO_DATE.format("1764000000")),
    ("root", "listEvents", {"startdate": "yesterday"}, 431, 9999, NO_DATE.format("yesterday")),
    ("root", "listEvents", {"startdate": ""}, 431, 9999, NO_DATE.format("")),
    (
        "root",
        "listEvents",
        {"resourceid": MISSING_ID},
        431,
        4350,
        "resourceid parameter must be used with resourcetype parameter",
    ),
    (
        "root",
        "listZones",
        {"keyword": "k" * 300},
        431,
        9999,
        "Unable to execute API command listzones due to invalid value. Value greater than max "
        "allowed length 255 for param: keyword",
    ),
    (
        "root",
        "listZones",
        {"keyword": "a\tb"},
        431,
        9999,
        "Received value containing illegal ASCII non-printable characters for parameter keyword",
    ),
    (
        "root",
        "listCapabilities",
        {"unread": "\x00"},
        431,
        9999,
        "Received value containing illegal ASCII non-printable characters for parameter unread",
    ),
    (
        "root",
        "listCapacity",
        {"sortby": "usage", "pagesize": "-1"},
        530,
        9999,
        'Cannot invoke "java.lang.Long.longValue()" because "limit" is null',
    ),
    (
        "root",
        "listApis",
        {"name": "nope"},
        530,
        9999,
        'Cannot invoke "org.apache.cloudstack.api.ResponseObject.getObjectName()" because the '
        'return value of "java.util.List.get(int)" is null',
    ),
]


@pytest.mark.parametrize(("who", "command", "parameters", "code", "own_code", "text"), RECORDED)
def test_a_refusal_is_the_recorded_document(
    call: Any,
    who: str,
    command: str,
    parameters: dict[str, str],
    code: int,
    own_code: int,
    text: str,
) -> None:
    answer = call(who, command, **parameters)
    document = {
        f"{command.lower()}response": {
            "uuidList": [],
            "errorcode": code,
            "cserrorcode": own_code,
            "errortext": text,
        }
    }
    assert answer.body.decode() == json.dumps(document, separators=(",", ":"))
    assert answer.status == code
    assert answer.headers["X-Description"] == text
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    assert answer.headers["Vary"] is None


@pytest.mark.parametrize(
    ("who", "command", "account"),
    [
        ("user", "listHosts", "webshop"),
        ("user", "listDomains", "webshop"),
        ("domain admin", "listHosts", "retail-admin"),
        ("user", "createZone", "webshop"),
        ("root", "createZone", "admin"),
    ],
)
def test_a_command_that_the_role_lacks_or_the_demo_does_not_serve_is_432(
    call: Any, who: str, command: str, account: str
) -> None:
    answer = call(who, command)
    text = f"The API [{command}] does not exist or is not available for the account {account}."
    assert answer.status == 432
    assert answer.json == {
        "errorresponse": {
            "uuidList": [],
            "errorcode": 432,
            "cserrorcode": 9999,
            "errortext": text,
        }
    }


def test_the_role_is_looked_at_before_the_signature(demo: Demo, wire: Any) -> None:
    query = wire.signed(demo.accounts["webshop"], {"command": "listHosts"})[:-6]
    assert wire.send(f"{demo.endpoint}?{query}").status == 432


def test_somebody_elses_machine_is_an_empty_list(call: Any) -> None:
    foreign = call("erp", "listVirtualMachines").rows[0]["id"]
    assert call("user", "listVirtualMachines", id=foreign).json == {
        "listvirtualmachinesresponse": {}
    }
    assert call("domain admin", "listVirtualMachines", id=foreign).inner == {}
    assert call("root", "listVirtualMachines", id=foreign).count == 1


def test_an_unknown_parameter_is_ignored(call: Any) -> None:
    plain = call("root", "listZones").inner
    assert call("root", "listZones", foo="bar").inner == plain


def test_a_malformed_id_with_a_since_makes_the_filter_vanish(call: Any) -> None:
    everything = call("root", "listVirtualMachines", listall="true", details="min").count
    vanished = call(
        "root", "listVirtualMachines", listall="true", details="min", serviceofferingid="nonsense"
    )
    assert vanished.count == everything


def test_a_parameter_for_root_admins_is_dropped_for_others(call: Any) -> None:
    plain = call("user", "listVirtualMachines").count
    assert call("user", "listVirtualMachines", hostid="nonsense").count == plain


def test_foreign_accounts_and_domains_are_531(call: Any, demo: Demo) -> None:
    domains = {row["path"]: row["id"] for row in call("root", "listDomains").rows}
    answer = call("user", "listVirtualMachines", account="stores", domainid=domains["ROOT/Retail"])
    assert answer.inner["errortext"] == (
        "Caller does not have permission to operate with provided resource."
    )
    assert (answer.status, answer.inner["cserrorcode"]) == (531, 4365)
    finance = domains["ROOT/Finance"]
    answer = call("user", "listVirtualMachines", domainid=finance)
    assert answer.status == 531
    assert answer.inner["errortext"].startswith('Account Account [{"accountName":"webshop","id":')
    assert answer.inner["errortext"].endswith(
        f"does not have permission to operate within domain id={finance}"
    )


def test_an_account_is_looked_for_in_the_callers_domain(call: Any) -> None:
    answer = call("root", "listVirtualMachines", account="webshop")
    root = next(r["id"] for r in call("root", "listDomains").rows if r["name"] == "ROOT")
    assert answer.status == 431
    assert answer.inner["errortext"] == (
        'could not find account webshop in domain Domain {"id":1,"name":"ROOT","path":"\\/",'
        f'"uuid":"{root}"}}'
    )


# Which of two bad names is met first is up to Java's hashing; a key's spelling is another one.
OTHERWISE = {"C-errors/10-map-malformed", "B-signature/108-apikey-spelling-listapis"}
# Names an account and a domain of the recorded cloud; a key pair of it.
OTHERWISE |= {"C-errors/17-account-without-domain", "C-errors/20-duplicates"}


def refused() -> dict[str, real.Step]:
    """The signed calls of served commands that were refused and name nothing by its id."""
    found = {}
    for step in real.recorded():
        if (
            step.status > 429
            and step.command in SERVED
            and step.account in real.ROLES
            and step.auth == "key-v2"
            and not meant.step(step.where)
            and step.where.rpartition("#")[0] not in OTHERWISE
            and step.body.startswith(b'{"')
            and not any(re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", v) for _, v in step.parameters)
            and len({name for name, _ in step.parameters}) == len(step.parameters)
        ):
            found[step.where] = step
    return found


REFUSED = refused()


@pytest.mark.parametrize("where", sorted(REFUSED))
def test_what_was_refused_is_refused_to_the_byte(demo: Demo, wire: Any, where: str) -> None:
    step = REFUSED[where]
    names = {
        "root": "admin",
        "second root": "auditor",
        "domain admin": "retail-admin",
        "user": "webshop",
    }
    name = names[real.ROLES[step.account]]
    pairs = {"command": step.command, **dict(step.parameters)}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = wire.send(demo.endpoint, wire.signed(demo.accounts[name], pairs), form, "POST")
    text = re.sub(rf"account {step.account}\b", f"account {name}", step.body.decode())
    assert answer.body.decode() == text
    assert answer.status == step.status
