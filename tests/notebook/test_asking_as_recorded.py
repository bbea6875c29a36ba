"""What is typed after `%cs` is asked as a real server was asked, and said yes.

The texts are tests/recordings/expected/texts.jsonl; what they must send is read from the wire
of the recorded step. Only what `OURS` names may differ.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from replay import FOLDER, Replay, Step, environment, recorded

# Ours to choose where the person says nothing: pages, the scope, the language, the expiry.
CHOSEN = set("page pagesize expires listall projectid response".split())
# The signature and what belongs to it; and the id by which a lost job is found again.
BESIDE = {"apikey", "signature", "signatureversion", "customjobid"}
BY_NAME = {step.where: step for step in recorded()}


Typed = dict[str, Any]


@cache
def texts() -> dict[str, list[Typed]]:
    """Command → what is typed, its variables, and the step that was asked so."""
    found: dict[str, list[Typed]] = {}
    lines = (FOLDER / "expected" / "texts.jsonl").read_text().rstrip("\n").split("\n")
    for entry in map(json.loads, lines):
        found.setdefault(BY_NAME[entry["of"]].command, []).append(entry)
    return found


def asked(step: Step) -> dict[str, str]:
    """What the server was asked, from the wire."""
    sent_as = {name.lower(): value for name, value in step.sent["headers"].items()}
    is_form = sent_as.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = parse_qsl((step.sent.get("body") or "") if is_form else "", keep_blank_values=True)
    query = parse_qsl(urlsplit(step.sent["target"]).query, keep_blank_values=True)
    return dict([*body, *query])


def compared(form: dict[str, str], typed: Typed) -> dict[str, str]:
    """A request without what may differ: what was typed may not, but for a known name's case."""
    names = {word.partition("=")[0].lower() for word in typed["text"].split() if "=" in word}
    free = (CHOSEN | BESIDE) - names
    kept = {name: value for name, value in form.items() if name.lower() not in free}
    checked = not typed["text"].startswith("--no-check")
    return {name.lower() if checked else name: value for name, value in kept.items()}


def test_some_hundred_calls_are_typed():
    assert sum(map(len, texts().values())) > 550
    assert len(texts()) > 150


@pytest.mark.parametrize("command", texts())
def test_what_is_typed_is_asked_as_recorded(command, notebook, monkeypatch):
    differing = []
    for typed in texts()[command]:
        step = BY_NAME[typed["of"]]
        with Replay(step) as server:
            for name, value in environment(server, "admin").items():
                monkeypatch.setenv(name, value)
            ran = notebook.run(f"%%cs -y -q --no-wait\n{typed['text']}", **typed["names"])
        wanted = compared(asked(step), typed)
        sent = [compared(form, typed) for form in server.requests if form["command"] == command]
        if wanted not in sent:
            differing.append((typed["text"][:200], wanted, sent, ran.error))
    assert differing == []
