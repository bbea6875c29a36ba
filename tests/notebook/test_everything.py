"""A plain list is everything one may see: what two calls give, no less, and no row twice.

The shape is that of a real server: root admins, a domain admin and a user, with projects.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cs_magic.api.credentials import KeyPair
from cs_magic.api.lenient import loads
from cs_magic.api.profile import Profile
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call
from cs_magic.demo.server import serving

ACCOUNTS = ("admin", "auditor", "retail-admin", "webshop")
COMMANDS = {
    "listVirtualMachines": "virtualmachine",
    "listVolumes": "volume",
    "listNetworks": "network",
    "listPublicIpAddresses": "publicipaddress",
    "listSecurityGroups": "securitygroup",
}


@pytest.fixture(scope="module")
def demo():
    with serving(machines=700) as running:
        yield running


def asked(demo, account: str, command: str, **scope: str) -> list[str]:
    """The ids of one bare signed call without paging, in the order they came."""
    facts = demo.accounts[account]
    keys = KeyPair(facts.api_key, facts.secret_key)
    transport = HttpTransport(Profile("bare", demo.endpoint, keys))
    call = Call(command).having(pagesize=-1, **scope)
    body = transport.send(keys.authorize(call, demo.endpoint, datetime.now(UTC))).body
    [inner] = loads(body.decode()).values()
    return [row["id"] for row in inner.get(COMMANDS[command], [])]


def environment(demo, account: str, monkeypatch) -> None:
    facts = demo.accounts[account]
    monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
    monkeypatch.setenv("CLOUDSTACK_KEY", facts.api_key)
    monkeypatch.setenv("CLOUDSTACK_SECRET", facts.secret_key)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_plain_list_is_what_two_calls_give(notebook, demo, monkeypatch, account, command):
    environment(demo, account, monkeypatch)
    everything = set(asked(demo, account, command, listall="true"))
    everything |= set(asked(demo, account, command, projectid="-1"))
    frame = notebook.fine(f"%cs {command}").result
    assert set(frame["id"]) == everything
    assert frame["id"].is_unique
    assert frame.attrs["cs"]["complete"] is True


@pytest.mark.parametrize("account", ACCOUNTS)
def test_own_is_what_the_call_gives_as_typed(notebook, demo, monkeypatch, account):
    environment(demo, account, monkeypatch)
    own = asked(demo, account, "listVirtualMachines")
    assert set(notebook.fine("%cs --own listVirtualMachines").result["id"]) == set(own)


def test_the_domain_admin_is_not_cut_short(demo):
    both = asked(demo, "retail-admin", "listVirtualMachines", listall="true", projectid="-1")
    alone = asked(demo, "retail-admin", "listVirtualMachines", listall="true")
    assert len(both) < len(alone)  # why it is asked as two
