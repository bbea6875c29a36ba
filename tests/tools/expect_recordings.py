"""Writes out what a reader must make of every recorded reply, into tests/recordings/expected/.

    python tests/tools/expect_recordings.py

It reads the replies in the slow, obvious way and uses nothing of cs_magic, so that the client
is held against somebody else's reading. What it writes is looked through by a person whenever
it changes. One line per recording, one outcome per step:

    {"list": key, "count": N, "by": column, "rows": [...], "columns": number}
    {"object": key, ...}           the same, one row, without a count
    {"job": jobid, "id": id}       a job was started
    {"error": class, "code": N, "cs": N, "text": "..."}
    {"unusable": "what is said"}   no answer of CloudStack's API; with "fate" where the call may
                                   have changed something

An object that is a job which is over has, for whoever waited, `done` (the key of its result)
and `made` (the id in it), or `failed` (code and text). `columns` is a line of columns.jsonl:
the dtype of every column that a row has.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent / "recordings"
THERE = HERE / "expected"
Row = dict[str, Any]

DTYPES = {
    "boolean": "boolean", "integer": "Int64", "int": "Int64", "long": "Int64", "short": "Int64",
    "double": "Float64", "float": "Float64", "date": "datetime64[us, UTC]",
}  # fmt: skip
# Texts that are numbers to a person, and texts that are ports.
LIMITED = (
    "backup backupstorage bucket cpu gpu ip memory network objectstorage primarystorage project "
    "secondarystorage snapshot template vm volume vpc"
).split()
NUMBERS = {f"{what}{end}" for what in LIMITED for end in ("limit", "available")} | set(
    "cpuused cpuload cpuallocated cpuallocatedpercentage cpuallocatedwithoverprovisioning "
    "memoryused memoryallocated memoryallocatedpercentage cpumaxdeviation memorymaxdeviation "
    "percentused drsimbalance cpuwithoverprovisioning memorywithoverprovisioning "
    "cpuovercommitratio memoryovercommitratio overprovisionfactor rawusage".split()
)
PORTS = set("privateport privateendport publicport publicendport startport endport".split())
# The first of these that every row has tells the rows apart in a test's words.
TELLING = ("id", "usageid", "name", "value", "usagetypeid", "zoneid")


def body_of(step: Row) -> str:
    """The body as text."""
    body, how = step.get("body") or "", step.get("bodyencoding")
    if how:
        raw = base64.b64decode(body)
        raw = gzip.decompress(raw) if how == "gzip+base64" else raw
        return raw.decode("utf-8", "replace")
    return str(body)


def header(step: Row, name: str) -> str:
    """A header of the reply."""
    return str(next((v for k, v in step["headers"].items() if k.lower() == name), ""))


def documents(text: str) -> list[Any]:
    """The JSON documents in a text, one after another; a stray backslash is a backslash."""
    try:
        return [json.loads(text, strict=False)]
    except ValueError:
        pass
    text = re.sub(r'\\(?!["\\/bfnrtu])', r"\\\\", text.strip())
    found = []
    decoder = json.JSONDecoder(strict=False)
    while text:
        try:
            document, end = decoder.raw_decode(text)
        except ValueError:
            return found
        found.append(document)
        text = text[end:].strip()
    return found


def outcome(step: Row, documented: dict[str, dict[str, str]]) -> Row:
    """What must come of a step's reply, and what is said of a change whose answer is lost."""
    told = answer(step, documented)
    reads = re.match("get|list|query|find", step["call"].get("command") or "")
    if not reads and "unusable" in told and step["status"] in {200, 531}:
        return told | {"fate": "unknown"}
    return told


def answer(step: Row, documented: dict[str, dict[str, str]]) -> Row:
    """What must come of a step's reply."""
    status, text = step["status"], body_of(step)
    if 300 <= status < 400:
        return {"unusable": f"HTTP {status}: the endpoint redirects to {header(step, 'location')}"}
    if not text.strip():
        return nothing(status)
    if "html" in header(step, "content-type") or text.lstrip()[:5].lower() == "<html":
        return {"unusable": f"HTTP {status} with a web page"}
    if status == 531 and text.strip() == "null":
        return {"unusable": "HTTP 531, which CloudStack did not say"}
    if status != 200:
        return refusal(status, text)
    found = documents(text)
    if not found:
        return {"unusable": "not JSON"}
    ((_, inner),) = found[0].items()
    return success(inner, documented.get(step["call"].get("command") or "", {}))


def nothing(status: int) -> Row:
    """An empty reply: trouble inside, or a method that is not served."""
    if status == 200:
        return {"unusable": "HTTP 200 with nothing in it"}
    return refusal(status, "")


def refusal(status: int, text: str) -> Row:
    """An error document, the last one where there are two; or a bare sentence."""
    inner: Row = {}
    for document in documents(text):
        values = list(document.values()) if isinstance(document, dict) else []
        if values and isinstance(values[0], dict):
            inner = values[0]
    said = inner.get("errortext") or ("" if text.startswith("{") else text)
    within = re.search(r'"errortext":"([^"]*)"', said)  # a 511 wraps the whole document once more
    said = within[1] if within else said
    code = inner.get("errorcode", status)
    return {
        "error": "Unauthorized" if code == 401 else "ApiError",
        "code": code,
        "cs": inner.get("cserrorcode"),
        "text": said or f"HTTP {status}, without a text",
    }


