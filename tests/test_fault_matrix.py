"""No fault of the network loses rows silently, sends a write twice, or hangs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fault_matrix import CELLS, cell, cloud

from cs_magic.demo.server import Demo


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with cloud() as demo:
        yield demo


@pytest.mark.parametrize(("fault", "asked"), CELLS)
def test_nothing_is_lost_doubled_or_hangs(demo: Demo, fault: str, asked: str) -> None:
    assert [why for one in cell(demo, fault, asked) for why in one.wrong] == []
