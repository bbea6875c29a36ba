"""Explore an Apache CloudStack cloud, and report on it, from a notebook.

`%load_ext cs_magic` gives `%cs` and `%%cs`; scripts use `cs_magic.connect()`. Importing
this is silent, touches no network, and imports none of pandas, pyarrow, requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cs_magic.errors import (
    ApiError,
    CallError,
    CloudStackError,
    FateUnknown,
    Incomplete,
    JobFailed,
    ProfileError,
    Refused,
    SignInNeeded,
    StillRunning,
    TransportError,
    Unauthorized,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.clouds import connect
    from cs_magic.comparison import changes
    from cs_magic.connection import Connection

__all__ = [
    "ApiError",
    "CallError",
    "CloudStackError",
    "Connection",
    "FateUnknown",
    "Incomplete",
    "JobFailed",
    "ProfileError",
    "Refused",
    "SignInNeeded",
    "StillRunning",
    "TransportError",
    "Unauthorized",
    "changes",
    "connect",
]


def __getattr__(name: str) -> Any:
    if name in {"Connection", "connect"}:
        from cs_magic import clouds

        return getattr(clouds, name)
    if name == "changes":
        from cs_magic import comparison

        return comparison.changes
    if name == "__version__":
        from importlib.metadata import version

        return version("cs-magic")
    raise AttributeError(f"module 'cs_magic' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext cs_magic`."""
    from cs_magic.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext cs_magic`: nothing is left behind."""
    from cs_magic.notebook.extension import unload

    unload(shell)
