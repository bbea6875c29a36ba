"""The invented company: its domains, accounts, people and projects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cs_magic.demo.data.items import (
    DAY,
    START,
    Account,
    Domain,
    Live,
    Project,
    Role,
    Row,
    Table,
    User,
    identifier,
    stamp,
    table,
)

FOUNDED = START - 1_200 * DAY

# path, as replies print it
DOMAINS = ("ROOT", "ROOT/Retail", "ROOT/Retail/Webshop", "ROOT/Forschung", "ROOT/Finance")

# name, domain, role, first name, last name, share of the machines in percent
ACCOUNTS = (
    ("admin", "ROOT", "Root Admin", "Adele", "Keller", 14.0),
    ("auditor", "ROOT", "Root Admin", "Aurélie", "Favre", 0.0),
    ("retail-admin", "ROOT/Retail", "Domain Admin", "Dieter", "Lüthi", 1.0),
    ("webshop", "ROOT/Retail", "User", "Wanda", "Brügger", 24.0),
    ("stores", "ROOT/Retail", "User", "Seán", "O'Brien", 17.0),
    ("webshop-lab", "ROOT/Retail/Webshop", "User", "Léa", "D'Angelo", 6.0),
    ("forschung", "ROOT/Forschung", "User", "Jürgen", "Groß", 15.0),
    ("müller", "ROOT/Forschung", "User", "Anna", "Müller", 3.0),
    ("erp", "ROOT/Finance", "User", "Emre", "Öztürk", 16.0),
    ("payroll", "ROOT/Finance", "User", "Priya", "Nair", 4.0),
    ("security", "ROOT", "Root Admin", "Selma", "Hofer", 0.0),
    ("azubi", "ROOT/Forschung", "User", "Till", "Ammann", 0.0),
    ("treuhand", "ROOT/Finance", "User", "Zoé", "Çelik", 0.0),
)
# Opened and never used.
NEVER_USED = ("azubi", "treuhand")
# A user without API keys, and one who gives a fixed code after the password.
WITHOUT_KEYS = ("azubi",)
PINS = {"security": "314159"}
# A user who was disabled, an account that was locked, a domain that demands a
# second factor which nobody there has set up, and a password that must be changed.
DISABLED = ("azubi",)
LOCKED = ("treuhand",)
MANDATED = ("ROOT/Retail/Webshop",)
OLD_PASSWORD = ("payroll",)
# Deleted last month; only the usage records still know it.
DELETED = ("altlast", "ROOT/Forschung", "User", "Otto", "Weiß", 0.0)
DELETED_NUMBER = 30
AUDITOR_MACHINES = 2

# name, what it is for, domain, accounts that take part (its owner first)
PROJECTS = (
    (
        "Black Friday",
        'Extra machines for the "Black Friday" weekend',
        "ROOT/Retail",
        ("webshop", "retail-admin"),
    ),
    ("Data Lake", "The stores' tills, one lake", "ROOT/Retail", ("stores",)),
    ("Umzug Zürich", "Moving out of the Zürich cellar", "ROOT", ("admin", "erp")),
)

ROLES = (
    ("Root Admin", "Admin", 1, "A", "May do everything"),
    ("Resource Admin", "ResourceAdmin", 3, "R", "Looks after hosts and storage"),
    ("Domain Admin", "DomainAdmin", 2, "D", "Looks after a domain and those below it"),
    ("User", "User", 0, "U", "Works with what its own account has"),
)


@dataclass(slots=True)
class People:
    """Who there is."""

    domains: dict[str, Domain]
    roles: dict[str, Role]
    accounts: dict[str, Account]
    projects: list[Project]
    project_accounts: list[Account]
    deleted: Account

    @property
    def owners(self) -> list[Account]:
        """Every account that may own something, the projects' own last."""
        return [*self.accounts.values(), *self.project_accounts]


def people(seed: int) -> People:
    """The company's people; names are always the same, ids and keys follow the seed."""
    domains = _domains(seed)
    roles = {
        name: Role(identifier(seed, "role", number), name, kind_name, kind, letter)
        for number, (name, kind_name, kind, letter, _) in enumerate(ROLES, 1)
    }
    accounts = {
        entry[0]: _account(seed, number, entry, domains, roles)
        for number, entry in enumerate(ACCOUNTS, 2)
    }
    projects = [
        _project(seed, number, entry, domains, accounts) for number, entry in enumerate(PROJECTS, 1)
    ]
    deleted = _account(seed, DELETED_NUMBER, DELETED, domains, roles)
    of_projects = _project_accounts(seed, projects, roles)
    return People(domains, roles, accounts, projects, of_projects, deleted)


