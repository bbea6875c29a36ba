"""Pages fetched by a few threads and handed out in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")
# Together a second at most: a thread that looks up a name can't be cut, and ends by itself.
_CUTS, _PATIENCE = 25, 0.01
Fetch = Callable[[int, threading.Event], T]


class Ahead(Generic[T]):
    """Numbered things, fetched a little ahead of who takes them; iterate to take them in order.

    Args:
        fetch: gets one by its number; the event tells it to give up.
        first: the number to begin with.
        known: the last number that is known to exist; those beyond are fetched
            only when they are asked for.
        workers: how many threads fetch.
        interrupt: cuts what these threads (by ident) are in the middle of.
        idle: is called now and then while the next one is waited for.

    Leaving the `with` stops the threads; what they are fetching is cut off.
    """

    def __init__(
        self,
        fetch: Fetch[T],
        first: int,
        known: int,
        workers: int,
        interrupt: Callable[[set[int]], None],
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._fetch = fetch
        self._known = known
        self._interrupt = interrupt
        self._idle = idle
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._came: dict[int, T] = {}
        self._failed: dict[int, BaseException] = {}
        self._next = self._wanted = first
        self._window = workers * 2
        self._threads = [
            threading.Thread(target=self._work, name="cs_magic pages", daemon=True)
            for _ in range(workers)
        ]

    def __enter__(self) -> Ahead[T]:
        try:
            for thread in self._threads:
                thread.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
        # A thread may be just about to begin an exchange, so it is cut again until it ends.
        for _ in range(_CUTS):
            living = [thread for thread in self._threads if thread.is_alive()]
            if not living:
                return
            self._interrupt({thread.ident for thread in living if thread.ident is not None})
            for thread in living:
                thread.join(_PATIENCE)

    def __iter__(self) -> Iterator[tuple[int, T]]:
        """In order and without end; raises what the fetch of the next one raised."""
        number = self._wanted
        while True:
            while not self._is_there(number):
                self._idle()
            with self._changed:
                if number in self._failed:
                    raise self._failed[number]
                thing = self._came.pop(number)
            yield number, thing
            number += 1

    def rest(self) -> list[T]:
        """What came already of those not yet taken, in order."""
        with self._changed:
            return [self._came.pop(number) for number in sorted(self._came)]

    def _work(self) -> None:
        while (number := self._take_number()) is not None:
            try:
                thing = self._fetch(number, self._stop)
            except BaseException as error:  # noqa: BLE001 - raised again on the thread that asked
                self._done(self._failed, number, error)
                return
            self._done(self._came, number, thing)

    def _done(self, where: dict[int, U], number: int, what: U) -> None:
        with self._changed:
            where[number] = what
            self._changed.notify_all()

    def _take_number(self) -> int | None:
        """The next number to fetch, once it is near enough to be wanted; None when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop.is_set() or self._near())
            if self._stop.is_set():
                return None
            number, self._next = self._next, self._next + 1
            return number

    def _is_there(self, number: int) -> bool:
        """Whether the number wanted now came, waited for a little."""
        with self._changed:
            self._wanted = number
            self._changed.notify_all()
            # In slices: an interrupt that comes just before a wait would not end it.
            return self._changed.wait_for(self._settled, timeout=0.2)

    def _settled(self) -> bool:
        return self._wanted in self._came or self._wanted in self._failed

    def _near(self) -> bool:
        if self._failed:
            return False
        if self._next > self._known:
            return self._next <= self._wanted
        return self._next < self._wanted + self._window
