"""After everything, no password, session key, JSESSIONID or code stands anywhere.

Each search finds a planted secret first, so that it can fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from front import Front, front

from cs_magic.demo.server import Demo, serving

PLANTED = "planted-tell-tale"
LOG = """\
import logging
logging.basicConfig(filename="debug.log", level=logging.DEBUG, force=True)
for name in ("urllib3", "requests", "Comm", "traitlets", "IPKernelApp", "tornado", "asyncio"):
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).propagate = True
"""
# What a person may do, and what they may look at afterwards.
FEATURES = (
    "%cs status -v",
    "%cs profiles",
    "%cs --dry-run listVirtualMachines",
    "vms = %cs -v listVirtualMachines\nvms.attrs",
    "%cs -o csv:vms.csv listVirtualMachines",
    "%cs -o raw listZones",
    "%cs listAccounts name=nobody",
    "%cs last",
    "%cs --tb listZones name=",
    "%cs --tb --no-check listNothing",
    "%cs last --tb",
    "import cs_magic; cs_magic.connect()",
)
REACHES = """\
import gc, pickle
from cs_magic.errors import CloudStackError
runner = get_ipython().magics_manager.magics["line"]["cs"].__self__.runner
[connection] = runner.desk.connections._open.values()
texts = [repr(one) for one in (
    runner, runner.names(None), runner.desk.sign_in, connection, connection.profile,
    connection.client, connection.client.access, connection.client.access.sessions,
    connection.client.access.sessions.signed_in, connection.client.transport,
)]
texts += [repr(In), repr(Out), repr(vms.attrs), pickle.dumps(vms).decode("latin-1")]
"""
FAILS = """\
try:
    get_ipython().run_line_magic("cs", "--no-check listNothing")
except CloudStackError as error:
    texts += [repr(error), str(error), repr(vars(error)), pickle.dumps(error).decode("latin-1")]
"""


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with serving(machines=100) as running:
        yield running


@pytest.fixture(scope="module")
def page(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A kernel where a user with two factors signed in by the form, after every kind of refusal."""
    home = tmp_path_factory.mktemp("secrets")
    who = demo.accounts["security"]
    with front(home, f'[people]\nendpoint = "{demo.endpoint}"\n') as page:
        page.home = home  # type: ignore[attr-defined]
        page.fine(LOG)
        page.fine("%load_ext cs_magic")
        page.run("vms = %cs listVirtualMachines")
        for password, code in (("wrong-" + who.password, ""), (who.password, "271828")):
            page.type("Username", who.username)
            page.type("Password", password)
            page.click("Sign in")
            if code:
                page.until(lambda: "Two-factor code" in page.says)
                page.type("Code", code)
                page.enter("Code")
                page.until(lambda: "code provided is invalid" in page.says)
            else:
                page.until(lambda: "Failed to authenticate" in page.says)
        page.type("Username", who.username)
        page.type("Password", who.password)
        page.click("Sign in")
        page.until(lambda: "Two-factor code" in page.says)
        page.type("Code", "314159")
        page.enter("Code")
        page.until(lambda: "is done" in page.says)
        for cell in FEATURES:
            page.run(cell)
        yield page


@pytest.fixture(scope="module")
def secrets(page: Front, demo: Demo) -> dict[str, str]:
    """Each secret by its kind, as the kernel holds them at this moment."""
    who = demo.accounts["security"]
    [session] = [
        one for one in demo.app.sessions._sessions.values() if one.account and one.verified
    ]
    return {
        "password": who.password,
        "code": "314159",
        "wrong code": "271828",
        "session key": session.key,
        "JSESSIONID": session.id,
    }


def found(secrets: dict[str, str], text: str) -> list[str]:
    """The kinds of secrets that a text holds, also escaped as JSON or URL would."""
    spelt = {kind: {one, json.dumps(one)[1:-1], _quoted(one)} for kind, one in secrets.items()}
    return [kind for kind, ways in spelt.items() if any(way in text for way in ways)]


def _quoted(text: str) -> str:
    from urllib.parse import quote_plus

    return quote_plus(text)


def everything_in(folder: Path) -> str:
    """Every byte of every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return "\n".join(path.read_bytes().decode("latin-1") for path in files)


def test_no_message_to_the_notebook_holds_a_secret(page, secrets):
    page.fine(f"print('{PLANTED}')")
    sent = "\n".join(repr(message["content"]) for message in page.raw)
    assert found({"planted": PLANTED}, sent) == ["planted"]
    assert found(secrets, sent) == []


def test_no_file_holds_a_secret_history_and_logs_at_debug_among_them(page, secrets):
    page.fine(f"x = '{PLANTED}'\nlogging.debug(x)\nget_ipython().history_manager.writeout_cache()")
    page.fine("logging.shutdown()")
    files = everything_in(page.home)
    names = [path.name for path in page.home.rglob("*")]
    assert "history.sqlite" in names
    assert "listVirtualMachines" in files
    log = (page.home / "debug.log").read_text()
    assert PLANTED in log
    assert "DEBUG:Comm:handle_msg" in log  # what is typed into other boxes is logged
    assert PLANTED in everything_in(page.home / "ipythondir")
    assert found(secrets, files) == []


def test_no_repr_no_exception_no_attrs_and_no_pickle_holds_a_secret(page, secrets):
    page.fine(REACHES)
    page.fine(FAILS)
    page.fine(f"{FAILS}texts.append('{PLANTED}')")
    told = page.fine("print('\\n'.join(texts))").text
    assert PLANTED in told
    assert "listNothing" in told
    assert "<Connection people at" in told
    assert found(secrets, told) == []


def test_no_widget_state_holds_a_secret(page, secrets):
    page.fine(f"import ipywidgets\nbox = ipywidgets.Text('{PLANTED}')")
    state = page.value("ipywidgets.Widget.get_manager_state()")
    assert PLANTED in state
    assert found(secrets, state) == []


def test_no_user_variable_reaches_the_password(page, secrets):
    """What a person can name is searched as deep as repr goes."""
    told = page.fine("print({k: repr(v) for k, v in list(globals().items()) if k != 'texts'})").text
    assert "vms" in told
    assert found(secrets, told) == []
