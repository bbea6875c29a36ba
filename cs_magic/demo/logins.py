"""Who may sign in: the domain, the password, the lock-out, and which logins were asked for."""

from __future__ import annotations

import hmac
import json
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from cs_magic.demo.data.items import Account, Domain
from cs_magic.demo.data.world import World
from cs_magic.demo.wire import Reply, refusal

# `incorrect.login.attempts.allowed`: so many wrong passwords in a row disable a user.
ATTEMPTS = 5
# How many login requests are remembered.
REMEMBERED = 10_000
BAD_DOMAIN_ID = "Invalid domain id entered, please enter a valid one"


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs to be one of the demo's accounts. Made up, and still not in a repr."""

    endpoint: str
    username: str
    domain: str
    role: str
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """A login request that came: whom it named, and the HTTP status of its answer."""

    username: str
    domain: str
    status: int


class Logins:
    """Who may sign in to one cloud. Several threads may ask at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wrong: Counter[str] = Counter()
        self._seen: deque[Login] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    @property
    def seen(self) -> tuple[Login, ...]:
        """The login requests so far, oldest first."""
        with self._lock:
            return tuple(self._seen)

    def remember(self, parameters: Mapping[str, str], status: int) -> None:
        """Note a login request; its password is not looked at."""
        domain = _domain_id(parameters) or parameters.get("domain", "")
        with self._lock:
            self._seen.append(Login(parameters.get("username", ""), domain, status))

    def enable(self, username: str) -> None:
        """Enable the user and the account; wrong passwords are counted from nothing again.

        Raises:
            KeyError: nobody is called so.
        """
        account = self._world.people.accounts[username]
        with self._lock:
            del self._wrong[account.user.id]
            account.state = account.user.state = "enabled"

    def disable(self, username: str) -> None:
        """Disable the user, as an admin does; KeyError where nobody is called so."""
        account = self._world.people.accounts[username]
        with self._lock:
            account.user.state = "disabled"

    def authenticate(
        self, parameters: Mapping[str, str], as_json: bool
    ) -> tuple[Account | None, Reply]:
        """The account that signs in, or the refusal."""
        name = parameters.get("username")
        if name is None:
            return None, Reply(531, b"null")
        domain, refused = self._domain(parameters, as_json)
        if domain is None:
            return None, refused
        account = self._world.account(name, domain.id)
        if account is None or not self._right(account, parameters.get("password", "")):
            text = (
                f"Failed to authenticate user {name} in domain {domain.number}; "
                "please provide valid credentials"
            )
        elif not account.enabled:
            # Only who has the password is told so.
            text = _not_enabled(account)
        else:
            return account, Reply(200)
        return None, refusal("loginresponse", 531, text, as_json)

    def _right(self, account: Account, given: str) -> bool:
        """Whether the password is right. One that is not counts, and none at all does not."""
        user = account.user
        with self._lock:
            if hmac.compare_digest(given.encode(), user.password.encode()):
                if account.enabled:
                    del self._wrong[user.id]
                return True
            if given and user.state == "enabled":
                self._wrong[user.id] += 1
                if self._wrong[user.id] >= ATTEMPTS:
                    user.state = "disabled"
            return False

    def _domain(self, parameters: Mapping[str, str], as_json: bool) -> tuple[Domain | None, Reply]:
        """The domain that is meant: by id, else by path, else ROOT."""
        domains = self._world.people.domains.values()
        id_ = _domain_id(parameters)
        if id_:
            by_id = (d for d in domains if id_ in (d.id, str(d.number)))
            return next(by_id, None), refusal("loginresponse", 401, BAD_DOMAIN_ID, as_json)
        path = "/" + parameters.get("domain", "").strip("/")
        by_path = (d for d in domains if d.login_path.lower() == path.lower())
        text = f"Unable to find the domain from the path {path.rstrip('/')}/"
        return next(by_path, None), refusal("loginresponse", 531, text, as_json)


def _domain_id(parameters: Mapping[str, str]) -> str:
    return parameters.get("domainid") or parameters.get("domainId") or ""


def _not_enabled(account: Account) -> str:
    """What CloudStack says of a user that is not enabled: with both as Java's JSON prints them."""
    user, domain = account.user, account.domain
    who = {"accountName": account.name, "id": user.number, "username": user.username}
    where = {
        "id": domain.number,
        "name": domain.name,
        "path": domain.login_path.rstrip("/") + "/",
        "uuid": domain.id,
    }
    return (
        f"User UserAccount {_dump(who)}. (or their account) in domain Domain {_dump(where)} "
        "is disabled/locked. Please contact the administrator."
    )


def _dump(fields: Mapping[str, object]) -> str:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return text.replace("/", "\\/")
