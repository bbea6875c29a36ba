"""A virtual private cloud: its tiers, its access lists, and the offerings they are made from."""

from __future__ import annotations

from dataclasses import dataclass

from cs_magic.demo.data.items import DAY, START, Account, Row, Table, identifier, stamp, table
from cs_magic.demo.data.offer_rows import services
from cs_magic.demo.data.offers import NETWORKS, OFFERED, VPC_TIER
from cs_magic.demo.data.places import Zone

OFFERING = "Default VPC offering"
# name, third byte, access list
TIERS = (("shop-web", 1, "shop-acl"), ("shop-db", 2, "default_deny"))
# list, number, action, direction, protocol, port, from where
RULES = (
    ("default_allow", 1, "Allow", "Ingress", "all", None, "0.0.0.0/0"),
    ("default_allow", 2, "Allow", "Egress", "all", None, "0.0.0.0/0"),
    ("default_deny", 1, "Deny", "Ingress", "all", None, "0.0.0.0/0"),
    ("default_deny", 2, "Deny", "Egress", "all", None, "0.0.0.0/0"),
    ("shop-acl", 10, "Allow", "Ingress", "tcp", "443", "0.0.0.0/0"),
    # Opened for a repair, and forgotten.
    ("shop-acl", 20, "Allow", "Ingress", "tcp", "22", "0.0.0.0/0"),
    ("shop-acl", 30, "Allow", "Egress", "all", None, "0.0.0.0/0"),
)
LISTS = ("default_deny", "default_allow", "shop-acl")
DEFAULTS = {
    "default_allow": "Default Network ACL Allow All",
    "default_deny": "Default Network ACL Deny All",
}
CREATED = START - 420 * DAY


@dataclass(frozen=True, slots=True)
class Vpc:
    """The one VPC of the demo, of the web shop in Genève."""

    seed: int
    owner: Account
    zone: Zone
    tier_offering: str

    @property
    def id(self) -> str:
        """Its id."""
        return identifier(self.seed, "vpc", 1)

    @property
    def name(self) -> str:
        """Its name."""
        return "vpc-shop"

    def list_id(self, name: str) -> str:
        """The id of an access list."""
        return identifier(self.seed, "acl list", LISTS.index(name))


def tier_rows(vpc: Vpc) -> list[Row]:
    """The tiers as listNetworks, and nested listVPCs, print them: no machine was put in yet."""
    return [_tier_row(vpc, *tier) for tier in TIERS]


def _tier_row(vpc: Vpc, name: str, byte: int, acl: str) -> Row:
    title, text, kind, _, names = NETWORKS[VPC_TIER]
    id_ = identifier(vpc.seed, "tier", byte)
    return {
        "id": id_,
        "name": name,
        "displaytext": f"Tier {name}",
        "broadcastdomaintype": "Vlan",
        "traffictype": "Guest",
        "gateway": f"10.240.{byte}.1",
        "netmask": "255.255.255.0",
        "cidr": f"10.240.{byte}.0/24",
        "zoneid": vpc.zone.id,
        "zonename": vpc.zone.name,
        "networkofferingid": vpc.tier_offering,
        "networkofferingname": title,
        "networkofferingdisplaytext": text,
        "networkofferingconservemode": True,
        "networkofferingavailability": "Optional",
        "issystem": False,
        "state": "Allocated",
        "related": id_,
        "dns1": f"{vpc.zone.management}.2",
        "type": kind,
        "acltype": "Account",
        **vpc.owner.fields(),
        "service": [s | {"capability": []} for s in services(names, "VpcVirtualRouter")],
        "networkdomain": f"cs{vpc.owner.number}cloud.internal",
        "physicalnetworkid": identifier(vpc.seed, "physical network", vpc.zone.number),
        "restartrequired": False,
        "specifyvlan": False,
        "specifyipranges": False,
        "vpcid": vpc.id,
        "vpcname": vpc.name,
        "canusefordeploy": True,
        "ispersistent": False,
        "tags": [],
        "details": {},
        "displaynetwork": True,
        "aclid": vpc.list_id(acl),
        "aclname": acl,
        "strechedl2subnet": False,
        "redundantrouter": False,
        "supportsvmautoscaling": True,
        "created": stamp(CREATED + 600 * byte),
        "receivedbytes": 0,
        "sentbytes": 0,
        "publicmtu": 1500,
        "privatemtu": 1500,
        "hasannotations": False,
    }


def vpcs_table(vpc: Vpc) -> Table:
    """The VPC with its tiers."""
    names = NETWORKS[VPC_TIER][4]
    row: Row = {
        "id": vpc.id,
        "name": vpc.name,
        "displaytext": "Läden und Kassen",
        "state": "Enabled",
        "zoneid": vpc.zone.id,
        "zonename": vpc.zone.name,
        "service": services(names, "VpcVirtualRouter"),
        "cidr": "10.240.0.0/16",
        "vpcofferingid": identifier(vpc.seed, "vpc offering", 1),
        "vpcofferingname": OFFERING,
        "vpcofferingconservemode": False,
        "created": stamp(CREATED),
        **vpc.owner.fields(),
        "network": tier_rows(vpc),
        "restartrequired": False,
        "networkdomain": f"cs{vpc.owner.number}cloud.internal",
        "tags": [],
        "fordisplay": True,
        "distributedvpcrouter": False,
        "regionlevelvpc": False,
        "redundantvpcrouter": False,
        "publicmtu": 1500,
        "keepmacaddressonpublicnic": True,
        "hasannotations": False,
    }
    return table([(row, vpc.owner)])


def offerings_table(seed: int) -> Table:
    """The VPC offerings."""
    names = NETWORKS[VPC_TIER][4]
    return table(
        [
            {
                "id": identifier(seed, "vpc offering", number),
                "name": name,
                "displaytext": name,
                "created": stamp(OFFERED),
                "isdefault": number == 1,
                "state": "Enabled",
                "service": services(names, "VpcVirtualRouter"),
                "distributedvpcrouter": False,
                "supportsregionLevelvpc": False,
                "fornsx": False,
                "internetprotocol": "IPv4",
                "specifyasnumber": False,
                "conservemode": False,
            }
            for number, name in enumerate((OFFERING, "Redundant VPC offering"), 1)
        ]
    )


def lists_table(vpc: Vpc) -> Table:
    """The access lists: the two that everybody has, and the shop's."""
    rows: list[tuple[Row, Account | None]] = []
    for name in LISTS:
        row: Row = {"id": vpc.list_id(name), "name": name}
        if name in DEFAULTS:
            rows.append((row | {"description": DEFAULTS[name], "fordisplay": True}, None))
        else:
            row |= {"vpcid": vpc.id, "vpcname": vpc.name, "fordisplay": True}
            rows.append((row, vpc.owner))
    return table(rows)


def rules_table(vpc: Vpc) -> Table:
    """The rules of the access lists; ports are texts here, as on the real server."""
    rows: list[tuple[Row, Account | None]] = []
    for place, (name, number, action, direction, protocol, port, cidr) in enumerate(RULES, 1):
        ports: Row = {"startport": port, "endport": port} if port else {}
        row: Row = {
            "id": identifier(vpc.seed, "acl rule", place),
            "protocol": protocol,
            **ports,
            "traffictype": direction,
            "state": "Active",
            "cidrlist": cidr,
            "tags": [],
            "aclid": vpc.list_id(name),
            "aclname": name,
            "number": number,
            "action": action,
            "fordisplay": True,
        }
        rows.append((row, None if name in DEFAULTS else vpc.owner))
    return table(rows)
