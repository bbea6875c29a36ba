"""Which rows were met before: on an earlier page of a list, or in an earlier list."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from hashlib import blake2b
from typing import Any

PAGES = 16


class Met:
    """Remembers the identity of every row."""

    def __init__(self) -> None:
        self._seen: set[Any] = set()
        self._before: list[set[Any]] = []

    def begin(self) -> None:
        """Another list begins; what was met until now was met in an earlier one."""
        if self._seen:
            self._before.append(self._seen)
            self._seen = set()

    def of(self, page: set[Any]) -> tuple[set[Any], set[Any]]:
        """Which of a page's rows this list had before, and which others an earlier one; the
        page's are remembered."""
        again = page & self._seen
        elsewhere = set[Any]().union(*(page & before for before in self._before)) - again
        self._seen |= page
        return again, elsewhere


class Recent(Met):
    """Remembers the rows of a list's last 16 pages; of earlier lists 8 bytes a row.

    Those are a digest: that two rows of ten million have the same one is less likely than
    one in a hundred thousand.
    """

    def __init__(self, several: bool) -> None:
        super().__init__()
        self._several = several  # lists: else nothing is to be kept for a later one
        self._last: deque[set[Any]] = deque(maxlen=PAGES)
        self._marks = array("Q")
        self._earlier: list[array[int]] = []

    def begin(self) -> None:
        """Another list begins."""
        if self._marks:
            import numpy  # what streams has it anyway, and it sorts in place

            numpy.frombuffer(self._marks, "u8").sort()
            self._earlier.append(self._marks)
        self._marks = array("Q")
        self._last.clear()

    def of(self, page: set[Any]) -> tuple[set[Any], set[Any]]:
        """As `Met.of`, among the last pages."""
        again = page & set[Any]().union(*self._last)
        self._last.append(page)
        if not self._several:
            return again, set()
        marks = {one: _mark(one) for one in page}
        self._marks.extend(marks.values())
        elsewhere = {one for one, mark in marks.items() if self._had(mark)}
        return again, elsewhere - again

    def _had(self, mark: int) -> bool:
        for marks in self._earlier:
            place = bisect_left(marks, mark)
            if place < len(marks) and marks[place] == mark:
                return True
        return False


def _mark(identity: Any) -> int:
    text = identity if isinstance(identity, bytes) else repr(identity).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
