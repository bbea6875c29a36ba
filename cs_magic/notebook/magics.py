"""`%cs` and `%%cs` as IPython sees them; what they need is imported by the first call."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from cs_magic.notebook.vocabulary import help_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.connection import Connection
    from cs_magic.notebook.known import Known
    from cs_magic.notebook.runner import Runner


@magics_class
class CloudStackMagics(Magics):  # type: ignore[misc]
    """The magics of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._runner: Runner | None = None

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def cs(
        self, line: str, cell: str | None = None, local_ns: MutableMapping[str, Any] | None = None
    ) -> Any:
        # A traceback shows what is local, and this is all that the user has.
        names = self.runner.names(local_ns)
        local_ns = None
        return self.runner.run(line, cell, names)

    @property
    def runner(self) -> Runner:
        """What runs the texts, with the connections that are open."""
        if self._runner is None:
            from cs_magic.notebook.runner import Runner

            self._runner = Runner(self.shell)
        return self._runner

    def at_hand(self, profile: str | None) -> tuple[Connection | None, Known | None]:
        """The open connection of a profile, or the current one, and what is known of clouds.

        Nothing is opened, and before the first call nothing is imported.
        """
        if self._runner is None:
            return None, None
        return self._runner.desk.connections.at_hand(profile), self._runner.desk.known

    def close(self) -> None:
        """Close the connections, and the demo cloud."""
        if self._runner is not None:
            self._runner.close()


CloudStackMagics.cs.__doc__ = help_text()
