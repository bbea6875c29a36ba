"""The connections that this kernel has open, and which of them is current."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.api.profiles import Profiles
from cs_magic.connection import Connection, opened
from cs_magic.errors import ProfileError

if TYPE_CHECKING:
    from cs_magic.demo.server import Demo

DEMO = "demo"


class Connections:
    """Opens a profile's connection when it is first needed, and keeps it."""

    def __init__(self) -> None:
        self._open: dict[Profile, Connection] = {}
        self._used: Profile | None = None
        self.profiles = Profiles()
        self._warned: set[str] = set()
        self._demo: Demo | None = None

    def current(self) -> Connection:
        """The connection that a call goes to.

        Raises:
            ProfileError: none was chosen and the environment holds none.
        """
        return self._opened(self._used or self.profiles.current())

    def named(self, name: str) -> Connection:
        """The connection of a profile; `demo` starts the demo cloud.

        Raises:
            ProfileError: there is no such profile.
        """
        if name == DEMO:
            return self._opened(self._demo_profile())
        return self._opened(self.profiles.get(name))

    def use(self, name: str, read_only: bool = False) -> Connection:
        """Make a profile the current one; errors as in `named`, and then nothing changes."""
        profile = self.named(name).profile
        self._used = replace(profile, read_only=profile.read_only or read_only)
        return self.current()

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
        if self._demo is not None:
            self._demo.stop()
            self._demo = None

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

    def _demo_profile(self) -> Profile:
        if self._demo is None:
            from cs_magic.demo.server import Demo

            self._demo = Demo()
            self._demo.start()
        demo: Any = self._demo
        keys = KeyPair(demo.api_key, demo.secret_key)
        return Profile(DEMO, demo.endpoint, keys, source="the embedded demo cloud")
