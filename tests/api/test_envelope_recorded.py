"""Every body that a real server sent, read; compared with a plain reading of its JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from replay import Step, recorded

from cs_magic.api.envelope import read
from cs_magic.api.values import Document, JobReply, Page, Payload, Response
from cs_magic.errors import ApiError, CloudStackError, TransportError, Unauthorized

UNVERIFIED = "unable to verify user credentials and/or request signature"
# One of each kind, in CloudStack's words: class, errorcode, cserrorcode, errortext.
REFUSALS = {
    "A-login/05-login-u1-domain-rootpath#0": (
        ApiError, 531, None, "Unable to find the domain from the path /ROOT/D1/",
    ),
    "A-login/09-login-bad-domainid#0": (
        Unauthorized, 401, None, "Invalid domain id entered, please enter a valid one",
    ),
    "A-login/22-login-no-username#0": (ApiError, 531, None, "HTTP 531, without a text"),
    "A-login/29-login-get#0": (
        ApiError, 405, None, "Please use HTTP POST to authenticate using this API",
    ),
    "A-login/31-session-calls-post#4": (
        ApiError, 431, 9999, "Session not found for the logout process.",
    ),
    "A-login/42-no-command-no-session#0": (Unauthorized, 401, None, UNVERIFIED),
    "A-login/43-session-unknown-command#1": (
        ApiError, 432, 9999, "Unknown API command: listNothing",
    ),
    "A-login/60-two-factor#11": (
        ApiError, 511, 4295, "two-factor authentication code provided is invalid",
    ),
    "A-login/61-two-factor-validate-without-sessionkey#1": (
        Unauthorized, 401, None, "unable to verify user credentials",
    ),
    "B-signature/103-unknown-command#0": (Unauthorized, 401, None, UNVERIFIED),
    "B-signature/120-http-methods#2": (ApiError, 405, None, "HTTP 405, without a text"),
    "B-signature/92-upper-command-parameter#0": (Unauthorized, 401, None, UNVERIFIED),
    "C-errors/10-map-malformed#0": (
        ApiError, 430, 9999,
        "Unable to decode parameter tags[0]; if specifying an object array, please use"
        " parameter[index].field=XXX, e.g. userGroupList[0].group=httpGroup",
    ),
    "C-errors/10-map-malformed#3": (
        ApiError, 431, 4350, "No value is passed in for key env",
    ),
    "C-errors/15-u1-reads-u2#1": (
        ApiError, 531, 4365, "Caller does not have permission to operate with provided resource.",
    ),
    "E-async/23-network-lifecycle#7": (
        ApiError, 537, 4360,
        'The range specified, 80-81, conflicts with rule FirewallRule {"id":7,"networkId":204,'
        '"purpose":"Firewall","state":"Active","uuid":"f8b5491c-67b6-4733-a943-89e0be77ee33"}'
        " which has 80-81",
    ),
    "H-throttle/01-throttle-key#2": (
        ApiError, 429, 9999,
        "The given user has reached his/her account api limit, please retry after [562] ms.",
    ),
    "I-enforce/02-enforce-get-change#0": (
        ApiError, 400, 9999,
        "State changing command updateVirtualMachine needs to be sent using POST request",
    ),
}  # fmt: skip
# No error document: what is said instead.
UNUSABLE = {
    "A-login/29-login-get#1": "HTTP 200 with nothing in it",
    "A-login/41-session-no-command#1": "HTTP 200 with nothing in it",
    "A-login/63-two-factor-first-setup-wrong#1": "HTTP 200 with nothing in it",
    "A-login/65-two-factor-mandated#6": "HTTP 200 with nothing in it",
    "B-signature/112-long-get-10k#0": "HTTP 414 with a web page",
    "B-signature/117-long-header#0": "HTTP 431 with a web page",
    "B-signature/119-post-too-big#0": "HTTP 400 with a web page",
    "B-signature/120-http-methods#0": "HTTP 200 with nothing in it",
    "B-signature/120-http-methods#1": "HTTP 200 with nothing in it",
    "B-signature/121-paths#2": "HTTP 302: the endpoint redirects to",
    "B-signature/121-paths#3": "HTTP 200 with a web page",
    "B-signature/121-paths#4": "HTTP 301: the endpoint redirects to",
    "B-signature/121-paths#5": "HTTP 301: the endpoint redirects to",
    "B-signature/121-paths#6": "HTTP 404 with a web page",
    "B-signature/122-gzip#0": "A reply that is not JSON",
    "B-signature/131-wire-truncated-utf8-signed#2": "HTTP 400 with a web page",
    "B-signature/83-wire-bad-escape#0": "HTTP 400 with a web page",
    "B-signature/83-wire-bad-escape#1": "HTTP 400 with a web page",
    "B-signature/83-wire-bad-escape#3": "HTTP 400 with a web page",
    "F-shapes/103-user-data-large#3": "HTTP 414 with a web page",
}
# JSON that only a patient reader can read: a stored backslash came out as an escape.
INVALID = {
    "E-async/15-update-vm-sync#4": "<b>&amp;</b> \\A \\n \"q\" 'a' \\",
    "E-async/15-update-vm-sync#5": "<b>&amp;</b> \\A \\n \"q\" 'a' \\",
    "E-async/16-update-vm-xml#2": "<b>&amp;</b> ü \\A \"q\" 'a' \u2028 x",
}
BY_NAME = {step.where: step for step in recorded()}
IN_JSON = [step for step in recorded() if step.body.startswith(b"{")]
READABLE = [step for step in IN_JSON if step.where not in INVALID]
SUCCESSES = [step for step in READABLE if step.status == 200]
REFUSED = [step for step in READABLE if step.status != 200 and step.where not in REFUSALS]


def answer(step: Step) -> Payload:
    location = {name.lower(): value for name, value in step.headers.items()}.get("location")
    response = Response(step.status, step.content_type, step.body, location=location)
    return read(step.command, response)


def refusal(step: Step) -> CloudStackError:
    with pytest.raises(CloudStackError) as caught:
        answer(step)
    return caught.value


def facts(payload: Payload) -> dict[str, Any]:
    """The payload as the inside of the reply that it was read from."""
    match payload:
        case Page(key, count, rows):
            listed = {} if key is None else {key: json.loads(rows)}
            return ({} if count is None else {"count": count}) | listed
        case Document(None, fields):
            return json.loads(fields)
        case Document(key, fields):
            return {key: json.loads(fields)}
        case JobReply(jobid, None):
            return {"jobid": jobid}
        case JobReply(jobid, id_):
            return {"jobid": jobid, "id": id_}


@pytest.mark.parametrize("step", SUCCESSES, ids=lambda step: step.where)
def test_a_success_is_read_without_losing_anything(step):
    [inside] = json.loads(step.body).values()
    payload = answer(step)
    assert inside == facts(payload)
    assert getattr(payload, "notes", ()) == ()


def test_the_recordings_hold_every_shape_of_a_success():
    kinds = [type(answer(step)) for step in SUCCESSES]
    assert (kinds.count(Page), kinds.count(Document), kinds.count(JobReply)) == (712, 272, 77)


@pytest.mark.parametrize("where", REFUSALS)
def test_a_refusal_of_each_kind_is_the_error_written_here(where):
    error = refusal(BY_NAME[where])
    assert isinstance(error, ApiError)
    assert (type(error), error.errorcode, error.cserrorcode, error.errortext) == REFUSALS[where]
    assert error.command == BY_NAME[where].command


@pytest.mark.parametrize("step", REFUSED, ids=lambda step: step.where)
def test_every_other_refusal_has_its_codes_and_its_text_unaltered(step):
    [inside] = json.loads(step.body).values()
    error = refusal(step)
    assert type(error) is (Unauthorized if step.status == 401 else ApiError)
    assert (error.errorcode, error.cserrorcode) == (step.status, inside.get("cserrorcode"))
    if '{"' not in inside["errortext"] or "FirewallRule" in inside["errortext"]:
        assert error.errortext == inside["errortext"]


@pytest.mark.parametrize("where", UNUSABLE)
def test_what_is_no_answer_of_the_api_is_a_transport_error(where):
    error = refusal(BY_NAME[where])
    assert type(error) is TransportError
    assert UNUSABLE[where] in error.message


@pytest.mark.parametrize("where", INVALID)
def test_invalid_json_is_read_and_noted(where):
    payload = answer(BY_NAME[where])
    assert isinstance(payload, Page | Document)
    assert payload.notes == ("invalid JSON was repaired",)
    machine = facts(payload)["virtualmachine"]
    machine = machine[0] if isinstance(machine, list) else machine
    assert INVALID[where] == machine["displayname"]
    assert len(machine) > 10
