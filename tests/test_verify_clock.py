"""A verify run tells by how much the clocks differ, though CloudStack tells no time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cs_magic.api.catalogues import Catalogues
from cs_magic.api.client import Client
from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.api.transport import HttpTransport
from cs_magic.connection import Connection
from cs_magic.demo.server import Demo, serving
from cs_magic.verify.clocks import clock
from cs_magic.verify.run import verified


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with serving(machines=5) as running:
        yield running


def connection(demo: Demo, minutes: float) -> Connection:
    """A connection of a machine whose clock is so many minutes ahead."""
    keys = KeyPair(demo.api_key, demo.secret_key)
    profile = Profile("test", demo.endpoint, keys)

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=minutes)

    client = Client(profile, HttpTransport(profile), now)
    return Connection(client, Catalogues(client, "fresh"))


def off(text: str) -> int:
    """By how many seconds a report says that this machine's clock is ahead."""
    found = re.match(r"this machine's is (\d+) min (\d+) s (ahead of|behind) the server's", text)
    assert found is not None, text
    seconds = int(found[1]) * 60 + int(found[2])
    return seconds if found[3] == "ahead of" else -seconds


@pytest.mark.parametrize("minutes", [5, -5, 60])
def test_a_wrong_clock_is_reported_by_how_much(demo: Demo, minutes: int) -> None:
    with connection(demo, minutes) as cloud:
        section, later = clock(cloud.client)
    (problem,) = section.findings
    assert problem.verdict == "problem"
    assert abs(off(problem.text) - minutes * 60) <= 2
    assert abs(later.total_seconds() + minutes * 60) <= 2


def test_a_clock_so_slow_that_no_call_is_taken_is_found_to_be_the_reason(demo: Demo) -> None:
    with connection(demo, -30) as cloud:
        first, timing = verified(cloud).problems
    assert first.text.startswith("Unauthorized 401")
    assert abs(off(timing.text) + 30 * 60) <= 2


def test_a_server_that_wants_sha_512_is_verified_with_it() -> None:
    strict = serving(machines=5, signature_algorithm="HmacSHA512")
    with strict as demo, connection(demo, 0) as cloud:
        report = verified(cloud)
    assert report.problems == []
    assert "| API keys, HmacSHA512; http, POST |" in report.markdown()
