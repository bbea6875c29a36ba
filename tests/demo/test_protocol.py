"""Signatures, encodings and headers, as a real server takes and gives them."""

from __future__ import annotations

import gzip
import json
import urllib.parse
from typing import Any

import pytest

from cs_magic.demo.cloud.registry import commands
from cs_magic.demo.cloud.writes import WriteCommand
from cs_magic.demo.server import Demo, serving

SERVED_HERE = commands()

UNVERIFIED = {
    "uuidList": [],
    "errorcode": 401,
    "errortext": "unable to verify user credentials and/or request signature",
}


@pytest.fixture
def ask(demo: Demo, wire: Any) -> Any:
    """A signed GET of listZones as the main root admin, by default."""

    def make(**pairs: str) -> Any:
        query = wire.signed(demo.accounts["admin"], {"command": "listZones", **pairs})
        return wire.send(f"{demo.endpoint}?{query}")

    return make


@pytest.mark.parametrize(
    "expires",
    [
        "2099-01-01T00:00:00Z",
        "2099-01-01T00:00:00+0000",
        "2099-01-01T00:00:00+02:00",
        "2099-01-01T00:00:00.123Z",
        "2099-01-01T00:00:00.123456+0000",
        "2099-01-01T00:00Z",
        "2099-01-01T00:00:00z",
    ],
)
def test_an_expiry_ahead_is_accepted_in_every_recorded_spelling(ask: Any, expires: str) -> None:
    assert ask(signatureVersion="3", expires=expires).status == 200


@pytest.mark.parametrize(
    "expires",
    [
        "2099-01-01T00:00:00",
        "2099-01-01 00:00:00",
        "2099-01-01",
        "4070908800",
        "2099-01-01T00:00:00 0000",
        "",
        "2020-01-01T00:00:00Z",
        "2099-13-01T00:00:00Z",
    ],
)
def test_an_expiry_that_is_over_or_cannot_be_read_is_401(ask: Any, expires: str) -> None:
    answer = ask(signatureVersion="3", expires=expires)
    assert answer.status == 401
    assert answer.json == {"listzonesresponse": UNVERIFIED}


def test_version_3_without_an_expiry_is_401(ask: Any) -> None:
    assert ask(signatureVersion="3").status == 401


@pytest.mark.parametrize("version", ["2", "4", "03"])
def test_other_versions_never_expire(ask: Any, version: str) -> None:
    assert ask(signatureVersion=version, expires="2020-01-01T00:00:00Z").status == 200


@pytest.mark.parametrize("spelling", ["apiKey", "apikey", "APIKEY", "ApiKey"])
def test_the_name_of_the_key_is_taken_in_any_letter_case(
    ask: Any, demo: Demo, spelling: str
) -> None:
    assert ask(**{spelling: demo.api_key}).status == 200
    assert ask(**{spelling: demo.api_key.upper()}).status == 200


@pytest.mark.parametrize(
    "value", ["~", "*", "a b+c", "/?&=", "ü漢😀", "'()!", "%", "[x]", "line\nbreak", "", "\u0080"]
)
def test_every_character_is_signed_as_java_escapes_it(ask: Any, value: str) -> None:
    assert ask(unread=value).status == 200


def test_a_signature_by_pythons_rules_for_a_tilde_is_401(demo: Demo, wire: Any) -> None:
    query = wire.signed(demo.accounts["admin"], {"command": "listZones", "unread": "%7E"})
    assert wire.send(f"{demo.endpoint}?{query.replace('%257E', '~')}").status == 401


@pytest.mark.parametrize("left_out", ["apiKey", "signature"])
def test_without_key_or_signature_it_is_401(demo: Demo, wire: Any, left_out: str) -> None:
    query = urllib.parse.parse_qs(wire.signed(demo.accounts["admin"], {"command": "listZones"}))
    del query[left_out]
    answer = wire.send(f"{demo.endpoint}?{urllib.parse.urlencode(query, doseq=True)}")
    assert (
        answer.body == json.dumps({"listzonesresponse": UNVERIFIED}, separators=(",", ":")).encode()
    )
    assert answer.headers["X-Description"] is None


def test_somebody_elses_secret_is_401(demo: Demo, wire: Any) -> None:
    key = demo.accounts["admin"].api_key
    query = wire.signed(demo.accounts["erp"], {"command": "listZones", "apiKey": key})
    assert wire.send(f"{demo.endpoint}?{query}").status == 401


def test_an_unknown_command_is_401_under_errorresponse(call: Any) -> None:
    answer = call("root", "listNothing")
    assert answer.status == 401
    assert answer.json == {"errorresponse": UNVERIFIED}


def test_a_command_in_another_letter_case_is_unknown(call: Any) -> None:
    assert call("root", "LISTZONES").status == 401


def test_without_a_command_the_wrapper_is_null(demo: Demo, wire: Any) -> None:
    assert wire.send(f"{demo.endpoint}?listall=true&response=json").json == {"null": UNVERIFIED}
    xml = wire.send(demo.endpoint)
    assert xml.status == 401
    assert xml.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><errorresponse><errorcode>401</errorcode>'
        "<errortext>unable to verify user credentials and/or request signature</errortext>"
        "</errorresponse>"
    )


def test_hmac_sha512_alone_can_be_asked_for(wire: Any) -> None:
    with serving(machines=3, signature_algorithm="HmacSHA512") as demo:
        status = {}
        for algorithm in ("HmacSHA1", "HmacSHA512"):
            query = wire.signed(demo.accounts["admin"], {"command": "listZones"}, algorithm)
            status[algorithm] = wire.send(f"{demo.endpoint}?{query}").status
    assert status == {"HmacSHA1": 401, "HmacSHA512": 200}


def test_a_form_is_read_as_a_query_is(demo: Demo, wire: Any, call: Any) -> None:
    form = wire.signed(demo.accounts["admin"], {"command": "listZones"})
    assert wire.send(demo.endpoint, form).inner == call("root", "listZones").inner
    assert wire.send(demo.endpoint + "/below", form).status == 200


def test_a_body_that_is_no_form_is_not_read(demo: Demo, wire: Any) -> None:
    form = wire.signed(demo.accounts["admin"], {"command": "listZones"})
    answer = wire.send(demo.endpoint, form, {"Content-Type": "application/json"})
    assert answer.status == 401


def test_of_duplicates_the_last_in_the_query_the_first_in_the_form_and_the_query_count(
    demo: Demo, wire: Any
) -> None:
    signed = wire.signed(demo.accounts["admin"], {"command": "listZones", "keyword": "Lugano"})
    other = "keyword=nothing"
    assert wire.send(f"{demo.endpoint}?{other}&{signed}").count == 1
    assert wire.send(f"{demo.endpoint}?{signed}&{other}").status == 401
    assert wire.send(demo.endpoint, f"{signed}&{other}").count == 1
    assert wire.send(demo.endpoint, f"{other}&{signed}").status == 401
    assert wire.send(f"{demo.endpoint}?keyword=Lugano", f"{other}&{signed}").count == 1


def test_a_name_without_equals_sign_is_signed_with_an_empty_value(demo: Demo, wire: Any) -> None:
    query = wire.signed(demo.accounts["admin"], {"command": "listZones", "keyword": ""})
    assert wire.send(f"{demo.endpoint}?{query.replace('keyword=', 'keyword')}").status == 200


@pytest.mark.parametrize("piece", ["x=%zz", "x=%FF", "x=%C3%28", "x=%4"])
def test_a_bad_escape_is_refused_with_a_page_before_anything_else(
    demo: Demo, wire: Any, piece: str
) -> None:
    answer = wire.send(f"{demo.endpoint}?command=listZones&{piece}")
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "text/html"


def test_a_cut_character_is_signed_as_the_replacement_character(demo: Demo, wire: Any) -> None:
    query = wire.signed(demo.accounts["admin"], {"command": "listZones", "x": "\ufffd"})
    assert wire.send(f"{demo.endpoint}?{query.replace('%EF%BF%BD', '%C3')}").status == 200


@pytest.mark.parametrize("value", ["json", "JSON"])
def test_json_is_asked_for_in_any_letter_case(ask: Any, value: str) -> None:
    assert ask(response=value).headers["Content-Type"] == "application/json;charset=utf-8"


@pytest.mark.parametrize("value", ["xml", "yaml", ""])
def test_anything_else_is_xml(ask: Any, value: str) -> None:
    answer = ask(response=value, keyword="nothing")
    assert answer.headers["Content-Type"] == "text/xml;charset=utf-8"
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<listzonesresponse cloud-stack-version="4.23.0.0"></listzonesresponse>'
    )


def test_headers_are_the_recorded_ones_and_no_others(ask: Any) -> None:
    answer = ask()
    names = [name for name in answer.headers if name != "Connection"]
    assert sorted(names) == sorted(
        ["Content-Type", "Vary", "X-Content-Type-Options", "X-XSS-Protection", "Content-Length"]
        + ["content-security-policy"] * 6
    )
    assert answer.headers["Vary"] == "Accept-Encoding, User-Agent"
    assert answer.headers.get_all("content-security-policy")[0] == "1"
    assert b'":' in answer.body
    assert b'": ' not in answer.body


def test_a_large_body_is_compressed_where_gzip_is_accepted(demo: Demo, wire: Any) -> None:
    def compressed(**extra: str) -> Any:
        query = wire.signed(demo.accounts["admin"], {"command": "listZones", **extra})
        return wire.send(f"{demo.endpoint}?{query}", headers={"Accept-Encoding": "gzip"})

    large, small = compressed(), compressed(keyword="nothing")
    assert large.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(large.body))["listzonesresponse"]["count"] == 3
    assert small.headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", 401), ("OPTIONS", 200), ("PUT", 405), ("DELETE", 405), ("PATCH", 501)],
)
def test_other_methods_are_not_answered(demo: Demo, wire: Any, method: str, status: int) -> None:
    assert wire.send(demo.endpoint, method=method).status == status


def test_another_path_is_not_found(demo: Demo, wire: Any) -> None:
    assert wire.send(demo.endpoint.replace("/api", "/nothing")).status == 404


def test_a_url_that_is_too_long_is_414(demo: Demo, wire: Any) -> None:
    assert wire.send(f"{demo.endpoint}?command=listZones&keyword={'k' * 10_000}").status == 414


class TestListApis:
    def test_every_command_that_is_listed_answers(self, call: Any) -> None:
        machine = call("root", "listVirtualMachines").rows[0]["id"]
        ids = {
            "listLoadBalancerRuleInstances": call("root", "listLoadBalancerRules").rows[0]["id"],
            "getUserKeys": "",
        }
        for who in ("root", "domain admin", "user"):
            for entry in call(who, "listApis").rows:
                if entry["name"] in ("login", "logout", "validateUserTwoFactorAuthenticationCode"):
                    continue
                if isinstance(SERVED_HERE[entry["name"]], WriteCommand):
                    continue  # each has a test of its own
                if entry["name"] == "queryAsyncJobResult":
                    continue  # as above
                ids["getUserKeys"] = call(who, "listUsers").rows[0]["id"]
                needed = {
                    "templatefilter": "featured",
                    "virtualmachineid": machine,
                    "startdate": "2026-08-01",
                    "enddate": "2026-08-01",
                    "resourcetype": "UserVm",
                    "physicalnetworkid": "1",
                    "projectid": "1",
                    "id": ids.get(entry["name"], ""),
                }
                extra = {p["name"]: needed[p["name"]] for p in entry["params"] if p["required"]}
                assert call(who, entry["name"], **extra).status == 200, entry["name"]

    def test_a_role_is_listed_what_it_may_use(self, call: Any) -> None:
        names = {
            who: {entry["name"] for entry in call(who, "listApis").rows}
            for who in ("root", "domain admin", "user")
        }
        assert names["user"] < names["domain admin"] < names["root"]
        assert {"login", "logout"} <= names["root"] - names["domain admin"]

    def test_entries_are_shaped_as_recorded(self, call: Any) -> None:
        for entry in call("root", "listApis").rows:
            assert entry["isasync"] is SERVED_HERE[entry["name"]].isasync
            assert entry["httprequesttype"] in ("GET", "POST")
            assert entry["response"].count({}) == 2
            for parameter in entry["params"]:
                assert list(parameter)[:5] == ["name", "description", "type", "length", "required"]
                if parameter["type"] == "uuid":
                    assert "related" in parameter

    def test_related_names_commands_that_exist(self, call: Any) -> None:
        entries = call("root", "listApis").rows
        names = {entry["name"] for entry in entries}
        related = {
            name
            for entry in entries
            for item in (entry, *entry["params"])
            for name in item.get("related", "").split(",")
        }
        assert related - {""} <= names

    def test_by_key_a_forbidden_name_gives_all_that_is_allowed(self, call: Any) -> None:
        everything = call("user", "listApis").count
        assert call("user", "listApis", name="listHosts").count == everything

    def test_by_another_spelling_of_the_key_it_is_refused(self, call: Any, demo: Demo) -> None:
        for name in ("listHosts", "nope"):
            answer = call("user", "listApis", name=name, apikey=demo.accounts["webshop"].api_key)
            assert answer.status == 530
            assert answer.inner["errortext"] == (
                "Api Discovery plugin was unable to find an api by that name or process any apis"
            )

    def test_by_another_spelling_parameters_of_root_admins_are_hidden(
        self, call: Any, demo: Demo
    ) -> None:
        def names(**extra: str) -> set[str]:
            (entry,) = call("user", "listApis", name="listVirtualMachines", **extra).rows
            return {parameter["name"] for parameter in entry["params"]}

        hidden = names() - names(apikey=demo.accounts["webshop"].api_key)
        assert hidden == {"hostid", "podid", "clusterid", "displayvm"}
