"""Until when something is waited for, and how what is read meanwhile is cut."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cs_magic.api.transport import Transport

_PATIENCE = 0.05


class Until(threading.Event):
    """An event that is set also once so many seconds have passed, or another one is set."""

    def __init__(self, seconds: float, other: threading.Event | None = None) -> None:
        super().__init__()
        self._end = time.monotonic() + seconds
        self._other = other or threading.Event()

    def is_set(self) -> bool:
        """Whether it is set by now."""
        return self.left <= 0 or self._other.is_set() or super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it, so many seconds at most; whether it is set."""
        self._other.wait(self.left if timeout is None else min(timeout, self.left))
        return self.is_set()

    @property
    def left(self) -> float:
        """How many seconds are left, never less than 0."""
        return max(0.0, self._end - time.monotonic())


@contextmanager
def cut_after(transport: Transport, end: Until) -> Iterator[None]:
    """Cut what this thread reads in here once the time is over."""
    done, here = threading.Event(), threading.get_ident()

    def cut() -> None:
        done.wait(end.left)
        while not done.wait(_PATIENCE):
            transport.interrupt({here})

    cutter = threading.Thread(target=cut, name="cs_magic deadline", daemon=True)
    cutter.start()
    try:
        yield
    finally:
        done.set()
        cutter.join()  # it cuts nothing that comes after
