"""The public names, and what importing costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cs_magic

HEAVY = ("pandas", "pyarrow", "requests", "ipywidgets", "urllib3", "IPython", "cheroot")


def test_all_is_what_is_visible() -> None:
    visible = {name for name in dir(cs_magic) if not name.startswith("_")}
    assert visible == set(cs_magic.__all__)


@pytest.mark.parametrize("name", cs_magic.__all__)
def test_every_public_name_is_there_and_says_what_it_promises(name: str) -> None:
    assert getattr(cs_magic, name).__doc__


def test_every_error_is_a_cloudstack_error() -> None:
    errors = [name for name in cs_magic.__all__ if name not in {"Connection", "changes", "connect"}]
    for name in errors:
        assert issubclass(getattr(cs_magic, name), cs_magic.CloudStackError)


def test_importing_it_is_silent_and_imports_nothing_heavy() -> None:
    code = f"import sys, cs_magic; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
