"""Who runs which machines, where: the invented part of the invention."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from cs_magic.demo.data.items import DAY, START, Account, identifier
from cs_magic.demo.data.machines import Group, Machine
from cs_magic.demo.data.networks import Networks
from cs_magic.demo.data.offers import Offers
from cs_magic.demo.data.people import ACCOUNTS, AUDITOR_MACHINES, People
from cs_magic.demo.data.places import CLUSTERS, Cluster, Host, Places, size_hosts

# What an account runs: stem of the name, template, service offering, disk offering or None.
KINDS: dict[str, tuple[tuple[str, int, int, int | None], ...]] = {
    "admin": (
        ("dns", 2, 1, None),
        ("ldap", 2, 2, None),
        ("mon", 1, 3, 1),
        ("backup", 2, 3, 2),
        ("print", 4, 2, None),
        ("jump", 1, 0, None),
    ),
    "webshop": (
        ("web", 0, 2, None),
        ("cart", 1, 3, None),
        ("search", 1, 4, 1),
        ("shopdb", 2, 5, 2),
        ("cache", 1, 3, None),
    ),
    "stores": (("till", 7, 0, None), ("stock", 2, 2, None), ("branchdb", 2, 3, 1)),
    "webshop-lab": (("lab", 1, 1, None), ("preview", 0, 2, None)),
    "forschung": (("jupyter", 8, 4, 1), ("prüfstand", 1, 3, None), ("sim", 3, 5, None)),
    "erp": (("erp-app", 5, 4, None), ("erp-db", 5, 5, 2), ("edi", 4, 2, None), ("rdp", 5, 4, None)),
    "payroll": (("lohn", 4, 3, 0), ("archiv", 6, 1, 1)),
}
OTHERS = (("test", 1, 1, None), ("tools", 2, 1, None), ("win", 5, 3, 0))

PROJECT_MACHINES = {"Black Friday": 12, "Data Lake": 8, "Umzug Zürich": 6}

ENVIRONMENTS = ("prod", "prod", "prod", "prod", "test", "test", "int", "dev")

# Names that people really give, with what breaks careless clients.
SPECIAL = (
    "Büro Zürich: Druckserver",
    "Anna's test box",
    'Legacy "do not touch"',
    "Müller & Söhne EDI",
    "Café-Kasse Genève",
    "Seán O'Brien – Spielwiese",
    "Prüfstand Nr. 3 <alt>",
    "100% Reserve",
    "BÜRO Lugano",
)

# Names that must be shown, and written to files, without doing anything.
DANGEROUS = ("=1+1", "<img src=x onerror=alert(1)>", "@SUM(A1:A9)", "-2+3", "+41 44 000 00 00")

STATES = ("Running", "Stopped", "Error", "Destroyed")
STATE_SHARES = (80.0, 17.5, 1.0, 1.5)
OWNER_TAGS = ("anna.müller", "s.obrien", "d.luethi", "nobody")


@dataclass(slots=True)
class Fleet:
    """The machines, with the networks and groups that were made for them."""

    machines: list[Machine]
    networks: Networks
    groups: list[Group]
    affinities: list[Group]


class _Builder:
    """Makes machines one after the other; hosts and networks fill as it goes."""

    def __init__(self, seed: int, places: Places, offers: Offers) -> None:
        self.seed = seed
        self.offers = offers
        self.clusters = places.clusters
        self.hosts: dict[int, Iterator[Host]] = {
            cluster.number: itertools.cycle([h for h in cluster.hosts if not h.maintenance])
            for cluster in places.clusters
        }
        self.networks = Networks(seed)
        self.names: dict[str, int] = {}
        self.groups: dict[str, Group] = {}

    def machine(self, number: int, owner: Account, created: int, rng: Random) -> Machine:
        kinds = KINDS.get(owner.name, OTHERS)
        stem, template, size, disk = kinds[int(rng.random() * len(kinds))]
        environment = ENVIRONMENTS[int(rng.random() * len(ENVIRONMENTS))]
        state = rng.choices(STATES, STATE_SHARES)[0]
        cluster = rng.choices(self.clusters, [share for _, _, share, _ in CLUSTERS])[0]
        network, place = self.networks.place(owner, cluster.zone, created)
        name = self._name(f"{stem}-{environment}", owner)
        machine = Machine(
            number,
            self.seed,
            identifier(self.seed, "machine", number),
            name,
            name,
            owner,
            created,
            self._updated(state, created, rng),
            state,
            cluster,
            None,
            self.offers.sizes[size],
            self.offers.templates[template],
            None if disk is None else self.offers.disks[disk],
            network,
            place,
            self._used(state, rng),
        )
        if number % 131 == 7:
            machine.displayname = SPECIAL[number // 131 % len(SPECIAL)]
        elif number % 131 == 8:
            machine.displayname = DANGEROUS[number // 131 % len(DANGEROUS)]
        if rng.random() < 0.45:
            machine.tags = self._tags(environment, rng)
        self._gather(machine, stem)
        self._place(machine, cluster)
        return machine

    def _name(self, stem: str, owner: Account) -> str:
        if owner.project:
            stem = f"{owner.project.name.split()[0].lower()}-{stem}"
        number = self.names[stem] = self.names.get(stem, 0) + 1
        return f"{stem}-{number:02}"

    def _updated(self, state: str, created: int, rng: Random) -> int:
        """When its state last changed: some were stopped a year ago and forgotten."""
        if state == "Stopped" and rng.random() < 0.2:
            return created
        return created + int(rng.random() ** 0.5 * (START - created - 600)) + 300

    def _used(self, state: str, rng: Random) -> float:
        """The share of its processors it uses, in percent; one running machine in eight idles."""
        if state != "Running":
            return 0.0
        if rng.random() < 0.125:
            return round(rng.random() * 0.8, 2)
        return round(2 + 96 * rng.random() ** 3, 2)

    def _tags(self, environment: str, rng: Random) -> tuple[tuple[str, str], ...]:
        tags = [("cost", str(4700 + int(rng.random() * 12))), ("env", environment)]
        if rng.random() < 0.3:
            tags.append(("owner", OWNER_TAGS[int(rng.random() * 4)]))
        return tuple(tags)

    def _gather(self, machine: Machine, stem: str) -> None:
        """Databases are kept apart by an affinity group, web servers gathered in a group."""
        if machine.owner.project:
            return
        if stem.endswith("db"):
            machine.affinity = self._group(f"spread-{stem}", machine.owner)
        elif stem in ("web", "till", "prüfstand"):
            machine.group = self._group(stem.capitalize(), machine.owner)

    def _group(self, name: str, owner: Account) -> Group:
        if name not in self.groups:
            number = len(self.groups) + 1
            id_ = identifier(self.seed, "group", number)
            self.groups[name] = Group(number, id_, name, owner)
        return self.groups[name]

    def _place(self, machine: Machine, cluster: Cluster) -> None:
        if machine.state != "Running":
            return
        host = machine.host = next(self.hosts[cluster.number])
        size = machine.size
        host.machines += 1
        host.mhz += size.cpus * size.mhz
        host.memory += size.memory
        host.busy += size.cpus * size.mhz * machine.used / 100


def fleet(seed: int, count: int, who: People, where: Places, offers: Offers) -> Fleet:
    """`count` machines of the accounts and, on top, a few of each project.

    Numbers rise with the date of creation over the last three years.
    """
    rng = Random(f"{seed}/machines")
    builder = _Builder(seed, where, offers)
    owners = _owners(count, who, rng)
    moments = sorted(int(START - (rng.random() ** 1.3) * 1_000 * DAY) - 900 for _ in owners)
    # The first numbers of a real cloud went to its system machines.
    machines = [
        builder.machine(number, owner, moment, rng)
        for number, (owner, moment) in enumerate(zip(owners, moments, strict=True), 11)
    ]
    size_hosts(where.clusters)
    groups = list(builder.groups.values())
    return Fleet(
        machines,
        builder.networks,
        [group for group in groups if not group.name.startswith("spread-")],
        [group for group in groups if group.name.startswith("spread-")],
    )


def _owners(count: int, who: People, rng: Random) -> list[Account]:
    """Whose each machine is, shuffled."""
    few = min(AUDITOR_MACHINES, count)
    accounts = [who.accounts[name] for name, *_ in ACCOUNTS]
    owners = [who.accounts["auditor"]] * few
    owners += rng.choices(accounts, [entry[-1] for entry in ACCOUNTS], k=count - few)
    for account in who.project_accounts:
        if account.project:
            owners += [account] * PROJECT_MACHINES[account.project.name]
    rng.shuffle(owners)
    return owners
