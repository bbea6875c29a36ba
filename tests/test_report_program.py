"""`python -m cs_magic.report`: what it leaves, what it says, and how it ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

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


def ran(folder: Path, *cells: str, words: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a notebook of these cells, the first of which are its parameters."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, folder / "night.ipynb")
    environment = {
        **os.environ,
        "XDG_CONFIG_HOME": str(folder / "config"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    command = [sys.executable, "-m", "cs_magic.report", "night.ipynb", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_whole_report_leaves_notebook_and_page_and_ends_with_0(folder: Path) -> None:
    cells = ("top = 1", LOAD, "%cs -p demo -n $top -c name listVirtualMachines", "type(top)")
    done = ran(folder, *cells, words=("-p", "top", "3", "-o", "out"))
    assert (done.returncode, done.stdout.split()) == (0, ["out/night.ipynb", "out/night.html"])
    page = (folder / "out" / "night.html").read_text()
    assert "limited to 3 of" in page
    assert (
        "int"
        in nbformat.read(folder / "out" / "night.ipynb", 4).cells[-1].outputs[0].data["text/plain"]
    )


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


@pytest.mark.parametrize("name", ["secret_key", "password", "sessionkey"])
def test_a_secret_is_no_parameter(folder: Path, name: str) -> None:
    done = ran(folder, "x = 1", words=("-p", name, "tell-tale"))
    assert done.returncode == 2
    assert "secrets come from the environment" in done.stderr
    assert "tell-tale" not in done.stdout + done.stderr
    assert not (folder / "build").exists()


def test_a_notebook_that_is_not_there_is_one_line(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cs_magic.report", "no.ipynb"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "there is no notebook no.ipynb\n")