def success(inner: Row, documented: dict[str, str]) -> Row:
    """A list, an object or the beginning of a job."""
    lists = [name for name, value in inner.items() if isinstance(value, list)]
    others = [name for name in inner if name != "count"]
    if "jobid" in inner and set(inner) <= {"jobid", "id"}:
        return {"job": inner["jobid"], "id": inner.get("id")}
    if not others:
        return {"list": None, "count": inner.get("count"), "rows": []}
    if len(lists) == 1 and (others == lists or "count" in inner):
        (key,) = lists
        told = {"list": key, "count": inner.get("count")}
        return told | table([row_of(key, row) for row in inner[key]], documented)
    if len(others) == 1 and isinstance(inner[others[0]], dict) and "count" not in inner:
        return {"object": others[0]} | table([inner[others[0]]], documented)
    return {"object": None} | table([inner], documented) | ended(inner)


def ended(inner: Row) -> Row:
    """What a job that is over must give to whoever waited: its result's key and id, or an error."""
    result = inner.get("jobresult", {})
    match inner.get("jobstatus"):
        case 2:
            return {"failed": [result["errorcode"], result["errortext"]]}
        case 1 if len(result) == 1 and isinstance(next(iter(result.values())), dict):
            ((key, made),) = result.items()
            return {"done": key, "made": made.get("id")}
        case 1:
            return {"done": None}
    return {}


def row_of(key: str, row: Any) -> Row:
    """A row that is no object is an object with one field."""
    return row if isinstance(row, dict) else {key: row}


def table(rows: list[Row], documented: dict[str, str]) -> Row:
    """The rows' names and the dtypes of their columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    by = next((name for name in TELLING if all(name in row for row in rows)), None)
    told: Row = {"by": by, "rows": [row[by] for row in rows]} if by else {"rows": len(rows)}
    columns = {
        name: dtype(name, [row[name] for row in rows if name in row], documented.get(name))
        for name in names
    }
    return told | {"columns": columns}


def dtype(name: str, values: list[Any], documented: str | None) -> str:
    """The dtype that a column of these values must have."""
    found = {type(value) for value in values if value is not None}
    if found <= {str}:
        return of_text(name, values, documented)
    if found == {bool}:
        return "boolean"
    if found == {int} and documented not in {"double", "float"}:
        return "Int64"
    if found <= {int, float}:
        return "Float64"
    return "object"


def of_text(name: str, values: list[str], documented: str | None) -> str:
    """Texts: dates, booleans and numbers where the documentation or the name says so."""
    given = [value for value in values if value]
    if documented == "date" and all(re.fullmatch(r"\d{4}-\d\d-\d\dT.*", one) for one in given):
        return DTYPES["date"]
    if documented == "boolean" and all(one in {"true", "false"} for one in given):
        return "boolean"
    if DTYPES.get(documented or "") == "Int64" and all(re.fullmatch(r"-?\d+", o) for o in given):
        return "Int64"
    if name in PORTS and documented and all(one.isdecimal() for one in given):
        return "Int64"
    number = r"-?\d+(\.\d+)?(E\d+)? ?%?|Unlimited|NaN"
    if name in NUMBERS and documented and all(re.fullmatch(number, one) for one in given):
        return "Float64"
    return "str"


def recordings() -> dict[str, list[Row]]:
    """Group → its recordings."""
    return {
        path.stem: [json.loads(line) for line in path.read_text().rstrip("\n").split("\n")]
        for path in sorted(HERE.glob("*.jsonl"))
    }


def documentation(groups: dict[str, list[Row]]) -> dict[str, dict[str, str]]:
    """Command → field → type, from the largest recorded listApis reply."""
    replies = (
        body_of(step)
        for group in groups.values()
        for recording in group
        for step in recording["steps"]
        if step["call"].get("command") == "listApis" and step["status"] == 200
    )
    apis = json.loads(max(replies, key=len))["listapisresponse"]["api"]
    return {
        api["name"]: {field["name"]: field["type"] for field in api["response"] if field}
        for api in apis
    }


def main() -> None:
    THERE.mkdir(exist_ok=True)
    groups = recordings()
    documented = documentation(groups)
    columns: dict[str, int] = {}
    for name, group in groups.items():
        lines = []
        for recording in group:
            steps = [outcome(step, documented) for step in recording["steps"]]
            for told in steps:
                if "columns" in told:
                    text = json.dumps(told["columns"], separators=(",", ":"))
                    told["columns"] = columns.setdefault(text, len(columns))
            entry = {"file": recording["file"], "steps": steps}
            lines.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        (THERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    (THERE / "columns.jsonl").write_text("\n".join(columns) + "\n")


if __name__ == "__main__":
    main()
