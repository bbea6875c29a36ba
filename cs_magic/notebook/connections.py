"""The connections that this kernel has open, and which of them is current."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.api.profiles import Profiles
from cs_magic.connection import Connection, opened

if TYPE_CHECKING:
    from cs_magic.demo.server import Demo

DEMO = "demo"


class Connections:
    """Opens a profile's connection when it is first needed, and keeps it."""

    def __init__(self) -> None:
        self._open: dict[Profile, Connection] = {}
        self._used: Profile | None = None
        self._profiles = Profiles()
        self._demo: Demo | None = None

    def current(self) -> Connection:
        """The connection that a call goes to.

        Raises:
            ProfileError: none was chosen and the environment holds none.
        """
        return self._opened(self._used or self._profiles.current())

    def named(self, name: str) -> Connection:
        """The connection of a profile; `demo` starts the demo cloud.

        Raises:
            ProfileError: there is no such profile.
        """
        if name == DEMO:
            return self._opened(self._demo_profile())
        return self._opened(self._profiles.get(name))

    def use(self, name: str) -> Connection:
        """Make a profile the current one; errors as in `named`, and then nothing changes."""
        connection = self.named(name)
        self._used = connection.profile
        return connection

    def close(self) -> None:
        """Close everything, the demo cloud too."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()
        self._used = None
        if self._demo is not None:
            self._demo.stop()
            self._demo = None

    def _opened(self, profile: Profile) -> Connection:
        if profile not in self._open:
            self._open[profile] = opened(profile)
        return self._open[profile]

    def _demo_profile(self) -> Profile:
        if self._demo is None:
            from cs_magic.demo.server import Demo

            self._demo = Demo()
            self._demo.start()
        demo: Any = self._demo
        keys = KeyPair(demo.api_key, demo.secret_key)
        return Profile(DEMO, demo.endpoint, keys, source="the embedded demo cloud")
