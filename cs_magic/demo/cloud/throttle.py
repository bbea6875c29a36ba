"""How many calls an account may make in a while, and what one over the limit is told."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from cs_magic.demo.cloud.refusals import Refused
from cs_magic.demo.data.items import Account


class Throttle:
    """A fixed window per account, from its first call on; root admins are not counted."""

    def __init__(
        self,
        most: float = math.inf,
        seconds: float = 1.0,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        if most < 1 or seconds <= 0:
            raise ValueError(f"Nobody can work with {most} calls in {seconds} seconds")
        self._most = most
        self._seconds = seconds
        self._ticks = ticks
        self._windows: dict[int, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def let_pass(self, seconds: float) -> None:
        """Be as if nobody had called for so long."""
        with self._lock:
            self._windows = {
                number: (end - seconds, calls) for number, (end, calls) in self._windows.items()
            }

    def count(self, account: Account) -> None:
        """Count a call; Refused with 429 where it is one too many, which counts too."""
        if account.role.kind == 1 or self._most == math.inf:
            return
        with self._lock:
            now = self._ticks()
            end, calls = self._windows.get(account.number, (0.0, 0))
            if now >= end:
                end, calls = now + self._seconds, 0
            self._windows[account.number] = end, calls + 1
        if calls + 1 > self._most:
            raise Refused(
                429,
                "The given user has reached his/her account api limit, please retry after "
                f"[{math.ceil((end - now) * 1_000)}] ms.",
            )
