"""Load and unload: the one place that changes the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher

from cs_magic.errors import harmless
from cs_magic.notebook.magics import CloudStackMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

IDENTIFIER = "cs_magic"
_TABLES = ("DataFrame", "Series")
_NOTHING: SimpleMatcherResult = {"completions": [], "suppress": False}


def load(shell: InteractiveShell) -> None:
    """Register `%cs` and `%%cs`, and what completes them, once."""
    unload(shell)
    magics = CloudStackMagics(shell)
    shell.register_magics(magics)
    shell.Completer.custom_matchers.append(_matcher(shell, magics))
    for name in _TABLES:
        _plain_text(shell).for_type_by_name("pandas", name, _written)


def unload(shell: InteractiveShell) -> None:
    """Take the magics away again, close their connections and stop the demo cloud."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != IDENTIFIER]
    for name in _TABLES:
        _plain_text(shell).pop(f"pandas.{name}", None)
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


def _plain_text(shell: InteractiveShell) -> Any:
    return shell.display_formatter.formatters["text/plain"]


def _written(table: Any, printer: Any, cycle: bool) -> None:
    """A table as pandas, or we, write it, but that a name in it can't drive the terminal."""
    own = vars(table).get("_repr_mimebundle_")  # of `shown.frame_of`
    text = own()["text/plain"] if own else repr(table)
    for number, line in enumerate(text.split("\n")):
        if number:
            printer.break_()
        printer.text(harmless(line))


def _matcher(shell: InteractiveShell, magics: CloudStackMagics) -> Any:
    """What completes `%cs`; it imports what it needs where there is a `%cs`.

    A matcher that raises would write a traceback into the notebook: it gives nothing instead.
    """

    @context_matcher(priority=200, identifier=IDENTIFIER)  # type: ignore[untyped-decorator]
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        if "%cs" not in context.full_text:
            return _NOTHING
        from cs_magic.notebook.completion import answer

        try:
            return answer(shell, magics, context)
        except Exception:  # noqa: BLE001 - a traceback among the output helps nobody who types
            return _NOTHING

    return matcher
