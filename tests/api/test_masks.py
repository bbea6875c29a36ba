"""Which fields, parameters and texts are secrets, and that none is missed by the quick look."""

from __future__ import annotations

import json

import pytest

from cs_magic.api import masks
from cs_magic.api.masks import (
    MASK,
    is_secret,
    masked,
    masked_arguments,
    masked_text,
    may_hold_secret,
    names_a_secret,
    secret_arguments,
)

TABLE = [*sorted(masks._NAMES), *masks._ENDINGS]


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("spelt", [str.lower, str.upper])
def test_the_quick_look_misses_no_field_that_is_a_secret(name, spelt):
    assert is_secret(spelt(name))
    assert is_secret(spelt(f"user{name}")) or name not in masks._ENDINGS
    assert may_hold_secret([json.dumps({spelt(name): "x"})])


@pytest.mark.parametrize("ending", masks._SETTING_ENDINGS)
def test_the_quick_look_misses_no_setting_that_is_a_secret(ending):
    row = {"name": f"some{ending}", "value": "x"}
    assert names_a_secret(row["name"])
    assert may_hold_secret([json.dumps(row)])
    assert masked(row)["value"] == MASK


@pytest.mark.parametrize(
    "name", ["configdata", "accesstoken", "accessToken", "refreshtoken", "token", "nexttoken"]
)
def test_tokens_and_a_kubeconfig_are_secrets(name):
    assert masked({name: "x"}) == {name: MASK}


@pytest.mark.parametrize("name", ["zonetoken", "zoneToken", "name", "keypair", "tokens", "url"])
def test_what_only_looks_like_a_secret_is_shown(name):
    assert masked({name: "x"}) == {name: "x"}


URLS = [
    ("https://h/vnc.html?autoconnect=true&token=TTT&port=1", f"&token={MASK}&port=1"),
    ("https://h/client/api?sessionkey=TTT", f"?sessionkey={MASK}"),
    ("https://h/api?apikey=TTT&signature=TTT%3D", f"?apikey={MASK}&signature={MASK}"),
    ("https://h/x?X-Amz-Signature=TTT#end", f"?X-Amz-Signature={MASK}#end"),
    ('curl "https://h/x?TOKEN=TTT" -o y', f'?TOKEN={MASK}" -o y'),
]


@pytest.mark.parametrize(("url", "shown"), URLS)
def test_a_secret_in_a_url_is_masked_wherever_the_text_stands(url, shown):
    assert shown in masked_text(url)
    assert "TTT" not in json.dumps(masked({"a": [{"url": url}], "b": url, "c": [url]}))
    assert may_hold_secret([url])


@pytest.mark.parametrize("text", ["https://h/x?zonetoken=1&a=b", "token=TTT is prose", "", "a=b"])
def test_any_other_text_stays_the_object_it_is(text):
    assert masked_text(text) is text or masked_text(text) == text


@pytest.mark.parametrize(
    ("pairs", "secret"),
    [
        ([("password", "x"), ("name", "y")], {"password"}),
        ([("details[0].password", "x")], {"details[0].password"}),
        ([("name", "ldap.bind.password"), ("value", "x")], {"value"}),
        ([("Value", "x"), ("NAME", "security.singlesignon.key")], {"Value"}),
        ([("name", "default.page.size"), ("value", "x")], set()),
        (
            [("t[0].key", "token"), ("t[0].value", "x"), ("t[1].key", "a"), ("t[1].value", "y")],
            {"t[0].value"},
        ),
        ([("d[0].name", "psk"), ("d[0].value", "x"), ("value", "y")], {"d[0].value"}),
    ],
)
def test_the_secrets_of_a_call_are_known_by_name_and_by_what_is_named(pairs, secret):
    assert secret_arguments(pairs) == secret
    assert masked_arguments(pairs) == tuple(
        (name, MASK if name in secret else value) for name, value in pairs
    )
