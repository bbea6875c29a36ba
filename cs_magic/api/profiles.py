"""Which profiles there are, and which one is current."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import ENVIRONMENT, Profile, completed, host_of
from cs_magic.api.signing import ALGORITHMS
from cs_magic.api.sources import (
    Found,
    Places,
    Sources,
    check_foreign,
    merged,
    read,
    settings_known,
    unknown_setting,
)
from cs_magic.errors import CloudStackError, ProfileError

# Finds a secret in the system's keyring: (service, name) → secret, or None.
Keyring = Callable[[str, str], str | None]

HOW_TO = (
    "Set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET before the kernel starts,",
    "or write a profile into {config}/config.toml,",
    "or practise on the demo cloud: %cs use demo",
)


def places() -> Places:
    """Where this user's files are, by platformdirs, and the folder of the notebook."""
    from platformdirs import user_config_path

    return Places(user_config_path("cs_magic"), Path.home(), Path.cwd())


def keyring_secret(service: str, name: str) -> str | None:
    """A secret from the system's keyring.

    Raises:
        ProfileError: the keyring library isn't installed, or the keyring is locked.
    """
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        problem = ProfileError(
            "The keyring library is not installed", "pip install 'cs-magic[keyring]'"
        )
    else:
        try:
            secret: str | None = keyring.get_password(service, name)
            return secret
        except KeyringError as error:
            problem = ProfileError(f"The keyring gave nothing: {type(error).__name__}")
    raise problem


@dataclass(frozen=True, slots=True)
class Row:
    """What `%cs profiles` shows of one profile; no secret."""

    name: str
    host: str
    keys: str
    source: str
    state: str


class Profiles:
    """The profiles of this user and this folder, read anew each time they are asked for."""

    def __init__(
        self,
        where: Places | None = None,
        environment: Mapping[str, str] | None = None,
        keyring: Keyring = keyring_secret,
    ) -> None:
        self._where = where
        self._environment = os.environ if environment is None else environment
        self._keyring = keyring

    def sources(self) -> Sources:
        """What the sources hold right now."""
        return read(self._where or places(), self._environment)

    def get(self, name: str) -> Profile:
        """The profile of that name; `cmk:prod` and `cs:lab` name a source, too.

        Raises:
            ProfileError: there is none, or it is incomplete or unsafe.
        """
        return self._named(name, self.sources())

    def current(self) -> Profile:
        """The profile that decides where nobody chose one.

        `CS_MAGIC_PROFILE`, then a complete set in the environment, then `default` of the
        user's configuration, then the only profile there is, then cmk's current one.

        Raises:
            ProfileError: there is none, or more than one could be meant.
        """
        sources = self.sources()
        chosen = self._environment.get("CS_MAGIC_PROFILE")
        if chosen:
            return self._named(chosen, sources)
        for found in sources.found:
            if found.kind == "env" and _has_all(found.settings):
                return self._built(found, sources)
        if sources.default:
            return self._named(sources.default, sources)
        names = list(dict.fromkeys(found.name for found in sources.found))
        if len(names) == 1:
            return self._named(names[0], sources)
        if sources.last and {found.kind for found in sources.found} == {"cmk"}:
            return self._named(f"cmk:{sources.last}", sources)
        raise self._undecided(names, sources)

    def rows(self) -> list[Row]:
        """Every profile there is, the shadowed ones too."""
        sources = self.sources()
        seen: dict[str, str] = {}
        rows = []
        for found in sources.found:
            state = f"shadowed by {seen[found.name]}" if found.name in seen else ""
            seen.setdefault(found.name, found.source)
            rows.append(self._row(found, sources, state))
        return rows

    # -- one profile ---------------------------------------------------------

    def _named(self, name: str, sources: Sources) -> Profile:
        for found in sources.found:
            if name in {found.name, f"{found.kind}:{found.name}"}:
                return self._built(found, sources)
        names = list(dict.fromkeys(found.name for found in sources.found))
        near = get_close_matches(name, names, 1)
        meant = f": did you mean {near[0]}?" if near else ""
        listed = ", ".join(names) or "none"
        raise ProfileError(f"There is no profile {name}{meant}", f"There are: {listed}, demo")

    def _built(self, found: Found, sources: Sources) -> Profile:
        check_foreign(found)
        whole = merged(found, sources)
        odd = unknown_setting(whole)
        if odd is not None:
            near = get_close_matches(odd, settings_known(), 1)
            meant = f": did you mean {near[0]}?" if near else ""
            raise ProfileError(f"{found.name} ({found.source}) has an unknown setting {odd}{meant}")
        return self._profile(whole)

    def _profile(self, found: Found) -> Profile:
        address = found.settings.get("endpoint")
        if not address:
            raise _incomplete(found, "endpoint")
        endpoint = completed(str(address))
        checked = {
            name: _checked(found, name, value)
            for name, value in found.settings.items()
            if name in _CHECKS
        }
        return Profile(
            name=found.name,
            endpoint=endpoint,
            credentials=self._keys(found, endpoint, checked),
            source=found.source,
            **{name: value for name, value in checked.items() if name not in _OF_THE_KEYS},
        )

    def _keys(self, found: Found, endpoint: str, checked: Mapping[str, Any]) -> KeyPair:
        api_key = str(found.settings.get("api_key") or "")
        secret_key = str(found.settings.get("secret_key") or "")
        if api_key and not secret_key and found.settings.get("keyring"):
            # Bound to the host: the same entry never serves another endpoint.
            secret_key = self._keyring(f"cs_magic:{host_of(endpoint)}", api_key) or ""
        if not api_key:
            raise _incomplete(found, "api_key")
        if not secret_key:
            raise _incomplete(found, "secret_key")
        return KeyPair(
            api_key,
            secret_key,
            checked.get("signature_algorithm", "auto"),
            checked.get("signature_version", 3),
        )

    def _row(self, found: Found, sources: Sources, state: str) -> Row:
        try:
            whole = merged(found, sources)
            check_foreign(found)
            host = host_of(completed(str(whole.settings.get("endpoint") or "")))
        except CloudStackError as error:
            return Row(found.name, "", "", found.source, state or str(error))
        settings = whole.settings
        keys = "API keys" if settings.get("api_key") else ""
        keys = keys or ("username" if settings.get("username") else "none")
        return Row(found.name, host, keys, whole.source, state)

    def _undecided(self, names: list[str], sources: Sources) -> ProfileError:
        if sources.broken:
            return ProfileError("The configuration can't be read", *sources.broken)
        partial = next((one for one in sources.found if one.kind == "env"), None)
        if len(names) > 1:
            listed = ", ".join(names)
            return ProfileError(
                "Which profile? None is the default", f"There are: {listed}", "%cs use NAME"
            )
        if partial is not None:
            return _incomplete(partial, next(n for n in _NEEDED if not partial.settings.get(n)))
        config = self._where.config if self._where else places().config
        return ProfileError(
            "There is no profile to use", *(line.format(config=config) for line in HOW_TO)
        )


