"""The embedded demo cloud as a profile: for the magics, and for scripts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile

if TYPE_CHECKING:
    from cs_magic.demo.server import Demo

DEMO = "demo"


def is_current() -> bool:
    """Whether the environment says that the demo cloud is the current profile."""
    return os.environ.get("CS_MAGIC_PROFILE", "").strip() == DEMO


class Embedded:
    """A demo cloud in this process, which starts when its profile is first asked for."""

    def __init__(self) -> None:
        self._demo: Demo | None = None

    def profile(self) -> Profile:
        """The profile of its root admin."""
        if self._demo is None:
            from cs_magic.demo.server import Demo

            self._demo = Demo().start()
        demo = self._demo
        keys = KeyPair(demo.api_key, demo.secret_key)
        source = "the embedded demo cloud"
        # Another port each time: nothing of it is worth keeping on disk.
        return Profile(DEMO, demo.endpoint, keys, source, catalogue="fresh")

    def stop(self) -> None:
        """End it, where it was started; the next one is as new."""
        demo, self._demo = self._demo, None
        if demo is not None:
            demo.stop()
