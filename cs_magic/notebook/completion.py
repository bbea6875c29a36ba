"""Tab in a notebook and a terminal: what IPython asks, and what may be answered at once.

Nothing here waits for anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

from cs_magic.api.catalogue import Catalogue, bundled
from cs_magic.notebook.candidates import candidates
from cs_magic.notebook.matching import Candidate
from cs_magic.notebook.pieces import typed_at

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cs_magic.connection import Connection
    from cs_magic.notebook.known import Known
    from cs_magic.notebook.magics import CloudStackMagics
    from cs_magic.notebook.related import Listing, Things

# What is said where nothing is offered.
READING, NOTHING = "being read: press Tab again", "nothing fits"


def answer(
    shell: InteractiveShell, magics: CloudStackMagics, context: CompletionContext
) -> SimpleMatcherResult:
    """What a key press gets; nothing outside of our own text."""
    typed = typed_at(context.full_text, context.cursor_line, context.cursor_position)
    if typed is None:
        return {"completions": [], "suppress": False}
    found: list[Candidate] = []
    known: Known | None = None
    place = typed.place()
    if place is not None:
        profile = place.options.get("profile")
        named = profile and profile.strip("'\"").partition(",")[0]  # of several, the first
        connection, known = magics.at_hand(named)
        fragment, found = candidates(place, Knowing(shell.user_ns, connection, known))
    if not found:
        # Without one of ours, Python names and files would be shown: what stands there stays.
        fragment = context.text_until_cursor[-1:]
        reads = place is not None and place.kind == "value" and known is not None and known.reads
        found = [Candidate(fragment, READING if reads else NOTHING)]
    return {
        "completions": [SimpleCompletion(one.text, type=one.kind) for one in found],
        "matched_fragment": fragment,
        "suppress": True,
        "ordered": True,
    }


@dataclass(frozen=True, slots=True)
class Knowing:
    """What a kernel knows: the user's names, and the connection that the call would go to."""

    names: Mapping[str, Any]
    connection: Connection | None
    known: Known | None

    @property
    def catalogue(self) -> Catalogue:
        """The connection's, or the one that comes with cs_magic."""
        return bundled() if self.connection is None else self.connection.catalogue

    def profiles(self) -> Sequence[str]:
        """The names that `use` and `-p` take."""
        from cs_magic.api.profiles import Profiles

        names = [row.name for row in Profiles().rows() if "shadowed" not in row.state]
        return list(dict.fromkeys([*names, "demo"]))

    def things(self, listing: Listing, typed: str) -> Things | None:
        """What is known of a list; the rest is read in the background."""
        if self.connection is None or self.known is None:
            return None
        return self.known.about(self.connection, listing, typed)
