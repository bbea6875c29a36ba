"""Calls become signed requests, new for every call and good for ten minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cs_magic.api.credentials import KeyPair
from cs_magic.api.signing import signature
from cs_magic.api.values import Call

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ENDPOINT = "https://cloud.example.com/client/api"
CALL = Call("listZones", (("keyword", "a~b *"), ("page", "1")))


def form(keys: KeyPair, now: datetime = NOON) -> dict[str, str]:
    request = keys.authorize(CALL, ENDPOINT, now)
    assert len(request.form) == len(dict(request.form))
    return dict(request.form)


def test_a_request_is_signed_with_version_3_and_expires_ten_minutes_ahead():
    sent = form(KeyPair("key", "secret"))
    assert sent["signatureVersion"] == "3"
    assert sent["expires"] == "2026-11-23T12:10:00+0000"


def test_expires_is_utc_whatever_the_clocks_zone():
    zurich = NOON.astimezone(timezone(timedelta(hours=1)))
    assert form(KeyPair("key", "secret"), zurich)["expires"] == "2026-11-23T12:10:00+0000"


def test_the_call_travels_whole_and_asks_for_json():
    sent = form(KeyPair("key", "secret"))
    assert sent["command"] == "listZones"
    assert sent["keyword"] == "a~b *"
    assert sent["page"] == "1"
    assert sent["response"] == "json"


def test_the_key_is_sent_as_apikey_spelled_so():
    assert [name for name in form(KeyPair("key", "secret")) if name.lower() == "apikey"] == [
        "apiKey"
    ]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("algorithm", ["HmacSHA1", "HmacSHA512"])
def test_all_that_is_sent_is_signed(version, algorithm):
    sent = form(KeyPair("key", "secret", algorithm, version))
    others = {name: value for name, value in sent.items() if name != "signature"}
    assert sent["signature"] == signature(others.items(), "secret", algorithm)


def test_a_server_without_expires_gets_version_2_and_no_expiry():
    sent = form(KeyPair("key", "secret", signature_version=2))
    assert {"expires", "signatureVersion"}.isdisjoint(sent)


def test_every_request_is_signed_anew():
    first, later = (
        form(KeyPair("key", "secret"), NOON + timedelta(seconds=seconds)) for seconds in (0, 1)
    )
    assert first["expires"] != later["expires"]
    assert first["signature"] != later["signature"]


def test_no_cookie_goes_with_a_signed_request():
    assert KeyPair("key", "secret").authorize(CALL, ENDPOINT, NOON).cookies == {}


def test_neither_keys_nor_signature_are_in_a_repr():
    keys = KeyPair("the-api-key", "the-secret-key")
    request = keys.authorize(CALL, ENDPOINT, NOON)
    shown = f"{keys!r} {request!r} {keys} {request}"
    assert not [
        secret
        for secret in ("the-api-key", "the-secret-key", dict(request.form)["signature"])
        if secret in shown
    ]
