"""The demo's own time."""

from __future__ import annotations

import time
from collections.abc import Callable

from cs_magic.demo.data.items import START


class Clock:
    """The demo's time: it starts on a fixed day and runs on with the real one."""

    def __init__(self, start: float = START, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._offset = start - ticks()

    def now(self) -> float:
        """Seconds since 1970, in the demo's time."""
        return self._offset + self._ticks()
