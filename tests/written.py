"""Results to write, lively texts among them, and how the files are read back."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa

from cs_magic.api.records import Records
from cs_magic.api.values import Page, Provenance, Result

FIELDS = {
    "id": "text",
    "name": "text",
    "cpunumber": "integer",
    "load": "float",
    "haenable": "boolean",
    "created": "date",
    "cpuused": "number",
    "publicport": "port",
    "nic": "nested",
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WHOLE = {
    "id": "i1",
    "name": "web",
    "cpunumber": 2,
    "load": 0.5,
    "haenable": True,
    "created": "2026-11-23T12:00:00+0000",
    "cpuused": "4.1%",
    "publicport": "443",
    "nic": [{"ipaddress": "10.1.1.1"}],
}
LIVELY = (
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "  =1+1",
    '"=1+1',
    "'=1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(A1)",
    "\ufeff=1+1",
    "x;=1+1;y",
    "x\t=1+1",
    "x\n=1+1",
    'x"\r\n "=1+1',
    "=cmd|' /C calc'!A0",
)


def made(*rows: dict[str, Any], kinds: dict[str, str] = FIELDS, text: bool = False) -> Result:
    """A result of these rows, a page each."""
    records = Records(kinds, text=text)
    for row in rows:
        records.add(Page("thing", None, json.dumps([row]).encode()))
    origin = Provenance("listThings", profile="lab", host="cloud", rows=len(rows))
    return Result(records.table(), origin, "thing", tuple(records.notes))


def named(*names: str) -> Result:
    return made(*({"id": f"i{n}", "name": name} for n, name in enumerate(names)))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def opened(path: Path) -> Any:
    return openpyxl.load_workbook(io.BytesIO(path.read_bytes()))


def first_sheet(path: Path) -> Any:
    return opened(path).worksheets[0]


def cells(path: Path) -> list[dict[str, Any]]:
    header, *rows = first_sheet(path).iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def beside(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def one_line_end(text: str) -> str:
    return re.sub("\r\n?", "\n", text)


SCHEMA = {
    "name": pa.large_string(),
    "cpunumber": pa.int64(),
    "created": pa.timestamp("us", "UTC"),
    "id": pa.large_string(),
    "load": pa.float64(),
    "haenable": pa.bool_(),
    "cpuused": pa.float64(),
    "publicport": pa.int64(),
    "nic": pa.large_string(),
    "_other": pa.large_string(),
}
ODD = {name: {"odd": name} for name in FIELDS if name not in {"id", "nic"}}
