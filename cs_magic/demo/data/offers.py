"""What can be ordered: service, disk and network offerings, templates and OS types."""

from __future__ import annotations

from dataclasses import dataclass

from cs_magic.demo.data.items import DAY, START, Account, identifier
from cs_magic.demo.data.people import People

OFFERED = START - 1_090 * DAY

# name, text, processors, MHz, memory in MiB
SIZES = (
    ("Tiny", "For trying things out", 1, 1000, 512),
    ("Small", "One processor, 2 GiB", 1, 2000, 2048),
    ("Medium", "Two processors, 4 GiB", 2, 2000, 4096),
    ("Large", "Four processors, 8 GiB", 4, 2000, 8192),
    ("Büro-Server", "Für die Büros: 4 × 2 GHz, 16 GiB", 4, 2000, 16384),
    ("Database", "Eight processors, 32 GiB", 8, 2400, 32768),
)

# name, text, GiB, or 0 where the size is chosen when ordering
DISKS = (
    ("Small disk", "20 GiB", 20),
    ("Medium disk", "100 GiB", 100),
    ("Large disk", "500 GiB", 500),
    ("Any size", "The size is chosen when ordering", 0),
)

CATEGORIES = ("Ubuntu", "Debian", "Rocky Linux", "Windows")

# name, category
SYSTEMS = (
    ("Ubuntu 22.04 LTS", "Ubuntu"),
    ("Ubuntu 24.04 LTS", "Ubuntu"),
    ("Debian GNU/Linux 12 (64-bit)", "Debian"),
    ("Rocky Linux 9", "Rocky Linux"),
    ("Windows Server 2019 (64-bit)", "Windows"),
    ("Windows Server 2022 (64-bit)", "Windows"),
    ("Debian GNU/Linux 8 (64-bit)", "Debian"),
)

# name, text, OS type, GiB, owner (None: the system), public, featured
TEMPLATES = (
    ("ubuntu-22.04", "Ubuntu 22.04 with cloud-init", 0, 10, None, True, True),
    ("ubuntu-24.04", "Ubuntu 24.04 with cloud-init", 1, 10, None, True, True),
    ("debian-12", "Debian 12, small", 2, 8, None, True, True),
    ("rocky-9", "Rocky Linux 9", 3, 12, None, True, True),
    ("windows-2019", "Windows Server 2019, Deutsch", 4, 60, "admin", True, False),
    ("windows-2022", 'Windows Server 2022 ("Core")', 5, 60, "admin", True, False),
    ("debian-8 (alt, für die Kasse)", "Debian 8, out of support", 6, 6, "admin", True, False),
    ("till-image", "The stores' tills", 2, 8, "stores", False, False),
    ("jupyter-lab", "Jupyter for the Forschung", 1, 20, "forschung", False, False),
)

# name, text, guest type, specify VLAN, services
NETWORKS = (
    (
        "Isolated with source NAT",
        "The usual network of an account",
        "Isolated",
        False,
        (
            "Dhcp",
            "Dns",
            "Vpn",
            "StaticNat",
            "PortForwarding",
            "Firewall",
            "UserData",
            "Lb",
            "SourceNat",
        ),
    ),
    ("Shared", "One network for many accounts", "Shared", True, ("Dhcp", "Dns", "UserData")),
    ("L2", "A bare network", "L2", True, ()),
    (
        "VPC tier",
        "A tier of a VPC",
        "Isolated",
        False,
        (
            "Dhcp",
            "Dns",
            "Vpn",
            "StaticNat",
            "PortForwarding",
            "UserData",
            "Lb",
            "NetworkACL",
            "SourceNat",
        ),
    ),
)
VPC_TIER = 3

# name, text, OS type, GiB, owner, public, featured
ISOS = (
    ("rocky-9-installer", "Rocky Linux 9, to install by hand", 3, 2, "admin", True, True),
    (
        '=HYPERLINK("http://evil.example")',
        "A name that a spreadsheet would run",
        4,
        5,
        "erp",
        False,
        False,
    ),
    ("rettung", "Rescue system of the Forschung", 2, 1, "forschung", False, False),
)


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """A service offering."""

    number: int
    id: str
    name: str
    text: str
    cpus: int
    mhz: int
    memory: int
    disk_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Disk:
    """A disk offering."""

    number: int
    id: str
    name: str
    text: str
    gib: int


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """An OS type."""

    number: int
    id: str
    name: str
    category: str
    category_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template; `owner` None is the system's own."""

    number: int
    id: str
    name: str
    text: str
    system: System
    gib: int
    owner: Account | None
    public: bool
    featured: bool

    @property
    def type(self) -> str:
        """BUILTIN for the system's, USER for everybody else's."""
        return "USER" if self.owner else "BUILTIN"

    @property
    def password_enabled(self) -> bool:
        """Whether its machines are given a password: those with Windows are."""
        return self.system.category == "Windows"


@dataclass(slots=True)
class Offers:
    """All that can be ordered."""

    sizes: list[Size]
    disks: list[Disk]
    systems: list[System]
    templates: list[Template]
    isos: list[Template]
    network_ids: list[str]


def offers(seed: int, who: People) -> Offers:
    """The same offers for everybody; ids follow the seed."""
    sizes = [
        Size(
            number,
            identifier(seed, "service offering", number),
            *size,
            identifier(seed, "hidden disk offering", number),
        )
        for number, size in enumerate(SIZES, 1)
    ]
    disks = [
        Disk(number, identifier(seed, "disk offering", number), *disk)
        for number, disk in enumerate(DISKS, 1)
    ]
    systems = [
        System(
            number,
            identifier(seed, "os type", number),
            name,
            category,
            identifier(seed, "os category", CATEGORIES.index(category)),
        )
        for number, (name, category) in enumerate(SYSTEMS, 1)
    ]
    templates, isos = (
        [
            Template(
                number,
                identifier(seed, kind, number),
                name,
                text,
                systems[system],
                gib,
                who.accounts[owner] if owner else None,
                public,
                featured,
            )
            for number, (name, text, system, gib, owner, public, featured) in enumerate(entries, 1)
        ]
        for kind, entries in (("template", TEMPLATES), ("iso", ISOS))
    )
    ids = [identifier(seed, "network offering", number) for number in range(len(NETWORKS))]
    return Offers(sizes, disks, systems, templates, isos, ids)
