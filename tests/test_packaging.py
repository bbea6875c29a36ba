"""What is published: a wheel and an sdist, and what an empty environment makes of them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from tools.matrix import LEFT_OUT

ROOT = Path(__file__).parent.parent
long = pytest.mark.long
FIRST_STEPS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "cs_magic")
shell.run_line_magic("cs", "-q use demo")
shell.run_line_magic("cs", "-q zones << listZones")
print(sorted(shell.user_ns["zones"]["name"]))
"""


def run(*words: str | Path, where: Path | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is made of it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT)
    [sdist] = folder.iterdir()
    unpacked = tmp_path_factory.mktemp("sdist")
    with tarfile.open(sdist) as held:
        held.extractall(unpacked, filter="data")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, *unpacked.iterdir())
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel and what that asks for, no more."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    [wheel] = built.glob("*.whl")
    run(python, "-m", "pip", "install", "--quiet", wheel)
    return python


@long
def test_the_wheel_holds_the_package_and_its_catalogue_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as held:
        names = held.namelist()
    tops = {name.split("/")[0] for name in names}
    assert "cs_magic" in tops
    assert all(top == "cs_magic" or top.endswith(".dist-info") for top in tops)
    assert any("api/bundled/catalogue-" in name for name in names)
    assert "cs_magic/py.typed" in names
    words = {part for name in names for part in name.split("/")[:-1]}
    assert not words & {"tests", "recordings", "notebooks", "benchmarks"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


@long
def test_the_sdist_holds_no_tests_and_no_recordings(built: Path) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as held:
        names = [name.partition("/")[2] for name in held.getnames()]
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"} <= set(names)
    assert [name for name in names if name.startswith(("tests", "notebooks", "build"))] == []


@long
def test_twine_has_nothing_to_say(built: Path) -> None:
    assert "PASSED" in run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())


@long
def test_it_works_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    assert "Zürich" in run(installed, "-c", FIRST_STEPS, where=tmp_path)
    assert "--port" in run(installed, "-m", "cs_magic.demo", "--help", where=tmp_path)


@long
def test_what_it_lacks_there_it_names(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, "-m", "cs_magic.report", "x.ipynb"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install '.[reports]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_matrix_leaves_out_is_there() -> None:
    assert [path for path in LEFT_OUT if not (ROOT / path).exists()] == []
