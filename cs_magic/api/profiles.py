"""Which profiles there are, and which one is current."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cs_magic.api.credentials import KeyPair, Password
from cs_magic.api.profile import (
    CHECKS,
    ENVIRONMENT,
    Keyring,
    Profile,
    checked,
    completed,
    host_of,
    keyring_secret,
)
from cs_magic.api.profile import is_loopback as loopback
from cs_magic.api.sources import CMK, CS, Found, Places, Sources, read
from cs_magic.errors import ProfileError

HOW_TO = (
    "Set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET before the kernel starts,",
    "or write a profile into {config}/config.toml,",
    "or practise on the demo cloud: %cs use demo",
)
RESERVED = ("demo", "env")  # the demo cloud, and what the environment holds


def places() -> Places:
    """Where this user's files are, by platformdirs, and the folder of the notebook."""
    from platformdirs import user_config_path

    home = Path(os.path.expanduser("~"))
    try:
        working = Path.cwd()
    except OSError:  # the folder was removed
        working = home
    return Places(user_config_path("cs_magic"), home, working)


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
        sources = self.sources()
        return self._built(_named(name, sources), sources)

    def current(self) -> Profile:
        """The profile that decides where nobody chose one.

        `CS_MAGIC_PROFILE`, then a complete set in the environment, then `default` of the
        user's configuration, then the only profile there is, then cmk's current one.

        Raises:
            ProfileError: there is none, or more than one could be meant.
        """
        sources = self.sources()
        return self._built(self._deciding(sources), sources)

    def rows(self) -> list[Row]:
        """Every profile there is, the shadowed ones too; a state is what keeps it from use."""
        sources = self.sources()
        return [self._row(found, sources) for found in sources.found]

    # -- which one -----------------------------------------------------------

    def _deciding(self, sources: Sources) -> Found:
        chosen = self._environment.get("CS_MAGIC_PROFILE", "").strip()
        if chosen:
            return _named(chosen, sources)
        for found in sources.found:
            if found.kind == "env" and _is_whole(found):
                return found
        if sources.config_unread:
            raise ProfileError(f"Which profile? {sources.config_unread}")
        if sources.default:
            return _own(_named(sources.default, sources))
        seen = [found for found in sources.found if not _shadow(found, sources)]
        if len(seen) == 1 and not _doubt(seen[0], sources):
            return seen[0]
        for found in seen if {found.kind for found in seen} == {"cmk"} else ():
            if found.name == sources.last:
                return found
        raise self._undecided(seen, sources)

    def _undecided(self, seen: list[Found], sources: Sources) -> ProfileError:
        half = [str(_incomplete(found)) for found in seen if found.kind == "env"]
        if len(seen) == len(half) == 1:
            return ProfileError(*half)
        if len(seen) > 1:
            listed = ", ".join(found.name for found in seen)
            text = "Which profile? None is the default"
            return ProfileError(
                text, f"There are: {listed}", "%cs use NAME", *half, *sources.broken
            )
        if sources.broken:
            return ProfileError("The configuration can't be read", *sources.broken)
        config = (self._where or places()).config
        return ProfileError(
            "There is no profile to use", *(line.format(config=config) for line in HOW_TO)
        )

    # -- one profile ---------------------------------------------------------

    def _built(self, found: Found, sources: Sources) -> Profile:
        check_foreign(found)
        return built(merged(found, sources), self._keyring)

    def _row(self, found: Found, sources: Sources) -> Row:
        whole, state, host = found, "", ""
        try:
            whole = merged(found, sources)
            check_foreign(found)
            host = built(whole, _unasked).host
        except ProfileError as error:
            state = error.message
        stronger = _shadow(found, sources)
        if stronger:
            state = f"shadowed by {stronger}"
        elif found.kind != "env" and found.name in RESERVED:
            state = state or f"say {found.kind}:{found.name}"
        return Row(found.name, host or _host(whole), _kind_of_keys(whole), whole.source, state)


def _unasked(service: str, name: str) -> str:
    return "not asked for"


def _host(found: Found) -> str:
    try:
        return host_of(_endpoint(found)) if found.settings.get("endpoint") else ""
    except ProfileError:
        return ""


def _kind_of_keys(found: Found) -> str:
    if found.settings.get("api_key"):
        in_file = found.settings.get("secret_key") or not found.settings.get("keyring")
        return "API keys" if in_file else "API keys (keyring)"
    return "username" if found.settings.get("username") else "none"


def _named(name: str, sources: Sources) -> Found:
    for found in sources.found:
        qualified = name == f"{found.kind}:{found.name}"
        bare = name == found.name and (found.kind == "env" or name not in RESERVED)
        if not (qualified or bare) or (found.foreign and _shadow(found, sources)):
            continue
        doubt = _doubt(found, sources)
        if doubt and (found.foreign or not qualified):
            which = f"{found.kind}:{name} is the one of {found.source}."
            raise ProfileError(
                f"{name} may stand in a file that can't be read: {doubt}",
                "" if found.foreign else which,
            )
        return found
    raise _unknown(name, sources)