_NEEDED = ("endpoint", "api_key", "secret_key")
_OF_THE_KEYS = frozenset({"signature_algorithm", "signature_version"})


def _has_all(settings: Mapping[str, Any]) -> bool:
    return all(settings.get(name) for name in _NEEDED)


def _incomplete(found: Found, setting: str) -> ProfileError:
    missing = setting
    if found.kind == "env":
        missing = " or ".join(spelling[setting] for spelling in ENVIRONMENT)
    return ProfileError(f"The profile {found.name} ({found.source}) has no {missing}")


def _number(value: Any, least: float, most: float) -> float:
    number = float(value)
    if not least <= number <= most or isinstance(value, bool):
        raise ValueError
    return number


def _one_of(*allowed: Any) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value not in allowed or isinstance(value, bool) != isinstance(allowed[0], bool):
            raise ValueError
        return value

    return check


def _verify(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError
    return str(Path(value).expanduser())


_CHECKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "verify": ("true, false, or the path of a CA file", _verify),
    "allow_http": ("true or false", _one_of(True, False)),
    "read_only": ("true or false", _one_of(True, False)),
    "method": ('"post" or "get"', lambda value: _one_of("post", "get")(str(value).lower())),
    "timeout": ("seconds from 1 to 3600", lambda value: _number(value, 1, 3600)),
    "job_timeout": ("seconds", lambda value: _number(value, 1, 10**7)),
    "workers": ("a number from 1 to 16", lambda value: int(_number(value, 1, 16))),
    "scope": ('"all" or "own"', _one_of("all", "own")),
    "signature_version": ("2 or 3", lambda value: _one_of(2, 3)(int(value))),
    "signature_algorithm": (
        '"auto", "HmacSHA1" or "HmacSHA512"',
        _one_of("auto", *ALGORITHMS),
    ),
}


def _checked(found: Found, name: str, value: Any) -> Any:
    wanted, check = _CHECKS[name]
    try:
        return check(value)
    except (ValueError, TypeError):
        problem = ProfileError(f"{found.name} ({found.source}): {name} is {wanted}")
    raise problem
