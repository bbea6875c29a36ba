"""Usage records, computed when a page of them is asked for.

What is metered is a `Meter`: a thing that its owner pays for, from a moment to
a moment. Time is cut into slots, a day each by default; every meter has a
record in every slot that it overlaps. So the records of a page follow from
their places in the list, and millions of them take no room.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, overload

from cs_magic.demo.data.items import DAY, START, Account, Item, Row
from cs_magic.demo.data.meters import Meter
from cs_magic.demo.data.usage_rows import Options, usage_row

# Two whole months and the days of the running one that are over.
BEGIN = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
END = START - START % DAY
# Into how many slots a day may be cut; ten minutes is the least that CloudStack takes.
SLOTS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 144)
REMEMBERED = 8


@dataclass(slots=True, eq=False)
class Record:
    """One record: a meter in a slot."""

    number: int
    meter: Meter
    first: int
    last: int
    options: Options

    @property
    def owner(self) -> Account | None:
        """Who pays."""
        return self.meter.owner

    def get(self, name: str) -> Any:
        """A field of the row."""
        return self.row().get(name)

    def row(self) -> Row:
        """The row as the real server prints it."""
        return usage_row(self.meter, self.first, self.last, self.options)


class Slots:
    """How time is cut: `length` seconds each, from the first of July."""

    def __init__(self, a_day: int) -> None:
        self.length = DAY // a_day
        self.count = (END - BEGIN) // self.length

    def start(self, slot: int, meter: Meter) -> int:
        """When a meter's record in a slot starts."""
        return BEGIN + slot * self.length + (self.length * 11 // 12 if meter.night else 0)

    def stop(self, slot: int, meter: Meter) -> int:
        """The last second of a meter's record in a slot."""
        return self.start(slot, meter) + (self.length // 6 if meter.night else self.length) - 1

    def range(self, meter: Meter, since: float, until: float) -> tuple[int, int]:
        """The slots in which a meter has a record that lies wholly between two moments."""
        late = self.start(0, meter) - BEGIN
        long = self.stop(0, meter) - self.start(0, meter)
        first = -((BEGIN + late - since) // self.length)
        last = (until - long - BEGIN - late) // self.length + 1
        lived = (meter.begin - BEGIN) // self.length, -((BEGIN - meter.end) // self.length)
        return max(int(first), lived[0], 0), min(int(last), lived[1], self.count)


class Records(Sequence[Item]):
    """The records of some meters between two moments, by slot and within it by meter."""

    def __init__(
        self, meters: Sequence[Meter], slots: Slots, since: float, until: float, options: Options
    ) -> None:
        self._slots = slots
        self._options = options
        ranges = ((meter, *slots.range(meter, since, until)) for meter in meters)
        self._ranges = [entry for entry in ranges if entry[1] < entry[2]]
        change = [0] * (slots.count + 1)
        for _, first, last in self._ranges:
            change[first] += 1
            change[last] -= 1
        # How many records there are before each slot, and in all.
        self._before = [0, *accumulate(list(accumulate(change))[: slots.count])]
        self._inside: OrderedDict[int, list[Meter]] = OrderedDict()

    def __len__(self) -> int:
        return self._before[-1]

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | Sequence[Item]:
        """A record by its place, or a page of them: all others stay unmade."""
        if isinstance(place, slice):
            start, stop, _ = place.indices(len(self))
            return list(self._between(start, stop))
        if not 0 <= place < len(self):
            raise IndexError(place)
        return next(self._between(place, place + 1))

    def _between(self, start: int, stop: int) -> Iterator[Item]:
        slot = bisect_right(self._before, start) - 1
        while start < stop:
            meters = self._meters(slot)
            first = start - self._before[slot]
            for meter in meters[first : first + stop - start]:
                yield self._record(start, slot, meter)
                start += 1
            slot += 1

    def _meters(self, slot: int) -> list[Meter]:
        """The meters with a record in a slot; those of the last few slots are remembered."""
        found = self._inside.get(slot)
        if found is None:
            found = [meter for meter, first, last in self._ranges if first <= slot < last]
            self._inside[slot] = found
            if len(self._inside) > REMEMBERED:
                self._inside.popitem(last=False)
        return found

    def _record(self, place: int, slot: int, meter: Meter) -> Record:
        slots = self._slots
        return Record(
            place + 1, meter, slots.start(slot, meter), slots.stop(slot, meter), self._options
        )


class Usage:
    """All meters of a cloud, and lists of their records.

    With `least`, days are cut into as many slots as it takes to have that many
    records, or as many as CloudStack allows.
    """

    def __init__(self, meters: Sequence[Meter], least: int = 0) -> None:
        self.meters = meters
        self.slots = Slots(1)
        for a_day in SLOTS:
            self.slots = Slots(a_day)
            if len(self.records(meters, BEGIN, END, Options())) >= least:
                break

    def records(
        self, meters: Sequence[Meter], since: float, until: float, options: Options
    ) -> Records:
        """The records of these meters that lie wholly between two moments."""
        return Records(meters, self.slots, since, until, options)
