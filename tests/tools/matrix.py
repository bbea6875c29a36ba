"""The tests at the lowest versions that pyproject.toml allows, and at the newest: `make matrix`.

python tests/tools/matrix.py [NAME...]

Each environment is made anew below build/matrix. Tests of the browser, and of tools that only
we use, stay out: they say nothing of what a user installs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build" / "matrix"
# What is asked of the resolver, and which versions are held.
ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "lowest": ("--resolution", "lowest-direct"),
    "newest": ("--upgrade",),
    "IPython 8": ("--upgrade", "ipython<9"),
}
TOOLS = (
    "pytest pytest-timeout pytest-xdist hypothesis trustme pexpect cogapp papermill nbclient"
).split()
TESTS = (
    "tests/api",
    "tests/notebook",
    "tests/demo",
    "tests/test_terminal.py",
    "tests/test_files.py",
)


def main(names: list[str]) -> int:
    """Make each environment, run the tests in it, and print a table; 1 where a test failed."""
    lines = ["| environment | versions | tests |", "| --- | --- | --- |"]
    failed = False
    for name in names or ENVIRONMENTS:
        python = _made(name)
        words = [str(python), "-m", "pytest", "-q", "-n", "2", "-m", "not long", *TESTS]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        last = done.stdout.strip().splitlines()[-1].strip("= ")
        (FOLDER / f"{name}.txt").write_text(done.stdout + done.stderr)
        failed |= done.returncode != 0
        lines.append(f"| {name} | {_versions(python)} | {last} |")
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    return int(failed)


def _made(name: str) -> Path:
    """The Python of a new environment."""
    folder = FOLDER / name.replace(" ", "-")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--clear", "-p", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run(
        [*install, *ENVIRONMENTS[name], "-e", ".[keyring,reports]"], cwd=ROOT, check=True
    )
    held = [word for word in ENVIRONMENTS[name] if not word.startswith(("-", "lowest"))]
    subprocess.run([*install, *held, *TOOLS], cwd=ROOT, check=True)
    return python


def _versions(python: Path) -> str:
    """The direct dependencies as they were installed."""
    asked = [one for one in requires("cs-magic") or () if "extra ==" not in one]
    names = [re.match(r"[\w-]+", one)[0] for one in asked]  # type: ignore[index]
    code = "import sys; from importlib.metadata import version as v;"
    code += "print(', '.join(f'{n} {v(n)}' for n in sys.argv[1:]))"
    done = subprocess.run(
        [python, "-c", code, *names], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
