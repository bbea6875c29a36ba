"""Which catalogue a client's calls are held against: the server's own, once a call has met it.

cached   what the server said before, as long as it has the same version (the default)
server   what it said just now
cmk      what `cmk sync` kept, where the server can't be asked
bundled  CloudStack's own facts, where nothing else is at hand
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec

from cs_magic.api.apis import Api, parsed, united
from cs_magic.api.catalogue import Catalogue, bundled
from cs_magic.api.checking import for_server, knows
from cs_magic.api.client import ATTEMPTS, Client
from cs_magic.api.shelf import Kept, Shelf, from_cmk
from cs_magic.api.values import Call, Document, Page
from cs_magic.errors import ApiError, CloudStackError, TransportError, Unauthorized, harmless

DAY = 24 * 3600.0
_PASSING = frozenset({429, 503})
_VERSION = 60  # characters: `4.23.0.0-SNAPSHOT`
_PATIENCE = 2.0  # seconds that a refresh in the background may still take when all is closed

Tell = Callable[[str], None]


class Catalogues:
    """The catalogue of one client; safe to use from several threads.

    `mode` is that of the profile: `cached` keeps on disk what the server said, `fresh`
    reads it in each process and keeps nothing, `bundled` never asks. A catalogue that is
    given is the only one.
    """

    def __init__(self, client: Client, mode: str, given: Catalogue | None = None) -> None:
        self._client = client
        self._keeps = mode == "cached"
        self._fixed = mode == "bundled" or given is not None
        self._current = given
        self._settled = self._fixed
        self._caller: object = None
        self._shelf: Shelf | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._refreshing: threading.Thread | None = None

    @property
    def known(self) -> Catalogue:
        """What is known right now; the server is never asked for it."""
        self._for_the_caller()
        if self._current is None:
            self._current = self._at_hand()
        return self._current

    def met(self, call: Call | None = None, tell: Tell | None = None) -> Catalogue:
        """The server's catalogue, read now where it was not yet; what is known where it can't be.

        Before a call is refused because of what a cached catalogue lacks, it is read once more.

        Args:
            call: the call that is to be held against it.
            tell: is told what is being waited for.
        """
        with self._lock:
            self._for_the_caller()
            if not self._settled:
                self._meet(tell)
            cached = self._settled and self.known.origin == "cached"
            if cached and call is not None and not knows(self.known, call):
                self._read_once_more(tell)
            return self.known

    def sync(self) -> Catalogue:
        """The server's catalogue, read now and kept.

        Raises:
            CloudStackError: it could not be read; what was known stays.
        """
        with self._lock:
            version = self._version(ATTEMPTS)
            self._for_the_caller()
            self._take(version, self._fetched(ATTEMPTS))
            return self.known

    def close(self) -> None:
        """End what is going on in the background."""
        thread = self._refreshing
        if thread is not None:
            thread.join(_PATIENCE)
            self._stop.set()
            # It may be just about to begin an exchange, so it is cut again until it ends.
            while thread.is_alive() and thread.ident is not None:
                self._client.transport.interrupt({thread.ident})
                thread.join(0.1)

    def _for_the_caller(self) -> None:
        """Begin anew where somebody else calls now: what a server offers depends on who asks."""
        access = self._client.access
        caller = access.caller
        who = caller or access.sessions.signed_in
        if who == self._caller:
            return
        self._caller = who
        self._shelf = Shelf(caller) if caller is not None and self._keeps else None
        if not self._fixed:
            self._current, self._settled = None, False

    # -- what is at hand -----------------------------------------------------

    def _at_hand(self) -> Catalogue:
        kept = self._shelf.load() if self._shelf else None
        return self._of_kept(kept) if kept else self._second_best("")

    def _of_kept(self, kept: Kept) -> Catalogue:
        host = self._client.profile.host
        return united(kept.apis, kept.version, "cached", host, kept.version)

    def _second_best(self, version: str) -> Catalogue:
        host = self._client.profile.host
        found = from_cmk(self._client.profile) if self._shelf else None
        if found is not None:
            return united(found[0], found[1], "cmk", host, version)
        return for_server(bundled(), host, version)

    # -- the server's own ----------------------------------------------------

    def _meet(self, tell: Tell | None) -> None:
        try:
            version = self._version()
        except CloudStackError:
            return  # the call that follows says what is wrong
        self._for_the_caller()  # who may have signed in just now
        kept = self._shelf.load() if self._shelf else None
        if kept is not None and kept.version == version != "":
            self._current, self._settled = self._of_kept(kept), True
            if kept.age > DAY:
                self._refresh(version)
            return
        if tell is not None and self._shelf is not None:
            tell(f"reading what {self._client.profile.host} can do …")
        self._read(version)

    def _read_once_more(self, tell: Tell | None) -> None:
        if tell is not None:
            tell(f"reading once more what {self._client.profile.host} can do …")
        with suppress(CloudStackError):
            self._take(self._version(), self._fetched())

    def _read(self, version: str) -> None:
        """Read it; where it is refused or no answer, that is not tried again."""
        try:
            self._take(version, self._fetched())
        except ApiError as error:
            self._settled = error.errorcode not in _PASSING
        except TransportError as error:
            self._settled = not error.passing
        except CloudStackError:
            return
        if self.known.origin != "server" and (self._settled or not self.known.sure):
            self._current = self._second_best(version)

    def _take(self, version: str, apis: list[Api]) -> None:
        host = self._client.profile.host
        self._current = united(apis, version or "unknown", "server", host, version)
        self._settled = True
        if self._shelf is not None:
            self._shelf.keep(version, apis)

    def _version(self, attempts: int = 1) -> str:
        """The server's version; empty where this account may not ask. Raises what goes wrong."""
        try:
            answer = self._asked("listCapabilities", attempts)
        except Unauthorized:
            raise
        except ApiError as error:
            if error.errorcode in _PASSING or error.command != "listCapabilities":
                raise
            return ""
        fields = answer.fields if isinstance(answer, Document) else b"{}"
        with suppress(msgspec.MsgspecError):
            said = msgspec.json.decode(fields, type=_Capabilities).cloudstackversion
            return harmless(said)[:_VERSION]
        return ""

    def _fetched(self, attempts: int = 1, stop: threading.Event | None = None) -> list[Api]:
        answer = self._asked("listApis", attempts, stop)
        try:
            return parsed(answer.rows if isinstance(answer, Page) else b"[]")
        except ValueError as error:
            problem = f"The reply to listApis can't be read: {error}"
        raise TransportError(problem, passing=False)

    def _asked(
        self, command: str, attempts: int, stop: threading.Event | None = None
    ) -> Page | Document | object:
        call = Call(command)
        return self._client.exchange(call, is_read=True, stop=stop, attempts=attempts)

    # -- in the background ---------------------------------------------------

    def _refresh(self, version: str) -> None:
        """Read it anew for the next process, without anybody waiting."""

        def read() -> None:
            shelf = self._shelf
            with suppress(CloudStackError):
                apis = self._fetched(stop=self._stop)
                if shelf is not None:
                    shelf.keep(version, apis)

        self._refreshing = threading.Thread(target=read, name="cs_magic catalogue", daemon=True)
        self._refreshing.start()


class _Capabilities(msgspec.Struct):
    cloudstackversion: str = ""
