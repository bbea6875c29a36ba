"""How long what was read is kept, and what happens to what is old, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from api.servers import Scripted, listed, reply
from tabs import settled

from cs_magic.api.catalogue import bundled
from cs_magic.api.client import Client
from cs_magic.api.credentials import KeyPair, Password
from cs_magic.api.profile import Profile
from cs_magic.api.values import Call, Options, Response
from cs_magic.connection import Connection
from cs_magic.errors import SignInNeeded, TransportError
from cs_magic.notebook.known import AGAIN, KEPT, Known
from cs_magic.notebook.related import Listing, listing_of


def zones() -> Listing:
    command = bundled().command("listHosts")
    zone = command.parameter("zoneid")
    assert zone is not None
    listing = listing_of(bundled(), command, zone, {}, lambda *_: None)
    assert listing is not None
    return listing


class World:
    """A cloud of one zone, a clock, and what is known."""

    def __init__(self) -> None:
        self.now = 0.0
        self.zone = "Bern"
        self.gone = False
        self.sent = Scripted(self._answer)
        profile = Profile("test", "http://127.0.0.1/client/api", KeyPair("a", "s", "HmacSHA1"))
        self.connection = Connection(Client(profile, self.sent), bundled())
        self.known = Known(lambda: self.now)
        self.connection.run(Call("listPods"), Options(limit=1))
        self.sent.requests.clear()

    def _answer(self, form: dict[str, str]) -> Response:
        if self.gone:
            raise TransportError("gone")
        rows = [{"id": "1", "name": self.zone}] if form["command"] == "listZones" else []
        return reply(listed("zone", rows, len(rows)))

    def names(self) -> list[str] | None:
        """What is known right now; what that asks for has come when this returns."""
        found = self.known.about(self.connection, zones())
        settled()
        return None if found is None else [one.name for one in found.things]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.known.close()


def asked(world: World, after: float, act: Callable[[], object] = lambda: None) -> int:
    """How many requests the second and third look cost, so many seconds after the first."""
    world.names()
    before = len(world.sent.requests)
    world.now += after
    act()
    world.names()
    world.names()
    return len(world.sent.requests) - before


def test_what_was_read_is_kept_for_five_minutes(world):
    assert KEPT == 300
    assert asked(world, KEPT - 1) == 0


def test_what_is_older_is_shown_while_it_is_read_again(world):
    assert world.names() is None
    world.now, world.zone = KEPT + 1, "Basel"
    assert world.names() == ["Bern"]
    assert world.names() == ["Basel"]


def test_a_list_that_failed_is_asked_again_after_a_minute(world):
    world.gone = True
    assert asked(world, AGAIN - 1) == 0
    assert asked(world, 2) == 1


def test_what_was_known_stays_when_the_server_goes(world):
    world.names()
    world.now, world.gone = KEPT + 1, True
    assert world.names() == ["Bern"]
    assert world.names() == ["Bern"]


def test_a_failed_read_is_sent_once(world):
    world.gone = True
    world.names()
    assert len(world.sent.requests) == 1


def test_what_is_forgotten_is_read_again(world):
    assert asked(world, 0, lambda: world.known.forget(world.connection.profile)) == 1


def test_another_profile_is_not_forgotten(world):
    other = Profile("other", "http://127.0.0.1/client/api", KeyPair("a", "s"))
    assert asked(world, 0, lambda: world.known.forget(other)) == 0


def test_at_most_two_hundred_lists_are_kept(world):
    listing = zones()
    for number in range(205):
        call = listing.call.having(available=f"v{number}")
        one = Listing(listing.command, call, listing.label, True)
        world.known.about(world.connection, one)
        settled()
    first = Listing(listing.command, listing.call.having(available="v0"), "name", True)
    assert world.known.about(world.connection, first) is None
    assert world.known.about(world.connection, one) is not None


def test_of_machines_and_hosts_the_cheap_form_is_asked_for(world):
    command = bundled().command("listVolumes")
    machine = command.parameter("virtualmachineid")
    listing = listing_of(bundled(), command, machine, {}, lambda *_: None)
    assert listing.call.given("details") == "min"


@pytest.mark.parametrize("credentials", [KeyPair("a", "s", "HmacSHA1"), Password("u", "p")])
def test_a_glance_before_a_call_was_accepted_is_refused_and_nothing_is_sent(credentials):
    sent = Scripted(lambda form: reply(listed("zone", [], 0)))
    client = Client(Profile("test", "http://127.0.0.1/client/api", credentials), sent)
    with pytest.raises(SignInNeeded):
        client.glance(Call("listZones"))
    assert sent.requests == []
