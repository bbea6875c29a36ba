"""The oldest IPython that we promise to work with: loading, Tab in a kernel and in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OLDEST = "8.31.0"
TESTS = (
    "tests/notebook/test_extension.py",
    "tests/notebook/test_completion.py",
    "tests/notebook/test_completion_kernel.py",
    "tests/test_terminal.py",
)
PATIENCE = 1200  # seconds for all of them


def ran(command: list[str], path: str = "") -> subprocess.CompletedProcess[str]:
    """What a Python did that has these folders before its own packages."""
    variables = {**os.environ, "PYTHONPATH": path} if path else None
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The search path with which Python finds the oldest IPython, and then this checkout."""
    folder = str(tmp_path_factory.mktemp("ipython"))
    done = ran(["-m", "pip", "install", "--quiet", "--target", folder, f"ipython=={OLDEST}"])
    assert done.returncode == 0, done.stderr
    return os.pathsep.join((folder, str(ROOT)))


def test_the_oldest_ipython_is_the_one_that_is_promised() -> None:
    assert f'"ipython>={OLDEST.removesuffix(".0")}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.long
@pytest.mark.parametrize("tests", TESTS)
def test_it_works_with_the_oldest_ipython(oldest: str, tests: str) -> None:
    found = ran(["-c", "import IPython, cs_magic; print(IPython.__version__)"], oldest)
    assert found.stdout.strip() == OLDEST, found.stderr
    done = ran(["-m", "pytest", "-q", "-p", "no:cacheprovider", tests], oldest)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout
