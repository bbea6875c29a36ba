"""One figure, in a process of its own: `figures.py NAME FOLDER` prints its seconds and peak.

The peak is resident memory above the start, in MB; imports, the bytes in memory and a first
run over two pages are before the start.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import data

Run = Callable[[list[bytes]], object]
KEY = "listvirtualmachinesresponse"
CHANGED = {"cpunumber": "text", "name": "integer", "created": "text", "haenable": "text"}


def main(name: str, folder: str) -> None:
    pages = data.pages(Path(folder))
    run = FIGURES[name]
    run(pages[:2])
    gc.collect()
    start = restarted()
    began = time.perf_counter()
    made = run(pages)
    seconds = time.perf_counter() - began
    peak = kilobytes("VmHWM") - start
    del made
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak / 1000}))


def restarted() -> int:
    """Resident kilobytes now; the peak is counted from here on."""
    Path("/proc/self/clear_refs").write_text("5")
    return kilobytes("VmRSS")


def kilobytes(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))


# -- what others do ------------------------------------------------------------------------


def orjson_dropped(pages: list[bytes]) -> None:
    import orjson

    for page in pages:
        orjson.loads(page)


def orjson_at_rest(pages: list[bytes]) -> None:
    gc.disable()
    orjson_dropped(pages)
    gc.enable()


def msgspec_dropped(pages: list[bytes]) -> None:
    import msgspec

    for page in pages:
        msgspec.json.decode(page)


def _rows(pages: list[bytes]) -> list[dict[str, Any]]:
    import orjson

    return [row for page in pages for row in orjson.loads(page)[KEY]["virtualmachine"]]


def dicts(pages: list[bytes]) -> Any:
    import pandas as pd

    return pd.DataFrame(_rows(pages))


def dicts_typed(pages: list[bytes]) -> Any:
    import pandas as pd

    frame = dicts(pages)
    for name, kind in _kinds().items():
        if name in frame and kind == "date":
            frame[name] = pd.to_datetime(frame[name], utc=True)
        elif name in frame and kind == "number":
            frame[name] = pd.to_numeric(frame[name].str.removesuffix("%")).astype("Float64")
        elif name in frame and kind in {"integer", "boolean"}:
            frame[name] = frame[name].astype({"integer": "Int64", "boolean": "boolean"}[kind])
    return frame


def normalized(pages: list[bytes]) -> Any:
    import pandas as pd

    return pd.json_normalize(_rows(pages))


def polars(pages: list[bytes]) -> Any:
    import polars as pl

    whole = b",".join(page[page.index(b"[") + 1 : -3] for page in pages)
    return pl.read_json(b"[" + whole + b"]", infer_schema_length=None)


# -- ours ----------------------------------------------------------------------------------


def _kinds() -> dict[str, str]:
    from cs_magic.api.catalogue import bundled
    from cs_magic.api.spelling import kinds

    return kinds(bundled().command("listVirtualMachines"))


def _frame(
    pages: list[bytes], kinds: dict[str, str], columns: tuple[str, ...] | None = None
) -> Any:
    from cs_magic.frames import to_frame

    return to_frame(_result(pages, kinds, columns), columns)


def _result(
    pages: list[bytes], kinds: dict[str, str], columns: tuple[str, ...] | None = None
) -> Any:
    """As a list is read: what read it is gone when the frame is made."""
    from cs_magic.api import sight
    from cs_magic.api.records import Records
    from cs_magic.api.values import Provenance, Response, Result

    records = Records(kinds, columns)
    for page in pages:
        response = Response(200, "application/json", page)
        records.add(sight.read("listVirtualMachines", response))  # type: ignore[arg-type]
    return Result(records.table(), Provenance("listVirtualMachines"))


def ours(pages: list[bytes]) -> Any:
    return _frame(pages, _kinds())


def ours_flat(pages: list[bytes]) -> Any:
    kinds = _kinds()
    first = json.loads(pages[0])[KEY]["virtualmachine"][0]
    return _frame(pages, kinds, tuple(name for name in first if kinds[name] != "nested"))


def ours_few(pages: list[bytes]) -> Any:
    return _frame(pages, _kinds(), ("name", "state", "zonename", "memory", "created"))


def ours_other(pages: list[bytes]) -> Any:
    """By a catalogue in which ten fields are missing and four are of another type."""
    kinds = _kinds()
    for name in [name for name, kind in kinds.items() if kind == "text"][20:30]:
        del kinds[name]
    return _frame(pages, kinds | CHANGED)


FIGURES: dict[str, Run] = {
    "orjson": orjson_dropped,
    "orjson, collector off": orjson_at_rest,
    "msgspec": msgspec_dropped,
    "dicts": dicts,
    "dicts, typed": dicts_typed,
    "json_normalize": normalized,
    "polars": polars,
    "ours": ours,
    "ours, flat": ours_flat,
    "ours, few": ours_few,
    "ours, another catalogue": ours_other,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
