"""`connect()`: one profile's client and catalogue, giving DataFrames to scripts and magics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from difflib import get_close_matches
from numbers import Integral
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cs_magic.api.catalogue import Catalogue, Command, Parameter, bundled, is_read
from cs_magic.api.client import Client
from cs_magic.api.columns import kind_of
from cs_magic.api.lookups import Lists, Lookups
from cs_magic.api.named import without_names
from cs_magic.api.names import resolved
from cs_magic.api.pages import Reader, Wish, variants
from cs_magic.api.profile import Profile, check_scheme
from cs_magic.api.profiles import Profiles
from cs_magic.api.records import revealed, rows_of
from cs_magic.api.settings import adjusted, given
from cs_magic.api.transport import HttpTransport
from cs_magic.api.values import Call, Options, Result
from cs_magic.api.wire import encoded
from cs_magic.errors import CallError, Incomplete, ProfileError, Refused

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.files import Written


class Connection:
    """One endpoint with its credentials and catalogue; close it, or use it in a `with`.

    Commands are methods: `cloud.listVirtualMachines(state="Running")` is
    `cloud.call("listVirtualMachines", state="Running")`.
    """

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self.client = client
        self.catalogue = catalogue

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
        **arguments: Any,
    ) -> pd.DataFrame:
        """The answer to a command as a DataFrame, a list with all its pages.

        Args:
            command: its name, in any letter case.
            columns: the columns wanted, in order, or one; `nic.0.ipaddress` reaches into
                nested ones.
            limit: the most rows that are wanted.
            own: what the caller's account owns, instead of everything the caller may see.
            arguments: parameters; lists become comma lists, dicts map parameters.

        Returns:
            One row per listed object; one row where the answer is one object. dtypes are
            those of `cs_magic.frames`; `attrs["cs"]` says where it came from and whether
            it is complete.

        Raises:
            CallError: the call is wrong; nothing was sent.
            ApiError: CloudStack refused. TransportError: no usable answer.
            Incomplete: a list broke off; `error.result` is a DataFrame of what came.
        """
        pairs = tuple(pair for name, value in arguments.items() for pair in encoded(name, value))
        options = Options(columns=_column_names(columns), limit=limit, own=own)
        try:
            return self.frame(self.run(Call(command, pairs), options), options)
        except Incomplete as broken:
            broken.result = self.frame(broken.result, options)
            raise

    def run(self, call: Call, options: Options, lookups: Lookups | None = None) -> Result:
        """The answer to a call as Arrow columns; errors as in `call`.

        `lookups` are the names that are known already.
        """
        lookups = Lookups() if lookups is None else lookups
        command = self.command(call, options)
        call = self.with_ids(call, options, lookups)
        if not command.is_read:
            lookups.forget()
        kinds = {
            field.name: kind_of(field.name, field.kind or "unknown") for field in command.fields
        }
        only = None if options.columns is None else _sources((*options.columns, options.explode))
        limit = None if options.limit is None else int(options.limit)  # numpy's too
        wish = Wish(limit, only, options.text or options.raw, options.own or self._own)
        try:
            result = Reader(self.client, command, kinds, wish).read(_spelt(call, command))
        except Incomplete as broken:
            broken.result = self._named(broken.result)
            raise
        return self._named(result)

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
        _check_options(options)
        if options.file is not None:
            from cs_magic import files

            files.check(*options.file)
        if options.check:
            known = self.catalogue.find(call.command)
            command = self.catalogue.check(without_names(call, known))
            _check_columns(options.columns or (), command)
            _check_explode(options.explode, command)
        else:
            command = self.catalogue.find(call.command) or _unknown(call.command)
        self._check_allowed(command)
        return command

    def _check_allowed(self, command: Command) -> None:
        if self.profile.read_only and not command.is_read:
            raise Refused(
                f"{command.name} changes something, and the profile {self.profile.name} is"
                " read-only; nothing was sent",
                "%cs use NAME without --read-only, or read_only = false in the profile.",
            )

    def with_ids(
        self, call: Call, options: Options, lookups: Lookups, leave: Collection[str] = ()
    ) -> Call:
        """The call with ids where it says names; unchecked, only where it says `name:VALUE`.

        The values to `leave` stay as they are. Errors as in `cs_magic.api.names`.
        """
        command = self.catalogue.find(call.command)
        if command is None:
            return call
        lists = Lists(self.client, self.catalogue, lookups, options.own or self._own)
        return resolved(lists, call, command, not options.check, leave)

    def planned(self, call: Call, options: Options) -> tuple[Call, ...]:
        """The calls that would be sent, without pages, signature or key; refused as in `run`.

        Only names are looked up.
        """
        command = self.command(call, options)
        check_scheme(self.profile)
        call = self.with_ids(call, options, Lookups())
        return variants(_spelt(call, command), command, options.own or self._own)

    def close(self) -> None:
        """Sign out where there is a session, and close the connections to the server."""
        self.client.access.close()
        self.client.transport.close()

    @property
    def _own(self) -> bool:
        return self.profile.scope == "own"

    def _named(self, result: Result) -> Result:
        origin = f"{self.catalogue.origin} {self.catalogue.version}"
        return replace(result, provenance=replace(result.provenance, catalogue=origin))

    def __getattr__(self, name: str) -> Callable[..., pd.DataFrame]:
        # Only commands: hasattr(cloud, "_repr_html_") must stay false.
        command = None if name.startswith("_") else self.catalogue.find(name)
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

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def connect(
    profile: str | None = None,
    *,
    endpoint: str | None = None,
    api_key: str | None = None,
    secret_key: str | None = None,
    **settings: Any,
) -> Connection:
    """A connection to a profile, or to an endpoint with API keys given here. Nothing is sent yet.

    Args:
        profile: its name; without one, and without an endpoint, the current profile (the
            environment's, the configuration's default, the only one there is).
        endpoint, api_key, secret_key: instead of a profile, and only together: an endpoint
            given here never goes with keys found elsewhere.
        settings: `verify`, `allow_http`, `method`, `timeout`, `job_timeout`, `workers`,
            `scope`, `read_only`, `signature_version`, `signature_algorithm`, as in a
            profile, and stronger.

    Raises:
        ProfileError: there is no such profile, or it is incomplete or unsafe; or there is
            no such setting, or its value is wrong.
        Refused: plain HTTP to another machine without `allow_http`.
    """
    if endpoint is None and api_key is None and secret_key is None:
        profiles = Profiles()
        found = profiles.current() if profile is None else profiles.get(profile)
    elif profile is not None or not (endpoint and api_key and secret_key):
        raise ProfileError("endpoint, api_key and secret_key go together, without a profile")
    else:
        found = given(endpoint, api_key, secret_key)
    return opened(adjusted(found, settings))


def opened(profile: Profile) -> Connection:
    """A connection for a profile. Refused where it is plain HTTP to another machine."""
    check_scheme(profile)
    return Connection(Client(profile, HttpTransport(profile)), bundled())


def _spelt(call: Call, command: Command) -> Call:
    """The call with names as the catalogue spells them: the server matters about some."""
    return Call(
        command.name, tuple((_name(command, name), value) for name, value in call.arguments)
    )


def _name(command: Command, name: str) -> str:
    known: Parameter | None = command.parameter(name)
    bare, bracket, rest = name.partition("[")
    return (known.name if known else bare) + bracket + rest


def _sources(columns: Sequence[str | None]) -> list[str]:
    """The fields that hold these columns: `nic.0.ipaddress` comes from `nic`."""
    return list(dict.fromkeys(column.partition(".")[0] for column in columns if column))


def _column_names(columns: Sequence[str] | str | None) -> tuple[str, ...] | None:
    if columns is None or isinstance(columns, str):
        return None if columns is None else (columns,)
    try:
        return tuple(columns)
    except TypeError:
        pass
    raise CallError(f"columns is a list of names, not {columns!r}")


def _check_options(options: Options) -> None:
    """Refuse what no command can be asked for."""
    if options.reveal and options.file is not None:
        raise CallError("--reveal and --output to a file: a secret is never written to a file")
    limit, columns = options.limit, options.columns
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, Integral)):
        raise CallError(f"limit is a whole number, not {limit!r}")
    if limit is not None and limit < 1:
        raise CallError(f"limit is a number of rows from 1 on, not {limit}")
    if columns is not None and not columns:
        raise CallError("columns names no column; without it there are all")
    for column in columns or ():
        if not isinstance(column, str) or not column:
            raise CallError(f"A column is a name, not {column!r}")
    if options.explode is not None and options.raw:
        raise CallError(
            "A row for each element is for a table; raw JSON has none", name=options.explode
        )


def _check_explode(explode: str | None, command: Command) -> None:
    if explode is None:
        return
    _check_columns((explode,), command)
    field = command.field(explode.partition(".")[0])
    if "." in explode:
        raise CallError("One field is exploded, without a path", name=explode)
    if field is not None and field.kind not in {"nested", None}:
        raise CallError(f"{explode} is not nested: there is nothing to explode", name=explode)


def _check_columns(columns: Sequence[str], command: Command) -> None:
    known = [field.name for field in command.fields]
    for column in columns if known else ():
        field = column.partition(".")[0]
        if field not in known:
            near = [one for one in known if one.lower() == field.lower()]
            near = near or get_close_matches(field.lower(), known, 1)
            meant = f": did you mean {near[0]}?" if near else ""
            raise CallError(f"There is no column {field}{meant}", _AS_GIVEN, name=column)


_AS_GIVEN = "With --no-check a column that is not documented may be asked for."


def _unknown(name: str) -> Command:
    """A command that the catalogue doesn't have: it pages if it is called list…"""
    read = is_read(name)
    paging = (Parameter("page", "integer"), Parameter("pagesize", "integer"))
    lists = read and name.startswith("list")
    return Command(name, is_async=not read, parameters=paging if lists else ())
