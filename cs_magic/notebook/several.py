"""What a statement does that is a call to several clouds: check, ask all of them, keep, show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from cs_magic.api.lookups import Lookups
from cs_magic.api.united import PROFILE, Part, Parts
from cs_magic.api.values import Options, Result
from cs_magic.errors import CallError, CloudStackError, Incomplete, SignInNeeded
from cs_magic.notebook import asking, unattended
from cs_magic.notebook.arguments import call_of, options_of
from cs_magic.notebook.calling import Calling
from cs_magic.notebook.desk import Desk
from cs_magic.notebook.shown import asked_secret, frame_of, say, summary
from cs_magic.notebook.statements import Statement
from cs_magic.notebook.streamed import value_of
from cs_magic.several import all_failed, ask, check_reads, of_all, said

if TYPE_CHECKING:
    from cs_magic.connection import Connection

T = TypeVar("T")


def calling_of(
    desk: Desk,
    statement: Statement,
    names: MutableMapping[str, Any],
    later: Collection[str] = (),
    used: Connection | None = None,
) -> Calling | CallingSeveral:
    """A statement that is a call on its way, to the one cloud that it asks or to several.

    `used` is the connection that will be in use then.
    """
    asked = desk.all_asked(statement, names, used)
    if len(asked) > 1:
        return CallingSeveral(desk, asked, statement, names, later)
    [connection] = asked.values()
    return Calling(desk, connection, statement, names, later)


@dataclass(frozen=True, repr=False)
class CallingSeveral:
    """One statement that is a call to several clouds; as `Calling` is to one."""

    desk: Desk
    connections: Mapping[str, Connection]
    statement: Statement
    names: MutableMapping[str, Any]
    later: Collection[str] = ()

    def checked(self) -> Options:
        """The options, once all is held against the catalogues; nothing of the call is sent.

        What one cloud refuses is told when it is asked; what all refuse is an error.
        """
        statement = self.statement
        if statement.has("each"):
            raise statement.wrong("--each makes calls at one profile, not at several")
        check_reads(self.connections, statement.command)
        self._of_each(Calling.checked)
        check_reads(self.connections, statement.command)  # as the servers themselves say
        return options_of(statement, self.names, self.later)

    def check_asked(self, options: Options) -> None:
        """Refuse what has to ask first where nobody can be asked: to cut an older file short."""
        if not self.statement.has("yes") and not self.statement.has("dry-run"):
            call = call_of(self.statement, self.names, self.later)
            asking.check_older(call, options, len(self.connections))

    def run(self) -> Any:
        """Ask all of them; what is to be shown."""
        desk, statement = self.desk, self.statement
        if statement.has("refresh"):
            for connection in self.connections.values():
                desk.known.forget(connection.profile)
        options = self.checked()
        if statement.has("dry-run"):
            return self._planned()
        lookups = replace(desk.lookups, found=[])
        try:
            result = self._answer(options, lookups)
            given = value_of(next(iter(self.connections.values())), result, of_all(options))
        except CallError as error:
            problem = error
        else:
            return desk.given(statement, given, *self._said(result, options, lookups))
        if problem.text is not None:
            raise problem
        column = statement.column_of(problem.name)
        raise statement.wrong(problem.message, *problem.hints, column=column)

    def _answer(self, options: Options, lookups: Lookups) -> Result:
        """What came, kept as the last result; also where no list came whole."""
        desk, first = self.desk, next(iter(self.connections.values()))
        call = call_of(self.statement, self.names, self.later, asked_secret)
        if not self.statement.has("yes"):
            asking.ask_older(call, options, len(self.connections))
        may = desk.sign_in.can_ask
        try:
            result = ask(self.connections, call, options, lookups, may_sign_in=may)
        except Incomplete as broken:
            shaped = of_all(options)
            desk.last, result = (first, broken.result, shaped), broken.result
            broken.result = value_of(first, result, replace(shaped, file=None))
            result = unattended.taken(broken, result)
        desk.last = (first, result, of_all(options))
        unattended.check_all_came(result)
        return result

    def _planned(self) -> Any:
        """A frame of what would be sent to each; a line for each that would refuse."""
        frames, failed = self._of_each(Calling.run)
        for name, error in failed.items():
            say(f"⚠ {name}: {said(error)}")
        rows: list[dict[str, Any]] = []
        for name, frame in frames.items():
            rows += [row | {PROFILE: name} for row in frame.to_dict("records")]
        return frame_of(rows)

    def _of_each(
        self, action: Callable[[Calling], T]
    ) -> tuple[dict[str, T], dict[str, CloudStackError]]:
        """What an action gives for each cloud, and the errors; raises where all of them failed."""
        came: dict[str, T] = {}
        failed: dict[str, CloudStackError] = {}
        options = options_of(self.statement, self.names, self.later)
        statement = _without_profile(self.statement, options)
        for name, connection in self.connections.items():
            try:
                came[name] = action(
                    Calling(self.desk, connection, statement, self.names, self.later)
                )
            except SignInNeeded as error:
                if self.desk.sign_in.can_ask:
                    raise
                failed[name] = error
            except CloudStackError as error:
                failed[name] = error
        if not came:
            raise all_failed(failed)
        return came, failed

    def _said(
        self, result: Result, options: Options, lookups: Lookups
    ) -> tuple[str, Sequence[str]]:
        """One line that names each profile; then one for each that failed, and the notes."""
        statement, came = self.statement, result.provenance
        for found in lookups.told() if statement.has("verbose") else ():
            say(str(found))
        if statement.has("quiet") and came.complete is not False:
            return "", ()
        first = next(iter(self.connections.values()))
        return _summary(result, statement, options, first), result.notes


def _summary(result: Result, statement: Statement, options: Options, connection: Connection) -> str:
    """`vms: 70 rows (zurich 40, geneva 30) · listall=true · complete`, as of one cloud."""
    came = result.provenance
    parts = came.parts if isinstance(came, Parts) else ()
    each = ", ".join(
        f"{part.profile} {'failed' if part.failed and not part.rows else f'{part.rows:,}'}"
        for part in parts
    )
    # What a limit cut is no fault; what failed is one, whatever the limit.
    limit = None if any(part.failed for part in parts) else came.limit
    reason = "; ".join(filter(None, map(_short, parts)))
    shown = replace(result, provenance=replace(came, limit=limit, reason=reason))
    line = summary(shown, statement.target, connection.profile, False, options.reveal)
    rows, dot, rest = line.partition(" · ")
    more = []
    if statement.has("verbose"):
        hosts = (f"{part.profile} at {part.host}" for part in parts)
        more = [", ".join(hosts), f"catalogue {came.catalogue}"]
    return " · ".join([f"{rows} ({each}){dot}{rest}", *more])


def _short(part: Part) -> str:
    """Why a profile's rows are not all; the error itself has a line of its own."""
    if part.failed:
        return f"{part.profile} {'broke off' if part.rows else 'failed'}"
    return f"{part.profile}: {part.reason}" if part.reason else ""


def _without_profile(statement: Statement, options: Options) -> Statement:
    """The statement without `profile` among its columns, which is no column of a cloud."""
    if PROFILE not in (options.columns or ()):
        return statement
    columns = ",".join(name for name in options.columns or () if name != PROFILE)
    given = [
        (option, typed and replace(typed, text=columns, path=()))
        if option.name == "columns"
        else (option, typed)
        for option, typed in statement.options
    ]
    kept = tuple((option, typed) for option, typed in given if option.name != "columns" or columns)
    return replace(statement, options=kept)
