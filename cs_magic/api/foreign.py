"""What a profile of one file may say of another, and a file in the working folder at all.

Such a folder may have come with somebody else's repository: its files may add profiles, and
nothing that would send a person's keys elsewhere or weaken how they travel.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from cs_magic.api.profile import is_loopback as loopback
from cs_magic.api.settings import endpoint_of
from cs_magic.api.sources import Found, Sources
from cs_magic.errors import ProfileError

RESERVED = ("demo", "env")  # the demo cloud, and what the environment holds


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
NOT_OWN = "It stands in the working folder, and may have come with somebody else's files."
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
        raise ProfileError(f"{found.source} may not call a profile {found.name}", NOT_OWN)
    said = found.settings
    verify = said.get("verify", True)
    local = bool(said.get("endpoint")) and loopback(urlsplit(endpoint_of(found)).hostname or "")
    ca = isinstance(verify, str) and not _is_the_systems(verify)
    for refused, setting in (
        (said.get("keyring", False) is not False, "a keyring entry"),
        (verify is False and not local, "verify = false"),
        (ca and not local, "a CA file of its own"),
        (said.get("allow_http", False) is not False and not local, "allow_http = true"),
    ):
        if refused:
            raise ProfileError(f"{found.name}: {found.source} may not name {setting}", NOT_OWN)


def _is_the_systems(path: str) -> bool:
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(folder) for folder in _SYSTEM)
