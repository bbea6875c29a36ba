"""How many requests an endpoint has from this kernel at a time, whoever sends them.

As many as the profile's `workers` say: four, where nothing else is said. A server that refuses
because of too many (429, 503), that doesn't answer in time, or whose answers take ever longer, gets
fewer than it had; one that copes gets one more now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

LONGEST_PAUSE = 60.0
SLOW = 4.0  # times what the same call took at best
SOON = 0.25  # seconds: what is quicker than that is no burden
_LOOK = 0.05
_REMEMBERED = 64

Clock = Callable[[], float]


class Gate:
    """The requests under way to one endpoint; safe to use from several threads."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way = 0
        self._allowed = self._most = 0.0
        self._best: dict[Hashable, float] = {}
        self._quiet = 0  # answers until latency may slow it down again
        self._not_before = clock()

    @property
    def allowed(self) -> int:
        """How many may be under way right now; 0 before the first."""
        return int(self._allowed)

    @property
    def held(self) -> float:
        """How many seconds are left of the pause that the server asked for; 0 or less for none."""
        return self._not_before - self._clock()

    def hold(self, seconds: float | None) -> None:
        """The server asks for a pause: a second where it doesn't say how long, a minute at most."""
        with self._changed:
            until = self._clock() + min(seconds or 1.0, LONGEST_PAUSE)
            self._not_before = max(self._not_before, until)

    @contextmanager
    def turn(self, most: int, stop: threading.Event) -> Iterator[None]:
        """Wait for a turn, where fewer than `most` are under way; at once where `stop` is set.

        Those of a profile that may send more wait for those of one that may not, too.
        """
        with self._changed:
            self._widen(most)
            while self._under_way >= min(most, self.allowed) and not stop.is_set():
                self._changed.wait(_LOOK)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify()

    def answered(self, call: Hashable, seconds: float) -> None:
        """A request was answered after so long: whether the server copes.

        Args:
            call: what it was, the page left out: only the pages of one list compare.
        """
        with self._changed:
            best = min(seconds, self._best.pop(call, seconds))
            self._best[call] = best  # the last ones come last
            if len(self._best) > _REMEMBERED:
                del self._best[next(iter(self._best))]
            slow = seconds > max(SOON, SLOW * best)
            if slow and not self._quiet:
                self._narrow(self._had - 1)
            self._quiet = max(0, self._quiet - 1)
            if not slow:  # one more after as many answers as are under way
                self._allowed = min(self._most, self._allowed + 1 / max(1.0, self._allowed))
                self._changed.notify()

    def refused(self) -> None:
        """The server had too much to do, or gave no answer: half as many as it had from now on."""
        with self._changed:
            if self._quiet:
                self._quiet -= 1
            else:
                self._narrow(self._had / 2)

    @property
    def _had(self) -> float:
        """How many it had when it answered: another profile may be allowed more than are sent."""
        return min(self._allowed, self._under_way)

    def _widen(self, most: int) -> None:
        if most > self._most:
            self._allowed += most - self._most
            self._most = most

    def _narrow(self, allowed: float) -> None:
        """Those under way now were sent before: what they tell comes too late to count again."""
        self._allowed = max(1.0, allowed)
        self._quiet = self._under_way


_gates: WeakValueDictionary[str, Gate] = WeakValueDictionary()
_lock = threading.Lock()


def gate_of(endpoint: str) -> Gate:
    """The one gate of an endpoint, shared by everybody in this process who uses it now."""
    with _lock:
        gate = _gates.get(endpoint)
        if gate is None:
            gate = _gates[endpoint] = Gate()
        return gate
