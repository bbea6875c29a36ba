"""Unattended: with keys the notebook runs; without, it fails in one line that says what to set."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pexpect
import pytest
from front import FOLDERS
from replay import VARIABLES

from cs_magic.demo.server import Demo, serving

CELLS = ["%load_ext cs_magic", "vms = %cs -c name,state listVirtualMachines", "print('below')"]
WHAT_TO_SET = "set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET"
TIMEOUT = 120
RUNNERS = {
    "papermill": ["papermill", "book.ipynb", "out.ipynb", "--no-progress-bar"],
    "nbconvert": ["nbconvert", "--to", "notebook", "--execute", "book.ipynb"],
    "nbmake": ["pytest", "--nbmake", "-p", "no:cacheprovider", "book.ipynb"],
}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with serving(machines=100) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, demo: Demo) -> Path:
    """A folder with a notebook, and a configuration whose profile somebody signs in to."""
    config = tmp_path / "xdg_config_home" / "cs_magic" / "config.toml"
    config.parent.mkdir(parents=True)
    config.touch(0o600)
    config.write_text(f'[people]\nendpoint = "{demo.endpoint}"\n')
    _write(tmp_path, CELLS)
    return tmp_path


def _write(home: Path, cells: list[str]) -> None:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(book, home / "book.ipynb")


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return {**kept, **{name: str(home / name.lower()) for name in FOLDERS}, **more}


def run(tool: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """What came of running the notebook."""
    return subprocess.run(
        [sys.executable, "-m", *RUNNERS[tool]],
        cwd=home,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def keys(demo: Demo) -> dict[str, str]:
    return {
        "CLOUDSTACK_ENDPOINT": demo.endpoint,
        "CLOUDSTACK_KEY": demo.api_key,
        "CLOUDSTACK_SECRET": demo.secret_key,
    }


@pytest.mark.parametrize("tool", RUNNERS)
def test_with_keys_in_the_environment_the_same_notebook_runs(tool, home, demo):
    ran = run(tool, home, **keys(demo))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("tool", RUNNERS)
def test_without_it_fails_in_one_line_that_says_what_to_set(tool, home):
    ran = run(tool, home)
    said = ran.stdout + ran.stderr
    assert ran.returncode != 0
    assert WHAT_TO_SET in " ".join(said.split())
    assert "magics.py" not in said.partition("SignInNeeded")[2]


def test_papermill_saves_an_error_output_and_runs_nothing_below(home):
    run("papermill", home)
    saved = nbformat.read(home / "out.ipynb", as_version=4)
    outputs = {cell.source: cell.outputs for cell in saved.cells if cell.cell_type == "code"}
    [error] = outputs[CELLS[1]]
    assert (error.output_type, error.ename) == ("error", "SignInNeeded")
    assert WHAT_TO_SET in error.evalue
    assert outputs[CELLS[2]] == []


def test_a_user_name_and_a_password_serve_unattended_and_a_dead_session_is_renewed(home, demo):
    who = demo.accounts["webshop"]
    _write(home, [*CELLS, "len(vms)"])
    before = len(demo.logins)
    demo.end_sessions(after=2)
    given = {"USERNAME": who.username, "PASSWORD": who.password, "DOMAIN": who.domain}
    given = {f"CLOUDSTACK_{name}": value for name, value in given.items()}
    ran = run("nbconvert", home, CLOUDSTACK_ENDPOINT=demo.endpoint, **given)
    assert ran.returncode == 0, ran.stderr
    assert [one.status for one in demo.logins[before:]] == [200, 200]
    everything = (path for path in home.rglob("*") if path.is_file())
    assert not any(who.password in path.read_bytes().decode("latin-1") for path in everything)


def test_twenty_failing_cells_with_a_stale_password_make_one_login(home, demo):
    fails = (
        "try:\n    get_ipython().run_line_magic('cs', 'listZones')\nexcept Exception as e: print(e)"
    )
    _write(home, ["%load_ext cs_magic", *[fails] * 20])
    before = len(demo.logins)
    given = {"CLOUDSTACK_USERNAME": "webshop", "CLOUDSTACK_PASSWORD": "tell-tale"}
    given |= {"CLOUDSTACK_DOMAIN": "/Retail", "CLOUDSTACK_ENDPOINT": demo.endpoint}
    assert run("nbconvert", home, **given).returncode == 0
    assert [one.status for one in demo.logins[before:]] == [531]


# -- a terminal -------------------------------------------------------------------------------


@pytest.fixture
def terminal(home: Path) -> Iterator[pexpect.spawn]:
    """IPython under a pseudo-terminal."""
    arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    child = pexpect.spawn(
        sys.executable,
        arguments,
        cwd=str(home),
        env=environment(home, PYTHON_BASIC_REPL="1"),
        encoding="utf-8",
        timeout=TIMEOUT,
        dimensions=(40, 200),
    )
    child.expect_exact("In [1]:")
    child.sendline("%load_ext cs_magic")
    child.expect_exact("In [2]:")
    yield child
    child.close(force=True)


def test_a_terminal_asks_with_a_hidden_prompt_and_the_call_goes_on(terminal, demo, home):
    who = demo.accounts["security"]
    heard = ""
    terminal.sendline("vms = %cs listVirtualMachines")
    for prompt, answer in (
        ("Username for people", who.username),
        (f"Password of {who.username}: ", who.password),
        ("Domain", ""),
        ("Two-factor code of security (/): ", "314159"),
    ):
        terminal.expect_exact(prompt)
        heard += terminal.before
        terminal.waitnoecho(1) if "assword" in prompt or "code" in prompt else None
        terminal.sendline(answer)
    terminal.expect_exact("complete")
    heard += terminal.before
    terminal.sendline("len(vms)")
    terminal.expect(r"Out\[\d+\]: (\d+)")
    assert int(terminal.match[1]) > 100
    terminal.sendline("exit()")
    terminal.expect(pexpect.EOF)
    heard += terminal.before
    assert who.username in heard  # what is typed in the clear is echoed
    assert who.password not in heard
    assert "314159" not in heard
    everything = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert any(b"listVirtualMachines" in one for one in everything)
    assert not any(who.password.encode() in one or b"314159" in one for one in everything)
    assert not [one for one in demo.app.sessions._sessions.values() if one.account]


def test_a_script_without_a_terminal_fails_in_one_line(home):
    script = home / "script.ipy"
    script.write_text("%load_ext cs_magic\n%cs listZones\nprint('below')\n")
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", str(script)],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ran.returncode == 1
    assert WHAT_TO_SET in ran.stdout + ran.stderr
    assert "below" not in ran.stdout
