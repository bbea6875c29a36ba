"""What tenants wrote (names, errors) can drive neither the page nor the terminal."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
from api.servers import KEYS, Came, Reply, serving
from replay import Replay, environment, steps

EVIL = "<script>alert(1)</script>\x1b[31m\x07\u202e\r\n<b>"


def replies(status: int, document: dict) -> Replay:
    """A server that answers listZones so."""
    [recorded] = steps("F-shapes/09-shape-zones")
    body = json.dumps({"listzonesresponse": document}).encode()
    return Replay(replace(recorded, status=status, body=body))


@pytest.fixture
def says(notebook, monkeypatch):
    """Runs a cell against a server that answers so."""

    def run(status: int, document: dict, cell: str = "%cs listZones"):
        with replies(status, document) as replay:
            for name, value in environment(replay).items():
                monkeypatch.setenv(name, value)
            return notebook.run(cell)

    return run


def assert_harmless(text: str) -> None:
    assert "\x1b" not in text.replace("\x1b[0m", "")
    assert not set(text) & set("\x07\u202e\r")


def test_an_errortext_is_shown_on_one_line_with_its_controls_as_escapes(says):
    ran = says(431, {"uuidList": [], "errorcode": 431, "cserrorcode": 4350, "errortext": EVIL})
    assert ran.error_lines[:2] == [
        "ApiError: <script>alert(1)</script>\\u001b[31m\\u0007\\u202e  <b>",
        "  listZones: errorcode 431, cserrorcode 4350",
    ]
    assert_harmless("".join(ran.error_lines))
    assert_harmless(str(ran.error))
    assert ran.error.errortext == EVIL


def test_a_row_is_escaped_in_the_table(says):
    ran = says(200, {"count": 1, "zone": [{"id": "1", "name": "<img src=x onerror=alert(1)>"}]})
    assert "<img" not in ran.tables[0]
    assert "&lt;img" in ran.tables[0]


def test_a_line_beside_the_result_is_escaped(says):
    zone = {"id": "1", "name": "a", "<img src=x>\x1b[1m": "b", "allocationstate": {"<b>": EVIL}}
    ran = says(200, {"count": 1, "zone": [zone]}, "%cs -v z << listZones")
    for shown in ran.outputs:
        assert_harmless(shown["text/plain"])
        assert "<img" not in shown["text/html"]
        assert "<b>" not in shown["text/html"]


def test_what_was_typed_is_shown_harmlessly_and_the_caret_stays_in_its_place(notebook, cloud):
    ran = notebook.run(f"get_ipython().run_line_magic('cs', {f'listZones name={EVIL!r} foo'!r})")
    _, line, caret = ran.error_lines[:3]
    assert_harmless("".join(ran.error_lines))
    assert line[caret.index("^") :].startswith(line.rpartition(" ")[2]) or "<b>" in line


def test_a_table_cannot_drive_the_terminal(says, notebook):
    ran = says(200, {"count": 1, "zone": [{"id": "1", "name": EVIL}]})
    whole = "".join(str(text) for shown in ran.outputs for text in shown.values())
    assert "\\u001b[31m" in whole
    frame = notebook.shell.user_ns["_"]
    for table in (frame, frame["name"], frame.head()):
        assert_harmless(notebook.shell.display_formatter.format(table)[0]["text/plain"])


def test_the_jobs_cannot_drive_the_terminal(notebook, monkeypatch):
    job = {"jobid": "1", "jobstatus": 2, "jobresult": {"errorcode": 530, "errortext": EVIL}}

    def answer(came: Came) -> Reply:
        asks = came.form["command"] == "queryAsyncJobResult"
        return Reply(body=json.dumps({"x": job if asks else {"jobid": "1"}}).encode())

    with serving(answer) as server:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", server.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", KEYS.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", KEYS.secret_key)
        assert notebook.run("%cs -y rebootVirtualMachine id=1").error
        [shown] = notebook.fine("%cs jobs").outputs
    assert "\\u001b[31m" in shown["text/plain"]
    assert_harmless(shown["text/plain"])


def test_other_tables_are_shown_as_pandas_shows_them(notebook):
    table = pd.DataFrame({"a": range(100), "ö": "Zürich 東京"})
    assert notebook.shell.display_formatter.format(table)[0]["text/plain"] == repr(table)
