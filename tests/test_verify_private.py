"""What a server says is in a verify report without whom and what it names."""

from __future__ import annotations

import json
import re

import pytest
from replay import Step, recorded

from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.verify.findings import shape, without_private

PROFILE = Profile(
    "acme-prod",
    "https://cloud.example.com/client/api",
    KeyPair("key", "secret"),
    source="/home/jane/cs.ini",
)


def whole(step: Step) -> bool:
    """Is it a refusal in one JSON document?"""
    try:
        (inner,) = json.loads(step.body, strict=False).values()
    except ValueError:
        return False
    return isinstance(inner, dict) and "errortext" in inner


# Every error text that was recorded, each once.
TOLD = tuple(
    {
        step.body: step for step in recorded() if b'"errortext":' in step.body and whole(step)
    }.values()
)


@pytest.mark.parametrize("step", TOLD, ids=lambda step: step.where)
def test_a_recorded_error_text_names_nobody_in_a_report(step: Step) -> None:
    (said,) = json.loads(step.body, strict=False).values()
    shown = without_private(said["errortext"], PROFILE)
    assert not re.search(
        r"\b(?:u[123]|da|x[a-z]+|D1|i-\d+-\d+-VM|[0-9a-f]{8}-[0-9a-f]{4})\b", shown
    )
    assert "10.1." not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cloud.example.com can't be reached", "the-host can't be reached"),
        ("see https://intranet.example/x?y", "see a-url"),
        ("gw01.acme.example: no route to db.acme.example.", "a-host: no route to a-host."),
        ("org.apache.cloudstack.Thing failed", "org.apache.cloudstack.Thing failed"),
        ("mail to Jane.Doe@example.com", "mail to a-mail"),
        ("host fe80:0:0:1::17 is down", "host an-address is down"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("the profile acme-prod is read-only", "the profile the-profile is read-only"),
        ("write it into [acme-prod] of /home/jane/cs.ini", "write it into … of a-file"),
        ("Adele's machine 'Adele's vm' doesn't stop", "Adele's machine … doesn't stop"),
    ],
)
def test_hosts_addresses_and_control_characters_are_taken_out(text: str, shown: str) -> None:
    assert without_private(text, PROFILE) == shown


@pytest.mark.parametrize(
    ("value", "look"),
    [
        ("Zürich-7", "text like 'Aaaaaa-9'"),
        ("12,5 GiB", "text like '99,9 AaA'"),
        ("", "an empty text"),
        (3.5, "float"),
        (None, "NoneType"),
    ],
)
def test_a_value_is_shown_by_what_it_looks_like(value: object, look: str) -> None:
    assert shape(value) == look
