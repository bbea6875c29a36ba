"""The whole invented cloud: machines made at once, everything else when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import cast

from cs_magic.demo.data import meters, offers, people, places, totals
from cs_magic.demo.data.clock import Clock
from cs_magic.demo.data.exposure import balancers
from cs_magic.demo.data.extras import forwarded
from cs_magic.demo.data.fleet import Fleet, fleet
from cs_magic.demo.data.items import START, Account, Domain, Item, Table
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.tables import TABLES
from cs_magic.demo.data.usage import Usage
from cs_magic.demo.data.volumes import Volume
from cs_magic.demo.data.vpcs import Vpc

# What is counted from the things that change, and so counted anew after a change.
DERIVED = (
    "pods clusters hosts pools capacities hostmetrics clustermetrics zonemetrics poolmetrics "
    "groups affinitygroups tags details histories networks"
).split()
# What is made from the machines as they are at first, and then changed by itself.
FIRST_SEEN = (
    "firewalls forwardings egress balancers snapshots vmsnapshots addresses sshkeys userkeys "
    "events routers"
).split()


class World:
    """A cloud's data. The same seed and number of machines give the same world.

    `machines` is how many virtual machines the accounts own; those of the
    projects come on top, as listall=true leaves them out. `usage_rows` is how
    many usage records there are to be at least. `api_limit` is how many calls an
    account may make in how many seconds, where that is limited.
    """

    def __init__(
        self,
        seed: int = 1,
        machines: int = 1_200,
        clock: Clock | None = None,
        usage_rows: int = 0,
    ) -> None:
        self.seed: int = seed
        self.api_limit: tuple[int, float] | None = None
        self.clock: Clock = clock or Clock()
        self.people: people.People = people.people(seed)
        self.places: places.Places = places.places(seed, machines)
        self.offers: offers.Offers = offers.offers(seed, self.people)
        self.fleet: Fleet = fleet(seed, machines, self.people, self.places, self.offers)
        self.root: Domain = self.people.domains["ROOT"]
        self._tables: dict[str, Table] = {}
        self._lock = threading.RLock()
        self._totals: totals.Totals | None = None
        self._settled = False
        self._usage: Usage | None = None
        self._usage_rows = usage_rows
        self.version = 0
        accounts = self.people.accounts.values()
        # By its API key, in lower case as the database finds it, whose it is, and the secret.
        self.key_pairs = {
            a.user.api_key.lower(): (a, a.user.secret_key) for a in accounts if a.user.api_key
        }

    def table(self, name: str) -> Table:
        """A table by the name in TABLES, made when it is first asked for."""
        with self._lock:
            if name not in self._tables:
                self._tables[name] = TABLES[name](self)
            return self._tables[name]

    def settle(self) -> None:
        """Make what is not to depend on any change; called before each."""
        with self._lock:
            if not self._settled:
                self._settled = True
                for name in ("machines", "volumes", *FIRST_SEEN):
                    self.table(name)
                assert self.totals

    def changed(self) -> None:
        """Forget what was counted before a change."""
        with self._lock:
            self.version += 1
            for name in DERIVED:
                self._tables.pop(name, None)
            self.fleet.machines = cast(list[Machine], list(self.table("machines").items))

    @property
    def totals(self) -> totals.Totals:
        """What each account uses, counted once."""
        with self._lock:
            if self._totals is None:
                self._totals = totals.totals(
                    self.fleet.machines,
                    self.volumes,
                    self._owned(),
                    self.people,
                )
            return self._totals

    def _owned(self) -> dict[str, list[Account | None]]:
        """For each resource that is simply counted, the owners of what there is of it."""
        counted = {"network": "networks", "ip": "addresses", "snapshot": "snapshots", "vpc": "vpcs"}
        owned = {
            name: [item.owner for item in self.table(table)] for name, table in counted.items()
        }
        return owned | {"template": [image.owner for image in self.offers.templates]}

    @property
    def usage(self) -> Usage:
        """What is metered, and its records."""
        with self._lock:
            if self._usage is None:
                # What came later than the first day is in no record yet.
                known = [meter for meter in self._meters() if meter.begin < START]
                self._usage = Usage(known, self._usage_rows)
            return self._usage

    def _meters(self) -> Iterator[meters.Meter]:
        machines, zones = self.fleet.machines, self.places.zones
        yield from meters.of_machines(machines)
        yield from meters.of_volumes(self.volumes)
        yield from meters.of_rows(meters.ADDRESS, self.table("addresses"), since="allocated")
        yield from meters.of_networks(self.seed, self.fleet.networks.all)
        yield from meters.of_images(meters.TEMPLATE, self.offers.templates, zones)
        yield from meters.of_images(meters.ISO, self.offers.isos, zones)
        yield from meters.of_rows(meters.SNAPSHOT, self.table("snapshots"))
        yield from meters.of_rows(meters.VM_SNAPSHOT, self.table("vmsnapshots"))
        yield from meters.of_balancers(self.table("balancers"))
        yield from meters.of_deleted(self.seed, self.people.deleted, machines)

    @property
    def volumes(self) -> Iterable[Volume]:
        """The volumes as what they are, not as rows."""
        return cast(Iterable[Volume], self.table("volumes").items)

    @property
    def vpc(self) -> Vpc:
        """The one VPC."""
        return Vpc(
            self.seed,
            self.people.accounts["webshop"],
            self.places.zones[1],
            self.offers.network_ids[offers.VPC_TIER],
        )

    def balanced(self) -> list[tuple[Item, Network]]:
        """Each public address that has a load balancer, with the network behind it."""
        return balancers(self.forwarded())

    def forwarded(self) -> list[tuple[Item, Machine]]:
        """Each public address that has rules, with the machine behind it."""
        return forwarded(self.table("addresses"), self.fleet.machines)

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
