"""Whether a long list that was interrupted on its way to a file is gone on with, or begun anew."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

from cs_magic.api.pages import Wish
from cs_magic.api.values import Call, Options, Page
from cs_magic.connection import Connection
from cs_magic.parts import Parts, State

# Lists in the order in which things came to be, of which none is ever taken away: a page that
# was read once stays what it was.
_STABLE = frozenset({"listUsageRecords"})


class Resuming:
    """Goes on with what an earlier attempt at the same list left in its parts.

    `alone` says that the command is read as one list; `note` is what there is to say of it, and
    `duplicates` are those that were dropped before.
    """

    def __init__(self, parts: Parts, command: str, wish: Wish, alone: bool) -> None:
        self.note = ""
        self.duplicates = 0
        self._parts, self._command = parts, command
        self._stable = command in _STABLE and alone and wish.limit is None

    @property
    def next_time(self) -> str:
        """What the same call does once this one has broken off."""
        if self._stable:
            return "The same call goes on from there."
        return f"The same call begins anew: the pages of {self._command} may move meanwhile."

    def had(self, first: Page, size: int) -> int:
        """How many pages of this size are written already, told what the first one holds now.

        Raises:
            CallError: somebody else is writing there.
        """
        self._parts.alone()
        mark = sha256(first.rows).hexdigest()
        before = self._parts.found()
        why = "" if before is None else self._why_anew(before, mark, size)
        if before is None or why:
            self.note = f"begun anew after an interruption: {why}" if why else ""
            self._parts.state = replace(self._parts.state, first=mark, size=size)
            return 0
        self._parts.state = before
        self.duplicates = before.duplicates
        self.note = f"went on after page {before.pages}: those before were written already"
        return before.pages

    def _why_anew(self, before: State, first: str, size: int) -> str:
        """Why an earlier attempt can't be gone on with; else an empty text."""
        if not self._stable:
            return "its pages may have moved"
        if (before.first, before.size) != (first, size):
            return "the list has changed"
        if not before.parts:
            return "its pages were not full, and may have grown"
        return "" if self._parts.are_there(before) else "parts of it are not there any more"


def key(connection: Connection, call: Call, wish: Wish, options: Options) -> str:
    """What tells one call to one file from another; nothing of it can be read back."""
    profile = connection.profile
    who = [profile.name, profile.endpoint, repr(connection.client.access.caller)]
    what = [call.command, sorted(call.arguments), options.columns, wish.text, options.file]
    return sha256(json.dumps([who, what]).encode()).hexdigest()
