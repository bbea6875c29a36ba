"""One profile's client and catalogue, giving DataFrames to scripts and magics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cs_magic.api.asked import check_columns, check_explode, check_options
from cs_magic.api.came import Resumable, Told
from cs_magic.api.catalogue import Catalogue, Command, bundled
from cs_magic.api.catalogues import Catalogues, Tell
from cs_magic.api.checking import check, doubt, unknown
from cs_magic.api.client import Client
from cs_magic.api.details import lean
from cs_magic.api.jobs import Watcher, ended
from cs_magic.api.lookups import Lists, Lookups
from cs_magic.api.named import without_names
from cs_magic.api.names import resolved
from cs_magic.api.pages import Reader, Wish, variants
from cs_magic.api.profile import Profile, check_scheme
from cs_magic.api.records import revealed, rows_of
from cs_magic.api.spelling import column_names, kinds, sources, spelt
from cs_magic.api.traces import traceable
from cs_magic.api.values import Call, Options, Result
from cs_magic.api.wire import encoded
from cs_magic.closing import Closing
from cs_magic.errors import CloudStackError, Incomplete, Refused

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.files import Written

# Where the rows of a call go, made of what is sent, its command, and what is wanted.
Into = Callable[[Call, Command, Wish], Resumable]
# What there is of a job that nobody waits for.
_JOB = {"jobid": "text", "id": "text"}


class Connection(Closing):
    """One endpoint with its credentials and catalogue; close it, or use it in a `with`.

    Commands are methods: `cloud.listVirtualMachines(state="Running")` is
    `cloud.call("listVirtualMachines", state="Running")`.
    """

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue | Catalogues,
        ending: Callable[[], None] | None = None,
    ) -> None:
        self.client = client
        self._ending = ending  # what is there for this connection only, and ends with it
        if isinstance(catalogue, Catalogue):
            catalogue = Catalogues(client, "bundled", catalogue)
        self._catalogues = catalogue

    @property
    def catalogue(self) -> Catalogue:
        """What is known of the server's commands right now; the server is never asked for it."""
        return self._catalogues.known

    def meet(self, call: Call | None = None, tell: Tell | None = None) -> Catalogue:
        """The server's own catalogue, read now where no call has done so yet.

        Where it can't be read, what is known stays. A cached one is read once more where it
        would refuse `call`. `tell` is told, in a line, what is being waited for.
        """
        return self._catalogues.met(call, tell)

    def sync(self) -> Catalogue:
        """The server's own catalogue, read now and kept on disk; CloudStackError where it can't."""
        return self._catalogues.sync()

    @property
    def profile(self) -> Profile:
        """The profile this connection was made from; its secrets are in no repr."""
        return self.client.profile

    def call(
        self,
        command: str,
        /,
        *,
        columns: Sequence[str] | str | None = None,
        limit: int | None = None,
        own: bool = False,
        wait: bool = True,
        job_timeout: float | None = None,
        **arguments: Any,
    ) -> pd.DataFrame:
        """The answer to a command as a DataFrame, a list with all its pages.

        Args:
            command: its name, in any letter case.
            columns: the columns wanted, in order, or one; `nic.0.ipaddress` reaches into
                nested ones.
            limit: the most rows that are wanted.
            own: what the caller's account owns, instead of everything the caller may see.
            wait: wait for the job of a command that answers with one; else its id is given.
            job_timeout: so many seconds at most, instead of the profile's `job_timeout`.
            arguments: parameters; lists become comma lists, dicts map parameters.

        Returns:
            One row per listed object; one row where the answer, or a job's, is one object.
            dtypes are those of `cs_magic.frames`; `attrs["cs"]` says where it came from and whether
            it is complete.

        Raises:
            CallError: the call is wrong; nothing was sent.
            ApiError: CloudStack refused; JobFailed: the job did. TransportError: no usable answer.
            Incomplete: a list broke off; `error.result` is a DataFrame of what came.
            StillRunning: the job was waited for long enough; it goes on.
        """
        pairs = tuple(pair for name, value in arguments.items() for pair in encoded(name, value))
        options = Options(column_names(columns), limit, own, wait=wait, timeout=job_timeout)
        call = Call(command, pairs)
        try:
            result = self.run(call, options)
            doubtful = doubt(self.catalogue, command)
            if doubtful:
                warnings.warn(doubtful, stacklevel=2)
            return self.frame(result, options)
        except Incomplete as broken:
            broken.result = self.frame(broken.result, options)
            raise

    def run(
        self,
        call: Call,
        options: Options,
        lookups: Lookups | None = None,
        watcher: Watcher | None = None,
        into: Into | None = None,
        told: Told | None = None,
    ) -> Result:
        """The answer to a call as Arrow columns; errors as in `call`.

        `lookups` are the names that are known already; `watcher` is told of a job; the rows
        go `into` what that makes of the call, where they go elsewhere than into a table; `told`
        hears how far a list is.
        """
        check_options(options)
        lookups = Lookups() if lookups is None else lookups
        self.meet(call if options.check else None)
        command = self.command(call, options)
        call = self.with_ids(call, options, lookups)
        if not command.is_read:
            lookups.forget()
        wish, sent = self.wish(options), self._lean(call, command, options)
        if not command.is_read:
            sent = traceable(sent, self.catalogue.find(call.command))
        watcher = watcher or Watcher()
        job = ended(self.client, sent, watcher, self.patience(options), options.wait)
        try:
            fields = _JOB if command.is_async and not options.wait else kinds(command)
            rows = into(sent, command, wish) if into else None
            reader = Reader(
                self.client,
                command,
                fields,
                wish,
                job,
                rows=rows,
                sending=watcher.sends,
                told=told,
            )
            result = reader.read(sent)
        except Incomplete as broken:
            broken.result = self.named(broken.result)
            raise
        except CloudStackError as error:
            error.hints = (*error.hints, *self._doubts(call, options))
            raise
        notes = (*result.notes, *self._doubts(call, options))
        return self.named(replace(result, notes=notes))

    def patience(self, options: Options) -> float | None:
        """How long a job is waited for."""
        return self.profile.job_timeout if options.timeout is None else options.timeout

    def wish(self, options: Options) -> Wish:
        """What of an answer the options want."""
        only = None if options.columns is None else sources((*options.columns, options.explode))
        limit = None if options.limit is None else int(options.limit)  # numpy's too
        return Wish(limit, only, options.text or options.raw, options.own or self._own)

    def _doubts(self, call: Call, options: Options) -> tuple[str, ...]:
        doubtful = doubt(self.catalogue, call.command) if options.check else ""
        return (doubtful,) if doubtful else ()

    def frame(self, result: Result, options: Options) -> pd.DataFrame:
        """A result as a DataFrame."""
        from cs_magic.frames import shaped

        shown = revealed(result) if options.reveal else result
        return shaped(shown, options.columns, options.explode)

    def parsed(self, result: Result, options: Options) -> dict[str, Any]:
        """A result as parsed JSON: `{"count": rows, key: [...]}`."""
        rows = rows_of((revealed(result) if options.reveal else result).table)
        return {"count": len(rows), result.key or "rows": rows}

    def written(self, result: Result, options: Options) -> Written:
        """Write a result to the file that the options name; errors as in `cs_magic.files`."""
        from cs_magic import files

        kind, path = options.file or ("", "")
        shown = revealed(result) if options.reveal else result
        return files.write(shown, kind, path, options.columns, options.explode)

    def command(self, call: Call, options: Options) -> Command:
        """What the catalogue knows of a call's command. Nothing is sent.

        Raises:
            CallError: the call is wrong, or its options are.
            Refused: it changes something, and the profile is read-only.
        """
        check_options(options)
        if options.file is not None:
            from cs_magic import files

            files.check(*options.file)
        if options.check:
            known = self.catalogue.find(call.command)
            command = check(self.catalogue, without_names(call, known))
            check_columns(options.columns or (), command)
            check_explode(options.explode, command)
        else:
            command = self.catalogue.find(call.command) or unknown(call.command)
        self._check_allowed(command)
        return command

    def _lean(self, call: Call, command: Command, options: Options) -> Call:
        """The call as the server spells it, asking for no more than the columns need."""
        return lean(spelt(call, command), command, self.wish(options).only)

    def _check_allowed(self, command: Command) -> None:
        if self.profile.read_only and not command.is_read:
            raise Refused(
                f"{command.name} changes something, and the profile {self.profile.name} is"
                " read-only; nothing was sent",
                "%cs use NAME without --read-only, or read_only = false in the profile.",
            )

    def with_ids(
        self,
        call: Call,
        options: Options,
        lookups: Lookups,
        leave: Collection[str] = (),
        many: bool = False,
    ) -> Call:
        """The call with ids where it says names; unchecked, only where it says `name:VALUE`.

        The values to `leave` stay as they are; for one of `many` calls lists are read whole.
        Errors as in `cs_magic.api.names`.
        """
        command = self.catalogue.find(call.command)
        if command is None:
            return call
        lists = Lists(self.client, self.catalogue, lookups, options.own or self._own)
        return resolved(lists, call, command, not options.check, leave, many)

    def planned(self, call: Call, options: Options) -> tuple[Call, ...]:
        """The calls that would be sent, without pages, signature or key; refused as in `run`.

        Only names are looked up.
        """
        command = self.command(call, options)
        check_scheme(self.profile)
        call = self.with_ids(call, options, Lookups())
        return variants(self._lean(call, command, options), command, options.own or self._own)

    def close(self) -> None:
        """Sign out where there is a session, and close the connections to the server."""
        self._catalogues.close()
        self.client.access.close()
        self.client.transport.close()
        if self._ending is not None:
            self._ending()

    @property
    def _own(self) -> bool:
        return self.profile.scope == "own"

    def named(self, result: Result) -> Result:
        """The result with the catalogue's name in its provenance."""
        origin = f"{self.catalogue.origin} {self.catalogue.version}"
        return replace(result, provenance=replace(result.provenance, catalogue=origin))

    def __getattr__(self, name: str) -> Callable[..., pd.DataFrame]:
        # Only commands: hasattr(cloud, "_repr_html_") must stay false.
        # One that the caller's role lacks is an attribute: its call says so.
        found = None if name.startswith("_") else self.catalogue.find(name)
        command = found or (None if name.startswith("_") else bundled().find(name))
        if command is None:
            raise AttributeError(f"CloudStack has no command {name}")

        def call(**arguments: Any) -> pd.DataFrame:
            return self.call(command.name, **arguments)

        call.__name__ = command.name
        return call

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *self.catalogue.names()])

    def __repr__(self) -> str:
        return f"<Connection {self.profile.name} at {self.profile.host}>"
