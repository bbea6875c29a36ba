"""Python's collector is left as it was, and doesn't walk a new frame's values right away."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from cs_magic.api.at_rest import collector_at_rest


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize("much_stays", [False, True])
@pytest.mark.parametrize("is_on", [False, True])
def test_it_is_left_as_it_was_also_after_an_error(much_stays: bool, is_on: bool) -> None:
    (gc.enable if is_on else gc.disable)()
    with suppress(KeyError), collector_at_rest(much_stays):
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled() is is_on


def test_what_stays_is_old_from_the_start_and_can_still_be_collected() -> None:
    with collector_at_rest(much_stays=True):
        made = [[number] for number in range(10_000)]
    made.append([made])
    assert not any(one is made for one in gc.get_objects(generation=0))
    assert gc.get_freeze_count() == 0
    assert any(one is made for one in gc.get_objects(generation=2))
    del made
    assert gc.collect() > 10_000


def test_what_somebody_froze_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with collector_at_rest(much_stays=True):
        pass
    assert 0 < gc.get_freeze_count() <= frozen
