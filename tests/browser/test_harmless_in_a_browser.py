"""A machine called `<img src=x onerror=…>`: what a cloud calls things runs nothing in a browser.

The names, descriptions and error texts of this cloud all hold markup, a script, a link that is
one, and what drives a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api.servers import Came, Reply, listed, serving
from form import Form
from playwright.sync_api import expect
from test_tab import READ, Typing

RUN = "window.csEvil=1"
EVIL = (
    f'<img src=x onerror="{RUN}"><script>{RUN}</script>'
    f'<a href="javascript:{RUN}">here</a> [here](javascript:{RUN})\x1b[31m\x07\u202e'
)
SEEN = "<img src=x onerror="
CELLS = (
    "import os\nos.environ.pop('CS_MAGIC_CATALOGUE', None)\n%load_ext cs_magic",
    "%cs listZones",
    "%cs -v listZones",
    "%cs listHosts",
    "%cs -y rebootVirtualMachine id=8c8e4b04-0b33-4f5c-9f5b-4f5c9f5b4f5c",
    "%cs help listZones",
    "%cs apis zones",
    "%cs listZones nme=1",
    "%cs -p form listZones",
    "%cs jobs",
)
TABLE, LINE, ERROR, JOB, HELP, APIS, WRONG, FORM, JOBS = range(1, len(CELLS))


def refused(code: int, text: str) -> Reply:
    document = {"uuidList": [], "errorcode": code, "cserrorcode": 9999, "errortext": text}
    return Reply(code, json.dumps({"x": document}).encode())


def api(name: str, is_async: bool = False) -> dict[str, Any]:
    """What listApis says of a command."""
    parameter = {
        "name": "id",
        "description": EVIL,
        "type": "uuid",
        "required": False,
        "length": 255,
    }
    return {
        "name": name,
        "description": f"Zones {EVIL}",
        "isasync": is_async,
        "related": "",
        "params": [parameter, {**parameter, "name": "name", "type": "string"}],
        "response": [
            {"name": word, "description": EVIL, "type": "string"} for word in ("id", "name")
        ],
    }


def answer(came: Came) -> Reply:
    """What the cloud says: it is evil wherever it can be."""
    command = came.form["command"]
    if command == "listApis":
        commands = [api("listZones"), api("listHosts"), api("rebootVirtualMachine", True)]
        return Reply(body=listed("api", commands, len(commands)))
    if command == "listCapabilities":
        return Reply(body=b'{"x":{"capability":{"cloudstackversion":"4.22.0.0"}}}')
    if command == "listZones":
        zone = {"id": "8c8e4b04-0b33-4f5c-9f5b-4f5c9f5b4f5c", "name": EVIL, EVIL: EVIL}
        return Reply(body=listed("zone", [zone], 2))
    if command == "rebootVirtualMachine":
        return Reply(body=json.dumps({"x": {"jobid": EVIL}}).encode())
    if command == "queryAsyncJobResult":
        result = {"errorcode": 530, "errortext": EVIL}
        job = {"jobid": EVIL, "jobstatus": 2, "jobresultcode": 530, "jobresult": result}
        return Reply(body=json.dumps({"x": job}).encode())
    if command == "login":
        return refused(531, EVIL)
    return refused(431, EVIL)


def drives(outputs: list[dict[str, Any]]) -> bool:
    """Whether what a cell says as text could drive a terminal."""
    plain = [one["data"].get("text/plain", "") for one in outputs if "data" in one]
    errors = [line for one in outputs for line in one.get("traceback", ())]
    texts = [text if isinstance(text, str) else "".join(text) for text in (*plain, *errors)]
    return bool(set("".join(texts).replace("\x1b[0m", "")) & set("\x07\u202e\x1b"))


@pytest.fixture
def evil(lab) -> Iterator[None]:
    with serving(answer) as server:
        lab.configure(
            f'default = "keys"\n[keys]\nendpoint = "{server.endpoint}"\napi_key = "a"\n'
            f'secret_key = "s"\ncatalogue = "fresh"\n[form]\nendpoint = "{server.endpoint}"\n'
        )
        yield


@pytest.mark.usefixtures("evil")
def test_what_a_cloud_calls_things_runs_nothing_wherever_it_is_shown(open_notebook):
    page = open_notebook(*CELLS, "", f"from IPython.display import HTML\nHTML({EVIL!r})")
    dialogs = []
    page.tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for cell in range(len(CELLS)):
        page.run(cell)
    form = Form(page, FORM)
    form.sign_in("somebody", "nothing-much")
    form.expect_says(SEEN)
    for cell in (TABLE, LINE, ERROR, JOB, HELP, APIS, JOBS):
        expect(page.cell(cell).locator(".jp-OutputArea")).to_contain_text(SEEN)

    typing = Typing(page, len(CELLS))
    typing.type("%cs -p keys listZones id=")
    typing.tab()
    page.value(READ)
    typing.press("Escape")
    typing.tab()
    page.screenshot("harmless")

    # What a terminal would be driven by: in tables a browser shows it, and it does nothing.
    texts = {cell: drives(page.kept(number)) for number, cell in enumerate(CELLS)}
    assert [cell for cell, driving in texts.items() if driving] == []
    for selector in ("img[src='x']", "a[href^='javascript']"):
        assert page.tab.locator(selector).count() == 0
    assert page.tab.evaluate("window.csEvil") is None
    assert dialogs == []
    saved = page.save()
    page.reload()
    assert page.tab.evaluate("window.csEvil") is None
    assert SEEN in json.dumps(saved["cells"][TABLE]["outputs"])
    page.run(len(CELLS) + 1)  # shown as it is, it would have run
    page.tab.wait_for_function("window.csEvil === 1")
