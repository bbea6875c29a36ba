"""Kernels of other versions of ipykernel, with everything else as it is here."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

INSTALLS = 600  # seconds


def other_python(folder: Path, version: str) -> Path:
    """A Python with that ipykernel, in an environment of its own at `folder`.

    Whatever that ipykernel does not ask for comes from the environment of the tests.
    """
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    place = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    here = sysconfig.get_path("purelib")
    # After the environment's own packages; adding it so reads its .pth files, too.
    (Path(place) / "tests.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    _run(python, "-m", "pip", "install", "--quiet", f"ipykernel=={version}")
    found = _run(python, "-c", "import ipykernel; print(ipykernel.__version__)").strip()
    if found != version:
        raise RuntimeError(f"ipykernel {version} is wanted, and {found} is there ({sys.version})")
    return python


def _run(python: Path, *arguments: str) -> str:
    done = subprocess.run(
        [python, *arguments], capture_output=True, text=True, timeout=INSTALLS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout
