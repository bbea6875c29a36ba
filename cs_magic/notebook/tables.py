"""How the frame of a call is shown: the columns that matter, and below them one quiet line.

The frame stays a plain DataFrame. Only this object is shown so; what is made of it (chosen
rows, a copy) is shown by pandas alone.
"""

from __future__ import annotations

import shutil
import weakref
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cs_magic.errors import harmless
from cs_magic.notebook.shown import quiet_line

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Line:
    """A quiet line about a frame, and notes on it; `seen` once they were shown below it."""

    text: str
    notes: Sequence[str] = ()
    seen: bool = False


def underline(value: Any, text: str, notes: Sequence[str]) -> Line | None:
    """Have a frame of a call shown with its first columns and a line below; other values not.

    The line, or None where there is none or the value is shown otherwise.
    """
    from pandas import DataFrame

    if not isinstance(value, DataFrame) or "cs" not in value.attrs:
        return None
    line = Line(text, notes) if text else None
    shown = _Shown(weakref.ref(value), len(value), line)
    object.__setattr__(value, "_repr_mimebundle_", shown)
    return line


@dataclass(frozen=True)
class _Shown:
    """What IPython shows of a frame; of so many rows when it came."""

    frame: weakref.ref[pd.DataFrame]
    rows: int
    line: Line | None

    def __call__(self, **_: Any) -> dict[str, str]:
        """The frame as text, and as HTML unless pandas is told to make none."""
        frame = self.frame()
        if frame is None:
            return {}
        text, columns = _text(frame)
        shown = {"text/plain": "\n".join([text, *map(harmless, self._below(frame, columns))])}
        html, columns = _html(frame)
        if html is not None:
            below = [quiet_line(said)["text/html"] for said in self._below(frame, columns)]
            shown["text/html"] = f"{html}\n{'<br>'.join(below)}"
        if self.line is not None:
            self.line.seen = True
        return shown

    def _below(self, frame: pd.DataFrame, shown: int) -> list[str]:
        """The line, as long as it is about these rows, and how many columns are not shown."""
        rows, columns = frame.shape
        cut = f"{shown} of {columns} columns" if shown < columns else ""
        if self.line is not None and rows == self.rows:
            line = f"{self.line.text} · {cut}: -c chooses" if cut else self.line.text
            return [line, *self.line.notes]
        cut = cut or (f"{columns} columns" if rows > (_most("rows") or rows) else "")
        return [f"{rows:,} rows · {cut}"] if cut else []


def _html(frame: pd.DataFrame) -> tuple[str | None, int]:
    """The first columns as pandas shows them, or the frame as somebody else's extension does."""
    from pandas import option_context

    ours = _first(frame, _most("columns") or frame.shape[1])
    if not _maker(frame).__module__.startswith("pandas."):  # itables, for every frame
        ours = frame
    with option_context("display.show_dimensions", False):
        return _maker(ours)(), ours.shape[1]


def _maker(frame: pd.DataFrame) -> Callable[[], str | None]:
    make: Callable[[], str | None] = getattr(frame, "_repr_html_")  # noqa: B009 - not in its types
    return make


def _text(frame: pd.DataFrame) -> tuple[str, int]:
    """The first columns as pandas writes them: in a terminal, as many as there is room for."""
    from pandas import option_context

    with option_context("display.show_dimensions", False):
        most = _most("columns")
        if most != 0:
            first = _first(frame, most or frame.shape[1])
            return repr(first), first.shape[1]
        with option_context("display.max_columns", None, "display.expand_frame_repr", False):
            room = shutil.get_terminal_size().columns
            numbers = range(1, frame.shape[1] + 1)
            fitting = bisect_right(numbers, room, key=lambda most: _width(_first(frame, most)))
            first = _first(frame, max(1, fitting))
            return repr(first), first.shape[1]


def _first(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """The first columns that say something at a glance, where there are more than these.

    What was exploded (`nic.ipaddress`) is asked for, and comes with the first five.
    """
    from pandas.api.types import is_object_dtype

    if most >= frame.shape[1]:
        return frame
    plain = [place for place, dtype in enumerate(frame.dtypes) if not is_object_dtype(dtype)]
    filled = [place for place in plain if frame.iloc[:, place].notna().any()]
    exploded = [place for place in filled if "." in str(frame.columns[place])]
    wanted = dict.fromkeys([*filled[:5], *exploded, *filled, *range(frame.shape[1])])
    return frame.iloc[:, sorted([*wanted][:most])]


def _most(what: str) -> int | None:
    """How many rows or columns pandas shows; 0 for those there is room for, None for all."""
    from pandas import get_option

    most: int | None = get_option(f"display.max_{what}")
    return most


def _width(frame: pd.DataFrame) -> int:
    return max(map(len, repr(frame).split("\n")))
