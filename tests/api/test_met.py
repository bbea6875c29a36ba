"""What was met before is remembered in little memory."""

from __future__ import annotations

import gc
import tracemalloc

from cs_magic.api.met import Recent

ROWS = 40_000


def test_the_rows_of_an_earlier_list_take_eight_bytes_each_also_while_the_next_one_begins():
    met = Recent(several=True)
    met.of({-1})
    met.begin()
    for start in range(0, ROWS, 500):
        met.of(set(range(start, start + 500)))
    gc.collect()  # of earlier tests: what ends in the middle would be counted, too
    tracemalloc.start()
    try:
        met.begin()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < ROWS
    assert met.of({0, ROWS - 1, ROWS}) == (set(), {0, ROWS - 1})
