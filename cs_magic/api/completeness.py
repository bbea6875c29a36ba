"""Whether a list is complete: what the server counts, held against what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Verdict = tuple[bool | None, str]


@dataclass(slots=True)
class ListRead:
    """What is known of one list while it is read; `full` where its last page was."""

    counts: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    fresh: int = 0
    cut: str = ""
    full: bool = False

    @property
    def rest(self) -> int:
        """The rows that the server counts beyond those that came."""
        return max(0, self.counts[-1] - self.fresh) if self.counts else 0

    def verdict(self) -> Verdict:
        """Whether the list is complete; a full last page that nothing counts may not be all."""
        complete, reason = verdict(self.counts, self.sizes, self.fresh, self.cut)
        uncounted = self.full and (not self.counts or self.counts[-1] == self.sizes[-1])
        return (None, _NO_TOTAL) if complete and uncounted else (complete, reason)


def cut_by_limit(
    lists: Sequence[ListRead], rows: int, overlap: int, limit: int | None
) -> Verdict | None:
    """What the limit left out; None where it cut nothing that is known of.

    Args:
        rows: the rows that were kept, of all lists.
        overlap: the rows that an earlier list had, too.
    """
    if limit is None or rows < limit:
        return None
    total = sum(this.counts[-1] for this in lists if this.counts) - overlap
    more = sum(this.fresh for this in lists) - overlap > limit
    if not all(this.sizes for this in lists):
        known = f" of {total} rows or more" if total > limit else " rows: there may be more"
        return False, f"limited to {limit}{known}"
    if total <= limit:
        return (False, f"limited to {limit} rows: there are more") if more else None
    if any(this.rest for this in lists[1:]):  # rows that the first list may have had
        certain = more or lists[0].rest > 0
        return (False if certain else None), f"limited to {limit} of at most {total} rows"
    return False, f"limited to {limit} of {total} rows"


def verdict(counts: Sequence[int], sizes: Sequence[int], fresh: int, cut: str = "") -> Verdict:
    """Whether one list is complete.

    Args:
        counts: the server's count on each page that had one.
        sizes: the rows that each page held.
        fresh: the different rows that came.
        cut: why it was cut on purpose.
    """
    if cut:
        return False, cut
    if not counts:
        return (True, "") if fresh == 0 or len(sizes) == 1 else (None, _NO_TOTAL)
    if set(counts) == {fresh}:
        return True, ""
    held = [size for size in sizes if size]
    if len(held) > 1 and counts[: len(held)] == held:
        return None, _NO_TOTAL
    if len(set(counts)) > 1:
        other = next(count for count in reversed(counts) if count != counts[0])
        return False, f"the total changed while reading ({counts[0]} → {other})"
    if fresh < counts[0]:
        different = " different ones" if sum(sizes) > fresh else ""
        return False, f"the server counts {counts[0]} rows, {fresh}{different} came"
    return None, f"the server counts {counts[0]} rows, {fresh} came"


_NO_TOTAL = "the server gives no total"