def _unknown(name: str, sources: Sources) -> ProfileError:
    shown = (found.name for found in sources.found if not _shadow(found, sources))
    names = dict.fromkeys([*shown, "demo"])
    every = [*names, *(f"{found.kind}:{found.name}" for found in sources.found)]
    same = [one for one in every if one.lower() == name.lower() or one.endswith(f":{name}")]
    near = (same or get_close_matches(name, every, 1))[:1]
    meant = "".join(f": did you mean {one}?" for one in near)
    if name == "demo":
        meant = ": %cs use demo starts the demo cloud"
    return ProfileError(
        f"There is no profile {name}{meant}", f"There are: {', '.join(names)}", *sources.broken
    )


def _shadow(found: Found, sources: Sources) -> str:
    """The stronger source that has this name; a foreign name loses in any letter case."""
    for one in sources.found:
        if one is found:
            break
        alike = found.foreign and one.name.casefold() == found.name.casefold()
        if one.name == found.name or alike:
            return one.source
    return ""


def _doubt(found: Found, sources: Sources) -> str:
    """The stronger file that can't be read, so that nobody knows whether it has this name."""
    if found.foreign:
        return sources.own_unread
    return "" if found.kind == "env" else sources.config_unread


def _own(found: Found) -> Found:
    if found.foreign:
        raise ProfileError(
            f"The default, {found.name}, is no profile of your own files", f"{found.source}: {_OWN}"
        )
    return found


# -- from, and what a file in the working folder may say -----------------------------------


def merged(found: Found, sources: Sources) -> Found:
    """The settings of a profile with `from = "cmk:prod"`: the foreign profile's, ours on top.

    Raises:
        ProfileError: there is no such profile, or ours would use its keys in another way.
    """
    if found.kind != "toml" or "from" not in found.settings:
        return found
    origin = str(found.settings["from"])
    base = next((one for one in sources.found if _is_base(one, origin, found)), None)
    if base is None:
        raise ProfileError(
            f'{found.name} ({found.source}) says from = "{origin}", and there is no such profile',
            'It names one of cmk or cs: from = "cmk:prod"',
            *sources.broken,
        )
    own = {key: value for key, value in found.settings.items() if key != "from"}
    if (found.foreign and own) or not _OF_THE_BASE.isdisjoint(own):
        raise ProfileError(
            f"{found.name} ({found.source}) would use the keys of {origin} in its own way",
            "A profile with from adds settings; its address and keys are those of the other.",
        )
    check_foreign(base)
    settings = {**base.settings, **own}
    return replace(found, source=f"{found.source}, from {base.source}", settings=settings)


def _is_base(one: Found, origin: str, found: Found) -> bool:
    """A profile of the user's own never gets its address from the working folder."""
    named = one.kind in {"cmk", "cs"} and f"{one.kind}:{one.name}" == origin
    return named and (found.foreign or not one.foreign)


_OF_THE_BASE = {"endpoint", "api_key", "secret_key", "username", "password", "domain"}
_OWN = "It stands in the working folder, and may have come with somebody else's files."
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SYSTEM = (Path("/etc"), Path("/usr"))


def check_foreign(found: Found) -> None:
    """Refuse what a file in the working folder may not say.

    Raises:
        ProfileError: it turns off TLS checks, brings a CA or allows plain HTTP to another
            machine, names a keyring entry, or has a name that looks like something else.
    """
    if not found.foreign:
        return
    if not _PLAIN.fullmatch(found.name) or found.name.lower() in RESERVED:
        raise ProfileError(f"{found.source} may not call a profile {found.name}", _OWN)
    said = found.settings
    verify = said.get("verify", True)
    local = bool(said.get("endpoint")) and loopback(urlsplit(_endpoint(found)).hostname or "")
    ca = isinstance(verify, str) and not _is_the_systems(verify)
    for refused, setting in (
        (said.get("keyring", False) is not False, "a keyring entry"),
        (verify is False and not local, "verify = false"),
        (ca and not local, "a CA file of its own"),
        (said.get("allow_http", False) is not False and not local, "allow_http = true"),
    ):
        if refused:
            raise ProfileError(f"{found.name}: {found.source} may not name {setting}", _OWN)


def _is_the_systems(path: str) -> bool:
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(folder) for folder in _SYSTEM)


# -- a profile from its settings -------------------------------------------------------------

_NEEDED = ("endpoint", "api_key", "secret_key")
_OF_THE_KEYS = {"signature_algorithm": "algorithm", "signature_version": "signature_version"}
_LOGIN = ("username", "password", "domain")
_SETTINGS = [name for name in CHECKS if name not in (*_NEEDED, *_LOGIN, "keyring")]
_IN_A_FILE = ("from", *CHECKS)


