"""Writes the recorded calls that were accepted as a person would type them: expected/texts.jsonl.

    python tests/tools/type_recordings.py

One line per different call: `text` is what follows `%cs`, with `--no-check` where the server's
own listApis has no such parameter, or the value is none for it; `names` are the variables in
it, for secrets and for what no quotes can hold; `of` is the recorded step that it must ask like,
beside what `LEFT_OUT` names. Nothing of cs_magic is used; a person looks the texts through
whenever they change.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from expect_recordings import THERE, body_of, outcome, recordings

# Ours to choose: how many rows at a time, in which language, until when, with which key.
LEFT_OUT = set("page pagesize response expires signatureversion apikey signature command".split())
SECRET = {"password", "sessionkey"}
# No quotes hold a line's end; a time without its zone is refused, and a 13th month.
UNTYPABLE = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
NO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|\d{4}-1[3-9]-\d\d")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLAIN = re.compile(r"[\w./:+,@%*~-]+")


def sent(step: dict[str, Any]) -> list[tuple[str, str]]:
    """The names and values that went out."""
    headers = {name.lower(): value for name, value in step["sent"]["headers"].items()}
    is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = (step["sent"].get("body") or "") if is_form else ""
    forms = (body, urlsplit(step["sent"]["target"]).query)
    return [pair for form in forms for pair in parse_qsl(form, keep_blank_values=True)]


@cache
def parameters() -> dict[str, dict[str, str]]:
    """Command → its parameters and their types, from the largest recorded listApis reply."""
    apis = [
        body_of(step)
        for group in recordings().values()
        for recording in group
        for step in recording["steps"]
        if step["call"].get("command") == "listApis" and step["status"] == 200
    ]
    return {
        api["name"]: {one["name"].lower(): one["type"] for one in api["params"]}
        for api in json.loads(max(apis, key=len))["listapisresponse"]["api"]
    }


def quoted(value: str) -> str:
    """A value as it is typed."""
    if PLAIN.fullmatch(value) or not value:
        return value
    inside = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def typed(step: dict[str, Any]) -> dict[str, Any] | None:
    """What a person types, or None where nobody can: a name given twice, or with a blank."""
    command = step["call"]["command"]
    pairs = [(name, value) for name, value in sent(step) if name.lower() not in LEFT_OUT]
    if len({name.lower() for name, _ in pairs}) < len(pairs):
        return None
    names: dict[str, str] = {}
    words = [command]
    if any(" " in name for name, _ in pairs):
        return None
    if not all(_checked(command, name, value) for name, value in pairs):
        words.insert(0, "--no-check")
    for name, value in pairs:
        if name.lower() in SECRET or UNTYPABLE.search(value):
            names[f"value{len(names)}"] = value
            words.append(f"{name}=$value{len(names) - 1}")
        else:
            words.append(f"{name}={quoted(value)}")
    return {"text": " ".join(words), "names": names}


def _checked(command: str, name: str, value: str) -> bool:
    """Whether it is a parameter, and the value one for it: ids, booleans, times with a zone."""
    known = parameters().get(command, {}) | {"customjobid": "string"}
    kind = known.get(name.lower().partition("[")[0])
    if kind is None or NO_TIME.fullmatch(value):
        return False
    if kind == "boolean" and value not in {"true", "false", ""}:
        return False
    return kind != "uuid" or value == "-1" or UUID.fullmatch(value) is not None


def accepted(step: dict[str, Any]) -> bool:
    """Whether it was signed with a key and CloudStack did what was asked."""
    told = outcome(step, {})
    return (
        step["auth"].startswith("key")
        and bool(step["call"].get("command"))
        and bool(told.keys() & {"list", "object", "job"})
    )


def main() -> None:
    texts: dict[str, dict[str, Any]] = {}
    for group, entries in recordings().items():
        for recording in entries:
            for index, step in enumerate(recording["steps"]):
                told = typed(step) if accepted(step) else None
                if told is not None:
                    of = f"{group}/{recording['file']}#{index}"
                    texts.setdefault(json.dumps(told), {**told, "of": of})
    lines = (json.dumps(told, ensure_ascii=False) for told in texts.values())
    (THERE / "texts.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
