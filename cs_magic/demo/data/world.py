"""The whole invented cloud: machines made at once, everything else when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import cast

from cs_magic.demo.data import (
    capacity,
    events,
    extras,
    hosts,
    networks,
    offer_rows,
    offers,
    people,
    places,
    settings,
    totals,
)
from cs_magic.demo.data.clock import Clock
from cs_magic.demo.data.fleet import fleet
from cs_magic.demo.data.items import Account, Fixed, Item, Row, Table, stamp, table
from cs_magic.demo.data.machines import Group, Machine
from cs_magic.demo.data.volumes import Volume, volumes


class World:
    """A cloud's data. The same seed and number of machines give the same world.

    `machines` is how many virtual machines the accounts own; those of the
    projects come on top, as listall=true leaves them out.
    """

    def __init__(self, seed: int = 1, machines: int = 1_200, clock: Clock | None = None) -> None:
        self.seed = seed
        self.clock = clock or Clock()
        self.people = people.people(seed)
        self.places = places.places(seed, machines)
        self.offers = offers.offers(seed, self.people)
        self.fleet = fleet(seed, machines, self.people, self.places, self.offers)
        self.root = self.people.domains["ROOT"]
        self._tables: dict[str, Table] = {}
        self._lock = threading.RLock()
        self._totals: totals.Totals | None = None

    def table(self, name: str) -> Table:
        """A table by the name in TABLES, made when it is first asked for."""
        with self._lock:
            if name not in self._tables:
                self._tables[name] = TABLES[name](self)
            return self._tables[name]

    @property
    def totals(self) -> totals.Totals:
        """What each account uses, counted once."""
        with self._lock:
            if self._totals is None:
                self._totals = totals.totals(
                    self.fleet.machines,
                    cast(Iterable[Volume], self.table("volumes").items),
                    [network.owner for network in self.fleet.networks.all],
                    [item.owner for item in self.table("addresses")],
                    [item.owner for item in self.table("snapshots")],
                    self.people,
                )
            return self._totals

    def forwarded(self) -> list[tuple[Item, Machine]]:
        """Each public address that has rules, with the machine behind it."""
        return extras.forwarded(self.table("addresses"), self.fleet.machines)

    def account(self, name: str, domain_id: str) -> Account | None:
        """The account of that name, in any letter case, in that domain."""
        return next(
            (
                account
                for account in self.people.accounts.values()
                if account.name.lower() == name.lower() and account.domain.id == domain_id
            ),
            None,
        )


def _groups(world: World, groups: list[Group], row: Callable[[World, Group], Row]) -> Table:
    items: list[Item] = [Fixed(group.number, row(world, group), group.owner) for group in groups]
    return Table(items)


def _affinity_row(world: World, group: Group) -> Row:
    machines: list[Machine] = [m for m in world.fleet.machines if m.affinity is group]
    return {
        "id": group.id,
        "name": group.name,
        "description": "Not on the same host",
        **group.owner.fields(),
        "type": "host anti-affinity",
        "virtualmachineIds": [machine.id for machine in machines],
    }


def _group_row(world: World, group: Group) -> Row:
    created = min(m.created for m in world.fleet.machines if m.group is group)
    return {
        "id": group.id,
        "name": group.name,
        "created": stamp(created),
        **group.owner.fields(),
        "hasannotations": False,
    }


def _pools(world: World) -> Table:
    world.table("volumes")  # which counts what the pools hold
    return places.pools_table(world.places)


TABLES: dict[str, Callable[[World], Table]] = {
    "zones": lambda world: places.zones_table(world.places),
    "pods": lambda world: places.pods_table(world.places),
    "clusters": lambda world: places.clusters_table(world.places),
    "hosts": lambda world: hosts.hosts_table(world.places, world.clock),
    "pools": _pools,
    "capacities": lambda world: capacity.capacity_table(
        world.places, world.table("pools"), world.table("networks"), world.table("addresses")
    ),
    "hypervisors": lambda world: table([{"name": "KVM"}]),
    "sizes": lambda world: offer_rows.sizes_table(world.offers.sizes),
    "disks": lambda world: offer_rows.disks_table(world.offers.disks),
    "networkofferings": lambda world: offer_rows.networks_table(world.offers.network_ids),
    "ostypes": lambda world: offer_rows.systems_table(world.offers.systems),
    "oscategories": lambda world: offer_rows.categories_table(world.offers.systems),
    "templates": lambda world: offer_rows.templates_table(
        world.offers.templates, world.places, world.root
    ),
    "domains": lambda world: totals.domains_table(world.people, world.totals),
    "accounts": lambda world: totals.accounts_table(world.people, world.totals),
    "projects": lambda world: totals.projects_table(world.people, world.totals),
    "users": lambda world: people.users_table(world.people),
    "roles": lambda world: people.roles_table(world.people),
    "machines": lambda world: Table(world.fleet.machines),
    "volumes": lambda world: volumes(
        world.seed, world.fleet.machines, world.places, world.offers.disks
    ),
    "networks": lambda world: networks.networks_table(
        world.fleet.networks.all, world.offers.network_ids[0], world.seed
    ),
    "addresses": lambda world: networks.addresses_table(world.fleet.networks.all, world.seed),
    "groups": lambda world: _groups(world, world.fleet.groups, _group_row),
    "affinitygroups": lambda world: _groups(world, world.fleet.affinities, _affinity_row),
    "events": lambda world: events.events_table(world.seed, world.fleet.machines, world.people),
    "tags": lambda world: events.tags_table(world.fleet.machines),
    "forwardings": lambda world: extras.forwarding_table(world.seed, world.forwarded()),
    "firewalls": lambda world: extras.firewall_table(world.seed, world.forwarded()),
    "snapshots": lambda world: extras.snapshots_table(
        world.seed, cast(Iterable[Volume], world.table("volumes").items)
    ),
    "sshkeys": lambda world: extras.keys_table(world.seed, world.people),
    "nothing": lambda world: Table([]),
    "settings": lambda world: settings.settings_table(),
}
