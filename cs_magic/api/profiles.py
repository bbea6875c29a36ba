"""Which profiles there are, and which one is current."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from cs_magic.api.foreign import NOT_OWN, RESERVED, check_foreign, merged
from cs_magic.api.profile import Keyring, Profile, host_of, keyring_secret
from cs_magic.api.settings import built, endpoint_of, incomplete, is_whole
from cs_magic.api.sources import Found, Places, Sources, read
from cs_magic.errors import ProfileError

HOW_TO = (
    "Set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET before the kernel starts,",
    "or write a profile into {config}/config.toml,",
    'or practise on the demo cloud: %cs use demo, in a script connect("demo")',
)


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
            if found.kind == "env" and is_whole(found):
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
        half = [str(incomplete(found)) for found in seen if found.kind == "env"]
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
        return host_of(endpoint_of(found)) if found.settings.get("endpoint") else ""
    except ProfileError:
        return ""


def _kind_of_keys(found: Found) -> str:
    if found.settings.get("api_key"):
        in_file = found.settings.get("secret_key") or not found.settings.get("keyring")
        return "API keys" if in_file else "API keys (keyring)"
    if found.settings.get("username") and found.settings.get("password"):
        return "password"
    if found.settings.get("username") and found.settings.get("keyring"):
        return "password (keyring)"
    return "sign in"


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
    if name == "demo":
        how = '%cs use demo starts it, in a script connect("demo")'
        return ProfileError(f"The demo cloud is no profile of a file: {how}", *sources.broken)
    shown = (found.name for found in sources.found if not _shadow(found, sources))
    names = dict.fromkeys([*shown, "demo"])
    every = [*names, *(f"{found.kind}:{found.name}" for found in sources.found)]
    same = [one for one in every if one.lower() == name.lower() or one.endswith(f":{name}")]
    near = (same or get_close_matches(name, every, 1))[:1]
    meant = "".join(f": did you mean {one}?" for one in near)
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
            f"The default, {found.name}, is no profile of your own files",
            f"{found.source}: {NOT_OWN}",
        )
    return found
