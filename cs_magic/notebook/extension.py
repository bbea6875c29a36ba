"""Load and unload: the one place that changes the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cs_magic.notebook import completion
from cs_magic.notebook.magics import CloudStackMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Register `%cs` and `%%cs`, and what completes them, once."""
    unload(shell)
    magics = CloudStackMagics(shell)
    shell.register_magics(magics)
    completion.install(shell, magics)


def unload(shell: InteractiveShell) -> None:
    """Take the magics away again, close their connections and stop the demo cloud."""
    completion.remove(shell)
    manager = shell.magics_manager
    for kind in ("line", "cell"):
        magic = manager.magics[kind].get("cs")
        owner: Any = getattr(magic, "__self__", None)
        # After a new import the class has the same name and is another object.
        if type(owner).__name__ == CloudStackMagics.__name__:
            del manager.magics[kind]["cs"]
            owner.close()
    manager.registry.pop(CloudStackMagics.__name__, None)
    shell.configurables[:] = [
        one for one in shell.configurables if type(one).__name__ != CloudStackMagics.__name__
    ]
