"""`make` on a machine that lacks something says what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEEDED = ("make", "sh", "awk", "echo", "rm", "touch")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with the Makefile, and a `bin` with the few programs that every machine has."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        if found:
            (programs / name).symlink_to(found)
    return tmp_path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run make there, seeing only the few programs."""
    environment = {**os.environ, "PATH": str(folder / "bin"), "PYTHON": "", "MAKEFLAGS": ""}
    return subprocess.run(
        ["make", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def put(folder: Path, name: str, script: str) -> None:
    """Put a program into the folder's bin."""
    program = folder / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_plain_make_lists_the_words_each_with_a_line(bare: Path) -> None:
    shown = make(bare).stdout
    words = "demo lab test test-all lint notebooks pictures peers verify faults bench"
    for word in words.split():
        assert f"  make {word} " in shown


def test_too_old_a_python_gets_a_sentence_that_says_what_to_install(bare: Path) -> None:
    put(bare, "python3", "exit 1")  # what the question after the version ends with
    done = make(bare, "demo")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout
    assert "apt-get install python3.11" in done.stdout


def test_a_missing_venv_module_gets_a_sentence_that_says_what_to_install(bare: Path) -> None:
    put(bare, "python3", f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"')
    done = make(bare, "demo")
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stdout
    assert not (bare / ".venv").exists()
