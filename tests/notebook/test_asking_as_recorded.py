"""What is typed after `%cs` is asked as a real server was asked, and said yes.

The texts are tests/recordings/expected/texts.jsonl; what they must send is read from the wire
of the recorded step. Only what `CHOSEN` and `BESIDE` name may differ.
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
    return dict(pairs(step))


def pairs(step: Step) -> list[tuple[str, str]]:
    """The names and values that were sent, also those that were sent twice."""
    sent_as = {name.lower(): value for name, value in step.sent["headers"].items()}
    is_form = sent_as.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = parse_qsl((step.sent.get("body") or "") if is_form else "", keep_blank_values=True)
    query = parse_qsl(urlsplit(step.sent["target"]).query, keep_blank_values=True)
    return [*body, *query]


def compared(form: dict[str, str], typed: Typed) -> dict[str, str]:
    """A request without what may differ: what was typed may not, but for a known name's case."""
    names = {word.partition("=")[0].lower() for word in typed["text"].split() if "=" in word}
    free = (CHOSEN | BESIDE) - names
    kept = {name: value for name, value in form.items() if name.lower() not in free}
    checked = not typed["text"].startswith("--no-check")
    return {name.lower() if checked else name: value for name, value in kept.items()}


# Accepted steps that nobody can type: a name with a blank in it, or given twice.
UNTYPABLE = {
    "B-signature/130-char-in-names#4",
    "B-signature/93-duplicate-query#0",
    "B-signature/94-duplicate-body#0",
    "B-signature/95-duplicate-query-and-body#0",
}


def accepted(step: Step) -> bool:
    """Whether a call was signed with a key, and done."""
    if not step.auth.startswith("key") or not step.command or step.status != 200:
        return False
    if not step.body.startswith(b"{"):  # as XML: nobody can type that
        return False
    return b'"errorcode"' not in step.body or step.command == "queryAsyncJobResult"


def content(step: Step) -> str:
    """A call without what is beside it, so that those asked alike are the same."""
    beside = BESIDE - {"customjobid"} | {"page", "pagesize", "expires", "response"}
    return json.dumps(sorted(pair for pair in pairs(step) if pair[0].lower() not in beside))


def test_every_accepted_call_is_typed_but_for_those_that_nobody_can_type():
    assert sum(map(len, texts().values())) == 571
    typed = {content(BY_NAME[entry["of"]]) for each in texts().values() for entry in each}
    steps = [step for step in recorded() if accepted(step)]
    left = {step.where for step in steps if content(step) not in typed}
    assert left == UNTYPABLE


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