def _domains(seed: int) -> dict[str, Domain]:
    domains: dict[str, Domain] = {}
    for number, path in enumerate(DOMAINS, 1):
        above, _, name = path.rpartition("/")
        id_ = identifier(seed, "domain", number)
        domains[path] = Domain(number, id_, name, path, domains.get(above), path in MANDATED)
    return domains


def _account(
    seed: int,
    number: int,
    entry: tuple[str, str, str, str, str, float],
    domains: dict[str, Domain],
    roles: dict[str, Role],
) -> Account:
    name, domain, role, first, last, _ = entry
    created = FOUNDED + number * 9 * DAY
    token = identifier(seed, "token", number)
    keys = name not in WITHOUT_KEYS
    user = User(
        number,
        identifier(seed, "user", number),
        name,
        first,
        last,
        created,
        # A blank, `+`, `/` and `=`: what a client that escapes carelessly gets wrong.
        password=f"demo {name}+/={seed}",
        api_key=f"demo-api-key-of-{number:02}-not-a-real-key-{token}" if keys else "",
        secret_key=f"demo-secret-key-of-{number:02}-not-a-real-key-{token[::-1]}" if keys else "",
        pin=PINS.get(name, ""),
        state="disabled" if name in DISABLED else "enabled",
        must_change_password=name in OLD_PASSWORD,
    )
    id_ = identifier(seed, "account", number)
    state = "locked" if name in LOCKED else "enabled"
    return Account(number, id_, name, domains[domain], roles[role], created, user, state=state)


def _project(
    seed: int,
    number: int,
    entry: tuple[str, str, str, tuple[str, ...]],
    domains: dict[str, Domain],
    accounts: dict[str, Account],
) -> Project:
    name, displaytext, domain, members = entry
    return Project(
        number,
        identifier(seed, "project", number),
        name,
        displaytext,
        domains[domain],
        START - (400 - 90 * number) * DAY,
        [accounts[member] for member in members],
    )


def _project_accounts(seed: int, projects: list[Project], roles: dict[str, Role]) -> list[Account]:
    return [
        Account(
            40 + project.number,
            identifier(seed, "project account", project.number),
            f"PrjAcct-{project.name}-{project.domain.number}",
            project.domain,
            roles["User"],
            project.created,
            project.members[0].user,
            project,
        )
        for project in projects
    ]


def user_row(account: Account) -> Row:
    """The account's user as listUsers and, nested, listAccounts print it."""
    user = account.user
    return {
        "id": user.id,
        "username": user.username,
        "firstname": user.firstname,
        "lastname": user.lastname,
        "email": f"{user.username}@example.org",
        "created": stamp(user.created),
        "state": user.state,
        "account": account.name,
        "accounttype": account.role.kind,
        "usersource": "native",
        "roleid": account.role.id,
        "roletype": account.role.type,
        "rolename": account.role.name,
        "domainid": account.domain.id,
        "domain": account.domain.name,
        **({"apikey": user.api_key} if user.api_key else {}),
        "accountid": account.id,
        "iscallerchilddomain": False,
        "isdefault": account.name == "admin",
        "is2faenabled": bool(user.pin),
        "is2famandated": account.domain.mandates_2fa,
    }


def listed_user(account: Account) -> Row:
    """The user as listUsers shows it, which alone tells whether keys may be used."""
    return user_row(account) | {"apikeyaccess": "INHERIT"}


def roles_table(who: People) -> Table:
    """The four roles that accounts are given."""
    texts = {name: text for name, _, _, _, text in ROLES}
    return table(
        [
            {
                "type": role.type,
                "isdefault": True,
                "state": "enabled",
                "id": role.id,
                "name": role.name,
                "description": texts[role.name],
                "ispublic": True,
            }
            for role in who.roles.values()
        ]
    )


def users_table(who: People) -> Table:
    """The users, one per account."""
    accounts = enumerate(who.accounts.values(), 1)
    return Table([Live(number, partial(listed_user, one), one) for number, one in accounts])
