"""One writer at a time: a lock beside the place of a file, gone with the process that has it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows; there the parts are still counted before they become a file
    fcntl = None  # type: ignore[assignment]


class Alone:
    """The lock of a path, for one writer in one process; who that is stands in it.

    It is the system's, so none is left behind by a process that was killed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> str:
        """Take it, where it isn't had already: an empty text, or who else has it.

        Raises:
            OSError: there is no place for it.
        """
        while self._file is None:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            if not _locked(file):
                with os.fdopen(file, "rb") as other:
                    return other.read(200).decode("utf-8", "replace") or "another process"
            if _is(file, self._path):
                self._file = file
                os.ftruncate(file, 0)
                os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
            else:  # who had it took it away just now
                os.close(file)
        return ""

    def free(self) -> None:
        """Give it up."""
        if self._file is not None:
            file, self._file = self._file, None
            self._path.unlink(missing_ok=True)
            os.close(file)


def _locked(file: int) -> bool:
    """Whether it is ours now; on a file system that knows no locks it is everybody's."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is(file: int, path: Path) -> bool:
    """Whether an open file is still the one at that path."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
