"""A test as a person without rights: root may read and write everything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Until the end of the block this process has no rights beyond what files grant to all."""
    if os.geteuid() != 0:
        yield
        return
    top = Path(tempfile.gettempdir()).resolve()
    above = [one for one in folder.resolve().parents if one.is_relative_to(top) and one != top]
    modes = {one: one.stat().st_mode for one in above}
    for one, mode in modes.items():
        one.chmod(mode | 0o011)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        for one, mode in modes.items():
            one.chmod(mode)
