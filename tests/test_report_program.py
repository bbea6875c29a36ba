"""`python -m cs_magic.report`: what it leaves, what it says, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from cs_magic.report import main

LOAD = "%load_ext cs_magic"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration in which `down` is a cloud that nobody reaches."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    config = tmp_path / "config" / "cs_magic" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f"""[down]\nendpoint = "http://127.0.0.1:{port}"\napi_key = "a"\nsecret_key = "b"\n"""
    )
    config.chmod(0o600)
    return tmp_path


def written(folder: Path, *cells: str) -> Path:
    """A notebook of these cells, the first of which are its parameters."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, folder / "night.ipynb")
    return folder / "night.ipynb"


def ran(folder: Path, *cells: str, words: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a notebook of these cells, the first of which are its parameters."""
    written(folder, *cells)
    environment = {
        **os.environ,
        "XDG_CONFIG_HOME": str(folder / "config"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    command = [sys.executable, "-m", "cs_magic.report", "night.ipynb", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Give the program words that it can't begin with: the one line that it says."""
    monkeypatch.chdir(folder)

    def said(*words: str) -> str:
        before = sorted(folder.rglob("*"))
        assert main(list(words)) == 2
        out, err = capsys.readouterr()
        assert not out
        assert sorted(folder.rglob("*")) == before
        (line,) = err.splitlines()
        return line

    return said


def test_a_whole_report_leaves_notebook_and_page_and_ends_with_0(folder: Path) -> None:
    cells = (
        "top = 1  # how many = this\nname = ''\nfolder = 'build'",
        LOAD,
        "%cs -p demo -n $top -c name listVirtualMachines",
        "type(top), name, folder",
    )
    done = ran(folder, *cells, words=("-p", "top", "3", "-p", "name", "20260914", "-o", "out"))
    assert (done.returncode, done.stdout.split()) == (0, ["out/night.ipynb", "out/night.html"])
    assert done.stderr == ""  # cron mails whatever is said
    shown = nbformat.read(folder / "out" / "night.ipynb", 4).cells[-1].outputs[0].data["text/plain"]
    # A number where the notebook has one, text where it has text; files go where the page goes.
    assert shown == "(int, '20260914', 'out')"
    page = (folder / "out" / "night.html").read_text()
    assert "limited to 3 of" in page
    assert "listVirtualMachines" not in page  # no code
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.?http", page)


# papermill asks last what kernel it is, and ends it on the answer.
BUSY_A_MOMENT_LONGER = """
import asyncio, inspect, time
handlers = get_ipython().kernel.shell_handlers
first = handlers["kernel_info_request"]
async def slow(*message):
    came = first(*message)
    if inspect.isawaitable(came):
        await came
    time.sleep(0.5)
handlers["kernel_info_request"] = slow
"""


def test_a_kernel_that_is_not_quite_done_is_not_interrupted(folder: Path) -> None:
    done = ran(folder, "x = 1", BUSY_A_MOMENT_LONGER)
    assert (done.returncode, done.stderr) == (0, "")


SLEEPS = """
import pathlib, time
try:
    pathlib.Path("begun").touch()
    time.sleep(60)
finally:
    pathlib.Path("tidied").touch()
"""


def test_a_cell_that_is_running_is_interrupted_where_the_report_is(folder: Path) -> None:
    written(folder, "x = 1", SLEEPS)
    command = [sys.executable, "-m", "cs_magic.report", "night.ipynb"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as program:
        until = time.monotonic() + 60
        while not (folder / "begun").exists() and time.monotonic() < until:
            time.sleep(0.1)
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=30) != 0
    assert (folder / "tidied").exists()


def test_a_cell_that_fails_ends_it_with_1_and_one_line(folder: Path) -> None:
    done = ran(folder, "profile = 'demo'", LOAD, "%cs -p $profile listVirtualMachines stat=Running")
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("night.ipynb")]
    assert "CallError" in line
    assert "stat" in line
    assert (folder / "build" / "night.html").is_file()


def test_a_cloud_that_is_down_makes_it_incomplete_unless_that_is_allowed(folder: Path) -> None:
    cells = ("x = 1", LOAD, "%cs -p demo,down -c name listZones")
    done = ran(folder, *cells)
    assert done.returncode == 3
    assert "Incomplete: Not every profile's list came: down at 127.0.0.1" in done.stderr
    done = ran(folder, *cells, words=("--allow-incomplete",))
    assert done.returncode == 0, done.stderr
    assert "Zürich" in (folder / "build" / "night.html").read_text()


def test_the_page_has_the_code_where_that_is_asked(folder: Path) -> None:
    done = ran(folder, "x = 1", "6 * 7  # the question", words=("--code",))
    assert done.returncode == 0, done.stderr
    assert "# the question" in (folder / "build" / "night.html").read_text()


@pytest.mark.parametrize(
    "name",
    "secret_key password sessionkey pw pwd auth bearer credentials db_pw Bearer-Token".split(),
)
def test_a_secret_is_no_parameter(folder: Path, refused: Callable[..., str], name: str) -> None:
    written(folder, "x = 1")
    line = refused("night.ipynb", "-p", name, "tell-tale")
    assert "secrets come from the environment" in line
    assert "tell-tale" not in line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("-p", "profil", "prod"), "has no parameter profil: did you mean profile?"),
        (("-p", "so what", "1"), "has no parameter so what, it has profile, top, deep, rows"),
        (("-p", "top", "many"), "top is a number, not many"),
        (("-p", "top", "true"), "top is a number, not true"),
        (("-p", "deep", "no"), "deep is true or false, not no"),
        (("-o", "."), "-o . is the notebook's own folder: it would be lost"),
        (("-o", "night.ipynb/below"), "nothing can be kept in night.ipynb/below: Not a directory"),
    ],
)
def test_what_it_can_t_begin_with_ends_it_with_2_and_one_line(
    folder: Path, refused: Callable[..., str], words: tuple[str, ...], line: str
) -> None:
    written(folder, "%config x\nprofile = 'demo'\ntop: int = 1\ndeep = False\nrows = [1]")
    assert refused("night.ipynb", *words).endswith(line)


@pytest.mark.parametrize("text", ["", "{}", "[]", "so it goes", '{"nbformat": 4}', "\xff"])
def test_what_is_no_notebook_ends_it_with_2_and_one_line(
    folder: Path, refused: Callable[..., str], text: str
) -> None:
    (folder / "night.ipynb").write_bytes(text.encode("latin1"))
    assert refused("night.ipynb") == "night.ipynb is not a notebook"


def test_parameters_that_can_t_be_read_are_one_line(
    folder: Path, refused: Callable[..., str]
) -> None:
    written(folder, "x = (")
    assert refused("night.ipynb").startswith("the parameters of night.ipynb can't be read")
    assert refused("no.ipynb") == "there is no notebook no.ipynb"