def built(found: Found, keyring: Keyring = keyring_secret) -> Profile:
    """The profile, every setting checked.

    Raises:
        ProfileError: naming profile, source and setting, where one is wrong or missing.
    """
    if found.kind == "toml":
        _check_names(found, _IN_A_FILE)
    if not found.settings.get("endpoint"):
        raise _incomplete(found)
    endpoint = _endpoint(found)
    bare = Profile(found.name, endpoint, _credentials(found, endpoint, keyring), found.source)
    return _adjusted(bare, found)


def given(endpoint: str, api_key: str, secret_key: str) -> Profile:
    """A profile of what a call of `connect` gave; ProfileError where that is wrong."""
    settings = {"endpoint": endpoint, "api_key": api_key, "secret_key": secret_key}
    return built(Found("connect", "connect", "connect()", settings))


def adjusted(profile: Profile, settings: Mapping[str, Any]) -> Profile:
    """The profile with settings that a call of `connect` gave; they are stronger.

    Raises:
        ProfileError: there is no such setting, or its value is wrong.
    """
    found = Found(profile.name, "connect", "connect()", settings)
    _check_names(found, _SETTINGS)
    return _adjusted(profile, found)


def _adjusted(profile: Profile, found: Found) -> Profile:
    given = {name: _setting(found, name) for name in _SETTINGS if name in found.settings}
    keys = {short: given.pop(name) for name, short in _OF_THE_KEYS.items() if name in given}
    credentials = profile.credentials
    if isinstance(credentials, KeyPair):
        credentials = replace(credentials, **keys)
    return replace(profile, credentials=credentials, **given)


def _credentials(found: Found, endpoint: str, keyring: Keyring) -> KeyPair | Password:
    """API keys where there are some, else what `login` takes."""
    if _has(found, "api_key") or not _has(found, "username", "password"):
        return _keys(found, endpoint, keyring)
    return Password(
        _setting(found, "username"),
        _setting(found, "password"),
        _setting(found, "domain") if _has(found, "domain") else "/",
    )


def _has(found: Found, *names: str) -> bool:
    # No local holds the settings: a traceback that shows locals would show the secrets.
    return all(found.settings.get(name) for name in names)


def _keys(found: Found, endpoint: str, keyring: Keyring) -> KeyPair:
    asked = "keyring" in found.settings and _setting(found, "keyring")
    if not found.settings.get("api_key") or not (found.settings.get("secret_key") or asked):
        raise _incomplete(found)
    if found.settings.get("secret_key"):
        return KeyPair(_setting(found, "api_key"), _setting(found, "secret_key"))
    # Bound to the host: the same entry never serves another endpoint.
    service = f"cs_magic:{host_of(endpoint)}"
    pair = KeyPair(_setting(found, "api_key"), keyring(service, _setting(found, "api_key")) or "")
    if not pair.secret_key:
        raise ProfileError(
            f"{found.name} ({found.source}): the keyring has no secret for its API key",
            f"keyring set {service} API_KEY",
        )
    return pair


def _endpoint(found: Found) -> str:
    _setting(found, "endpoint")
    try:
        return completed(found.settings["endpoint"])
    except ProfileError as error:
        message, hints = error.message, error.hints
    raise ProfileError(f"{found.name} ({found.source}): {message}", *hints)


def _setting(found: Found, name: str) -> Any:
    try:
        return checked(name, found.settings[name])
    except ValueError as error:
        wanted = str(error)
    raise ProfileError(f"{found.name} ({found.source}): {_written(found, name)} is {wanted}")


def _check_names(found: Found, known: Collection[str]) -> None:
    odd = next((name for name in found.settings if name not in known), None)
    if odd is not None:
        theirs = {**CMK, **CS}.get(odd)
        near = [theirs] if theirs in known else get_close_matches(odd, known, 1)
        meant = f": did you mean {near[0]}?" if near else ""
        raise ProfileError(f"{found.name} ({found.source}) has an unknown setting {odd}{meant}")


def _is_whole(found: Found) -> bool:
    keys = _has(found, "api_key", "secret_key")
    return _has(found, "endpoint") and (keys or _has(found, "username", "password"))


def _incomplete(found: Found) -> ProfileError:
    missing = next(name for name in _NEEDED if not found.settings.get(name))
    return ProfileError(
        f"The profile {found.name} ({found.source}) has no {_written(found, missing)}"
    )


def _written(found: Found, name: str) -> str:
    """A setting as the source itself calls it."""
    if found.kind == "env" and name in ENVIRONMENT[0]:
        return " or ".join(spelling[name] for spelling in ENVIRONMENT)
    names = {"cs": CS, "cmk": CMK}.get(found.kind, {})
    return next((theirs for theirs, ours in names.items() if ours == name), name)
