"""`connect("zurich,geneva")`: several connections as one, giving one DataFrame to scripts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from cs_magic import opening
from cs_magic.api.catalogue import bundled
from cs_magic.api.settings import adjusted
from cs_magic.api.spelling import column_names
from cs_magic.api.values import Call, Options, Result
from cs_magic.api.wire import encoded
from cs_magic.closing import Closing
from cs_magic.connection import Connection
from cs_magic.embedded import DEMO, Embedded, is_current
from cs_magic.errors import Incomplete
from cs_magic.several import ask, check_different, failures, names_in, of_all

if TYPE_CHECKING:
    import pandas as pd


class Several(Closing):
    """Several connections as one that reads; close it, or use it in a `with`.

    Commands are methods, as those of a `Connection`; what changes something is refused.
    """

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        check_different(connections)
        self.connections = dict(connections)

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
        """The answers of all clouds to a read as one DataFrame, `profile` its first column.

        A cloud that fails is told in a warning, and leaves the frame incomplete.

        Args:
            limit: the most rows that are wanted of each cloud.
            command, columns, own, arguments: as in `Connection.call`.

        Returns:
            The rows in the order of the profiles, dtypes as those of one cloud.
            `attrs["cs"]["complete"]` is True where every cloud's rows are all there are, and
            `attrs["cs"]["profiles"]` says what each gave.

        Raises:
            CallError: the call is wrong; Refused: it changes something. Nothing was sent.
            Incomplete: none came whole; `error.result` is a DataFrame of what came.
            CloudStackError: all of them failed; the first one's error.
        """
        pairs = tuple(pair for name, value in arguments.items() for pair in encoded(name, value))
        options = Options(column_names(columns), limit, own)
        try:
            result = ask(self.connections, Call(command, pairs), options)
        except Incomplete as broken:
            broken.result = self._frame(broken.result, options)
            raise
        for failure in failures(result):
            warnings.warn(failure, stacklevel=2)
        return self._frame(result, options)

    def close(self) -> None:
        """Sign out where there are sessions, and close the connections to the servers."""
        for one in self.connections.values():
            one.close()

    def _frame(self, result: Result, options: Options) -> pd.DataFrame:
        from cs_magic.frames import shaped

        return shaped(result, of_all(options).columns)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "connections":
            raise AttributeError(name)
        found = (one.catalogue.find(name) for one in self.connections.values())
        command = next((one for one in found if one is not None), None) or bundled().find(name)
        if command is None:
            raise AttributeError(f"CloudStack has no command {name}")
        return partial(self.call, command.name)

    def __dir__(self) -> list[str]:
        known = (one.catalogue.names() for one in self.connections.values())
        return sorted({*super().__dir__(), *(name for names in known for name in names)})

    def __repr__(self) -> str:
        named = (f"{name} at {one.profile.host}" for name, one in self.connections.items())
        return f"<Several {', '.join(named)}>"


@opening.unseen
def connect(
    profile: str | None = None,
    *,
    endpoint: str | None = None,
    api_key: str | None = None,
    secret_key: str | None = None,
    **settings: Any,
) -> Connection | Several:
    """A connection to a profile, or to an endpoint with API keys given here. Nothing is sent yet.

    Args:
        profile: its name, or several: `connect("zurich,geneva")` asks both at once. Without
            one, and without an endpoint, the current profile (the environment's, the
            configuration's default, the only one there is). `demo` is a demo cloud of its own,
            which ends when the connection is closed.
        endpoint, api_key, secret_key: instead of a profile, and only together: an endpoint
            given here never goes with keys found elsewhere.
        settings: `verify`, `allow_http`, `method`, `timeout`, `job_timeout`, `workers`,
            `scope`, `read_only`, `catalogue`, `signature_version`, `signature_algorithm`, as in a
            profile, and stronger; those of each.

    Raises:
        ProfileError: there is no such profile, or it is incomplete or unsafe; or there is
            no such setting, or its value is wrong.
        CallError: of several names one is empty, or stands for the same profile as another.
        Refused: plain HTTP to another machine without `allow_http`.
    """
    given = {"endpoint": endpoint, "api_key": api_key, "secret_key": secret_key}
    if any(one is not None for one in given.values()):
        return opening.connect(profile, **given, **settings)
    if profile is None:
        return _practice(settings) if is_current() else opening.connect(**settings)
    names = names_in(profile)
    with ExitStack() as begun:  # closed where one of them can't be opened
        found = {name: begun.enter_context(_named(name, settings)) for name in names}
        one = Several(found) if len(names) > 1 else found[profile.strip()]
        begun.pop_all()
    return one


def _named(name: str, settings: Mapping[str, Any]) -> Connection:
    return _practice(settings) if name == DEMO else opening.connect(name, **settings)


def _practice(settings: Mapping[str, Any]) -> Connection:
    """A connection to a demo cloud of its own."""
    demo = Embedded()
    with ExitStack() as begun:
        begun.callback(demo.stop)
        connection = opening.opened(adjusted(demo.profile(), settings), demo.stop)
        begun.pop_all()
    return connection
