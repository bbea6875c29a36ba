"""The tests at the lowest versions that pyproject.toml allows, and at the newest: `make matrix`.

    python tests/tools/matrix.py [--collect] [NAME...]

Each environment is made anew below build/matrix, and has every test that `make test` has but
those of `LEFT_OUT`, which says why. With `--collect` they are found and imported, not run.
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
    "pytest pytest-timeout pytest-xdist hypothesis trustme pexpect cogapp papermill nbclient nbmake"
).split()
LEFT_OUT = {
    "tests/browser": "needs a Chromium; it says what JupyterLab shows, not what is installed here",
    "tests/peers": "other people's clients, at versions of their own",
    "tests/test_notebooks.py": "outputs are saved as the newest versions write them",
    "tests/test_reading_datasets.py": "other people's readers, at versions of their own",
    "tests/test_other_ipython.py": "makes an environment of its own",
    "tests/test_packaging.py": "makes environments of its own",
    "tests/test_architecture.py": "about our own text, which no version changes",
    "tests/test_docs.py": "the same",
    "tests/test_makefile.py": "the same",
    "tests/test_recordings_kept.py": "the same",
}


def main(words: list[str]) -> int:
    """Make each environment, run the tests in it, and print a table; 1 where a test failed."""
    lines = ["| environment | versions | tests |", "| --- | --- | --- |"]
    names = [word for word in words if word != "--collect"]
    how = ["--collect-only"] if "--collect" in words else ["-n", "4"]
    without = [f"--ignore={path}" for path in LEFT_OUT]
    failed = False
    for name in names or ENVIRONMENTS:
        python = _made(name)
        run = [str(python), "-m", "pytest", "-q", "-m", "not long", *how, *without, "tests"]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
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
