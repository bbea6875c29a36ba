"""A page's rows → cells by column, through a struct made from the columns: the fast way.

Its fields stand in the order in which the server sends them, which is what makes it fast.
Nested fields are not parsed, only cut out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cs_magic.api.columns import Cells, Column

NOTHING = msgspec.Raw(b"null")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)
_WIRE: dict[str, tuple[Any, Any]] = {
    "text": (str | None, None),
    "integer": (int | None, None),
    "float": (int | float | None, None),  # as a float alone, a large integer would be rounded
    "boolean": (bool | None, None),
    "json": (msgspec.Raw, NOTHING),
}
_ABSENT = (None, None)


class Rows:
    """Reads pages of rows with these columns, those that are present or may yet come.

    Args:
        columns: in the order in which their fields come in a row.
        closed: a field that isn't among them is refused; else it is skipped.
    """

    def __init__(self, columns: Sequence[Column], closed: bool) -> None:
        self._columns = columns
        names = [f"f{number}" for number in range(len(columns))]
        row = msgspec.defstruct(
            "Row",
            [
                (name, *(_WIRE[column.wire] if column.present else _ABSENT))
                for name, column in zip(names, columns, strict=True)
            ],
            rename={name: column.name for name, column in zip(names, columns, strict=True)},
            forbid_unknown_fields=closed,
            gc=False,
        )
        self._decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
            list[row]  # type: ignore[valid-type]
        )

    def read(self, rows: bytes, doubtful: bool = False) -> tuple[dict[str, Cells], int]:
        """The cells of the present columns, and how many rows there are.

        Args:
            doubtful: nobody has looked whether the text of nested fields is valid.

        Raises:
            UNREADABLE: a field that is refused, a value of another type, or no JSON.
        """
        read = self._decoder.decode(rows)
        cells = zip(*map(msgspec.structs.astuple, read), strict=True)
        found: dict[str, Cells] = {
            column.name: values
            for column, values in zip(self._columns, cells, strict=True)
            if column.present
        }
        if doubtful:
            nested = (c.name for c in self._columns if c.present and c.wire == "json")
            _check(found[name] for name in nested)
        return found, len(read)


def in_order(known: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """All names, in the order of the longest of these rows; then those that it doesn't have."""
    longest = max(rows, key=len)
    return list(dict.fromkeys([*longest, *(name for row in rows for name in row), *known]))


def _check(nested: Iterable[Cells]) -> None:
    """Whether text that is not parsed here is text.

    Raises:
        UNREADABLE: bytes that are no UTF-8, or what may be half a surrogate pair.
    """
    for cells in nested:
        whole = b"".join(cells)
        if not whole.isascii():
            whole.decode()
        if b"\\" in whole and (b"\\ud" in whole or b"\\uD" in whole):
            raise msgspec.DecodeError("perhaps half a surrogate pair")
