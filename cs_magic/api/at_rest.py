"""Python's cyclic collector at rest while many objects are made, none of them a cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest(much_stays: bool = False) -> Iterator[None]:
    """No search for garbage while nothing but values is made: it would walk them all, often.

    Args:
        much_stays: what was made counts as old from the start, and isn't walked right after.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if much_stays and not gc.get_freeze_count():
                gc.freeze()  # this, and its reverse, move all there is to the oldest generation
                gc.unfreeze()
            gc.enable()
