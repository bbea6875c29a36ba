"""Every table of the cloud by its name, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cs_magic.demo.data import (
    belongings,
    capacity,
    events,
    exposure,
    extras,
    history,
    hosts,
    meters,
    metrics,
    networks,
    offer_rows,
    people,
    places,
    plant,
    settings,
    systems,
    totals,
    volumes,
    vpcs,
)
from cs_magic.demo.data.items import Fixed, Item, Row, Table, identifier, stamp, table
from cs_magic.demo.data.machines import Group, Machine

if TYPE_CHECKING:
    from cs_magic.demo.data.world import World

AFFINITIES = (
    "host anti-affinity",
    "host affinity",
    "non-strict host anti-affinity",
    "non-strict host affinity",
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


def _sources(world: World) -> dict[str, Item]:
    """Each network's address to the outside, by the network's id."""
    return {
        item.get("associatednetworkid"): item
        for item in world.table("addresses")
        if item.get("issourcenat")
    }


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
    "networkofferings": lambda world: offer_rows.networks_table(
        world.offers.network_ids, identifier(world.seed, "system offering", 2)
    ),
    "ostypes": lambda world: offer_rows.systems_table(world.offers.systems),
    "oscategories": lambda world: offer_rows.categories_table(world.offers.systems),
    "templates": lambda world: offer_rows.templates_table(
        world.seed, world.offers.templates, world.places, world.root
    ),
    "domains": lambda world: totals.domains_table(world.people, world.totals),
    "accounts": lambda world: totals.accounts_table(world.people, world.totals),
    "projects": lambda world: totals.projects_table(world.people, world.totals),
    "users": lambda world: people.users_table(world.people),
    "roles": lambda world: people.roles_table(world.people),
    "machines": lambda world: Table(world.fleet.machines),
    "volumes": lambda world: volumes.volumes(
        world.seed, world.fleet.machines, world.places, world.offers.disks
    ),
    "networks": lambda world: networks.networks_table(
        world.fleet.networks.all,
        world.offers.network_ids[0],
        world.seed,
        [(row, world.vpc.owner) for row in vpcs.tier_rows(world.vpc)],
    ),
    "addresses": lambda world: networks.addresses_table(
        world.fleet.networks.all, world.seed, exposure.mapped(world.fleet.machines)
    ),
    "groups": lambda world: _groups(world, world.fleet.groups, _group_row),
    "affinitygroups": lambda world: _groups(world, world.fleet.affinities, _affinity_row),
    "events": lambda world: events.events_table(world.seed, world.fleet.machines, world.people),
    "tags": lambda world: events.tags_table(world.fleet.machines),
    "forwardings": lambda world: extras.forwarding_table(world.seed, world.forwarded()),
    "firewalls": lambda world: exposure.firewall_table(
        world.seed,
        [
            *exposure.for_forwardings(world.forwarded()),
            *exposure.for_balancers(world.table("balancers"), world.table("addresses")),
            *exposure.for_static_nat(world.table("addresses")),
        ],
    ),
    "snapshots": lambda world: extras.snapshots_table(world.seed, world.volumes),
    "sshkeys": lambda world: extras.keys_table(world.seed, world.people),
    "nothing": lambda world: Table([]),
    "jobs": lambda world: Table([]),
    "settings": lambda world: settings.settings_table(),
    "isos": lambda world: offer_rows.isos_table(world.offers.isos, world.places),
    "systems": lambda world: systems.systems_table(world.seed, world.places),
    "routers": lambda world: systems.routers_table(
        world.seed, world.fleet.networks.all, world.places, _sources(world)
    ),
    "egress": lambda world: exposure.egress_table(world.seed, world.fleet.networks.all),
    "balancers": lambda world: exposure.balancers_table(world.seed, world.balanced()),
    "securitygroups": lambda world: exposure.security_groups_table(world.seed, world.people),
    "vpcs": lambda world: vpcs.vpcs_table(world.vpc),
    "vpcofferings": lambda world: vpcs.offerings_table(world.seed),
    "acllists": lambda world: vpcs.lists_table(world.vpc),
    "aclrules": lambda world: vpcs.rules_table(world.vpc),
    "managers": lambda world: plant.managers_table(world.places),
    "imagestores": lambda world: plant.stores_table(world.seed, world.places),
    "physicals": lambda world: plant.physical_table(world.seed, world.places),
    "traffics": lambda world: plant.traffic_table(world.seed, world.places),
    "ranges": lambda world: plant.ranges_table(world.seed, world.places),
    "regions": lambda world: plant.regions_table(),
    "alerts": lambda world: plant.alerts_table(world.seed, world.places, world.table("routers")),
    "annotations": lambda world: plant.annotations_table(
        world.seed, world.places, people.user_row(world.people.accounts["admin"])
    ),
    "vmsnapshots": lambda world: belongings.vm_snapshots_table(world.seed, world.fleet.machines),
    "userdata": lambda world: belongings.user_data_table(world.seed, world.people),
    "userkeys": lambda world: belongings.user_keys_table(world.seed, world.people),
    "members": lambda world: belongings.members_table(world.people),
    "details": lambda world: belongings.details_table(world.fleet.machines),
    "hostmetrics": lambda world: metrics.hosts_table(
        world.places, world.table("hosts"), [*world.table("systems"), *world.table("routers")]
    ),
    "clustermetrics": lambda world: metrics.clusters_table(world.places, world.table("clusters")),
    "zonemetrics": lambda world: metrics.zones_table(world.places, world.table("zones")),
    "poolmetrics": lambda world: metrics.pools_table(world.table("pools")),
    "histories": lambda world: history.histories_table(world.fleet.machines, world.clock),
    "payers": lambda world: table(
        [
            ({"id": account.id, "name": account.name}, account)
            for account in [*world.people.accounts.values(), world.people.deleted]
        ]
    ),
    "eventtypes": lambda world: events.types_table(),
    "usagetypes": lambda world: meters.types_table(),
    "affinitytypes": lambda world: table([{"type": kind} for kind in AFFINITIES]),
}
