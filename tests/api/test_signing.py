"""Signatures, judged from outside: Java's own vectors, and what a real server accepted."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from replay import Step, accounts, recorded

from cs_magic.api.signing import canonical, escaped, signature

VECTORS = [
    vector
    for name in ("signing.json", "signing_java.json")
    for vector in json.loads((Path(__file__).parent.parent / "vectors" / name).read_text())
]

# Refused with 401 because of the signature: each differs from the right one.
WRONGLY_SIGNED = {
    "B-signature/100-empty-value#1": "keyword= is sent, and left out of the signature",
    "B-signature/101-name-without-equals#1": "a name without = is sent, and left out",
    "B-signature/13-no-signature#0": "none is sent",
    "B-signature/19-tampered-value#0": "a value was changed after signing",
    "B-signature/23-signature-urlsafe-and-unpadded#0": "URL-safe Base64",
    "B-signature/23-signature-urlsafe-and-unpadded#1": "no padding",
    "B-signature/24-signature-not-escaped#0": "its + arrived as a blank",
    "B-signature/25-sha256#0": "SHA-256",
    "B-signature/25-sha256#1": "SHA-256, with signatureMethod",
    "B-signature/72-naive-tilde#0": "~ left bare",
    "B-signature/73-naive-star#0": "* escaped",
    "B-signature/74-naive-slash#0": "/ left bare",
    "B-signature/75-naive-space#0": "a blank as +",
    "B-signature/78-naive-brackets#0": "brackets left bare",
    "B-signature/83-wire-bad-escape#2": "a cut UTF-8 sequence arrived as U+FFFD",
    "B-signature/83-wire-bad-escape#4": "%00 was added after signing",
    "B-signature/91-mixed-case-sort-lower#0": "sorted by lower-cased names",
    "B-signature/93-duplicate-query#1": "signed with the first of two values in the query",
    "B-signature/94-duplicate-body#1": "signed with the last of two values in the body",
    "B-signature/95-duplicate-query-and-body#1": "signed with the other of query and body",
    **{f"H-throttle/04-throttle-wrong-signature#{n}": "AAAA" for n in range(5)},
}
# 401 for another reason: the signature is right all the same.
OTHERWISE_REFUSED = {
    "A-login/56-session-and-key#1": "a cookie without sessionkey",
    "A-login/59-lockout#6": "the user is disabled",
    **{f"B-signature/07-v3-expires-formats#{n}": "expires" for n in (6, 7, 8, 9, 10, 12)},
    "B-signature/08-v3-expired#0": "expired",
    "B-signature/10-v3-without-expires#0": "no expires",
    "B-signature/103-unknown-command#0": "unknown command",
    "B-signature/103-unknown-command#2": "unknown command",
    "B-signature/92-upper-command-parameter#0": "no command",
    "B-signature/92-upper-command-parameter#1": "no command",
    "C-errors/35-disabled-user-key#4": "the user is disabled",
    **{f"C-errors/37-locked-account#{n}": "the account is locked" for n in (4, 8, 12)},
    "C-errors/38-api-key-access-off#2": "keys are switched off",
    **{f"C-errors/40-feature-off#{n}": "unknown command" for n in (1, 6, 7, 9)},
    "F-shapes/100-user-keys#12": "the key was deleted",
    "F-shapes/101-user-keys-rules#10": "the key's time has not come",
    "F-shapes/88-shape-quota-tariffs#0": "unknown command",
    **{f"I-enforce/01-enforce-v2#{n}": "enforced expiry" for n in (0, 3, 4, 5, 6)},
}
# Nobody looked at the signature.
NOT_JUDGED = {
    **{f"A-login/57-session-and-key-complete#{n}": "the session answered" for n in (1, 2)},
    "B-signature/105-forbidden-command#1": "the role is judged first",
    **{f"B-signature/118-post-json-and-multipart#{n}": "no form" for n in (1, 2, 3)},
    "B-signature/119-post-too-big#0": "the body is cut in the recording",
    "B-signature/14-no-apikey#0": "no key",
    "B-signature/16-unknown-apikey#0": "nobody's key",
    **{f"B-signature/83-wire-bad-escape#{n}": "a bad URL" for n in (0, 1, 3)},
    **{f"H-throttle/04-throttle-wrong-signature#{n}": "429 comes first" for n in (5, 6)},
}
SIGNED = [step for step in recorded() if step.auth in {"key-v2", "key-v3"}]


def named(steps):
    return {"argvalues": steps, "ids": [step.where for step in steps]}


def received(step: Step) -> dict[str, str]:
    """The parameters as the server took them: the query's last, the body's first."""
    query = parse_qsl(urlsplit(step.sent["target"]).query, keep_blank_values=True)
    sent_as = {name.lower(): value for name, value in step.sent["headers"].items()}
    form = sent_as.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = parse_qsl(step.sent.get("body") or "", keep_blank_values=True) if form else []
    return dict([*reversed(body), *query])


@cache
def secrets() -> dict[str, str]:
    """Api key in lower case (the server finds it so) → secret key, of all who ever had one."""
    given = {who["apikey"].lower(): who["secretkey"] for who in accounts().values()}
    for step in SIGNED:
        if b"generated" in step.body:
            for key, secret in re.findall(
                r'"apikey":"([^"]+)","secretkey":"([^"]+)"', step.body.decode()
            ):
                given[key.lower()] = secret
    return given


def made(step: Step) -> tuple[str, str | None]:
    """Our signature of what a step sent, and the one it carried."""
    sent = received(step)
    names = {name.lower(): value for name, value in sent.items()}
    return signature(sent.items(), secrets()[names["apikey"].lower()]), names.get("signature")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["signature"])
def test_the_signature_is_the_one_that_java_makes(vector):
    assert vector["signature"] == signature(vector["parameters"].items(), vector["secret"])


@pytest.mark.parametrize("vector", VECTORS[:4], ids=lambda v: v["signature"])
def test_the_order_in_which_parameters_are_given_does_not_matter(vector):
    turned = reversed(vector["parameters"].items())
    assert vector["signature"] == signature(turned, vector["secret"])


@pytest.mark.parametrize(
    "step",
    **named([s for s in SIGNED if s.where not in WRONGLY_SIGNED and s.where not in NOT_JUDGED]),
)
def test_what_the_real_server_took_is_signed_the_same(step):
    ours, theirs = made(step)
    assert theirs == ours


@pytest.mark.parametrize(
    "step",
    **named(
        [
            s
            for s in SIGNED
            if s.signed and s.where not in WRONGLY_SIGNED and s.where not in NOT_JUDGED
        ]
    ),
)
def test_the_text_that_is_signed_is_the_recorded_one(step):
    assert step.signed == canonical(received(step).items())


@pytest.mark.parametrize("step", **named([s for s in SIGNED if s.where in WRONGLY_SIGNED]))
def test_what_the_real_server_refused_as_wrongly_signed_is_signed_otherwise(step):
    assert step.status == 401
    ours, theirs = made(step)
    assert theirs != ours


def test_the_lists_of_refused_steps_are_whole():
    refused = {step.where for step in SIGNED if step.status == 401}
    listed = WRONGLY_SIGNED.keys() | OTHERWISE_REFUSED.keys() | NOT_JUDGED.keys()
    assert set() == refused - listed
    assert set() == (WRONGLY_SIGNED.keys() | OTHERWISE_REFUSED.keys()) - refused
    assert set() == listed - {step.where for step in SIGNED}


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("azAZ09.-*_", "azAZ09.-*_"),
        ("~", "%7E"),
        (" ", "%20"),
        ("+", "%2B"),
        ("/", "%2F"),
        ("'()!", "%27%28%29%21"),
        ("[]", "%5B%5D"),
        ("é", "%C3%A9"),
        ("😀", "%F0%9F%98%80"),
        ("\n", "%0A"),
        ("\ud83d", "%3F"),
        ("%7e", "%257e"),
        ("", ""),
    ],
)
def test_a_value_is_escaped_as_javas_url_encoder_does(value, wire):
    assert wire == escaped(value)


def test_names_are_sorted_as_they_are_sent_and_not_escaped():
    pairs = [("templatefilter", "all"), ("templateId", "1"), ("tags[0].key", "Env")]
    assert canonical(pairs) == "tags[0].key=env&templateid=1&templatefilter=all"


def test_names_are_sorted_by_utf_16_code_units():
    # U+FF5E is below U+1F600 as a code point, and above its surrogates as code units.
    assert canonical([("\uff5e", "1"), ("😀", "2")]) == "😀=2&～=1"


@pytest.mark.parametrize("name", ["signature", "Signature", "SIGNATURE"])
def test_the_signature_itself_is_not_signed(name):
    assert canonical([("command", "listZones"), (name, "x")]) == "command=listzones"


def test_a_server_that_wants_sha_512_gets_it():
    # openssl dgst -sha512 -hmac topsecret -binary <<< 'command=listzones' (no line feed)
    assert signature([("command", "listZones")], "topsecret", "HmacSHA512") == SHA512


SHA512 = "hQ6d0vyHMQjZdn65zTuFrakLL4lC8+x73CKBNNLBxKc1S6n/40O6TsWXxmJ5nDigC5ck7A/8Ti34O/ewdM1rjQ=="
