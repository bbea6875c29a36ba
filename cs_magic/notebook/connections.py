"""The connections that this kernel has open, and which of them is current."""

from __future__ import annotations

import warnings
from dataclasses import replace

from cs_magic.api.profile import Profile
from cs_magic.api.profiles import Profiles
from cs_magic.connection import Connection
from cs_magic.embedded import DEMO, Embedded, is_current
from cs_magic.errors import ProfileError
from cs_magic.opening import opened


class Connections:
    """Opens a profile's connection when it is first needed, and keeps it."""

    def __init__(self) -> None:
        self._open: dict[Profile, Connection] = {}
        self._used: Profile | None = None
        self._asked: Connection | None = None
        self.profiles = Profiles()
        self._warned: set[str] = set()
        self._demo = Embedded()

    def current(self) -> Connection:
        """The connection that a call goes to.

        Raises:
            ProfileError: none was chosen and the environment holds none.
        """
        if self._used is None and is_current():
            return self.use(DEMO)
        self._asked = self._opened(self._used or self.profiles.current())
        return self._asked

    def at_hand(self, name: str | None = None) -> Connection | None:
        """The open connection that a call with that profile would go to, as far as is known.

        Nothing is opened, read or asked for: a key press may not do that.
        """
        if name is None and self._used is None:
            is_open = self._asked is not None and self._asked.profile in self._open
            return self._asked if is_open else None
        if self._used is not None and name in {None, self._used.name}:
            return self._open.get(self._used)
        return next((one for one in self._open.values() if one.profile.name == name), None)

    def named(self, name: str, used: Profile | None = None) -> Connection:
        """The connection of a profile; `demo` starts the demo cloud.

        One that is in use read-only stays so. `used` is what will be in use then.

        Raises:
            ProfileError: there is no such profile.
        """
        profile, used = self._profile(name), used or self._used
        if used is not None and _same(profile, used):
            profile = used
        return self._opened(profile)

    def of(self, mark: object) -> Connection | None:
        """The open connection whose sessions have that mark, or None."""
        opened = self._open.values()
        return next((one for one in opened if one.client.access.sessions.mark is mark), None)

    def is_open(self, connection: Connection) -> bool:
        """Whether it was not closed."""
        return self._open.get(connection.profile) is connection

    def to_use(self, name: str, read_only: bool = False) -> Connection:
        """The connection that `use` would make the current one; errors as in `named`."""
        profile = self._profile(name)
        return self._opened(replace(profile, read_only=profile.read_only or read_only))

    def use(self, name: str, read_only: bool = False) -> Connection:
        """Make a profile the current one; errors as in `named`, and then nothing changes."""
        connection = self.to_use(name, read_only)
        self._used = connection.profile
        # It takes the place of the one that may write, or may not.
        for profile in [one for one in self._open if _same(one, self._used)]:
            if profile != self._used:
                self._open.pop(profile).close()
        return connection

    @property
    def used(self) -> str | None:
        """The name of the profile that `use` made the current one, or None."""
        return None if self._used is None else self._used.name

    def current_name(self) -> str | None:
        """The name of the current profile, or None where nothing decides."""
        try:
            return (self._used or self.profiles.current()).name
        except ProfileError:
            return None

    def close(self) -> None:
        """Close everything, the demo cloud too."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()
        self._used = None
        self._demo.stop()

    def _profile(self, name: str) -> Profile:
        return self._demo.profile() if name == DEMO else self.profiles.get(name)

    def _opened(self, profile: Profile) -> Connection:
        self._warn()
        if profile not in self._open:
            self._open[profile] = opened(profile)
        return self._open[profile]

    def _warn(self) -> None:
        """Say once of each file with secrets that others on this machine can read it."""
        for path in self.profiles.sources().open_to_others:
            if path not in self._warned:
                self._warned.add(path)
                warnings.warn(
                    f"{path} holds secrets and others can read it: chmod 600 {path}", stacklevel=4
                )


def _same(one: Profile, other: Profile) -> bool:
    """Whether two profiles differ in nothing but that one may only read."""
    return replace(one, read_only=other.read_only) == other


def name_and_host(connection: Connection) -> str:
    """A connection as people know it: `prod at cloud.example.com`."""
    return f"{shown_name(connection)} at {connection.profile.host}"


def shown_name(connection: Connection) -> str:
    """The profile's name, and its file where that may have come with somebody else's folder."""
    profile = connection.profile
    foreign = profile.source.startswith("./")
    return f"{profile.name} ({profile.source} in this folder)" if foreign else profile.name
