"""Which rows a list had already: by identity, across its pages and across the lists united."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from cs_magic.api.columns import Cells
from cs_magic.api.lenient import loads
from cs_magic.api.met import Met
from cs_magic.api.values import Page

_RAW = msgspec.json.Decoder(list[msgspec.Raw])


class Seen:
    """The rows that came. `duplicates` came again in one list, `overlap` in another list."""

    def __init__(self, met: Met) -> None:
        self._met = met
        self.duplicates = 0
        self.overlap = 0

    def begin(self) -> None:
        """Another list begins."""
        self._met.begin()

    def take(self, cells: Mapping[str, Cells], page: Page, held: int) -> tuple[Any, int]:
        """Which rows of a page to keep (None for all), and how many this list didn't have.

        Identity is `id` with `zoneid` where there is one (templates come once per zone), else
        the whole row. An id that one page holds twice is no identity, and its rows stay; where
        they are the same in every field, one of them is not counted: it stands for another row.
        """
        ids = _identities(cells, page)
        here = set(ids)
        twice = 0
        if len(here) < held and "id" in cells:
            here -= {one for one, times in _counted(ids).items() if times > 1}
            twice = held - len(set(_whole_rows(page)))
        again, elsewhere = self._met.of(here)
        if not again and not elsewhere:
            return None, held - twice
        repeated = sum(one in again for one in ids)
        self.duplicates += repeated
        self.overlap += sum(one in elsewhere for one in ids)
        return [one not in again and one not in elsewhere for one in ids], held - repeated - twice


def _identities(cells: Mapping[str, Cells], page: Page) -> list[Any]:
    ids = _plain(cells.get("id", [None]))
    if any(one is None or isinstance(one, list | dict) for one in ids):
        return _whole_rows(page)
    zones = cells.get("zoneid")
    return ids if zones is None else list(zip(ids, map(str, _plain(zones)), strict=True))


def _plain(cells: Cells) -> list[Any]:
    if set(map(type, cells)) == {str}:
        return list(cells)
    return [loads(bytes(one)) if isinstance(one, bytes | msgspec.Raw) else one for one in cells]


def _whole_rows(page: Page) -> list[bytes]:
    """What each row is, all its fields, whatever columns are wanted."""
    try:
        texts = [bytes(row) for row in _RAW.decode(page.rows)]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        texts = [json.dumps(row).encode() for row in loads(page.rows)]
    return [blake2b(text, digest_size=16).digest() for text in texts]


def _counted(ids: Iterable[Any]) -> dict[Any, int]:
    times: dict[Any, int] = {}
    for one in ids:
        times[one] = times.get(one, 0) + 1
    return times
